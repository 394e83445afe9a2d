"""The recipe: what to collect and how to process it.  It is read from TOML and written as TOML.

A recipe with only sources is complete.  Every other setting has a default in the stage that reads it.  The corpus
stores the resolved recipe, with every default written out.  For a wrong recipe there is an error of one sentence, which
names the key, what is wrong with it, and the values that are allowed.
"""

import tomllib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self, get_args

from pydantic import BaseModel, BeforeValidator, Field, SerializeAsAny, ValidationError, model_validator

from corpusmill.collect.formats import FORMATS, format_of, kinds
from corpusmill.collect.settings import Columns, CrawlSettings, RunSettings, Source
from corpusmill.credentials import masked
from corpusmill.dedup.settings import DedupSettings
from corpusmill.errors import InputError
from corpusmill.extensions import REGISTRY, UserModule, registered_by
from corpusmill.filters.settings import (
    EDIT_KINDS,
    AnyEdit,
    DecontaminateSettings,
    FilterSettings,
    PiiSettings,
    Profile,
    Rule,
    edit_model,
    with_decontamination,
)
from corpusmill.mix import MixSettings
from corpusmill.names import did_you_mean
from corpusmill.page import EXTRACTORS, ExtractSettings
from corpusmill.settings import Settings, Share, read_toml
from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.train.settings import TrainSettings

__all__ = [
    "Columns",
    "CrawlSettings",
    "DecontaminateSettings",
    "DedupSettings",
    "ExtractSettings",
    "FilterSettings",
    "MixSettings",
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
    "sentence",
    "source_of",
]


class SplitSettings(Settings):
    """Which documents are used for validation."""

    validation_share: Share = 0.01  # of the groups of near-duplicates, by hash; 0: there is no validation split
    min_validation_documents: int = Field(10, ge=1)  # or a tenth of the documents, if the corpus is small


def source_of(data: Any) -> Any:
    """A source from plain data, by the model of its kind.  Data that is not a source is left for pydantic to refuse."""
    if not isinstance(data, dict):
        return data
    return _model_of(data).model_validate(data)


def _model_of(data: dict[str, Any]) -> type[Source]:
    """The model of a source's kind.  ValueError if there is no such kind."""
    kind = data.get("kind")
    if kind is None:
        return Source  # pydantic will report that the kind is missing
    format = format_of(kind) if isinstance(kind, str) else None
    if format is None:
        raise ValueError(f"unknown kind '{kind}'; allowed: {', '.join(kinds())}")
    return format.settings


class Recipe(Settings):
    """A whole recipe."""

    modules: list[str] = []  # the user's own modules, see `corpusmill.extensions`
    sources: list[Annotated[SerializeAsAny[Source], BeforeValidator(source_of)]] = Field(min_length=1)
    run: RunSettings = RunSettings()
    extract: ExtractSettings = ExtractSettings()
    edits: list[AnyEdit] = []  # of the text, in the order in which they run
    filters: FilterSettings = FilterSettings()
    pii: PiiSettings = PiiSettings()
    decontaminate: DecontaminateSettings = DecontaminateSettings()
    dedup: DedupSettings = DedupSettings()
    tokenizer: TokenizerSettings = TokenizerSettings()
    split: SplitSettings = SplitSettings()
    mix: MixSettings = MixSettings()
    train: TrainSettings = TrainSettings()

    @property
    def judging(self) -> FilterSettings:
        """The settings that rules come from: those of `filters`, and the rule that `decontaminate` asks for."""
        return with_decontamination(self.filters, self.decontaminate)

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [source.name for source in self.sources]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two sources are named '{min(twice)}'; names must differ")
        return self

    @model_validator(mode="after")
    def _edits_differ(self) -> Self:
        names = [edit.label.lower() for edit in self.edits]  # SQL sees no difference
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"two edits are named '{min(twice)}'; give one of them another name")
        return self


def load(path: str | Path) -> Recipe:
    """The recipe in a TOML file, checked (else InputError).  Its modules are loaded, because they may add kinds."""
    path = Path(path)
    return parse(read_toml(path, "recipe"), where=str(path), folder=path.parent)


def check_extractor(recipe: Recipe, where: str) -> None:
    """InputError if there is no such extractor.  The recipe's modules must be loaded before."""
    name, allowed = recipe.extract.extractor, [*EXTRACTORS, *sorted(REGISTRY.extractors)]
    if name not in allowed:
        raise InputError(f"{where}: extract.extractor: there is no '{name}'; allowed: {', '.join(allowed)}")


def parse(data: dict[str, Any], *, where: str = "recipe", folder: Path = Path()) -> Recipe:
    """A recipe from plain data.  `where` begins every error message; `folder` is the folder of its modules."""
    names = data.get("modules", [])
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        load_modules(names, folder)
    try:
        for key, kind in LISTS.items():
            if isinstance(data.get(key), list):
                checked = [_checked(each, f"{key}.{index}", where, kind) for index, each in enumerate(data[key])]
                data = data | {key: checked}
        return with_files(with_profiles(Recipe.model_validate(data), folder), folder)
    except ValidationError as error:
        raise InputError(f"{where}: {sentence(error, Recipe)}") from None


