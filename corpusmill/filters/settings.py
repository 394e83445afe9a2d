"""Settings of what is measured, which pages are dropped for it, and which personal data is masked."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, SerializeAsAny, field_serializer, field_validator, model_validator

from corpusmill.filters.edits import KINDS, EditSettings
from corpusmill.filters.edits import model_of as edit_model
from corpusmill.settings import Settings, Share

_PROFILE = "[a-z0-9][a-z0-9_@-]{0,63}"
ProfileName = Annotated[str, Field(pattern=rf"^({_PROFILE}|.*\.toml)$")]
RuleName = Annotated[str, Field(pattern=rf"^({_PROFILE}:)?[a-z0-9][a-z0-9_-]{{0,63}}$")]  # or PROFILE:RULE

__all__ = ["EDIT_KINDS", "AnyEdit", "FilterSettings", "PiiSettings", "Profile", "Rule", "edit_model", "edit_of"]


class Rule(Settings):
    """A reason to drop a page: `signal comparison threshold`, or a free expression of SQL in `sql`.

    Both may read the page's signals and the columns of pages.  A page is dropped if the expression is true; null never
    drops.  `when` limits a rule to the pages for which it is true.
    """

    name: RuleName
    signal: str | None = None
    comparison: Literal["<", "<=", ">", ">=", "=", "!="] | None = None
    threshold: float | None = None
    sql: str | None = None
    when: str | None = None
    source: str | None = None  # the paper or code that it is taken from

    @model_validator(mode="before")
    @classmethod
    def _old_keys(cls, data: Any) -> Any:
        """ValueError for a rule that is written as it was before `sql` had a key of its own."""
        if not isinstance(data, dict):
            return data
        which = f"rule '{data.get('name', '')}'"
        free = "signal" not in data and "sql" not in data and "when" in data
        if "where" in data:
            also = "; and the expression of a free rule is written in 'sql' instead of 'when'" if free else ""
            raise ValueError(f"{which}: what limits a rule to some pages is written in 'when' instead of 'where'{also}")
        if free:
            raise ValueError(
                f"{which}: an expression that drops pages is written in 'sql'; 'when' only limits a rule to some pages"
            )
        return data

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        parts = (self.signal, self.comparison, self.threshold)
        if self.sql is None and None in parts:
            raise ValueError(f"rule '{self.name}' needs signal, comparison and threshold, or else sql")
        if self.sql is not None and parts != (None, None, None):
            raise ValueError(f"rule '{self.name}' has both sql and signal, comparison, threshold; keep one form")
        return self

    @property
    def test(self) -> str:
        """What is true of a page that the rule drops, without `when`."""
        return self.sql if self.sql is not None else f'"{self.signal}" {self.comparison} {self.threshold!r}'

    @property
    def expression(self) -> str:
        """The whole rule as one boolean expression of DuckDB's."""
        return f"({self.test}) AND ({self.when})" if self.when else f"({self.test})"

    def __str__(self) -> str:
        test = self.sql if self.sql is not None else f"{self.signal} {self.comparison} {self.threshold:g}"
        return f"{test}, when {self.when}" if self.when else test


class Profile(Settings):
    """A named list of rules.

    In a recipe: one of the package's by its name, a file of the user's, or with its rules in the recipe itself.
    """

    name: ProfileName
    when: str | None = None  # limits all its rules to the pages for which it is true
    title: str | None = None
    source: str | None = None
    rules: list[Rule] | None = None  # None: those of the package's profile, or of the file, of that name

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [rule.name for rule in self.rules or ()]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"profile '{self.name}': two rules are named '{twice[0]}'; names must differ")
        if wrong := [name for name in names if ":" in name]:
            raise ValueError(f"profile '{self.name}': '{wrong[0]}' is no name of a rule in a profile: it has a ':'")
        return self


SignalName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")]


class Classifier(Settings):
    """A fastText model in a file: the probability of one of its labels is a signal of this name."""

    name: SignalName
    model: str  # a path, relative to the recipe
    label: str = "positive"  # without fastText's prefix


class WordList(Settings):
    """Words and phrases in a file, one per line: the signals NAME_count and NAME_share."""

    name: SignalName
    path: str
    language: str | None = None  # measure pages of this language only
    provenance: str = ""  # who made the list, and where it comes from


