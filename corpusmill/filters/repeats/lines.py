"""Lines and paragraphs that stand in many documents of a host, or of the corpus: which they are, and texts without.

All occurrences are cut, because what stands on every page of a site belongs to the site.  A document counts once for a
line, however often it has it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill import schema
from corpusmill.arrow import Utf8Column
from corpusmill.filters.caps import hosts_of
from corpusmill.filters.pii import mask
from corpusmill.filters.repeats.counting import COUNT, Records, counted, places_in
from corpusmill.filters.repeats.cutting import without_units
from corpusmill.filters.repeats.units import U64, Units, units_of
from corpusmill.filters.settings import PiiSettings

EXAMPLE_CHARS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which lines or paragraphs are cut."""

    unit: Literal["line", "paragraph"]
    scope: Literal["host", "corpus"]
    min_documents: int
    min_words: int
    fold_numbers: bool


@dataclass(frozen=True, slots=True, eq=False)
class _Pages:
    """Texts (n), and the host of each with its hash; null and 0 without one."""

    texts: pa.Array
    column: Utf8Column
    hosts: pa.Array
    host_hashes: U64

    @classmethod
    def of(cls, texts: pa.Array, urls: pa.Array) -> "_Pages":
        hosts = hosts_of(urls)
        encoded = hosts.dictionary_encode()
        hashes = np.array([*map(_hash, encoded.dictionary.to_pylist()), 0], np.uint64)
        places = encoded.indices.fill_null(len(encoded.dictionary)).to_numpy(zero_copy_only=False)
        return cls(texts, Utf8Column.of(texts), hosts, hashes[places] if len(places) else hashes[:0])

    def units(self, sought: Sought) -> Units:
        """The units that count; a page without a host has none of a host."""
        units = units_of(self.column, sought.unit, sought.min_words, fold_numbers=sought.fold_numbers)
        if sought.scope == "corpus":
            return units
        hosts = self.host_hashes[units.rows]
        return units.salted(hosts).chosen(hosts != 0)


def _hash(host: str) -> int:
    return int.from_bytes(hashlib.blake2b(host.encode(), digest_size=8).digest(), "little") | 1


def count_units(texts: pa.Array, urls: pa.Array, sought: Sequence[Sought]) -> list[Records]:
    """For each setting, in how many of n texts (large_string) each unit is: COUNTs."""
    pages = _Pages.of(texts, urls)
    found = []
    for each in sought:
        units = pages.units(each)
        order = np.lexsort((units.hashes, units.rows))
        hashes, rows = units.hashes[order], units.rows[order]
        is_new = np.r_[True, (hashes[1:] != hashes[:-1]) | (rows[1:] != rows[:-1])][: len(hashes)]
        found.append(counted(hashes[is_new], each.min_documents))
    return found


def cut_units(texts: pa.Array, urls: pa.Array, sought: Sequence[Sought], hashes: npt.NDArray[np.uint64]) -> pa.Array:
    """Texts (n, large_string) without the units that have one of these hashes (ascending)."""
    if not len(hashes):
        return texts
    pages = _Pages.of(texts, urls)
    units = Units.joined([pages.units(each) for each in sought])
    chosen, _ = places_in(units.hashes, hashes)
    return without_units(texts, pages.column, units.rows[chosen], units.starts[chosen], units.stops[chosen])


def table_of(
    texts: pa.Array, urls: pa.Array, sought: Sequence[Sought], frequent: Records, pii: PiiSettings
) -> pa.Table:
    """The units of a part that are frequent (COUNTs, ascending), as `schema.REPEATED_LINES`."""
    pages = _Pages.of(texts, urls)
    tables = [_rows_of(pages, each, frequent) for each in sought]
    table = pa.concat_tables([schema.REPEATED_LINES.arrow.empty_table(), *tables]).combine_chunks()
    examples, _ = mask(table["text"], pii)
    short = [None if text is None else text[:EXAMPLE_CHARS] for text in examples.to_pylist()]
    return table.set_column(table.column_names.index("text"), "text", pa.array(short, pa.string()))


def _rows_of(pages: _Pages, sought: Sought, frequent: Records) -> pa.Table:
    units = pages.units(sought)
    chosen, places = places_in(units.hashes, frequent["hash"])
    units, places = units.chosen(chosen), places[chosen]
    pairs, first_of_pair = np.unique(np.stack([places, units.rows]), axis=1, return_index=True)
    number, first, n_pages = np.unique(pairs[0], return_index=True, return_counts=True)
    first = first_of_pair[first]  # of each unit, its first occurrence in the part
    rows = units.rows[first]
    data, spans = pages.column.data, zip(units.starts[first].tolist(), units.stops[first].tolist(), strict=True)
    hosts = pages.hosts.take(pa.array(rows)) if sought.scope == "host" else pa.nulls(len(rows), pa.string())
    return schema.REPEATED_LINES.filled(
        {
            "unit": [sought.unit] * len(rows),
            "host": hosts.cast(pa.string()),
            "hash": frequent["hash"][number],
            "documents": frequent["count"][number].astype(np.int64),
            "pages": n_pages,
            "text": [data[start:stop].tobytes().decode() for start, stop in spans],
        }
    )


__all__ = ["COUNT", "Sought", "count_units", "cut_units", "table_of"]
