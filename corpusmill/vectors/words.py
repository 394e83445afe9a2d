"""Word vectors in use: neighbours, analogies, similarities, and the score of a test set.

models/NAME/
words.json             the words, the most frequent first, and their counts
vectors.safetensors    `vectors`: float32 (words, size)
receipt.json           written last: settings and identity
metrics.parquet        scores of test sets (`schema.METRICS`), once there are any
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.store import full_disk_is_a_run_error

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A word and its cosine similarity."""

    word: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Score:
    """How a test set was answered."""

    score: float  # share of right analogies, or Spearman's correlation of similarities
    n_used: int
    n_unknown: int  # lines with a word that has no vector


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors (words, size), the most frequent word first."""

    words: list[str]
    vectors: Floats

    @classmethod
    def load(cls, folder: str | Path) -> "WordVectors":
        """The vectors in a folder; InputError if there are none, or if they are damaged."""
        path = Path(folder)
        try:
            words = json.loads((path / "words.json").read_text("utf-8"))["words"]
            return cls(list(words), load_file(path / "vectors.safetensors")["vectors"])
        except FileNotFoundError as error:
            raise InputError(
                f"{path}: has no word vectors, because it has no {Path(str(error.filename)).name}"
            ) from None
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise InputError(f"{path}: its word vectors are damaged: {error}") from error

    @cached_property
    def _index(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}

    @cached_property
    def _units(self) -> Floats:
        """The vectors with length 1."""
        units: Floats = self.vectors / np.maximum(np.linalg.norm(self.vectors, axis=1, keepdims=True), 1e-12)
        return units

    def __contains__(self, word: str) -> bool:
        return word.lower() in self._index

    def vector(self, word: str) -> Floats:
        """The vector of a word, with length 1; InputError if it has none."""
        number = self._index.get(word.lower())
        if number is None:
            raise InputError(f"'{word}' has no vector; the corpus has this word too rarely or never")
        vector: Floats = self._units[number]
        return vector

    def neighbours(self, word: str, n: int = 10) -> list[Neighbour]:
        """The words whose vectors have the smallest angle to that of a word."""
        return self._nearest(self.vector(word), {word.lower()}, n)

    def analogy(self, a: str, b: str, c: str, n: int = 10) -> list[Neighbour]:
        """What is to `c` as `b` is to `a`: the words nearest to b - a + c (3CosAdd, Mikolov et al. 2013)."""
        return self._nearest(self.vector(b) - self.vector(a) + self.vector(c), {a.lower(), b.lower(), c.lower()}, n)

    def similarity(self, a: str, b: str) -> float:
        """The cosine of the angle between the vectors of two words."""
        return float(self.vector(a) @ self.vector(b))

    def score_analogies(self, questions: Sequence[tuple[str, str, str, str]]) -> Score:
        """The share of questions `a b c d` with d as the first answer.  Questions with unknown words are left out."""
        known = [question for question in questions if all(word in self for word in question)]
        right = sum(self.analogy(a, b, c, 1)[0].word == d.lower() for a, b, c, d in known)
        return Score(right / len(known) if known else 0.0, len(known), len(questions) - len(known))

    def score_similarities(self, pairs: Sequence[tuple[str, str, float]]) -> Score:
        """Spearman's correlation of cosines and given similarities.  Pairs with unknown words are left out."""
        known = [(a, b, given) for a, b, given in pairs if a in self and b in self]
        cosines = _ranks(np.array([self.similarity(a, b) for a, b, _ in known]))
        given = _ranks(np.array([value for *_, value in known]))
        varied = len(known) > 1 and bool(cosines.std() and given.std())
        return Score(float(np.corrcoef(cosines, given)[0, 1]) if varied else 0.0, len(known), len(pairs) - len(known))

    def _nearest(self, vector: Floats, without: set[str], n: int) -> list[Neighbour]:
        cosines = self._units @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        found = []
        for number in np.argsort(-cosines, kind="stable"):
            if self.words[number] not in without:
                found.append(Neighbour(self.words[number], float(cosines[number])))
                if len(found) == n:
                    break
        return found


def _ranks(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The rank of each value; equal values share their mean rank."""
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean: npt.NDArray[np.float64] = (np.cumsum(counts) - (counts - 1) / 2)[which]
    return mean


def score_file(vectors: WordVectors, path: Path) -> Score:
    """The score of a test set: lines `A B C D` are analogies, lines `A B NUMBER` are similarities.

    Lines that begin with `:` or `#` are titles or comments.  InputError if the file mixes both, or has other lines, or
    if too few lines have words with vectors.
    """
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text in UTF-8") from None
    lines = [line.split() for line in text.splitlines() if line.strip() and line[0] not in ":#"]
    score, least = _score_lines(vectors, lines, path)
    if score.n_used < least:
        raise InputError(
            f"{path}: {score.n_used} of {len(lines)} lines have words with vectors, and a score needs at least {least}"
        )
    return score


def _score_lines(vectors: WordVectors, lines: list[list[str]], path: Path) -> tuple[Score, int]:
    """The score, and the number of lines that it needs: one analogy, or two similarities."""
    lengths = {len(line) for line in lines}
    if lengths == {4}:
        return vectors.score_analogies([(a, b, c, d) for a, b, c, d in lines]), 1
    try:
        return vectors.score_similarities([(a, b, float(number)) for a, b, number in lines]), 2
    except ValueError:
        raise InputError(f"{path}: every line must have four words, or every line two words and a number") from None


def record_score(folder: Path, test: Path, score: Score) -> None:
    """Note the score of a test set among the metrics of the model, in place of an earlier one of the same file."""
    path, metric = folder / "metrics.parquet", f"score of {test.name}"
    rows = pq.read_table(path).to_pylist() if path.exists() else []
    kept = [row for row in rows if row["metric"] != metric]
    row = {"step": 0, "seconds": 0.0, "tokens": 0, "metric": metric, "source": None, "value": score.score}
    temporary = folder / f".metrics.{uuid.uuid4().hex}.tmp"
    with full_disk_is_a_run_error(folder):
        pq.write_table(pa.Table.from_pylist([*kept, row], schema=schema.METRICS.arrow), temporary, compression="zstd")
        temporary.rename(path)