class UrlList(Settings):
    """Hosts, beginnings of URLs and patterns, in a file or in a folder as UT1 has them: a boolean signal."""

    name: SignalName
    path: str
    provenance: str = ""


class PerplexityModel(Settings):
    """A model of `corpusmill perplexity train`: the signals NAME and NAME_bucket."""

    name: SignalName
    model: str


class DecontaminateSettings(Settings):
    """Which evaluation sets must not be in the corpus."""

    sets: list[str] = []  # JSONL or Parquet files, relative to the recipe
    n: int = Field(13, ge=2, le=100)  # words; a letter of a script without spaces is a half or a quarter of one
    fields: list[str] = []  # of the items that are looked for; empty: every field with text
    action: Literal["drop", "cut", "none"] = "drop"
    min_overlap: Share = 0.0  # share of an item's n-grams that must occur on a page


class LanguageSettings(Settings):
    """What tells the language of a page."""

    model: str | None = None  # a classifier of fastText, relative to the recipe; None: lid.176
    by_paragraph: bool = False  # whether the languages of the paragraphs are told, too


class FilterSettings(Settings):
    """What is measured and which pages are dropped for it."""

    profiles: list[Profile] = [Profile(name="default")]
    language: LanguageSettings = LanguageSettings()
    signals: list[Literal["datatrove", "c4", "chinesewebtext"]] = []  # groups to measure although no rule reads them
    languages: list[str] = []  # keep only these language codes; empty: every language
    min_language_score: Share = 0.0
    rules: list[Rule] = []  # the user's own; one with the name of a profile's rule replaces it
    disable: list[str] = []  # names of the profiles' rules that are left out
    max_pages_per_host: int | None = Field(None, ge=1)  # of those that the rules keep; None: all
    classifiers: list[Classifier] = []
    word_lists: list[WordList] = []
    url_lists: list[UrlList] = []
    perplexity: list[PerplexityModel] = []

    @model_validator(mode="before")
    @classmethod
    def _old_key(cls, data: Any) -> Any:
        if isinstance(data, dict) and "profile" in data:
            given = data["profile"]
            names = [each for each in (given if isinstance(given, list) else [given]) if isinstance(each, str)]
            written = ", ".join(f'"{name}"' for name in names or ["default"])
            raise ValueError(f"'profile' is a list now: write profiles = [{written}] instead")
        return data

    @field_validator("profiles", mode="before")
    @classmethod
    def _by_name(cls, data: Any) -> Any:
        return [{"name": each} if isinstance(each, str) else each for each in data] if isinstance(data, list) else data

    @field_serializer("profiles")
    def _names_alone(self, profiles: list[Profile]) -> list[Any]:
        """Names where nothing else is said of any of them, else tables."""
        said = [profile.model_dump(exclude_none=True) for profile in profiles]
        return [each["name"] for each in said] if all(each.keys() == {"name"} for each in said) else said


CONTAMINATED = Rule(name="contaminated", signal="contaminated_spans", comparison=">", threshold=0)


def with_decontamination(filters: FilterSettings, decontaminate: DecontaminateSettings) -> FilterSettings:
    """The settings with the rule that drops contaminated pages, unless the user has one of this name."""
    is_asked = decontaminate.sets and decontaminate.action == "drop"
    if not is_asked or any(rule.name == CONTAMINATED.name for rule in filters.rules):
        return filters
    return filters.model_copy(update={"rules": [CONTAMINATED, *filters.rules]})


class PiiSettings(Settings):
    """Which personal data is masked in everything that leaves the mill."""

    emails: bool = True
    ip_addresses: bool = True
    phones: bool = True
    credit_cards: bool = True
    ibans: bool = True
    national_ids: bool = True
    credentials: bool = True
    keys: bool = True


EDIT_KINDS = tuple(KINDS)


def edit_of(data: Any) -> Any:
    """An edit from plain data, by the model of its kind; whatever is no edit is left to pydantic to refuse."""
    return edit_model(data).model_validate(data) if isinstance(data, dict) else data


AnyEdit = Annotated[SerializeAsAny[EditSettings], BeforeValidator(edit_of)]
