"""Write the table of kinds in docs/sources.md from the formats themselves.

python tools/sources.py
"""

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from corpusmill.collect.formats import FORMATS, Format
from corpusmill.collect.settings import Source

PAGE = Path(__file__).parents[1] / "docs" / "sources.md"
BEGIN, END = "<!-- kinds -->\n", "<!-- end of kinds -->\n"
MOST_ENDINGS = 12  # a longer list is shortened; `code` has a hundred


def table() -> str:
    """The table: a row per kind, with its files and the settings that only it has."""
    rows = [
        "| kind | reads | files in a folder | cut | settings of its own |",
        "|---|---|---|---|---|",
        *(_row(format) for format in FORMATS.values()),
    ]
    return "\n".join(rows) + "\n"


def _row(format: Format) -> str:
    said = (format.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " ").split(":")[0].split(".  ")[0]
    endings = [f"`{ending}`" for ending in format.endings]
    shown = ", ".join(endings[:MOST_ENDINGS]) + (", ..." if len(endings) > MOST_ENDINGS else "")
    own = {n: f for n, f in format.settings.model_fields.items() if n not in Source.model_fields}
    settings = ", ".join(f"`{_setting(name, field)}`" for name, field in own.items())
    cut = any(format.can_be_cut(f"a{ending}") for ending in format.endings)
    whole = "in buckets" if format.in_buckets else "yes" if cut else "no"
    return f"| `{format.kind}` | {said.rstrip('.')} | {shown} | {whole} | {settings} |"


def _setting(name: str, field: FieldInfo) -> str:
    """A setting as a recipe has it, with its default; only the name if there is none, or it is a table."""
    if field.is_required() or isinstance(field.default, BaseModel):
        return name
    default = field.get_default(call_default_factory=True)
    return name if default is None else f"{name} = {json.dumps(default)}"


def page() -> str:
    """The page with the table as it should be."""
    before, _, rest = PAGE.read_text("utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
