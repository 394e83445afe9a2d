"""What an extractor receives and returns: a page as bytes; its main text and metadata.

These types are independent of both the stages that read records and the extractors, so either can be replaced without
the other.  An extractor is a plain function; `corpusmill.extract.extractors` has them by name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, Self

from pydantic import Field, model_validator

from corpusmill.reasons import Status
from corpusmill.settings import Settings

# "content": HTML without navigation
Media = Literal["html", "text", "markdown", "rst", "latex", "wikitext", "content"]
TextFormat = Literal["text", "markdown"]
NOTHING: Mapping[str, object] = MappingProxyType({})


EXTRACTORS = ("corpusmill", "resiliparse", "trafilatura")  # extractors that come with the product


class ExtractSettings(Settings):
    """How pages become text."""

    extractor: str = "corpusmill"  # or "resiliparse", "trafilatura", or the name of a user's extractor
    format: TextFormat = "text"
    max_page_bytes: int = Field(20_000_000, ge=1)
    # the robots directives, of a page or its headers, that keep a page out of the corpus
    opt_outs: list[str] = ["noai", "noindex", "none", "tdm-reservation"]

    @model_validator(mode="after")
    def _markdown_is_ours(self) -> Self:
        if self.format == "markdown" and self.extractor != "corpusmill":
            raise ValueError(f"format 'markdown' needs extractor 'corpusmill'; '{self.extractor}' writes text")
        return self


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What a wiki says of itself: its language, and its namespaces' numbers by their names in lower case."""

    language: str
    namespaces: Mapping[str, int]


NO_SITE = Site(language="en", namespaces=MappingProxyType({}))


class UndecodableError(ValueError):
    """The bytes are not text in any charset that was declared or detected."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """A page before extraction, as it was received."""

    body: bytes
    media: Media = "html"
    charset: str | None = None  # as the HTTP header declares it
    url: str | None = None
    site: Site | None = None  # of a page of a wiki


@dataclass(frozen=True, kw_only=True, slots=True)
class Extracted:
    """A page after extraction."""

    text: str
    status: Status = Status.OK  # if not OK, the reason why the page has no main content
    title: str | None = None
    html_lang: str | None = None
    licence: str | None = None  # an SPDX identifier for Creative Commons licences, else the URL that the page names
    directives: tuple[tuple[str, str], ...] = ()  # (name, content) of meta elements that may forbid its use
    metadata: Mapping[str, object] = field(default_factory=lambda: NOTHING)  # author, published, encoding, ...


Extractor = Callable[[Page], Extracted]
"""Raises UndecodableError if there is no text in the bytes; any other exception is a fault of the extractor."""
