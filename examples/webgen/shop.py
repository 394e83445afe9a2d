"""shop.example: what nobody wants in a corpus.  Stuffed keywords, repeated lines, link farms, shouting."""

from random import Random

from examples.webgen.page import fill, links, one_of, some_of
from examples.webgen.site import Site

HOST = "http://shop.example"
PAGES = 12  # of each kind
ROBOTS = "User-agent: *\nCrawl-delay: 0.05\nDisallow: /cart\n"
GOODS = (
    "watches", "shoes", "handbags", "mattresses", "ringtones", "toner", "vitamins", "loans", "casino", "pills",
    "sunglasses", "essays",
)  # fmt: skip
PRAISE = (
    "cheap", "best", "discount", "original", "free", "online", "fast", "luxury", "genuine", "instant", "top",
    "replica",
)  # fmt: skip
PLACES = (
    "London", "Paris", "Berlin", "Madrid", "Rome", "Tokyo", "Sydney", "Toronto", "Chicago", "Mumbai", "Lagos",
    "Lima",
)  # fmt: skip


def build(site: Site) -> None:
    """Add shop.example, whose robots.txt asks for a pause between requests."""
    site.add(f"{HOST}/robots.txt", ROBOTS, content_type="text/plain")
    listing = [(_path(kind, n), f"{GOODS[n]} {kind}") for kind in KINDS for n in range(PAGES)]
    _add(site, "/", "SUPER SHOP!!! BEST PRICES!!!", f"<p>Welcome! Welcome! Welcome!</p><ul>{links(listing)}</ul>")
    for kind, body in KINDS.items():
        for n in range(PAGES):
            random = Random(f"{kind} {n}")
            title = f"{one_of(random, PRAISE)} {GOODS[n]} {one_of(random, PLACES)}"
            _add(site, _path(kind, n), title.upper(), body(n, random))


def _path(kind: str, n: int) -> str:
    return f"/{kind}/{GOODS[n]}.html"


def _add(site: Site, path: str, title: str, body: str) -> None:
    random = Random(path)
    keywords = ", ".join(f"{praise} {good}" for praise in PRAISE for good in some_of(random, GOODS, 3))
    menu = links(
        [("/", "HOME"), *((_path("stuffed", n), f"buy {GOODS[n]}") for n in range(PAGES))], item="", separator=" | "
    )
    site.add(HOST + path, fill("shop.html", title=title, keywords=keywords, menu=menu, body=body))


def _stuffed(n: int, random: Random) -> str:
    """Keywords, as many as fit."""
    phrases = (f"{one_of(random, PRAISE)} {GOODS[n]} {one_of(random, PLACES)}" for _ in range(300))
    return "<p>" + ", ".join(phrases) + ".</p>"


def _repeated(n: int, random: Random) -> str:
    """The same few lines over and over."""
    lines = [f"<p>Buy {one_of(random, PRAISE)} {GOODS[n]} in {one_of(random, PLACES)} today!</p>" for _ in range(4)]
    return "\n".join(lines * 25)


def _farm(n: int, random: Random) -> str:
    """Hundreds of links, which all lead back here."""
    return " ".join(
        f'<a href="{_path(one_of(random, list(KINDS)), int(random.random() * PAGES))}">{praise} {good} {place}</a>'
        for praise in PRAISE[:6] for good in some_of(random, GOODS, 6) for place in some_of(random, PLACES, 6)
    )  # fmt: skip


def _shouting(n: int, random: Random) -> str:
    """Ordinary sentences, loud ones."""
    claims = (
        f"OUR {GOODS[n].upper()} ARE LOVED IN {place.upper()}!!! Hurry, the offer for {place} ends tonight!!!"
        f" You will not find {one_of(random, PRAISE)} {GOODS[n]} anywhere else in the whole of {place}!!!"
        for place in PLACES
    )
    return "\n".join(f'<p class="buy">{claim}</p>' for claim in claims)


KINDS = {"stuffed": _stuffed, "repeated": _repeated, "farm": _farm, "shouting": _shouting}
