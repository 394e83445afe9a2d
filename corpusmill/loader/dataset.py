"""A torch dataset of steps, for `DataLoader` and torchdata's `StatefulDataLoader`, with any number of workers.

    loader = DataLoader(StepDataset(steps), batch_size=None, num_workers=2)

The dataset makes whole batches, so `batch_size` is None.  Worker w of n makes the steps w, w + n, w + 2 n, ..., and the
loader takes turns.  So the batches do not depend on the number of workers.  Every worker reads all windows.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from corpusmill.errors import InputError
from corpusmill.loader.steps import Steps


class StepDataset(IterableDataset[torch.Tensor]):
    """The steps of a rank, as tensors (rows, row_length + 1) of int64.

    n_steps: end after so many steps; by default there is no end.

    To go on with another number of ranks or workers, keep `steps.state(number of steps done)`.  `StatefulDataLoader`
    keeps a state of each worker, and goes on with the same number of workers.
    """

    def __init__(self, steps: Steps, n_steps: int | None = None) -> None:
        self._steps, self._n_steps = steps, n_steps
        self._next: int | None = None  # step of this process

    def __iter__(self) -> Iterator[torch.Tensor]:
        worker = get_worker_info()
        first, every = (0, 1) if worker is None else (worker.id, worker.num_workers)
        number, self._next = first if self._next is None else self._next, None
        while self._n_steps is None or number < self._n_steps:
            ids = torch.from_numpy(self._steps.step(number))
            number += every
            self._after = number
            yield ids

    _after: int | None = None

    def state_dict(self) -> dict[str, Any]:
        """The state of this worker after the batch that it made last."""
        first = get_worker_info()
        start = 0 if first is None else first.id
        number = self._next if self._next is not None else self._after
        return {"fingerprint": self._steps.rows.fingerprint, "step": start if number is None else number}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after that batch.  InputError if the state is of other rows."""
        if state["fingerprint"] != self._steps.rows.fingerprint:
            raise InputError("the state belongs to other rows; start again, or load the corpus as it was")
        self._next = state["step"]
