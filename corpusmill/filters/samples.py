"""A sample of each text, as the language model wants it: short, in one line, NFC, not shouted.

A text of at most SAMPLE_BYTES is its own sample.  A longer one gives SAMPLE_PIECES pieces, evenly spaced from its start
to its end.  A character that is cut at the edge of a piece is left out, white space is one space.

A kernel does this for nearly all texts.  It leaves to Python what may have to be brought into normal form C (which
lid.176 was trained on) and what is written mostly in capitals, which are lower-cased: lid.176 hardly knows words in
capitals.  Cost of the kernel: 2 to 3 microseconds a text; Python's way: 40.
"""

import re
import unicodedata
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.filters.characters import LETTER, N_CODE_POINTS, UPPERCASE, character_classes
from corpusmill.filters.traits import IS_LETTER, IS_SPACE, IS_SUSPECT, IS_UPPERCASE, character_traits
from corpusmill.filters.utf8 import character_at
from corpusmill.kernels import kernel

SAMPLE_BYTES = 768
SAMPLE_PIECES = 8

READY, FOR_PYTHON, NO_LETTERS = 0, 1, 2

_CHEROKEE = re.compile("[\uab70-\uabbf]+")  # small letters that hardly anybody uses

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


class Samples(NamedTuple):
    """Samples of n texts: sample i is the bytes data[starts[i]:ends[i]], empty for a text without letters."""

    data: Bytes
    starts: Places
    ends: Places


def samples_of(data: Bytes, starts: Places, ends: Places) -> Samples:
    """Samples of the texts data[starts[i]:ends[i]], which are UTF-8."""
    traits = character_traits()
    room = np.minimum(ends - starts, SAMPLE_BYTES + SAMPLE_PIECES)
    sample_starts = np.cumsum(room) - room
    made, sample_ends, states = np.empty(int(room.sum()), np.uint8), sample_starts.copy(), np.zeros(len(room), np.uint8)
    _take(data, starts, ends, traits, made, sample_starts, sample_ends, states)
    others: list[Bytes] = [made]
    size = len(made)
    for row in np.flatnonzero(states == FOR_PYTHON).tolist():
        sample = sample_of(data.data[starts[row] : ends[row]]).encode()
        others.append(np.frombuffer(sample, np.uint8))
        sample_starts[row], sample_ends[row] = size, size + len(sample)
        size += len(sample)
    return Samples(np.concatenate(others), sample_starts, sample_ends)


def sample_of(text: memoryview) -> str:
    """The sample of one text, in plain Python; empty for a text without letters."""
    if len(text) <= SAMPLE_BYTES:
        pieces = [text]
    else:
        length = SAMPLE_BYTES // SAMPLE_PIECES
        starts = ((len(text) - length) * piece // (SAMPLE_PIECES - 1) for piece in range(SAMPLE_PIECES))
        pieces = [text[start : start + length] for start in starts]
    sample = unicodedata.normalize("NFC", " ".join(str(piece, "utf-8", "ignore") for piece in pieces))
    sample = " ".join(sample.replace("\0", " ").split())
    codes = np.frombuffer(sample.encode("utf-32-le"), np.uint32)
    flags = character_classes()[codes[codes < N_CODE_POINTS]]
    letters = np.count_nonzero(flags & LETTER)
    if not letters:
        return ""
    return _small(sample) if 2 * np.count_nonzero(flags & UPPERCASE) > letters else sample


def _small(sample: str) -> str:
    """In small letters."""
    if "\u0130" in sample:  # the dotted capital I: then one without a dot is Turkish, too
        sample = sample.replace("I", "\u0131").replace("\u0130", "i")
    return _CHEROKEE.sub(lambda word: word[0].upper(), sample.lower())


@kernel
def _take(
    data: Bytes,
    starts: Places,
    ends: Places,
    traits: npt.NDArray[np.uint32],
    made: Bytes,
    sample_starts: Places,
    sample_ends: Places,
    states: npt.NDArray[np.uint8],
) -> None:
    for i in range(len(starts)):
        size = ends[i] - starts[i]
        long = size > SAMPLE_BYTES
        length = SAMPLE_BYTES // SAMPLE_PIECES if long else size
        to = sample_starts[i]
        letters = capitals = 0
        suspect = False
        for piece in range(SAMPLE_PIECES if long else 1):
            place = starts[i] + ((size - length) * piece // (SAMPLE_PIECES - 1) if long else 0)
            end = place + length
            while place < end and data[place] & 0xC0 == 0x80:  # of a character that starts before
                place += 1
            before = 0  # combining class
            if to > sample_starts[i] and made[to - 1] != 32:
                made[to] = 32
                to += 1
            while place < end:
                width, code = character_at(data, place, end)
                if width == 0:
                    break  # goes on after the piece
                trait = traits[code] if code < len(traits) else np.uint32(0)
                if trait & np.uint32(IS_SPACE):
                    if to > sample_starts[i] and made[to - 1] != 32:
                        made[to] = 32
                        to += 1
                else:
                    for k in range(width):
                        made[to + k] = data[place + k]
                    to += width
                letters += trait & np.uint32(IS_LETTER) != 0
                capitals += trait & np.uint32(IS_UPPERCASE) != 0
                now = int(trait >> np.uint32(8)) & 255
                suspect |= trait & np.uint32(IS_SUSPECT) != 0 or (now != 0 and now < before)
                before = now
                place += width
        if to > sample_starts[i] and made[to - 1] == 32:
            to -= 1
        if suspect or 2 * capitals > letters:
            states[i] = FOR_PYTHON
        elif letters == 0:
            states[i] = NO_LETTERS
            to = sample_starts[i]
        sample_ends[i] = to
