"""Scores of cloze and multiple-choice items.

cloze     right if each token of the answer is the most likely one there
choices   right if the right choice has the highest log-likelihood: as a sum, and divided by the choice's bytes
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from corpusmill.evaluate.items import Choices, Cloze

if TYPE_CHECKING:
    from corpusmill.evaluate.documents import Progress
    from corpusmill.evaluate.scorer import Question, Score, Scorer

BLOCK = 64  # questions at a time


@dataclass(frozen=True, slots=True)
class Answered:
    """How an item was answered."""

    correct: bool
    correct_normalised: bool | None  # None for cloze
    log_likelihood: float  # of the right answer, nats
    n_tokens: int  # of the right answer


def answer_cloze(scorer: "Scorer", items: Sequence[Cloze], progress: "Progress") -> list[Answered]:
    """The answers to cloze items."""
    questions = [scorer.question(item.text, item.answer, item.after) for item in items]
    return [
        Answered(score.is_greedy, None, score.log_likelihood, len(question.answer))
        for question, score in zip(questions, _scored(scorer, questions, progress), strict=True)
    ]


def answer_choices(scorer: "Scorer", items: Sequence[Choices], progress: "Progress") -> list[Answered]:
    """The answers to multiple-choice items."""
    questions = [scorer.question(item.question, choice) for item in items for choice in item.choices]
    scores = _scored(scorer, questions, progress)
    found, at = [], 0
    for item in items:
        of_item = [next(scores).log_likelihood for _ in item.choices]
        by_byte = [value / len(choice.encode()) for value, choice in zip(of_item, item.choices, strict=True)]
        n_tokens = len(questions[at + item.answer].answer)
        found.append(
            Answered(_best(of_item) == item.answer, _best(by_byte) == item.answer, of_item[item.answer], n_tokens)
        )
        at += len(item.choices)
    return found


def _best(values: Sequence[float]) -> int:
    return max(range(len(values)), key=values.__getitem__)


def _scored(scorer: "Scorer", questions: "Sequence[Question]", progress: "Progress") -> "Iterator[Score]":
    for start in range(0, len(questions), BLOCK):
        yield from scorer.scores(questions[start : start + BLOCK])
        progress(min(start + BLOCK, len(questions)), len(questions))
