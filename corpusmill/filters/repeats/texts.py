"""Units that stand in the corpus more than once: all occurrences but the first are cut.

A part is read three times: to count sieves, to send the occurrences that may be repeated, and to write down the cuts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill import schema
from corpusmill.arrow import Utf8Column
from corpusmill.filters.repeats.counting import Records, counted, places_in
from corpusmill.filters.repeats.cutting import Cuts, without_spans
from corpusmill.filters.repeats.firsts import doc_id_of, documents_of, occurrence_blobs
from corpusmill.filters.repeats.lines import EXAMPLE_CHARS
from corpusmill.filters.repeats.units import Kind, Units, n_words, units_of
from corpusmill.reasons import Duplicate


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """Which units are compared, and how many words a document must have left.

    units: kinds, each with the least number of its words
    """

    units: tuple[tuple[Kind, int], ...]
    min_words_left: int

    def of(self, column: Utf8Column) -> tuple[Units, npt.NDArray[np.int64]]:
        """All units of texts, and the number of the kind of each."""
        found = [units_of(column, kind, words) for kind, words in self.units]
        return Units.joined(found), np.repeat(np.arange(len(found)), [len(each) for each in found])


def count_sieves(texts: pa.Array, repeats: Repeats) -> Records:
    """How often each sieve is in n texts, as COUNTs that are frequent from 2 on."""
    units, kinds = repeats.of(Utf8Column.of(texts))
    is_new = np.r_[
        True,
        (units.anchors[1:] != units.anchors[:-1]) | (units.rows[1:] != units.rows[:-1]) | (kinds[1:] != kinds[:-1]),
    ][: len(units)]
    return counted(units.sieves[is_new], 2)


def candidate_blobs(
    texts: pa.Array, doc_ids: Sequence[str], repeats: Repeats, frequent: Records, destinations: int
) -> list[bytes]:
    """What a part sends to each destination: its units with a sieve that stands somewhere else, too."""
    column = Utf8Column.of(texts)
    units, kinds = repeats.of(column)
    chosen, _ = places_in(units.sieves, frequent["hash"])
    units, kinds = units.chosen(chosen), kinds[chosen]
    begins = column.offsets[units.rows]
    places = (units.rows, units.starts - begins, units.stops - begins, kinds)
    return occurrence_blobs(units.hashes, *places, documents_of(doc_ids), destinations)


def cuts_table(texts: pa.Array, doc_ids: Sequence[str], repeats: Repeats, answers: npt.NDArray[np.void]) -> pa.Table:
    """What is cut of a part's texts, as `schema.REPEATED_TEXT`.  answers: ANSWERs by row and place."""
    column = Utf8Column.of(texts)
    keeps = set(answers["row"][answers["stays"]].tolist())
    gone = answers[~answers["stays"]]
    spans = Cuts.of(*(gone[name].astype(np.int64) for name in ("row", "start", "stop")))
    found, left = [], []
    for row, of_row in spans.by_row():
        raw = column.data[int(column.offsets[row]) : int(column.offsets[row + 1])]
        characters = np.concatenate([[0], np.cumsum(raw & 0xC0 != 0x80)])  # before each byte
        columns = (spans.starts, spans.stops, spans.first, spans.after)
        cuts = [
            {
                "unit": repeats.units[gone["kind"][first]][0],
                "start": int(characters[start]),
                "end": int(characters[stop]),
                "text": raw[start:stop].tobytes().decode()[:EXAMPLE_CHARS],
            }
            | _shared(gone[first:after])
            for start, stop, first, after in zip(*(each[of_row].tolist() for each in columns), strict=True)
        ]
        entry = {"doc_id": doc_ids[row], "cut_chars": sum(cut["end"] - cut["start"] for cut in cuts), "cuts": cuts}
        found.append(entry)
        left.append(without_spans(raw.tobytes().decode(), [(cut["start"], cut["end"]) for cut in cuts]))
    words = n_words(Utf8Column.of(pa.array(left, pa.large_string())))
    for entry, n, row in zip(found, words.tolist(), np.unique(spans.rows).tolist(), strict=True):
        is_dropped = n < repeats.min_words_left and row not in keeps
        entry |= {"rule": Duplicate.REPEATED.value if is_dropped else None, "words_left": n}
        entry["threshold"] = float(repeats.min_words_left)
    return pa.Table.from_pylist(found, schema=schema.REPEATED_TEXT.arrow)


def _shared(answers: npt.NDArray[np.void]) -> dict[str, Any]:
    """What the units of one cut, by place, share with other documents."""
    return {
        "hash": int(answers["hash"][0]),
        "documents": int(answers["documents"].max()),
        "twin_doc_id": doc_id_of(int(answers["high"][0]), int(answers["low"][0])),
    }


def without_cuts(texts: pa.Array, doc_ids: pa.Array, cuts: pa.Table) -> tuple[pa.Array, npt.NDArray[np.bool_]]:
    """Texts (n, large_string) without the cuts (`schema.REPEATED_TEXT`), and which of them changed."""
    spans = {
        doc_id: [(cut["start"], cut["end"]) for cut in each]
        for doc_id, each in zip(cuts["doc_id"].to_pylist(), cuts["cuts"].to_pylist(), strict=True)
    }
    changed = np.array([doc_id in spans for doc_id in doc_ids.to_pylist()], np.bool_)
    if not changed.any():
        return texts, changed
    after = texts.to_pylist()
    for row, doc_id in zip(
        np.flatnonzero(changed).tolist(), doc_ids.filter(pa.array(changed)).to_pylist(), strict=True
    ):
        after[row] = without_spans(after[row], spans[doc_id])
    return pa.array(after, pa.large_string()), changed
