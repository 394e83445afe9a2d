r"""What a body really is, from its first bytes: servers label feeds, JSON, programs and archives as text/html.

The signatures of binary types and the rules for feeds are those of the WHATWG MIME Sniffing Standard
(https://mimesniff.spec.whatwg.org/, sections 6 and 7.3).  Browsers go no further, because they have other means to show
a body.  A corpus has not, so a few types of text are found, too:

- XML, by its declaration and a root element that HTML does not have; without a declaration, by the roots of feeds and
  site maps, or by a namespace.  XHTML is HTML.
- JSON, if it parses; of a long body, the beginning decides.  JSON lines, if the first lines parse.
- source files, style sheets and scripts, by what stands at their beginning (`programs.py`).  They may contain tags.
  But a body in which a later line begins with <html> is a page: something was left over before it.
- plain text, if there is no tag of HTML in it and it has several lines: HTML would join these lines.  A body of a few
  words stays HTML, because servers send such error messages as text/html.

A body that begins with a tag of HTML is HTML, whatever follows.  Nearly all pages do, and cost 1 us.
"""

import codecs
import json
import re

from corpusmill.page import Media
from corpusmill.programs import is_page_inside, type_of_program

HEAD = 1 << 13  # bytes that are looked at; the standard's 1,445 end within the licence of many programs
WHOLE_JSON = 1 << 18  # bytes; longer bodies are not parsed
FEW_LINES = 8
LONG_TEXT = 400  # bytes; no error message is so long
MARKLESS = 16  # bytes; if each second one is zero, they are UTF-16 without a mark
LINES_TO_PARSE = 3  # of JSON lines
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
    (b"PK\x05\x06", "application/zip"),
    (b"BZh91AY&SY", "application/x-bzip2"),
    (b"\xfd7zXZ\x00", "application/x-xz"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"Rar \x1a\x07\x00", "application/x-rar-compressed"),
    (b"Rar!\x1a\x07", "application/x-rar-compressed"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"OggS\x00", "application/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"FLV\x01", "video/x-flv"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
    (b"AT&TFORM", "image/vnd.djvu"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ\x90\x00", "application/x-msdownload"),
    (b"\x00\x00\x00\x0cJXL ", "image/jxl"),
    (b"\xca\xfe\xba\xbe", "application/java-vm"),
    (b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (b"wOFF", "font/woff"),
    (b"wOF2", "font/woff2"),
    (b"\x00\x01\x00\x00", "font/ttf"),
    (b"OTTO\x00", "font/otf"),
    (b"ttcf\x00", "font/collection"),
    (b"\x00asm", "application/wasm"),
    (b"{\\rtf", "text/rtf"),
)
_RIFF = re.compile(rb"RIFF....(WEBPVP|WAVE|AVI )", re.DOTALL)
_RIFF_TYPES = {b"WEBPVP": "image/webp", b"WAVE": "audio/wave", b"AVI ": "video/avi"}
_BITMAP = re.compile(rb"BM....\0\0\0\0|[CFZ]WS[\x01-\x08\x0b\x0c\x0e-\x1f]", re.DOTALL)
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
_COMMENT = re.compile(rb"\s*+(?:/\*|//|# |\"\"\")")
_DOCUMENT = re.compile(rb"\s*+(?:<!doctype\s+html\b|<html(?=[\s>]))", re.IGNORECASE)
_JSON = re.compile(rb"\s*(?:\{\s*[\"}]|\[\s*[\[\]{\"\d.tfn-])")
_JSONP = re.compile(
    rb"\s*+(?:/\*\*/\s*+)?(?:typeof\s++[\w.$]++\s*+===?\s*+[\"']function[\"']\s*+&&\s*+|[\w.$]++\s*+&&\s*+)?"
    rb"[\w.$]{1,100}\(\s*+([\[{].*[\]}])\s*\)\s*;?\s*\Z",
    re.DOTALL,
)
_JSON_LONG = re.compile(rb'\s*+(?:\[\s*+)*+\{\s*+"(?:[^"\\]|\\.){1,200}+"\s*+:')
_XMLNS = re.compile(rb"""\sxmlns(:[\w.-]++)?\s*+=\s*+["']([^"'<>]*+)["']""")
_DOCTYPE = re.compile(rb"<!doctype\s++(?!html\b|wml\b)[\w:.-]", re.IGNORECASE)
_XHTML = (b"http://www.w3.org/1999/xhtml", b"http://www.w3.org/TR/xhtml")
_PREFIX = re.compile(rb"\s*+\)\]\}'?,?[ \t\r]*+\n")  # before JSON, so that it is no script


def sniffed(body: bytes, declared: str = "text/html") -> str:
    """The type of a body that is labelled as text of some kind: `declared`, or what it really is.

    declared: text/html, text/plain or an XML type, in lower case without parameters
    """
    head = _text(body[:HEAD])
    if (_HTML_FIRST if declared == "text/html" else _DOCUMENT).match(head):
        return "text/html"
    return _binary(head) or _xml(body, head, declared) or _of_text(body, head, declared)


def media_of(type: str) -> Media | None:
    """How a body of a sniffed type is read; None if there is nothing to read in it."""
    return MEDIA.get(type)


def _text(head: bytes) -> bytes:
    """The beginning without byte order mark, in an encoding that contains ASCII."""
    if head.startswith(codecs.BOM_UTF8):
        return head[3:]
    for mark, name, high in ((codecs.BOM_UTF16_LE, "utf-16-le", 1), (codecs.BOM_UTF16_BE, "utf-16-be", 0)):
        if head.startswith(mark) or (
            0 in head[:2] and head[high:MARKLESS:2].count(0) == len(head[1 - high : MARKLESS : 2])
        ):
            return head.removeprefix(mark).decode(name, "ignore").encode("utf-8", "replace")
    return head


def _binary(head: bytes) -> str | None:
    for signature, name in _BINARY_TYPES:
        if head.startswith(signature):
            return name
    if head[:64].lstrip().startswith(b"%PDF-"):
        return "application/pdf"
    if head.startswith(b"ustar", 257):
        return "application/x-tar"
    if (riff := _RIFF.match(head)) is not None:
        return _RIFF_TYPES[riff[1]]
    if (drawn := _BITMAP.match(head)) is not None:
        return "image/bmp" if drawn[0].startswith(b"BM") else "application/x-shockwave-flash"
    return "video/mp4" if _MP4.match(head) else None


def _xml(body: bytes, head: bytes, declared: str) -> str | None:
    """The type of a body that begins like XML: that of a feed, XML, or HTML; None if it does not begin so."""
    at, is_declared, is_svg, is_other = 0, False, False, False
    while (part := _PROLOG.match(head, at)) is not None:
        said = part[0].lstrip().lower()
        is_declared = is_declared or said.startswith(b"<?xml")
        is_svg = is_svg or said.startswith(b"<!doctype svg")
        is_other = is_other or _DOCTYPE.match(said) is not None
        at = part.end()
    root = _ROOT.match(head, at)
    if root is None:
        return None
    tag = head[root.start() : head.find(b">", root.end())]
    spaces: dict[bytes, bytes] = dict(_XMLNS.findall(tag))
    own = spaces.get(b":" + root[1][:-1] if root[1] else b"")
    is_xhtml = own is not None and own.startswith(_XHTML)
    is_other = is_other or (own is not None and not is_xhtml)
    if at and _HTML_FIRST.match(head, at) and not (is_declared and is_other):
        return "text/html"
    name = root[2].decode().lower()
    if name == "html" or (declared.endswith("xml") and is_xhtml and not root[1]):
        return "text/html"
    if name in _OWN_ROOTS:
        return _OWN_ROOTS[name]
    if name == "rdf" and root[1]:
        return FEED_TYPES["rss" if any(each in head for each in _RDF) else "rdf"]
    is_whole = body[-1024:].rstrip().endswith(b"</%b%b>" % (root[1] or b"", root[2]))
    if name == "svg" and (is_declared or is_svg or is_whole):
        return "image/svg+xml"
    if is_declared and (name not in _HTML_ROOTS or is_other):
        return "application/xml"
    return "application/xml" if own and is_other and is_whole and name not in _HTML_ROOTS else None


def _of_text(body: bytes, head: bytes, declared: str) -> str:
    if declared.endswith("xml"):
        return declared
    if (found := _json(body)) is not None:
        return found
    if declared != "text/html":
        return declared
    if (found := type_of_program(head)) is not None and not is_page_inside(head):
        return found
    if _TAG.search(head):
        return "text/html"
    n_lines = max(head.count(b"\n"), head.count(b"\r"))
    has_lines = n_lines > FEW_LINES or (n_lines > 1 and (len(body) > LONG_TEXT or _is_table(head)))
    if not has_lines and not _COMMENT.match(head):
        return "text/html"
    return "text/html" if _TAG.search(body) or _REFERENCE.search(body) else "text/plain"


def _is_table(head: bytes) -> bool:
    """Whether all lines have the same number of commas, semicolons or tabs."""
    lines = head.strip().splitlines()[: FEW_LINES + 1] or [b""]
    return any({line.count(sign) for line in lines} == {n} for sign in b",;\t" if (n := lines[0].count(sign)))


def _json(body: bytes) -> str | None:
    """The type of JSON, JSON with a function around it, or JSON lines; None for others."""
    body = body.removeprefix(codecs.BOM_UTF8)
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and len(body) <= WHOLE_JSON:
        body = body.decode("utf-16", "replace").encode("utf-8", "replace")
    if (prefix := _PREFIX.match(body)) is not None:
        body = body[prefix.end() :]
    if body.endswith((b"-->", b"-->\n")):  # servers add how long they took
        body = body[: body.rfind(b"<!--")]
    is_sequence = body.startswith(b"\x1e")  # RFC 7464
    body = body.lstrip(b"\x1e")
    end = body[-64:].rstrip(b" \t\r\n\0")[-1:]
    if end in (b")", b";") and len(body) <= WHOLE_JSON and (call := _JSONP.match(body)) is not None:
        body = call[1]
    elif not _JSON.match(body):
        return None
    if len(body) > WHOLE_JSON or (end not in (b"}", b"]") and len(body) > HEAD):
        return "application/json" if _JSON_LONG.match(body) and not is_page_inside(body[:HEAD]) else None
    if _parses(body.rstrip(b" \t\r\n\0")):
        return "application/json"
    lines = [line for line in body[:WHOLE_JSON].split(b"\n", LINES_TO_PARSE + 1)[:LINES_TO_PARSE] if line.strip()]
    if len(lines) > 1 and all(_parses(line.strip(b"\x1e \r")) for line in lines):
        return "application/json-seq" if is_sequence else "application/jsonl"
    return None


def _parses(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict | list)
    except (ValueError, RecursionError):
        return False
