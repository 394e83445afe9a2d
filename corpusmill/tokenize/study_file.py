"""The file that holds the figures of `study.py`.  Imports no tokenizer, since every command reads it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any


def written(rows: Mapping[str, Sequence[Mapping[str, Any]]], made_from: str) -> bytes:
    """The tables as JSON, column by column.  made_from: a digest of the token ids that were counted."""
    columns = {
        name: {field: [row[field] for row in some] for field in (some[0] if some else ())}
        for name, some in rows.items()
    }
    data = {"made_from": made_from, "tables": columns}
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def rows_of(content: bytes, made_from: str) -> dict[str, list[dict[str, Any]]]:
    """The rows that `written` wrote, by table; none if they were made from other token ids."""
    data: dict[str, Any] = json.loads(content)
    if data["made_from"] != made_from:
        return {}
    tables: dict[str, dict[str, list[Any]]] = data["tables"]
    return {
        name: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for name, columns in tables.items()
    }
