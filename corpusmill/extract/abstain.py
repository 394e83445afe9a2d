"""Pages without main content: which they are, and why, so that no boilerplate stands for content.

A page of which much text was kept has content, whatever it mentions; that is all that is asked of nearly every page,
and takes some microseconds.  Others are taken at their word: what their title and first headings call them (names),
what their blocks say (sayings; `phrases.toml` has both, in some thirty languages), and a few facts of the markup
(fields for passwords, frames, scripts, text for browsers without scripts).  A reason holds for a page

    that is called so and says so,    if at most CALLED_AND_SAID words were kept;
    that is only called so,           if at most CALLED words were kept;
    that only says so,                if at most UNSAID words were kept in blocks that don't.
"""

import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from corpusmill.extract.phrases import called, fold, said
from corpusmill.extract.tables import BIT, Segments
from corpusmill.reasons import Status

# Words
CALLED_AND_SAID = 250
CALLED = 60
UNSAID = 20
LOGIN_FORM = 60  # of everything to be seen, around a field for a password
SHELL = 15
NOTHING = 3

FIRST_HEADINGS = 3
MOST_BLOCKS = 100  # are read of those that were not kept

_INVISIBLE = BIT["hidden"] | BIT["display_none"] | BIT["noscript"] | BIT["template"] | BIT["head"]
_AROUND = BIT["nav"] | BIT["footer"]
_ORDER = (
    Status.BOT_CHALLENGE,
    Status.ERROR_PAGE,
    Status.PARKED_DOMAIN,
    Status.LOGIN_PAGE,
    Status.CONSENT_WALL,
    Status.NO_MAIN_CONTENT,
)
_TITLE_PARTS = re.compile(r"\s+[|·•:»«›‹<>/~-]+\s+|\s*[|–—·•»«›‹｜：]+\s*|[:：,，]\s*|[.!?。！？]\s+")
_JAVASCRIPT = re.compile(r"java ?script|جافا ?سكر|자바 ?스크립트|\bjs\b", re.IGNORECASE)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Page:
    """What a page with little text says of itself."""

    called: set[Status]
    said: dict[Status, int]  # and how many words were kept in blocks that say so
    kept_words: int


def no_content(segments: Segments, keep: Mask, title: str | None) -> Status | None:
    """Why a page has no main content, or None if it has.

    `keep` (n_blocks,) is the classifier's verdict; `title` is the page's title, if it has one.
    """
    words = segments.blocks["n_words"]
    kept_words = int(words @ keep)
    if kept_words > CALLED_AND_SAID:
        return None
    hidden = (segments.blocks["flags"] & _INVISIBLE) != 0
    seen_words = int(words @ (keep | ~hidden))
    if segments.n_passwords and seen_words <= LOGIN_FORM:
        return Status.LOGIN_PAGE
    page = _read(segments, keep, hidden, title, kept_words)
    for reason in _ORDER:
        if _holds(reason, page, segments):
            return reason
    if kept_words <= SHELL and (_wants_javascript(segments, hidden) or (segments.n_scripts and seen_words <= SHELL)):
        return Status.JAVASCRIPT_SHELL
    return Status.NO_MAIN_CONTENT if kept_words <= NOTHING else None


def _read(segments: Segments, keep: Mask, hidden: Mask, title: str | None, kept_words: int) -> _Page:
    blocks = segments.blocks
    within = ~hidden & ((blocks["flags"] & _AROUND) == 0)
    headings = np.flatnonzero(within & (blocks["heading"] > 0))[:FIRST_HEADINGS].tolist()
    others = np.flatnonzero(within & ~keep)[:MOST_BLOCKS].tolist() if kept_words <= CALLED else headings
    names = [title or "", *_TITLE_PARTS.split(title or ""), *map(segments.block_text, headings)]
    sayings: dict[Status, int] = {}
    for index in {*np.flatnonzero(keep).tolist(), *others}:
        for reason in said(fold(segments.block_text(index))):
            sayings[reason] = sayings.get(reason, 0) + int(keep[index] * blocks["n_words"][index])
    return _Page(set().union(*(called(fold(name)) for name in names)), sayings, kept_words)


def _holds(reason: Status, page: _Page, segments: Segments) -> bool:
    if reason in page.called and (reason in page.said or page.kept_words <= CALLED):
        return reason is not Status.LOGIN_PAGE or segments.n_inputs > 0 or reason in page.said
    if reason in page.said:
        return page.kept_words - page.said[reason] <= UNSAID and (page.said[reason] > 0 or page.kept_words <= NOTHING)
    return False


def _wants_javascript(segments: Segments, hidden: Mask) -> bool:
    return any(_JAVASCRIPT.search(segments.block_text(i)) for i in np.flatnonzero(hidden)[:MOST_BLOCKS])
