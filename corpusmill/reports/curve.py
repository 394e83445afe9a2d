"""`corpusmill dedup curve`: what a choice of bands and rows finds, in general and in one corpus."""

from dataclasses import dataclass

from pydantic import ValidationError

from corpusmill.dedup.curve import Choice, best, choice, choices, missed, probability
from corpusmill.dedup.settings import DedupSettings
from corpusmill.errors import InputError
from corpusmill.reasons import Duplicate

SIMILARITIES = (0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
BAR = 40  # characters


@dataclass(frozen=True, kw_only=True, slots=True)
class Curve:
    """An answer of `dedup curve`."""

    threshold: float
    chosen: Choice
    probabilities: dict[float, float]  # by similarity, the probability to find a pair
    choices: list[Choice]  # with no more MinHash values
    best: Choice | None  # the least work among those that miss no more than was asked for
    wanted_misses: float
    found_pairs: int | None  # near-duplicates that the corpus has on record; None without a corpus
    missed_pairs: float | None  # an estimate


def curve(
    corpus: str | None,
    threshold: float | None = None,
    bands: int | None = None,
    rows: int | None = None,
    values: int | None = None,
    misses: float = 0.05,
) -> Curve:
    """What bands and rows do; what is not given is taken from the corpus's recipe, or the default.

    InputError if there is no such corpus.
    """
    settings = DedupSettings() if corpus is None else _settings_of(corpus)
    threshold = threshold or settings.threshold
    bands, rows = bands or settings.bands, rows or settings.rows
    found = choices(threshold, values or bands * rows)
    similarities = [] if corpus is None else _similarities(corpus)
    return Curve(
        threshold=threshold,
        chosen=choice(threshold, bands, rows),
        probabilities={jaccard: probability(jaccard, bands, rows) for jaccard in SIMILARITIES},
        choices=found,
        best=best(found, misses),
        wanted_misses=misses,
        found_pairs=None if corpus is None else len(similarities),
        missed_pairs=None if corpus is None else missed(similarities, settings.bands, settings.rows),
    )


def _settings_of(corpus: str) -> DedupSettings:
    from corpusmill.reports.kept_recipe import kept_recipe

    try:
        return DedupSettings.model_validate(kept_recipe(corpus).get("dedup", {}))
    except ValidationError as error:
        raise InputError(f"{corpus}: [dedup] in its recipe.toml cannot be read; run the recipe again") from error


def _similarities(corpus: str) -> list[float]:
    from corpusmill.reports.catalog import damage_is_named, open_catalog, rows_of

    query = f"SELECT jaccard FROM ledger WHERE rule = '{Duplicate.NEAR}'"
    with damage_is_named(corpus), open_catalog(corpus) as catalog:
        return [row["jaccard"] for row in rows_of(catalog, query)]


def render(found: Curve) -> str:
    """The answer for people."""
    chosen = found.chosen
    lines = [f"{chosen.bands} bands of {chosen.rows} rows, threshold {found.threshold:g}:", "", "similarity     found"]
    for jaccard, chance in found.probabilities.items():
        mark = " <- threshold" if jaccard == found.threshold else ""
        lines.append(f"{jaccard:<12g} {_percent(chance):>8} {'#' * round(BAR * chance):{BAR}}{mark}".rstrip())
    lines += ["", "bands  rows  found at threshold  missed above  compared below"]
    for each in found.choices:
        mark = " <- chosen" if (each.bands, each.rows) == (chosen.bands, chosen.rows) else ""
        mark += " <- best" if each == found.best else ""
        lines.append(
            f"{each.bands:5}  {each.rows:4}  {_percent(each.at_threshold):>18}  {_percent(each.misses):>12}  "
            f"{_percent(each.work):>14}{mark}"
        )
    lines += ["", "missed above, compared below: shares of the pairs on that side, if all similarities are as frequent"]
    if found.best is None:
        lines.append(
            f"none of these misses at most {_percent(found.wanted_misses)}: allow more MinHash values (--values)"
        )
    if found.found_pairs is not None and found.missed_pairs is not None:
        share = found.missed_pairs / max(found.missed_pairs + found.found_pairs, 1)
        lines.append(
            f"the corpus has {found.found_pairs:,} near-duplicates on record, and probably missed about "
            f"{found.missed_pairs:,.0f} more ({_percent(share)})"
        )
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
