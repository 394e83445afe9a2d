"""Which items of an evaluation stand in the documents that a model was trained on.

It looks for runs of 13 words, with `corpusmill.filters.contamination`.  An item with fewer than 13 words is looked for
as a whole, and one with fewer than 8 words cannot be found.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill.evaluate.items import Document, EvaluationFile
from corpusmill.filters.contamination import Item, evaluation, find_spans
from corpusmill.reports.catalog import damage_is_named, open_catalog

WORDS = 13
BLOCK = 2000  # documents at a time

Key = tuple[str, int]  # name of the file, number of the item in it


@dataclass(frozen=True, slots=True)
class Contamination:
    """What was found."""

    found: dict[Key, str]  # by item, the doc_id of one document that contains a piece of it
    too_short: frozenset[Key]  # items that cannot be found


def contamination(corpus: Path, files: Sequence[EvaluationFile]) -> Contamination:
    """The items that stand in the training documents of a corpus."""
    items = [
        Item(file.name, str(number), (item.text,) if isinstance(item, Document) else item.texts)
        for file in files
        for number, item in enumerate(file.items)
    ]
    sets = evaluation(items, WORDS)
    short = frozenset(_key(items[number]) for number in np.flatnonzero(sets.sizes == 0).tolist())
    found: dict[Key, str] = {}
    query = "SELECT doc_id, text FROM docs WHERE split = 'train' AND text IS NOT NULL"
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        for batch in catalog.sql(query).to_arrow_reader(BLOCK):
            touched = [row for row, spans in enumerate(find_spans(sets, batch["text"], 0.0)) if spans]
            block = pa.Table.from_batches([batch.take(pa.array(touched, pa.int64()))])
            _look(block, [item for item in items if _key(item) not in found], found)
    return Contamination(found, short)


def _look(block: pa.Table, items: list[Item], found: dict[Key, str]) -> None:
    """Add the items that stand in documents.  A span names one of several items that stand there, so it looks again."""
    while items and len(block):
        spans = find_spans(evaluation(items, WORDS), block["text"].combine_chunks(), 0.0)
        new = {
            (span.set, int(span.item)): doc_id
            for doc_id, of_text in zip(block["doc_id"].to_pylist(), spans, strict=True)
            for span in of_text
        }
        if not new:
            return
        found |= new
        items = [item for item in items if _key(item) not in new]


def _key(item: Item) -> Key:
    return item.set, int(item.item)
