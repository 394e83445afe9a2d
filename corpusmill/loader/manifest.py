"""The mix manifest: what the loader needs to know of a corpus, made from its tokens and from the mix of the recipe.

    _mix/manifest.json     groups with their tokens, shares and repeats; the shards
    _mix/index.parquet     for each row group of each shard and each group: documents and tokens
    _mix/buckets.parquet   the bucket of each document, if the mix uses buckets; one row group per shard

A *group* is a set of documents that the mix treats alike: of one source, language, bucket, or range of lengths, as far
as the mix asks for these.  All others are the rest: documents whose language, for example, has no rule are together.

The manifest depends on tokens, signals and mix only, not on seed or row length.  It is made again when one of these has
changed, and it rewrites no part.  It takes 0.1 s for a million documents, of which only small columns are read.
"""

import errno
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from corpusmill.belonging import described, whole
from corpusmill.corpus import Corpus, checksum_of, digest
from corpusmill.errors import CorruptPartError, InputError, RunError
from corpusmill.loader.plan import plan, rule_of
from corpusmill.loader.shards import FOLDER, Shard, as_numpy, digest_of, footer_of
from corpusmill.mix import Mix, MixSettings, read_mix
from corpusmill.receipts import Receipt

VERSION = 1  # of the manifest's content
MANIFEST, INDEX, BUCKETS = "_mix/manifest.json", "_mix/index.parquet", "_mix/buckets.parquet"
TRAIN, VALIDATION = "train", "validation"
HELD_OUT = -1  # in the index, the group of documents for validation
COLUMNS = ("source", "language", "split", "n_tokens")
Codes = npt.NDArray[np.int64]

_NUMBERS = ("shard", "row_group", "group", "documents", "rows")
_INDEX = pa.schema([*((name, pa.int32()) for name in _NUMBERS), ("tokens", pa.int64())])


