"""Changes of rules as a command line says them: `rule=expression`, `rule=threshold`, or `rule=` to leave it out."""

import re
from collections.abc import Iterable

from pydantic import ValidationError

from corpusmill.errors import InputError
from corpusmill.filters.profiles import LANGUAGE, LANGUAGE_SCORE, active_rules, full_name, meant, nearest
from corpusmill.filters.settings import FilterSettings, Rule

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_COMPARISON = re.compile(rf"(\w+)\s*(<=|>=|!=|<|>|=)\s*({_NUMBER})")


def changed(settings: FilterSettings, sets: Iterable[str], without: Iterable[str] = ()) -> FilterSettings:
    """The settings after changes, as a recipe would say it.

    sets: each `rule=expression`, which replaces the rule of that name or adds one; `rule=NUMBER`, which only gives a
    rule another threshold; or `rule=`, which leaves it out, as `without` does.  A short name that stands for several
    rules PROFILE:NAME changes all of them.  InputError if one says something else.
    """
    for change in sets:
        name, equals, said = (part.strip() for part in change.partition("="))
        if not equals:
            raise InputError(f"--set '{change}': write rule=expression, such as 'too_few_words=n_words < 30'")
        settings = _with(settings, name, said) if said else _without(settings, name, f"--set '{change}'")
    for name in without:
        settings = _without(settings, name, f"--without '{name}'")
    return settings


def _with(settings: FilterSettings, name: str, said: str) -> FilterSettings:
    present = [rule for _, rule in meant(settings, name)]
    if re.fullmatch(_NUMBER, said):
        if not present:
            raise _unknown(f"--set '{name}={said}'", name, settings)
        rules = [_with_threshold(rule, said, f"--set '{name}={said}'") for rule in present]
        return _placed(settings, rules)
    settings = _without(settings, name, "") if len(present) > 1 else settings
    return _placed(settings, [_rule(present[0].name if len(present) == 1 else name, said)])


def _placed(settings: FilterSettings, rules: Iterable[Rule]) -> FilterSettings:
    """The settings with these rules of the user's own, each in the place of the one with its name."""
    own = {rule.name: rule for rule in settings.rules} | {rule.name: rule for rule in rules}
    return settings.model_copy(update={"rules": [*own.values()]})


def _with_threshold(rule: Rule, said: str, where: str) -> Rule:
    if rule.signal is None:
        raise InputError(f"{where}: rule '{rule.name}' has no threshold; write its whole expression")
    return rule.model_copy(update={"threshold": float(said)})


def _unknown(where: str, name: str, settings: FilterSettings) -> InputError:
    names = (rule.name for rule in active_rules(settings))
    return InputError(f"{where}: there is no rule '{name}'; {nearest(name, names)}")


def _rule(name: str, said: str) -> Rule:
    found = _COMPARISON.fullmatch(said)
    try:
        if found:
            signal, comparison, threshold = found.groups()
            return Rule.model_validate(
                {"name": name, "signal": signal, "comparison": comparison, "threshold": float(threshold)}
            )
        return Rule(name=name, sql=said)
    except ValidationError:
        raise InputError(
            f"--set '{name}={said}': '{name}' is no name: names are lower-case letters, digits, '-' and '_'"
        ) from None


def _without(settings: FilterSettings, name: str, where: str) -> FilterSettings:
    gone = {rule.name for _, rule in meant(settings, name)}
    if not gone:
        raise _unknown(where, name, settings)
    settings = settings.model_copy(update={"rules": [rule for rule in settings.rules if rule.name not in gone]})
    for profile, rule in meant(settings, name):  # what the rules of the user's own had replaced comes back otherwise
        if profile is not None:
            settings = settings.model_copy(update={"disable": [*settings.disable, full_name(profile, rule)]})
        elif rule.name == LANGUAGE:
            settings = settings.model_copy(update={"languages": []})
        elif rule.name == LANGUAGE_SCORE:
            settings = settings.model_copy(update={"min_language_score": 0.0})
    return settings
