"""Write the input of docs/ablations.md: the example web's proposals as text, and a source of noise among them.

    python -m examples.planted FOLDER

FOLDER/good.jsonl has the Python Enhancement Proposals of www.library.example, cut into passages.  FOLDER/bad.jsonl has
5 % as many passages with their bytes shuffled.  FOLDER/held-out.jsonl has passages of proposals that are in neither.
"""

import json
import random
import re
import sys
from pathlib import Path

from corpusmill.extract.extractors import extractor
from corpusmill.page import Page
from examples.serve import WEB
from examples.webgen.site import Site

PROPOSAL = re.compile(r"http://www\.library\.example/peps/\d+/")
PASSAGE = 1500  # characters, at least
BAD_SHARE = 0.05  # of all passages
HELD_OUT_EVERY = 8  # proposals


def main(folder: Path) -> None:
    """Write the three files."""
    folder.mkdir(parents=True, exist_ok=True)
    good: list[str] = []
    held_out: list[str] = []
    for number, text in enumerate(proposals()):
        (held_out if number % HELD_OUT_EVERY == 0 else good).extend(passages(text))
    random.Random(1).shuffle(good)
    n_bad = round(BAD_SHARE * len(good))
    write(folder / "bad.jsonl", [shuffled(text, number) for number, text in enumerate(good[:n_bad])])
    write(folder / "good.jsonl", good[n_bad:])
    write(folder / "held-out.jsonl", held_out)


def proposals() -> list[str]:
    """The text of each proposal of the example web."""
    answers = Site.load(WEB).answers
    read = extractor("corpusmill")
    urls = [url for url in sorted(answers) if PROPOSAL.fullmatch(url) and answers[url].status == 200]
    texts = [read(Page(body=answers[url].body, url=url)).text for url in urls]
    return [text for text in texts if text]


def passages(text: str) -> list[str]:
    """A text in passages of whole paragraphs; a short rest belongs to the last one."""
    found: list[str] = []
    for paragraph in text.split("\n\n"):
        if found and len(found[-1]) < PASSAGE:
            found[-1] += "\n\n" + paragraph
        else:
            found.append(paragraph)
    if len(found) > 1 and len(found[-1]) < PASSAGE:
        last = found.pop()
        found[-1] += "\n\n" + last
    return found


def shuffled(text: str, seed: int) -> str:
    """The text with its bytes in a random order.  What is no UTF-8 any more is replaced."""
    raw = list(text.encode())
    random.Random(seed).shuffle(raw)
    return bytes(raw).decode("utf-8", "replace")


def write(path: Path, texts: list[str]) -> None:
    """Write texts as JSON lines."""
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