@dataclass(frozen=True, order=True, slots=True)
class Key:
    """What the documents of a group have in common.  None: the mix does not ask."""

    source: str | None = None
    language: str | None = None
    bucket: str | None = None
    length: int | None = None  # number of the range of lengths


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the mix."""

    key: Key
    stage: int  # of the curriculum
    documents: int  # of the train split
    tokens: int  # of these, without boundaries
    weight: float
    share: float  # that the mix asks for, before caps
    repeats: float  # of each document in an epoch of the mix
    capped: bool  # whether a cap leaves it less than its share

    @property
    def name(self) -> str:
        """A name to show."""
        key = self.key
        length = None if key.length is None else f"length {key.length}"
        return " ".join(each or "(none)" for each in (key.source, key.language, key.bucket, length) if each is not None)


@dataclass(frozen=True, eq=False, slots=True)
class Manifest:
    """See the module.  The index has one element per row group and group."""

    fingerprint: str
    made_of: str  # digest of tokens and mix
    settings: MixSettings
    boundary: int  # token between documents
    vocab_size: int
    groups: tuple[Group, ...]
    shards: tuple[Shard, ...]
    index: pa.Table
    buckets: bytes | None  # the file; None if the mix uses none

    @property
    def is_limited(self) -> bool:
        """Whether documents may not come more often than an epoch of the mix takes them."""
        return any(rule.epochs is not None or rule.max_tokens is not None for rule in self.settings.groups)

    def group_numbers(self, table: pa.Table, buckets: pa.Array | None) -> Codes:
        """The group of each document; HELD_OUT if it is for validation.  table: COLUMNS; buckets: labels."""
        numbers = {group.key: number for number, group in enumerate(self.groups)}
        keys, codes = _keys(self.settings, _named(self.settings, self._weights()), table, buckets)
        found = np.array([numbers.get(key, -2) for key in keys], np.int64)[codes]
        found[as_numpy(pc.not_equal(table["split"], TRAIN))] = HELD_OUT
        return found

    def _weights(self) -> list[str]:
        return [group.key.source for group in self.groups if group.key.source is not None]


def manifest_of(corpus: Corpus) -> Manifest:
    """The manifest of a corpus as it is now; made and written if it is not there.

    InputError if the corpus has no tokens, or the mix does not fit them.
    """
    receipts = corpus.receipts(FOLDER)
    if not receipts:
        raise InputError(f"{corpus.place}: has no tokens to train on; make them with 'corpusmill run'")
    mix = read_mix(corpus)
    made_of = _made_of(corpus, whole(corpus, FOLDER), mix)
    kept = _kept(corpus, made_of)
    return kept if kept is not None else _make(corpus, receipts, mix, made_of)


def _made_of(corpus: Corpus, receipts: dict[str, Receipt], mix: Mix) -> str:
    checksums = [(name, receipt.checksum) for name, receipt in receipts.items()]
    tokenizer = corpus.receipt("tokenizer", "tokenizer")
    signals = None
    if mix.settings.uses_buckets:
        stage, column = _signal(corpus, mix.settings)
        signals = [(name, receipt.columns.get(column)) for name, receipt in corpus.receipts(stage).items()]
    return digest("mix", VERSION, checksums, tokenizer and tokenizer.checksum, mix.as_json(), signals)


def _kept(corpus: Corpus, made_of: str) -> Manifest | None:
    """The manifest that is there, if it was made of this."""
    data = corpus.read_json(MANIFEST)
    if data is None or data.get("made_of") != made_of:
        return None
    content = corpus.store.read(INDEX)
    buckets = corpus.store.read(BUCKETS) if data["buckets"] is not None else None
    if checksum_of(content) != data["index"] or (buckets is not None and checksum_of(buckets) != data["buckets"]):
        return None
    return Manifest(
        fingerprint=data["fingerprint"],
        made_of=made_of,
        settings=MixSettings.model_validate(data["settings"]),
        boundary=data["boundary"],
        vocab_size=data["vocab_size"],
        groups=tuple(Group(**{**each, "key": Key(**each["key"])}) for each in data["groups"]),
        shards=tuple(Shard(**each) for each in data["shards"]),
        index=pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False),  # read_table imports far more
        buckets=buckets,
    )


def groups_of(corpus: Corpus) -> list[dict[str, Any]]:
    """The groups of the manifest that was made last, for the catalog; none if there is none."""
    data = corpus.read_json(MANIFEST) or {}
    return [{**group, **group["key"], "place": group["stage"]} for group in data.get("groups", [])]


# ---- making --------------------------------------------------------------------------------------------------------


def _make(corpus: Corpus, receipts: dict[str, Receipt], mix: Mix, made_of: str) -> Manifest:
    boundary, vocab_size = _tokenizer(corpus)
    named = _named(mix.settings, [name for name, weight in mix.weights.items() if weight != 1])
    shards, rows = [], []
    counts: dict[Key, list[int]] = {}
    labels = io.BytesIO()
    with pq.ParquetWriter(labels, pa.schema([("bucket", pa.string())]), compression="zstd") as writer:
        for number, (name, receipt) in enumerate(receipts.items()):
            size, footer = footer_of(corpus, name)
            shards.append(Shard(name, size, digest_of(footer)))
            table = corpus.read_columns(receipt, [*COLUMNS, *(["doc_id"] if mix.settings.uses_buckets else [])])
            buckets = _buckets(corpus, mix.settings, name, table["doc_id"]) if mix.settings.uses_buckets else None
            writer.write_table(pa.table({"bucket": buckets if buckets is not None else pa.array([], pa.string())}))
            for row_group, start, stop in _row_groups(footer):
                part = table.slice(start, stop - start)
                these = None if buckets is None else buckets.slice(start, stop - start)
                for key, documents, tokens in _counted(mix.settings, named, part, these):
                    rows.append((number, row_group, key, documents, stop - start, tokens))
                    if key is not None:
                        sums = counts.setdefault(key, [0, 0])
                        sums[0], sums[1] = sums[0] + documents, sums[1] + tokens
    groups = _groups(mix, counts)
    numbers: dict[Key | None, int] = {group.key: number for number, group in enumerate(groups)}
    numbers[None] = HELD_OUT
    columns = np.array([(*row[:2], numbers[row[2]], *row[3:]) for row in rows], np.int64).reshape(-1, len(_INDEX))
    index = pa.table([pa.array(of, field.type) for of, field in zip(columns.T, _INDEX, strict=True)], schema=_INDEX)
    sink = io.BytesIO()
    pq.write_table(index, sink, compression="zstd")
    data: dict[str, Any] = {
        "made_of": made_of,
        "settings": mix.settings.model_dump(mode="json"),
        "boundary": boundary,
        "vocab_size": vocab_size,
        "groups": [asdict(group) for group in groups],
        "shards": [asdict(shard) for shard in shards],
        "index": checksum_of(sink.getvalue()),
        "buckets": checksum_of(labels.getvalue()) if mix.settings.uses_buckets else None,
    }
    fingerprint = digest({**data, "made_of": None}, VERSION)
    buckets = labels.getvalue() if mix.settings.uses_buckets else None
    _keep(corpus, sink.getvalue(), buckets, {"fingerprint": fingerprint, **data})
    found = (mix.settings, boundary, vocab_size, tuple(groups), tuple(shards), index)
    return Manifest(fingerprint, made_of, *found, buckets=buckets)


def _keep(corpus: Corpus, index: bytes, buckets: bytes | None, data: dict[str, Any]) -> None:
    """Write the manifest.  In a corpus that may only be read, it is made again each time."""
    try:
        if buckets is not None:
            corpus.store.write(BUCKETS, buckets)
        corpus.store.write(INDEX, index)
        corpus.write_json(MANIFEST, data)
    except RunError as error:
        cause = error.__cause__
        if not isinstance(cause, PermissionError) and getattr(cause, "errno", None) != errno.EROFS:
            raise


def _tokenizer(corpus: Corpus) -> tuple[int, int]:
    from corpusmill.loader.boundary import boundary_of

    return boundary_of(corpus.read_file("tokenizer", "tokenizer"), f"{corpus.place}/tokenizer/tokenizer.json")


def _row_groups(footer: bytes) -> Iterator[tuple[int, int, int]]:
    """Row groups with their first row, and the row after the last."""
    metadata, start = pq.read_metadata(pa.BufferReader(b"PAR1" + footer)), 0
    for number in range(metadata.num_row_groups):
        stop = start + metadata.row_group(number).num_rows
        yield number, start, stop
        start = stop


def _signal(corpus: Corpus, settings: MixSettings) -> tuple[str, str]:
    """Stage and column of the signal that makes buckets."""
    assert settings.buckets is not None
    name = settings.buckets.signal
    for stage in described(corpus):
        if stage.stage.startswith("signals-") and stage.table is not None:
            for column, kind, _ in stage.table["columns"]:
                if column == name and any(each in kind for each in ("int", "float", "double", "bool")):
                    return stage.stage, name
    raise InputError(f"{corpus.place}: mix.buckets.signal: the corpus has no signal '{name}' with numbers")


def _buckets(corpus: Corpus, settings: MixSettings, part: str, doc_ids: pa.ChunkedArray) -> pa.Array:
    """The label of each document's bucket."""
    assert settings.buckets is not None
    stage, column = _signal(corpus, settings)
    receipt = corpus.receipt(stage, part)
    if receipt is None:
        raise CorruptPartError(f"{corpus.place}: {stage} of part {part} is missing; run the recipe again")
    signals = corpus.read_columns(receipt, ["doc_id", column])
    places = pc.index_in(doc_ids.combine_chunks(), value_set=signals["doc_id"].combine_chunks())
    values = signals[column].combine_chunks().take(places).cast(pa.float64()).fill_null(np.nan)
    numbers = np.searchsorted(settings.buckets.edges, values.to_numpy(zero_copy_only=False), side="right")
    numbers[np.isnan(values.to_numpy(zero_copy_only=False))] = len(settings.buckets.edges) + 1
    labels = pa.array(settings.buckets.labels, pa.string())
    return labels.take(pa.array(numbers))


