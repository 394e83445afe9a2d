"""Decide where a character that may be an operator (`corpusmill.dedup.fold`) is one: kernels over UTF-8 bytes."""

import numpy as np
import numpy.typing as npt

from corpusmill.dedup.fold import (
    BANG,
    BAR,
    BEYOND_HAN,
    LETTER_BITS,
    OPERATOR,
    SEPARATOR,
    SIGN,
    SKIPPED,
    SLASH,
    STAR,
    TABLE_SIZE,
)
from corpusmill.kernels import kernel

U8 = npt.NDArray[np.uint8]
U32 = npt.NDArray[np.uint32]

LONGEST_RUN = 3  # of one operator; a longer run is a drawn line
INDENTATION = 64  # the start of a line is searched at most this many bytes before an operator
NEWLINE, SPACE, DOLLAR, OPEN, CLOSE, DOT = 0x0A, 0x20, 0x24, 0x28, 0x29, 0x2E
HYPHEN, ZERO, NINE, EQUALS, OPEN_SQUARE, CLOSE_SQUARE, UNDERSCORE = 0x2D, 0x30, 0x39, 0x3D, 0x5B, 0x5D, 0x5F


@kernel
def count_operators(data: U8, start: int, i: int, end: int, fold: U32) -> tuple[int, int]:
    """The number of operators in the run of one ASCII character at i in the text data[start:end], and the run's end."""
    stop = i + 1
    while stop < end and data[stop] == data[i]:
        stop += 1
    run, flags = stop - i, np.int64(fold[data[i]])
    space_after = stop == end or data[stop] <= SPACE
    if run > LONGEST_RUN or (space_after and _begins_line(data, start, i, fold)):
        return 0, stop
    if flags & SIGN:
        return int(run == 1 and is_sign(data, start, i, stop, end, fold)), stop
    if flags & BANG:
        before_operand = not space_after and (_is_word_byte(data[stop]) or data[stop] == OPEN)
        is_negation = before_operand and not _ends_operand(data, start, i, fold)
        return run if is_negation or (not space_after and data[stop] == EQUALS) else 0, stop
    if flags & (STAR | BAR | SLASH):
        space_before = i == start or data[i - 1] <= SPACE
        if space_before != space_after:
            return 0, stop
        if space_before:
            return run if flags & BAR == 0 or run == 2 else 0, stop
        after_bracket = data[i - 1] == CLOSE or data[i - 1] == CLOSE_SQUARE
        before_bracket = data[stop] == OPEN or data[stop] == OPEN_SQUARE
        if flags & SLASH:
            return run if after_bracket or before_bracket else 0, stop
        between = (after_bracket or _is_word_byte(data[i - 1])) and (before_bracket or _is_word_byte(data[stop]))
        return run if between else 0, stop
    return run, stop


@kernel
def is_sign(data: U8, start: int, i: int, stop: int, end: int, fold: U32) -> bool:
    """Whether the hyphen data[i:stop] is a sign: before a number, and after nothing that it could join to it."""
    if stop < end and data[stop] == DOLLAR:
        stop += 1
    if stop + 1 < end and data[stop] == DOT:
        stop += 1
    is_digit = stop < end and ZERO <= data[stop] <= NINE
    if not is_digit and stop + 2 < end and data[stop] == 0xEF and data[stop + 1] == 0xBC:
        is_digit = 0x90 <= data[stop + 2] <= 0x99  # full-width digits
    return is_digit and not _ends_operand(data, start, i, fold) and (i == start or data[i - 1] != HYPHEN)


@kernel
def _begins_line(data: U8, start: int, i: int, fold: U32) -> bool:
    """Whether only white space and other operators come before data[i] in its line."""
    first = max(start, i - INDENTATION)
    while i > first and data[i - 1] < 0x80 and data[i - 1] != NEWLINE:
        if data[i - 1] > SPACE and np.int64(fold[data[i - 1]]) & OPERATOR == 0:
            break
        i -= 1
    return i == start or data[i - 1] == NEWLINE


@kernel
def _ends_operand(data: U8, start: int, i: int, fold: U32) -> bool:
    """Whether data[i] follows a letter, a digit or a closing bracket."""
    if i == start:
        return False
    byte = int(data[i - 1])
    if byte < 0x80:
        return byte in (CLOSE, CLOSE_SQUARE) or _is_word_byte(byte)
    code, shift, j = 0, 0, i - 1
    while j > start and data[j] & 0xC0 == 0x80:
        code |= int(data[j] & 0x3F) << shift
        shift += 6
        j -= 1
    code |= int(data[j] & (0x3F >> shift // 6)) << shift
    if code >= TABLE_SIZE:
        return code < BEYOND_HAN
    entry = int(fold[code])
    return entry & OPERATOR == 0 and entry != SKIPPED and entry & LETTER_BITS != SEPARATOR


@kernel
def _is_word_byte(byte: int) -> bool:
    """Whether a byte is an ASCII letter, a digit or the underscore."""
    return ZERO <= byte <= NINE or 0x41 <= byte <= 0x5A or 0x61 <= byte <= 0x7A or byte == UNDERSCORE
