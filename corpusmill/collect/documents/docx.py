"""Word files: `.docx` as HTML by mammoth, with headings, lists, tables, footnotes and links; pictures are left out.

Before mammoth sees a file, its XML is checked: the sizes that its archive states are within bounds, and no part
declares a document type, which Office never writes.  mammoth gets only these parts, with two changes.

- Elements that it would leave out with their text (fields, directions, ruby) have the name of one that it reads.  Of
  ruby, the base is kept, and the reading is left out.
- References to notes that the file lacks are taken out and counted, because mammoth fails at them.
"""

import io
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime

from corpusmill.collect.documents.archive import Archive, Element, local_name, safe_xml, text_of
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.errors import InputError
from corpusmill.reasons import Status

PROPERTIES = "docProps/core.xml"
DOCUMENT = "word/document.xml"
CODE = "\n".join(
    f"p[style-name='{name}'] => pre:separator('\\n')"
    for name in ("Source Code", "HTML Preformatted", "Preformatted Text", "Code", "Plain Text")
)
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # the container of .doc, and of .docx with a password
_BACK = re.compile(r'<a href="#[^"<>]*-ref-\d+">↑</a>')  # from a note to its place
_UNREAD = re.compile(rb"<(/?)w:(?:fldSimple|dir|bdo|ruby|rubyBase)(?=[\s/>])")
_READING = re.compile(rb"<w:rt(?=[\s>])(?:(?!</w:rt>).)*+</w:rt>", re.DOTALL)
_NOTE = re.compile(rb"<w:(footnote|endnote)\s[^<>]*?w:id=[\"'](-?\d+)[\"']")
_REFERENCE = re.compile(rb"<w:(footnote|endnote)Reference\s[^<>]*?w:id=[\"'](-?\d+)[\"'][^<>]*?/>")
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

    if content.startswith(_OLE):
        raise DamageError("it is a Word file of the old form (.doc), or has a password; save it as .docx without one")
    archive = Archive(content, _WIDTH * max_page_bytes)
    if DOCUMENT not in archive and not any(name.startswith("word/") for name in archive.names()):
        raise DamageError("it is no Word file: it has no 'word/document.xml'")
    if archive.inflated(".xml") + archive.inflated(".rels") > _WIDTH * max_page_bytes:
        raise DamageError("the XML of the file inflates to more than a page may have")
    parts = {name: archive.read(name) for name in archive.names() if name.endswith((".xml", ".rels"))}
    for name, part in parts.items():
        if b"<!DOCTYPE" in part.replace(b"\0", b""):
            raise DamageError(f"'{name}' declares a document type")
    file, n_missing_notes = _readable(parts)
    try:
        html = mammoth.convert_to_html(
            file,
            style_map=CODE,
            convert_image=lambda image: [],
            include_embedded_style_map=False,
        ).value
    except RecursionError:
        raise DamageError("the document is nested too deeply") from None
    html = _BACK.sub("", html)
    body = html.encode("utf-8", "replace")
    said = _properties(safe_xml(parts[PROPERTIES], PROPERTIES)) if PROPERTIES in parts else {}
    n_formulas = parts.get(DOCUMENT, b"").count(b"<m:oMath>")
    metadata = {
        "creator": said.get("creator"),
        "subject": said.get("subject"),
        "formulas_left_out": n_formulas or None,
        "missing_notes": n_missing_notes or None,
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


def _readable(parts: dict[str, bytes]) -> tuple[io.BytesIO, int]:
    """A Word file of these parts as mammoth can read it, and the number of references to notes that it lacks."""
    notes = {found.groups() for part in parts.values() for found in _NOTE.finditer(part)}
    n_missing = 0

    def reference(found: re.Match[bytes]) -> bytes:
        nonlocal n_missing
        if found.groups() in notes:
            return found[0]
        n_missing += 1
        return b""

    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, part in parts.items():
            changed = _UNREAD.sub(rb"<\1w:smartTag", _READING.sub(b"", part)) if name.startswith("word/") else part
            archive.writestr(name, _REFERENCE.sub(reference, changed))
    file.seek(0)
    return file, n_missing


def _properties(root: Element) -> dict[str, str]:
    return {local_name(element): text for element in root if (text := text_of(element)) is not None}


def _time(text: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None