@dataclass(frozen=True, slots=True)
class _Named:
    """Values that have a group of their own; None: all have."""

    source: frozenset[str] | None
    language: frozenset[str] | None
    bucket: frozenset[str] | None


def _named(settings: MixSettings, weighted: Sequence[str]) -> _Named:
    def of(key: str, others: Sequence[str] = ()) -> frozenset[str] | None:
        if key in settings.by or (key == "bucket" and settings.order in ("low-first", "high-first")):
            return None
        return frozenset([*others, *(value for rule in settings.groups if (value := getattr(rule, key)) is not None)])

    return _Named(of("source", weighted), of("language"), of("bucket"))


def _keys(settings: MixSettings, named: _Named, table: pa.Table, buckets: pa.Array | None) -> tuple[list[Key], Codes]:
    """The different keys of documents, and for each document the place of its key."""
    columns: list[Codes] = []
    values: list[list[Any]] = []
    for name, column in (("source", table["source"]), ("language", table["language"]), ("bucket", buckets)):
        if column is None:
            continue
        chosen: frozenset[str] | None = getattr(named, name)
        coded = pc.fill_null(column, "").dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        coded = coded.chunk(0) if isinstance(coded, pa.ChunkedArray) else coded
        columns.append(as_numpy(coded.indices).astype(np.int64))
        values.append([each if chosen is None or each in chosen else None for each in coded.dictionary.to_pylist()])
    if buckets is None:
        columns.append(np.zeros(len(table), np.int64))
        values.append([None])
    by_length = settings.order in ("short-first", "long-first")
    lengths = np.searchsorted(settings.lengths, as_numpy(table["n_tokens"]), side="right") if by_length else None
    columns.append(np.zeros(len(table), np.int64) if lengths is None else lengths.astype(np.int64))
    values.append([*range(len(settings.lengths) + 1)] if by_length else [None])
    joined = np.zeros(len(table), np.int64)
    for codes, of in zip(columns, values, strict=True):
        joined = joined * max(len(of), 1) + codes
    different, codes = np.unique(joined, return_inverse=True)
    keys = []
    for each in different.tolist():
        parts: list[Any] = []
        for of in reversed(values):
            each, place = divmod(each, max(len(of), 1))
            parts.append(of[place])
        keys.append(Key(*reversed(parts)))
    return keys, codes.astype(np.int64)


