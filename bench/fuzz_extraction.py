"""Test the whole extractor with broken pages and bounds checking: it must end in time, without an access out of bounds.

    python bench/fuzz_extraction.py N [FOLDER] [--seed S] [--longest BYTES] [--times]

First, N mutations are made (`tests/extract/mutations.py`) of the pages in examples/web.zip, and of those in FOLDER
(.html, .html.gz).  With --longest, pieces of these pages are used instead; a million of them take two hours.  Then
extreme pages follow: one thing repeated for 4 MB, elements nested 100,000 deep, and 64 MB of the worst of them.

The steps are those of a crawl: encoding, tables, classification, text, metadata, decision.  Markdown is also written,
but is not part of the times.  Kernels are compiled with bounds checking, into a cache of their own.  An access outside
an array is an IndexError that ends the run, and the page is written to fuzz-failure.html.  A page that is not text
(UndecodableError) has a correct result.

The slowest pages are those with the most milliseconds per MB; a page below 100 kB counts as 100 kB.  Bounds checking
makes kernels about three times slower: --times leaves it out.
"""

import os
import sys

if "--times" not in sys.argv:  # before any kernel is imported
    os.environ["NUMBA_BOUNDSCHECK"] = "1"
    os.environ["NUMBA_CACHE_DIR"] = os.path.expanduser("~/.cache/corpusmill-bounds")  # noqa: PTH111

import argparse
import gzip
import heapq
import itertools
import tarfile
import time
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from corpusmill.extract import warm_up
from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.inspection import Inspection, judge
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.writing.markdown import markdown_of
from corpusmill.extract.writing.write import text_of
from corpusmill.page import UndecodableError
from tests.extract.mutations import extremes, mutations

WEB = Path(__file__).parents[1] / "examples" / "web.zip"
EXTREME_BYTES, HUGE_BYTES, DEPTH = 4 << 20, 64 << 20, 100_000
LEAST_BYTES = 100_000
N_SLOWEST = 10


def main() -> None:
    """Run all pages, then print the slowest."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("n", type=int, help="how many mutated pages")
    parser.add_argument("folder", type=Path, nargs="?", default=None, help="more pages to mutate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=int, default=0, help="bytes of a piece; 0: whole pages")
    parser.add_argument("--times", action="store_true", help="without bounds checking")
    options = parser.parse_args()
    pages = [*example_pages(), *(folder_pages(options.folder) if options.folder else [])]
    warm_up()
    for page in [*pages[:20], b"<p>Log in"]:
        extract(page)  # so that phrases are read before the measurement
    mutated = itertools.islice(mutations(pages, options.seed, options.longest), options.n)
    slowest = run((f"mutation {number}", page) for number, page in enumerate(mutated))
    report(f"{options.n:,} mutations of {len(pages):,} pages", slowest)
    slowest = run(extremes(EXTREME_BYTES, DEPTH))
    report("extremes", slowest)
    worst = {name for _, name in slowest[:3]}
    report("64 MB", run((name, page) for name, page in extremes(HUGE_BYTES, DEPTH) if name in worst))


def extract(data: bytes) -> Inspection | None:
    """All steps of a crawl, up to the text; None if the data is not text."""
    try:
        utf8 = to_utf8(data, None)
    except UndecodableError:
        return None
    inspected = judge(utf8, segment(utf8.data), "https://example.com/page", shipped_model())
    text_of(inspected.segments, inspected.classified.keep)
    return inspected


def run(pages: Iterable[tuple[str, bytes]]) -> list[tuple[float, str]]:
    """(ms per MB, name) of the slowest pages, slowest first."""
    slowest: list[tuple[float, str]] = []
    for name, page in pages:
        start = time.process_time()
        try:
            inspected = extract(page)
            rate = (time.process_time() - start) * 1e3 / (max(len(page), LEAST_BYTES) / 1e6)
            if inspected:
                markdown_of(inspected.segments, inspected.classified.keep)
        except Exception:
            Path("fuzz-failure.html").write_bytes(page)
            print(f"{name!r} failed; it is in fuzz-failure.html", file=sys.stderr)
            raise
        heapq.heappush(slowest, (rate, name))
        if len(slowest) > N_SLOWEST:
            heapq.heappop(slowest)
    return sorted(slowest, reverse=True)


def report(title: str, slowest: list[tuple[float, str]]) -> None:
    """Print the slowest pages."""
    print(f"{title}: no failure; slowest, in ms per MB:")
    for rate, name in slowest:
        print(f"  {rate:8.1f}  {name!r}")


def example_pages() -> Iterator[bytes]:
    """The HTML of the small web in examples/."""
    with zipfile.ZipFile(WEB) as web, web.open("pages.tar") as file, tarfile.open(fileobj=file) as pages:
        for member in pages:
            content = pages.extractfile(member)
            if content is not None and (data := content.read()).lstrip()[:1] == b"<":
                yield data


def folder_pages(folder: Path) -> Iterator[bytes]:
    """The pages of a folder."""
    for path in sorted(folder.rglob("*")):
        if path.name.endswith(".html.gz"):
            yield gzip.decompress(path.read_bytes())
        elif path.suffix == ".html":
            yield path.read_bytes()


if __name__ == "__main__":
    main()
