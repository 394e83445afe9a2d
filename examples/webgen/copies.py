"""mirror.example and drafts.example: the library's proposals again, as copies and as earlier versions.

A mirror's page differs from the original only in its template.  In a draft, some paragraphs are missing and others are
in other words.  The shares of such paragraphs are drawn evenly, so the Jaccard similarity (word 5-grams) of draft and
published text is spread from 0.5 to 1.  There are pairs on both sides of any threshold.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from random import Random

from examples.webgen.page import fill, links
from examples.webgen.peps import Pep
from examples.webgen.site import Site

MIRROR = "http://mirror.example"
DRAFTS = "http://drafts.example"
MOST_CHANGE = 0.42  # share of paragraphs that are missing or in other words in the earliest drafts
OTHER_WORDS = {
    "will": "shall", "should": "ought to", "must": "has to", "this": "the present", "proposal": "draft",
    "PEP": "document", "which": "that", "used": "employed", "use": "employ", "allows": "permits", "new": "additional",
    "because": "since", "function": "routine", "example": "illustration", "may": "might", "only": "just",
    "however": "yet", "also": "as well", "would": "could", "and": "and then",
}  # fmt: skip


def build_mirror(site: Site, peps: Sequence[Pep], bodies: Mapping[int, str]) -> None:
    """Add mirror.example with a copy of each of `peps`; its robots.txt is behind a redirect."""
    site.redirect(f"{MIRROR}/robots.txt", f"{MIRROR}/etc/robots.txt", note="robots.txt is behind a redirect")
    site.add(f"{MIRROR}/etc/robots.txt", "User-agent: *\nDisallow: /etc/\n", content_type="text/plain")
    intro = '<p>This is a mirror of a part of the library. <a href="/peps/">Browse the documents.</a></p>'
    listing = f"<ul>{links((pep.path, f'PEP {pep.number}: {pep.title}') for pep in peps)}</ul>"
    rows = "".join(f"<tr><td>{hour:02d}:00</td><td>{(hour * 37 + 11) % 100}%</td></tr>" for hour in range(24))
    for path, title, body in (
        ("/", "Mirror", intro),
        ("/peps/", "Documents", listing),
        ("/stats.html", "Statistics", f"<table>{rows}</table>"),
        *((pep.path, f"PEP {pep.number} - {escape(pep.title)}", _elsewhere(bodies[pep.number])) for pep in peps),
    ):
        html = fill("mirror.html", title=title, body=body, visitors=str(10_000 + len(body)))
        site.add(MIRROR + path, html, headers={"Content-Encoding": "gzip"})


def _elsewhere(body: str) -> str:
    """Let links to other proposals lead to the library, which has all of them."""
    return body.replace('href="/peps/', 'href="http://www.library.example/peps/')


def build_drafts(site: Site, peps: Sequence[Pep], bodies: Mapping[int, str]) -> None:
    """Add drafts.example with one to three earlier versions of each of `peps`.  It has no robots.txt."""
    drafts = {pep.number: _drafts(pep) for pep in peps}
    index = links((d.path, d.title) for several in drafts.values() for d in several)
    site.add(f"{DRAFTS}/", _page("All drafts", f"<ul>{index}</ul>", "", [], f"{DRAFTS}/"))
    for pep in peps:
        for draft in drafts[pep.number]:
            others = [(d.path, d.title) for d in drafts[pep.number] if d is not draft]
            body = rewrite(_elsewhere(bodies[pep.number]), draft.change, Random(draft.path))
            byline = f"{escape(pep.authors)}, version {draft.version}"
            final = f"http://www.library.example{pep.path}"
            site.add(DRAFTS + draft.path, _page(draft.title, body, byline, others, final))


@dataclass(frozen=True, slots=True)
class _Draft:
    path: str
    title: str
    version: int
    change: float  # share of the paragraphs that differ from the published text


def _drafts(pep: Pep) -> list[_Draft]:
    random = Random(f"drafts of {pep.number}")
    changes = sorted((MOST_CHANGE * random.random() for _ in range(1 + pep.number % 3)), reverse=True)
    return [
        _Draft(f"/{pep.number}/v{n}.html", f"PEP {pep.number}: {pep.title} (draft {n})", n, change)
        for n, change in enumerate(changes, 1)
    ]


def _page(title: str, body: str, byline: str, others: Sequence[tuple[str, str]], final: str) -> str:
    values = {"title": escape(title), "body": body, "byline": byline, "versions": links(others), "final": final}
    return fill("drafts.html", **values)


def rewrite(fragment: str, change: float, random: Random) -> str:
    """The fragment with a share `change` of its paragraphs missing (two of three) or in other words (one of three)."""

    def paragraph(match: re.Match[str]) -> str:
        draw = random.random()
        if draw < change * 2 / 3:
            return "<p></p>"
        return _in_other_words(match[0]) if draw < change else match[0]

    return re.sub(r"<p>.*?</p>", paragraph, fragment, flags=re.DOTALL)


def _in_other_words(html: str) -> str:
    """Replace common words outside of tags."""
    parts = re.split(r"(<[^>]*>)", html)
    parts[::2] = [re.sub(r"\w+", lambda word: OTHER_WORDS.get(word[0], word[0]), part) for part in parts[::2]]
    return "".join(parts)
