"""`white_space` at work, line by line: its end is searched, and what it holds is copied.

    line breaks      CR LF, CR, vertical tab, form feed, U+001C to U+001E, U+0085, U+2028 and U+2029 become newlines
    spaces           U+00A0, U+2000 to U+200A, U+202F and U+205F become spaces; the ideographic space U+3000 stays
    trailing blanks  white space at the end of a line goes; a line of nothing else is a blank line
    blank lines      no more in a row than the settings allow, and none at the ends of the text

What stands at the start of a line and between its words is left alone, so the indentation of code and the columns of
tables stay, in Markdown and in plain text.  Code may hold more blank lines in a row than the settings allow; it loses
them, too.
"""

import numpy as np
import pyarrow as pa

from corpusmill.arrow import Bytes, Utf8Column
from corpusmill.filters.edits.kernels.lines import Places, strings
from corpusmill.filters.edits.white_space import WhiteSpace
from corpusmill.kernels import inner_kernel, kernel

NEWLINE, TAB, RETURN, SPACE, UNIT_SEPARATOR = 0x0A, 0x09, 0x0D, 0x20, 0x1F
OTHER, BLANK, ODD_BLANK, BREAK = range(4)  # kinds of characters; an odd blank is one that becomes a space


def tidy(texts: pa.Array, settings: WhiteSpace) -> pa.Array:
    """Texts (n) with white space in one form."""
    column = Utf8Column.of(texts)
    out = np.empty(int(column.offsets[-1] - column.offsets[0]) + 1, np.uint8)
    offsets = np.zeros(len(column.offsets), np.int64)
    wanted = settings.line_breaks, settings.spaces, settings.trailing, settings.max_blank_lines
    _tidy(column.data, column.offsets, *wanted, out, offsets)
    return strings(out, offsets, texts)


@inner_kernel
def _kind_and_width(data: Bytes, i: int, end: int, line_breaks: bool) -> tuple[int, int]:
    """What begins at i, and how many bytes it has."""
    byte = data[i]
    if byte > SPACE and byte != 0xC2 and byte != 0xE2 and byte != 0xE3:
        return OTHER, 1
    if byte == NEWLINE:
        return BREAK, 1
    if byte in (SPACE, TAB, UNIT_SEPARATOR):
        return BLANK, 1
    if byte < SPACE:
        if byte == RETURN:
            return (BREAK if line_breaks else BLANK), (
                2 if i + 1 < end and data[i + 1] == NEWLINE and line_breaks else 1
            )
        if 0x0B <= byte <= 0x0C or 0x1C <= byte <= 0x1E:
            return (BREAK if line_breaks else BLANK), 1
        return OTHER, 1
    second = data[i + 1]
    if byte == 0xC2:
        if second == 0x85:
            return (BREAK if line_breaks else BLANK), 2
        return (ODD_BLANK if second == 0xA0 else OTHER), 2
    third = data[i + 2]
    if byte == 0xE3:
        return (BLANK if second == 0x80 and third == 0x80 else OTHER), 3
    if second == 0x80 and (third == 0xA8 or third == 0xA9):
        return (BREAK if line_breaks else BLANK), 3
    if (second == 0x80 and (third <= 0x8A or third == 0xAF)) or (second == 0x81 and third == 0x9F):
        return ODD_BLANK, 3
    return OTHER, 3


@kernel
def _tidy(
    data: Bytes,
    starts: Places,
    line_breaks: bool,
    spaces: bool,
    trailing: bool,
    max_blank_lines: int,
    out: Bytes,
    offsets: Places,
) -> None:
    at = 0
    for row in range(len(starts) - 1):
        begin = at
        i, end = starts[row], starts[row + 1]
        n_blank = 0
        while i < end:
            start = stop = i
            kind, width = OTHER, 1
            while i < end:
                kind, width = _kind_and_width(data, i, end, line_breaks)
                if kind == BREAK:
                    break
                i += width
                if kind == OTHER:
                    stop = i
            if stop == start:
                n_blank += 1
            else:
                if not trailing:
                    stop = i
                if at > begin:
                    for _ in range(1 + min(n_blank, max_blank_lines)):
                        out[at] = NEWLINE
                        at += 1
                n_blank = 0
                while start < stop:
                    byte = data[start]
                    if spaces and (byte == 0xC2 or byte == 0xE2):
                        inner, wide = _kind_and_width(data, start, end, line_breaks)
                        if inner == ODD_BLANK:
                            out[at] = SPACE
                            at += 1
                            start += wide
                            continue
                    out[at] = byte
                    at += 1
                    start += 1
            if i < end:
                i += width
        offsets[row + 1] = at
