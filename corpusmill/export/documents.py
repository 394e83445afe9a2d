"""The token rows of a corpus for other programs: each document once, by split, in the order of the parts.

The mix of the recipe is not applied, because these programs mix and shuffle by themselves.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.belonging import whole
from corpusmill.corpus import Corpus
from corpusmill.draws import Ints
from corpusmill.errors import InputError
from corpusmill.export.figures import Figure
from corpusmill.export.formats import Request, Written
from corpusmill.loader.boundary import boundary_of
from corpusmill.reasons import Stage

SPLITS = ("train", "validation")


@dataclass(slots=True)
class Count:
    """What was written of a split."""

    documents: int = 0
    tokens: int = 0  # without boundaries


class Documents:
    """The documents of the corpus that is to be exported."""

    def __init__(self, request: Request) -> None:
        self.corpus, self.out, self._progress = Corpus(request.path), request.out, request.progress
        self._parts = whole(self.corpus, Stage.TOKENS)
        if not self._parts:
            raise InputError(f"{request.path}: has no tokens to export; make them with 'corpusmill run'")
        self.counts = {split: Count() for split in SPLITS}

    @cached_property
    def tokenizer(self) -> bytes:
        """tokenizer.json."""
        return self.corpus.read_file(Stage.TOKENIZER, Stage.TOKENIZER)

    @cached_property
    def _of_tokenizer(self) -> tuple[int, int]:
        return boundary_of(self.tokenizer, f"{self.corpus.place}/tokenizer/tokenizer.json")

    @property
    def boundary(self) -> int:
        """The token that other programs expect between documents."""
        return self._of_tokenizer[0]

    @property
    def vocab_size(self) -> int:
        """The number of ids."""
        return self._of_tokenizer[1]

    def tables(self) -> Iterator[tuple[str, pa.Table]]:
        """Split and documents of one part; they are counted."""
        for number, (part, receipt) in enumerate(self._parts.items(), 1):
            self._progress(f"part {number:,} of {len(self._parts):,}")
            table = self.corpus.read(Stage.TOKENS, part, checksum=receipt.checksum)
            for split in SPLITS:
                chosen = table.filter(pc.equal(table["split"], split)).combine_chunks()
                if len(chosen):
                    self.counts[split].documents += len(chosen)
                    self.counts[split].tokens += pc.sum(chosen["n_tokens"]).as_py()
                    yield split, chosen

    def written(self, **facts: object) -> Written:
        """Write what belongs to every format: tokenizer.json and corpus.json.  InputError if there was nothing."""
        if not any(count.documents for count in self.counts.values()):
            raise InputError(f"{self.corpus.place}: has no documents to export")
        (self.out / "tokenizer.json").write_bytes(self.tokenizer)
        told = {
            "boundary": self.boundary,
            "vocab_size": self.vocab_size,
            "splits": {split: asdict(count) for split, count in self.counts.items()},
            **facts,
        }
        Corpus(self.out).write_json("corpus.json", told)
        figures = [
            Figure(f"{split}_{name}", float(value))
            for split, count in self.counts.items()
            for name, value in asdict(count).items()
        ]
        return Written(figures=tuple(figures))


def joined(table: pa.Table, boundary: int, dtype: npt.DTypeLike, *, first: bool) -> tuple[npt.NDArray[np.int_], Ints]:
    """The ids of documents one after another, each with a boundary before or after it; and the length of each."""
    ids = table["ids"].combine_chunks()
    ids = ids.combine_chunks() if isinstance(ids, pa.ChunkedArray) else ids
    lengths = np.diff(ids.offsets.to_numpy()).astype(np.int64) + 1
    stream = np.full(int(lengths.sum()), boundary, dtype)
    is_text = np.ones(len(stream), np.bool_)
    ends = np.cumsum(lengths)
    is_text[ends - lengths if first else ends - 1] = False
    stream[is_text] = ids.flatten().to_numpy()
    return stream, lengths


def fits_16_bits(documents: Documents, format: str) -> None:
    """InputError if the format has no ids of this size."""
    if documents.vocab_size > 1 << 16:
        raise InputError(f"{format} holds ids of 16 bits, and the vocabulary has {documents.vocab_size:,} entries")
