"""Python Enhancement Proposals: read from their sources, and rendered to HTML with docutils.

Real people's e-mail addresses are replaced with invented ones.  Links out of the example web become plain text, so that
a crawl of the example can never reach a real site.  Roles and directives that only Sphinx knows get a simple
replacement.  Cost: 40 ms per PEP.
"""

import re
import tarfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.core import publish_parts
from docutils.parsers.rst import Directive, directives, roles

from examples.webgen.page import EMAIL, without_addresses

STATUSES = ("Accepted", "Active", "Final")
SMALLEST, LARGEST = 5_000, 52_000  # bytes of source: long enough to be read, and short enough that there are many
ROLES = """
    all alt abbr attr c:func c:macro c:member c:struct c:type class const cpython-issue cpython-pr data deprecated
    doc exc external+python:c:func external+python:c:macro external+python:c:type external+python:meth
    external+python:mod external+python:ref external+typing:term external+typing:token file func gh kbd keyword meth
    method mod option program py:class py:data py:exc py:func py:keyword py:meth py:mod py:obj py:ref pypi ref rfc
    samp source term token
"""
WITH_TITLE = re.compile(r"(?P<title>.+?)\s*<(?P<target>[^<>]+)>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Pep:
    """One proposal: its headers, and its body as reStructuredText."""

    number: int
    title: str
    authors: str
    status: str
    type: str
    created: str
    licence: str  # URL of the licence or dedication that the text states
    body: str

    @property
    def path(self) -> str:
        """Its path, the same on every host that has it."""
        return f"/peps/{self.number:04d}/"

    @property
    def year(self) -> str:
        """The year of its creation."""
        return self.created[-4:]


def read_peps(archive: Path) -> list[Pep]:
    """The finished proposals of medium size in peps.tar.xz, by number."""
    with tarfile.open(archive) as tar:
        members = sorted((m for m in tar if m.isfile()), key=lambda member: member.name)
        sources = [tar.extractfile(member).read().decode() for member in members]  # type: ignore[union-attr]
    peps = [parse(source) for source in sources if SMALLEST <= len(source.encode()) <= LARGEST]
    return [pep for pep in peps if pep.status in STATUSES]


def parse(source: str) -> Pep:
    """A proposal from its source; ValueError if it does not state that its text is free to use."""
    head, _, body = source.partition("\n\n")
    headers = dict(re.findall(r"^([\w-]+):\s*((?:.*)(?:\n\s+.*)*)", head, re.MULTILINE))
    number, title = int(headers["PEP"]), " ".join(headers["Title"].replace("``", "").split())
    if "cc0" in body.lower():
        licence = "https://creativecommons.org/publicdomain/zero/1.0/"
    elif "public domain" in " ".join(body.lower().split()):
        licence = "https://creativecommons.org/publicdomain/mark/1.0/"
    else:
        raise ValueError(f"PEP {number} states neither CC0 nor public domain")
    authors = re.sub(r"\s*<[^>]*>|\s*\([^)]*@[^)]*\)|" + EMAIL.pattern, "", " ".join(headers["Author"].split()))
    return Pep(
        number, title, authors.strip(), headers["Status"].strip(), headers["Type"].strip(),
        headers["Created"].strip(), licence, without_addresses(body),
    )  # fmt: skip


def render(pep: Pep, known: Collection[int]) -> str:
    """The proposal's body as an HTML fragment, with headings from h2.  Only PEPs in `known` are linked."""
    settings = {
        "initial_header_level": 2,
        "syntax_highlight": "none",
        "math_output": "MathML",
        "report_level": 5,
        "halt_level": 5,
        "embed_stylesheet": False,
        "stylesheet_path": "",
        "doctitle_xform": False,
        "file_insertion_enabled": False,
        "raw_enabled": False,
        "smart_quotes": False,
        "pep_references": False,
        "rfc_references": False,
        "cloak_email_addresses": False,
        "language_code": "en",
    }
    fragment = publish_parts(pep.body, writer="html5", settings_overrides=settings)["html_body"]
    fragment = fragment.replace("\r", "").strip().removeprefix("<main>").removesuffix("</main>").strip()
    fragment = re.sub(r'<span class="pre">(.*?)</span>', r"\1", fragment, flags=re.DOTALL)
    fragment = re.sub(r'<span class="docutils literal">(.*?)</span>', r"<code>\1</code>", fragment, flags=re.DOTALL)
    return _stay_inside(fragment, {f"{number:04d}" for number in known})


def _stay_inside(fragment: str, known: Collection[str]) -> str:
    """Keep links within the page and to known PEPs.  Replace each other link with its text."""

    def link(match: re.Match[str]) -> str:
        target = re.fullmatch(r"/peps/(\d{4})/", match["href"])
        stays = match["href"].startswith("#") or (target is not None and target[1] in known)
        return f'<a href="{match["href"]}">{match["text"]}</a>' if stays else match["text"]

    return re.sub(r'<a class="[^"]*" href="(?P<href>[^"]*)"[^>]*>(?P<text>.*?)</a>', link, fragment, flags=re.DOTALL)


def paragraphs(fragment: str) -> Iterator[str]:
    """The text of a fragment's longer paragraphs, without markup."""
    for match in re.finditer(r"<p>(.*?)</p>", fragment, re.DOTALL):
        text = re.sub(r"<[^>]+>", "", match[1]).strip()
        if len(text) > 80:
            yield text


def headings(fragment: str) -> list[tuple[str, str]]:
    """(anchor, text) of a fragment's h2 headings."""
    found = re.finditer(r'<section id="([^"]*)">\s*(?:<span id="[^"]*"></span>)*<h2>(.*?)</h2>', fragment, re.DOTALL)
    return [(match[1], re.sub(r"<[^>]+>", "", match[2])) for match in found]


def summary(fragment: str, length: int = 180) -> str:
    """The beginning of the first paragraph, escaped for an attribute."""
    first = next(paragraphs(fragment), "")
    return escape(" ".join(first.split())[:length])


# --- roles and directives that Sphinx knows and docutils does not ------------------------------------------------


def _literal_role(name: str, rawtext: str, text: str, *_: Any) -> tuple[list[nodes.Node], list[nodes.Node]]:
    """A reference to something outside: its title, or else its last name, as code unless it is prose."""
    titled = WITH_TITLE.fullmatch(nodes.unescape(text))
    shown = titled["title"] if titled else nodes.unescape(text).lstrip("!~@")
    prose = name.rpartition(":")[2] in {"ref", "term", "doc", "rfc", "pypi", "cpython-issue", "abbr"}
    if name == "rfc" and not titled:
        shown = f"RFC {shown}"
    return [nodes.inline(rawtext, shown) if prose else nodes.literal(rawtext, shown)], []


def _pep_role(name: str, rawtext: str, text: str, *_: Any) -> tuple[list[nodes.Node], list[nodes.Node]]:
    titled = WITH_TITLE.fullmatch(nodes.unescape(text))
    target = (titled["target"] if titled else nodes.unescape(text)).lstrip("!").partition("#")[0]
    if not target.strip().isdigit():
        return [nodes.inline(rawtext, text)], []
    shown = titled["title"] if titled else f"PEP {int(target)}"
    return [nodes.reference(rawtext, shown, refuri=f"/peps/{int(target):04d}/")], []


class _AnyOption(dict[str, Any]):
    """An option_spec that accepts all options."""

    def __missing__(self, key: str) -> Any:
        return directives.unchanged


class _SphinxDirective(Directive):  # type: ignore[misc]  # docutils has no annotations
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[Any] = _AnyOption()


class _Code(_SphinxDirective):
    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        return [nodes.literal_block(text, text)]


class _Described(_SphinxDirective):
    """A signature and its description."""

    def run(self) -> list[nodes.Node]:
        signature = nodes.paragraph("", "", nodes.literal("", self.arguments[0] if self.arguments else ""))
        body = nodes.container()
        self.state.nested_parse(self.content, self.content_offset, body)
        return [signature, *body.children]


class _Left(_SphinxDirective):
    """Content that needs a file, or that readers do not need.  It is left out."""

    def run(self) -> list[nodes.Node]:
        return []


class _Notice(_SphinxDirective):
    def run(self) -> list[nodes.Node]:
        return [nodes.note("", nodes.paragraph("", f"This document is kept for the record ({self.name})."))]


def _register() -> None:
    for name in ROLES.split():
        roles.register_local_role(name, _literal_role)
    roles.register_local_role("pep", _pep_role)
    kinds: dict[type[Directive], str] = {
        _Code: "code code-block sourcecode productionlist",
        _Described: "c:function c:member c:type c:struct glossary",
        _Left: "highlight image figure literalinclude include raw",
        _Notice: "canonical-doc canonical-pypa-spec canonical-typing-spec withdrawn rejected superseded deprecated",
    }
    for directive, names in kinds.items():
        for name in names.split():
            directives.register_directive(name, directive)


_register()
