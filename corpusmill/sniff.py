r"""What a body really is, from its first bytes: servers label feeds, JSON, programs and archives as text/html.

The signatures of binary types and the rules for feeds are those of the WHATWG MIME Sniffing Standard
(https://mimesniff.spec.whatwg.org/, sections 6 and 7.3).  Browsers go no further, because they have other means to show
a body.  A corpus has not, so a few types of text are found, too:

- XML, by its declaration and a root element that HTML does not have; without a declaration, by the roots of feeds and
  site maps.  XHTML is HTML.
- JSON, if it parses; of a long body, the beginning decides.
- style sheets and scripts, by what stands at their beginning.
- plain text, if there is no tag of HTML in it and it has several lines: HTML would join these lines.  A body of a few
  words stays HTML, because servers send such error messages as text/html.

A body that begins with a tag of HTML is HTML, whatever follows.  Nearly all pages do, and cost 1 us.
"""

import codecs
import json
import re

from corpusmill.page import Media

HEAD = 1 << 13  # bytes that are looked at; the standard's 1,445 end within the licence of many programs
WHOLE_JSON = 1 << 18  # bytes; longer bodies are not parsed
FEW_LINES = 8
FEED_TYPES = {"rss": "application/rss+xml", "feed": "application/atom+xml", "rdf": "application/rdf+xml"}
MEDIA: dict[str, Media] = {"text/html": "html", "text/plain": "text", "text/markdown": "markdown"}

