"""Records from rows with named columns: JSON objects, Parquet rows, and the mappings of a user's own reader."""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from corpusmill.collect.records import Record, utc
from corpusmill.collect.settings import Columns
from corpusmill.reasons import Status

MAX_DEPTH = 100  # levels of nesting in metadata
MOST_NAMED = 50  # columns that a message names


def no_column(name: str, there: Sequence[str]) -> str:
    """What is said of a file without the column for the text."""
    named = ", ".join(there[:MOST_NAMED]) + (", ..." if len(there) > MOST_NAMED else "")
    return f"there is no column '{name}' for the text; name one of: {named}"


_ROLES, _CONTENTS = ("role", "from", "author"), ("content", "value", "text", "parts")


def from_columns(row: Mapping[str, Any], columns: Columns, origin_path: str, offset: int) -> Record:
    """The record of a row whose text needs no extraction.  Columns that `columns` does not name go to metadata.

    A text may be a list: of paragraphs, or of messages of a chat.  They are joined by blank lines, and a message begins
    with its role.  Items that are null and messages without text are left out.  One message may stand without a list.
    """
    deep = next((name for name, value in row.items() if is_nested_deeply(value)), None)
    if deep is not None:
        return Record.broken(origin_path, offset, f"'{deep}' is nested more than {MAX_DEPTH} deep")
    rest = dict(row)
    found = {name: _taken(rest, getattr(columns, name)) for name in ("text", "url", "title")}
    licence, rest = _if_usable(rest, columns.licence, lambda value: isinstance(value, str) and value != "")
    date, rest = _if_usable(rest, columns.date, lambda value: moment_of(value) is not None)
    text = joined_text(found["text"])
    if found["text"] is not None and text is None:
        rest["error"] = f"'{columns.text}' is {_kind(found['text'])}, not text"
    return Record(
        origin_path=origin_path,
        offset=offset,
        status=Status.NO_TEXT_FIELD if text is None else Status.OK,
        url=as_text(found["url"]),
        fetched_at=moment_of(date),
        text=text,
        title=as_text(found["title"]),
        licence=licence,
        metadata=rest,
        n_bytes=0 if text is None else len(text.encode("utf-8", "replace")),
    )


def _taken(row: dict[str, Any], name: str) -> Any:
    """The value of a column, also of one in another column; it is removed from the row."""
    if name in row or "." not in name:
        return row.pop(name, None)
    outer, _, inner = name.partition(".")
    if not isinstance(row.get(outer), Mapping):
        return None
    nested = dict(row[outer])
    value = _taken(nested, inner)
    if value is not None:
        row[outer] = nested
    return value


def has_column(row: Mapping[str, Any], name: str) -> bool:
    """Whether a row has a column, also one in another column; its value may be null."""
    if name in row or "." not in name:
        return name in row
    outer, _, inner = name.partition(".")
    return isinstance(row.get(outer), Mapping) and has_column(row[outer], inner)


def _if_usable(row: dict[str, Any], name: str, test: Callable[[Any], bool]) -> tuple[Any, dict[str, Any]]:
    """The value of a column and the row without it, if the value passes the test; else None and the same row."""
    rest = dict(row)
    value = _taken(rest, name)
    return (value, rest) if test(value) else (None, row)


def joined_text(value: object) -> str | None:
    """The text of a value: a text, paragraphs, or messages.  None if it is none of these."""
    match value:
        case str():
            return value
        case bytes():
            return value.decode("utf-8", "replace")
        case list() | tuple():
            items = [part for part in value if part is not None]
            texts = [text for part in items if (text := _message(part)) is not None]
            if len(texts) < len(items) or (value and not items):
                return None
            return "\n\n".join(
                text for part, text in zip(items, texts, strict=True) if text or not isinstance(part, Mapping)
            )
        case Mapping() if _role(value) is not None:
            return _message(value)
    return None


def _kind(value: object) -> str:
    """What a value that is no text is: its type, and for a list the type of the first item that is no text."""
    name = type(value).__name__
    if not isinstance(value, list | tuple):
        return name
    wrong = next((part for part in value if part is not None and _message(part) is None), None)
    return f"{name} with {type(wrong).__name__}" if wrong is not None else f"{name} of null"


def _role(message: Mapping[Any, Any]) -> str | None:
    return next((message[name] for name in _ROLES if isinstance(message.get(name), str)), None)


def _message(part: object) -> str | None:
    """A paragraph, or a message with its role; an empty text for a message without text, such as a picture."""
    if not isinstance(part, Mapping):
        return joined_text(part)
    content = next((part[name] for name in _CONTENTS if part.get(name) is not None), None)
    role = _role(part)
    text = "" if content is None and (role is not None or "type" in part) else joined_text(content)
    return f"{role}: {text}" if text and role is not None else text


def distinct(names: list[str]) -> list[str]:
    """Column names, with its place added to each name that was there before."""
    found: list[str] = []
    for place, name in enumerate(names):
        made = name if name not in names[:place] else f"{name}_{place}"
        while made in found:
            made += "_"
        found.append(made)
    return found


def moment_of(value: object) -> datetime | None:
    """A time in UTC from a datetime, a date or ISO 8601; None for other values."""
    if isinstance(value, str):
        try:
            return utc(datetime.fromisoformat(value))
        except ValueError:
            return None
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)  # the tables store times in UTC
    return utc(value) if isinstance(value, datetime) else None


def as_text(value: object) -> str | None:
    """A column's value as text: a URL or title can be a number, a list or another type in the input.

    Lists, objects and truth values are written as JSON.
    """
    if isinstance(value, list | tuple | Mapping | bool):
        return json.dumps(plain(value), ensure_ascii=False)
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
