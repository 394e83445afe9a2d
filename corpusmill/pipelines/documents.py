"""docs: the final rows of what rules and deduplication kept."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import schema
from corpusmill.corpus import Made
from corpusmill.filters.pii import mask
from corpusmill.reasons import Reason, Stage
from corpusmill.recipe import Recipe


def keep_documents(tables: dict[Stage, pa.Table], recipe: Recipe, *, weight: float) -> Made:
    """Pages, signals, verdicts (n rows each, same order) and twins of one part -> its docs, and the books."""
    pages, signals, verdicts, twins = (tables[s] for s in (Stage.PAGES, Stage.SIGNALS, Stage.VERDICTS, Stage.TWINS))
    kept = verdicts["kept"].combine_chunks()
    chosen = pc.and_(kept, pc.invert(pc.is_in(pages["doc_id"].combine_chunks(), twins["doc_id"].combine_chunks())))
    docs = pages.filter(chosen)
    text, emails, addresses = mask(docs["text"], recipe.pii)
    title, *_ = mask(docs["title"], recipe.pii)
    url, *_ = mask(docs["url"], recipe.pii)
    table = pa.table(
        {
            **{name: docs[name] for name in ("doc_id", "source", "licence")},
            "url": pc.cast(url, pa.string()),
            "language": signals["language"].filter(chosen),
            "title": pc.cast(title, pa.string()),
            "text": pc.cast(text, pa.large_string()),
            "split": split_of(docs["doc_id"].to_pylist(), recipe.split.validation_share),
            "weight": pa.array(np.full(docs.num_rows, weight)),
        }
    ).select(schema.DOCS.arrow.names)
    dropped = Counter(verdicts["stage"].drop_null().to_pylist())
    if twins.num_rows:
        dropped[Reason.DUPLICATE] = twins.num_rows
    text_bytes = pc.sum(pc.binary_length(table["text"])).as_py() or 0
    return Made(
        table=table.cast(schema.DOCS.arrow),
        rows_in=pages.num_rows,
        bytes_in=sum(t.nbytes for t in tables.values()),
        dropped=dict(dropped),
        counts={
            "text_bytes": text_bytes,
            "masked_emails": pc.sum(emails).as_py() or 0,
            "masked_ip_addresses": pc.sum(addresses).as_py() or 0,
        },
    )


def split_of(doc_ids: list[str], validation_share: float) -> pa.Array:
    """Train or validation for each document, by the leading 32 bits of its doc_id."""
    leading: npt.NDArray[np.uint64] = np.array([int(doc_id[:8], 16) for doc_id in doc_ids], np.uint64)
    held_out = leading < np.uint64(validation_share * 2**32)
    return pa.array(np.where(held_out, "validation", "train"), pa.string())
