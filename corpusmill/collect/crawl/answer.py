"""An answer of a server: status, headers and body exactly as received, and how to read them."""

import re
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import quote_from_bytes

from corpusmill.collect.http import KNOWN_CODINGS, Body, codings, decode_body, is_binary

REDIRECTS = (301, 302, 303, 307, 308)

Headers = tuple[tuple[bytes, bytes], ...]

_DATE = re.compile(r"[A-Za-z]{3,9},? [A-Za-z0-9: -]{8,24}( [A-Z]{1,4}| [+-][0-9]{4})?")  # RFC 9110, section 5.6.7
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s\"';]+)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One request and its answer."""

    url: str  # normalised
    fetched_at: datetime  # of the request, UTC
    status: int
    reason: str
    version: str  # of HTTP: "1.1"
    headers: Headers  # as received, in their order
    body: bytes = field(repr=False)  # as received: without the framing of the transfer, but still compressed
    truncated: bool  # the body was cut off at the limit
    request_headers: Headers  # as sent

    def all(self, name: str) -> Iterator[str]:
        """Values of a header, in the order received; `name` in lower case."""
        for key, value in self.headers:
            if key.lower() == name.encode():
                yield value.decode("utf-8", "backslashreplace").strip()

    def get(self, name: str) -> str:
        """First value of a header, or an empty string; `name` in lower case."""
        return next(self.all(name), "")

    @property
    def media_type(self) -> str:
        """Type of the body as declared, without parameters, in lower case."""
        return self.get("content-type").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """Charset of the body as declared."""
        match = _CHARSET.search(self.get("content-type"))
        return match.group(1) if match else None

    @property
    def location(self) -> str | None:
        """The target of a redirect, as written; None if the answer is not a redirect."""
        if self.status not in REDIRECTS:
            return None
        value = next((value for name, value in self.headers if name.lower() == b"location"), b"")
        try:
            return value.decode() or None
        except UnicodeDecodeError:  # send bytes of another charset back unchanged, as browsers do
            return quote_from_bytes(value, safe=string.printable)

    def retry_after_s(self) -> float | None:
        """Seconds that the server asks to wait, from a number or a date; None if it does not ask."""
        text = self.get("retry-after")
        if re.fullmatch("[0-9]{1,9}", text):
            return float(text)
        if not _DATE.fullmatch(text):  # the parser below raises many kinds of errors for texts that are not dates
            return None
        try:
            date = parsedate_to_datetime(text)
            date = date if date.tzinfo else date.replace(tzinfo=UTC)
            return max(0.0, (date - self.fetched_at).total_seconds())
        except (ValueError, OverflowError):  # such as the 32nd of a month or a year before 1
            return None

    def decoded(self, max_bytes: int) -> Body:
        """The body without its content codings: gzip, deflate, brotli, zstd, or several of them.

        It never inflates more than `max_bytes`, whatever size the body claims.  A body in an unknown coding is empty,
        unless it is text: then the header is wrong.
        """
        applied = [coding for coding in codings(self.all("content-encoding")) if coding not in ("", "identity")]
        if not set(applied) <= KNOWN_CODINGS:
            content = b"" if is_binary(self.body) else self.body[:max_bytes]
            return Body(content, complete=False, too_large=False)
        return decode_body(self.body, (), applied, max_bytes)
