"""Find pages without main content, and the reason, so that no boilerplate is taken for content.

If much text of a page was kept, the page has content.  Nearly all pages need only this check, which takes two
microseconds.  The others are judged by three kinds of evidence:

- names: what their title and first headings call them;
- sayings: what their blocks say (`phrases.toml` has names and sayings in about thirty languages);
- what they show: a status number as title, a redirect in the head, a password field.

The evidence is enough for a reason under these conditions:

    a name, a number or a redirect    at most CALLED words were kept; with other evidence, at most CONFIRMED
    sayings                           at most UNSAID words were kept in blocks without sayings, and UNNAMED in all

If several reasons hold, the one with most kinds of evidence counts, then the first in `_REASONS`.  The other rules
do not depend on a language:

- markup of well-known software for such pages;
- a password field or scripts, and hardly any text;
- a text about scripts, for browsers that do not run them;
- a page on which no block is surely content, and which has less than a third of the words of its title.

Measured with a classifier that had not seen the domains:

    pages                                                  result
    764 of WCXB, with gold                                 none left out
    257 news pages of forty countries                      none left out
    2,075 of manuals and test suites                       7 left out, with at most two words kept
    404 written for this test, new kinds, 19 languages     98 % with the right reason (95 % before phrases were added)
    677 error documents by others, 26 languages            99 % with the right reason

Cost: 350 microseconds for a page with at most CONFIRMED words kept.

Tried and left out: sayings in blocks that were not kept, for forms and banners (every forum has a login form, every
shop has a banner); names in headings below the highest level (dialogs have them).
"""

import re
from dataclasses import dataclass
from html import unescape

import numpy as np
import numpy.typing as npt

from corpusmill.extract.content.phrases import called, fold, fold_name, is_status_number, said
from corpusmill.extract.content.threshold import UNLIKELY
from corpusmill.extract.segments.entities import CLASS_OF
from corpusmill.extract.segments.facts import Reader
from corpusmill.extract.segments.tables import BIT, CharClass, FactKind, Segments
from corpusmill.extract.segments.tags import TAG
from corpusmill.reasons import Status

# Numbers of words
CONFIRMED = 400
CALLED = 60
UNSAID = 20
UNNAMED = 150  # if more were kept, sayings alone do not count, and forms and banners do not count
MARKED = 250  # the same limit for marks in the markup
HARDLY_ANYTHING = 15
LOGIN_FORM = 40  # words on the whole page, around a password field
NOTHING = 3
TITLE_WORDS = 5  # shorter titles are not compared with the page

DOUBTFUL = 0.5  # expected F1; below it, a title without relation to the text counts
FOUND_OF_TITLE = 3  # one of so many words of the title must be on the page

FIRST_HEADINGS = 3
MOST_BLOCKS = 200  # number of blocks of a kind that are read
MOST_CHARS = 4000  # of each block
NAME_CHARS = 300  # of a title or heading
SMALL_PAGE = 1 << 16  # bytes; larger pages are not searched for marks, and longer texts are not compared with the title
START_TAG = 2000  # bytes

