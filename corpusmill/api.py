"""The public Python interface: run a recipe, open a corpus, query it, iterate its token rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from corpusmill.belonging import whole
from corpusmill.corpus import Corpus, Place
from corpusmill.errors import InputError
from corpusmill.pipelines.supervise import Outcome, run
from corpusmill.reasons import Stage

if TYPE_CHECKING:
    import duckdb

__all__ = ["OpenCorpus", "Outcome", "TokenRow", "open", "run"]


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One document's tokens.  ids: uint16 or uint32 (number of tokens)."""

    doc_id: str
    source: str
    n_bytes: int  # of its text in UTF-8
    ids: npt.NDArray[np.uint16] | npt.NDArray[np.uint32]


class OpenCorpus(Corpus):
    """A corpus for reading."""

    def sql(self, query: str) -> "duckdb.DuckDBPyRelation":
        """A DuckDB relation over the catalog's views: pages, signals, ledger, twins, docs, tokens, urls, ..."""
        from corpusmill.reports.catalog import open_catalog

        return open_catalog(self.place).sql(query)

    def token_rows(self, split: str | None = None) -> Iterator[TokenRow]:
        """Every document's tokens in the order of the parts, or only those of the given `split`.

        InputError if they do not belong to the corpus's documents and tokenizer.  CorruptPartError if a part is
        damaged, or if a run has changed it since the first row was read.
        """
        for part, receipt in whole(self, Stage.TOKENS).items():
            columns = ["doc_id", "source", "split", "n_bytes", "ids"]
            table = self.read(Stage.TOKENS, part, columns, checksum=receipt.checksum)
            values = [table[name].to_pylist() for name in columns[:-1]]
            ids = table["ids"].combine_chunks()
            for row, (doc_id, source, its_split, n_bytes) in enumerate(zip(*values, strict=True)):
                if split is None or its_split == split:
                    yield TokenRow(doc_id, source, n_bytes, ids[row].values.to_numpy())

    def decode(self, row: TokenRow) -> str:
        """The text of a row's ids.  InputError if the tokens were made with another tokenizer."""
        from corpusmill.stages.tokenizer import encoder

        return encoder(self).decode(row.ids)


def open(place: Place) -> OpenCorpus:
    """The corpus in a folder, or at a URL; InputError if there is none."""
    corpus = OpenCorpus(place)
    if corpus.store.entry("recipe.toml") is None:
        raise InputError(f"{place}: not a corpus directory (it has no recipe.toml)")
    return corpus
