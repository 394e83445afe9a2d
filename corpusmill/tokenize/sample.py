"""The sample of the corpus that a vocabulary is trained on, drawn fairly over sources and languages.

If all text is at most `sample_bytes`, the sample is all of it.  Otherwise a group is the training documents of one
source in one language.  A group has a share of the sample by its bytes to the power of 1 - balance: in proportion to
its bytes if the balance is 0, the same for all if it is 1.  A group that has less text than its share gives all of it,
and the others share the rest in the same way.  A group gives its documents in the order of doc_id, which is a hash.

Of a source that is much larger than the sample, only some parts are read: in the order of their names' hashes, until
they hold four times the sample.  A part is read twice, once for the sizes of its documents and once for their texts.
Nothing depends on the order of parts or on the number of workers, and a further part changes little of the sample.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

READ = 4  # times `sample_bytes`: so much text is read of a source at most

Group = tuple[str, str]  # source, language
Read = Callable[[str], pa.Table]  # the docs of a part: doc_id, source, language, split, text


@dataclass(frozen=True, kw_only=True, slots=True)
class DocsPart:
    """A part of docs that can be sampled."""

    name: str
    n_bytes: int  # of UTF-8 text in it
    source: str = ""


def sample_texts(
    parts: Sequence[DocsPart], read: Read, sample_bytes: int, balance: float = 0.3, split: str | None = "train"
) -> Iterator[tuple[Group, str]]:
    """Groups and texts of documents, about `sample_bytes` of text; the same for any order of `parts`.

    split: only documents of this split; None: of all.
    """
    read_parts = _read_parts(parts, sample_bytes)
    if sum(part.n_bytes for part in parts) <= sample_bytes:
        for part in read_parts:
            yield from _texts(_of_split(read(part.name), split))
        return
    documents = [_sizes(_of_split(read(part.name), split)) for part in read_parts]
    chosen = _chosen(documents, sample_bytes, balance)
    for part, ids in zip(read_parts, chosen, strict=True):
        if len(ids):
            docs = _of_split(read(part.name), split)
            yield from _texts(docs.filter(pc.is_in(docs["doc_id"], pa.array(ids, pa.string()))))


def shares(sizes: Mapping[Group, int], sample_bytes: int, balance: float) -> dict[Group, int]:
    """Bytes that each group gives, at most its size; all of them together are `sample_bytes` if there is so much."""
    given: dict[Group, int] = {}
    left, waiting = sample_bytes, sorted(group for group, size in sizes.items() if size)
    weights = {group: sizes[group] ** (1 - balance) for group in waiting}
    while waiting:
        scale = left / sum(weights[group] for group in waiting)
        small = [group for group in waiting if sizes[group] <= weights[group] * scale]
        if not small:
            return given | {group: int(weights[group] * scale) for group in waiting}
        given |= {group: sizes[group] for group in small}
        left -= sum(sizes[group] for group in small)
        waiting = [group for group in waiting if group not in given]
    return given


def _read_parts(parts: Sequence[DocsPart], sample_bytes: int) -> list[DocsPart]:
    """The parts to read, in the order of their names' hashes."""
    read: list[DocsPart] = []
    taken: dict[str, int] = {}
    for part in sorted(parts, key=lambda part: (hashlib.blake2b(part.name.encode()).digest(), part.name)):
        if taken.get(part.source, 0) < READ * sample_bytes:
            taken[part.source] = taken.get(part.source, 0) + part.n_bytes
            read.append(part)
    return read


def _of_split(docs: pa.Table, split: str | None) -> pa.Table:
    docs = docs if split is None else docs.filter(pc.equal(docs["split"], split))
    return docs.sort_by("doc_id")


def _texts(docs: pa.Table) -> Iterator[tuple[Group, str]]:
    languages = pc.fill_null(docs["language"], "").to_pylist()
    for source, language, text in zip(docs["source"].to_pylist(), languages, docs["text"], strict=True):
        yield (source, language), text.as_py()


@dataclass(frozen=True, slots=True, eq=False)
class _Documents:
    """The documents of a part, in the order of doc_id."""

    ids: npt.NDArray[np.bytes_]
    groups: list[Group]
    sizes: npt.NDArray[np.int64]


def _sizes(docs: pa.Table) -> _Documents:
    languages = pc.fill_null(docs["language"], "").to_pylist()
    groups = list(zip(docs["source"].to_pylist(), languages, strict=True))
    ids = np.array([each.encode() for each in docs["doc_id"].to_pylist()], np.bytes_)
    return _Documents(ids, groups, pc.binary_length(docs["text"]).to_numpy().astype(np.int64))


def _chosen(documents: Sequence[_Documents], sample_bytes: int, balance: float) -> list[list[str]]:
    """The ids of the chosen documents, by part."""
    names = sorted({group for each in documents for group in each.groups})
    number = {group: index for index, group in enumerate(names)}
    groups = np.concatenate([np.array([number[g] for g in each.groups], np.int64) for each in documents])
    ids = np.concatenate([each.ids for each in documents])
    sizes = np.concatenate([each.sizes for each in documents])
    parts = np.repeat(np.arange(len(documents)), [len(each.ids) for each in documents])
    order = np.lexsort((ids, groups))
    groups, ids, sizes, parts = groups[order], ids[order], sizes[order], parts[order]
    totals = np.bincount(groups, sizes, len(names)).astype(np.int64)
    wanted = shares({group: int(totals[number[group]]) for group in names}, sample_bytes, balance)
    quota = np.array([wanted.get(group, 0) for group in names], np.int64)
    ends = np.cumsum(sizes)
    firsts = np.searchsorted(groups, np.arange(len(names)))
    before = np.concatenate([np.zeros(1, np.int64), ends])[firsts]
    begins = ends - sizes - before[groups] if len(groups) else ends
    taken = begins < quota[groups]
    found: list[list[str]] = [[] for _ in documents]
    for part, id_ in zip(parts[taken].tolist(), ids[taken].tolist(), strict=True):
        found[part].append(id_.decode())
    return found
