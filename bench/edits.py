"""How fast the text is edited, one core, and how far `c4_lines` agrees with datatrove's C4QualityFilter.

    python bench/edits.py TEXTS.json                  a list of texts; megabytes per second of each kind of edit
    python bench/edits.py TEXTS.json PEER_PYTHON      besides, the comparison; the peer's Python has datatrove installed

Processor time, best of three.  The peer runs in a process of its own, since it needs other libraries.  Its rules for
whole pages are switched off.  Compared are the lines that are kept, without white space at their ends.
"""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa

from corpusmill.filters.edits import EditSettings, apply_edits
from corpusmill.filters.edits.boilerplate_lines import BoilerplateLines
from corpusmill.filters.edits.c4_lines import C4Lines
from corpusmill.filters.edits.citations import Citations
from corpusmill.filters.edits.refinedweb_lines import RefinedWebLines
from corpusmill.filters.edits.unicode import Unicode
from corpusmill.filters.edits.white_space import WhiteSpace

EDITS: tuple[EditSettings, ...] = (
    Unicode(),
    Unicode(nfc=True, name="unicode-nfc"),
    WhiteSpace(),
    C4Lines(),
    C4Lines(variant="tfds", name="c4-tfds"),
    RefinedWebLines(),
    Citations(),
    BoilerplateLines(lines=["All rights reserved"], patterns=["Copyright .*"]),
)
PEER = """
import json, sys, types
from datatrove.data import Document
from datatrove.pipeline.filters.c4_filters import C4QualityFilter
c4 = C4QualityFilter(min_num_sentences=-1, filter_lorem_ipsum=False, filter_curly_bracket=False)
found = []
for i, text in enumerate(json.load(open(sys.argv[1]))):
    document = Document(text=text, id=str(i))
    assert c4.filter(document) is True
    found.append(document.text)
json.dump(found, sys.stdout)
"""


def best(work: Callable[[], object], repeats: int = 3) -> float:
    """Seconds of processor time, the least of several runs after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def speeds(texts: pa.Array, megabytes: float) -> None:
    """Print how fast each kind is, with its counts."""
    for edit in EDITS:
        seconds = best(lambda edit=edit: apply_edits(texts, [edit]))  # type: ignore[misc]
        print(f"{edit.label:20} {megabytes / seconds:8.1f} MB/s")


def agreement(path: str, texts: list[str], python: str) -> None:
    """Print how many lines both keep, and those that one alone keeps."""
    ran = subprocess.run([python, "-c", PEER, path], capture_output=True, text=True, check=True)
    theirs = json.loads(ran.stdout)
    edit = C4Lines(variant="datatrove", keep_blocks=False)
    ours = apply_edits(pa.array(texts, pa.large_string()), [edit])[0].to_pylist()
    both, only = 0, Counter[str]()
    for mine, other in zip(ours, theirs, strict=True):
        kept, kept_by_peer = (Counter(filter(None, map(str.strip, text.splitlines()))) for text in (mine, other))
        both += (kept & kept_by_peer).total()
        only["ours"] += (kept - kept_by_peer).total()
        only["theirs"] += (kept_by_peer - kept).total()
        for sign, lines in (("+", kept - kept_by_peer), ("-", kept_by_peer - kept)):
            for line in lines:
                print(sign, ascii(line[:60]), "...", ascii(line[-60:]))
    n = sum(len(text.splitlines()) for text in texts)
    print(f"{n:,} lines; both keep {both:,}, only ours {only['ours']:,}, only the peer {only['theirs']:,}")


def main(path: str, python: str | None = None) -> None:
    """Measure and print."""
    texts = json.loads(Path(path).read_text("utf-8"))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts):,} texts, {megabytes:.1f} MB")
    speeds(pa.array(texts, pa.large_string()), megabytes)
    if python is not None:
        agreement(path, texts, python)


if __name__ == "__main__":
    main(*sys.argv[1:])
