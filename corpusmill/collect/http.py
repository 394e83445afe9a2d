"""The body of an HTTP answer without transfer and content codings, and how to read it.

Crawlers store bodies in four ways: raw (chunked, compressed), decoded with the headers unchanged, raw without the
headers, or cut off at a limit.  So a coding is undone only if the bytes agree with it, and chunks or a compressed page
are seen without a header, too.  If a body ends early, the part that can be decoded is kept.  Nothing inflates beyond
the caller's limit.
"""

import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO

import zstandard
from fastwarc.stream_io import BrotliReader

from corpusmill import sniff
from corpusmill.page import Media
from corpusmill.reasons import Status

MARKUP = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml", "text/vnd.wap.wml")
XML = ("text/xml", "application/xml")  # XHTML is sent so, too
MARKDOWN = ("text/markdown", "text/x-markdown")
GZIP = b"\x1f\x8b\x08"
UNKNOWN_TYPES = (None, "", "unknown/unknown", "application/unknown", "*/*")  # browsers sniff these, too
_CHARSET = re.compile(r"""(?<![\w-])charset\s*=\s*["']?\s*([^\s"';,]+)""", re.IGNORECASE)
_TYPE = re.compile(r"""[\s"']*(?:content-type:\s*)?([\w!#$&^.+*-]+/[\w!#$&^.+*-]+)(?=[\s"';]|$)""", re.IGNORECASE)
_QUOTED = re.compile(r"""(?:[^,"]|"[^"]*"?)+""")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")
_MARKUP = re.compile(
    rb"\s*<(!--|\?xml|!doctype html|(html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p)[\s>])",
    re.IGNORECASE,
)
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_ZSTD_WINDOW = 1 << 23  # RFC 9659: a recipient must support this size, and should not support more


@dataclass(frozen=True, slots=True)
class Body:
    """A body without its codings."""

    content: bytes
    complete: bool  # False if it ended early or was damaged, so that only its beginning could be decoded
    too_large: bool  # True if it is larger than the limit; `content` is cut there


def media_type(content_type: str | None) -> tuple[str | None, str | None]:
    """(media type in lower case, charset) of a Content-Type header; several headers are joined by commas.

    As browsers do it (Fetch Standard, "extract a MIME type"): what is no type is passed over, and the last type counts.
    It keeps the charset of the same type before it.  Quotes around a type are no part of it.
    """
    found: str | None = None
    charset: str | None = None
    for part in _QUOTED.findall(content_type or ""):
        kind = _TYPE.match(part)
        if kind is not None and kind[1] != "*/*" and kind[1].lower() != found:
            found, charset = kind[1].lower(), None
        said = _CHARSET.search(part)
        charset = said[1] if said else charset
    return found, charset


def media_of(content_type: str | None, body: bytes) -> tuple[Media | None, str | None]:
    """How a body is to be read, None if its type holds no text; and its type if that is not the declared one.

    A body labelled as HTML is not looked at here, because extractors do that.
    """
    if content_type in MARKUP:
        return "html", None
    if content_type in MARKDOWN:
        return "markdown", None
    if content_type in UNKNOWN_TYPES:
        if not _MARKUP.match(body, 0, 1445) and _BINARY.search(body, 0, 1445):
            return None, None
        declared = "text/html" if _MARKUP.match(body, 0, 1445) else "text/plain"
    elif content_type == "text/plain" or content_type in XML:
        declared = content_type
    else:
        return None, None
    found = sniff.sniffed(body, declared)
    return sniff.media_of(found), None if found == declared else found


def status_of(code: int) -> Status:
    """What an answer's status code says.  304 leads to no other page, and comes without one."""
    if code // 100 == 2:
        return Status.OK
    return Status.REDIRECT if code // 100 == 3 and code != 304 else Status.HTTP_ERROR


def is_binary(body: bytes) -> bool:
    """Whether the beginning of a body has bytes that no text has (MIME sniffing standard, section 3)."""
    return _BINARY.search(body, 0, 1445) is not None


MOST_CODINGS = 8  # applied one after the other.  Each takes a pass over the body, and no server needs more than two


def decode_body(body: bytes, transfer_codings: Iterable[str], content_codings: Iterable[str], limit: int) -> Body:
    """Undo the codings; at most `limit` bytes.  They are listed as in headers: the first was applied first."""
    transfer_codings = list(transfer_codings)
    complete = True
    unchunked, ended = _unchunk(body)
    if "chunked" in transfer_codings:
        body, complete = unchunked, ended or unchunked is body
    elif ended and (unchunked.startswith(GZIP) or _MARKUP.match(unchunked)):
        body = unchunked
    applied = [c for c in (*content_codings, *transfer_codings) if c in _DECODERS]
    if len(applied) > MOST_CODINGS:
        return Body(body[:limit], complete=False, too_large=len(body) > limit)
    for coding in reversed(applied):
        decoded = _decoded(coding, body, limit)
        if decoded is None:
            break  # the header is wrong: the body is not in this coding, or no longer
        body, complete = decoded[0], complete and decoded[1]
    for _ in range(MOST_CODINGS - len(applied)):
        if not _is_compressed_page(body):
            break
        body, ended = _bounded(_gzip, body, limit + 1)
        complete = complete and ended
    return Body(body[:limit], complete, len(body) > limit)


