"""split: which documents are for validation.  The file says below which hash a group's documents are.

The unit is the group of near-duplicates (`group_id` of twins), so no near-duplicate crosses the split, not even one
that deduplication keeps.  A document without a group is a group of its own.  A group is for validation if the hash of
its name is below a bound.  The bound is `split.validation_share` of all hashes.

A small corpus may have too few such documents.  Then the bound is raised, to the smallest one under which there are
`split.min_validation_documents`, or a tenth of all documents if that is less, but at least one.  It is not raised so
far that more than half of the documents are for validation.

When data is added:

- A document keeps its split as long as its group keeps its name, which is the smallest doc_id in it.
- If groups merge, or a document with a smaller doc_id joins one, the group's documents take the split of the new name.
  With a share of 1 %, that is another split for 2 % of the documents that are renamed, in either direction.
- From ten times `min_validation_documents` on, the bound only falls as documents are added, down to the share.  So by
  the bound alone, documents leave validation, and none of train comes in.  In a smaller corpus it may also rise.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from corpusmill.reasons import Stage
from corpusmill.stages.drops import reads_before, still_there
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, MadeFile, ReadTable, Singleton

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

HASHES = 1 << 53  # numbers that JSON and floats hold exactly
TWINS = ("doc_id", "group_id", "rule")


def split(job: Job) -> Singleton:
    """The stage: the bound, from all documents that are kept."""
    return Singleton(
        name=Stage.SPLIT,
        version=1,
        libraries=ARROW,
        settings=lambda job: job.recipe.split.model_dump(),
        reads={
            Stage.PAGES: ("doc_id",),
            Stage.VERDICTS: ("kept",),
            **{name: TWINS if name == Stage.TWINS else columns for name, columns in reads_before(job).items()},
        },
        make=_make,
        suffix="json",
        share_of_time=0.02,
    )


def _make(job: Job, parts: Sequence[str], reader: Callable[[str], ReadTable]) -> MadeFile:
    settings = job.recipe.split
    share = round(settings.validation_share * HASHES)
    documents: Counter[int] = Counter()  # by the hash of the group
    below, rows = 0, 0
    for part in parts:
        read = reader(part)
        kept = read(Stage.VERDICTS, ("kept",))["kept"].to_numpy()
        doc_ids = read(Stage.PAGES, ("doc_id",))["doc_id"]
        tables = {
            name: read(name, TWINS if name == Stage.TWINS else columns) for name, columns in reads_before(job).items()
        }
        chosen = still_there(kept, doc_ids, tables)
        found = group_hashes(doc_ids.to_numpy()[chosen].tolist(), tables[Stage.TWINS])
        documents.update(found.tolist())
        below, rows = below + int((found < share).sum()), rows + len(kept)
        if share == 0 or below >= settings.min_validation_documents:
            break  # the floor changes nothing
    bound = share if share == 0 else max(share, _floor(documents, settings.min_validation_documents))
    return MadeFile(content=json.dumps({"validation_below": bound}).encode(), rows_in=rows)


def _floor(documents: Counter[int], wanted: int) -> int:
    """The smallest bound under which there are enough documents; 0 if only one with most of them would do."""
    total, there, bound = documents.total(), 0, 0
    wanted = min(wanted, max(1, total // 10))
    for group, n in sorted(documents.items()):
        if there >= wanted or 2 * (there + n) > total:
            break
        there, bound = there + n, group + 1
    return bound


def group_hashes(doc_ids: Sequence[str], twins: "pa.Table") -> "npt.NDArray[np.int64]":
    """The hash of each document's group: in [0, HASHES).  twins: doc_id and group_id of the part."""
    import numpy as np

    groups = dict(zip(twins["doc_id"].to_pylist(), twins["group_id"].to_pylist(), strict=True))
    return np.array([_hash(groups.get(doc_id, doc_id)) for doc_id in doc_ids], np.int64)


def _hash(name: str) -> int:
    """A number in [0, HASHES).  doc_ids are hashes, too, but the smallest of several is not like any other."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big") >> 11


def splits(job: Job, doc_ids: Sequence[str], twins: "pa.Table") -> "pa.Array":
    """The split of each document of a part: train or validation."""
    import numpy as np
    import pyarrow as pa

    bound = json.loads(job.corpus.read_file(Stage.SPLIT, Stage.SPLIT))["validation_below"]
    return pa.array(np.where(group_hashes(doc_ids, twins) < bound, "validation", "train"), pa.string())
