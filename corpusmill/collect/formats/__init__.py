"""Formats: one object for each kind of source, with everything that the product knows about it.

To add a kind, write a module here with a class derived from `Format`, and add a line to `FORMATS`.
"""

from corpusmill.collect.formats.base import Format
from corpusmill.collect.formats.commoncrawl import CommonCrawl
from corpusmill.collect.formats.crawl import Crawl
from corpusmill.collect.formats.documents import Docx, Epub, Feed, Mbox, Pdf, StackExchange, Tmx
from corpusmill.collect.formats.jsonl import JsonLines
from corpusmill.collect.formats.mediawiki import MediaWiki
from corpusmill.collect.formats.parquet import Parquet
from corpusmill.collect.formats.tables import Arrow, Csv, Dataset
from corpusmill.collect.formats.trees import Code, Html, Latex, Markdown, RestructuredText, Text
from corpusmill.collect.formats.user import UserFormat
from corpusmill.collect.formats.warc import Warc, Wat, Wet
from corpusmill.extensions import REGISTRY

__all__ = ["FORMATS", "Format", "format_of", "kinds"]

_WEB = (Warc(), Wet(), Wat(), CommonCrawl(), Html(), Crawl())
_TABLES = (JsonLines(), Parquet(), Csv(), Arrow(), Dataset())
_FILES = (Markdown(), RestructuredText(), Latex(), Text(), Code())
_DOCUMENTS = (MediaWiki(), Epub(), Docx(), Pdf(), Feed(), Mbox(), StackExchange(), Tmx())
FORMATS: dict[str, Format] = {format.kind: format for format in (*_WEB, *_TABLES, *_FILES, *_DOCUMENTS)}


def format_of(kind: str) -> Format | None:
    """The format of a kind of source, including kinds that users registered; None if the kind is unknown."""
    if kind in FORMATS:
        return FORMATS[kind]
    return UserFormat(REGISTRY.sources[kind]) if kind in REGISTRY.sources else None


def kinds() -> list[str]:
    """Every kind of source that a recipe may name."""
    return [*FORMATS, *sorted(REGISTRY.sources)]