def _decoded(coding: str, body: bytes, limit: int) -> tuple[bytes, bool] | None:
    """The body without a coding, and whether its end was reached; None if it is not in this coding.

    Servers and crawlers take gzip and deflate for each other.
    """
    if coding == "deflate" and body.startswith(GZIP):
        coding = "gzip"
    elif coding == "gzip" and body[:1] == b"\x78" and int.from_bytes(body[:2]) % 31 == 0:
        coding = "deflate"
    content, ended = _bounded(_DECODERS[coding], body, limit + 1)
    return (content, ended) if content or ended else None


def _is_compressed_page(body: bytes) -> bool:
    """Whether the bytes inflate to what begins like a page of HTML."""
    return body.startswith(GZIP) and _MARKUP.match(_gzip(body, 1445)[0]) is not None


def codings(headers: Iterable[str]) -> list[str]:
    """The codings that the values of a header name, in lower case."""
    return [coding.strip().lower().removeprefix("x-") for value in headers for coding in value.split(",")]


def _unchunk(body: bytes) -> tuple[bytes, bool]:
    """The body without chunks (RFC 9112, 7.1), and whether its last chunk is there; other bodies as they are."""
    chunks: list[bytes] = []
    at = 2 * body.startswith(b"\r\n")
    while head := _CHUNK.match(body, at):
        size, start = int(head[1], 16), head.end()
        chunks.append(body[start : start + size])
        if size == 0:
            return b"".join(chunks), True
        if start + size > len(body):
            break
        at = start + size + (2 if body.startswith(b"\r\n", start + size) else 1)
    return (b"".join(chunks) if chunks else body), False


_Decoder = Callable[[bytes, int], tuple[bytes, bool]]


def _bounded(decoder: _Decoder, body: bytes, limit: int) -> tuple[bytes, bool]:
    content, ended = decoder(body, limit)
    return content, ended or len(content) >= limit


def _gzip(body: bytes, limit: int) -> tuple[bytes, bool]:
    content = bytearray()
    at = 0
    while at < len(body) and len(content) < limit:
        more, ended, at = _inflate(body, at, 31, limit - len(content))
        content += more
        if not ended:
            return bytes(content), False
        if not body.startswith(b"\x1f\x8b", at):  # padding, usually zeros
            break
    return bytes(content), True


def _deflate(body: bytes, limit: int) -> tuple[bytes, bool]:
    """The content of a zlib body (RFC 9110), or of raw deflate, which some servers send.

    A text is never treated as raw deflate.
    """
    content, ended, _ = _inflate(body, 0, 15, limit)
    if content or ended or not _BINARY.search(body, 0, 1445):
        return content, ended
    return _inflate(body, 0, -15, limit)[:2]


def _inflate(body: bytes, at: int, window_bits: int, limit: int) -> tuple[bytes, bool, int]:
    """(content from `at` on, whether its end was reached, the offset after it).

    It inflates in steps that start small, for two reasons.  Damage loses what the failing step has inflated, and a body
    may have many tiny members.
    """
    stream = zlib.decompressobj(window_bits)
    content = bytearray()
    step = 64
    try:
        while len(content) < limit and not stream.eof and (at < len(body) or stream.unconsumed_tail):
            piece = stream.unconsumed_tail
            if not piece:
                piece = body[at : at + step]
                at += len(piece)
                step = min(2 * step, 4096)
            content += stream.decompress(piece, limit - len(content))
    except zlib.error:
        return bytes(content), False, len(body)
    return bytes(content), stream.eof, at - len(stream.unused_data)


def _brotli(body: bytes, limit: int) -> tuple[bytes, bool]:
    return _drain(BrotliReader(BytesIO(body)).read, limit)


def _zstd(body: bytes, limit: int) -> tuple[bytes, bool]:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
    return _drain(decompressor.stream_reader(body, read_across_frames=True).read, limit)


def _drain(read: Callable[[int], bytes], limit: int) -> tuple[bytes, bool]:
    """What a stream returns before it ends or fails, and whether it ended."""
    content = bytearray()
    try:
        while len(content) < limit and (piece := read(min(1 << 14, limit - len(content)))):
            content += piece
    except (OSError, zstandard.ZstdError):
        return bytes(content), False
    return bytes(content), True


_DECODERS: dict[str, _Decoder] = {"gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}
KNOWN_CODINGS = frozenset(_DECODERS)
