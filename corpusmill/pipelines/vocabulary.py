"""tokenizer: one vocabulary for the corpus, trained on a sample of all docs or taken as it is.  No Beam here.

The tokenizer is trained again when the documents change; a recipe that names a `tokenizer.path` freezes it, and then
adding or removing documents rewrites exactly the token parts whose documents change.
"""

import hashlib
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from corpusmill.corpus import Corpus, digest, library_version
from corpusmill.errors import InputError
from corpusmill.pipelines.job import Job
from corpusmill.reasons import Stage

if TYPE_CHECKING:
    from corpusmill.tokenize.encode import Encoder

VERSION = 1
SAMPLE_COLUMNS = ["doc_id", "split", "text"]  # the vocabulary is trained on the train split only


def fingerprint(job: Job, parts: Sequence[str]) -> str | None:
    """What the tokenizer must be made from; None if some documents are not there yet."""
    settings = job.recipe.tokenizer
    if settings.path is not None:
        return digest("tokenizer given", VERSION, _checksum(_given(job)))
    inputs = []
    for part in sorted(parts):
        receipt = job.corpus.receipt(Stage.DOCS, part)
        if receipt is None:
            return None
        inputs.append([part, [receipt.columns[name] for name in SAMPLE_COLUMNS]])
    return digest("tokenizer", VERSION, settings.model_dump(), library_version("tokenizers"), inputs)


def is_current(job: Job, parts: Sequence[str]) -> bool:
    """Whether the tokenizer is there, made from what it would be made from now."""
    receipt = job.corpus.read_json(_folder(job.corpus) / "receipt.json")
    return receipt is not None and receipt["fingerprint"] == fingerprint(job, parts)


def make(job: Job, parts: Sequence[str]) -> str:
    """Train or copy the tokenizer unless it is there as wanted; its checksum."""
    from corpusmill.tokenize.train import DocsPart, sample_texts, train_tokenizer

    started, folder, settings = time.time(), _folder(job.corpus), job.recipe.tokenizer
    receipt, wanted = job.corpus.read_json(folder / "receipt.json"), fingerprint(job, parts)
    if receipt is not None and receipt["fingerprint"] == wanted:
        return str(receipt["checksum"])
    if settings.path is not None:
        text = _given(job)
    else:
        receipts = [(part, job.corpus.receipt(Stage.DOCS, part)) for part in sorted(parts)]
        docs = [DocsPart(name=part, n_bytes=receipt.counts["text_bytes"]) for part, receipt in receipts if receipt]
        read = lambda part: job.corpus.read(Stage.DOCS, part, SAMPLE_COLUMNS)  # noqa: E731
        text = train_tokenizer(sample_texts(docs, read, settings.sample_bytes), settings)
    (folder / "receipt.json").unlink(missing_ok=True)
    job.corpus.write_text(folder / "tokenizer.json", text)
    checksum = _checksum(text)
    record = {
        "fingerprint": wanted,
        "checksum": checksum,
        "given": settings.path is not None,
        "seconds": round(time.time() - started, 3),
        "finished_at": round(time.time(), 3),
    }
    job.corpus.write_json(folder / "receipt.json", record)
    return checksum


def encoder(corpus: Corpus) -> "Encoder":
    """The corpus's tokenizer, loaded once a process."""
    text = (_folder(corpus) / "tokenizer.json").read_text("utf-8")
    return _encoder(text)


@lru_cache(maxsize=1)
def _encoder(text: str) -> "Encoder":
    from corpusmill.tokenize.encode import Encoder

    return Encoder(text)


def _folder(corpus: Corpus) -> Path:
    return corpus.folder / Stage.TOKENIZER


def _given(job: Job) -> str:
    """The text of the recipe's own tokenizer.json."""
    assert job.recipe.tokenizer.path is not None
    path = job.folder / job.recipe.tokenizer.path
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"tokenizer.path: {path} cannot be read: {error}") from error


def _checksum(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
