"""The lines of texts as positions, which of them belong to a block of Markdown, and texts put together again.

A *block* is what line rules must not tear:

    code    a line of at least three backticks, maybe after white space and `>`, up to the next line of at least as many
            backticks and nothing else.  Without that line it is no code: the rest of the text would be unprotected
            from bad lines.  Fences of `~` are not taken for code, because titles in plain text are underlined so.
    table   a line that begins and ends with a bar, white space aside.

Only Markdown says what is code and what is a table.  In plain text a line of either is a line like any other.

All loops are linear: the length of the longest fence that still follows is known for each fence, so that a text full of
fences that nothing closes is looked at once.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Bytes, Utf8Column, read_only
from corpusmill.kernels import inner_kernel, kernel

Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

NEWLINE, TAB, RETURN, SPACE, BACKTICK, BAR, QUOTE = 0x0A, 0x09, 0x0D, 0x20, 0x60, 0x7C, 0x3E


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """The lines of n texts: line i is data[starts[i]:ends[i]]; the lines of text t are [rows[t], rows[t + 1]).

    data: uint8; starts, ends: int64 (number of lines); rows: int64 (n + 1).  An empty text has one empty line.
    """

    data: Bytes
    starts: Places
    ends: Places
    rows: Places
    are_others: bool = False  # than the lines of the texts

    @classmethod
    def of(cls, texts: pa.Array) -> Self:
        """Of texts (n)."""
        column = Utf8Column.of(texts)
        data, offsets = column.data, column.offsets
        first, last = int(offsets[0]), int(offsets[-1])
        newlines = np.flatnonzero(data[first:last] == NEWLINE) + first
        n = len(newlines) + len(offsets) - 1
        starts, ends, rows = np.empty(n, np.int64), np.empty(n, np.int64), np.zeros(len(offsets), np.int64)
        _cut(offsets, newlines, starts, ends, rows)
        return cls(data, starts, ends, rows)

    def texts(self, chosen: Flags) -> pa.Array:
        """The chosen lines as large_string."""
        starts, ends = self.starts[chosen], self.ends[chosen]
        offsets = np.zeros(len(starts) + 1, np.int64)
        np.cumsum(ends - starts, out=offsets[1:])
        out = np.empty(int(offsets[-1]), np.uint8)
        _gather(self.data, starts, ends, offsets, out)
        return strings(out, offsets)

    def with_texts(self, places: Places, texts: pa.Array) -> "Lines":
        """With other texts (large_string) in the places of some lines."""
        column = Utf8Column.of(texts)
        starts, ends = self.starts.copy(), self.ends.copy()
        starts[places] = column.offsets[:-1] + len(self.data)
        ends[places] = column.offsets[1:] + len(self.data)
        return Lines(read_only(np.concatenate([self.data, column.data])), starts, ends, self.rows, True)

    def blocks(self) -> Flags:
        """Whether each line belongs to a block of Markdown: bool (number of lines)."""
        found = np.zeros(len(self.starts), np.bool_)
        longest = np.zeros(len(self.starts), np.int64)
        _find_blocks(self.data, self.starts, self.ends, self.rows, longest, found)
        return found

    def joined(self, keep: Flags, texts: pa.Array) -> pa.Array:
        """The texts with the kept lines only; `texts` are those that the lines are of.

        Blank lines stay, with one exception: where a line was dropped, one blank line at most is between its
        neighbours, and none at the ends of the text.
        """
        if keep.all() and not self.are_others:
            return texts
        out = np.empty(int((self.ends - self.starts).sum()) + len(self.starts) + 1, np.uint8)
        offsets = np.zeros(len(self.rows), np.int64)
        _join(self.data, self.starts, self.ends, self.rows, keep, out, offsets)
        return strings(out, offsets, texts)


def strings(data: Bytes, offsets: Places, like: pa.Array | None = None) -> pa.Array:
    """Bytes as large_string (n), with the nulls of `like` (n)."""
    n = len(offsets) - 1
    content = np.ascontiguousarray(data[: int(offsets[-1])])
    array = pa.Array.from_buffers(pa.large_string(), n, [None, pa.py_buffer(offsets), pa.py_buffer(content)])
    return array if like is None or like.null_count == 0 else pc.if_else(like.is_valid(), array, None)


@kernel
def _cut(offsets: Places, newlines: Places, starts: Places, ends: Places, rows: Places) -> None:
    """Where lines begin and end."""
    line = at = 0
    for row in range(len(offsets) - 1):
        start = offsets[row]
        while at < len(newlines) and newlines[at] < offsets[row + 1]:
            starts[line], ends[line] = start, newlines[at]
            start = newlines[at] + 1
            line += 1
            at += 1
        starts[line], ends[line] = start, offsets[row + 1]
        line += 1
        rows[row + 1] = line


@kernel
def _gather(data: Bytes, starts: Places, ends: Places, offsets: Places, out: Bytes) -> None:
    for line in range(len(starts)):
        at = offsets[line]
        for i in range(starts[line], ends[line]):
            out[at] = data[i]
            at += 1


@inner_kernel
def is_blank(data: Bytes, start: int, end: int) -> bool:
    """Whether there is nothing but ASCII white space."""
    while start < end and (data[start] == SPACE or 0x09 <= data[start] <= 0x0D):
        start += 1
    return start >= end


@inner_kernel
def _after_indent(data: Bytes, start: int, end: int) -> int:
    """Where the white space and quote marks at the start of a line end."""
    while start < end and (data[start] == SPACE or data[start] == TAB or data[start] == QUOTE):
        start += 1
    return start


@inner_kernel
def _fence(data: Bytes, start: int, end: int) -> int:
    """The number of backticks of a fence; negative if words follow them, so that it cannot close; 0 for no fence."""
    start = _after_indent(data, start, end)
    i = start
    while i < end and data[i] == BACKTICK:
        i += 1
    n = i - start
    if n < 3:
        return 0
    has_words = not is_blank(data, i, end)
    while i < end:
        if data[i] == BACKTICK:  # code within a line
            return 0
        i += 1
    return -n if has_words else n


@kernel
def _find_blocks(data: Bytes, starts: Places, ends: Places, rows: Places, longest: Places, found: Flags) -> None:
    """Mark the lines of code and tables.  longest: room for the longest closing fence from each line on."""
    for row in range(len(rows) - 1):
        first, last = rows[row], rows[row + 1]
        following = 0
        for line in range(last - 1, first - 1, -1):
            n = _fence(data, starts[line], ends[line])
            following = max(following, n)
            longest[line] = following
        line = first
        while line < last:
            n = abs(_fence(data, starts[line], ends[line]))
            if n > 0 and line + 1 < last and longest[line + 1] >= n:
                found[line] = True
                line += 1
                while _fence(data, starts[line], ends[line]) < n:
                    found[line] = True
                    line += 1
                found[line] = True
            elif n == 0:
                start, end = starts[line], ends[line]
                while end > start and is_blank(data, end - 1, end):
                    end -= 1
                start = _after_indent(data, start, end)
                found[line] = end - start > 1 and data[start] == BAR and data[end - 1] == BAR
            line += 1


@kernel
def _join(data: Bytes, starts: Places, ends: Places, rows: Places, keep: Flags, out: Bytes, offsets: Places) -> None:
    at = 0
    for row in range(len(rows) - 1):
        first, last = rows[row], rows[row + 1]
        begin, following = at, first  # following: the first line that is not written yet
        has_blank, dropped = False, False  # since the last line that was written
        for line in range(first, last + 1):
            if line < last:
                if not keep[line]:
                    dropped = True
                    continue
                if is_blank(data, starts[line], ends[line]):
                    has_blank = True
                    continue
            if dropped:
                if line == last:
                    break
                if at > begin:
                    out[at] = NEWLINE
                    out[at + 1] = NEWLINE
                    at += 1 + has_blank
                following = line
            for each in range(following, min(line + 1, last)):
                if each > first and not dropped:
                    out[at] = NEWLINE
                    at += 1
                for i in range(starts[each], ends[each]):
                    out[at] = data[i]
                    at += 1
            following = line + 1
            has_blank, dropped = False, False
        offsets[row + 1] = at
