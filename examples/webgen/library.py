"""www.library.example, the host where a crawl starts: proposals as a library's web site would show them."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from examples.webgen.page import TEMPLATES, fill, links
from examples.webgen.peps import Pep, headings, summary
from examples.webgen.site import Site

HOST = "http://www.library.example"
ROBOTS = """# Readers are welcome.
User-agent: *
Disallow: /private/

User-agent: greedybot
Disallow: /

Sitemap: http://www.library.example/sitemap.xml
"""
SCRIPT = 'document.querySelectorAll(".cookie-notice button").forEach(b => b.onclick = () => b.parentNode.remove());\n'
ABOUT = """<p>The Example Library collects the design documents of a programming language, as they were accepted by the
people who maintain it. Every document is shown with its history, its authors and the documents around it.</p>
<p>The collection began with a shelf of printed drafts and now holds several hundred finished proposals. Nothing in it
is secret: all texts are in the public domain or dedicated to it, and may be copied, printed and read aloud.</p>
<p>We do not lend. We do not charge. We ask our readers to be quiet, and our crawlers to be slow.</p>"""
HOURS = """<p>The reading room is open on working days from nine to six, and on the first Saturday of each month from
ten to two. It is closed on public holidays and whenever the heating fails.</p>
<table><tr><th>Day</th><th>Opens</th><th>Closes</th></tr><tr><td>Monday to Friday</td><td>9:00</td><td>18:00</td></tr>
<tr><td>First Saturday</td><td>10:00</td><td>14:00</td></tr></table>
<p>Write to reading-room@example.org, or call at the desk.</p>"""


def build(site: Site, peps: Sequence[Pep], bodies: Mapping[int, str], extra: Sequence[tuple[str, str]]) -> None:
    """Add the library: start page with links to `extra`, catalogue, topics, news, and a page for each proposal."""
    site.add(f"{HOST}/robots.txt", ROBOTS, content_type="text/plain")
    site.add(f"{HOST}/static/library.css", (TEMPLATES / "library.css").read_bytes(), content_type="text/css")
    site.add(f"{HOST}/static/library.js", SCRIPT, content_type="text/javascript")
    page(site, "/", "Welcome to the Example Library", f"{ABOUT}\n<h2>Elsewhere</h2>\n<ul>{links(extra)}</ul>")
    page(site, "/about/", "About us", ABOUT)
    page(site, "/about/hours/", "Opening hours", HOURS)
    _news(site, peps)
    _catalogue(site, peps)
    for index, pep in enumerate(peps):
        near = [*peps[max(0, index - 2) : index], *peps[index + 1 : index + 3]]
        _proposal(site, pep, bodies[pep.number], near)


def page(
    site: Site, path: str, title: str, article: str, *, head: str = "", sidebar: str = "", related: str = "",
    trail: Sequence[tuple[str, str]] = (), headers: Mapping[str, str] | None = None, note: str | None = None,
) -> None:  # fmt: skip
    """Add a page in the library's template.  The title is text, the rest is HTML."""
    html = fill(
        "library.html", path=path, title=escape(title), description=summary(article), head=head, sidebar=sidebar,
        article=article, related=related, breadcrumb=links([("/", "Home"), *trail]) + f"<li>{escape(title)}</li>",
    )  # fmt: skip
    site.add(HOST + path, html, headers=headers, note=note)


def _catalogue(site: Site, peps: Sequence[Pep]) -> None:
    shelves = {shelf: list(group) for shelf, group in groupby(peps, lambda pep: f"{pep.number // 100:02d}00")}
    page(site, "/archive/", "Catalogue", f"<ul>{links((f'/archive/{s}/', f'Shelf {s}') for s in shelves)}</ul>")
    for shelf, group in shelves.items():
        page(site, f"/archive/{shelf}/", f"Shelf {shelf}", _listing(group), trail=[("/archive/", "Catalogue")])
    topics = sorted({pep.type for pep in peps})
    page(site, "/topics/", "Topics", f"<ul>{links((_topic(t), t) for t in topics)}</ul>")
    for topic in topics:
        group = [pep for pep in peps if pep.type == topic]
        page(site, _topic(topic), f"Topic: {topic}", _listing(group), trail=[("/topics/", "Topics")])


def _topic(name: str) -> str:
    return f"/topics/{name.lower().replace(' ', '-')}/"


def _listing(peps: Sequence[Pep]) -> str:
    rows = "\n".join(
        f'<tr><td>{pep.number}</td><td><a href="{pep.path}">{escape(pep.title)}</a></td><td>{pep.year}</td></tr>'
        for pep in peps
    )
    return f"<table><tr><th>No.</th><th>Title</th><th>Year</th></tr>\n{rows}</table>"


def _news(site: Site, peps: Sequence[Pep]) -> None:
    """Add very short pages: an announcement for every eighth proposal."""
    entries = [(f"/news/{pep.number}/", f"New in the catalogue: {pep.title}", pep) for pep in peps[::8]]
    page(site, "/news/", "News", f"<ul>{links((path, title) for path, title, _ in entries)}</ul>")
    for path, title, pep in entries:
        text = f'<p>PEP {pep.number} is now on the shelf. <a href="{pep.path}">Read it.</a></p>'
        page(site, path, title, text, trail=[("/news/", "News")])


def _proposal(site: Site, pep: Pep, body: str, near: Sequence[Pep]) -> None:
    title = f"PEP {pep.number} – {pep.title}"
    shelf = f"{pep.number // 100:02d}00"
    about = {
        "@context": "https://schema.org",
        "@type": "TechArticle",
        "headline": title,
        "license": pep.licence,
        "datePublished": pep.created,
    }
    head = (
        f'<link rel="license" href="{pep.licence}">\n<meta name="author" content="{escape(pep.authors)}">\n'
        f'<script type="application/ld+json">{json.dumps(about, ensure_ascii=False)}</script>\n'
    )
    facts = {"Author": pep.authors, "Status": pep.status, "Type": pep.type, "Created": pep.created}
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in facts.items())
    printable = f'<a href="{pep.path}?print=1">Printer-friendly version</a>' if pep.number % 10 == 0 else ""
    share = f'<div class="share">Share this page: <a href="#content">link</a> &middot; {printable}</div>'
    contents = links((f"#{anchor}", text) for anchor, text in headings(body))
    page(
        site, pep.path, title, f'<table class="facts">{rows}</table>\n{body}\n{share}', head=head,
        sidebar=f"<h4>On this page</h4><ul>{contents}</ul>\n<h4>Nearby</h4><ul>{_nearby(near)}</ul>\n",
        related=f'<section class="related"><h3>Readers also looked at</h3><ul>{_nearby(near)}</ul></section>\n',
        trail=[("/archive/", "Catalogue"), (f"/archive/{shelf}/", f"Shelf {shelf}")],
    )  # fmt: skip
    if printable:
        title = escape(title)
        html = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>\n{body}\n</body></html>\n"
        site.add(f"{HOST}{pep.path}?print=1", html, note="the same text without navigation")


def _nearby(peps: Sequence[Pep]) -> str:
    return links((pep.path, f"PEP {pep.number}: {pep.title}") for pep in peps)
