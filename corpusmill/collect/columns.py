"""Records from rows with named columns: JSON objects, Parquet rows, and the mappings of a user's own reader."""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time
from typing import Any

from corpusmill.collect.records import Record
from corpusmill.collect.settings import Columns
from corpusmill.reasons import Status

MAX_DEPTH = 100  # levels of nesting in metadata


def from_columns(row: Mapping[str, Any], columns: Columns, origin_path: str, offset: int) -> Record:
    """The record of a row whose text needs no extraction.  Columns that `columns` does not name go to metadata."""
    deep = next((name for name, value in row.items() if is_nested_deeply(value)), None)
    if deep is not None:
        return Record.broken(origin_path, offset, f"'{deep}' is nested more than {MAX_DEPTH} deep")
    rest = {name: value for name, value in row.items() if name not in (columns.text, columns.url, columns.title)}
    licence = row.get(columns.licence)
    if isinstance(licence, str) and licence:
        rest.pop(columns.licence, None)
    text = row.get(columns.text)
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if text is not None and not isinstance(text, str):
        rest["error"] = f"'{columns.text}' is {type(text).__name__}, not text"
    text = text if isinstance(text, str) else None
    return Record(
        origin_path=origin_path,
        offset=offset,
        status=Status.NO_TEXT_FIELD if text is None else Status.OK,
        url=as_text(row.get(columns.url)),
        text=text,
        title=as_text(row.get(columns.title)),
        licence=licence if isinstance(licence, str) and licence else None,
        metadata=rest,
        n_bytes=0 if text is None else len(text.encode("utf-8", "replace")),
    )


def as_text(value: object) -> str | None:
    """A column's value as text: a URL or title can be a number, a list or another type in the input."""
    return value if isinstance(value, str) or value is None else str(value)


def is_nested_deeply(value: object) -> bool:
    """Whether lists and mappings are nested in each other more than MAX_DEPTH deep."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [item for each in level if isinstance(each, Mapping | list | tuple) for item in _items(each)]
        if not level:
            return False
    return True


def _items(value: "Mapping[Any, object] | list[object] | tuple[object, ...]") -> Iterable[object]:
    return value.values() if isinstance(value, Mapping) else value


def plain(value: object) -> Any:
    """A value as JSON can store it: dates and bytes become text, NaN and infinity null, keys text."""
    match value:
        case None | bool() | int():
            return value
        case float():
            return value if math.isfinite(value) else None
        case str():
            return encodable(value)
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {encodable(str(key)): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case set() | frozenset():
            return sorted(map(plain, value), key=repr)
        case _:  # the address in memory is not part of an object's content
            return re.sub(" at 0x[0-9a-f]+", "", encodable(str(value)))


def encodable(text: str) -> str:
    """The text with a replacement character for each lone surrogate, because UTF-8 cannot encode these."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
