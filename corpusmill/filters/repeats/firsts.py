"""Which occurrence of a repeated unit stays: the first in the document with the smallest doc_id.

A part sends the occurrences of its units that may be repeated.  Where equal ones come together, all but one are to be
cut.  So the answer depends on doc_ids and places in documents, and not on parts or their order.

Occurrences may overlap.  What is cut still stands in an occurrence that comes before, and this goes on until the first.
So every word that was cut stands in the corpus once more, maybe in another sequence of words.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from corpusmill.filters.repeats.counting import bounds_of
from corpusmill.filters.repeats.units import I64, U64, by_part, runs

DOCUMENT = np.dtype([("high", "<u8"), ("low", "<u4")])
"""A doc_id as a number, which sorts like it."""
_PLACE = [("row", "<u4"), ("start", "<u4"), ("stop", "<u4"), ("kind", "u1")]
OCCURRENCE = np.dtype([("hash", "<u8"), ("document", "<u4"), *_PLACE])
"""A unit: the number of its document in the blob; its row in the part, place in the text in bytes, and kind."""
ANSWER = np.dtype([*_PLACE, ("hash", "<u8"), ("documents", "<u4"), ("high", "<u8"), ("low", "<u4"), ("stays", "?")])
"""What becomes of an occurrence: number of documents that hold the unit, the document where it stays, if it is this."""
_SIZE = np.dtype("<u8")


def documents_of(doc_ids: Sequence[str]) -> npt.NDArray[np.void]:
    """DOCUMENT of each doc_id, 24 hexadecimal digits."""
    found = np.zeros(len(doc_ids), DOCUMENT)
    found["high"] = [int(doc_id[:16], 16) for doc_id in doc_ids]
    found["low"] = [int(doc_id[16:], 16) for doc_id in doc_ids]
    return found


def doc_id_of(high: int, low: int) -> str:
    """The doc_id of a DOCUMENT."""
    return f"{high:016x}{low:08x}"


def occurrence_blobs(
    hashes: U64, rows: I64, starts: I64, stops: I64, kinds: I64, documents: npt.NDArray[np.void], destinations: int
) -> list[bytes]:
    """What a part sends to each destination.

    hashes, rows, starts, stops, kinds: of n occurrences.  documents: DOCUMENT of each row of the part.
    """
    order = np.argsort(hashes, kind="stable")
    cuts = np.searchsorted(hashes[order], bounds_of(destinations))
    blobs = []
    for chosen in np.split(order, cuts):
        used, places = np.unique(rows[chosen], return_inverse=True)
        records = np.zeros(len(chosen), OCCURRENCE)
        records["hash"], records["document"] = hashes[chosen], places
        for name, values in (("row", rows), ("start", starts), ("stop", stops), ("kind", kinds)):
            records[name] = values[chosen]
        blobs.append(np.array([len(used)], _SIZE).tobytes() + documents[used].tobytes() + records.tobytes())
    return blobs


def firsts(blobs: Sequence[tuple[int, bytes]]) -> Iterator[tuple[int, bytes]]:
    """A destination's blobs with the numbers of their parts -> to each part, ANSWERs of its repeated units."""
    read = [_read(content) for _, content in blobs]
    sizes = [len(records) for _, records in read]
    parts = np.repeat([number for number, _ in blobs], sizes).astype(np.int64)
    records = np.concatenate([np.zeros(0, OCCURRENCE), *(records for _, records in read)])
    own = [documents[records["document"]] for documents, records in read]
    documents = np.concatenate([np.zeros(0, DOCUMENT), *own])
    order = np.lexsort((records["start"], parts, documents["low"], documents["high"], records["hash"]))
    records, parts, documents = records[order], parts[order], documents[order]

    starts, lengths = runs(records["hash"])
    first = np.repeat(starts, lengths)
    is_new = np.r_[True, documents[1:] != documents[:-1]][: len(documents)]
    is_new[starts] = True
    n_documents = np.add.reduceat(is_new.astype(np.int64), starts) if len(starts) else lengths
    answers = np.zeros(len(records), ANSWER)
    for name in ("row", "start", "stop", "kind", "hash"):
        answers[name] = records[name]
    answers["documents"] = np.repeat(n_documents, lengths)
    answers["high"], answers["low"] = documents["high"][first], documents["low"][first]
    answers["stays"] = np.arange(len(records)) == first
    chosen = np.repeat(lengths, lengths) > 1
    for number, answer in by_part(parts[chosen], answers[chosen]):
        yield number, answer.tobytes()


def _read(content: bytes) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
    """The documents of a blob, and its occurrences."""
    (n,) = np.frombuffer(content, _SIZE, 1)
    end = _SIZE.itemsize + int(n) * DOCUMENT.itemsize
    return np.frombuffer(content, DOCUMENT, int(n), _SIZE.itemsize), np.frombuffer(content, OCCURRENCE, -1, end)


def answers_of(messages: Sequence[bytes]) -> npt.NDArray[np.void]:
    """The ANSWERs that a part was sent, by row and place."""
    answers = np.concatenate([np.zeros(0, ANSWER), *(np.frombuffer(content, ANSWER) for content in messages)])
    return answers[np.lexsort((answers["kind"], answers["stop"], answers["start"], answers["row"]))]
