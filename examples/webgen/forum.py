"""forum.example: invented people discuss the proposals, and their signatures contain addresses.

Every post quotes a paragraph of a proposal, and answers in sentences from the lists below.  People and e-mail addresses
are invented (example.org, .com and .net belong to nobody).  Most IP addresses are those of public name servers: they
are real, but they belong to no person.  A few are from the ranges for documentation, which need no masking.
"""

from collections.abc import Mapping, Sequence
from html import escape, unescape
from random import Random

from examples.webgen.page import fill, links, one_of, some_of
from examples.webgen.peps import Pep, paragraphs
from examples.webgen.site import Site

HOST = "http://forum.example"
ROBOTS = "User-agent: *\nDisallow: /*?sort=\nDisallow: /members/secret/\n"
FIRST_NAMES = (
    "Ada", "Ben", "Carla", "Dmitri", "Ewa", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Kemi", "Lena", "Milan",
    "Noor", "Olga", "Pavel",
)  # fmt: skip
LAST_NAMES = (
    "Adler", "Brook", "Castell", "Dahl", "Eriksen", "Falk", "Grün", "Holm", "Ito", "Jansen", "Kovač", "Lund",
    "Moreau", "Novak", "Okafor", "Petrov",
)  # fmt: skip
OPENINGS = (
    "I read this part twice and I am still not sure that I agree.", "This is the paragraph that convinced me.",
    "Could somebody explain what is meant here?", "We tried exactly that in our own code last year.",
    "I think the authors were too careful at this point.", "It is easy to forget how things were before this.",
    "My students always stumble over this passage.", "There is a subtle point hidden in the second half.",
    "I came here from a search engine and stayed for this paragraph.",
    "Quick question from somebody who is new to the subject.", "I have to disagree with the post above.",
    "We discussed this at our meetup last night.", "This was news to me.", "It took me three coffees to see the point.",
    "The longer I look at it, the more I like it.", "Has anybody looked at how this was done before?",
    "Reading it again after ten years, I notice how little has changed.", "Let me play the devil's advocate for once.",
)  # fmt: skip
MIDDLES = (
    "The wording about {word} leaves room for two readings, and the implementation chose the narrower one.",
    "In our code base, {word} turned out to be the part that everybody gets wrong first.",
    "If you look at how {word} is handled elsewhere, the decision makes more sense.",
    "Nobody on my team had heard of {word} before, and now we can't do without it.",
    "What worries me is the cost: {word} looks cheap on paper, but somebody has to maintain it.",
    "I measured it on an old laptop, and {word} made no difference that I could see.",
    "There was a long discussion of {word} at the time, most of which is worth reading.",
    "I would have put {word} into a section of its own, with an example for beginners.",
    "A colleague of mine keeps a printed copy of the part on {word} above the coffee machine.",
    "The tests for {word} that we wrote back then still pass, which says something.",
    "Our documentation had one sentence on {word}, and it was wrong.",
    "Every time {word} comes up in a review, we end up quoting this page.",
    "I looked for a library that does {word} differently, and found two that nobody maintains.",
    "To be fair, {word} was a much harder problem when this was written.",
    "The people who object to {word} are usually the ones who never had to debug it.",
    "We switched {word} off for a week as an experiment, and three people noticed.",
    "A footnote about {word} would have saved me an afternoon.",
    "For small programs {word} hardly matters, but ours stopped being small years ago.",
    "I translated the part about {word} for our newcomers, and they had better questions than I have.",
    "The history of {word} is longer than most of us remember.",
    "What finally made {word} click for me was drawing it on paper.",
    "Some of the examples for {word} don't work as printed, by the way.",
    "There must be a simpler way to explain {word} than the one that is used here.",
    "Compare that with what other languages do about {word}: most of them gave up.",
)  # fmt: skip
CLOSINGS = (
    "Does anybody have a counterexample?", "I am happy to be shown wrong.", "Thanks for reading this far.",
    "In any case, the text has aged well.", "Perhaps the next revision will say so.", "That's all from me for today.",
    "Please correct me if I misread it.", "I'll try it on the weekend and report back.",
)  # fmt: skip
NAME_SERVERS = (
    "198.41.0.4", "192.33.4.12", "193.0.14.129", "202.12.27.33", "149.112.112.112", "208.67.222.222",
    "2001:500:2::c", "2620:fe::fe",
)  # fmt: skip
SHORT = ("+1", "Same here.", "Bump.", "First!", "This.", "Thanks, solved.", "Any news on this?")
RULES = """<p>Be kind. Quote what you answer. Don't post other people's addresses, and think before you post your own:
whatever is written here can be read by anybody, for as long as anybody keeps it.</p>
<p>Moderators may close threads that go in circles. Complaints go to moderators@example.org.</p>"""


