"""Special cases of a crawl: redirects, errors, forbidden pages, opt-outs, empty and broken pages, other files."""

import zlib

from examples.webgen import library
from examples.webgen.page import links
from examples.webgen.site import Site

HOST = library.HOST
VAULT = "http://vault.example"
ELSEWHERE = "http://elsewhere.example/"
LINKS = [
    ("http://mirror.example/", "A mirror of some of our documents"),
    ("http://drafts.example/", "Earlier versions"),
    ("http://rights.example/", "Human rights in every language"),
    ("http://forum.example/", "The reading forum"),
    ("http://shop.example/", "Our sponsor"),
    ("http://vault.example/", "The vault"),
    (ELSEWHERE, "Elsewhere"),
    ("/odd/", "Odd corners"),
]
PARAGRAPH = """<p>This room holds the letters that readers have sent us over the years. Some of them ask for books that
were never written; some of them return books that were never borrowed. All of them are answered by hand, in the order
in which they arrive, and copies of the answers are kept in the grey cabinets along the north wall.</p>
<p>The writers of these letters did not expect that a machine would read them, and we have promised that none will.
If you come in person, you may sit at the long table and read as many as you like.</p>"""
NOTES = """Notes for the night shift.

The window in the map room does not close. Please look after it when it rains, and leave the lamp on the second floor
burning. The cat is not ours and must not be fed.
"""
BROKEN = """<html><head><title>Unfinished</title><body><div><div class=a><p>The page begins <b>well enough, with a
paragraph that somebody wrote by hand <i>and never closed. It goes on for a while about the weather in the map room,
which is always worse than outside, and about the draught that turns the pages by itself. <table><tr><td>Then a table
<p>starts in the middle of <ul><li>a list </div></div> <![CDATA[ and something that is no markup ]]> <<<>>> \
&notanentity;
&#xFFFFFFF; \x01\x02\x00 <p>so the rest of the story <a href="/odd/>is lost. <!-- a comment that is never closed
"""


def build(site: Site) -> None:
    """Add the special cases of the library, and vault.example."""
    _redirects_and_errors(site)
    _closed_doors(site)
    _strange_bodies(site)
    corners = [
        ("/pep-8", "A page that moved"), ("/copies", "Copies, elsewhere"), ("/loop/a", "Round and round"),
        ("/peps/9999/", "A page that is missing"), ("/search?q=typing", "A search"), ("/private/letters/", "Private"),
        ("/members/letters/", "Letters"), ("/members/answers/", "Answers"), ("/members/dead-ends/", "Dead ends"),
        ("/odd/empty.html", "An empty page"), ("/odd/blank.html", "A blank page"), ("/odd/broken.html", "Unfinished"),
        ("/odd/garbage.html", "Garbage"), ("/static/logo.png", "Our logo"), ("/odd/plan.pdf", "Floor plan"),
        ("/odd/notes.txt", "Notes"), (f"{ELSEWHERE}about/", "Elsewhere, about"),
    ]  # fmt: skip
    offer = '<li><a href="/odd/offer.html" rel="nofollow sponsored">An offer</a></li>'
    library.page(site, "/odd/", "Odd corners", f"<ul>{links(corners)}{offer}</ul>")
    site.unanswered[ELSEWHERE] = "a host that is out of scope"


def _redirects_and_errors(site: Site) -> None:
    site.redirect(f"{HOST}/pep-8", f"{HOST}/peps/0008/", note="moved within the host")
    site.redirect(f"{HOST}/copies", "http://mirror.example/peps/", note="moved to another host")
    site.redirect(f"{HOST}/loop/a", f"{HOST}/loop/b", status=302, note="redirects in a circle")
    site.redirect(f"{HOST}/loop/b", f"{HOST}/loop/a", status=302, note="redirects in a circle")
    missing = "<html><head><title>Not here</title></head><body><h1>404</h1><p>No such document.</p></body></html>\n"
    site.add(f"{HOST}/peps/9999/", missing, status=404, note="missing")
    failed = "<html><head><title>Error</title></head><body><h1>500</h1><p>The index is broken.</p></body></html>\n"
    site.add(f"{HOST}/search?q=typing", failed, status=500, note="the server fails")


def _closed_doors(site: Site) -> None:
    library.page(site, "/private/letters/", "Private letters", PARAGRAPH, note="robots.txt forbids it")
    noai = '<meta name="robots" content="noai, noimageai">\n'
    library.page(site, "/members/letters/", "Letters", PARAGRAPH, head=noai, note="opts out in its markup")
    header = {"X-Robots-Tag": "noai"}
    library.page(site, "/members/answers/", "Answers", PARAGRAPH, headers=header, note="opts out in a header")
    nofollow = '<meta name="robots" content="nofollow">\n'
    hidden = '<p>Nothing from here: <a href="/odd/hidden.html">a hidden page</a>.</p>'
    library.page(
        site, "/members/dead-ends/", "Dead ends", hidden, head=nofollow, note="its links are not to be followed"
    )
    library.page(site, "/odd/hidden.html", "Hidden", PARAGRAPH, note="only linked from a page that says nofollow")
    library.page(site, "/odd/offer.html", "An offer", PARAGRAPH, note="only linked with rel=nofollow")
    site.add(
        f"{VAULT}/robots.txt",
        "Service unavailable\n",
        status=503,
        content_type="text/plain",
        note="everything is forbidden",
    )
    site.add(
        f"{VAULT}/",
        f"<html><head><title>Vault</title></head><body>{PARAGRAPH}</body></html>\n",
        note="its robots.txt answers 503",
    )


def _strange_bodies(site: Site) -> None:
    site.add(f"{HOST}/odd/empty.html", b"", note="no bytes at all")
    site.add(f"{HOST}/odd/blank.html", "<html><head><title></title></head><body> \n</body></html>\n", note="no text")
    site.add(f"{HOST}/odd/broken.html", BROKEN, note="tags that are never closed")
    garbage = bytes((17 * n * n + 31 * n + n // 7) % 256 for n in range(4096))
    site.add(f"{HOST}/odd/garbage.html", garbage, note="no text in any charset")
    site.add(f"{HOST}/static/logo.png", _png(16), content_type="image/png", note="not a page")
    site.add(
        f"{HOST}/odd/plan.pdf",
        b"%PDF-1.1\n%\xe2\xe3\xcf\xd3\n%%EOF\n",
        content_type="application/pdf",
        note="not a page",
    )
    site.add(f"{HOST}/odd/notes.txt", NOTES, content_type="text/plain; charset=us-ascii", note="plain text")


def _png(side: int) -> bytes:
    """A red square, by the PNG specification."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = side.to_bytes(4, "big") * 2 + bytes([8, 2, 0, 0, 0])  # 8 bits, RGB
    rows = (b"\0" + b"\x8c\x2f\x1b" * side) * side
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")
