"""What each stage reads, which settings it depends on, and the function that makes a part of it.  No Beam here.

`advance` is the only place where a part is looked up, made or published, and `is_current` the only place where it is
decided whether it must be; so the driver's check "is there anything to do?" and the workers can't disagree.  Functions
of the stage packages are imported where they are called: deciding needs none of them.
"""

import hashlib
import time
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError
from typing import TYPE_CHECKING, BinaryIO, get_args

from corpusmill.collect.plan import Slice
from corpusmill.corpus import Made, Receipt, digest, library_version
from corpusmill.extensions import REGISTRY
from corpusmill.extract.content import MODEL
from corpusmill.pipelines.job import Job
from corpusmill.reasons import Stage
from corpusmill.recipe import Kind

if TYPE_CHECKING:
    import pyarrow as pa

Tables = dict[Stage, "pa.Table"]
Reads = dict[Stage, tuple[str, ...]]  # which columns of which stage's part; () for all
PARQUET = ("pyarrow", "numpy")
MASKING = ("numba", "tldextract")  # an e-mail address ends in a known top-level domain
EXTRACTOR_LIBRARIES = {"resiliparse": ("resiliparse",), "trafilatura": ("trafilatura", "justext", "lxml")}
WITHOUT_HTML = ("jsonl", "parquet", "markdown", "text")  # kinds of sources that no extractor of HTML sees


@dataclass(frozen=True, kw_only=True)
class PartStage:
    """A stage that makes one part from the parts of the same name before it."""

    version: int  # semantic: raised when the same input and settings give other output
    libraries: tuple[str, ...]
    make: "Callable[[Job, Slice, Tables], Made]"
    settings: Callable[[Job, Slice], object]
    reads: Callable[[Job], Reads] = field(default=lambda job: {})
    write: "Callable[[pa.Table, BinaryIO], None] | None" = None


def wanted(job: Job, piece: Slice, stage: Stage) -> str | None:
    """The fingerprint that the part must have; None if something that it is made from is not there yet."""
    spec = STAGES[stage]
    inputs: list[object] = []
    for upstream, columns in spec.reads(job).items():
        receipt = job.corpus.receipt(upstream, piece.part)
        if receipt is None or not set(columns) <= set(receipt.columns):
            return None
        inputs.append([upstream, {c: receipt.columns[c] for c in columns or receipt.columns}])
    if stage is Stage.TOKENS:
        vocabulary = job.corpus.read_json(job.corpus.folder / "tokenizer" / "receipt.json")
        if vocabulary is None:
            return None
        inputs.append(vocabulary["checksum"])
    versions = [unicodedata.unidata_version, *(library_version(name) for name in spec.libraries)]
    return digest(stage, spec.version, spec.settings(job, piece), versions, inputs)


def is_current(job: Job, piece: Slice, stage: Stage) -> bool:
    """Whether the part is there, made from what it would be made from now."""
    receipt = job.corpus.receipt(stage, piece.part)
    return receipt is not None and receipt.fingerprint == wanted(job, piece, stage)


def advance(job: Job, piece: Slice, stage: Stage) -> Receipt:
    """The receipt of a part, which is made and published first if it is not there as wanted."""
    started, spec = time.time(), STAGES[stage]
    fingerprint, receipt = wanted(job, piece, stage), job.corpus.receipt(stage, piece.part)
    assert fingerprint is not None, f"{stage} of {piece.part}: an input is missing"
    if receipt is not None and receipt.fingerprint == fingerprint:
        return receipt
    tables = {
        upstream: job.corpus.read(upstream, piece.part, list(columns) or None)
        for upstream, columns in spec.reads(job).items()
    }
    made = spec.make(job, piece, tables)
    return job.corpus.publish(stage, piece.part, made, fingerprint=fingerprint, started=started, write=spec.write)


def _row_for_row(table: "pa.Table", tables: Tables, counts: dict[str, int] | None = None) -> Made:
    """The books of a stage that makes one row of each row of its first input."""
    first = next(iter(tables.values()))
    size = sum(t.nbytes for t in tables.values())
    return Made(table=table, rows_in=first.num_rows, bytes_in=size, counts=counts or {})


# ---- pages ---------------------------------------------------------------------------------------------------------


def _pages(job: Job, piece: Slice, _: Tables) -> Made:
    import pyarrow.compute as pc

    from corpusmill.collect.pages import read_pages
    from corpusmill.extract.extractors import extractor

    settings = job.recipe.extract
    extract = extractor(settings.extractor, settings.format)
    table, others = read_pages(piece, job.source(piece.source), settings, extract)
    statuses = Counter(f"status_{status}" for status in table["status"].to_pylist())
    others_counted = {f"other_{kind}": n for kind, n in others.items()}
    size = pc.sum(table["n_bytes"]).as_py() or 0
    return Made(table=table, rows_in=table.num_rows, bytes_in=size, counts=dict(statuses) | others_counted)


def _page_settings(job: Job, piece: Slice) -> object:
    source, extract = job.source(piece.source), job.recipe.extract
    has_pages = piece.kind not in WITHOUT_HTML
    own_code = source.kind not in get_args(Kind) or (has_pages and extract.extractor in REGISTRY.extractors)
    where = [piece.files, piece.start, piece.end, piece.limit, piece.identity]
    how = [piece.kind, source.name, source.columns.model_dump(), source.licence, source.options]
    settings = extract.model_dump(exclude=None if has_pages else {"extractor", "format"})
    by = _extractor_versions(extract.extractor) if has_pages else []
    return [where, how, settings, by, job.module_digests() if own_code else []]


