"""The recipe: what to collect and how to mill it, as pydantic models; TOML in, TOML out.

A recipe with nothing but its sources is complete; every other setting has its default here, and the corpus keeps the
recipe as resolved, with every default written out.  A wrong recipe is one sentence that names the key, what is wrong
with it and the values that are allowed.  Settings are grouped by the stage that reads them, because a part's
fingerprint holds the settings of its own stage and no others.
"""

import difflib
import ipaddress
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY, UserModule

Kind = Literal["warc", "jsonl", "parquet", "html", "markdown", "text", "crawl"]
Format = Literal["text", "markdown"]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """Base of every group of settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Columns(Settings):
    """Which of a JSONL or Parquet input's columns is what; every other column goes to `metadata`."""

    text: str = "text"
    url: str = "url"
    id: str = "id"
    title: str = "title"
    licence: str = "licence"


class CrawlSettings(Settings):
    """How a source of kind `crawl` collects its pages.  Seconds, bytes and counts are named as such."""

    seeds: list[str] = Field(min_length=1)
    hosts: list[str] = []  # scope: host names or patterns such as "*.example.org"; empty: the seeds' hosts
    max_pages: int = Field(1000, ge=1)
    max_pages_per_host: int = Field(1000, ge=1)
    max_depth: int = Field(8, ge=0)
    delay_s: float = Field(1.0, ge=0)  # between two requests to a host; a robots.txt Crawl-delay can only lengthen it
    max_delay_s: float = Field(60.0, ge=0)  # a longer Crawl-delay is cut to this
    timeout_s: float = Field(30.0, gt=0)
    max_redirects: int = Field(10, ge=5)
    max_page_bytes: int = Field(10_000_000, ge=1)
    user_agent: str = "corpusmill/0.1"
    allow_private_addresses: bool = False
    connect_to: dict[str, str] = {}  # host pattern -> "address:port" to connect to instead, for mirrors and tests

    @field_validator("seeds")
    @classmethod
    def _seeds_are_pages(cls, seeds: list[str]) -> list[str]:
        for seed in seeds:
            if not re.match(r"https?://[^/\s]", seed, re.IGNORECASE):
                raise ValueError(f"'{seed}' is not a URL to start from; write it as https://host/path")
        return seeds

    @field_validator("hosts")
    @classmethod
    def _hosts_are_names(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not re.fullmatch(r"[^\s/@]+", host):
                raise ValueError(f"'{host}' is not a host; write it as example.org or *.example.org")
        return hosts

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


class Source(Settings):
    """Where records come from."""

    name: Name
    kind: str
    paths: list[str] = []  # any fsspec path or pattern; a relative one is relative to the recipe
    columns: Columns = Columns()
    licence: str | None = None  # unless a record says its own
    weight: float = Field(1.0, gt=0)
    crawl: CrawlSettings | None = None
    options: dict[str, str | int | float | bool] = {}  # for a user's own kind

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        allowed = [*get_args(Kind), *sorted(REGISTRY.sources)]
        if self.kind not in allowed:
            raise ValueError(f"unknown kind '{self.kind}'; allowed: {', '.join(allowed)}")
        if self.kind == "crawl" and self.crawl is None:
            raise ValueError("a source of kind 'crawl' needs a table [sources.crawl] with seeds")
        if self.kind != "crawl" and self.crawl is not None:
            raise ValueError(f"[sources.crawl] belongs to kind 'crawl', not '{self.kind}'")
        if self.kind != "crawl" and not self.paths:
            raise ValueError(f"a source of kind '{self.kind}' needs paths")
        return self


class RunSettings(Settings):
    """How the input is cut up."""

    slice_bytes: int = Field(16_000_000, ge=4096)  # of input as stored; a part is made from one slice
    limit: int | None = Field(None, ge=1)  # read at most so many records, spread over all slices; `--limit`


class ExtractSettings(Settings):
    """How pages become text."""

    extractor: str = "corpusmill"  # or "resiliparse", "trafilatura", or one of the user's own
    format: Format = "text"
    max_page_bytes: int = Field(20_000_000, ge=1)
    opt_outs: list[str] = ["noai", "noindex", "none", "tdm-reservation"]  # page or header directives that are obeyed

    @model_validator(mode="after")
    def _markdown_is_ours(self) -> Self:
        if self.format == "markdown" and self.extractor != "corpusmill":
            raise ValueError(f"format 'markdown' needs extractor 'corpusmill'; '{self.extractor}' writes text")
        return self


class Rule(Settings):
    """A reason to drop a page: `signal comparison threshold`, or free SQL over the signals in `when`.

    A page is dropped if the expression is true; null never drops.  `where` limits a rule to some pages.
    """

    name: Name
    signal: str | None = None
    comparison: Literal["<", "<=", ">", ">=", "=", "!="] | None = None
    threshold: float | None = None
    when: str | None = None
    where: str | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        parts = (self.signal, self.comparison, self.threshold)
        if self.when is None and None in parts:
            raise ValueError(f"rule '{self.name}' needs signal, comparison and threshold, or else when")
        if self.when is not None and parts != (None, None, None):
            raise ValueError(f"rule '{self.name}' has both when and signal, comparison, threshold; keep one form")
        return self

    @property
    def sql(self) -> str:
        """The rule as one boolean DuckDB expression over the signals table."""
        test = self.when if self.when is not None else f'"{self.signal}" {self.comparison} {self.threshold!r}'
        return f"({test}) AND ({self.where})" if self.where else f"({test})"


class FilterSettings(Settings):
    """What is measured and which pages are dropped for it."""

    profile: Literal["default", "none"] = "default"
    languages: list[str] = []  # keep only these language codes; empty: every language
    min_language_score: Share = 0.0
    rules: list[Rule] = []  # the user's own; one with the name of a profile's rule replaces it
    disable: list[str] = []  # names of the profile's rules that are left out


class PiiSettings(Settings):
    """Which personal data is masked in everything that leaves the mill."""

    emails: bool = True
    ip_addresses: bool = True


class DedupSettings(Settings):
    """Exact and near-duplicate removal."""

    enabled: bool = True
    ngram: int = Field(5, ge=1, le=32)  # words; characters for languages without spaces
    bands: int = Field(14, ge=1, le=64)
    rows: int = Field(8, ge=1, le=64)
    threshold: float = Field(0.75, gt=0, le=1)  # true Jaccard similarity with a kept document
    seed: int = 1


class TokenizerSettings(Settings):
    """The vocabulary and how it is trained."""

    path: str | None = None  # a tokenizer.json to use as it is; relative to the recipe
    vocab_size: int = Field(32_768, ge=261, le=2_000_000)  # at least the 256 bytes and 5 special tokens
    sample_bytes: int = Field(200_000_000, ge=1)  # of text that the vocabulary is trained on
    min_frequency: int = Field(2, ge=1)


class SplitSettings(Settings):
    """Which documents are held out."""

    validation_share: Share = 0.01  # by hash of doc_id


class TrainSettings(Settings):
    """The decoder and its training; `corpusmill train` reads it, the pipeline does not."""

    layers: int = Field(6, ge=1)
    width: int = Field(384, ge=32)
    heads: int = Field(6, ge=1)
    kv_heads: int = Field(2, ge=1)
    row_length: int = Field(512, ge=16)  # tokens a training row
    rows_per_step: int = Field(16, ge=1)  # rows a step, over all ranks
    steps: int = Field(1000, ge=1)
    max_seconds: float | None = Field(None, gt=0)  # fewer steps, if so many don't fit: timed once, before the first
    matrix_learning_rate: float = Field(0.02, gt=0)  # Muon
    learning_rate: float = Field(0.003, gt=0)  # AdamW: embeddings, norms
    weight_decay: float = Field(0.01, ge=0)
    warmup_share: Share = 0.02
    decay_share: Share = 0.3
    seed: int = Field(1, ge=0)
    checkpoint_every: int = Field(500, ge=1)  # steps
    validate_every: int = Field(100, ge=1)  # steps
    validation_rows: int = Field(64, ge=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.width % (2 * self.heads):
            raise ValueError(f"width {self.width} is not a multiple of 2 x heads ({self.heads})")
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is not a multiple of kv_heads ({self.kv_heads})")
        if self.warmup_share + self.decay_share > 1:
            raise ValueError("warmup_share and decay_share are together more than 1")
        return self


class Recipe(Settings):
    """A whole recipe."""

    modules: list[str] = []  # the user's own, see `corpusmill.extensions`
    sources: list[Source] = Field(min_length=1)
    run: RunSettings = RunSettings()
    extract: ExtractSettings = ExtractSettings()
    filters: FilterSettings = FilterSettings()
    pii: PiiSettings = PiiSettings()
    dedup: DedupSettings = DedupSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    split: SplitSettings = SplitSettings()
    train: TrainSettings = TrainSettings()

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [source.name for source in self.sources]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two sources are named '{min(twice)}'; names must differ")
        return self


def load(path: str | Path) -> Recipe:
    """The recipe in a TOML file, checked (else InputError).  Its modules are loaded, since they may add kinds."""
    path = Path(path)
    return parse(read_toml(path, "recipe"), where=str(path), folder=path.parent)


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file; InputError if there is no such file, which would be a `what`, or it is no TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such {what}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path}: not valid TOML: {error}") from None


def parse(data: dict[str, Any], *, where: str = "recipe", folder: Path = Path()) -> Recipe:
    """A recipe from plain data; `where` stands before every error, `folder` is where its modules lie."""
    names = data.get("modules", [])
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        for name in names:
            UserModule.find(name, folder).load()
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {_sentence(error)}") from None


def _sentence(error: ValidationError) -> str:
    """The first thing that pydantic found wrong, in words; a misspelt key comes before what is missing for it."""
    first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        allowed = _keys_beside(first["loc"])
        close = difflib.get_close_matches(str(first["loc"][-1]), allowed, 1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        return f"unknown key '{key}'; {hint}allowed here: {', '.join(allowed)}"
    if first["type"] == "missing":
        return f"key '{key}' is missing"
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:] if first["type"] != "value_error" else message
    return f"{key}: {message}" if key else message


def _keys_beside(location: tuple[int | str, ...]) -> list[str]:
    """The keys that are allowed in the table that holds the key at `location`."""
    model: type[BaseModel] = Recipe
    for part in location[:-1]:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            types = (annotation, *get_args(annotation))
            model = next(t for t in types if isinstance(t, type) and issubclass(t, BaseModel))
    return list(model.model_fields)


def dump(recipe: Recipe) -> str:
    """The recipe as TOML with every default written out; what has no value is left out."""
    return _toml(recipe.model_dump(mode="json", exclude_none=True), ())


def _toml(table: dict[str, Any], path: tuple[str, ...]) -> str:
    plain = {k: v for k, v in table.items() if not isinstance(v, dict) and not _is_tables(v)}
    out = [f"{_key(k)} = {_value(v)}\n" for k, v in plain.items()]
    for key, value in table.items():
        name = ".".join(map(_key, (*path, key)))
        if isinstance(value, dict):
            out.append(f"\n[{name}]\n{_toml(value, (*path, key))}")
        elif _is_tables(value):
            out.extend(f"\n[[{name}]]\n{_toml(item, (*path, key))}" for item in value)
    return "".join(out)


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _key(key: str) -> str:
    return key if key.replace("-", "").replace("_", "").isalnum() and key.isascii() else _value(key)


def _value(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
