"""Compare the segmenter with an HTML5 parser: agreement of their texts, and time.

    python bench/segmenter.py FOLDER [--pages N] [--show N]

FOLDER contains pages as .html or .html.gz.  The reference is lexbor's tree (selectolax).  Its text nodes are joined by
the segmenter's rules of what is text and where blocks end (`tests/extract/lexbor.py`).  Agreement is the F1 of words
(as a bag), and the share of pages with the same blocks in the same order.  Times are CPU times of one thread, from
bytes, the lowest of several rounds.  The time of resiliparse is that of its main-content extraction.

The two differ in these cases, on real pages and on half a million sequences of random tags:

- `<template shadowrootmode>`: browsers show it, but lexbor's tree stores it separately.  The segmenter includes it,
  with a flag.  Here its attribute is renamed before the comparison.  (11 of 1,349 pages; counted below.)
- A part of a table without a table around it: the tree ignores the tag.  The segmenter ends a block, so that the words
  of two intended cells are not joined.
- Text at a wrong place in a table: the tree moves it before the table, the segmenter leaves it in its place.  A <br>
  that was moved out of a table within <pre> is not a line feed here.
- Formatting elements (a, b, i, ...) that end with a block around them: the tree opens them again, so they can be
  parents of what follows.  An end tag then closes an SVG, <option> or similar inside, and prevents </form>.  Here only
  their flags continue.  In the same way, a tree may move a block out of <audio>, <datalist> and so on when a link
  around it ends.
- <frameset>: its text counts here.  No such page was found.
- <noscript> is raw text, as in browsers that run scripts.  On both sides its content is then read as a separate page.
  Before the body it is left out.  But a tree begins the body at a <noscript> between </head> and <body>.
- Pages in pieces are compared after the segmenter has put them together.
"""

import argparse
import gzip
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from resiliparse.extract.html2text import extract_plain_text
from selectolax.lexbor import LexborHTMLParser

from corpusmill.extract.segments.segment import segment

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.extract.lexbor import blocks_of

ROUNDS = 5
Page = TypeVar("Page")


def main() -> None:
    """Print agreement and times."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", type=int, default=None, help="number of pages, spread over the folder")
    parser.add_argument("--show", type=int, default=0, help="show the first differences of this many pages")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.name.endswith((".html", ".html.gz")))
    if not files:
        sys.exit(f"{options.folder} holds no .html or .html.gz: name a folder that does")
    pages = [read(path) for path in files[:: max(1, len(files) // (options.pages or len(files)))]]
    print_agreement(pages, options.show)
    print_times(pages)


def read(path: Path) -> str:
    """The text of a page's file."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8", "replace")


def print_agreement(pages: Sequence[str], show: int) -> None:
    """Compare the blocks of every page with those of its tree."""
    scores, n_same, n_shadow, unlike = [], 0, 0, []
    for page in pages:
        n_shadow += "shadowrootmode=" in page
        html = page.replace("shadowrootmode=", "data-shadow=")
        segments = segment(html.encode())
        ours = [segments.block_text(index) for index in range(len(segments.blocks))]
        theirs = blocks_of(segments.data.decode())
        scores.append(word_f1(ours, theirs))
        n_same += ours == theirs
        if ours != theirs:
            unlike.append((ours, theirs))
    print(f"{len(pages):,} pages, {sum(map(len, pages)) / len(pages) / 1000:.0f} kB on average")
    print(f"word F1 with lexbor's text  {sum(scores) / len(scores):.5f}   least {min(scores):.4f}")
    print(f"pages with the same blocks  {n_same / len(pages):.2%}   pages with a shown template {n_shadow}")
    for ours, theirs in unlike[:show]:
        first = next(
            (i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), min(len(ours), len(theirs))
        )
        print(f"  block {first}: segmenter {ours[first : first + 2]}, tree {theirs[first : first + 2]}")


def word_f1(ours: Sequence[str], theirs: Sequence[str]) -> float:
    """Harmonic mean of precision and recall of words, as bags."""
    a, b = (Counter(re.findall(r"\w+", "\n".join(blocks))) for blocks in (ours, theirs))
    return 2 * (a & b).total() / (a.total() + b.total()) if a or b else 1.0


def print_times(pages: Sequence[str]) -> None:
    """Print milliseconds per page, and the speed relative to resiliparse."""
    data = [page.encode() for page in pages]
    contenders: dict[str, Callable[[], float]] = {
        "segmenter": lambda: seconds(segment, data),
        "lexbor, parse alone": lambda: seconds(LexborHTMLParser, data),
        "resiliparse, main content": lambda: seconds(lambda page: extract_plain_text(page, main_content=True), pages),
    }
    best = dict.fromkeys(contenders, float("inf"))
    for _ in range(ROUNDS):
        for name, contender in contenders.items():
            best[name] = min(best[name], contender())
    for name, total in best.items():
        times = best["resiliparse, main content"] / total
        print(f"{name:26} {total / len(pages) * 1e3:7.3f} ms per page {times:6.1f} x")


def seconds(extract: Callable[[Page], object], pages: Sequence[Page]) -> float:
    """CPU time for all pages."""
    start = time.process_time()
    for page in pages:
        extract(page)
    return time.process_time() - start


if __name__ == "__main__":
    main()
