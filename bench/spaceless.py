"""Recall and precision of near-duplicates in Chinese, Japanese and Thai, on copies of real text.

    python bench/spaceless.py SHARED [--documents 1500] [--write docs/deduplication.md]

SHARED is as for `near_copies.py`.  The text of each language is cut into pieces of 40 letters.  A document is 60 pieces
in a random order, but at most two fifths of all, so that real text is enough for many documents: two of them have few
5-grams in common.  Each gets one copy, edited at random places until the Jaccard similarity of character 5-grams is
near a value between 0.5 and 1.  An edit replaces, inserts or deletes 1 to 6 letters, which come from the same language.

True similarities are computed here from the texts: 5-grams of the letters (and of the words of other scripts), without
punctuation and spaces.  Precision: of the documents that were dropped, how many have a kept twin with a similarity of
0.75 or more.  Expected is the mean probability of 14 bands of 8 rows over the pairs.
"""

import argparse
import json
import random
import re
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill.dedup.curve import probability
from corpusmill.dedup.local import find_twins
from corpusmill.dedup.settings import DedupSettings
from corpusmill.dedup.sketch import sketch_documents
from corpusmill.scripts import WITHOUT_SPACES

SETTINGS = DedupSettings()
LETTER = "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in WITHOUT_SPACES) + "]"
LANGUAGES = {"Chinese": "cmn_hans", "Japanese": "jpn", "Thai": "tha"}
IS_LETTER = re.compile(LETTER)
PIECE, DOCUMENT = 40, 2400  # letters
BEGIN, END = (
    "<!-- spaceless: written by `python bench/spaceless.py ... --write docs/deduplication.md` -->",
    "<!-- end -->",
)


