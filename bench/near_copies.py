"""Make text whose near-duplicates are known: documents of real words, and edited copies with a given similarity.

    python bench/near_copies.py SHARED OUT --bytes 1e9

SHARED is a folder with `wcxb-dev/`, `daniel-dev/`, `peps.tar.xz` and `udhr2.zip`.  Their text is cut into documents.
The first time it is used as it is.  After that, every document is a real one with its words in a random order, because
a second use of a passage would be a duplicate that nobody has counted.

Every fifth document is a copy of another one, edited until the Jaccard similarity of their word 5-grams is near a value
that is drawn evenly from 0 to 1.  Half of the edits replace single words, and half replace passages.  The similarity
that was reached is in `pairs.parquet`.  It is computed from the sets of 5-grams, without hashes of words: each word is
a number.

Words are runs of letters.  Words that differ in case or accents only are written in one way, so that every tool sees
the same words.  Scripts without spaces are left out here; `bench/spaceless.py` is for them.

    OUT/text/NNN.parquet   id (row number over all files), url, text
    OUT/text/NNN.jsonl     the same
    OUT/pairs.parquet      original, copy (row numbers), jaccard
"""

import argparse
import json
import re
import tarfile
import unicodedata
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from corpusmill.scripts import WITHOUT_SPACES

I64 = npt.NDArray[np.int64]
NGRAM = 5
SHARE_OF_COPIES = 0.2
CHARS = 5000  # of the longest document
WORDS_PER_SENTENCE = 13
FILE_BYTES = 32_000_000
WORD = re.compile(r"[^\W\d_]+")
SPACELESS = re.compile("[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in WITHOUT_SPACES) + "]")


def real_texts(shared: Path) -> Iterator[str]:
    """The main text of web and news pages, the PEPs, and the Declaration of Human Rights in all its languages."""
    for path in sorted((shared / "wcxb-dev/ground-truth").glob("*.json")):
        yield json.loads(path.read_text("utf-8"))["ground_truth"].get("main_content") or ""
    for path in sorted((shared / "daniel-dev").glob("*.txt")):
        yield path.read_text("utf-8", "replace")
    with tarfile.open(shared / "peps.tar.xz") as archive:
        for member in sorted(archive.getmembers(), key=lambda member: member.name):
            file = archive.extractfile(member) if member.isfile() else None
            if file is not None:
                yield file.read().decode("utf-8", "replace")
    with zipfile.ZipFile(shared / "udhr2.zip") as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".txt"):
                yield archive.read(name).decode("utf-8", "replace")


def folded(word: str) -> str:
    """A word without case and accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", word).casefold() if not unicodedata.combining(c))


class Words:
    """All words of the texts as numbers, and the documents."""

    def __init__(self, texts: Iterator[str]) -> None:
        self.spelling: list[str] = []
        self.documents: list[I64] = []
        numbers: dict[str, int] = {}
        known: dict[str, int] = {}
        for text in texts:
            for start in range(0, len(text), CHARS):
                found = []
                for word in WORD.findall(text[start : start + CHARS]):
                    number = known.get(word)
                    if number is None:
                        if SPACELESS.search(word):
                            continue
                        number = known[word] = numbers.setdefault(folded(word), len(numbers))
                        if number == len(self.spelling):
                            self.spelling.append(word)
                    found.append(number)
                if len(found) >= 20:
                    self.documents.append(np.array(found))

    def text(self, document: I64) -> str:
        """The text of a document, in sentences."""
        words = [self.spelling[number] for number in document.tolist()]
        lines = [" ".join(words[at : at + WORDS_PER_SENTENCE]) + "." for at in range(0, len(words), WORDS_PER_SENTENCE)]
        return "\n".join(lines)


def ngrams(document: I64) -> npt.NDArray[np.void]:
    """The distinct 5-grams of a document."""
    size = max(1, len(document) - NGRAM + 1)
    width = min(NGRAM, len(document))
    grams = np.stack([document[at : at + size] for at in range(width)], axis=1).astype(np.int32)
    return np.unique(np.ascontiguousarray(grams).view(np.dtype((np.void, 4 * width))).ravel())


def jaccard(x: I64, y: I64) -> float:
    """The similarity of two documents' sets of 5-grams."""
    first, second = ngrams(x), ngrams(y)
    both = len(np.intersect1d(first, second, assume_unique=True))
    return both / (len(first) + len(second) - both)


