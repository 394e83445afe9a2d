"""The segmenter beside an HTML5 parser: does it see the same text, and how long does it take?

    python bench/segmenter.py FOLDER [--pages N] [--show N]

FOLDER holds pages as .html or .html.gz.  The oracle is lexbor's tree (selectolax), its text nodes put together under
the segmenter's rules of what is text and where blocks end (`tests/extract/lexbor.py`).  Agreement is the F1 of words
(as a bag), and the share of pages whose blocks are the same, in the same order.  Times are the least of some rounds,
one thread, CPU time, from bytes; resiliparse's are of its main-content extraction.

Where the two differ, on real pages and on half a million runs of random tags:

- `<template shadowrootmode>`: browsers show it, lexbor's tree keeps it apart.  The segmenter has it, flagged; here
  its attribute is renamed before the comparison.  (11 of 1,349 pages; counted below.)
- A table part without a table around it: the tree ignores the tag, the segmenter ends a block, so that the words of
  what was meant as two cells are not glued.
- Text misplaced in a table: the tree moves it before the table, the segmenter leaves it where it is written; a <br>
  moved out of a table within <pre> is no line feed here.
- Formatting elements (a, b, i, ...) that a closed block has cut off are opened again by the tree, and so can be parents
  of what follows: an end tag then closes an SVG, <option> or the like inside, and bars </form>.  Here only their flags
  go on.  Likewise a tree may lift a block out of <audio>, <datalist> and such when a link around it ends.
- <frameset>: its text counts here.  No such page was found.
- <noscript> is what it is where scripts run, raw text; what it holds is then read as a page of its own, on both sides.
  Before the body it is left out, though a tree begins the body with one that stands between </head> and <body>.
- Pages in pieces are compared as the segmenter put them together.
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
    parser.add_argument("--pages", type=int, default=None, help="only so many, spread over the folder")
    parser.add_argument("--show", type=int, default=0, help="show the first differences of so many pages")
    options = parser.parse_args()
    files = sorted(path for path in options.folder.rglob("*") if path.name.endswith((".html", ".html.gz")))
    if not files:
        sys.exit(f"{options.folder} holds no .html or .html.gz: name a folder that does")
    pages = [read(path) for path in files[:: max(1, len(files) // (options.pages or len(files)))]]
    print_agreement(pages, options.show)
    print_times(pages)


def read(path: Path) -> str:
    """A page as text."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return data.decode("utf-8", "replace")


def print_agreement(pages: Sequence[str], show: int) -> None:
    """Compare the blocks of every page with its tree's."""
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
    """Milliseconds a page, and how many times faster than resiliparse."""
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
        print(f"{name:26} {total / len(pages) * 1e3:7.3f} ms a page {best['resiliparse, main content'] / total:6.1f} x")


def seconds(extract: Callable[[Page], object], pages: Sequence[Page]) -> float:
    """CPU time for all pages."""
    start = time.process_time()
    for page in pages:
        extract(page)
    return time.process_time() - start


if __name__ == "__main__":
    main()
