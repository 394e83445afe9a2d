"""Traps: addresses of which a host makes up as many as it is asked for.

Three of them are seen in one URL:

- **a session id**, which names the visitor and not the page.  It is taken out, so the page has one URL.
- **a path that repeats itself** (`/a/b/a/b/a/b`), or has more than MAX_SEGMENTS segments: a relative link that leads
  deeper each time.
- **a date of the future** (more than YEARS_AHEAD years ahead) at the end of a URL: a calendar, which always has a link
  to the next month.

The others are seen in the number of URLs.  Pages of one family differ only in the values of their arguments, or in a
date at the end of the path.  The frontier takes a limited number of each family (`max_variants`).  Examples
are calendars of the past, searches, and lists in every order.  `family` says which URLs belong together.
"""

import re

MAX_SEGMENTS = 24
REPEATS = 3  # of a run of segments, one after another
MAX_RUN = 4  # segments in a run
YEARS_AHEAD = 2

_SESSION_IN_PATH = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?;]*|/\([A-Za-z]\([A-Za-z0-9]{20,}\)\)", re.IGNORECASE)
_SESSION_NAME = re.compile(
    r"(?:php|j|asp|jsf|cf)?[-_]?sess(?:ion)?[-_]?id|aspsessionid\w*|cftoken|cfid|osc?sid|zenid|sid", re.IGNORECASE
)
_SESSION_VALUE = re.compile(r"(?=[^0-9]*[0-9])[A-Za-z0-9%,_.~-]{12,}")  # with a digit, so that no word is one
_SHORT_NAMES = ("sid", "cfid", "cftoken")
_DATE = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})(?P<rest>[-/._]?(?:0?[1-9]|1[0-2])(?:[-/._]?(?:0?[1-9]|[12][0-9]|3[01]))?)/?$"
)
_YEAR_NAMES = ("year", "y", "yr", "jahr", "annee", "ano")
_DATE_VALUE = re.compile(r"(?P<year>[0-9]{4})(?:[-/._]?[0-9]{1,2}){0,2}")
_DATE_NAMES = (
    "date",
    "day",
    "month",
    "week",
    "cal",
    "calendar",
    "d",
    "start",
    "from",
    "until",
    "time",
    "tribe-bar-date",
)
_OF_CALENDARS = {*_YEAR_NAMES, *_DATE_NAMES, "m", "mon"}
_NUMBER_AT_END = re.compile(r"[0-9]+(?=/?$)")


def without_session(url: str) -> str:
    """A normalised URL without the id of a session."""
    path, question_mark, query = url.partition("?")
    start = path.find("/", path.index("://") + 3)
    if ";" in path or "(" in path:
        path = path[:start] + (_SESSION_IN_PATH.sub("", path[start:]) or "/")
    if not query:
        return path + question_mark
    kept = [argument for argument in query.split("&") if not _is_session(argument)]
    return path + ("?" + "&".join(kept) if kept else "")


def trap(url: str, year: int) -> str | None:
    """Why a normalised URL looks like a trap, in words; None if it does not.  `year`: in which the crawl began."""
    path, _, query = url.partition("?")
    segments = path.split("/")[3:]
    if len(segments) > MAX_SEGMENTS:
        return f"its path has more than {MAX_SEGMENTS} segments"
    if len(segments) >= REPEATS and (run := _repeated(segments)):
        return f"its path repeats '{run}'"
    last = year + YEARS_AHEAD
    if (date := _date_at_end(path)) and last < int(date["year"]):
        return f"a calendar: it names the year {date['year']}"
    for argument in query.split("&"):
        name, _, value = argument.partition("=")
        if name.lower() in _YEAR_NAMES and re.fullmatch("[0-9]{4}", value) and last < int(value):
            return f"a calendar: it names the year {value}"
        if name.lower() in _DATE_NAMES and (date := _DATE_VALUE.fullmatch(value)) and last < int(date["year"]) < 2200:
            return f"a calendar: it names the year {date['year']}"
    return None


def family(url: str) -> str | None:
    """What the URLs of one family have in common; None if a normalised URL belongs to none."""
    path, question_mark, query = url.partition("?")
    date = _date_at_end(path)
    without_date = f"{path[: date.start()]}#" if date else path
    if not question_mark:
        return without_date if date else None
    arguments = [argument.partition("=") for argument in query.split("&")]
    if not date and all(value.isdigit() and name.lower() not in _OF_CALENDARS for name, _, value in arguments):
        return None  # such as `topic?id=5`: an archive may have any number of them
    return f"{_NUMBER_AT_END.sub('#', without_date)}?{'&'.join(sorted({name for name, _, _ in arguments}))}"


def _is_session(argument: str) -> bool:
    name, _, value = argument.partition("=")
    if not _SESSION_NAME.fullmatch(name):
        return False
    return name.lower() not in _SHORT_NAMES or _SESSION_VALUE.fullmatch(value) is not None


def _date_at_end(path: str) -> re.Match[str] | None:
    """The date at the end of a path: year and month, or year, month and day.  `20311` is a number."""
    date = _DATE.search(path, path.index("/", path.index("://") + 3))
    if date is None or not 1000 <= int(date["year"]) < 3000:
        return None
    rest = date["rest"]
    return date if rest[0] in "-/._" or (len(rest) == 4 and rest.isdigit()) else None


def _repeated(segments: list[str]) -> str | None:
    """A run of segments that stands REPEATS times or more, one after another; None if there is none."""
    for length in range(1, MAX_RUN + 1):
        times = REPEATS + (length == 1)  # `/1/1/1/` may be a place in a table
        for start in range(len(segments) - times * length + 1):
            run = segments[start : start + length]
            if any(run) and segments[start : start + times * length] == run * times:
                return "/".join(run)
    return None
