"""Settings of what is measured, which pages are dropped for it, and which personal data is masked."""

from typing import Literal, Self

from pydantic import model_validator

from corpusmill.settings import Name, Settings, Share


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
