"""Mail in mbox files, such as archives of mailing lists: one record per message, as Python's email package reads it.

A message begins with a line "From ", an address and a date, at the start of the file or after a blank line.  A plain
file can be cut at any byte: a message belongs to the slice in which this line begins, and `offset` is that byte.  A
compressed file is one slice, with offsets in its inflated content.

The text is that of the first plain part that is no attachment and not empty.  If there is none, it is the first HTML
part.  The fields that hold a thread together are metadata: message_id, in_reply_to, references.

A few bytes that cannot be decoded become U+FFFD, and `decoding_errors` counts them.  A text that is not in the charset
that its part declares stays as bytes, and the extractor finds its encoding.  `damaged_base64` marks a text from base64
with faults.
"""

import base64
import codecs
import email
import email.policy
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.errors import InvalidBase64CharactersDefect, InvalidBase64LengthDefect, InvalidBase64PaddingDefect
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from io import BufferedReader
from typing import BinaryIO

from corpusmill.collect.files import CHUNK
from corpusmill.collect.lines import inflated
from corpusmill.collect.records import EMPTY, DamageError, Record, utc
from corpusmill.reasons import Status

_FROM = re.compile(rb"From \S[^\r\n]{0,200}?\d{1,2}:\d\d(?::\d\d)?[^\r\n]{0,20}? \d{4}")
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]")
_BASE64_DEFECTS = (InvalidBase64CharactersDefect, InvalidBase64LengthDefect, InvalidBase64PaddingDefect)
# What mail programs mean by these names; the Encoding Standard reads them so, too.
_MEANT = {"gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs"}
_FEW = 20  # one in so many characters beyond ASCII
MAX_PARTS = 200


@dataclass(frozen=True, slots=True)
class _Content:
    """The text of a part in a charset; None if the charset is not known."""

    body: bytes = b""
    charset: str | None = "utf-8"
    n_replaced: int = 0  # number of U+FFFD that stand for bytes that could not be decoded
    is_damaged: bool = False  # whether its base64 has faults


