"""vocabulary: what the tokenizer does with the corpus, beside the tokenizers that the recipe names as references.

One file of figures, `vocabulary/vocabulary.json`; the catalog shows it as tables.  It is made from all tokens and from
a sample of docs.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from corpusmill.belonging import digest_of_ids
from corpusmill.reasons import Stage
from corpusmill.stages.files import content_of
from corpusmill.stages.job import Job
from corpusmill.stages.stage import MadeFile, ReadTable, Singleton, Snapshot
from corpusmill.stages.tokenizer import SAMPLE_COLUMNS, docs_parts, encoder

if TYPE_CHECKING:
    import numpy.typing as npt


def _settings(job: Job) -> object:
    references = [(path, job.files[path]) for path in job.recipe.tokenizer.references]
    return [references, job.recipe.tokenizer.special_tokens_in_text]


def _make(job: Job, parts: Sequence[str], reader: Callable[[str], ReadTable]) -> MadeFile:
    import pyarrow as pa

    from corpusmill.filters.pii import mask
    from corpusmill.filters.settings import PiiSettings
    from corpusmill.tokenize.encode import Encoder
    from corpusmill.tokenize.sample import sample_texts
    from corpusmill.tokenize.study import SAMPLE_BYTES, count_tokens, study
    from corpusmill.tokenize.study_file import written

    in_text = job.recipe.tokenizer.special_tokens_in_text
    own = encoder(job.corpus, special_tokens_in_text=in_text)

    def ids() -> "Iterator[npt.NDArray[Any]]":
        for part in parts:
            for chunk in reader(part)(Stage.TOKENS, ("ids",))["ids"].chunks:
                yield chunk.flatten().to_numpy()

    def masked(texts: list[str]) -> list[str]:
        shown: list[str] = mask(pa.array(texts, pa.large_string()), PiiSettings())[0].to_pylist()
        return shown

    references = {
        path: Encoder(
            content_of(job.corpus, job.files[path]).decode("utf-8", "replace"), f"tokenizer.references: {path}"
        )
        for path in job.recipe.tokenizer.references
    }
    docs = docs_parts(job, parts)
    sample = list(sample_texts(docs, lambda part: reader(part)(Stage.DOCS, SAMPLE_COLUMNS), SAMPLE_BYTES, split=None))
    counts = count_tokens(ids(), own.vocab_size)
    rows = study(own, references, sample, counts, masked)
    receipts = Snapshot(job.corpus).stage(Stage.TOKENS)
    return MadeFile(
        content=written(rows, digest_of_ids({part: receipts[part] for part in parts})),
        rows_in=sum(receipts[part].rows_out for part in parts),
        bytes_in=sum(part.n_bytes for part in docs),
        counts={"sample_documents": len(sample)},
    )


VOCABULARY = Singleton(
    name=Stage.VOCABULARY,
    version=1,
    libraries=("tokenizers", "tiktoken", "gigatoken", "numpy"),
    settings=_settings,
    reads={Stage.DOCS: SAMPLE_COLUMNS, Stage.TOKENS: ("ids",)},
    singletons=(Stage.TOKENIZER,),
    make=_make,
    suffix="json",
    share_of_time=0.3,
)
