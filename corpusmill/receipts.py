"""Receipts: facts about published parts, to check row counts and to decide which parts must be made again."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from corpusmill.memory import without_collections

FOLDER = "_receipts"
COMPACTED = "_receipts.json"  # in the stage's folder
WIDTH = 16  # hexadecimal digits of a column's digest
GROUPED = "_grouping.json"  # of a grouping: what all of its parts were made from


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """The bytes of the input that a part was made from.  A file is read again only if it has changed."""

    stamp: str  # sizes and times of the slice's files when they were read
    digest: str  # of the bytes that were read
    ranges: dict[str, list[list[int]]] = field(
        default_factory=dict
    )  # by file, [begin, end); a file that was read whole is left out


class Digests(Mapping[str, str]):
    """Digests by column, stored as one string.

    One dictionary for each of 10,000 parts would take longer than everything else.
    """

    __slots__ = ("_joined", "_places")

    def __init__(self, places: dict[str, int], joined: str) -> None:
        """places: the columns' numbers, shared by all parts; joined: their digests, one after the other."""
        self._places, self._joined = places, joined

    def __getitem__(self, name: str) -> str:
        at = WIDTH * self._places[name]
        return self._joined[at : at + WIDTH]

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and dict(self) == dict(other)

    def __hash__(self) -> int:
        return hash(self._joined)


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """The facts about a published part."""

    stage: str
    part: str
    file: str  # name of the part's file in the stage's folder
    rows_in: int
    rows_out: int
    dropped: dict[str, int] = field(default_factory=dict)  # rows that did not reach the next stage, by reason
    counts: dict[str, int] = field(default_factory=dict)  # other counts: other records, masked addresses, ...
    bytes_in: int  # of the input that was read: content of records for pages, Arrow buffers for other stages
    size: int  # of the part's file, bytes
    checksum: str  # BLAKE2b-128 of the part's file
    columns: Mapping[str, str]  # the digest of each column's chunks in the file, 64 bits
    fingerprint: str  # of everything that the part's content depends on, except `made_from`
    made_from: dict[str, str] = field(default_factory=dict)  # by stage, the digest of what the part was made from
    seconds: float
    finished_at: float  # seconds since 1970
    inputs: Inputs | None = None  # for a part that was made from input files
    # checksums of the further parts of a slice; on its first part only
    followers: list[str] = field(default_factory=list)
    # digest of the list of removals that was applied to the parts of a slice; on its first part only
    removals: str = ""

    @classmethod
    def from_json(cls, content: bytes) -> "Receipt | None":
        """A receipt that `to_json` wrote; None for anything else, so that the part is made again."""
        try:
            data = json.loads(content)
        except (ValueError, RecursionError):
            return None
        return cls._of(data) if isinstance(data, dict) else None

    @classmethod
    def _of(cls, data: dict[str, Any]) -> "Receipt | None":
        if isinstance(inputs := data.get("inputs"), dict):
            if inputs.keys() != {"stamp", "digest", "ranges"} or not _are_ranges(inputs["ranges"]):
                return None
            if not isinstance(inputs["stamp"], str) or not isinstance(inputs["digest"], str):
                return None
            data = data | {"inputs": Inputs(**inputs)}
        try:
            receipt = cls(**data)
        except TypeError:  # from another version
            return None
        if not all(_is(getattr(receipt, name), kind) for name, kind in _KINDS):
            return None
        return receipt if all(_is_file_name(text) for text in (receipt.part, receipt.file)) else None

    def digest_of(self, columns: Sequence[str]) -> str | None:
        """One digest of columns of the part, () for all columns; None if the part lacks one of them."""
        if not columns:
            return self.checksum
        try:
            return " ".join([self.columns[name] for name in columns])
        except KeyError:
            return None

    def to_json(self) -> bytes:
        """One line of JSON."""
        return json.dumps(_plain(self), ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _plain(receipt: Receipt) -> dict[str, Any]:
    values = {name: getattr(receipt, name) for name in _NAMES} | {"columns": dict(receipt.columns)}
    if receipt.inputs is not None:
        values["inputs"] = {name: getattr(receipt.inputs, name) for name in ("stamp", "digest", "ranges")}
    return values


class Known(NamedTuple):
    """The receipts of a stage, by the name of their file, each with the version of that file."""

    folder: str | None  # version of the folder that holds them, if the store has one
    found: dict[str, tuple[str, Receipt]]


def compact(known: Known) -> bytes:
    """All receipts of a stage in one file: its checksum on a line, then JSON.  Shared values are written once."""
    columns = sorted({tuple(receipt.columns) for _, receipt in known.found.values()})
    rows = []
    for name, (version, receipt) in known.found.items():
        values = [getattr(receipt, field) for field in _NAMES]
        values[_COLUMNS] = [columns.index(tuple(receipt.columns)), "".join(receipt.columns.values())]
        if receipt.inputs is not None:
            values[_INPUTS] = [receipt.inputs.stamp, receipt.inputs.digest, receipt.inputs.ranges]
        rows.append([name, version, values])
    content = [_FORMAT, list(_NAMES), known.folder, columns, rows]
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
    return _checksum(body) + b"\n" + body


def expand(content: bytes) -> Known | None:
    """The receipts that `compact` wrote; None if the content is different, or from another version."""
    checksum, _, body = content.partition(b"\n")
    if checksum != _checksum(body):
        return None
    with without_collections():
        try:
            return _expanded(json.loads(body))
        # other content, even with a right checksum
        except (ValueError, TypeError, KeyError, IndexError, AttributeError):
            return None


def _expanded(data: list[Any]) -> Known | None:
    if data[:2] != [_FORMAT, list(_NAMES)]:
        return None
    _, _, folder, columns, rows = data
    places = [{name: place for place, name in enumerate(names)} for names in columns]
    found = {}
    for name, version, values in rows:
        which, joined = values[_COLUMNS]
        values[_COLUMNS] = Digests(places[which], joined)
        if values[_INPUTS] is not None:
            stamp, read, ranges = values[_INPUTS]
            values[_INPUTS] = Inputs(stamp=stamp, digest=read, ranges=ranges)
        found[name] = version, Receipt(**dict(zip(_NAMES, values, strict=True)))
    _check(found)
    return Known(folder, found)


def _check(found: dict[str, tuple[str, Receipt]]) -> None:
    """ValueError unless every receipt has values of the right types.  Equal values are checked only once."""
    for name, kind in _KINDS:
        if kind in ("str", "int", "float"):
            values = {getattr(receipt, name) for _, receipt in found.values()}
            if not all(_is(value, kind) for value in values):
                raise ValueError(name)
    if not all(_is_file_name(text) for _, receipt in found.values() for text in (receipt.part, receipt.file)):
        raise ValueError("file")


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=16).hexdigest().encode()


