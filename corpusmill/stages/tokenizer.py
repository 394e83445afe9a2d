"""tokenizer: one vocabulary for the corpus, trained on a sample of all docs or taken from a file.

The tokenizer is trained again when the documents change.  A recipe that names a `tokenizer.path` freezes it.  Then
adding or removing documents changes only the token parts whose documents change.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from corpusmill.corpus import Corpus, checksum_of
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import MadeFile, ReadTable, Singleton, Snapshot

if TYPE_CHECKING:
    from corpusmill.tokenize.encode import Encoder
    from corpusmill.tokenize.sample import DocsPart

SAMPLE_COLUMNS = ("doc_id", "source", "language", "split", "text")
_LIBRARIES = {"unigram": ("tokenizers", "sentencepiece")}
_NOT_OF_TRAINING = {"path", "special_tokens_in_text", "references"}


def tokenizer(job: Job) -> Singleton:
    """The stage: the tokenizer is trained on docs, or given and independent of them."""
    is_given = job.recipe.tokenizer.path is not None
    return Singleton(
        name=Stage.TOKENIZER,
        version=3,
        libraries=() if is_given else _LIBRARIES.get(job.recipe.tokenizer.model, ("tokenizers",)),
        settings=(lambda job: ["given", checksum_of(_given(job))]) if is_given else _settings,
        reads={} if is_given else {Stage.DOCS: SAMPLE_COLUMNS},
        make=_take if is_given else _train,
        suffix="json",
        share_of_time=2.0,
    )


def _settings(job: Job) -> object:
    return job.recipe.tokenizer.model_dump(exclude=_NOT_OF_TRAINING)


def _take(job: Job, parts: Sequence[str], reader: Callable[[str], ReadTable]) -> MadeFile:
    return MadeFile(content=_given(job))


def _train(job: Job, parts: Sequence[str], reader: Callable[[str], ReadTable]) -> MadeFile:
    from corpusmill.tokenize.sample import sample_texts
    from corpusmill.tokenize.train import train_tokenizer

    docs, settings = docs_parts(job, parts), job.recipe.tokenizer
    sample = sample_texts(
        docs, lambda part: reader(part)(Stage.DOCS, SAMPLE_COLUMNS), settings.sample_bytes, settings.sample_balance
    )
    counts = {"sample_documents": 0, "sample_bytes": 0}

    def texts() -> Iterator[str]:
        for _, text in sample:
            counts["sample_documents"] += 1
            counts["sample_bytes"] += len(text.encode())
            yield text

    trained = train_tokenizer(texts(), settings)
    rows = sum(receipt.rows_out for receipt in Snapshot(job.corpus).stage(Stage.DOCS).values())
    return MadeFile(content=trained.encode(), rows_in=rows, bytes_in=sum(part.n_bytes for part in docs), counts=counts)


def docs_parts(job: Job, parts: Sequence[str]) -> "list[DocsPart]":
    """The parts of docs, as the sample of their texts needs them."""
    from corpusmill.tokenize.sample import DocsPart

    receipts = Snapshot(job.corpus).stage(Stage.DOCS)
    names = sorted((source.name for source in job.recipe.sources), key=len, reverse=True)
    return [
        DocsPart(
            name=part,
            n_bytes=receipts[part].counts["text_bytes"],
            source=next((name for name in names if part.startswith(f"{name}-")), ""),
        )
        for part in parts
    ]


def _given(job: Job) -> bytes:
    """The tokenizer.json that the recipe names."""
    assert job.recipe.tokenizer.path is not None
    path = job.folder / job.recipe.tokenizer.path
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"tokenizer.path: {path} cannot be read: {error.strerror}") from error


def encoder(corpus: Corpus, *, special_tokens_in_text: bool = False) -> "Encoder":
    """The corpus's tokenizer, loaded once per process.  CorruptPartError if it is not the published one."""
    definition = corpus.read_file(Stage.TOKENIZER, Stage.TOKENIZER)
    return _encoder(definition, corpus.place, special_tokens_in_text)


@lru_cache(maxsize=1)
def _encoder(definition: bytes, where: str, special_tokens_in_text: bool) -> "Encoder":
    from corpusmill.tokenize.encode import Encoder

    where = f"{where}: tokenizer.json"
    try:
        return Encoder(definition.decode("utf-8"), where, special_tokens_in_text=special_tokens_in_text)
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not UTF-8: {error}") from None
