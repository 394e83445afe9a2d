"""Profiles: named lists of rules, as data; and which rules are in force.

A profile is a TOML file beside this module, `profiles/NAME.toml`, or one of the user's.  `default` is for any language
and keeps technical writing; docs/signals.md gives the reasons.  Others keep to one published source, which they name.

Nothing heavy is imported here: the identity of verdicts is worked out from the rules in every run.
"""

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.filters.codes import LANGUAGES, check_codes
from corpusmill.filters.settings import FilterSettings, Profile, Rule
from corpusmill.names import did_you_mean, literal

_FOLDER = Path(__file__).with_suffix("")
LANGUAGE, LANGUAGE_SCORE = "language", "language_score"  # the rules that `languages` and `min_language_score` make

BEFORE_HOST = "^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#]*@)?"  # what stands before the host of a URL, in RE2
MADE = {
    "host": "url",
    "page_type": "metadata",
}  # columns that rules see and that no table stores, and what they follow from
OF_PAGES = (
    *("source", "url", "fetched_at", "title", "html_lang", "content_type", "licence", "metadata", "n_bytes"),
    *("origin_path", "origin_offset"),
)
"""The columns of the table pages that rules may read, besides those of MADE."""


def names() -> list[str]:
    """The names of the package's profiles."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


@cache
def built_in(name: str) -> Profile:
    """A profile of the package's.  InputError if there is none of that name."""
    if name not in names():
        raise InputError(
            f"recipe: filters.profiles: there is no profile '{name}'; {nearest(name, names())} "
            "(a file of your own is named with its ending, .toml)"
        )
    return Profile.model_validate({"name": name, **tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8"))})


def rules_of(profile: Profile) -> list[Rule]:
    """The rules of a profile as the recipe uses it: each limited by the profile's `when`, too."""
    rules = profile.rules if profile.rules is not None else built_in(profile.name).rules or []
    if profile.when is None:
        return list(rules)
    return [
        rule.model_copy(update={"when": f"({rule.when}) AND ({profile.when})" if rule.when else profile.when})
        for rule in rules
    ]


def active_rules(settings: FilterSettings) -> tuple[Rule, ...]:
    """The rules in force, in order: see `attributed`."""
    return tuple(rule for _, rule in attributed(settings))


def attributed(settings: FilterSettings) -> list[tuple[str | None, Rule]]:
    """The rules in force, in the order in which the first that is true is put on record; with the profile of each.

    Languages, language score, the user's own, then those of each profile in the recipe's order.  A rule of a profile
    has the name that the profile gives it.  Where two profiles give one name, the full names are PROFILE:RULE, also if
    all but one of these rules are replaced or left out.  A user's rule takes the place of the profiles' rules of its
    name, or of one rule if it has its full name.
    """
    used = [profile.name for profile in settings.profiles]
    if twice := [name for name in used if used.count(name) > 1]:
        raise InputError(f"recipe: filters.profiles: two profiles are named '{twice[0]}'; names must differ")
    named = [(profile.name, rule) for profile in settings.profiles for rule in rules_of(profile)]
    disabled = _chosen(settings.disable, named)
    own = [rule.name for rule in settings.rules]
    if twice := [name for name in own if own.count(name) > 1]:
        raise InputError(f"recipe: filters.rules: two rules are named '{twice[0]}'; names must differ")
    left = [each for each in named if not {_full(*each), each[1].name} & {*disabled, *own}]
    short = [rule.name for _, rule in named]
    profiles = [
        (profile, rule.model_copy(update={"name": _full(profile, rule)}) if short.count(rule.name) > 1 else rule)
        for profile, rule in left
    ]
    of_languages = [rule for rule in _language_rules(settings) if rule.name not in own]
    return [*((None, rule) for rule in (*of_languages, *settings.rules)), *profiles]


def meant(settings: FilterSettings, name: str) -> list[tuple[str | None, Rule]]:
    """The rules in force that a name stands for, each with its profile as `attributed` gives it.

    It is the name of one rule, or a full name, or the short name of every rule PROFILE:NAME.
    """
    rules = attributed(settings)
    if exact := [(profile, rule) for profile, rule in rules if rule.name == name]:
        return exact
    used = {profile.name for profile in settings.profiles}
    return [
        (profile, rule)
        for profile, rule in rules
        if (profile is not None and full_name(profile, rule) == name)
        or (rule.name.partition(":")[0] in used and rule.name.partition(":")[2] == name)
    ]


def full_name(profile: str, rule: Rule) -> str:
    """The name PROFILE:RULE of a rule that a profile of the recipe gives, whether it has this name or the short one."""
    return rule.name if ":" in rule.name else _full(profile, rule)


def _full(profile: str, rule: Rule) -> str:
    return f"{profile}:{rule.name}"


def _chosen(disable: Iterable[str], named: list[tuple[str, Rule]]) -> set[str]:
    """The names of what is left out, each of which must be a rule's own or full name."""
    known = {rule.name for _, rule in named} | {_full(*each) for each in named}
    for name in disable:
        if name not in known:
            allowed = known if ":" in name else {rule.name for _, rule in named}
            raise InputError(f"recipe: filters.disable: there is no rule '{name}'; {nearest(name, allowed)}")
    return set(disable)


def _language_rules(settings: FilterSettings) -> Iterator[Rule]:
    if settings.languages:
        if settings.language.model is None:
            check_codes(settings.languages, LANGUAGES)  # another model's labels: stages/signals.py
        codes = ", ".join(literal(code) for code in settings.languages)
        yield Rule(name=LANGUAGE, sql=f"language IS NULL OR language NOT IN ({codes})")
    if settings.min_language_score > 0:
        score = settings.min_language_score
        yield Rule(name=LANGUAGE_SCORE, signal="language_score", comparison="<", threshold=score)


def page_columns(rules: Iterable[Rule]) -> tuple[str, ...]:
    """What is read of the table pages for rules: the columns that are words in their expressions."""
    words = {word for rule in rules for word in re.findall(r"\w+", rule.expression.lower())}
    words |= {source for made, source in MADE.items() if made in words}
    return tuple(name for name in OF_PAGES if name in words)


MOST_NAMES = 5  # in a message


def nearest(name: str, names: Iterable[str]) -> str:
    """The end of a sentence about a wrong name: the closest that there is, and what is allowed; of many the nearest."""
    allowed = sorted(names)
    if not allowed:
        return "there is none"
    hint = did_you_mean(name, allowed)
    if len(allowed) <= MOST_NAMES:
        return f"{hint}allowed: {', '.join(allowed)}"
    near = sorted(allowed, key=lambda each: -difflib.SequenceMatcher(None, name, each).ratio())[:MOST_NAMES]
    return f"{hint}{len(allowed)} are allowed, such as {', '.join(near)}"
