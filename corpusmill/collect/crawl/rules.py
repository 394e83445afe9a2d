"""The rules of a robots.txt (RFC 9309) for one crawler, read and matched in linear time.

Reading takes one pass over the lines and keeps only the groups that address the crawler.  So the cost of a file with
thousands of names and rules grows with its size only.  A pattern is matched without regular expressions: its pieces
between the wildcards are searched from left to right, each after the one before.  The search never goes back, so its
cost is at most the length of the URL plus that of the pattern.

Groups with one name merge, the longest pattern wins, Allow wins ties, and percent-escapes are compared by their
characters.  Some misspelt directives are understood, and the colon may be missing, as Google's parser has it.  A group
addresses the crawler if its name is the crawler's product token; what follows the token, such as a version, is ignored
(`corpusmill/0.1`).  Only rules end a list of names: other records must not interfere (RFC 9309, section 2.2.4).  So
groups of which one has a delay only may share their rules.  They do not share the delay: it is for the names that
stand directly before it.

Where a file breaks the RFC's grammar and its meaning is plain, that meaning is obeyed, if it forbids.  A line may have
several names with commas or similar signs between them, or a whole User-Agent header as a name.  Names and paths may
stand in quotes or brackets, and a Disallow may lack its first slash.  A colon may be wide, and a hyphen may stand
before a directive.  Two directives in one line, and tags of HTML in place of line ends, are understood.

Measured cost: 0.2 s for a file of 512 KiB with 30,000 rules, the most that is read.  For a URL of 8,000 characters, 10
ms with 30,000 prefixes, and 0.25 s with the slowest rules that fit into such a file.  Files of up to 1,000 bytes of any
kind (3,240 files: random bytes, zeros, UTF-16, wildcards) take less than 3 ms, decoding and one URL included.  Decision
11 says why this is not a library's parser.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

from corpusmill.collect.optout import COMPATIBLE, product

DISALLOW = (
    "disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw", "desallow", "dssalow", "dsallow", "diallow",
    "disllow", "disallows",
)  # fmt: skip
ALLOW = ("allow",)
USER_AGENT = (
    "user-agent", "useragent", "user agent", "user_agent", "user-agents", "users-agent", "user-agnet", "ser-agent",
    "useg-agent",
)  # fmt: skip
CRAWL_DELAY = (
    "crawl-delay", "crawl delay", "crawldelay", "crawl_delay", "craw-delay", "crawl-deley", "clawl-delay",
)  # fmt: skip
REQUEST_RATE = ("request-rate", "request rate")
SITEMAP = ("sitemap", "sitemaps", "site-map")
MAX_SITEMAPS = 100
_KNOWN = {*DISALLOW, *ALLOW, *USER_AGENT, *CRAWL_DELAY, *REQUEST_RATE, *SITEMAP, "host", "visit-time", "visit time"}

_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{0,9})?")
_RATE = re.compile(r"([0-9]{1,9})/([0-9]{1,9})([smhd]?)", re.IGNORECASE)
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
_LINE_END = re.compile(r"\r\n|\r|\n")  # no other character ends a line
_TOKEN = re.compile(r"[a-z_-]+")  # RFC 9309, section 2.2.1
_TOKEN_WITH_DIGITS = re.compile(r"[a-z0-9_-]+")  # as crawlers have them, such as MJ12bot
_TAGS = re.compile(r"</?(?:br|p|div|pre|li|ul|span|body|html)\s*/?>", re.IGNORECASE)  # they end a line, too
_NAMES = re.compile(r"[,;|]")
_AROUND = "\"'`<>()[]{}^+ "  # of a name or a path
_BULLETS = "-•·* "
_INSIDE = re.compile(r"\s(?=(?:disallow|allow|user-agent)\s*:)", re.IGNORECASE)  # a directive in another's line
_PLAIN = re.compile(r"[A-Za-z0-9_.~/=-]*")
_INDEX_PAGE = "/index.html"


@dataclass(frozen=True, slots=True)
class _Rule:
    line: str  # as written in the file
    allows: bool
    pattern: str  # normalised, with wildcards and the anchor
    pieces: tuple[str, ...]  # the pieces of the pattern between its wildcards
    anchored: bool  # whether the pattern must match the end of the path

    def matches(self, path: str) -> bool:
        first, *rest = self.pieces
        if not path.startswith(first):
            return False
        if not rest:
            return not self.anchored or len(path) == len(first)
        at = len(first)
        for piece in rest[:-1]:
            at = path.find(piece, at)
            if at < 0:
                return False
            at += len(piece)
        last = rest[-1]
        if self.anchored:
            return len(path) - len(last) >= at and path.endswith(last)
        return path.find(last, at) >= 0


class Rules:
    """What a robots.txt, or another file of the same form, says to one crawler."""

    def __init__(self, text: str, agent: str) -> None:
        """`agent`: the crawler's product token in lower case."""
        groups: dict[str, list[_Rule]] = {}
        delays: dict[str, float] = {}
        rates: dict[str, float] = {}
        sitemaps: dict[str, None] = {}
        current: list[str] = []  # names of the group that is being read, if they address the crawler
        delayed: list[str] = []  # those of them for which a delay would be
        has_rules = False  # whether the group that is being read has rules, so that the next name starts another
        has_delay = False  # whether a delay came after the last name
        for line, directive, value in _directives(text):
            if directive in USER_AGENT:
                if has_rules:
                    current, has_rules = [], False
                if not current or has_delay:
                    delayed, has_delay = [], False
                for name in _addressed(value, agent):
                    groups.setdefault(name, [])
                    current += [name] * (name not in current)
                    delayed += [name] * (name not in delayed)
            elif directive in ALLOW or directive in DISALLOW:
                has_rules = True
                if current and value:
                    rules = list(_rules(line, directive in ALLOW, value))
                    for name in current:
                        groups[name] += rules
            elif directive in CRAWL_DELAY:
                has_delay = True
                if _SECONDS.fullmatch(value):
                    delays |= dict.fromkeys(delayed, float(value))
            elif directive in REQUEST_RATE:
                has_delay = True
                if value and (seconds := _seconds_of_rate(value)):
                    rates |= dict.fromkeys(delayed, seconds)
            elif directive in SITEMAP and value and len(sitemaps) < MAX_SITEMAPS:
                sitemaps[value] = None
        name = agent if agent in groups else "*"
        distinct = {(rule.pattern, rule.allows): rule for rule in reversed(groups.get(name, []))}
        self._rules = sorted(distinct.values(), key=lambda rule: (-len(rule.pattern), not rule.allows))
        self.delay_s = max(delays.get(name, 0.0), rates.get(name, 0.0))  # between two requests; 0 if none is required
        self.sitemaps = list(sitemaps)  # as written, in the file's order

    def __len__(self) -> int:
        """Number of rules."""
        return len(self._rules)

    def forbids(self, url: str) -> str | None:
        """The line that forbids a normalised URL, or None."""
        path = url[url.index("/", url.index("://") + 3) :]
        if path == "/robots.txt" or path.startswith("/robots.txt?"):
            return None
        path = _comparable(path, b"/%")
        rule = next((rule for rule in self._rules if rule.matches(path)), None)
        return None if rule is None or rule.allows else rule.line


