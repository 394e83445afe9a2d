"""Figures of answers: exact match and F1 of words, as in SQuAD (arXiv 1606.05250), with Chinese by characters.

Of several right answers, the best match counts.  The baseline answers with a random span of the context, as long as the
median answer of the training examples.
"""

from collections.abc import Sequence
from statistics import fmean, median

from corpusmill.draws import uniform
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.metrics.words import overlap_f1, words

_RANDOM = 0x616E73  # in the keys of random numbers


def of_answers(right: Sequence[Sequence[str]], said: Sequence[str], trivial: Sequence[str]) -> list[Figure]:
    """Exact match and F1.  An empty answer says that there is none, and is right if `right` has none."""
    found = [
        Figure(
            metric=name, value=fmean(map(score, said, right)), baseline=fmean(map(score, trivial, right)), n=len(said)
        )
        for name, score in (("exact_match", exact_match), ("f1", best_f1))
    ]
    without = [answer == "" for answer, answers in zip(said, right, strict=True) if not answers]
    if without:
        found.append(Figure(metric="no_answer_accuracy", value=fmean(without), n=len(without)))
    return found


def exact_match(said: str, right: Sequence[str]) -> float:
    """1 if the words of the answer are those of a right one, else 0."""
    return float(any(words(said) == words(each) for each in right or [""]))


def best_f1(said: str, right: Sequence[str]) -> float:
    """The F1 of the words of an answer with the right one that is nearest to it."""
    return max(overlap_f1(said, each) for each in right or [""])


def random_answers(contexts: Sequence[str], lengths: Sequence[int], seed: int) -> list[str]:
    """A random span of each context, as long as the median of `lengths` (characters)."""
    length = max(1, round(median(lengths))) if lengths else 1
    draws = uniform((seed, _RANDOM), len(contexts))
    starts = [int(draw * max(len(text) - length + 1, 1)) for draw, text in zip(draws, contexts, strict=True)]
    return [text[start : start + length] for start, text in zip(starts, contexts, strict=True)]
