"""Settings of sources: where records come from, and how the input is cut into slices."""

import ipaddress
import re
from typing import ClassVar, Self

from pydantic import Field, field_validator, model_validator

from corpusmill.credentials import masked
from corpusmill.settings import Name, Settings

CONTACT = re.compile(r"https?://[^\s/@]+\.[^\s/@]+|[^\s@:/]+@[^\s@]+\.[^\s@]+")


class Source(Settings):
    """Where records come from.  Each kind of source has its own model, which adds the settings that it needs."""

    needs_paths: ClassVar[bool] = True

    name: Name
    kind: str
    paths: list[str] = []  # any fsspec path or pattern; a relative one is relative to the recipe
    licence: str | None = None  # if a record names no licence
    weight: float = Field(1.0, gt=0, allow_inf_nan=False)  # in training

    @model_validator(mode="after")
    def _has_paths(self) -> Self:
        if self.needs_paths and not self.paths:
            raise ValueError(f"a source of kind '{self.kind}' needs paths")
        if not self.needs_paths and self.paths:
            raise ValueError(f"a source of kind '{self.kind}' takes no paths")
        return self


class Columns(Settings):
    """The names of the input's columns; `a.b` is column b in column a.  Every other column goes to `metadata`."""

    text: str = "text"  # may hold paragraphs or chat messages, which are joined
    url: str = "url"
    title: str = "title"
    licence: str = "licence"
    date: str = "date"


class CrawlSettings(Settings):
    """How a source of kind `crawl` collects its pages.  The names say which settings are seconds, bytes or counts."""

    seeds: list[str] = Field(min_length=1)
    hosts: list[str] = []  # hosts to crawl: names or patterns such as "*.example.org"; empty: the seeds' hosts
    exclude: list[str] = []  # URLs not to fetch: patterns such as "*/print/*", in which "*" stands for any text
    sitemaps: bool = True  # fetch the sitemaps that robots.txt files name
    max_pages: int = Field(1000, ge=1)
    max_pages_per_host: int = Field(1000, ge=1)
    max_bytes_per_host: int | None = Field(None, ge=1)  # of bodies, as received
    max_seconds_per_host: float | None = Field(None, gt=0)  # of the time in which a host is asked, waits included
    max_depth: int = Field(8, ge=0)
    max_variants: int = Field(
        500, ge=1
    )  # URLs of one path that differ only in their arguments, or in a date at the end
    # between two requests to a host.  A Crawl-delay in robots.txt can only make it longer
    delay_s: float = Field(1.0, ge=0)
    max_delay_s: float = Field(60.0, ge=0)  # a longer Crawl-delay is reduced to this
    timeout_s: float = Field(30.0, gt=0)
    max_redirects: int = Field(10, ge=5)
    max_page_bytes: int = Field(10_000_000, ge=1)
    attempts: int = Field(3, ge=1)  # rounds in which a URL is tried before its failure is final
    user_agent: str = "corpusmill/0.1"
    contact: str | None = None  # an address of mail or of a page; needed unless the user agent has one
    previous: str | None = (
        None  # an earlier crawl, whose unchanged pages are not sent again: a folder, or a name in raw/
    )
    allow_private_addresses: bool = False
    # host pattern -> "address:port" to connect to instead of the host; for mirrors and tests
    connect_to: dict[str, str] = {}

    @field_validator("seeds")
    @classmethod
    def _seeds_are_pages(cls, seeds: list[str]) -> list[str]:
        for seed in seeds:
            if not re.match(r"https?://[^/\s]", seed, re.IGNORECASE):
                shown = masked(f"://{seed}").removeprefix("://")
                raise ValueError(f"'{shown}' is not a URL to start from; write it as https://host/path")
        return seeds

    @field_validator("hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not re.fullmatch(r"[^\s/@]+", host):
                raise ValueError(f"'{host}' is not a host; write it as example.org or *.example.org")
        return hosts

    @field_validator("contact")
    @classmethod
    def _contact_is_an_address(cls, contact: str | None) -> str | None:
        if contact is not None and not CONTACT.search(contact):
            raise ValueError(f"'{contact}' is not a way to reach you; write me@example.org or https://example.org/bot")
        return contact

    @field_validator("connect_to")
    @classmethod
    def _targets_are_addresses(cls, connect_to: dict[str, str]) -> dict[str, str]:
        for target in connect_to.values():
            host, _, port = target.rpartition(":")
            try:
                ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
                in_range = 0 < int(port) < 65536
            except ValueError:
                in_range = False
            if not in_range:
                raise ValueError(f"'{target}' is not an address and a port, such as 127.0.0.1:8000 or [::1]:8000")
        return connect_to


class RunSettings(Settings):
    """How the input is cut into slices."""

    slice_bytes: int = Field(16_000_000, ge=4096)  # of stored input per slice, and of text per part
    limit: int | None = Field(None, ge=1)  # read at most this many records, spread over all slices; `--limit`