_INVISIBLE = BIT["hidden"] | BIT["display_none"] | BIT["noscript"] | BIT["template"] | BIT["head"]
_AROUND = BIT["nav"] | BIT["footer"]
_REASONS = (
    Status.BOT_CHALLENGE,
    Status.ERROR_PAGE,
    Status.PARKED_DOMAIN,
    Status.LOGIN_PAGE,
    Status.CONSENT_WALL,
    Status.NO_MAIN_CONTENT,
    Status.JAVASCRIPT_SHELL,
)
# Pages with content have such forms and banners, too.  Unless a name confirms the reason, they must be what was kept.
_OVERLAID = {Status.LOGIN_PAGE, Status.CONSENT_WALL}
_TITLE_PARTS = re.compile(r"\s+[|·•:»«›‹<>/~-]+\s+|\s*[|–—·•»«›‹｜：]+\s*|[:：,，]\s*|[.!?。！？]\s+")
_JAVASCRIPT = re.compile(r"java ?script|جافا ?سكر|자바 ?스크립트|\bjs\b", re.IGNORECASE)
_MARKS = {
    b"_cf_chl_opt": Status.BOT_CHALLENGE,  # Cloudflare
    b"captcha-delivery.com/c.js": Status.BOT_CHALLENGE,  # DataDome
    b"_Incapsula_Resource?SWUDNSAI": Status.BOT_CHALLENGE,
    b'id="px-captcha"': Status.BOT_CHALLENGE,  # HUMAN
    b"/.within.website/x/cmd/anubis": Status.BOT_CHALLENGE,
    b'id="cf-error-details"': Status.ERROR_PAGE,  # Cloudflare
    b'class="wp-die-message"': Status.ERROR_PAGE,  # WordPress
    b"sedoparking.com/": Status.PARKED_DOMAIN,
    b"parkingcrew.net/": Status.PARKED_DOMAIN,
}
# Classes of error pages in WordPress, Rails and Shopify
_ERROR_BODY = re.compile(
    r"<body\b[^>]*?[\s\"'](?:error404|rails-default-error-page|template-404)[\s\"']", re.IGNORECASE
)

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What a page with little text says about itself."""

    called: set[Status]
    shown: set[Status]
    said: dict[Status, int]  # with the number of words kept in blocks that say so

    def kinds(self, reason: Status) -> int:
        """How many kinds of evidence there are for a reason."""
        return (reason in self.called) + (reason in self.shown) + (reason in self.said)

    def holds(self, reason: Status, kept_words: int) -> bool:
        """Whether the reason holds for a page with this number of kept words."""
        if reason in self.called or (reason in self.shown and reason not in _OVERLAID):
            return kept_words <= CALLED or (
                self.kinds(reason) >= 2 and (reason not in _OVERLAID or kept_words <= UNNAMED)
            )
        saying = self.said.get(reason)
        if saying is None or kept_words - saying > UNSAID:
            return False
        return saying > 0 or kept_words <= NOTHING or reason not in _OVERLAID


def no_content(segments: Segments, keep: Mask, title: str | None, expected_f1: float = 1) -> Status | None:
    """The reason why a page has no main content, or None if it has main content.

    `keep` (n_blocks,) is the classifier's decision, and `expected_f1` is the F1 that it expects.  `title` is the title
    from the metadata, if there is one.
    """
    kept_words = int(segments.blocks["n_words"] @ keep)
    if kept_words > CONFIRMED:
        return None
    hidden = (segments.blocks["flags"] & _INVISIBLE) != 0
    all_words = int(segments.blocks["n_words"].sum())
    if segments.n_passwords and (all_words <= LOGIN_FORM or kept_words <= HARDLY_ANYTHING):
        return Status.LOGIN_PAGE
    evidence = _read(segments, keep, hidden, title, kept_words)
    reasons = [reason for reason in _REASONS if evidence.holds(reason, kept_words)]
    if reasons:
        return max(reasons, key=evidence.kinds)
    if kept_words <= MARKED and (marked := _marked(segments)):
        return marked
    if kept_words <= HARDLY_ANYTHING and _is_shell(segments, hidden):
        return Status.JAVASCRIPT_SHELL
    least = HARDLY_ANYTHING if expected_f1 < UNLIKELY else NOTHING
    if kept_words <= least or (expected_f1 < DOUBTFUL and title and _is_elsewhere(segments, title)):
        return Status.NO_MAIN_CONTENT
    return None


def _is_elsewhere(segments: Segments, title: str) -> bool:
    """Whether the page is not about its title: hardly any of the title's words are in the text."""
    words = {part for word in fold(title[:NAME_CHARS]).split() for part in _parts(word)}
    if len(words) < TITLE_WORDS or len(segments.text) > SMALL_PAGE:
        return False
    text = fold(segments.text.tobytes().decode("utf-8", "replace"))
    return FOUND_OF_TITLE * sum(word in text for word in words) < len(words)


def _parts(word: str) -> list[str]:
    """The word; in scripts without spaces, its pairs of characters."""
    if CLASS_OF[min(ord(word[0]), len(CLASS_OF) - 1)] != CharClass.IDEOGRAPH:
        return [word]
    return [word[i : i + 2] for i in range(max(1, len(word) - 1))]


