"""The rules: of each profile, or those in force in a corpus with the pages that each drops."""

from collections.abc import Sequence
from dataclasses import dataclass

from corpusmill.corpus import Place
from corpusmill.filters.profiles import attributed, built_in, names
from corpusmill.reports.catalog import damage_is_named, open_catalog
from corpusmill.reports.whatif import Removed, figures, filters_of, heading
from corpusmill.terminal import printable


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """A rule."""

    profile: str | None  # None: it is the recipe's own
    rule: str
    test: str  # what is true of a page that it drops
    threshold: float | None
    source: str | None
    pages: Removed | None = None  # of a corpus


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedProfile:
    """A profile of the package's."""

    profile: str
    title: str | None
    source: str | None
    rules: tuple[Listed, ...]


_PAGES = """
    SELECT rule, count(*) FILTER (dropped_by[1] = rule), count(*) FILTER (len(dropped_by) = 1), count(*)
    FROM (SELECT dropped_by, unnest(dropped_by) AS rule FROM judged) GROUP BY rule"""


def profiles() -> list[ListedProfile]:
    """All profiles of the package."""
    return [
        ListedProfile(
            profile=name,
            title=built_in(name).title,
            source=built_in(name).source,
            rules=tuple(
                Listed(profile=name, rule=rule.name, test=str(rule), threshold=rule.threshold, source=rule.source)
                for rule in built_in(name).rules or ()
            ),
        )
        for name in names()
    ]


def rules_of_corpus(corpus: Place) -> list[Listed]:
    """The rules that are in force in a corpus, in order, with the pages that its verdicts say each drops."""
    rules = attributed(filters_of(corpus))
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        counts = {name: Removed(*numbers) for name, *numbers in catalog.execute(_PAGES).fetchall()}
    none = Removed(0, 0, 0)
    return [
        Listed(
            profile=profile,
            rule=rule.name,
            test=str(rule),
            threshold=rule.threshold,
            source=rule.source,
            pages=counts.get(rule.name, none),
        )
        for profile, rule in rules
    ]


def render_profiles(found: Sequence[ListedProfile]) -> str:
    """Profiles for a terminal."""
    blocks = []
    for profile in found:
        lines = [
            f"{profile.profile}: {profile.title or ''}".rstrip(": "),
            f"  from: {' '.join((profile.source or '').split())}",
        ]
        width = max((len(each.rule) for each in profile.rules), default=0)
        lines += [
            f"  {each.rule:<{width}}  {each.test}{f'  [{each.source}]' if each.source else ''}"
            for each in profile.rules
        ]
        blocks.append("\n".join(lines))
    return printable("\n\n".join(blocks))


def render_rules(found: Sequence[Listed]) -> str:
    """The rules of a corpus for a terminal, in their order."""
    width = max((len(each.rule) for each in found), default=4)
    lines = [heading(width)]
    for each in found:
        pages = each.pages or Removed(0, 0, 0)
        of = f"  [{each.profile}]" if each.profile else "  [recipe]"
        lines.append(f"{figures(pages)}  {each.rule:<{width}}  {each.test}{of}")
    return printable("\n".join(lines) if found else "no rules")
