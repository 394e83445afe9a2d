"""How fast repeated lines, spans of sentences and substrings are found and cut.

    python bench/repeats.py FILE.jsonl [--parts 4] [--datatrove .../bin/python]

Each line of the file is an object with a text, and maybe a url.  One thread; seconds of the processor; the best of
several rounds.  "Sent" is what all parts send through the shuffles, per byte of text; answers are not counted.

With `--datatrove`, its sentence deduplication runs on the same texts, in one part and with every sentence on a line of
its own, so that both have the same sentences.  The texts that are left are compared line by line.  Its speed is also
measured with its own sentences.  `bench/peers/requirements-near-duplicates.txt` says what it needs.
"""

import argparse
import difflib
import itertools
import json
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.characters import character_classes
from corpusmill.filters.repeats import kernels
from corpusmill.filters.repeats.counting import count_blobs, frequent, known
from corpusmill.filters.repeats.firsts import answers_of, firsts
from corpusmill.filters.repeats.lines import Sought, count_units, cut_units
from corpusmill.filters.repeats.texts import Repeats, candidate_blobs, count_sieves, cuts_table, without_cuts
from corpusmill.filters.tokens import tokenize, words_of

ROUNDS = 3
LINES = [Sought(unit="line", scope="host", min_documents=5, min_words=3, fold_numbers=True)]
REPEATS = {
    "sentences": Repeats(units=(("sentences", 10),), min_words_left=20),
    "substring": Repeats(units=(("substring", 50),), min_words_left=20),
    "characters": Repeats(units=(("characters", 200),), min_words_left=20),
}
EVERY_SPAN = Repeats(units=(("sentences", 1),), min_words_left=0)  # however short, as datatrove
PEER = Path(__file__).parent / "peers/repeated_sentences.py"
Part = tuple[pa.Array, pa.Array, list[str]]  # texts, URLs, doc_ids


class Shuffle:
    """One destination; counts what goes through."""

    def __init__(self) -> None:
        self.sent = 0

    def __call__(
        self, blobs: Sequence[bytes], gather: Callable[[list[tuple[int, bytes]]], Iterable[tuple[int, bytes]]]
    ) -> list[list[bytes]]:
        """The messages to each part."""
        self.sent += sum(map(len, blobs))
        messages: dict[int, list[bytes]] = defaultdict(list)
        for part, content in gather(list(enumerate(blobs))):
            messages[part].append(content)
        return [messages[part] for part in range(len(blobs))]


def cut_lines(parts: Sequence[Part], shuffle: Shuffle) -> int:
    """Count and cut the lines of hosts; characters that were cut."""
    blobs = [count_blobs(count_units(texts, urls, LINES), 1)[0] for texts, urls, _ in parts]
    messages = shuffle(blobs, frequent)
    after = [
        cut_units(texts, urls, LINES, known(found)["hash"])
        for (texts, urls, _), found in zip(parts, messages, strict=True)
    ]
    return sum(texts.nbytes - new.nbytes for (texts, *_), new in zip(parts, after, strict=True))


def cut_repeats(parts: Sequence[Part], repeats: Repeats, shuffle: Shuffle) -> int:
    """Find and cut repeated units; characters that were cut."""
    sieves = shuffle([count_blobs([count_sieves(texts, repeats)], 1)[0] for texts, *_ in parts], frequent)
    blobs = [
        candidate_blobs(texts, doc_ids, repeats, known(found), 1)[0]
        for (texts, _, doc_ids), found in zip(parts, sieves, strict=True)
    ]
    answers = shuffle(blobs, firsts)
    cut = 0
    for (texts, _, doc_ids), found in zip(parts, answers, strict=True):
        table = cuts_table(texts, doc_ids, repeats, answers_of(found))
        without_cuts(texts, pa.chunked_array([doc_ids], pa.string()), table)
        cut += sum(table["cut_chars"].to_pylist())
    return cut


def read(path: Path, n: int) -> list[Part]:
    """The rows of a file, in n parts."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    parts = []
    for part in range(n):
        own = range(part, len(rows), n)
        texts = pa.array([rows[i]["text"] for i in own], pa.large_string())
        urls = pa.array([rows[i].get("url") for i in own], pa.string())
        parts.append((texts, urls, [f"{i * 0x9E3779B97F4A7C15 % (1 << 96):024x}" for i in own]))
    return parts


def lines_of(text: str) -> list[str]:
    """The sentences of a text, each on one line."""
    column = Utf8Column.of(pa.array([text], pa.large_string()))
    tokens = tokenize(column.data, column.offsets)
    places, values = np.empty((3, len(tokens.hashes)), np.int64), np.empty(len(tokens.hashes), np.uint64)
    n = kernels.hash_sentences(
        *(column.data, column.offsets, tokens.starts, tokens.stops, tokens.hashes, tokens.ends, character_classes()),
        *(places, values),
    )
    bounds = [*tokens.starts[places[1, :n]].tolist(), len(column.data)]
    raw = column.data.tobytes()
    return [" ".join(raw[a:b].decode().split()) for a, b in itertools.pairwise(bounds)]


def peer(python: Path, texts: Sequence[str], unit: str) -> tuple[list[str], float]:
    """What datatrove leaves of the texts, and its seconds."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "in").mkdir()
        with (Path(folder) / "in/texts.jsonl").open("w", encoding="utf-8") as file:
            rows = ({"id": str(row), "text": text} for row, text in enumerate(texts))
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        command = [python, PEER, f"{folder}/in", folder, unit]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True)
        seconds = json.loads(done.stdout.splitlines()[-1])["seconds"]
        left = [""] * len(texts)
        for path in sorted((Path(folder) / "kept").glob("*.jsonl")):
            for line in path.open(encoding="utf-8"):
                row = json.loads(line)
                left[int(row["id"])] = row["text"]
        return left, seconds


