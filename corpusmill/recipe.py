"""The recipe: what to collect and how to mill it; TOML in, TOML out.

A recipe with nothing but its sources is complete; every other setting has its default in the stage that reads it, and
the corpus keeps the recipe as resolved, with every default written out.  A wrong recipe is one sentence that names the
key, what is wrong with it and the values that are allowed.
"""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Self, get_args

from pydantic import BaseModel, BeforeValidator, Field, SerializeAsAny, ValidationError, model_validator

from corpusmill.collect.formats import FORMATS, format_of, kinds
from corpusmill.collect.settings import Columns, CrawlSettings, RunSettings, Source
from corpusmill.credentials import masked
from corpusmill.dedup.settings import DedupSettings
from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY, UserModule, registered_by
from corpusmill.filters.settings import FilterSettings, PiiSettings, Rule
from corpusmill.page import EXTRACTORS, ExtractSettings
from corpusmill.settings import Settings, Share, read_toml
from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.train.settings import TrainSettings

__all__ = [
    "Columns",
    "CrawlSettings",
    "DedupSettings",
    "ExtractSettings",
    "FilterSettings",
    "PiiSettings",
    "Recipe",
    "Rule",
    "RunSettings",
    "Source",
    "SplitSettings",
    "TokenizerSettings",
    "TrainSettings",
    "dump",
    "load",
    "load_training",
    "parse",
    "source_of",
]


class SplitSettings(Settings):
    """Which documents are held out."""

    validation_share: Share = 0.01  # by hash of doc_id


def source_of(data: Any) -> Any:
    """A source from plain data, by the model of its kind; whatever is no source is left to pydantic to refuse."""
    if not isinstance(data, dict):
        return data
    return _model_of(data).model_validate(data)


def _model_of(data: dict[str, Any]) -> type[Source]:
    """The model of a source's kind.  ValueError if there is no such kind."""
    kind = data.get("kind")
    if kind is None:
        return Source  # which says that it is missing
    format = format_of(kind) if isinstance(kind, str) else None
    if format is None:
        raise ValueError(f"unknown kind '{kind}'; allowed: {', '.join(kinds())}")
    return format.settings


class Recipe(Settings):
    """A whole recipe."""

    modules: list[str] = []  # the user's own, see `corpusmill.extensions`
    sources: list[Annotated[SerializeAsAny[Source], BeforeValidator(source_of)]] = Field(min_length=1)
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


def check_extractor(recipe: Recipe, where: str) -> None:
    """InputError if there is no such extractor; the recipe's modules must have been loaded."""
    name, allowed = recipe.extract.extractor, [*EXTRACTORS, *sorted(REGISTRY.extractors)]
    if name not in allowed:
        raise InputError(f"{where}: extract.extractor: there is no '{name}'; allowed: {', '.join(allowed)}")


def parse(data: dict[str, Any], *, where: str = "recipe", folder: Path = Path()) -> Recipe:
    """A recipe from plain data; `where` stands before every error, `folder` is where its modules lie."""
    names = data.get("modules", [])
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        load_modules(names, folder)
    try:
        sources = data.get("sources")
        if isinstance(sources, list):
            data = data | {"sources": [_checked(source, index, where) for index, source in enumerate(sources)]}
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise InputError(f"{where}: {_sentence(error, Recipe)}") from None


def load_modules(names: Sequence[str], folder: Path) -> tuple[UserModule, ...]:
    """The modules that a recipe in `folder` names, loaded.  InputError if one takes a name that is taken."""
    modules = tuple(UserModule.find(name, folder) for name in names)
    for module in modules:
        module.load()
    for module, own in registered_by(modules):
        for kind, built_in, registered in (
            ("source", FORMATS, own.sources),
            ("extractor", EXTRACTORS, own.extractors),
        ):
            if both := sorted(registered.keys() & set(built_in)):
                raise InputError(
                    f"recipe: module '{module.name}': the name of {kind} '{both[0]}' is a built-in one's; rename it"
                )
    return modules


def _checked(source: Any, index: int, where: str) -> Any:
    """A source by the model of its kind: checked here, since pydantic loses where an error was in nested models."""
    if not isinstance(source, dict):
        return source
    try:
        model = _model_of(source)
    except ValueError as error:
        raise InputError(f"{where}: sources.{index}: {error}") from None
    try:
        return model.model_validate(source)
    except ValidationError as error:
        name = source.get("name")
        which = f"source '{name}'" if isinstance(name, str) and name else f"sources.{index}"
        raise InputError(f"{where}: {_sentence(error, model, which)}") from None


def load_training(path: str | Path) -> TrainSettings:
    """The [train] table of a TOML file, checked (else InputError, one sentence).

    The file may be a whole recipe, or hold nothing but [train]; a misspelt key anywhere in it is an error.
    """
    path = Path(path)
    data = read_toml(path, "file with training settings")
    others = {key: value for key, value in data.items() if key not in ("modules", "sources")}
    settings = parse({**others, "sources": [_NO_SOURCE]}, where=str(path)).train
    if "train" not in data:
        raise InputError(f"{path}: has no table [train] with training settings")
    return settings


_NO_SOURCE = {"name": "none", "kind": "text", "paths": ["none"]}  # a recipe needs one; training does not


def _sentence(error: ValidationError, model: type[BaseModel], where: str = "") -> str:
    """The first thing that pydantic found wrong, in words; a misspelt key comes before what is missing for it."""
    where = f"{where}: " if where else ""
    first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        allowed = _keys_beside(first["loc"], model)
        close = difflib.get_close_matches(str(first["loc"][-1]), allowed, 1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        return f"{where}unknown key '{key}'; {hint}allowed here: {', '.join(allowed)}"
    if first["type"] == "missing":
        return f"{where}key '{key}' is missing"
    if first["type"] == "string_pattern_mismatch":
        return f"{where}{key}: '{first['input']}' is no name: names are lower-case letters, digits, '-' and '_'"
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:] if first["type"] != "value_error" else message
    return f"{where}{key}: {message}" if key else f"{where}{message}"


def _keys_beside(location: tuple[int | str, ...], model: type[BaseModel]) -> list[str]:
    """The keys that are allowed in the table that holds the key at `location`."""
    for part in location[:-1]:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            types = (annotation, *get_args(annotation))
            model = next(t for t in types if isinstance(t, type) and issubclass(t, BaseModel))
    return list(model.model_fields)


def dump(recipe: Recipe) -> str:
    """The recipe as TOML with every default written out; no credentials of URLs, and nothing that has no value."""
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
        escaped = masked(value).replace("\\", "\\\\").replace('"', '\\"')
        return '"' + "".join(c if c >= " " and c != "\x7f" else f"\\u{ord(c):04x}" for c in escaped) + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return repr(value)