def _marked(segments: Segments) -> Status | None:
    if len(segments.data) <= SMALL_PAGE:
        for mark, reason in _MARKS.items():
            if mark in segments.data:
                return reason
    bodies = np.flatnonzero(segments.nodes["tag"][:MOST_BLOCKS] == TAG["body"])[:1]
    starts = segments.nodes["source"][bodies].tolist()
    return Status.ERROR_PAGE if any(_ERROR_BODY.match(segments.span(at, at + START_TAG)) for at in starts) else None


def _read(segments: Segments, keep: Mask, hidden: Mask, title: str | None, kept_words: int) -> _Evidence:
    blocks = segments.blocks
    within = ~hidden & ((blocks["flags"] & _AROUND) == 0)
    headings = np.flatnonzero(within & (blocks["heading"] > 0))
    levels = blocks["heading"][headings]
    first = [fold_name(_start(segments, i)) for i in headings[:FIRST_HEADINGS].tolist()]
    main = headings[levels == levels.min(initial=7)][:FIRST_HEADINGS].tolist()
    titles = [part for title in _titles(segments, title) for part in (title, *_TITLE_PARTS.split(title))]
    names = [fold_name(name) for name in (*titles, *(_start(segments, i) for i in main))]
    reasons = set().union(*map(called, names))
    if not segments.n_inputs:
        reasons.discard(Status.LOGIN_PAGE)
    shown = _shown(segments, names + first)
    if kept_words > UNNAMED and not reasons | shown:
        return _Evidence(reasons, shown, {})
    others = np.flatnonzero(within & ~keep)[:MOST_BLOCKS].tolist() if kept_words <= CALLED else main
    kept = np.flatnonzero(keep)[:MOST_BLOCKS].tolist()
    texts = {i: segments.block_text(i)[:MOST_CHARS] for i in (*kept, *others)}
    return _Evidence(reasons, shown, _sayings(texts, blocks["n_words"] * keep))


def _start(segments: Segments, index: int) -> str:
    return segments.block_text(index)[:NAME_CHARS]


def _titles(segments: Segments, title: str | None) -> list[str]:
    """The title in the metadata and the one in <title>, because the first may be that of the site or for sharing."""
    own = segments.facts[segments.facts["kind"] == FactKind.TITLE][:1]
    spans = zip(own["value_start"].tolist(), own["value_end"].tolist(), strict=True)
    titles = [title or "", *(unescape(segments.span(start, min(end, start + START_TAG))) for start, end in spans)]
    return list(dict.fromkeys(" ".join(title[:NAME_CHARS].split()) for title in titles))


def _sayings(texts: dict[int, str], kept_words: npt.NDArray[np.int_]) -> dict[Status, int]:
    """The reasons that blocks state, with the number of kept words in these blocks.

    All blocks are searched at once first, since most of them state no reason.
    """
    sayings = dict.fromkeys(said(fold("\n".join(texts.values()))), 0)
    for index, text in texts.items() if sayings else ():
        for reason in said(fold(text)) & sayings.keys():
            sayings[reason] += int(kept_words[index])
    return sayings


def _shown(segments: Segments, names: list[str]) -> set[Status]:
    reasons = set()
    if any(map(is_status_number, names)):
        reasons.add(Status.ERROR_PAGE)
    if segments.n_passwords:
        reasons.add(Status.LOGIN_PAGE)
    reader = Reader(segments)
    for fact in reader.facts():
        if fact.kind == FactKind.META and reader.key(fact).lower() == b"refresh" and "url" in reader.raw(fact).lower():
            reasons.add(Status.NO_MAIN_CONTENT)
    return reasons


def _is_shell(segments: Segments, hidden: Mask) -> bool:
    if segments.n_scripts and segments.blocks["n_words"] @ ~hidden <= HARDLY_ANYTHING:
        return True
    return any(_JAVASCRIPT.search(segments.block_text(i)) for i in np.flatnonzero(hidden)[:MOST_BLOCKS].tolist())