def build(site: Site, peps: Sequence[Pep], bodies: Mapping[int, str]) -> None:
    """Add forum.example with a thread about each of `peps`, and one list of threads in two orders."""
    site.add(f"{HOST}/robots.txt", ROBOTS, content_type="text/plain")
    threads = [(f"/thread/{pep.number}", f"Re: PEP {pep.number}, {pep.title}") for pep in peps]
    for order, listed in (("", threads), ("?sort=newest", threads[::-1])):
        posts = f'<p><a href="/?sort=newest">Newest first</a></p><ul>{links(listed)}</ul>'
        _add(site, f"/{order}", "Boards", posts, similar=threads[:3])
    _add(site, "/rules.html", "Rules", RULES, similar=threads[:3])
    _add(site, "/members/", "Members", _members(), similar=threads[:3])
    _add(site, "/login", "Log in", "<p>Logging in is closed.</p>", similar=[], note="only linked with rel=nofollow")
    for index, pep in enumerate(peps):
        random = Random(f"thread about {pep.number}")
        posts = _posts(pep, list(paragraphs(bodies[pep.number])), random)
        _add(site, threads[index][0], threads[index][1], posts, similar=threads[index + 1 : index + 6])


def _add(
    site: Site, path: str, title: str, posts: str, *, similar: Sequence[tuple[str, str]], note: str | None = None
) -> None:
    html = fill(
        "forum.html", title=escape(title), posts=posts, crumbs=escape(title), pager="Page 1 of 1",
        similar=links(similar), online=str(len(posts) % 40),
    )  # fmt: skip
    site.add(HOST + path, html, note=note)


def _posts(pep: Pep, texts: Sequence[str], random: Random) -> str:
    """Three to nine posts, sometimes with one that has almost no content."""
    words = [word.strip("()\"',:;") for word in pep.title.split() if len(word) > 3] or ["it"]
    posts = []
    for _ in range(3 + int(random.random() * 7)):
        if random.random() < 0.2:
            posts.append(_post(random, f"<p>{one_of(random, SHORT)}</p>"))
            continue
        quote = f"<blockquote>{escape(unescape(one_of(random, texts)))}</blockquote>" if texts else ""
        middle = [sentence.format(word=one_of(random, words)) for sentence in some_of(random, MIDDLES, 3)]
        sentences = " ".join([one_of(random, OPENINGS), *middle, one_of(random, CLOSINGS)])
        posts.append(_post(random, f"{quote}<p>{escape(sentences)}</p>"))
    return "\n".join(posts)


def _post(random: Random, text: str) -> str:
    name = f"{one_of(random, FIRST_NAMES)} {one_of(random, LAST_NAMES)}"
    count, day = int(random.random() * 4000), 1 + int(random.random() * 28)
    signature = ""
    if random.random() < 0.4:
        contact = f"mail me at {_email(name, random)}" if random.random() < 0.7 else f"sent from {_ip_address(random)}"
        signature = f'<div class="signature">{escape(name)}, {contact}</div>'
    return (
        f'<div class="post"><div class="user"><b>{escape(name)}</b><br>Posts: {count}<br>Joined: March 20{day:02d}'
        f'<br><a href="/rules.html">Report</a></div>\n<div class="text">{text}{signature}</div></div>'
    )


def _email(name: str, random: Random) -> str:
    first, last = name.lower().replace("ü", "ue").replace("č", "c").split()
    local = one_of(random, (f"{first}.{last}", f"{first[0]}{last}", f"{last}+list", f"{first}_{last}99"))
    return f"{local}@{one_of(random, ('example.org', 'mail.example.com', 'example.net'))}"


def _ip_address(random: Random) -> str:
    last = 1 + int(random.random() * 254)
    return one_of(random, (*NAME_SERVERS, f"192.0.2.{last}", f"2001:db8::{last:x}"))


def _members() -> str:
    """A page that contains only personal data."""
    random = Random("members")
    names = [f"{first} {last}" for first in FIRST_NAMES for last in LAST_NAMES[::4]]
    rows = (f"<tr><td>{n}</td><td>{_email(n, random)}</td><td>{_ip_address(random)}</td></tr>" for n in names)
    return "<table><tr><th>Name</th><th>E-mail</th><th>Last seen from</th></tr>\n" + "\n".join(rows) + "</table>"