def real_text(shared: Path, language: str) -> str:
    """All text of a language: the Declaration of Human Rights, pages, and for Chinese also news."""
    with zipfile.ZipFile(shared / "udhr2.zip") as archive:
        found = [archive.read(f"udhr2/{LANGUAGES[language]}.txt").decode("utf-8")]
    for path in sorted((shared / "wcxb-dev/ground-truth").glob("*.json")):
        text = json.loads(path.read_text("utf-8"))["ground_truth"].get("main_content") or ""
        if language_of(text) == language:
            found.append(text)
    for line in (shared / "daniel-dev/index.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["language"] == language:
            found.append((shared / f"daniel-dev/{row['id']}.txt").read_text("utf-8", "replace"))
    return "\n".join(found)


def language_of(text: str) -> str | None:
    """The language of a text by its letters, if half of them are of a script without spaces."""
    letters = [c for c in text if c.isalpha()]
    spaceless = [c for c in letters if IS_LETTER.match(c)]
    if not letters or len(spaceless) < len(letters) / 2:
        return None
    if any("\u3041" <= c <= "\u30ff" for c in spaceless):
        return "Japanese"
    return "Thai" if sum("\u0e01" <= c <= "\u0e4e" for c in spaceless) > len(spaceless) / 2 else "Chinese"


def pieces_of(text: str) -> list[str]:
    """Pieces of lines, without repetitions."""
    lines = [re.sub(r"\s+", " ", line) for line in text.splitlines()]
    found = [line[at : at + PIECE] for line in lines for at in range(0, len(line), PIECE)]
    return list(dict.fromkeys(piece for piece in found if len(piece) == PIECE))


def tokens(text: str) -> list[str]:
    """Letters of these scripts with their marks, and words of other scripts; folded by plain means."""
    found: list[str] = []
    in_word = False
    for raw in text:
        form = unicodedata.normalize("NFKC", raw).casefold()
        character = form if len(form) == 1 else raw  # one letter stays one, as the Thai sara am
        category = unicodedata.category(character)
        if category[0] == "M" and found:
            found[-1] += character
        elif IS_LETTER.match(character) and category[0] == "L":
            found.append(character)
            in_word = False
        elif category[0] in "LN":
            found[-1:] = [found[-1] + character] if in_word else [*found[-1:], character]
            in_word = True
        else:
            in_word = False
    return found


def shingles(text: str) -> set[tuple[str, ...]]:
    """Character 5-grams."""
    found = tokens(text)
    return {tuple(found[at : at + SETTINGS.ngram]) for at in range(max(1, len(found) - SETTINGS.ngram + 1))}


def jaccard(x: str, y: str) -> float:
    """The true similarity of two texts."""
    first, second = shingles(x), shingles(y)
    return len(first & second) / len(first | second)


def edited(text: str, wanted: float, alphabet: str, rng: random.Random) -> str:
    """A copy with letters replaced, inserted and deleted."""
    lose = len(tokens(text)) * (1 - wanted) / (1 + wanted)
    while lose > 0:
        length, at = rng.randint(1, 6), rng.randrange(len(text))
        new = "".join(rng.choices(alphabet, k=length))
        kind = rng.choice(("replace", "insert", "delete"))
        text = text[:at] + (new if kind != "delete" else "") + text[at + (length if kind != "insert" else 0) :]
        lose -= SETTINGS.ngram - 1 + length
    return text


def measure(shared: Path, language: str, n: int) -> dict[str, float]:
    """Make the copies of one language, find them, and compare with the truth."""
    rng = random.Random(17)
    text = real_text(shared, language)
    pieces, alphabet = pieces_of(text), "".join(IS_LETTER.findall(text))
    size = min(DOCUMENT // PIECE, len(pieces) * 2 // 5)
    originals = ["".join(rng.sample(pieces, size)) for _ in range(n)]
    copies = [edited(original, rng.uniform(0.5, 1), alphabet, rng) for original in originals]
    pairs = [jaccard(*pair) for pair in zip(originals, copies, strict=True)]
    texts = originals + copies
    table = sketch_documents(pa.array([f"{row:024}" for row in range(2 * n)]), pa.array(texts), SETTINGS)
    (found,) = find_twins([table], [np.ones(2 * n, np.bool_)], SETTINGS)
    dropped = {int(row["doc_id"]): row for row in found.to_pylist() if row["rule"] is not None}
    values = [jaccard(texts[row], texts[int(twin["twin_doc_id"])]) for row, twin in dropped.items()]
    found_pairs = [row in dropped or row + n in dropped for row in range(n)]
    above = [value >= SETTINGS.threshold for value in pairs]
    return {
        "letters": len(alphabet),
        "pieces": len(pieces),
        "pairs": sum(above),
        "recall": sum(f for f, a in zip(found_pairs, above, strict=True) if a) / sum(above),
        "expected": sum(
            probability(value, SETTINGS.bands, SETTINGS.rows) for value, a in zip(pairs, above, strict=True) if a
        )
        / sum(above),
        "dropped": len(dropped),
        "precision": sum(value >= SETTINGS.threshold for value in values) / max(1, len(values)),
        "difference": max(abs(value - row["jaccard"]) for value, row in zip(values, dropped.values(), strict=True)),
    }


def main() -> None:
    """Measure and print, and write the table into the docs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--documents", type=int, default=1500)
    parser.add_argument("--write", type=Path)
    given = parser.parse_args()
    lines = [
        "| language | real letters | pairs above 0.75 | recall | expected | dropped | precision |",
        "|---|---|---|---|---|---|---|",
    ]
    for language in LANGUAGES:
        found = measure(given.shared, language, given.documents)
        lines.append(
            f"| {language} | {found['letters']:,} | {found['pairs']:,} | {found['recall']:.3f} | "
            f"{found['expected']:.3f} | {found['dropped']:,} | {found['precision']:.4f} |"
        )
        print(language, {name: round(value, 4) for name, value in found.items()}, flush=True)
    table = "\n".join(lines)
    print(table)
    if given.write:
        before, _, rest = given.write.read_text("utf-8").partition(BEGIN)
        after = rest.partition(END)[2]
        given.write.write_text(f"{before}{BEGIN}\n\n{table}\n\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