def compare(python: Path, texts: list[str]) -> None:
    """Ours and datatrove's spans of three sentences, on texts with one sentence per line."""
    split = [lines_of(text) for text in texts]
    texts = ["\n".join(lines) for lines in split]
    size = sum(len(text.encode()) for text in texts) / 1e6
    array, doc_ids = pa.array(texts, pa.large_string()), [f"{row:024x}" for row in range(len(texts))]
    started = time.process_time()
    shuffle = Shuffle()
    (found,) = shuffle([count_blobs([count_sieves(array, EVERY_SPAN)], 1)[0]], frequent)
    blobs = candidate_blobs(array, doc_ids, EVERY_SPAN, known(found), 1)
    (answers,) = shuffle([blobs[0]], firsts)
    table = cuts_table(array, doc_ids, EVERY_SPAN, answers_of(answers))
    left, _ = without_cuts(array, pa.chunked_array([doc_ids], pa.string()), table)
    own = time.process_time() - started
    others, its = peer(python, texts, "lines")
    both = ours_only = theirs_only = explained = 0
    examples: list[str] = []
    spans = [_spans(lines) for lines in split]
    shapes: dict[tuple[str, ...], set[tuple[int, ...]]] = defaultdict(set)
    for words, shape in (span for of_text in spans for span in of_text):
        shapes[words].add(shape)
    for lines, of_text, mine, other in zip(split, spans, left.to_pylist(), others, strict=True):
        gone = [set(_gone(lines, [line for line in text.split("\n") if line.strip()])) for text in (mine, other)]
        both += len(gone[0] & gone[1])
        ours_only += len(gone[0] - gone[1])
        theirs_only += len(gone[1] - gone[0])
        elsewhere = {at + i for at, (words, _) in enumerate(of_text) if len(shapes[words]) > 1 for i in range(3)}
        explained += len((gone[1] - gone[0]) & elsewhere)
        examples += [f"ours only: {lines[at][:90]}" for at in sorted(gone[0] - gone[1])][:1]
        examples += [f"datatrove only: {lines[at][:90]}" for at in sorted(gone[1] - gone[0])][:1]
    print(f"three sentences, one per line, {size:.1f} MB: {both:,} sentences cut by both, {ours_only:,} by ours only,")
    print(f"  {theirs_only:,} by datatrove only, {explained:,} of these in spans that elsewhere have the same words in")
    print(f"  other sentences; ours {size / own:.1f} MB/s, datatrove {size / its:.2f} MB/s")
    for example in examples[:5]:
        print(f"    {example}")
    few = texts[: max(1, len(texts) // 10)]
    size = sum(len(text.encode()) for text in few) / 1e6
    print(f"  datatrove with its own sentences: {size / peer(python, few, 'sentences')[1]:.2f} MB/s ({size:.1f} MB)")


def _spans(lines: list[str]) -> list[tuple[tuple[str, ...], tuple[int, ...]]]:
    """The words of every three lines in a row, and how many each has."""
    words = [words_of(line) for line in lines]
    return [
        (tuple(word for line in words[at : at + 3] for word in line), tuple(map(len, words[at : at + 3])))
        for at in range(len(lines) - 2)
    ]


def _gone(before: list[str], after: list[str]) -> Iterable[int]:
    """The places of lines that are not there any more."""
    for tag, first, last, *_ in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag in ("delete", "replace"):
            yield from range(first, last)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--datatrove", type=Path, help="Python with datatrove")
    given = parser.parse_args()
    parts = read(given.file, given.parts)
    size = sum(len(text.encode()) for texts, *_ in parts for text in texts.to_pylist() if text)
    print(f"{sum(len(texts) for texts, *_ in parts):,} documents, {size / 1e6:.1f} MB")
    kinds = {"lines": cut_lines} | {
        name: lambda parts, shuffle, repeats=repeats: cut_repeats(parts, repeats, shuffle)
        for name, repeats in REPEATS.items()
    }
    for name, work in kinds.items():
        times = []
        for _ in range(ROUNDS):
            shuffle, started = Shuffle(), time.process_time()
            cut = work(parts, shuffle)
            times.append(time.process_time() - started)
        rate, sent = size / 1e6 / min(times), shuffle.sent / size
        print(f"{name:10} {rate:6.1f} MB/s, {sent:.2f} bytes sent per byte, {cut:,} characters cut", flush=True)
    if given.datatrove:
        compare(given.datatrove, [text for texts, *_ in parts for text in texts.to_pylist() if text])


if __name__ == "__main__":
    main()
