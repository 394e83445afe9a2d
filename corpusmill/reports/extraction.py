"""One page as the extractor sees it: what is kept and dropped, each block's probability, and the page's metadata.

    inspected = extract(find("https://a.example/page", ["crawl.warc.gz"]), "the page")
    print(tell(see(inspected, "the page")))

Text from the page is masked like every output of the product, unless the caller asks for it unmasked.

Cost: 2 s to start, then about 20 ms per page.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console
from rich.text import Text

from corpusmill.errors import InputError
from corpusmill.extract.charset.mojibake import condition
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.inspection import Block, Inspection, inspect_page
from corpusmill.extract.overlay import overlay
from corpusmill.filters.pii import mask
from corpusmill.filters.settings import PiiSettings
from corpusmill.page import Page, UndecodableError
from corpusmill.reasons import STATUSES
from corpusmill.terminal import printable

LEAST_KIND = 0.1  # the lowest probability of a page type that is shown
_ROBOTS = re.compile("^robots$|bot$|^tdm-|^ai")  # in names of meta elements; other meta elements do not use these names
NAME_CHARS = 11  # width of the names of facts
TAG_CHARS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """A page in a form that can be shown.  All texts from it are masked, unless the caller asked for them unmasked."""

    inspected: Inspection
    facts: tuple[tuple[str, str], ...]  # (name, value), printable
    blocks: tuple[Block, ...]  # printable
    metadata: Mapping[str, Any]  # values of JSON
    text: str
    markdown: str


def extract(page: Page, name: str) -> Inspection:
    """Extract a page with the shipped model.  InputError, with the page's `name`, if its bytes are not text."""
    try:
        return inspect_page(page, shipped_model())
    except UndecodableError as error:
        raise InputError(f"{name}: not a page ({error}); give an HTML file") from None


def see(inspected: Inspection, name: str, *, masked: bool = True) -> Seen:
    """Make a page ready to be shown.  `name` is its name if it has no URL."""
    blocks = list(inspected.blocks())
    facts = _facts(inspected, name)
    values = [" ".join(value.split()) for value in _masked([value for _, value in facts], masked)]
    texts = _masked([block.text for block in blocks], masked)
    paths = _masked([block.path for block in blocks], masked)
    text, markdown = _masked([inspected.text, inspected.markdown], masked)
    own = {"title": inspected.said.title, "html_lang": inspected.said.html_lang, "licence": inspected.said.licence}
    said: dict[str, object] = {**own, **inspected.said.as_mapping(), "directives": inspected.said.directives}
    return Seen(
        inspected=inspected,
        facts=tuple((fact, printable(value)) for (fact, _), value in zip(facts, values, strict=True)),
        blocks=tuple(
            block._replace(text=printable(text), path=printable(path))
            for block, text, path in zip(blocks, texts, paths, strict=True)
        ),
        metadata={name: _all_masked(value, masked) for name, value in said.items() if value},
        text=text,
        markdown=markdown,
    )


def _masked(texts: Sequence[str], masked: bool) -> Sequence[str]:
    if not masked:
        return texts
    shown: list[str] = mask(pa.array(texts, pa.large_string()), PiiSettings())[0].to_pylist()
    return shown


def _all_masked(value: object, masked: bool) -> object:
    """A value of JSON with all strings in it masked."""
    if isinstance(value, list | tuple):
        return [_all_masked(each, masked) for each in value]
    return _masked([value], masked)[0] if isinstance(value, str) else value