_BINARY_TYPES = (  # sections 6.1 to 6.4, and what else is sent as a page
    (b"%PDF-", "application/pdf"),
    (b"%!PS-Adobe-", "application/postscript"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"PK\x03\x04", "application/zip"),
    (b"Rar \x1a\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07", "application/x-rar-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"OggS\x00", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"\x00asm", "application/wasm"),
    (b"{\\rtf", "text/rtf"),
)
_RIFF = re.compile(rb"RIFF....(WEBPVP|WAVE|AVI )", re.DOTALL)
_RIFF_TYPES = {b"WEBPVP": "image/webp", b"WAVE": "audio/wave", b"AVI ": "video/avi"}
_MP4 = re.compile(rb"\0\0..ftyp", re.DOTALL)

_ELEMENTS = (  # of HTML: one of them makes a text HTML.  Names that programs have as types are left out
    "a|abbr|article|aside|b|blockquote|body|br|center|dd|div|dl|dt|em|fieldset|figure|font|footer|form|frameset|h[1-6]|"
    "head|header|hr|html|i|iframe|img|input|li|link|main|meta|nav|noscript|ol|p|pre|script|section|select|small|span|"
    "strong|style|sup|table|tbody|td|th|title|tr|tt|u|ul"
)
_HTML_FIRST = re.compile(
    rb"\s*(?:<!doctype\s+html\b|<(?:%s)(?=[\s/>]))" % _ELEMENTS.encode(), re.IGNORECASE
)  # a declaration of XML or a comment may stand before it
_TAG = re.compile(rb"</?(?:%s)(?=[\s/>])" % _ELEMENTS.encode(), re.IGNORECASE)
_REFERENCE = re.compile(rb"&(?:nbsp|amp|lt|gt|quot|#\d+);")
_PROLOG = re.compile(rb"\s*+(?:<\?xml.*?\?>|<!--.*?-->|<!doctype[^>\[]*+(?:\[.*?\]\s*+)?>)", re.DOTALL | re.IGNORECASE)
_ROOT = re.compile(rb"\s*<([A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)(?=[\s/>])")
_OWN_ROOTS = {  # roots of XML that is often sent without a declaration
    "rss": FEED_TYPES["rss"],
    "feed": FEED_TYPES["feed"],
    "urlset": "application/xml",
    "sitemapindex": "application/xml",
    "opml": "application/xml",
}
_HTML_ROOTS = frozenset({"html", "wml", *re.sub(r"h\[1-6\]", "h1|h2|h3|h4|h5|h6", _ELEMENTS).split("|")})
_RDF = (b"http://purl.org/rss/1.0/", b"http://my.netscape.com/rdf/simple/0.9/")
_COMMENTS = rb"\s*+(?:(?>/\*.*?\*/)\s*+|//[^\n]*+\n\s*+)*+"
_STYLE = re.compile(
    _COMMENTS + rb"""(?:@charset\s+["']|@import\s|@media\s|@font-face|"""
    rb"""[.#:]?[\w-]++(?:[\s,>+.#:\[][\w\s.,#:>+*()="'\]-]*+)?\{\s*+[\w-]++\s*+:)""",
    re.DOTALL,
)
_SCRIPT = re.compile(
    _COMMENTS + rb"""(?:["']use strict["']|[!;+]?\(?function\s*+\w*+\s*+\(|(?:var|let|const)\s++[\w${\[]|"""
    rb"""import\s++[\w{*'"][^\n;]*+;|export\s++(?:default|const|function|class)\b|window\.|document\.|jQuery|\$\()""",
    re.DOTALL,
)
_PROGRAM = re.compile(rb"\s*+(?:#!|<\?php\b|<\?=|#include\b|package\s+[\w.]+;?\s*\n|from\s+[\w.]+\s+import\b)")
_COMMENT = re.compile(rb"\s*+(?:/\*|//|# |\"\"\")")
_DOCUMENT = re.compile(rb"\s*+(?:<!doctype\s+html\b|<html(?=[\s>]))", re.IGNORECASE)
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[\]{\"\d.tfn-])")
_JSONP = re.compile(rb"\s*(?:/\*\*/\s*)?[\w.$]{1,100}\(\s*([\[{].*[\]}])\s*\)\s*;?\s*\Z", re.DOTALL)
_JSON_LONG = re.compile(rb'\s*+(?:\[\s*+)*+\{\s*+"(?:[^"\\]|\\.){1,200}+"\s*+:')
_PREFIX = re.compile(rb"\s*+\)\]\}'?,?[ \t\r]*+\n")  # before JSON, so that it is no script


def sniffed(body: bytes, declared: str = "text/html") -> str:
    """The type of a body that is labelled as text of some kind: `declared`, or what it really is.

    declared: text/html, text/plain or an XML type, in lower case without parameters
    """
    head = _text(body[:HEAD])
    if (_HTML_FIRST if declared == "text/html" else _DOCUMENT).match(head):
        return "text/html"
    return _binary(head) or _xml(head) or _of_text(body, head, declared)


def media_of(type: str) -> Media | None:
    """How a body of a sniffed type is read; None if there is nothing to read in it."""
    return MEDIA.get(type)


def _text(head: bytes) -> bytes:
    """The beginning without byte order mark, in an encoding that contains ASCII."""
    if head.startswith(codecs.BOM_UTF8):
        return head[3:]
    for mark, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(mark):
            return head[2:].decode(name, "ignore").encode("utf-8", "replace")
    return head


def _binary(head: bytes) -> str | None:
    for signature, name in _BINARY_TYPES:
        if head.startswith(signature):
            return name
    if (riff := _RIFF.match(head)) is not None:
        return _RIFF_TYPES[riff[1]]
    return "video/mp4" if _MP4.match(head) else None


def _xml(head: bytes) -> str | None:
    """The type of a body that begins like XML: that of a feed, XML, or HTML; None if it does not begin so."""
    at, is_declared, is_svg = 0, False, False
    while (part := _PROLOG.match(head, at)) is not None:
        said = part[0].lstrip().lower()
        is_declared = is_declared or said.startswith(b"<?xml")
        is_svg = is_svg or said.startswith(b"<!doctype svg")
        at = part.end()
    if at and _HTML_FIRST.match(head, at):
        return "text/html"
    root = _ROOT.match(head, at)
    if root is None:
        return None
    name = root[2].decode().lower()
    if name in _OWN_ROOTS:
        return _OWN_ROOTS[name]
    if name == "rdf" and root[1]:
        return FEED_TYPES["rss" if any(each in head for each in _RDF) else "rdf"]
    if name == "svg" and (is_declared or is_svg):
        return "image/svg+xml"
    if is_declared and name not in _HTML_ROOTS:
        return "application/xml"
    return None


def _of_text(body: bytes, head: bytes, declared: str) -> str:
    if declared.endswith("xml"):
        return declared
    if _is_json(body):
        return "application/json"
    if declared != "text/html":
        return declared
    if _PROGRAM.match(head):
        return "text/plain"
    if _TAG.search(head):
        return "text/html"
    if _STYLE.match(head):
        return "text/css"
    if _SCRIPT.match(head):
        return "text/javascript"
    several = head.count(b"\n") > FEW_LINES or _COMMENT.match(head)
    return "text/plain" if several and not _TAG.search(body) and not _REFERENCE.search(body) else "text/html"


def _is_json(body: bytes) -> bool:
    body = body.removeprefix(codecs.BOM_UTF8)
    if (prefix := _PREFIX.match(body)) is not None:
        body = body[prefix.end() :]
    end = body[-64:].rstrip()[-1:]
    if end in (b")", b";") and len(body) <= WHOLE_JSON and (call := _JSONP.match(body)) is not None:
        body = call[1]
    elif end not in (b"}", b"]") or not _JSON.match(body):
        return False
    if len(body) > WHOLE_JSON:
        return _JSON_LONG.match(body) is not None
    try:
        return isinstance(json.loads(body), dict | list)
    except (ValueError, RecursionError):
        return False
