"""How fast wikitext becomes text, and how much markup is left, beside mwparserfromhell, in one run on one core.

    python bench/wikitext.py DUMP                  megabytes of XML per second, to rows with text; marks that are left
    python bench/wikitext.py DUMP PEER_PYTHON      besides, the peers

DUMP is an XML dump, plain or compressed; the first 20 MB of its articles are used.  Or it is a folder of articles in
several languages, such as `tests/extract/wikipedia`.  The peers' Python has the packages of
bench/peers/requirements-wikitext.txt.  Processor time, the best of three; beside the peers, a single run.  Marks are
what should be in no text: pairs of braces and brackets, tags, tables, quotation marks in rows, headings, options of
pictures, names of recordings.  Formulas are taken out before, because TeX has braces.
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from corpusmill.collect.pages import PageReader
from corpusmill.collect.reader import read_slice
from corpusmill.collect.slices import Slice
from corpusmill.extract.extractors import extractor
from corpusmill.page import Extractor, ExtractSettings, Page, Site
from corpusmill.reasons import Status
from corpusmill.recipe import source_of

MARKS = re.compile(
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|\|-|''|==|-\{|\}-|<ref|</?(?:span|div|small|br|gallery|sup|sub)\b|style=|&nbsp;|__[A-Z]+__"
    r"|(?:thumb|mini|vignette|px)\||\.ogg\b"
)
FORMULAS = re.compile(r"\$\$?[^$\n]+\$\$?")
MOST_BYTES = 20_000_000
PEERS = """
import json, sys, time
import mwparserfromhell, wikitextparser
pages = json.load(open(sys.argv[1]))
for name, convert in (
    ("mwparserfromhell " + mwparserfromhell.__version__, lambda page: mwparserfromhell.parse(page).strip_code()),
    ("wikitextparser " + wikitextparser.__version__, wikitextparser.remove_markup),
):
    started = time.process_time()
    texts = []
    for page in pages:
        try:
            texts.append(str(convert(page)))
        except Exception as error:
            texts.append("")
            print(name, "failed:", type(error).__name__, file=sys.stderr)
    json.dump([name, time.process_time() - started, texts], sys.stdout)
    print()
"""


def main() -> None:
    """Measure and print."""
    dump = Path(sys.argv[1]).absolute()
    extract = extractor("corpusmill")
    if dump.is_dir():
        pages = [article(path) for path in sorted(dump.glob("*.wiki.gz"))]
        time_conversion(pages, extract)
    else:
        pages = time_dump(dump, extract)
    if len(sys.argv) > 2:
        beside(pages, extract)


def article(path: Path) -> Page:
    """An article whose file's name begins with its language."""
    language = re.match("[a-z]+", path.name)
    assert language is not None
    site = Site(language=language[0], namespaces={})
    return Page(body=gzip.decompress(path.read_bytes()), media="wikitext", site=site)


def time_dump(dump: Path, extract: Extractor) -> list[Page]:
    """The articles of a dump; prints how fast they become rows, and text."""
    source = source_of({"name": "wiki", "kind": "wikipedia", "paths": ["*"]})
    piece = Slice(name="wiki", source="wiki", kind="wikipedia", root=str(dump.parent), files=(dump.name,))
    pages, n_bytes, n_records = [], 0, 0
    for record in read_slice(piece, source):
        n_records += 1
        if record.status is Status.OK and record.body is not None:
            n_bytes += len(record.body)
            pages.append(Page(body=record.body, media="wikitext", site=record.site))
        if n_bytes > MOST_BYTES:
            break
    limited = Slice(**{**{name: getattr(piece, name) for name in piece.__slots__}, "limit": n_records})

    def read() -> None:
        for _ in PageReader(limited, source, ExtractSettings(), extract).tables(16_000_000):
            pass

    print(f"{n_records:,} pages")
    print(f"corpusmill, dump to rows     {n_bytes / 1e6 / best(read):6.1f} MB of wikitext per second")
    time_conversion(pages, extract)
    return pages


def time_conversion(pages: list[Page], extract: Extractor) -> None:
    """Prints how fast wikitext becomes text."""

    def convert() -> None:
        for page in pages:
            extract(page)

    n_bytes = sum(len(page.body) for page in pages)
    print(f"{len(pages):,} articles of {n_bytes / 1e6:.1f} MB of wikitext")
    print(f"corpusmill, wikitext to text {n_bytes / 1e6 / best(convert):6.1f} MB of wikitext per second")


def beside(pages: list[Page], extract: Extractor) -> None:
    """Ours and the peers on the same pages."""
    bodies = [page.body.decode() for page in pages]
    n_bytes = sum(len(page.body) for page in pages)
    started = time.process_time()
    ours = [extract(page).text for page in pages]
    report("corpusmill", n_bytes, time.process_time() - started, ours)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "pages.json"
        given.write_text(json.dumps(bodies), "utf-8")
        ran = subprocess.run([sys.argv[2], "-c", PEERS, str(given)], stdout=subprocess.PIPE, text=True, check=True)
    for line in ran.stdout.splitlines():
        name, seconds, texts = json.loads(line)
        report(name, n_bytes, seconds, texts)


def report(name: str, n_bytes: int, seconds: float, texts: list[str]) -> None:
    """One line: speed, size of the text, marks per page."""
    n_marks = sum(len(MARKS.findall(FORMULAS.sub("", text))) for text in texts)
    size = sum(len(text.encode()) for text in texts) / 1e6
    speed, left = n_bytes / 1e6 / seconds, n_marks / len(texts)
    print(f"{name:24} {speed:6.1f} MB/s   {size:6.2f} MB of text   {left:.2f} marks per page")


def best(work: Callable[[], None], repeats: int = 3) -> float:
    """Seconds of processor time, the least of several runs after one to warm up."""
    work()
    times = []
    for _ in range(repeats):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


if __name__ == "__main__":
    main()
