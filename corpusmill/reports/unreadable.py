"""The input that could not be used, for the summary of a run: the catalog's table `unusable`, in words."""

import json
from dataclasses import dataclass

from corpusmill.collect.columns import as_text
from corpusmill.corpus import Place
from corpusmill.filters.personal import mask_text
from corpusmill.reasons import STATUSES, Status
from corpusmill.reports.catalog import damage_is_named, open_catalog

MOST_CHARS = 200  # of the error in an example


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """Records of one source that could not be used, all for the same reason.  Texts are masked."""

    source: str
    status: str
    records: int
    of_source: int  # number of all records of the source
    example: str

    def __str__(self) -> str:
        what = STATUSES[Status(self.status)]
        return f"{self.records:,} {self.status} in source '{self.source}': {what}; such as {self.example}"


def unreadable(corpus: Place) -> list[Unreadable]:
    """The unusable records, the most frequent kind first."""
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        rows = catalog.execute("FROM unusable ORDER BY records DESC, source, status").fetchall()
    return [
        Unreadable(source=source, status=status, records=n, of_source=total, example=_told(status, *example))
        for source, status, n, total, *example in rows
    ]


def useless_sources(found: list[Unreadable]) -> list[str]:
    """The sources without any usable record."""
    sources = {each.source: each.of_source for each in found}
    return [name for name, n in sources.items() if n == sum(each.records for each in found if each.source == name)]


def _told(status: str, path: str, offset: int, metadata_json: str | None) -> str:
    place = f"{path}, at {offset}"
    metadata = json.loads(metadata_json or "{}")
    said = as_text(metadata.get("error")) or ""
    if not said and metadata and status == Status.NO_TEXT_FIELD:
        said = f"there are the columns {', '.join(metadata)}"
    told = mask_text(f"{place}: {said}" if said else place)
    return told if len(told) <= MOST_CHARS else f"{told[:MOST_CHARS]}..."
