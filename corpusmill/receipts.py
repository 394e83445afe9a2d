"""Receipts: what is known of a published part, enough to check the books and to decide whether it must be made again.

A receipt is a small JSON file, `STAGE/_receipts/PART.json`, written after the part.  Folders whose names begin with an
underscore are left alone by whatever reads Parquet folders (pyarrow, Spark, Hugging Face datasets).

Reading 10,000 files one by one takes a second, and 10,000 requests on object storage; so a run ends by writing all
receipts of a stage into one file, `STAGE/_receipts/_all.json`.  That file only saves time: a listing of the folder
says which receipts are there, and in which version, and every one that it does not hold in that version is read.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any

FOLDER = "_receipts"
COMPACTED = "_all.json"
GROUPED = "_grouping.json"  # of a grouping: what all of it was made from


@dataclass(frozen=True, kw_only=True, slots=True)
class Inputs:
    """Which bytes of the input a part was made from, so that a file is read again only if it has changed."""

    stamp: str  # of the slice's files when they were read: sizes and times
    digest: str  # of the bytes that were read
    ranges: dict[str, list[list[int]]] = field(
        default_factory=dict
    )  # by file, [begin, end); a file read whole is not here


@dataclass(frozen=True, kw_only=True, slots=True)
class Receipt:
    """What is known of a published part."""

    stage: str
    part: str
    file: str  # name of the part's file in the stage's folder
    rows_in: int
    rows_out: int
    dropped: dict[str, int] = field(default_factory=dict)  # rows that did not go on, by reason
    counts: dict[str, int] = field(default_factory=dict)  # what else was counted: other records, masked addresses, ...
    bytes_in: int  # of the input that was read: payloads for pages, Arrow buffers for the others
    size: int  # of the part's file, bytes
    checksum: str  # BLAKE2b-128 of the part's file
    columns: dict[str, str]  # the same of each column's chunks in the file, 64 bits
    fingerprint: str  # of everything that the part's content depends on
    made_from: dict[str, str] = field(default_factory=dict)  # by stage, the digest of what was read of it
    seconds: float
    finished_at: float  # seconds since 1970
    inputs: Inputs | None = None  # of a part that was made from input files
    followers: list[str] = field(default_factory=list)  # checksums of the further parts of a slice; on its first part

    @classmethod
    def from_json(cls, content: bytes) -> "Receipt | None":
        """A receipt as `to_json` wrote it; None if it is anything else: a part without a receipt is made again."""
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
        except TypeError:  # of another version
            return None
        return receipt if all(_is(getattr(receipt, name), kind) for name, kind in _KINDS) else None

    def digest_of(self, columns: Sequence[str]) -> str | None:
        """One digest of columns of the part, () for all; None if it has not all of them."""
        try:
            return " ".join([self.columns[name] for name in columns or self.columns])
        except KeyError:
            return None

    def to_json(self) -> bytes:
        """One line of JSON."""
        return json.dumps(_plain(self), ensure_ascii=False, separators=(",", ":")).encode()


def _plain(receipt: Receipt) -> dict[str, Any]:
    values = {name: getattr(receipt, name) for name in _NAMES}
    if receipt.inputs is not None:
        values["inputs"] = {name: getattr(receipt.inputs, name) for name in ("stamp", "digest", "ranges")}
    return values


def compact(receipts: dict[str, tuple[str, Receipt]]) -> bytes:
    """(version of the receipt's file, receipt) by file name -> one file's content."""
    return json.dumps(
        {name: [version, _plain(receipt)] for name, (version, receipt) in receipts.items()},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def expand(content: bytes) -> dict[str, tuple[str, Receipt]]:
    """What `compact` was given; nothing if the content is anything else, since it only saves time."""
    try:
        data = json.loads(content)
        found = {str(name): (str(version), Receipt._of(values)) for name, (version, values) in data.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
    return {name: (version, receipt) for name, (version, receipt) in found.items() if receipt is not None}


def _is(value: object, kind: str) -> bool:
    match kind:
        case "str":
            return isinstance(value, str)
        case "int":
            return type(value) is int and value >= 0
        case "float":
            return type(value) in (int, float)
        case "counts":
            return isinstance(value, dict) and all(type(n) is int for n in value.values())
        case "digests":
            return isinstance(value, dict) and all(isinstance(d, str) for d in value.values())
        case "list":
            return isinstance(value, list) and all(isinstance(each, str) for each in value)
        case _:
            return value is None or isinstance(value, Inputs)


def _are_ranges(value: object) -> bool:
    return isinstance(value, dict) and all(
        isinstance(ranges, list) and all(isinstance(r, list) and [type(n) for n in r] == [int, int] for r in ranges)
        for ranges in value.values()
    )


_NAMES = tuple(f.name for f in fields(Receipt))
_KINDS = tuple(
    (name, kind)
    for kind, names in {
        "str": ("stage", "part", "file", "checksum", "fingerprint"),
        "int": ("rows_in", "rows_out", "bytes_in", "size"),
        "float": ("seconds", "finished_at"),
        "counts": ("dropped", "counts"),
        "digests": ("columns", "made_from"),
        "inputs": ("inputs",),
        "list": ("followers",),
    }.items()
    for name in names
)