def with_profiles(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with the rules from its profile files, so that it no longer needs these files."""
    used = [_read_profile(each, folder) for each in recipe.filters.profiles]
    return recipe.model_copy(update={"filters": recipe.filters.model_copy(update={"profiles": used})})


def with_files(recipe: Recipe, folder: Path) -> Recipe:
    """The recipe with what the files of its edits hold, which it then no longer needs."""
    return recipe.model_copy(update={"edits": [edit.with_files(folder) for edit in recipe.edits]})


def _read_profile(profile: Profile, folder: Path) -> Profile:
    if profile.rules is not None or not profile.name.endswith(PROFILE_ENDING):
        return profile
    path = folder / profile.name
    data = read_toml(path, "profile")
    if "rules" not in data:
        raise InputError(f"{path}: has no [[rules]], so it is no profile")
    for key in ("name", "when"):
        if key in data:
            raise InputError(f"{path}: '{key}' is no key of a profile's file; write it in the recipe")
    try:
        return Profile.model_validate({"name": path.stem, "when": profile.when, **data})
    except ValidationError as error:
        raise InputError(f"{path}: {sentence(error, Profile)}") from None


PROFILE_ENDING = ".toml"


def load_modules(names: Sequence[str], folder: Path) -> tuple[UserModule, ...]:
    """Load the modules that a recipe in `folder` names.  InputError if two use the same name."""
    modules = tuple(UserModule.find(name, folder) for name in names)
    for module in modules:
        module.load()
    for module, own in registered_by(modules):
        for kind, built_in, registered in (
            ("source", FORMATS, own.sources),
            ("extractor", EXTRACTORS, own.extractors),
            ("edit", EDIT_KINDS, own.edits),
        ):
            if both := sorted(registered.keys() & set(built_in)):
                raise InputError(
                    f"recipe: module '{module.name}': the name of {kind} '{both[0]}' is a built-in one's; rename it"
                )
    return modules


def _checked(data: Any, place: str, where: str, kind: "_Kind") -> Any:
    """A table by the model of its kind: checked here, since pydantic loses where an error was in nested models."""
    if not isinstance(data, dict):
        return data
    try:
        model = kind.model_of(data)
    except ValueError as error:
        raise InputError(f"{where}: {place}: {error}") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        name = data.get("name")
        which = f"{kind.word} '{name}'" if isinstance(name, str) and name else place
        raise InputError(f"{where}: {sentence(error, model, which)}") from None


class _Kind(NamedTuple):
    """What the tables of a list are, each of which has a model by its kind."""

    word: str
    model_of: Callable[[dict[str, Any]], type[Settings]]


LISTS = {"sources": _Kind("source", _model_of), "edits": _Kind("edit", edit_model)}


def load_training(path: str | Path) -> TrainSettings:
    """The [train] table of a TOML file, checked (else InputError, one sentence).

    The file may be a whole recipe, or contain only [train].  A misspelt key anywhere in it is an error.
    """
    return _training(read_toml(Path(path), "file with training settings"), str(path))


def parse_training(text: str, where: str) -> TrainSettings:
    """The [train] table of TOML text, as `load_training`."""
    try:
        return _training(tomllib.loads(text), where)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{where}: not valid TOML: {error}") from None


def _training(data: dict[str, Any], where: str) -> TrainSettings:
    others = {key: value for key, value in data.items() if key not in ("modules", "sources", "edits")}
    settings = parse({**others, "sources": [_NO_SOURCE]}, where=where).train
    if "train" not in data:
        raise InputError(f"{where}: has no table [train] with training settings")
    return settings


_NO_SOURCE = {"name": "none", "kind": "text", "paths": ["none"]}  # a recipe needs a source, but training does not


def sentence(error: ValidationError, model: type[BaseModel], where: str = "") -> str:
    """The first error of pydantic, in words.  A misspelt key comes before a key that is missing because of it."""
    where = f"{where}: " if where else ""
    first = min(error.errors(include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    location, beside = _place(first["loc"], model)
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        allowed = list(beside.model_fields)
        return f"{where}unknown key '{key}'; {did_you_mean(location[-1], allowed)}allowed here: {', '.join(allowed)}"
    if first["type"] == "missing":
        return f"{where}key '{key}' is missing"
    if first["type"] == "string_pattern_mismatch":
        return (
            f"{where}{key}: '{first['input']}' is not a valid name: names are lower-case letters, digits, '-' and '_'"
        )
    if first["type"] == "union_tag_invalid":
        allowed_kinds = first["ctx"]["expected_tags"].replace("'", "")
        return f"{where}{key}.kind: there is no '{first['ctx']['tag']}'; allowed: {allowed_kinds}"
    message = first["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:] if first["type"] != "value_error" else message
    return f"{where}{key}: {message}" if key else f"{where}{message}"


def _place(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[list[str], type[BaseModel]]:
    """The keys that lead to `location`, and the model of the table that holds the last one.

    Where a table has one model per kind, pydantic puts the kind into the location.  It is no key, so it is left out.
    """
    keys, models = [], [model]
    for number, part in enumerate(location):
        if isinstance(part, str) and len(models) > 1:
            models = [each for each in models if each.model_fields["kind"].default == part]
            continue
        keys.append(str(part))
        if isinstance(part, str) and number < len(location) - 1:
            models = list(_models_in(models[0].model_fields[part].annotation))
    return keys, models[0] if models else model  # there is none in a list of values


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a type is made of, such as list[Model] | None."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def dump(recipe: Recipe) -> str:
    """The recipe as TOML with every default written out, without credentials of URLs and without empty values."""
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