def _extractor_versions(extractor: str) -> list[str]:
    """What besides our code decides how a built-in extractor reads a page; nothing if it is not installed."""
    if extractor == "corpusmill":
        return [_model_digest()]
    try:
        return [library_version(name) for name in EXTRACTOR_LIBRARIES.get(extractor, ())]
    except PackageNotFoundError:
        return []  # the stage itself says so in one sentence


@cache
def _model_digest() -> str:
    """Identity of the trained model, without the imports that reading it takes."""
    return hashlib.blake2b(MODEL.read_bytes(), digest_size=16).hexdigest()


# ---- signals, verdicts, sketches -----------------------------------------------------------------------------------


def _signals(job: Job, _: Slice, tables: Tables) -> Made:
    from corpusmill.filters.signals import measure_pages

    return _row_for_row(measure_pages(tables[Stage.PAGES], job.recipe.pii, job.user_signals()), tables)


def _signal_reads(job: Job) -> Reads:
    """The user's signals may look at more than the text."""
    more = ("url", "title", "html_lang", "metadata", "n_bytes") if job.user_signals() else ()
    return {Stage.PAGES: ("doc_id", "text", *more)}


def _signal_settings(job: Job, _: Slice) -> object:
    return [job.recipe.pii.model_dump(), job.module_digests() if job.user_signals() else []]


def _verdicts(job: Job, _: Slice, tables: Tables) -> Made:
    from corpusmill.filters.rules import active_rules, judge_pages

    pages, rules = tables[Stage.PAGES], active_rules(job.recipe.filters)
    verdicts = judge_pages(pages["status"].combine_chunks(), tables[Stage.SIGNALS], rules)
    dropped = Counter(rule for rule in verdicts["rule"].to_pylist() if rule is not None)
    return _row_for_row(verdicts, tables, {f"dropped_{rule}": n for rule, n in dropped.items()})


def _verdict_settings(job: Job, _: Slice) -> object:
    from corpusmill.filters.profiles import PROFILES

    settings = job.recipe.filters
    return [settings.model_dump(), [rule.model_dump() for rule in PROFILES[settings.profile]]]


def _sketches(job: Job, _: Slice, tables: Tables) -> Made:
    import pyarrow as pa

    from corpusmill.dedup.sketch import sketch_documents
    from corpusmill.filters.pii import mask

    pages, settings = tables[Stage.PAGES], job.recipe.dedup
    if settings.enabled:
        final, _emails, _addresses = mask(pages["text"], job.recipe.pii)
    else:
        final = pa.nulls(pages.num_rows, pa.large_string())  # nothing to compare: every sketch is empty
    return _row_for_row(sketch_documents(pages["doc_id"], final, settings), tables)


def _sketch_settings(job: Job, _: Slice) -> object:
    settings = job.recipe.dedup.model_dump(exclude={"threshold"})
    return [settings, job.recipe.pii.model_dump()]


# ---- docs, tokens --------------------------------------------------------------------------------------------------


def _docs(job: Job, piece: Slice, tables: Tables) -> Made:
    from corpusmill.pipelines.documents import keep_documents

    return keep_documents(tables, job.recipe, weight=job.source(piece.source).weight)


def _doc_settings(job: Job, piece: Slice) -> object:
    recipe = job.recipe
    return [recipe.pii.model_dump(), recipe.split.model_dump(), job.source(piece.source).weight]


def _tokens(job: Job, _: Slice, tables: Tables) -> Made:
    from corpusmill.pipelines.vocabulary import encoder
    from corpusmill.tokenize.encode import encode_documents

    table = encode_documents(tables[Stage.DOCS], encoder(job.corpus))
    return _row_for_row(table, tables, {"tokens": sum(table["n_tokens"].to_pylist())})


def _write_tokens(table: "pa.Table", sink: BinaryIO) -> None:
    from corpusmill.tokenize.shards import write_parquet_tokens

    write_parquet_tokens(table, sink)


STAGES: dict[Stage, PartStage] = {
    Stage.PAGES: PartStage(
        version=2,
        libraries=(*PARQUET, "fastwarc", "zstandard", "numba", "chardetng-py", "webencodings"),
        make=_pages,
        settings=_page_settings,
    ),
    Stage.SIGNALS: PartStage(
        version=1,
        libraries=(*PARQUET, *MASKING, "fasttext-numpy2-wheel"),
        make=_signals,
        settings=_signal_settings,
        reads=_signal_reads,
    ),
    Stage.VERDICTS: PartStage(
        version=1,
        libraries=(*PARQUET, "duckdb"),
        make=_verdicts,
        settings=_verdict_settings,
        reads=lambda job: {Stage.PAGES: ("doc_id", "status"), Stage.SIGNALS: ()},
    ),
    Stage.SKETCHES: PartStage(
        version=1,
        libraries=(*PARQUET, *MASKING, "datasketch"),
        make=_sketches,
        settings=_sketch_settings,
        reads=lambda job: {Stage.PAGES: ("doc_id", "text")},
    ),
    Stage.DOCS: PartStage(
        version=1,
        libraries=(*PARQUET, *MASKING),
        make=_docs,
        settings=_doc_settings,
        reads=lambda job: {
            Stage.PAGES: ("doc_id", "source", "url", "licence", "title", "text"),
            Stage.SIGNALS: ("language",),
            Stage.VERDICTS: ("kept", "stage"),
            Stage.TWINS: ("doc_id",),
        },
    ),
    Stage.TOKENS: PartStage(
        version=1,
        libraries=(*PARQUET, "tokenizers", "tiktoken"),
        make=_tokens,
        settings=lambda job, piece: None,
        reads=lambda job: {Stage.DOCS: ("doc_id", "source", "split", "weight", "text")},
        write=_write_tokens,
    ),
}