def _is(value: object, kind: str) -> bool:
    match kind:
        case "str":
            return isinstance(value, str) and value.isprintable()
        case "int":
            return type(value) is int and 0 <= value < 2**63
        case "float":
            return isinstance(value, int | float) and type(value) is not bool and 0 <= value < _LATEST
        case "counts":
            return isinstance(value, dict) and all(type(n) is int and abs(n) < 2**63 for n in value.values())
        case "digests":
            return isinstance(value, dict) and all(isinstance(d, str) for d in value.values())
        case "columns":
            return isinstance(value, dict) and all(isinstance(d, str) and len(d) == WIDTH for d in value.values())
        case "list":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case _:
            return value is None or isinstance(value, Inputs)


def _is_file_name(text: str) -> bool:
    return text not in ("", ".", "..") and "/" not in text


def _are_ranges(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(ranges, list) and all(isinstance(r, list) and [type(n) for n in r] == [int, int] for r in ranges)
        for ranges in value.values()
    )


_FORMAT = 1
_LATEST = 1e11  # the latest time, in seconds since 1970, that a calendar date can have
_NAMES = tuple(f.name for f in fields(Receipt))
_COLUMNS, _INPUTS = _NAMES.index("columns"), _NAMES.index("inputs")
_KINDS = tuple(
    (name, kind)
    for kind, names in {
        "str": ("stage", "part", "file", "checksum", "fingerprint", "removals"),
        "int": ("rows_in", "rows_out", "bytes_in", "size"),
        "float": ("seconds", "finished_at"),
        "counts": ("dropped", "counts"),
        "digests": ("made_from",),
        "columns": ("columns",),
        "inputs": ("inputs",),
        "list": ("followers",),
    }.items()
    for name in names
)
