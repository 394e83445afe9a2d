"""Figures of labelled spans: precision, recall and F1 of whole spans, as in CoNLL-2003.

A span counts as found if its first and last character and its label are right.  The baseline marks every span of the
training examples wherever its text stands, the longest first, with its most frequent label.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from corpusmill.finetune.metrics.figure import Figure

Marked = tuple[int, int, str]  # the characters [start, end), and their label


def of_spans(
    right: Sequence[Iterable[Marked]], said: Sequence[Iterable[Marked]], trivial: Sequence[Iterable[Marked]]
) -> list[Figure]:
    """Precision, recall and F1 of each label, of all spans (micro), and the mean over the labels (macro)."""
    ours, theirs = _counts(right, said), _counts(right, trivial)
    labels = sorted({label for counts in (ours, theirs) for _, label in counts})
    found, f1s = [], []
    for label in labels:
        values, baselines = _rates(ours, [label]), _rates(theirs, [label])
        f1s.append((values[2], baselines[2]))
        found += [
            Figure(metric=name, class_=label, value=value, baseline=baseline, n=ours["right", label])
            for name, value, baseline in zip(("precision", "recall", "f1"), values, baselines, strict=True)
        ]
    n = sum(ours["right", label] for label in labels)
    names = ("precision_micro", "recall_micro", "f1_micro")
    found += [
        Figure(metric=name, value=value, baseline=baseline, n=n)
        for name, value, baseline in zip(names, _rates(ours, labels), _rates(theirs, labels), strict=True)
    ]
    means = [sum(each) / max(len(labels), 1) for each in zip(*f1s, strict=True)] or [0.0, 0.0]
    return [*found, Figure(metric="f1_macro", value=means[0], baseline=means[1], n=n)]


def _counts(right: Sequence[Iterable[Marked]], said: Sequence[Iterable[Marked]]) -> Counter[tuple[str, str]]:
    """How many spans of each label are right, are said, and are both."""
    found: Counter[tuple[str, str]] = Counter()
    for theirs, ours in zip(right, said, strict=True):
        theirs, ours = set(theirs), set(ours)
        for name, spans in (("right", theirs), ("said", ours), ("both", theirs & ours)):
            found.update((name, label) for _, _, label in spans)
    return found


def _rates(counts: Counter[tuple[str, str]], labels: Iterable[str]) -> tuple[float, float, float]:
    right, said, both = (sum(counts[name, label] for label in labels) for name in ("right", "said", "both"))
    precision, recall = both / max(said, 1), both / max(right, 1)
    return precision, recall, 2 * both / max(right + said, 1)


def known_spans(texts: Sequence[str], spans: Sequence[Iterable[Marked]]) -> dict[str, str]:
    """The text of each span, with its most frequent label."""
    counts: dict[str, Counter[str]] = {}
    for text, marked in zip(texts, spans, strict=True):
        for start, end, label in marked:
            counts.setdefault(text[start:end], Counter())[label] += 1
    return {text: max(sorted(labels), key=lambda label: labels[label]) for text, labels in counts.items()}


def looked_up(text: str, known: dict[str, str]) -> list[Marked]:
    """The spans of a text that are known, from left to right, the longest first."""
    longest, found, at = max(map(len, known), default=0), [], 0
    while at < len(text):
        ends = range(min(len(text), at + longest), at, -1)
        end = next((end for end in ends if text[at:end] in known), None)
        if end is None:
            at += 1
            continue
        found.append((at, end, known[text[at:end]]))
        at = end
    return found
