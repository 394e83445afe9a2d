"""The plan: sources cut into slices, the only place where work is divided.

A slice depends on its source's name, the file's path relative to the source's root, the file's size and
`run.slice_bytes`, and on nothing else: not on worker count, absolute paths, or which other files there are.  A new file
renames nothing.

- A large file of a format that can be entered in the middle is cut into equal byte ranges of at most `slice_bytes`.
- Trees of small files are put into buckets by a hash of their path; a bucket over the limit is split in two by the
  next bit (extendible hashing), so that a new file touches one bucket only.

What a file holds is identified by its content's digest, kept with size and time of modification in the corpus, so that
a later run reads only files that changed; a remote file by what its store says (etag, checksum, or size and time).
Imports nothing heavy: a run with nothing to do plans, too.
"""

import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from corpusmill.corpus import Corpus, digest
from corpusmill.errors import InputError
from corpusmill.recipe import RunSettings, Source

TREES = {
    "html": (".html", ".htm", ".xhtml"),
    "markdown": (".md", ".markdown"),
    "text": (".txt", ".text"),
}
SUFFIXES = TREES | {
    "warc": (".warc", ".warc.gz"),
    "jsonl": (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz", ".jsonl.zst", ".ndjson.zst"),
    "parquet": (".parquet",),
}
COMPRESSED = (".gz", ".zst")
FILES_PER_BUCKET = 4000


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """One piece of input, fixed by the plan; every stage makes one part of it.

    A gzip member, line, row group or WARC record belongs to the slice in which its first byte lies.
    """

    part: str  # name of its part in every stage
    source: str
    kind: str  # a crawl is planned as the WARC files that it wrote
    root: str  # folder or fsspec URL that `files` are relative to
    files: tuple[str, ...]  # one file; for trees of small files a bucket of whole ones
    start: int = 0  # byte range of that one file, as stored
    end: int | None = None  # None: to its end
    limit: int | None = None  # read at most so many content records
    identity: str = ""  # digest of what the files hold


@dataclass(frozen=True, slots=True)
class _File:
    path: str  # relative to the root
    size: int
    identity: str


def plan(sources: Iterable[Source], settings: RunSettings, *, folder: Path, corpus: Corpus) -> list[Slice]:
    """The slices of all sources, by part name.  `folder` is the recipe's, which relative paths start from.

    InputError if a pattern matches nothing, or two files would have the same name in a source.
    """
    identities = _Identities(corpus)
    slices: list[Slice] = []
    for source in sources:
        kind = "warc" if source.kind == "crawl" else source.kind
        files: dict[str, str] = {}
        for pattern in [str(corpus.folder / "raw" / source.name)] if source.kind == "crawl" else source.paths:
            root, found = _files(source.name, kind, pattern, folder, identities)
            for file in found:
                if file.path in files:
                    raise InputError(
                        f"source '{source.name}': {files[file.path]} and {root} both hold a file '{file.path}'; "
                        "make two sources of them"
                    )
                files[file.path] = root
            slices += _cut(source.name, kind, root, found, settings.slice_bytes)
    identities.save()
    slices.sort(key=lambda s: s.part)
    return slices if settings.limit is None else _limited(slices, settings.limit)


def _limited(slices: list[Slice], limit: int) -> list[Slice]:
    """The records spread evenly over all slices, so that a trial run sees every source."""
    share, rest = divmod(limit, max(len(slices), 1))
    return [replace(s, limit=n) for i, s in enumerate(slices) if (n := share + (i < rest))]


def _cut(source: str, kind: str, root: str, files: list[_File], slice_bytes: int) -> Iterator[Slice]:
    if kind in TREES:
        for bits, bucket in _buckets(files, slice_bytes):
            yield Slice(
                part=f"{source}-{bits}" if bits else f"{source}-all",
                source=source,
                kind=kind,
                root=root,
                files=tuple(f.path for f in bucket),
                identity=digest([(f.path, f.identity) for f in bucket]),
            )
        return
    for file in files:
        pieces = -(-file.size // slice_bytes) if can_be_cut(kind, file.path) else 1
        stem = re.sub(r"[^A-Za-z0-9]+", "-", Path(file.path).name.split(".", 1)[0])[:40].strip("-")
        name = f"{source}-{stem}-{digest(file.path)[:8]}"
        bounds = [file.size * i // max(pieces, 1) for i in range(max(pieces, 1) + 1)]
        for i, (start, end) in enumerate(pairwise(bounds)):
            yield Slice(
                part=f"{name}-{i:04d}",
                source=source,
                kind=kind,
                root=root,
                files=(file.path,),
                start=start,
                end=end if pieces > 1 else None,
                identity=digest(file.identity, start, end),
            )


def can_be_cut(kind: str, path: str) -> bool:
    """Whether a reader can start in the middle of such a file."""
    return kind in ("warc", "parquet") or (kind == "jsonl" and not path.endswith(COMPRESSED))


def _buckets(files: list[_File], slice_bytes: int) -> Iterator[tuple[str, list[_File]]]:
    """Files by the leading bits of their path's hash, split as far as a bucket's size asks for."""

    def split(bits: str, bucket: list[tuple[str, _File]]) -> Iterator[tuple[str, list[_File]]]:
        small = sum(f.size for _, f in bucket) <= slice_bytes and len(bucket) <= FILES_PER_BUCKET
        if small or len(bucket) == 1 or len(bits) == 64:
            if bucket:
                yield bits, sorted((f for _, f in bucket), key=lambda f: f.path)
            return
        for bit in "01":
            yield from split(bits + bit, [(h, f) for h, f in bucket if h[len(bits)] == bit])

    yield from split("", [(f"{int(digest(f.path)[:16], 16):064b}", f) for f in files])


# ---- which files there are, and what they hold ---------------------------------------------------------------------


def _files(source: str, kind: str, pattern: str, folder: Path, identities: "_Identities") -> tuple[str, list[_File]]:
    """A pattern's root (its folder before the first wildcard) and its files with paths relative to that."""
    full, found = _remote(pattern, kind) if "://" in pattern else _local(folder, pattern, kind)
    if not found:
        raise InputError(f"source '{source}': no file matches '{pattern}' (looked for {full})")
    if full in found:
        root = full.rpartition("/")[0]
    elif all(name.startswith(full + "/") for name in found):
        root = full
    else:
        root = re.split(r"[*?[]", full, maxsplit=1)[0].rpartition("/")[0]
    prefix = len(root) + 1
    return root, [_File(path[prefix:], size, identities.of(path, size, stamp)) for path, (size, stamp) in found.items()]


_Found = dict[str, tuple[int, str | None]]  # path: size, and what a remote store says of the content


def _local(folder: Path, pattern: str, kind: str) -> tuple[str, _Found]:
    """The absolute pattern, and the files of this machine that it means."""
    path = Path(os.path.normpath(folder.absolute() / Path(pattern).expanduser()))
    if path.is_file():
        names = [str(path)]
    elif path.is_dir():
        names = [str(p) for p in path.rglob("*") if _is_wanted(p.name, kind)]
    else:
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207  # pathlib can't glob an absolute pattern
    return str(path), {name: (Path(name).stat().st_size, None) for name in sorted(names) if Path(name).is_file()}


def _remote(pattern: str, kind: str) -> tuple[str, _Found]:
    """The same in any file system that fsspec knows."""
    import fsspec

    try:
        fs, path = fsspec.core.url_to_fs(pattern)
        in_folder = fs.isdir(path)
        entries = fs.find(path, detail=True) if in_folder else fs.glob(path, detail=True)
    except (ImportError, OSError, ValueError) as error:
        raise InputError(f"{pattern}: cannot be listed: {error}") from error
    scheme = pattern.split("://", 1)[0]
    stamps = ("ETag", "etag", "md5Hash", "checksum", "LastModified", "mtime", "created")
    return f"{scheme}://{path}".rstrip("/"), {
        f"{scheme}://{name}": (info["size"], str([info.get(key) for key in stamps]))
        for name, info in sorted(entries.items())
        if info["type"] == "file" and (not in_folder or _is_wanted(name, kind))
    }


def _is_wanted(name: str, kind: str) -> bool:
    """Whether a file that was found in a folder, not named by a pattern, is of the source's kind."""
    endings = SUFFIXES.get(kind)
    return endings is None or name.lower().endswith(endings)


class _Identities:
    """Digests of local files, kept in the corpus with size and time of modification."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.path = corpus.folder / ".inputs.json"
        self.known: dict[str, list[object]] = {}
        self.seen: dict[str, list[object]] = {}
        if self.path.exists():
            try:
                self.known = json.loads(self.path.read_bytes())
            except ValueError:
                self.known = {}  # it only saves time

    def of(self, path: str, size: int, stamp: str | None) -> str:
        """Identity of a file's content; reads the file if it is new or has changed."""
        if stamp is not None:
            return digest(size, stamp)
        key = [size, Path(path).stat().st_mtime_ns]
        known = self.known.get(path)
        if known is None or known[:2] != key:
            try:
                with Path(path).open("rb") as file:
                    known = [*key, hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()]
            except OSError as error:
                raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        self.seen[path] = known
        return str(known[2])

    def save(self) -> None:
        """Keep what was seen, if it is new."""
        if self.seen != self.known:
            self.corpus.write_json(self.path, self.seen)