def product_token(user_agent: str) -> str:
    """The name of a crawler in robots.txt files, in lower case: of its User-Agent header, without version.

    RFC 9309, section 2.2.1, has letters, `-` and `_`.  Crawlers have digits, too.
    """
    token = _TOKEN_WITH_DIGITS.match(product(user_agent))
    return token[0] if token else "*"


def _addressed(value: str, agent: str) -> Iterator[str]:
    """The groups of which a user-agent line is a name: the crawler's (`agent`), that of all crawlers (`*`), or none.

    A name may be followed by a version, with a slash before it or not.
    """
    if (header := COMPATIBLE.match(value)) and header[1].lower() == agent:
        yield agent
    for each in _NAMES.split(value.lower()):
        text = each.strip(_AROUND)
        name = text.lstrip("*")
        tokens = [token[0] for token in (_TOKEN.match(name), _TOKEN_WITH_DIGITS.match(name)) if token]
        if agent in tokens:
            yield agent
        elif text.startswith("*") and not tokens:
            yield "*"


def _directives(text: str) -> Iterator[tuple[str, str, str]]:
    """(line, directive in lower case, value) of each line that has a directive, known or unknown."""
    for whole in _LINE_END.split(text):
        for piece in _pieces(whole):
            line = piece.partition("#")[0].strip().lstrip(_BULLETS)
            field, colon, value = line.partition(":")
            field = field.strip().lower()
            if colon and (field in _KNOWN or not value or value[0].isspace()):
                yield line, field, value.strip()
                continue
            words = line.split(None, 2)  # "Disallow /x", "User agent x"
            if words and words[0].lower() in _KNOWN:
                yield line, words[0].lower(), " ".join(line.split()[1:])
            elif len(words) > 1 and f"{words[0]} {words[1]}".lower() in _KNOWN:
                yield line, f"{words[0]} {words[1]}".lower(), " ".join(line.split()[2:])
            elif colon:
                yield line, field, value.strip()


