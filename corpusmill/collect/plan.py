"""The plan: the sources cut into slices.  Work is divided here only.

A slice depends on four things: the source's name, the file's path relative to the source's root, the file's size, and
`run.slice_bytes`.  It does not depend on worker count, absolute paths, or which other files there are.  A new file does
not change the name of another slice.

- A large file is cut into equal byte ranges of at most `slice_bytes`, if its format can be read from the middle.
- Trees of small files are put into buckets by a hash of their path.  A bucket over the limit is split in two by the
  next bit (extendible hashing), so a new file affects one bucket only.
- A file that cannot be read from the middle is one slice.  If the records of a slice hold more than `slice_bytes` of
  text, they fill several parts (`collect/pages.py`), so memory stays bounded.

The plan lists files and does not read them.  Their content is identified when they are read (`collect/identity.py`).
The plan is made once per run, and is stored in the corpus as `plan.json`.  1 TB in 1,000 files is planned in 0.5 s.

This module imports nothing heavy, because a run with nothing to do needs the plan, too.
"""

import glob
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from corpusmill.collect.files import location
from corpusmill.collect.formats import Format, format_of
from corpusmill.collect.identity import local_stamp, stamp_of
from corpusmill.collect.remote import Address, can_be_entered, joined, listing, resolved
from corpusmill.collect.settings import RunSettings, Source
from corpusmill.collect.slices import Slice
from corpusmill.corpus import digest
from corpusmill.credentials import masked
from corpusmill.errors import InputError
from corpusmill.store import is_url

FILES_PER_BUCKET = 4000
STEM_CHARACTERS = 40  # characters of a file's name that the names of its parts contain


@dataclass(frozen=True, slots=True)
class _File:
    path: str  # relative to the root
    size: int | None  # None: unknown
    stamp: str


def plan(sources: Iterable[Source], settings: RunSettings, *, folder: Path, corpus: Path) -> list[Slice]:
    """The slices of all sources, sorted by name.

    folder: the recipe's folder, to which relative paths are relative
    corpus: the folder of the corpus that is made; only a crawl's files in it are input

    InputError if a pattern matches nothing, or if two files would have the same name in a source.
    """
    slices: list[Slice] = []
    for source in sources:
        format = format_of(source.kind)
        assert format is not None, "the recipe has checked the kind"
        roots: dict[str, str] = {}
        places: set[str] = set()
        for pattern in format.patterns(source, corpus, folder):
            root, found = _files(source.name, format, pattern, folder, corpus)
            unwanted = [file.path for file in found if not format.is_wanted(source, file.path)]
            if found and len(unwanted) == len(found):
                raise InputError(
                    f"source '{source.name}': '{pattern}' matches {len(found)} files, and the source's other settings "
                    f"leave out all of them, such as {unwanted[0]}"
                )
            found = [file for file in found if format.is_wanted(source, file.path)]
            # two patterns may match the same file
            found = [file for file in found if f"{root}/{file.path}" not in places]
            places |= {f"{root}/{file.path}" for file in found}
            for file in found:
                if file.path in roots:
                    raise InputError(
                        f"source '{source.name}': {roots[file.path]} and {root} both hold a file '{file.path}'; "
                        "make two sources of them"
                    )
                roots[file.path] = root
            slices += _cut(source, format, root, found, settings.slice_bytes)
    slices.sort(key=lambda piece: piece.name)
    twice = [name for name, n in Counter(piece.name for piece in slices).items() if n > 1]
    if twice:
        raise InputError(f"two slices of the input would have the name '{twice[0]}'; rename one of their sources")
    return slices if settings.limit is None else _limited(slices, settings.limit)


def _limited(slices: list[Slice], limit: int) -> list[Slice]:
    """Spread `limit` records evenly over all slices, so that a trial run reads every source."""
    share, rest = divmod(limit, max(len(slices), 1))
    return [replace(s, limit=n) for i, s in enumerate(slices) if (n := share + (i < rest))]


