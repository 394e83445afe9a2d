"""Word files: `.docx` as HTML by mammoth, with headings, lists, tables, footnotes and links; pictures are left out.

Before mammoth sees a file, its XML is checked: the sizes that its archive states are within bounds, and no part
declares a document type, which Office never writes.
"""

import io
import re
from collections.abc import Iterator
from datetime import datetime

from corpusmill.collect.documents.archive import Archive, Element, local_name, text_of
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.errors import InputError
from corpusmill.reasons import Status

PROPERTIES = "docProps/core.xml"
DOCUMENT = "word/document.xml"
CODE = "\n".join(
    f"p[style-name='{name}'] => pre:separator('\\n')"
    for name in ("Source Code", "HTML Preformatted", "Preformatted Text", "Code", "Plain Text")
)
_BACK = re.compile(r'<a href="#[^"<>]*-ref-\d+">↑</a>')  # from a note to its place
_WIDTH = 20  # bytes of XML per byte of text, at most, in files of people


def require_mammoth() -> None:
    """InputError if mammoth is not installed."""
    try:
        import mammoth  # noqa: F401
    except ImportError:
        raise InputError(
            "kind 'docx' needs mammoth, which is not installed: pip install 'corpusmill[documents]'"
        ) from None


def documents(path: str, content: bytes, max_page_bytes: int) -> Iterator[Record]:
    """The document in a file."""
    import mammoth

    archive = Archive(content, _WIDTH * max_page_bytes)
    if DOCUMENT not in archive and not any(name.startswith("word/") for name in archive.names()):
        raise DamageError("it is no Word file: it has no 'word/document.xml'")
    if archive.inflated(".xml") + archive.inflated(".rels") > _WIDTH * max_page_bytes:
        raise DamageError("the XML of the file inflates to more than a page may have")
    for name in archive.names():
        if name.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.read(name).replace(b"\0", b""):
            raise DamageError(f"'{name}' declares a document type")
    html = mammoth.convert_to_html(
        io.BytesIO(content),
        style_map=CODE,
        convert_image=lambda image: [],
        include_embedded_style_map=False,
    ).value
    html = _BACK.sub("", html)
    body = html.encode("utf-8", "replace")
    said = _properties(archive.xml(PROPERTIES)) if PROPERTIES in archive else {}
    n_formulas = archive.read(DOCUMENT).count(b"<m:oMath>") if DOCUMENT in archive else 0
    metadata = {
        "creator": said.get("creator"),
        "subject": said.get("subject"),
        "formulas_left_out": n_formulas or None,
    }
    yield Record(
        origin_path=path,
        offset=0,
        status=Status.OK if html.strip() else Status.NO_MAIN_CONTENT,
        fetched_at=_time(said.get("modified") or said.get("created")),
        content_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        charset="utf-8",
        media="content",
        body=b"<!doctype html><body>" + body,
        title=said.get("title"),
        html_lang=said.get("language"),
        metadata={name: value for name, value in metadata.items() if value is not None},
        n_bytes=len(body),
    )


def _properties(root: Element) -> dict[str, str]:
    return {local_name(element): text for element in root if (text := text_of(element)) is not None}


def _time(text: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None
