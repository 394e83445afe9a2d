"""The guard: steps that would spoil the weights are skipped.

A step is skipped if its loss or its gradient is not finite, or if its loss is a spike: more than `spike_deviations`
standard deviations above the mean of the last 100 losses.  A skipped step uses its rows and its place in the schedule,
but does not change the weights.  So steps and documents stay in their relation.

After `max_skips` skipped steps in a row, the weights themselves are under suspicion.  Then weights and optimizers of
the last checkpoint return, and training goes on with the next rows.  After `max_rollbacks` of these, it ends.
"""

import math
import statistics
from collections import deque
from collections.abc import Iterable
from enum import Enum

from corpusmill.train.settings import GuardSettings

WINDOW = 100  # losses
FEWEST = 20  # losses from which a spike can be told


class Verdict(Enum):
    """What to do with a step."""

    USE = "use"
    SKIP = "skip"
    ROLL_BACK = "roll back"
    GIVE_UP = "give up"


class Guard:
    """Judges each step by its loss and the norm of its gradient."""

    def __init__(
        self,
        settings: GuardSettings,
        *,
        losses: Iterable[float] = (),
        in_a_row: int = 0,
        skipped: int = 0,
        rollbacks: int = 0,
    ) -> None:
        self._settings = settings
        self._losses = deque(losses, WINDOW)
        self.in_a_row, self.skipped, self.rollbacks = in_a_row, skipped, rollbacks

    def judge(self, loss: float, gradient_norm: float) -> Verdict:
        """The verdict on a step."""
        if math.isfinite(loss) and math.isfinite(gradient_norm) and not self._is_spike(loss):
            self._losses.append(loss)
            self.in_a_row = 0
            return Verdict.USE
        self.skipped += 1
        self.in_a_row += 1
        if self.in_a_row < self._settings.max_skips:
            return Verdict.SKIP
        self.in_a_row = 0
        self.rollbacks += 1
        return Verdict.ROLL_BACK if self.rollbacks <= self._settings.max_rollbacks else Verdict.GIVE_UP

    def state(self) -> dict[str, list[float] | int]:
        """What must be known to continue."""
        return {
            "losses": [*self._losses],
            "in_a_row": self.in_a_row,
            "skipped": self.skipped,
            "rollbacks": self.rollbacks,
        }

    def _is_spike(self, loss: float) -> bool:
        deviations = self._settings.spike_deviations
        if deviations is None or len(self._losses) < FEWEST:
            return False
        return loss > statistics.fmean(self._losses) + deviations * statistics.pstdev(self._losses)
