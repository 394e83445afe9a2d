"""The identity of a slice's files, found without reading all of them again.

The plan knows the *stamp* of a slice.  For a local file it is the file's size and its times: of modification, and of
the last change of its entry, which no program can set back.  For a remote file it is what the store reports.

Whoever reads a slice notes which bytes it has read, and computes a *digest* of them in a second pass, mostly from the
system's cache.  If the stamp is still the same after that, the digest describes the content that was read.  Stamp and
digest are in the receipt of the slice's part.  So

- a slice whose stamp equals that of the receipt has not changed, and its files are not read;
- if the stamp differs, the same ranges are digested again, at the speed of the disk.  Only if they have changed,
  something is recomputed;
- whoever reads a slice for another reason compares the digest anyway.

A reader is a function of the bytes that it reads, so the same bytes in these ranges give the same records.
"""

import os
import sys
from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path

from corpusmill.collect.files import Trace, location
from corpusmill.collect.slices import Slice
from corpusmill.corpus import digest
from corpusmill.errors import InputError
from corpusmill.receipts import Inputs
from corpusmill.store import is_url

PIECE = 1 << 22  # bytes that are digested at once


def local_stamp(stat: os.stat_result) -> str:
    """The stamp of one local file, from its entry in the file system."""
    return f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}"


def stamp_of(files: Iterable[tuple[str, str]]) -> str:
    """The stamp of a slice from its files' paths and stamps."""
    found = list(files)
    return found[0][1] if len(found) == 1 else digest(found)


def inputs_of(piece: Slice, trace: Trace) -> Inputs:
    """What a slice was made from; called after it was read.  InputError if a file has changed since the plan."""
    if is_url(piece.root):
        return Inputs(stamp=piece.stamp, digest=digest(piece.stamp), ranges={})
    ranges = trace.ranges(piece.root, piece.files)
    found = content_digest(piece, ranges)
    if stamp_now(piece) != piece.stamp:  # asked last: so nothing has changed between the plan and this point
        raise InputError(
            f"source '{piece.source}': {_named(piece)} changed while it was being read; "
            "run the same command again when it is finished"
        )
    return Inputs(stamp=piece.stamp, digest=found, ranges=ranges)


def same_content(piece: Slice, inputs: Inputs) -> bool:
    """Whether a slice's files, whose stamp has changed, still hold the bytes that were read."""
    return not is_url(piece.root) and content_digest(piece, inputs.ranges) == inputs.digest


def content_digest(piece: Slice, ranges: dict[str, list[list[int]]]) -> str:
    """Digest of the given ranges of a slice's files and of the files' sizes; a file without ranges counts as a whole.

    If a file cannot be read, the reason is digested instead.
    """
    state = blake2b(digest_size=16)
    for path in piece.files:
        state.update(f"\0{path}\0{ranges.get(path, 'whole')}\0".encode("utf-8", "surrogatepass"))
        try:
            with Path(location(piece.root, path)).open("rb") as file:
                state.update(f"{os.fstat(file.fileno()).st_size}\0".encode())
                for begin, end in ranges.get(path, [[0, sys.maxsize]]):
                    file.seek(begin)
                    while begin < end and (content := file.read(min(PIECE, end - begin))):
                        state.update(content)
                        begin += len(content)
        except OSError as error:
            state.update(f"\0{type(error).__name__}".encode())
    return state.hexdigest()


def stamp_now(piece: Slice) -> str | None:
    """The present stamp of a slice of local files; None if one is missing."""
    try:
        stats = [(path, local_stamp(Path(location(piece.root, path)).stat())) for path in piece.files]
    except OSError:
        return None
    return stamp_of(stats)


def _named(piece: Slice) -> str:
    return piece.files[0] if len(piece.files) == 1 else f"one of {len(piece.files)} files in {piece.root}"
