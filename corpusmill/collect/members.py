"""Gzip members of a file, inflated as far as they are asked for, with their ends and their damage.

A decompressor object is used, not a stream that hides member bounds: it says exactly where a member ends, checks the
checksum there, and tells a member that is cut off (no end) from one that is garbled (an error).  Streams that hide
the bounds return a short read for a truncated member, without an error.  The object is ISA-L's, with zlib's interface:
236 MB/s against zlib's 145 on web pages, in one run.
"""

import zlib

from isal import isal_zlib

from corpusmill.collect.files import Bytes, Window
from corpusmill.collect.records import DamageError

MAGIC = b"\x1f\x8b\x08"
FIRST_PIECE, PIECE = 1 << 8, 1 << 16  # compressed bytes fed at once, growing: what a small member leaves over is copied
MAX_INFLATED = 1 << 22  # bytes inflated at once: bounds memory, whatever the ratio
GarbledError: type[Exception] = isal_zlib.error  # type: ignore[assignment]  # its stub says instance, not class
GZIP = 31  # zlib's window bits for the gzip format


def starts_with(window: Bytes, offset: int, content: bytes) -> bool:
    """Whether a gzip member starts at `offset` and really inflates to something that starts with `content`.

    By zlib, which inflates no further than asked: ISA-L runs ahead, and damage further on would hide the start.
    """
    head = window.view(offset, 4096)  # more than any header and the tables of a first block
    if not head.startswith(MAGIC):
        return False
    try:
        return zlib.decompressobj(GZIP).decompress(head, len(content)) == content
    except zlib.error:
        return False


def after_padding(window: Window, offset: int) -> int:
    """The first byte from `offset` on that is not zero, or the end of the file: members are padded with zeros."""
    while piece := window.view(offset, PIECE):
        rest = piece.lstrip(b"\0")
        offset += len(piece) - len(rest)
        if rest:
            break
    return offset


class Member:
    """The content of one gzip member: `Bytes` that are read forward only."""

    def __init__(self, window: Window, start: int) -> None:
        self._window = window
        self._inflate = isal_zlib.decompressobj(GZIP)
        self._start = start
        self._next = start  # of the compressed bytes not yet fed
        self._base = 0  # offset in the content of the buffer's first byte
        self._buffer = bytearray()
        self._garbled = False
        self._piece = FIRST_PIECE

    @property
    def end(self) -> int:
        """Offset in the file of the first byte after the member; known when the content was read to its end."""
        assert self._inflate.eof
        return self._next - len(self._inflate.unused_data)

    def view(self, start: int, n: int) -> bytes:
        """The content's bytes [start, start + n), or as many of them as there are; DamageError if it is damaged.

        What lies before `start` is forgotten.
        """
        while self._base + len(self._buffer) < start + n and not self._inflate.eof:
            self._forget(start)
            self._buffer += self._more()
        self._forget(start)
        at = start - self._base
        with memoryview(self._buffer) as buffer:
            return bytes(buffer[at : at + n])

    def some(self, start: int, n: int) -> bytes:
        """Up to `n` of the content's bytes from `start` on; none at its end; DamageError where damage begins."""
        return self.view(start, max(1, min(n, self._base + len(self._buffer) - start)))

    def _forget(self, start: int) -> None:
        gone = min(start - self._base, len(self._buffer))
        assert gone >= 0, "a member is read forward only"
        if gone > MAX_INFLATED or gone == len(self._buffer):
            del self._buffer[:gone]
            self._base += gone

    def _more(self) -> bytes:
        if self._garbled:
            raise DamageError("the gzip member is garbled")
        piece = self._inflate.unconsumed_tail
        if not piece:
            piece = self._window.view(self._next, self._piece)
            self._next += len(piece)
            self._piece = min(2 * self._piece, PIECE)
        try:
            content = self._inflate.decompress(piece, MAX_INFLATED)
        except GarbledError:
            self._garbled = True
            return self._salvage()
        if not piece and not content and not self._inflate.eof:
            raise DamageError("the gzip member is cut off")
        return content

    def _salvage(self) -> bytes:
        """The content between what is known and the place where zlib gives up.

        An error costs all that the failing call has inflated, so the member is inflated once more, in small steps.
        """
        inflate, at = isal_zlib.decompressobj(GZIP), self._start
        skip = self._base + len(self._buffer)
        salvaged = bytearray()
        try:
            while piece := self._window.view(at, 64):
                content = inflate.decompress(piece)
                salvaged += content[skip:]
                skip = max(skip - len(content), 0)
                at += len(piece)
        except GarbledError:
            return bytes(salvaged)
        raise AssertionError("the same bytes were garbled before")
