"""shop.example, a host of spam: stuffed keywords, repeated lines, link farms, sentences full of exclamation marks."""

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

CLAIMS = (
    "You have never seen {goods} like these, and after tonight you never will again!!!",
    "Our neighbours in {place} told their friends, and now the whole street is waiting outside!!!",
    "Why would anybody pay the full price when the warehouse is bursting?!!",
    "Call before midnight and we will put a second box of {goods} into the same parcel!!!",
    "Doctors, teachers and one famous singer have asked us for the secret!!!",
    "This is the last week of the sale, and it has been the last week since March!!!",
    "If you are not happy with what arrives, send it to {place} and see what happens!!!",
    "A friend of mine bought three of them and has not stopped smiling!!!",
    "No tricks, no small print, nothing that you would have to read twice!!!",
    "Hurry, because the boss is on holiday in {place} and does not know about this page!!!",
    "They said that such {goods} could not be sold on the internet, and they were wrong!!!",
    "Tell us your colour, your size and your birthday, and leave the rest to us!!!",
    "The first hundred visitors from {place} get a surprise that we cannot describe here!!!",
    "Look around, compare, think it over, and then come back to where you started!!!",
)


def build(site: Site) -> None:
    """Add shop.example, whose robots.txt asks for a delay between requests."""
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
    """A page of keywords only."""
    phrases = (f"{one_of(random, PRAISE)} {GOODS[n]} {one_of(random, PLACES)}" for _ in range(300))
    return "<p>" + ", ".join(phrases) + ".</p>"


def _repeated(n: int, random: Random) -> str:
    """The same few lines, many times."""
    lines = [f"<p>Buy {one_of(random, PRAISE)} {GOODS[n]} in {one_of(random, PLACES)} today!</p>" for _ in range(4)]
    return "\n".join(lines * 25)


def _farm(n: int, random: Random) -> str:
    """Hundreds of links, which all lead to this host."""
    return " ".join(
        f'<a href="{_path(one_of(random, list(KINDS)), int(random.random() * PAGES))}">{praise} {good} {place}</a>'
        for praise in PRAISE[:6] for good in some_of(random, GOODS, 6) for place in some_of(random, PLACES, 6)
    )  # fmt: skip


def _shouting(n: int, random: Random) -> str:
    """Ordinary sentences that all end in exclamation marks."""
    claims = some_of(random, CLAIMS, 10)
    sentences = (claim.format(goods=GOODS[n], place=one_of(random, PLACES)) for claim in claims)
    return "\n".join(f'<p class="buy">{sentence}</p>' for sentence in sentences)


KINDS = {"stuffed": _stuffed, "repeated": _repeated, "farm": _farm, "shouting": _shouting}