def _cut(source: Source, format: Format, root: str, files: list[_File], slice_bytes: int) -> Iterator[Slice]:
    if format.in_buckets:
        shared = {file.path: file for file in files if format.is_shared(file.path)}
        for bits, own in _buckets([file for file in files if file.path not in shared], slice_bytes):
            above = {folder for file in own for folder in _folders(file.path)}
            bucket = [*own, *(file for path, file in shared.items() if path.rpartition("/")[0] in above)]
            yield Slice(
                name=f"{source.name}-{bits or 'all'}",
                source=source.name,
                kind=source.kind,
                root=root,
                files=tuple(f.path for f in bucket),
                stamp=stamp_of((f.path, f.stamp) for f in bucket),
            )
        return
    for file in files:
        size = file.size or 0
        pieces = max(1, -(-size // slice_bytes)) if format.can_be_cut(file.path) else 1
        if pieces > 1 and is_url(root) and not can_be_entered(location(root, file.path)):
            pieces = 1
        name = f"{source.name}-{_stem(file.path)}-{digest(file.path)[:16]}"
        bounds = [size * i // pieces for i in range(pieces + 1)]
        for i, (start, end) in enumerate(pairwise(bounds)):
            yield Slice(
                name=f"{name}-{i:04d}",
                source=source.name,
                kind=source.kind,
                root=root,
                files=(file.path,),
                start=start,
                end=end if pieces > 1 else None,
                stamp=file.stamp,
            )


def _folders(path: str) -> Iterator[str]:
    """The folders that hold a file, from its own to the root, which is ''."""
    while path:
        path = path.rpartition("/")[0]
        yield path


def _stem(path: str) -> str:
    """The letters and digits, of any script, before the first dot of a file's name."""
    words = re.split(r"[\W_]+", Path(path).name.split(".", 1)[0])
    return "-".join(word for word in words if word)[:STEM_CHARACTERS].strip("-") or "file"


def _buckets(files: list[_File], slice_bytes: int) -> Iterator[tuple[str, list[_File]]]:
    """Files by the first bits of their path's hash, with as many bits as keep each bucket below the limit."""

    def split(bits: str, bucket: list[tuple[str, _File]]) -> Iterator[tuple[str, list[_File]]]:
        small = sum(f.size or 0 for _, f in bucket) <= slice_bytes and len(bucket) <= FILES_PER_BUCKET
        if small or len(bucket) == 1 or len(bits) == 64:
            if bucket:
                yield bits, sorted((f for _, f in bucket), key=lambda f: f.path)
            return
        for bit in "01":
            yield from split(bits + bit, [(h, f) for h, f in bucket if h[len(bits)] == bit])

    yield from split("", [(f"{int(digest(f.path)[:16], 16):064b}", f) for f in files])


# ---- which files there are -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Found:
    """What a pattern matches: a folder, the files below it, and where they were looked for."""

    looked_for: str
    root: str
    files: list[_File]
    in_folder: bool = False  # the pattern names a folder, so it means all files of the source's kind in it


def _files(source: str, format: Format, pattern: str, folder: Path, corpus: Path) -> tuple[str, list[_File]]:
    """A pattern's root (the folder before the first wildcard), and its files with paths relative to the root."""
    if pattern.lower().startswith("file://") and "::" not in pattern:
        pattern = pattern[len("file://") :]
    url = is_url(pattern)
    found = _remote(resolved(pattern, folder), format) if url else _local(folder, pattern, format, corpus)
    if not found.files:
        endings = f" that end in {', '.join(format.endings)}" if found.in_folder and format.endings else ""
        advice = f"; {format.advice}" if found.in_folder and format.advice else ""
        looked_for = f"files{endings} in {found.looked_for}" if found.in_folder else found.looked_for
        raise InputError(f"source '{source}': no file matches '{pattern}' (looked for {looked_for}){advice}")
    return found.root, found.files


def _local(folder: Path, pattern: str, format: Format, corpus: Path) -> _Found:
    """The local files that a pattern matches, without those of the corpus that is being made."""
    try:
        pattern = str(Path(pattern).expanduser())
    except RuntimeError:
        raise InputError(f"'{pattern}': this user or home folder does not exist; give the full path") from None
    base, rest = _below(folder.absolute(), pattern)
    path = base / rest
    if path.is_file():
        root, names = path.parent, [str(path)]
    elif path.is_dir():
        root, names = path, [name for name in _walk(path, corpus, ()) if _is_wanted(name, format)]
    else:
        root = base / _before_wildcard(rest)
        found = glob.glob(glob.escape(f"{str(base).rstrip('/')}/") + rest, recursive=True)  # noqa: PTH207  # links are followed
        names = [*_without_rounds(found, base)]
    own = "\0" if root.is_relative_to(corpus) else f"{corpus}/"
    stats = [(n, Path(n).stat()) for n in sorted(names) if not n.startswith(own) and Path(n).is_file()]
    prefix = len(str(root).rstrip("/")) + 1
    files = [_File(name[prefix:], stat.st_size, local_stamp(stat)) for name, stat in stats]
    return _Found(str(path), str(root).rstrip("/"), files, in_folder=path.is_dir())


def _below(folder: Path, pattern: str) -> tuple[Path, str]:
    """A folder, and the part of a pattern below it, without '..': each '..' is resolved as `open` resolves it.

    InputError for '..' after a wildcard.
    """
    parts = (folder / pattern).parts
    n = 1 if Path(pattern).is_absolute() else len(folder.parts)
    ups = [place for place, part in enumerate(parts) if part == ".."]
    if not ups:
        return Path(*parts[:n]), "/".join(parts[n:])
    end = ups[-1] + 1
    if any(re.search(r"[*?[]", part) for part in parts[n:end]):
        raise InputError(f"'{pattern}': '..' cannot stand after a wildcard")
    base = Path(os.path.realpath(Path(*parts[:end])))
    return base.joinpath(*parts[end:n]), "/".join(parts[max(end, n) :])


def _without_rounds(names: Iterable[str], base: Path) -> Iterator[str]:
    """The files without those that are found a second time through a link to a parent folder."""
    real = cache(os.path.realpath)

    @cache
    def goes_round(folder: Path) -> bool:
        above = [parent for parent in folder.parents if parent.is_relative_to(base)]
        return bool(above) and (real(folder) in map(real, above) or goes_round(above[0]))

    return (name for name in names if not goes_round(Path(name).parent))


def _walk(folder: Path, corpus: Path, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """The files in a folder and below.  It follows links to folders, and leaves out hidden files and the corpus's own.

    InputError if a folder cannot be listed, because its files would be missing without notice.
    """
    try:
        stat = folder.stat()
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be listed ({error.strerror}); make it readable, or move it away") from None
    here = (stat.st_dev, stat.st_ino)
    if here in above or (above and folder.resolve() == corpus.resolve()):  # a link to a parent folder
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(folder / entry.name, corpus, (*above, here))
        else:
            yield entry.path


def _remote(pattern: str, format: Format) -> _Found:
    """The files that a pattern matches in any file system that fsspec knows."""
    full, found = listing(pattern, only=format.endings)
    address = Address.of(full)
    if full in found:
        return _named(full, format, *found[full])
    folder, wildcard, _ = re.split(r"([*?[].*|$)", address.path, maxsplit=1)
    root = address._replace(path=Address.of(folder).folder if wildcard else folder)
    start = len(joined(root.path, ""))
    paths = {url: Address.of(url) for url in found}
    return _Found(full, "".join(root), [_File(paths[u].path[start:] + paths[u].query, *found[u]) for u in found])


def _named(url: str, format: Format, size: int | None, stamp: str) -> _Found:
    """The result for a URL that names one file.

    A query belongs to the file's path, because it may say which file is meant (`download?id=7`).  There are two
    exceptions: the path has an ending of the format, or the query contains credentials.  Then the query only says how
    to get the file, and it belongs to the folder.
    """
    address = Address.of(url)
    root, name = address._replace(path=address.folder), address.path[len(joined(address.folder, "")) :]
    if masked(address.query) == address.query and not (format.endings and name.lower().endswith(format.endings)):
        root, name = root._replace(query=""), name + address.query
    return _Found(url, "".join(root), [_File(name, size, stamp)])


def _before_wildcard(pattern: str) -> str:
    """The folder before a pattern's first wildcard."""
    return re.split(r"[*?[]", pattern, maxsplit=1)[0].rpartition("/")[0]


def _is_wanted(name: str, format: Format) -> bool:
    """Whether a file has an ending of the source's kind.  Files that a pattern names need none."""
    return not format.endings or name.lower().endswith(format.endings)
