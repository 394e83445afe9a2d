"""EPUB 2 and 3: a book is one record, its chapters in the order of the spine, as HTML that is content throughout.

The libraries that read EPUB are under licences that this project cannot use, or read less than is needed here: the
container names a package, the package lists the chapters.  Navigation, covers without text and what the book itself
leaves out of its order (`linear="no"`) are left out, and the names of the last are on record.  A book with digital
rights management is a row with a reason.
"""

import posixpath
import re
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import unquote

from corpusmill.collect.documents.archive import Archive, Element, local_name, text_of
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.reasons import Status

CONTAINER = "META-INF/container.xml"
ENCRYPTION = "META-INF/encryption.xml"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # only fonts are garbled
_BODY = re.compile(r"<body\b[^>]*>(.*)</body\s*>", re.DOTALL | re.IGNORECASE)
_HEAD = re.compile(r"<head\b.*?</head\s*>", re.DOTALL | re.IGNORECASE)
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}encoding\s*=\s*["']([\w.-]{1,40})""")
_TEXT_TYPES = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml")


def books(path: str, content: bytes, max_page_bytes: int) -> Iterator[Record]:
    """The book in a file."""
    archive = Archive(content, 4 * max_page_bytes)
    if ENCRYPTION in archive and not _only_fonts(archive.xml(ENCRYPTION)):
        raise DamageError("the book is encrypted")
    rootfile = next((e for e in archive.xml(CONTAINER).iter() if local_name(e) == "rootfile"), None)
    package = rootfile.get("full-path") if rootfile is not None else None
    if not package:
        raise DamageError("the book names no package")
    root = archive.xml(package)
    linear = _chapters(root, package)
    chapters = [name for name, is_linear in linear.items() if is_linear]
    pieces = [_body(archive.read(name)) for name in chapters if name in archive]
    missing = [name for name in chapters if name not in archive]
    body = "\n".join(f"<div>{piece}</div>" for piece in pieces).encode("utf-8", "replace")
    said = _metadata(root)
    metadata: dict[str, object] = {
        "chapters": [name for name in chapters if name in archive],
        "missing_chapters": missing or None,
        "chapters_out_of_order": [name for name, is_linear in linear.items() if not is_linear] or None,
    }
    metadata |= {name: said.get(name) for name in ("creator", "publisher", "identifier", "subject")}
    is_empty = not pieces
    yield Record(
        origin_path=path,
        offset=0,
        status=Status.NO_MAIN_CONTENT if is_empty else Status.OK,
        fetched_at=_time(said.get("date")),
        content_type="application/epub+zip",
        charset="utf-8",
        media="content",
        body=b"<!doctype html><body>" + body,
        title=said.get("title"),
        licence=said.get("rights"),
        html_lang=said.get("language"),
        metadata={name: value for name, value in metadata.items() if value is not None},
        n_bytes=len(body),
    )


def _only_fonts(encryption: Element) -> bool:
    methods = [e.get("Algorithm") for e in encryption.iter() if local_name(e) == "EncryptionMethod"]
    return all(method in _FONTS for method in methods)


def _chapters(root: Element, package: str) -> dict[str, bool]:
    """Names in the archive of the chapters, in the order of the spine, and whether they belong to the book's order."""
    items = {e.get("id"): e for e in root.iter() if local_name(e) == "item"}
    linear: dict[str, bool] = {}
    references = [e for e in root.iter() if local_name(e) == "itemref"]
    for reference in sorted(references, key=lambda e: e.get("linear") == "no"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _TEXT_TYPES:
            continue
        if "nav" in (item.get("properties") or "").split():
            continue
        href = unquote((item.get("href") or "").partition("#")[0])
        name = posixpath.normpath(posixpath.join(posixpath.dirname(package), href))
        if href:
            linear.setdefault(name, reference.get("linear") != "no")
    return linear


def _body(content: bytes) -> str:
    """The content of a chapter's body, as HTML."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = content.decode("utf-16", "replace")
    else:
        declared = _DECLARED.match(content.removeprefix(b"\xef\xbb\xbf"))
        try:
            text = content.decode(declared[1].decode() if declared else "utf-8-sig", "replace")
        except LookupError:
            text = content.decode("utf-8-sig", "replace")
    body = _BODY.search(text)
    return body[1] if body else _HEAD.sub("", text)


def _metadata(root: Element) -> dict[str, str]:
    """The first of each element of Dublin Core."""
    found: dict[str, str] = {}
    for element in root.iter():
        if isinstance(element.tag, str) and element.tag.startswith("{http://purl.org/dc/elements/1.1/}"):
            text = text_of(element)
            if text:
                found.setdefault(local_name(element), text)
    return found


def _time(text: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None
