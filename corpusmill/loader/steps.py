"""Steps of a training loop: which rows each rank takes, and where to go on."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from corpusmill.draws import Ints
from corpusmill.errors import InputError
from corpusmill.loader.rows import Position, RowDocument, Rows


@dataclass(frozen=True, slots=True)
class State:
    """Where a training is: everything that is needed to go on, with any number of ranks and workers."""

    fingerprint: str  # of manifest, seed, row length, window and packing
    epoch: int
    row: int  # of the epoch, that comes next

    def as_json(self) -> dict[str, Any]:
        """For a checkpoint."""
        return asdict(self)


class Steps:
    """The rows of a rank, step by step, without end.

    rows_per_step: of all ranks together, so that another number of ranks takes the same rows in each step.  Rank r of n
    takes the rows from r * rows_per_step // n on.
    """

    def __init__(
        self,
        rows: Rows,
        *,
        rows_per_step: int,
        rank: int = 0,
        ranks: int = 1,
        state: State | Mapping[str, Any] | None = None,
    ) -> None:
        """InputError if the state is of other rows: of another corpus, mix, seed or row length."""
        if not 0 <= rank < ranks <= rows_per_step:
            raise InputError(f"rank {rank} of {ranks} cannot take a part of {rows_per_step} rows per step")
        self.rows, self.rows_per_step, self.rank, self.ranks = rows, rows_per_step, rank, ranks
        self._start = Position()
        if state is not None:
            found = state if isinstance(state, State) else State(**state)
            if found.fingerprint != rows.fingerprint:
                raise InputError(
                    "the state belongs to other rows: the corpus, its mix, the seed, the row length or the packing "
                    "has changed; start again, or load the corpus as it was"
                )
            self._start = Position(found.epoch, found.row)

    def state(self, steps: int) -> State:
        """The state after so many steps of this object."""
        at = self._at(steps)
        return State(self.rows.fingerprint, at.epoch, at.row)

    def step(self, number: int) -> Ints:
        """The rows of this rank in a step, from 0: (rows, row_length + 1)."""
        return self.rows.take(self._at(number), self.rows_per_step, rank=self.rank, ranks=self.ranks)

    def documents(self, number: int) -> list[RowDocument]:
        """The documents of a step, of all ranks."""
        return self.rows.documents(self._at(number), self.rows_per_step)

    def _at(self, number: int) -> Position:
        return self.rows.advance(self._start, number * self.rows_per_step)

    def __iter__(self) -> Iterator[Ints]:
        number = 0
        while True:
            yield self.step(number)
            number += 1
