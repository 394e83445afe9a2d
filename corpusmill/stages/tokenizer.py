"""tokenizer: one vocabulary for the corpus, trained on a sample of all docs or taken as it is.

The tokenizer is trained again when the documents change; a recipe that names a `tokenizer.path` freezes it, and then
adding or removing documents rewrites exactly the token parts whose documents change.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from corpusmill.corpus import Corpus, checksum_of
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import MadeFile, ReadTable, Singleton, Snapshot

if TYPE_CHECKING:
    from corpusmill.tokenize.encode import Encoder

SAMPLE_COLUMNS = ("doc_id", "split", "text")  # the vocabulary is trained on the train split only


def tokenizer(job: Job) -> Singleton:
    """The stage: trained on docs, or given and independent of them."""
    is_given = job.recipe.tokenizer.path is not None
    return Singleton(
        name=Stage.TOKENIZER,
        version=2,
        libraries=() if is_given else ("tokenizers",),
        settings=(lambda job: ["given", checksum_of(_given(job))]) if is_given else _settings,
        reads={} if is_given else {Stage.DOCS: SAMPLE_COLUMNS},
        make=_take if is_given else _train,
        suffix="json",
        share_of_time=2.0,
    )


def _settings(job: Job) -> object:
    return job.recipe.tokenizer.model_dump()


def _take(job: Job, parts: Sequence[str], reader: Callable[[str], ReadTable]) -> MadeFile:
    return MadeFile(content=_given(job))


def _train(job: Job, parts: Sequence[str], reader: Callable[[str], ReadTable]) -> MadeFile:
    from corpusmill.tokenize.train import DocsPart, sample_texts, train_tokenizer

    receipts = Snapshot(job.corpus).stage(Stage.DOCS)
    docs = [DocsPart(name=part, n_bytes=receipts[part].counts["text_bytes"]) for part in parts]
    settings = job.recipe.tokenizer
    texts = sample_texts(docs, lambda part: reader(part)(Stage.DOCS, SAMPLE_COLUMNS), settings.sample_bytes)
    text = train_tokenizer(texts, settings)
    rows = sum(receipts[part].rows_out for part in parts)
    return MadeFile(content=text.encode(), rows_in=rows, bytes_in=sum(part.n_bytes for part in docs))


def _given(job: Job) -> bytes:
    """The recipe's own tokenizer.json."""
    assert job.recipe.tokenizer.path is not None
    path = job.folder / job.recipe.tokenizer.path
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"tokenizer.path: {path} cannot be read: {error.strerror}") from error


def encoder(corpus: Corpus) -> "Encoder":
    """The corpus's tokenizer, loaded once in a process.  CorruptPartError if it is not what was published."""
    return _encoder(corpus.read_file(Stage.TOKENIZER, Stage.TOKENIZER), corpus.place)


@lru_cache(maxsize=1)
def _encoder(definition: bytes, where: str) -> "Encoder":
    from corpusmill.tokenize.encode import Encoder

    where = f"{where}: tokenizer.json"
    try:
        return Encoder(definition.decode("utf-8"), where)
    except UnicodeDecodeError as error:
        raise InputError(f"{where}: is not UTF-8: {error}") from None
