"""The streams of a bzip2 file, each with the place where it starts.

A file of several streams can be entered at any of them.  Wikipedia's `multistream` dumps have a hundred pages in a
stream, and `pbzip2` and `lbzip2` write such files, too.  A stream is found by its first ten bytes: the header, and the
mark of a first block.  Within other data these occur once in 10^24 bytes.  The index that comes with a dump lists the
same places, so it is not needed, and a file without one is cut, too.

Cost: Python's own module inflates 15-40 MB/s of text, which is most of the time of reading a dump.
"""

import bz2
import re
from collections.abc import Generator, Iterator
from typing import BinaryIO, NamedTuple

from corpusmill.collect.files import Window

_START = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # the second: a stream without content
PIECE = 1 << 16  # compressed bytes per call
MAX_INFLATED = 1 << 22  # bytes per call: bounds memory at any compression ratio
GARBLED = "the bzip2 stream is garbled"
CUT_OFF = "the bzip2 stream is cut off"
NO_STREAM = "no bzip2 stream starts here"


class Piece(NamedTuple):
    """A piece of inflated content, or the reason why there is none."""

    origin: int  # where its stream starts in the file
    content: bytes
    error: str | None = None
    after: int | None = None  # of an error between two streams: where the stream before it starts

    @property
    def owner(self) -> int:
        """The slice with this byte has the piece."""
        return self.origin if self.after is None else self.after


def streams(file: BinaryIO, start: int) -> Iterator[Piece]:
    """The content of the streams that start at `start` or later, in order, to the end of the file.

    After damage, reading continues with the next stream.
    """
    window = Window(file)
    at: int | None = start if start == 0 else _next_stream(window, start)
    before = 0
    while at is not None:
        if not window.view(at, 1):
            return
        if not _START.match(window.view(at, 10)):
            if window.view(at, PIECE).strip(b"\0"):
                yield Piece(at, b"", NO_STREAM, before)
            at = _next_stream(window, at + 1)
            continue
        before = at
        after = yield from _stream(window, at)
        at = _next_stream(window, at + 1) if after is None else after


def _stream(window: Window, start: int) -> Generator[Piece, None, int | None]:
    """The content of one stream.  It returns where the stream ends, or None after damage."""
    inflate = bz2.BZ2Decompressor()
    at = start
    while not inflate.eof:
        piece = window.view(at, PIECE) if inflate.needs_input else b""
        if inflate.needs_input and not piece:
            yield Piece(start, b"", CUT_OFF)
            return None
        at += len(piece)
        try:
            content = inflate.decompress(piece, MAX_INFLATED)
        except (OSError, EOFError):
            yield Piece(start, b"", GARBLED)
            return None
        if content:
            yield Piece(start, content)
    return at - len(inflate.unused_data)


def _next_stream(window: Window, start: int) -> int | None:
    at = start
    while (at := window.find(b"BZh", at, 1 << 62)) >= 0:
        if _START.match(window.view(at, 10)):
            return at
        at += 1
    return None