def _facts(inspected: Inspection, name: str) -> list[tuple[str, str]]:
    """What is known about the page, and what the page says about itself.  Missing facts are left out."""
    said, classified = inspected.said, inspected.classified
    kinds = sorted(zip(inspected.kinds.tolist(), KINDS, strict=True), reverse=True)
    facts = {
        "page": inspected.url or name,
        "status": f"{inspected.status}: {STATUSES[inspected.status]}"
        if inspected.status in STATUSES
        else str(inspected.status),
        "type": ", ".join(f"{kind} {p:.2f}" for p, kind in kinds if p >= LEAST_KIND),
        "kept": f"{inspected.keep.sum():,} of {len(inspected.keep):,} blocks, those above {classified.threshold:.2f}",
        "title": said.title,
        "author": "; ".join(said.authors),
        "published": said.published,
        "updated": said.updated,
        "site": said.site_name,
        "language": ", ".join(dict.fromkeys(filter(None, [said.html_lang, *said.languages]))),
        "also in": ", ".join(said.alternates),
        "licence": said.licence,
        "canonical": said.canonical,
        "robots": "; ".join(f"{key}: {value}" for key, value in said.directives if _ROBOTS.search(key)),
        "encoding": ", ".join(
            f"{value}" if key == "encoding" else f"{value} {key.replace('_', ' ')}"
            for key, value in condition(inspected.utf8, inspected.text).items()
        ),
    }
    return [(fact, value) for fact, value in facts.items() if value]


def show(seen: Seen) -> None:
    """Print the page: in colour on a terminal, as plain lines elsewhere."""
    console = Console(highlight=False)
    if console.is_terminal:
        tell_in_colour(seen, console)
    else:
        print(tell(seen))


def write_overlay(seen: Seen, path: Path) -> None:
    """Write the page as HTML, coloured by probability; InputError if the file cannot be written."""
    try:
        path.write_text(overlay(seen.inspected, seen.blocks, seen.facts), "utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); give another file") from None


def tell(seen: Seen) -> str:
    """The page as plain text: facts, then one line per block (+ kept, - dropped).

    Further lines of a block are indented.
    """
    lines = [f"{name:<{NAME_CHARS}} {value}" for name, value in seen.facts]
    for block in seen.blocks:
        margin = f"{'+' if block.kept else '-'} {block.probability:.2f} {block.tag:<{TAG_CHARS}} "
        lines.append(margin + block.text.strip("\n").replace("\n", "\n" + " " * len(margin)))
    return "\n".join([*lines[: len(seen.facts)], "", *lines[len(seen.facts) :]])


def tell_in_colour(seen: Seen, console: Console) -> None:
    """Print the page on a terminal: kept blocks in full with a green margin, dropped blocks as one dim red line."""
    for name, value in seen.facts:
        _print(console, Text.assemble((f"{name:<{NAME_CHARS}} ", "cyan")), Text(value, "bold" if name in _LOUD else ""))
    console.print()
    for block in seen.blocks:
        margin = Text.assemble(
            (f" {block.probability:.2f} ", "bold green" if block.kept else "red dim"),
            (f"{block.tag[:TAG_CHARS]:<{TAG_CHARS}} ", "dim"),
        )
        if block.kept:
            heading = block.tag[:1] == "h" and block.tag[1:].isdigit()
            _print(console, margin, Text(block.text.strip("\n"), "bold" if heading else ""))
        else:
            text = Text(" ".join(block.text.split()), "red dim")
            text.truncate(max(1, console.width - len(margin)), overflow="ellipsis")
            _print(console, margin, text)


_LOUD = ("status", "title", "kept")


def _print(console: Console, margin: Text, text: Text) -> None:
    """Print a text with a hanging indent."""
    lines = text.wrap(console, max(20, console.width - len(margin)))
    for number, line in enumerate(lines or [Text()]):
        line.rstrip()
        console.print((margin if number == 0 else Text(" " * len(margin))) + line, soft_wrap=True)


def as_json(seen: Seen) -> str:
    """The page as one JSON object, for programs."""
    inspected = seen.inspected
    return json.dumps(
        {
            "page": seen.facts[0][1],
            "status": inspected.status,
            "page_types": {kind: round(float(p), 4) for kind, p in zip(KINDS, inspected.kinds, strict=True)},
            "threshold": round(inspected.classified.threshold, 4),
            "expected_f1": round(inspected.classified.expected_f1, 4),
            **condition(inspected.utf8, inspected.text),
            "metadata": seen.metadata,
            "text": seen.text,
            "blocks": [
                {"probability": round(b.probability, 4), "kept": b.kept, "path": b.path, "text": b.text}
                for b in seen.blocks
            ],
        },
        ensure_ascii=False,
        indent=2,
    )
