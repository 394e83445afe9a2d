"""Answers as people read them in a terminal."""

from collections.abc import Sequence
from typing import Any

from corpusmill.ablate.compare import Comparison, Difference
from corpusmill.ablate.scaling import ScalingAnswer
from corpusmill.ablate.search import SearchAnswer
from corpusmill.ablate.settings import BASE
from corpusmill.ablate.statistics import Interval, Multiplier
from corpusmill.terminal import counted, json_of, size


def comparison_text(answer: Comparison) -> str:
    """The figures of each variant, the differences to the base, and the compute."""
    lines = [
        *_held_out(answer),
        *_variants(answer),
        "",
        f"difference to {BASE} in bits per byte, with its interval ({_confidence(answer)}, {len(answer.seeds)} seeds):",
        *table([_difference_row(each) for each in answer.differences]),
        "",
        *(_compute(answer, each) for each in answer.differences if each.multiplier is not None),
        *(f"note: {note}" for note in answer.notes),
    ]
    return "\n".join(lines)


def _held_out(answer: Comparison) -> list[str]:
    lines = [f"held out: {counted(answer.documents, 'document')}, {size(answer.n_bytes)}"]
    return lines + [f"  {n:,} more left out: {reason}" for reason, n in sorted(answer.left_out.items())]


def _variants(answer: Comparison) -> list[str]:
    rows: list[tuple[str, ...]] = [("variant", "documents", "tokens", "epochs", "bits per byte")]
    for each in answer.variants:
        data = each.data
        figures = f"{data.documents:,}", f"{data.tokens:,}", f"{data.epochs:.2f}", f"{each.bits_per_byte:.4f}"
        rows.append((data.variant, *figures))
    return [f"after {answer.budget:,} tokens:", *table(rows)]


def _confidence(answer: Comparison) -> str:
    if len(answer.variants) == 2:
        return f"{answer.confidence:.0%}"
    return f"{answer.confidence:.0%} for all variants together"


def _difference_row(each: Difference) -> tuple[str, ...]:
    if each.source is not None:
        return f"  on {each.source}", *interval(each.difference), ""
    return each.variant, *interval(each.difference), each.verdict


def interval(found: Interval) -> tuple[str, str]:
    """An estimate and the ends of its interval."""
    return f"{found.estimate:+.4f}", f"{found.low:+.4f} to {found.high:+.4f}"


def _compute(answer: Comparison, each: Difference) -> str:
    """How many more tokens the worse of two needs, in a sentence."""
    assert each.multiplier is not None
    better = BASE if each.slower == each.variant else each.variant
    return f"tokens that {each.slower} needs for the loss of {better}: {times(each.multiplier, answer)}"


def times(needed: Multiplier, answer: Comparison) -> str:
    """A multiplier with its interval in words."""
    most = answer.longest / answer.budget
    not_reached = f"not reached with {most:.3g} times as many"
    if most == 1:
        not_reached = "not reached within the budget, and 'longer' is 1"
    low = f"{needed.low:.2f}" if needed.low is not None else f"more than {most:.3g}"
    high = f"{needed.high:.2f}" if needed.high is not None else f"more than {most:.3g}"
    if needed.estimate is None:
        return not_reached if needed.low is None else f"{not_reached} (interval from {low})"
    return f"{needed.estimate:.2f} times as many ({low} to {high})"


def search_text(answer: SearchAnswer) -> str:
    """The trials, the confirmation and the recommendation."""
    rows: list[tuple[str, ...]] = [("trial", "seeds", f"to {BASE}", "changes")]
    rows += [(each.name, str(each.seeds), f"{each.difference:+.4f}", _changes(each.changes)) for each in answer.trials]
    found = answer.confirmation.differences[0].difference
    if answer.recommendation == "change":
        verdict = f"change: {_changes(answer.changes)}"
    elif found.low > 0:
        verdict = f"keep the recipe: the best trial is worse than {BASE} on text that the search did not see"
    else:
        verdict = f"keep the recipe: no difference to {BASE} is shown on text that the search did not see"
    lines = [
        f"{len(answer.trials)} trials in {answer.runs} runs; bits per byte minus those of {BASE}, on the first half:",
        *table(rows),
        "",
        f"{answer.best} again, with other seeds and on the other half:",
        comparison_text(answer.confirmation),
        "",
        verdict,
    ]
    return "\n".join(lines)


def _changes(changes: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {json_of(value)}" for key, value in changes.items())


def scaling_text(answer: ScalingAnswer) -> str:
    """The law with its intervals, the measured sizes and the predictions."""
    rows: list[tuple[str, ...]] = [("size", "parameters", "tokens", "bits per byte", "by the law")]
    for each in answer.sizes:
        last = max(each.curve)
        figures = f"{each.curve[last]:.4f}", f"{each.fitted[last]:.4f}"
        rows.append((each.name, f"{each.parameters:,}", f"{last:,}", *figures))
    law = [(name, f"{each.estimate:.4g}", f"({each.low:.4g} to {each.high:.4g})") for name, each in answer.law.items()]
    lines = [
        f"held out: {counted(answer.documents, 'document')}",
        *table(rows),
        "",
        "bits per byte = E + A / parameters^alpha + B / tokens^beta",
        *table(law),
        f"intervals of {answer.confidence:.0%}; largest error at the measured points {answer.worst_error:.1%}",
    ]
    if answer.predictions:
        rows = [("parameters", "tokens", "bits per byte", "")]
        for one in answer.predictions:
            far = f"{one.beyond:.3g} times beyond what was measured" if one.beyond > 1 else ""
            loss = f"{one.loss.estimate:.4f} ({one.loss.low:.4f} to {one.loss.high:.4f})"
            rows.append((f"{one.parameters:,.0f}", f"{one.tokens:,.0f}", loss, far))
        lines += ["", "predictions:", *table(rows)]
    return "\n".join([*lines, *(f"note: {note}" for note in answer.notes)])


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows in columns: the first and the last to the left, the others to the right."""
    first, *others = (max(map(len, column)) for column in zip(*rows, strict=True))
    return ["  ".join(["", row[0].ljust(first), *map(str.rjust, row[1:-1], others), row[-1]]).rstrip() for row in rows]
