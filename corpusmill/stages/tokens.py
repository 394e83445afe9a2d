"""tokens: the documents as token ids."""

from typing import TYPE_CHECKING, BinaryIO

from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, PerPart, Tables, in_schema, row_for_row
from corpusmill.stages.tokenizer import encoder

if TYPE_CHECKING:
    import pyarrow as pa


def _encode(job: Job, tables: Tables) -> Made:
    from corpusmill.tokenize.encode import encode_documents, proof_of

    in_text = job.recipe.tokenizer.special_tokens_in_text
    docs, own = tables[Stage.DOCS], encoder(job.corpus, special_tokens_in_text=in_text)
    proof = proof_of(docs, own)
    table = encode_documents(docs, own)
    return row_for_row(table, tables, {"tokens": sum(table["n_tokens"].to_pylist()), **proof.counts()})


def _write(table: "pa.Table", sink: BinaryIO) -> None:
    from corpusmill.tokenize.shards import write_parquet_tokens

    write_parquet_tokens(table, sink)


TOKENS = PerPart(
    name=Stage.TOKENS,
    version=6,
    libraries=(*ARROW, "tokenizers", "tiktoken", "gigatoken"),
    settings=lambda job: job.recipe.tokenizer.special_tokens_in_text,
    reads={Stage.DOCS: ("doc_id", "source", "language", "split", "text")},
    singletons=(Stage.TOKENIZER,),
    make=_encode,
    write=_write,
    table=in_schema("TOKENS"),
    share_of_time=0.5,
)