def edited(document: I64, wanted: float, n_words: int, rng: np.random.Generator) -> I64:
    """A copy with words replaced, until about as many 5-grams are lost as the wanted similarity allows."""
    size = len(document) - NGRAM + 1
    lose = size * (1 - wanted) / (1 + wanted)
    copy, lost = document.copy(), np.zeros(size, np.bool_)
    in_passages = rng.random() < 0.5
    while lost.sum() < lose - 2:
        length = int(rng.integers(5, 30)) if in_passages and lose - lost.sum() > 40 else 1
        at = int(rng.integers(len(copy)))
        copy[at : at + length] = rng.integers(n_words, size=len(copy[at : at + length]))
        lost[max(0, at - NGRAM + 1) : at + length] = True
    return copy


def documents(words: Words, n_bytes: int, rng: np.random.Generator) -> Iterator[tuple[I64, int, float]]:
    """Documents with the row of their original (-1: it is one) and the similarity with it, in an order of their own."""
    total, row, turn = 0, 0, 0
    waiting: list[tuple[I64, int, float]] = []
    while total < n_bytes:
        for real in rng.permutation(len(words.documents)).tolist():
            document = words.documents[real]
            fresh = document if turn == 0 else rng.permutation(document)
            made = [(fresh, -1, 1.0)]
            if rng.random() < SHARE_OF_COPIES / (1 - SHARE_OF_COPIES):
                copy = edited(fresh, rng.random(), len(words.spelling), rng)
                waiting.append((copy, row, jaccard(fresh, copy)))
            if len(waiting) > 2000:  # copies stand far from their originals
                made.append(waiting.pop(int(rng.integers(len(waiting)))))
            for each in made:
                total += 6 * len(each[0])  # about, until the end
                row += 1
                yield each
            if total >= n_bytes:
                break
        turn += 1
    yield from waiting


def write(folder: Path, words: Words, n_bytes: int) -> None:
    """Write the documents and the pairs."""
    (folder / "text").mkdir(parents=True)
    pairs: dict[str, list[float]] = {"original": [], "copy": [], "jaccard": []}
    rows: list[dict[str, object]] = []
    held, total = 0, 0

    def flush() -> None:
        name = f"{len(list((folder / 'text').glob('*.parquet'))):03}"
        pq.write_table(pa.Table.from_pylist(rows), folder / f"text/{name}.parquet", compression="zstd")
        with (folder / f"text/{name}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        rows.clear()

    for row, (document, original, similarity) in enumerate(documents(words, n_bytes, np.random.default_rng(17))):
        text = words.text(document)
        rows.append({"id": row, "url": f"https://host{row % 100}.example/{row}", "text": text})
        held, total = held + len(text.encode()), total + len(text.encode())
        if original >= 0:
            for name, value in (("original", original), ("copy", row), ("jaccard", similarity)):
                pairs[name].append(value)
        if held >= FILE_BYTES:
            flush()
            held = 0
    if rows:
        flush()
    pq.write_table(pa.table(pairs), folder / "pairs.parquet")
    (folder / "bytes").write_text(str(total))
    print(f"{row + 1:,} documents, {total / 1e6:,.0f} MB, {len(pairs['copy']):,} pairs")


def main() -> None:
    """Make the text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("shared", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--bytes", type=float, default=1e9)
    given = parser.parse_args()
    words = Words(real_texts(given.shared))
    size = sum(len(words.text(document).encode()) for document in words.documents)
    print(f"{len(words.documents):,} real documents, {size / 1e6:.1f} MB, {len(words.spelling):,} words")
    write(given.out, words, int(given.bytes))


if __name__ == "__main__":
    main()
