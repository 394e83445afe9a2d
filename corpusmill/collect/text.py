r"""The normal form of text: every corpus stores text in this form, from any input.

- Line ends of every kind become "\n": CR LF, CR, VT, FF, NEL, the separators U+001C..1E, U+2028, U+2029.
- Other control characters, noncharacters, byte order marks and soft hyphens are dropped.  None of them is visible on a
  page, so dropping them neither joins nor splits words.  U+001F, a separator, becomes a space.
- Invisible characters with a meaning stay: ZWJ and ZWNJ (Persian, Indic scripts, emoji), the zero-width space that ends
  words in Khmer or Thai, marks of writing direction, the no-break space.
- Lone surrogates become U+FFFD.
- Unicode's form NFC: canonically equivalent texts become the same text.  So deduplication finds them as duplicates, and
  the tokenizer gives them the same tokens.  It would split decomposed Vietnamese, Korean or Yoruba into marks.  NFC
  keeps all kinds of spaces.  A disadvantage is that CJK compatibility ideographs become the unified ones.

Cost: 110-260 MB/s; 40 MB/s for Hindi and Vietnamese, whose marks require a full normalisation instead of a quick check.
    The time of Python's NFC grows with the square of the number of combining marks in a row (80,000 marks: 5 s).  So
    long runs of marks are sorted first.
"""

import re
import unicodedata
from functools import cache

import numpy as np
import numpy.typing as npt

from corpusmill.collect.columns import encodable

_SPECIAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u2028\u2029\ufeff\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe\U0001ffff\U0010fffe\U0010ffff]"
)
_SPECIAL_IN_ASCII = bytes([*range(9), *range(0x0B, 0x20), 0x7F])
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_LONG_RUN = 32  # marks; no language needs more than 30 on a letter (UAX #15, Stream-Safe Text Format)
_END_OF_MARKS = 0x1E94B  # no combining mark has this code or a higher one
_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """The text in normal form; see the module."""
    if text.isascii():
        raw = text.encode()
        if len(raw.translate(None, _SPECIAL_IN_ASCII)) == len(raw):  # 40 times as fast as the pattern
            return text
    if _SPECIAL.search(text):
        text = _LINE_ENDS.sub("\n", text).replace("\x1f", " ")
        text = _SPECIAL.sub("", text)
    text = encodable(text)
    if not text.isascii() and _has_long_run(text):
        text = _long_runs().sub(_in_order, text)
    return unicodedata.normalize("NFC", text)


def _has_long_run(text: str) -> bool:
    """Whether _LONG_RUN combining marks follow each other."""
    # whether a run of length 1 starts at each character
    runs = _are_marks().take(np.frombuffer(text.encode("utf-32-le"), np.uint32), mode="clip")
    length = 1
    while length < _LONG_RUN:
        runs = runs[:-length] & runs[length:]
        length *= 2
    return bool(runs.any())


def _in_order(marks: re.Match[str]) -> str:
    """Marks in canonical order, the order of NFC.  NFC itself takes time with the square of a run's length."""
    decomposed = "".join(unicodedata.normalize("NFD", mark) for mark in marks[0])
    return "".join(sorted(decomposed, key=unicodedata.combining))


@cache
def _are_marks() -> npt.NDArray[np.bool_]:
    return np.array([unicodedata.combining(chr(code)) > 0 for code in range(_END_OF_MARKS + 1)])


@cache
def _long_runs() -> re.Pattern[str]:
    return re.compile(f"[{''.join(map(chr, np.flatnonzero(_are_marks())))}]{{{_LONG_RUN},}}")


def one_line(text: str | None) -> str | None:
    """A title or a similar short text: normal form on one line, None if nothing is left."""
    return _SPACES.sub(" ", normalise(text)).strip() or None if text is not None else None
