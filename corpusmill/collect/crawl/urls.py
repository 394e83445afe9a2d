"""URLs: one normal form, the host of a URL, and patterns of hosts.

The normal form begins with the URL that a browser would send: ada parses it by the URL standard of the WHATWG.  So
backslashes are slashes, a host may be written with escapes, and names become ASCII by UTS 46 without transitional
processing (`faß.de` is not `fass.de`).  Numeric hosts such as `127.1` or `2130706433` become IPv4 addresses, before the
check whether they are public.  Then follows the syntax-based normalisation of RFC 3986, section 6.2.2, which the
standard leaves to others: upper-case escapes, and no escapes of unreserved characters.  The normal form has no
fragment, user name or password.  Nothing changes that could name another resource: the order of arguments, empty
arguments and doubled slashes stay.

A URL of more than MAX_URL bytes counts as invalid.  Servers refuse such URLs (RFC 9110 asks for support of 8,000
bytes), and the limit bounds the time for each URL.

Measured cost: 6 microseconds per URL (13 with w3lib, which follows an older standard for names).
"""

import re
from collections.abc import Iterable
from urllib.parse import quote_from_bytes, urlsplit, urlunsplit

from ada_url import idna_to_ascii, join_url, normalize_url

MAX_URL = 8192  # bytes
DEFAULT_PORTS = {"http": 80, "https": 443}

_C0_AND_SPACE = "".join(map(chr, range(0x21)))
_WITH_HOST = re.compile(r"([a-z][a-z0-9+.-]*://)(?:[^/?#]*@)?([^/?#]+)([^#]*)")
_HOST = re.compile(r"(?:(?!-)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:]+\])(?::[0-9]+)?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_SURROGATES = re.compile("[\ud800-\udfff]")


def normalise(url: str, base: str | None = None, encoding: str = "utf-8") -> str | None:
    """The normal form of a URL, relative to `base`; None if it names no host, is too long or is not a URL.

    `encoding` is the page's: browsers write the arguments (not the path) of its links in this encoding.
    """
    if len(url) > 2 * MAX_URL:  # checked before any work; white space and dot segments will be removed
        return None
    if not url.isascii():
        url = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", url)
        if encoding != "utf-8":
            url = _with_arguments_in(encoding, url)
    try:
        parsed = join_url(base, url) if base else normalize_url(url)
    except ValueError:
        return None
    parts = _WITH_HOST.match(parsed)
    if parts is None or _HOST.fullmatch(parts[2]) is None:
        return None
    path = _normal_escapes(parts[3]) or "/"
    normal = f"{parts[1]}{parts[2]}{path if path[0] == '/' else '/' + path}"
    return normal if len(normal) <= MAX_URL else None


def _with_arguments_in(encoding: str, url: str) -> str:
    """A URL whose arguments are escaped in an encoding other than UTF-8.

    As the standard says, a character that the encoding lacks is written as a character reference.
    """
    url, number_sign, fragment = url.partition("#")
    path, question_mark, query = url.partition("?")
    try:
        escaped = re.sub(
            r"[^\x00-\x7f]+",
            lambda m: quote_from_bytes(m[0].encode(encoding, "xmlcharrefreplace"), safe=""),
            query,
        )
    except (LookupError, UnicodeError):  # no codec of that name, or one that encodes no text
        escaped = query
    return path + question_mark + escaped + number_sign + fragment


def page_of(url: str, ignored: re.Pattern[str]) -> str | None:
    """What the URLs of one page have in common; None if it is no URL with a host.

    The normal form without `http:` or `https:`, without a slash at the end of the path, and with the arguments sorted.
    Empty arguments, and those whose name in lower case matches `ignored`, are left out.
    """
    normal = normalise(url)
    if normal is None:
        return None
    parts = urlsplit(normal)
    arguments = sorted(each for each in parts.query.split("&") if each and not _is_ignored(each, ignored))
    scheme = "" if parts.scheme in DEFAULT_PORTS else parts.scheme
    return urlunsplit((scheme, parts.netloc, parts.path.rstrip("/"), "&".join(arguments), ""))


def _is_ignored(argument: str, ignored: re.Pattern[str]) -> bool:
    return ignored.fullmatch(argument.partition("=")[0].lower()) is not None


def names_like(patterns: Iterable[str]) -> re.Pattern[str]:
    """Names in lower case that one of the patterns matches, in which `*` stands for any text."""
    return re.compile("|".join(re.escape(pattern.lower()).replace(r"\*", ".*") for pattern in patterns) or r"(?!)")


def host_of(url: str) -> str:
    """Host of a normalised URL, with the port unless it is the scheme's default."""
    return url.split("/", 3)[2]


def origin_of(url: str) -> str:
    """Scheme, host and port of a normalised URL: one robots.txt is valid for one origin."""
    return "/".join(url.split("/", 3)[:3])


class HostPatterns:
    """Patterns of host names, in which `*` stands for any text: `*.example.org` (not `example.org` itself).

    A pattern with a port matches that port only, one without matches every port.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        """`patterns`: in upper or lower case."""
        texts = (re.escape(_ascii(pattern.lower())).replace(r"\*", ".*") for pattern in patterns)
        self._patterns = [re.compile(text) for text in texts]
        self._known: dict[str, int | None] = {}

    def first(self, host: str) -> int | None:
        """Index of the first pattern that matches a host (`name` or `name:port`), or None."""
        if host not in self._known:
            names = (host, host_name(host))
            matches = (i for i, p in enumerate(self._patterns) if any(p.fullmatch(name) for name in names))
            self._known[host] = next(matches, None)
        return self._known[host]


def host_name(host: str) -> str:
    """A host without its port."""
    return re.sub(r":[0-9]+$", "", host)


def in_scope(url: str, patterns: HostPatterns) -> bool:
    """Whether a normalised URL belongs to the hosts that the crawl may fetch."""
    return url.startswith(("http://", "https://")) and patterns.first(host_of(url)) is not None


def scope_of(hosts: Iterable[str], seeds: Iterable[str]) -> HostPatterns:
    """The hosts of a recipe.  If it names none, the hosts of its (normalised) seeds, each with and without `www.`.

    Many sites redirect from one of the two to the other.  A crawl of only one of them would often end at its first
    page.
    """
    if patterns := list(hosts):
        return HostPatterns(patterns)
    own = {host_of(seed) for seed in seeds}
    return HostPatterns(sorted(own | {f"www.{host}" for host in own} | {host.removeprefix("www.") for host in own}))


def _ascii(pattern: str) -> str:
    """A pattern in the form that URLs use; one that cannot occur in a URL matches nothing."""
    if pattern.isascii():
        return pattern
    labels = (label if label.isascii() else idna_to_ascii(label).decode() for label in pattern.split("."))
    return ".".join(labels)


def _normal_escapes(text: str) -> str:
    def normal(match: re.Match[str]) -> str:
        character = chr(int(match.group(1), 16))
        return character if character in _UNRESERVED else match.group().upper()

    return _ESCAPE.sub(normal, text) if "%" in text else text