@dataclass(slots=True)
class MailReader:
    """The messages of one slice of one file; `others` counts attachments and blank lines before the first message."""

    file: BinaryIO
    path: str
    start: int
    end: int | None
    max_page_bytes: int
    others: Counter[str]

    def __iter__(self) -> Iterator[Record]:
        is_packed = self.path.lower().endswith((".gz", ".zst"))
        if is_packed and self.start:
            return
        stop = 1 << 62 if self.end is None else self.end
        offset: int | None = None  # of the message that is being read
        parts: list[bytes] = []
        size = 0
        is_empty = True
        try:
            for at, line, is_begin in self._lines(is_packed):
                if is_empty and self.start == 0 and not is_begin and line.strip():
                    yield Record.broken(self.path, 0, "no message starts here: an mbox file begins with a line 'From '")
                is_empty = is_empty and not line.strip()
                if is_begin or (offset is None and at >= stop):
                    if offset is not None:
                        yield self._message(offset, parts, size)
                        offset = None
                    if at >= stop:
                        return
                    offset, parts, size = at, [], 0
                elif offset is not None:
                    size += len(line)
                    if size <= self._longest:
                        parts.append(line)
        except DamageError as error:
            yield Record.broken(self.path, offset or 0, f"{error}; nothing can be read from here on")
            return
        if offset is not None:
            yield self._message(offset, parts, size)
        elif is_empty and self.start == 0:
            yield Record.broken(self.path, 0, EMPTY)

    @property
    def _longest(self) -> int:
        return 4 * self.max_page_bytes

    def _lines(self, is_packed: bool) -> Iterator[tuple[int, bytes, bool]]:
        """(offset, line, whether a message begins with it) from the slice's start on."""
        file = inflated(self.file, self.path)
        at, was_blank = (0, True) if is_packed or not self.start else self._entered(file)
        is_start = True
        while line := file.readline(CHUNK):
            is_begin = is_start and was_blank and line.startswith(b"From ") and _FROM.match(line) is not None
            yield at, line, is_begin
            at += len(line)
            was_blank = is_start and line in (b"\n", b"\r\n")
            is_start = line.endswith(b"\n")

    def _entered(self, file: BufferedReader) -> tuple[int, bool]:
        """Move to the slice's first line: its offset, and whether a blank line is before it."""
        at = max(self.start - 4, 0)
        file.seek(at)
        before = (b"" if at else b"\n") + file.read(self.start - at)
        if before.endswith(b"\n"):
            return self.start, before.endswith((b"\n\n", b"\n\r\n"))
        at = self.start
        is_blank = before.endswith(b"\n\r")
        while rest := file.readline(CHUNK):
            is_blank = is_blank and rest == b"\n"
            at += len(rest)
            if rest.endswith(b"\n"):
                break
        return at, is_blank

    def _message(self, offset: int, parts: list[bytes], size: int) -> Record:
        if size > self._longest:
            return Record(origin_path=self.path, offset=offset, status=Status.TOO_LARGE, n_bytes=size)
        raw = _QUOTED.sub(rb"\1", b"".join(parts))
        try:
            return self._parsed(offset, raw)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  # a message may be anything; others are not affected
            return Record.broken(self.path, offset, f"the message cannot be read: {type(error).__name__}")

    def _parsed(self, offset: int, raw: bytes) -> Record:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        plain, html = _Content(), _Content()
        for number, part in enumerate(message.walk()):
            if number >= MAX_PARTS:
                break
            if part.is_multipart():
                continue
            kind = part.get_content_type()
            is_plain = kind == "text/plain" or kind.startswith("multipart/")  # the latter without a boundary
            if part.get_content_disposition() == "attachment" or not (is_plain or kind == "text/html"):
                self.others["attachment"] += 1
            elif is_plain:
                plain = plain if plain.body.strip() else _content(part)
            else:
                html = html if html.body.strip() else _content(part)
        is_html = not plain.body.strip() and bool(html.body.strip())
        content = html if is_html else plain
        metadata = {
            "message_id": _field(message, "message-id"),
            "in_reply_to": _field(message, "in-reply-to"),
            "references": (_field(message, "references") or "").split() or None,
            "list_id": _field(message, "list-id"),
            "damaged_base64": content.is_damaged or None,
            "decoding_errors": content.n_replaced or None,
        }
        return Record(
            origin_path=self.path,
            offset=offset,
            status=Status.OK if content.body.strip() else Status.NO_MAIN_CONTENT,
            url=_url(_field(message, "archived-at")),
            fetched_at=_time(_field(message, "date")),
            content_type="text/html" if is_html else "text/plain",
            charset=content.charset,
            media="content" if is_html else "text",
            body=content.body,
            title=_field(message, "subject"),
            html_lang=_field(message, "content-language"),
            metadata={name: value for name, value in metadata.items() if value is not None},
            n_bytes=len(content.body),
        )


def _content(part: EmailMessage) -> _Content:
    """The text of a part: in UTF-8 if it is in the charset that the part declares, else as it is."""
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return _Content()
    is_damaged = any(isinstance(defect, _BASE64_DEFECTS) for defect in part.defects)
    if any(isinstance(defect, InvalidBase64LengthDefect) for defect in part.defects):
        raw = _from_base64(raw)
    charset = part.get_content_charset()
    try:
        name = codecs.lookup(charset or "utf-8").name
        name = _MEANT.get(name, name)
        return _Content(raw.decode(name).encode("utf-8", "replace"), is_damaged=is_damaged)
    except UnicodeDecodeError:
        text = raw.decode(name, "replace")
    except (LookupError, ValueError):  # not known, or no charset
        return _Content(raw, None, is_damaged=is_damaged)
    n_replaced = text.count("\ufffd")
    n_beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    if _FEW * n_replaced > n_beyond_ascii:
        return _Content(raw, charset, is_damaged=is_damaged)
    return _Content(text.encode("utf-8", "replace"), "utf-8", n_replaced, is_damaged)


def _from_base64(text: bytes) -> bytes:
    """The whole bytes of base64 that ends within a byte, which Python's module leaves as it is."""
    digits = _NOT_BASE64.sub(b"", text)
    return base64.b64decode(digits[: len(digits) // 4 * 4])


def _field(message: EmailMessage, name: str) -> str | None:
    try:
        value = message.get(name)
        return " ".join(str(value).split()) or None if value is not None else None
    except (ValueError, IndexError, AttributeError, TypeError, LookupError):  # faults of the parser of fields
        return None


def _url(text: str | None) -> str | None:
    url = text.strip("<> ") if text else ""
    return url if url.startswith(("http://", "https://")) else None


def _time(text: str | None) -> datetime | None:
    try:
        return utc(parsedate_to_datetime(text)) if text else None
    except (TypeError, ValueError, IndexError):
        return None
