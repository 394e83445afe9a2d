"""From tokens to text, in whole characters, up to a stop string."""

from collections.abc import Iterable
from enum import StrEnum

from tokenizers import Tokenizer
from tokenizers.decoders import DecodeStream


class Finish(StrEnum):
    """Why a text ended."""

    END = "end"  # the model ended it
    LENGTH = "length"  # max_tokens
    STOP = "stop"  # a stop string


class StopStrings:
    """Text in pieces, up to the first stop string, which may begin in one piece and end in another.

    The stop string that is complete first counts; of several that are complete at the same place, the longest.  So the
    result does not depend on the pieces.  Text that can be the beginning of a stop string is held back.
    """

    def __init__(self, strings: Iterable[str]) -> None:
        self._strings, self._held = tuple(strings), ""
        self.found = False

    def add(self, piece: str) -> str:
        """The text that is safe to show after this piece."""
        text, self._held = self._held + piece, ""
        ends = [(at + len(each), at) for each in self._strings if (at := text.find(each)) >= 0]
        if ends:
            self.found = True
            return text[: min(ends)[1]]
        held = max((_begun(text, each) for each in self._strings), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held]

    def rest(self) -> str:
        """The text that was held back, after the last piece."""
        rest, self._held = self._held, ""
        return rest


def _begun(text: str, string: str) -> int:
    """The number of characters at the end of the text that are the beginning of the string."""
    return next((n for n in range(min(len(string) - 1, len(text)), 0, -1) if text.endswith(string[:n])), 0)


class Writer:
    """The text of one row while it is written."""

    def __init__(
        self, tokenizer: Tokenizer, prompt: Iterable[int], stop: Iterable[str], *, shows_special: bool
    ) -> None:
        """`prompt` are the tokens that the text continues: spaces may depend on them."""
        self._tokenizer, self._stops = tokenizer, StopStrings(stop)
        self._decoder = DecodeStream(skip_special_tokens=not shows_special)
        for id_ in prompt:
            self._decoder.step(tokenizer, id_)

    @property
    def stopped(self) -> bool:
        """Whether a stop string was written."""
        return self._stops.found

    def add(self, id_: int) -> str:
        """The characters that are complete and safe to show after this token."""
        return self._stops.add(self._decoder.step(self._tokenizer, id_) or "")

    def rest(self) -> str:
        """What is left to show at the end.  A character that is still incomplete is left out."""
        return "" if self.stopped else self._stops.rest()