def _pieces(line: str) -> list[str]:
    """A line in pieces, if it stands for several."""
    if "\N{FULLWIDTH COLON}" in line and ":" not in line:
        line = line.replace("\N{FULLWIDTH COLON}", ":", 1)
    if line.count(":") > 1 and "#" not in line:
        line = _INSIDE.sub("<br>", line)
    return _TAGS.split(line) if ">" in line else [line]


def _rules(line: str, allows: bool, value: str) -> Iterator[_Rule]:
    """The rules of a line.  A final `$` may also be a literal `$`, and an index page may also mean its folder.

    A path begins with a slash, so what is forbidden without one can only mean the path with it.
    """
    if not allows and (bare := value.strip(_AROUND)) != value and bare:
        yield _rule(line, allows, bare)
    if not allows and value[0] not in "/*$":
        yield _rule(line, allows, f"/{value}")
    if "$" in value:
        yield _rule(line, allows, value.replace("$", "%24"))
    rule = _rule(line, allows, value)
    yield rule
    if allows and rule.pattern.endswith(_INDEX_PAGE):
        yield _rule(line, allows, rule.pattern.removesuffix(_INDEX_PAGE) + "/$")


def _rule(line: str, allows: bool, value: str) -> _Rule:
    anchored = value.endswith("$")
    pattern = _comparable(value.removesuffix("$"), b"/%*", safe="*")
    pieces = re.sub(r"\*+", "*", pattern).split("*")
    return _Rule(line, allows, f"{pattern}$" if anchored else pattern, tuple(pieces), anchored)


def _comparable(text: str, kept: bytes, safe: str = "") -> str:
    """The text with one spelling for each character: escaped or not.  Escapes of the characters `kept` stay.

    A lone surrogate never occurs in a URL, so a pattern that contains one matches nothing.
    """

    def plain(match: re.Match[bytes]) -> bytes:
        byte = bytes([int(match[1], 16)])
        return match[0].upper() if byte in kept else byte

    if _PLAIN.fullmatch(text.replace(safe, "") if safe else text):
        return text
    octets = _ESCAPE.sub(plain, text.encode("utf-8", "surrogatepass"))
    return quote_from_bytes(octets, safe="/%=" + safe)


def _seconds_of_rate(value: str) -> float:
    """Seconds per request, of a Request-rate such as `1/10` or `5/1m`; 0 if the value is not a rate."""
    match = _RATE.fullmatch(value.split()[0])
    if match is None or int(match[1]) == 0:
        return 0.0
    return int(match[2]) * _UNITS[match[3].lower()] / int(match[1])
