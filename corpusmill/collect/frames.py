"""Zstandard frames of a file, read as `members.Member` reads gzip members.

A file of WARC records may begin with a skippable frame that holds the dictionary of all others
(https://iipc.github.io/warc-specifications/specifications/warc-zstd/).  The dictionary may be compressed itself.
"""

from typing import Any

import zstandard

from corpusmill.collect.files import Bytes, Window
from corpusmill.collect.members import Follows, Member
from corpusmill.collect.records import DamageError

MAGIC = b"\x28\xb5\x2f\xfd"
DICTIONARY = b"\x5d\x2a\x4d\x18"  # the magic number of the frame with the dictionary
MAX_DICTIONARY = 1 << 24  # bytes
MAX_WINDOW = 1 << 27  # what `zstd` itself reads without further options
PIECE = 1 << 10  # compressed bytes per call: a frame of zeros inflates 32,000 times


class Frame(Member):
    """The content of one zstd frame, or of several that continue each other, as `Bytes` that are read forward."""

    kind = "zstd frame"

    def __init__(self, window: Window, start: int, follows: Follows = lambda end: None, dictionary: Any = None) -> None:
        self._dictionary = dictionary
        super().__init__(window, start, follows)

    def _new(self) -> Any:
        return _decompressor(self._dictionary)

    def _inflated(self) -> bytes:
        piece = self._window.view(self._next, PIECE)
        if not piece:
            raise DamageError(f"the {self.kind} is cut off")
        self._next += len(piece)
        try:
            content: bytes = self._inflate.decompress(piece)
        except (zstandard.ZstdError, MemoryError):
            self._garbled = True
            return b""
        return content


def beginning(window: Bytes, offset: int, n: int, dictionary: Any) -> bytes:
    """The first `n` bytes that a frame at `offset` inflates to; none if there is no frame."""
    frame, content, at = _decompressor(dictionary), b"", offset
    if window.view(offset, len(MAGIC)) != MAGIC:
        return b""
    try:
        while len(content) < n and not frame.eof and (piece := window.view(at, PIECE)):
            content += frame.decompress(piece)
            at += len(piece)
            if at - offset > 1 << 18:  # a block of zstd is not larger
                break
    except (zstandard.ZstdError, MemoryError):
        return b""
    return content[:n]


def dictionary_of(window: Window) -> tuple[Any, int]:
    """The dictionary at the beginning of a file, None if there is none; and where the first frame begins."""
    head = window.view(0, 8)
    if not head.startswith(DICTIONARY) or len(head) < 8:
        return None, 0
    size = int.from_bytes(head[4:], "little")
    content = window.view(8, min(size, MAX_DICTIONARY))
    if content.startswith(MAGIC):
        try:
            content = zstandard.ZstdDecompressor().decompress(content, max_output_size=MAX_DICTIONARY)
        except zstandard.ZstdError:
            return None, 8 + size
    return zstandard.ZstdCompressionDict(content), 8 + size


def _decompressor(dictionary: Any) -> Any:
    return zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=MAX_WINDOW).decompressobj()