def _counted(
    settings: MixSettings, named: _Named, table: pa.Table, buckets: pa.Array | None
) -> Iterator[tuple[Key | None, int, int]]:
    """Documents and tokens of each key in a row group; of no key for validation."""
    if not len(table):
        return
    keys, codes = _keys(settings, named, table, buckets)
    different: list[Key | None] = [*dict.fromkeys(keys)]
    places = np.array([different.index(key) for key in keys], np.int64)[codes]
    different.append(None)
    places[as_numpy(pc.not_equal(table["split"], TRAIN))] = len(different) - 1
    documents = np.bincount(places, minlength=len(different))
    tokens = np.bincount(places, weights=as_numpy(table["n_tokens"]), minlength=len(different))
    for key, n, of in zip(different, documents.tolist(), tokens.tolist(), strict=True):
        if n:
            yield key, n, int(of)


def _groups(mix: Mix, counts: dict[Key, list[int]]) -> list[Group]:
    keys = sorted(counts, key=lambda key: [(each is None, "" if each is None else str(each)) for each in _plain(key)])
    settings = mix.settings
    rules = [rule_of(settings, key.source, key.language, key.bucket) for key in keys]
    weights = [mix.weights.get(key.source, 1.0) if key.source is not None else 1.0 for key in keys]
    available = [sum(counts[key]) for key in keys]  # with boundaries
    asked = plan(settings, available, weights, rules)
    total = max(asked.tokens.sum(), 1e-300)
    return [
        Group(
            key=key,
            stage=_stage(settings, key),
            documents=counts[key][0],
            tokens=counts[key][1],
            weight=float(asked.weights[i]),
            share=float(asked.shares[i]),
            repeats=_exact(asked.tokens[i] / available[i]) if available[i] else 0.0,
            capped=bool(asked.tokens[i] / total < asked.shares[i] * (1 - 1e-9)),
        )
        for i, key in enumerate(keys)
    ]


def _exact(repeats: float) -> float:
    """A number of repeats, as a whole number if it differs from one by rounding only."""
    return float(round(repeats)) if abs(repeats - round(repeats)) < 1e-9 * max(repeats, 1) else float(repeats)


def _plain(key: Key) -> tuple[Any, ...]:
    return key.source, key.language, key.bucket, key.length


def _stage(settings: MixSettings, key: Key) -> int:
    """The group's place in the curriculum."""
    match settings.order:
        case "mixed":
            return 0
        case "short-first" | "long-first":
            assert key.length is not None
            return key.length if settings.order == "short-first" else len(settings.lengths) - key.length
        case "low-first" | "high-first":
            assert settings.buckets is not None
            labels = settings.buckets.labels
            place = labels.index(str(key.bucket)) + 1
            place = 0 if place == len(labels) else place  # unknown is the lowest
            return place if settings.order == "low-first" else len(labels) - place
