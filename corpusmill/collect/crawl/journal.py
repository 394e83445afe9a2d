"""The journal of a shard: what it has done so far, in one file that only grows.

Every answer is written when it has arrived, before anything else happens with it; and again when it was dealt with.
Each write is one call of the system, so it outlives the process.  After a kill, the shard is fetched from here on: an
answer that is in the journal is never asked for again.  What a killed write left half done is cut off.

A frame is `CMJ1`, its length in JSON and in bytes, their CRC, the JSON and the bytes.  The file is deleted when the
shard is published.
"""

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

_HEAD = struct.Struct("<4sIQI")  # magic, bytes of JSON, bytes of the blob, CRC-32 of both
_MAGIC = b"CMJ1"


@dataclass(frozen=True, slots=True)
class Entry:
    """A frame of the journal: data, and where its bytes are in the file."""

    data: dict[str, Any]
    offset: int
    length: int


class Journal:
    """A journal that is open for reading and appending."""

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, or begin one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._end = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def entries(self) -> Iterator[Entry]:
        """The frames that were written before, in their order.  It must be read to the end before anything is added."""
        size = os.fstat(self._descriptor).st_size
        while self._end + _HEAD.size <= size:
            magic, n_json, n_blob, checksum = _HEAD.unpack(os.pread(self._descriptor, _HEAD.size, self._end))
            start = self._end + _HEAD.size
            if magic != _MAGIC or start + n_json + n_blob > size:
                break
            text = os.pread(self._descriptor, n_json, start)
            blob = self.read(start + n_json, n_blob)
            if zlib.crc32(blob, zlib.crc32(text)) != checksum:
                break
            self._end = start + n_json + n_blob
            yield Entry(json.loads(text), start + n_json, n_blob)
        os.ftruncate(self._descriptor, self._end)

    def add(self, data: dict[str, Any], blob: bytes = b"") -> Entry:
        """Append a frame.  OSError if it cannot be written."""
        text = json.dumps(data, separators=(",", ":")).encode()
        frame = _HEAD.pack(_MAGIC, len(text), len(blob), zlib.crc32(blob, zlib.crc32(text))) + text + blob
        at = 0
        while at < len(frame):
            at += os.pwrite(self._descriptor, frame[at:] if at else frame, self._end + at)
        entry = Entry(data, self._end + _HEAD.size + len(text), len(blob))
        self._end += len(frame)
        return entry

    def read(self, offset: int, length: int) -> bytes:
        """Bytes of the file."""
        pieces = []
        while length and (piece := os.pread(self._descriptor, length, offset)):
            pieces.append(piece)
            offset, length = offset + len(piece), length - len(piece)
        return b"".join(pieces)
