r"""How often title, author and date are right on WCXB's development split, also for trafilatura if it is installed.

    python bench/metadata.py FOLDER

FOLDER contains `html/ID.html.gz` and `ground-truth/ID.json`.  Values are right in these cases:

    titles     the words (`\w+`, lower case) are the same
    authors    the sets of names are the same; commas, semicolons and "and" separate names
    dates      the days of publication are the same

The gold is what people saw.  So a page may correctly declare a date or an author that is not in the gold.  The gold may
have the date of an update instead of the publication.  Times are CPU seconds of one process.  Our time is without the
segmenter, that of trafilatura includes its parser.
"""

import gzip
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from corpusmill.extract.metadata.read import read_metadata
from corpusmill.extract.segments.segment import segment

try:
    from trafilatura.metadata import extract_metadata
except ImportError:
    extract_metadata = None

FIELDS = ("title", "author", "date")
Said = dict[str, frozenset[str]]
"""By field, the values in the form in which they are compared."""


def said(title: str | None, author: str | None, date: str | None) -> Said:
    """The values of a page, from one source."""
    names = re.split(r"[;,&]|\band\b", author or "")
    values = ([title or ""], names, [(date or "")[:10].replace("-", "_")])
    return {
        field: frozenset(words for value in found if (words := " ".join(re.findall(r"\w+", value.lower()))))
        for field, found in zip(FIELDS, values, strict=True)
    }


def theirs(data: bytes, url: str) -> Said:
    """The values that trafilatura finds."""
    found = extract_metadata(data, default_url=url)
    return said(found.title, found.author, found.date) if found else said(None, None, None)


class Contender:
    """Counts how often one reader of metadata is right."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.seconds = 0.0
        self.right: Counter[str] = Counter()
        self.given: Counter[str] = Counter()
        self.extra: Counter[str] = Counter()

    def read(self, reader: Callable[[], Said], gold: Said) -> None:
        """Read one page and count."""
        start = time.process_time()
        found = reader()
        self.seconds += time.process_time() - start
        for field in FIELDS:
            self.right[field] += bool(gold[field]) and found[field] == gold[field]
            self.given[field] += bool(gold[field] and found[field])
            self.extra[field] += bool(found[field] and not gold[field])


def main(folder: Path) -> None:
    """Print the table."""
    truths = [json.loads(path.read_bytes()) for path in sorted((folder / "ground-truth").glob("*.json"))]
    ours, others = Contender("corpusmill"), Contender("trafilatura")
    golds: Counter[str] = Counter()
    for truth in truths:
        data, url = gzip.decompress((folder / "html" / f"{truth['file_id']}.html.gz").read_bytes()), truth["url"]
        stated = truth["ground_truth"]
        gold = said(stated.get("title"), stated.get("author"), stated.get("publish_date"))
        golds.update(field for field in FIELDS if gold[field])
        segments = segment(data)

        def read(segments=segments, url=url) -> Said:  # noqa: ANN001
            metadata = read_metadata(segments, url)
            return said(metadata.title, "; ".join(metadata.authors), metadata.published)

        ours.read(read, gold)
        if extract_metadata is not None:
            others.read(lambda data=data, url=url: theirs(data, url), gold)
    print(f"{len(truths)} pages          in gold    right       wrong  missing  where the gold has none")
    for contender in (ours, others)[: 1 + (extract_metadata is not None)]:
        for field in FIELDS:
            n, right, given = golds[field], contender.right[field], contender.given[field]
            print(
                f"{contender.name:12s} {field:6s} {n:9d} {right:6d} {right / n:.3f} {given - right:6d} {n - given:8d}"
                f" {contender.extra[field]:8d} of {len(truths) - n}"
            )
        print(f"{contender.name:12s} {contender.seconds / len(truths) * 1e3:.2f} ms per page\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
