"""How text is generated.  Imports no torch."""

import math
from dataclasses import dataclass

from corpusmill.errors import InputError


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampling:
    """How the next token is chosen, and where a text ends.

    The scores pass `repetition_penalty`, `temperature`, `top_k`, `top_p` and `min_p`, in this order.  With more than
    one beam, nothing is drawn, and only `repetition_penalty` changes the scores.

    InputError if a value is out of range.
    """

    max_tokens: int = 200
    temperature: float = 0.8  # 0: always the most likely token
    top_k: int = 0  # only so many of the most likely tokens can be drawn; 0: all
    top_p: float = 0.95  # only the most likely tokens that together have this probability
    min_p: float = 0.0  # only tokens with at least this share of the highest probability
    repetition_penalty: float = 1.0  # above 1: tokens of the prompt and of the text become less likely
    beams: int = 1  # texts that beam search follows
    length_penalty: float = 1.0  # beam search divides the log-probability of a text by its tokens to this power
    stop: tuple[str, ...] = ()  # the text ends before the first of these strings
    seed: int = 1  # every prompt is drawn with this seed, whatever stands beside it

    def __post_init__(self) -> None:
        """Check every value."""
        for fits, what in (
            (self.max_tokens >= 0, "max_tokens >= 0"),
            (0 <= self.temperature < math.inf, "a finite temperature >= 0"),
            (self.top_k >= 0, "top_k >= 0"),
            (0 < self.top_p <= 1, "0 < top_p <= 1"),
            (0 <= self.min_p <= 1, "0 <= min_p <= 1"),
            (0 < self.repetition_penalty < math.inf, "a finite repetition_penalty > 0"),
            (self.beams >= 1, "beams >= 1"),
            (-math.inf < self.length_penalty < math.inf, "a finite length_penalty"),
            (all(self.stop), "stop strings that are not empty"),
            (-(2**63) <= self.seed < 2**63, "a seed of 64 bits"),
        ):
            if not fits:
                raise InputError(f"generate needs {what}")
