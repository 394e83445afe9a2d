"""Erase records from a crawl's WARC file, so that every other record keeps its place.

A document's id depends on the offset of its record, and slices are ranges of bytes.  So an erased record is replaced by
one of exactly the same size in the file: a gzip member that is not compressed, with a record of type `removed` and
spaces.  It says which entry of the list of removals it fell to, and what the row of a removed page keeps.  So a corpus
that is made from these files again has the same row.  Other readers of WARC pass over types that they do not know.

The request that belongs to the answer is erased, too, because it holds the path of the URL.
"""

import mmap
import uuid
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from corpusmill.collect.crawl.state import publishing
from corpusmill.collect.framing import record_field, record_type
from corpusmill.collect.members import GZIP
from corpusmill.collect.warc import REMOVAL_FIELD, REMOVED
from corpusmill.errors import RunError
from corpusmill.store import full_disk_is_a_run_error

HEAD = 1 << 16  # bytes of a member that are inflated to see its header
_BLOCK = 0xFFFF  # most bytes of a deflate block that is not compressed
_FRAME, _BLOCK_FRAME = 18, 5  # bytes of a gzip member around its blocks, and of a block around its content


@dataclass(frozen=True, kw_only=True, slots=True)
class Erased:
    """A record to erase, and what its row keeps."""

    offset: int
    removal: str  # id of the entry
    n_bytes: int
    content_type: str | None
    fetched_at: datetime | None


def erase(path: Path, records: Iterable[Erased]) -> int:
    """Erase records of a WARC file; returns their number, without those that were erased before.

    The file is written anew and renamed into place.  RunError if there is no such record, or the disk is full.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        pieces = [piece for record in sorted(records, key=lambda r: r.offset) for piece in _pieces(path, data, record)]
        if not pieces:
            return 0
        with full_disk_is_a_run_error(path.parent), publishing(path) as temporary, temporary.open("wb") as out:
            at = 0
            for offset, content in pieces:
                for start in range(at, offset, 1 << 24):
                    out.write(data[start : min(start + (1 << 24), offset)])
                out.write(content)
                at = offset + len(content)
            for start in range(at, len(data), 1 << 24):
                out.write(data[start : start + (1 << 24)])
    return sum(REMOVAL_FIELD.encode() in content for _, content in pieces)


def _pieces(path: Path, data: mmap.mmap, record: Erased) -> Iterator[tuple[int, bytes]]:
    """What stands in the place of a record and of its request: offset and content."""
    head, end = _member(path, data, record.offset)
    if record_type(head) == REMOVED:
        return
    said = [f"{REMOVAL_FIELD}: {record.removal} {record.n_bytes} {record.content_type or ''}".rstrip()]
    yield record.offset, _filler(path, record, end - record.offset, said)
    identity = record_field(head, "WARC-Record-ID")
    if end < len(data):
        head, after = _member(path, data, end)
        if record_type(head) == "request" and record_field(head, "WARC-Concurrent-To") == identity:
            yield end, _filler(path, record, after - end, [])


def _member(path: Path, data: mmap.mmap, start: int) -> tuple[bytes, int]:
    """The beginning of a gzip member's content, and the offset of its end."""
    inflate, head, at = zlib.decompressobj(GZIP), b"", start
    try:
        while not inflate.eof and (piece := data[at : at + HEAD]):
            at += len(piece)
            while piece:
                content = inflate.decompress(piece, 1 << 22)
                piece = inflate.unconsumed_tail
                head += content[: HEAD - len(head)]
    except zlib.error:
        pass
    if not inflate.eof or not head.startswith(b"WARC/"):
        raise RunError(f"{path}: there is no record at byte {start:,}; it was changed since it was read")
    return head, at - len(inflate.unused_data)


def _filler(path: Path, record: Erased, size: int, said: list[str]) -> bytes:
    """A gzip member of exactly `size` bytes with a record of type `removed`."""
    blocks = max(1, -(-(size - _FRAME) // (_BLOCK + _BLOCK_FRAME)))
    room = size - _FRAME - blocks * _BLOCK_FRAME
    moment = record.fetched_at or datetime(1970, 1, 1)
    name = uuid.uuid5(uuid.NAMESPACE_URL, f"{record.removal} {record.offset} {size}")
    fields = [
        f"WARC-Type: {REMOVED}",
        f"WARC-Record-ID: <urn:uuid:{name}>",
        f"WARC-Date: {moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
        *said,
    ]
    start = "\r\n".join(["WARC/1.1", *fields, "Content-Length: "]).encode()
    length = room - len(start) - 18 - len(b"\r\n\r\n" * 2)
    if length < 0:
        raise RunError(f"{path}: the record at byte {record.offset:,} is too short to be replaced; please report this")
    content = start + f"{length:018d}".encode() + b"\r\n\r\n" + b" " * length + b"\r\n\r\n"
    out = bytearray(b"\x1f\x8b\x08\0\0\0\0\0\0\xff")
    for number in range(blocks):
        piece = content[number * _BLOCK : (number + 1) * _BLOCK]
        n = len(piece)
        out += bytes([number == blocks - 1]) + n.to_bytes(2, "little") + (n ^ 0xFFFF).to_bytes(2, "little") + piece
    out += zlib.crc32(content).to_bytes(4, "little") + len(content).to_bytes(4, "little")
    assert len(out) == size
    return bytes(out)
