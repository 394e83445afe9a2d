"""Extractive question answering: the span of a context that answers a question, or that there is none.

A row is the question and then a window of the context, each after a boundary token.  The scores say which token is the
first of the answer, and which the last.  The first token of the row stands for 'no answer in this window'.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from corpusmill.finetune.examples import Answer, Question, named
from corpusmill.finetune.metrics.answers import of_answers, random_answers
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.settings import AnswersSettings
from corpusmill.finetune.tasks.base import Task
from corpusmill.finetune.texts import Codec, Row, Tokens, windows
from corpusmill.train.objectives.base import token_losses
from corpusmill.train.trained import Trained


class _Window(NamedTuple):
    """A window of a context: its tokens, and where in the row they begin."""

    tokens: range
    at: int


class _Found(NamedTuple):
    """An answer: characters of the context (none: no answer), how sure it is, its score against 'no answer'."""

    start: int
    end: int
    probability: float
    score: float


NOTHING = _Found(0, 0, 1.0, float("-inf"))


def _is_reachable(tokens: Tokens, answer: Answer) -> bool:
    inside = tokens.between(answer.start, answer.end)
    return bool(inside) and tokens.spans[inside[0]][0] >= answer.start and tokens.spans[inside[-1]][1] <= answer.end


class Answers(Task):
    """Answers in contexts.  The notes say whether some questions of the examples have none."""

    settings: AnswersSettings
    classes = 2  # first and last token

    @classmethod
    def learned_from(cls, examples: Sequence[Question], settings: AnswersSettings, codec: Codec) -> dict[str, Any]:
        """Whether there may be no answer."""
        return {"may_have_no_answer": any(not example.right for example in examples)}

    @classmethod
    def needs_han_split(cls, examples: Sequence[Question], codec: Codec) -> bool:
        """Whether an answer begins or ends within a token."""
        return any(
            not _is_reachable(codec.tokens(example.context), example.right[0]) for example in examples if example.right
        )

    def _windows(self, example: Question) -> tuple[Tokens, list[tuple[list[int], _Window]]]:
        """The context's tokens, and the ids of each row.  A question fills at most half of a row."""
        tokens, boundary, size = self.codec.tokens(example.context), self.codec.boundary, self.codec.max_tokens
        asked = [boundary, *self.codec.ids(example.question)[: size // 2 - 2], boundary]
        room = size - len(asked)
        parts = windows(len(tokens.ids), room, max(1, room // 2))
        return tokens, [([*asked, *tokens.ids[p.start : p.stop]], _Window(p, len(asked))) for p in parts]

    def rows(self, example: Question) -> list[Row]:
        """A row per window.  Where the answer is not in a window, the first token is right."""
        tokens, parts = self._windows(example)
        inside = tokens.between(example.right[0].start, example.right[0].end) if example.right else []
        rows = []
        for ids, (part, at) in parts:
            has_all = bool(inside) and inside[0] in part and inside[-1] in part
            first, last = (at + inside[0] - part.start, at + inside[-1] - part.start) if has_all else (0, 0)
            rows.append(Row(ids=ids, targets=([first], [last])))
        return rows

    def losses(self, model: Any, arguments: Any, targets: tuple[Tensor, ...], training: bool) -> tuple[Tensor, ...]:
        """Cross-entropy of the first and of the last token, among the real tokens of a row."""
        scores = model(*arguments).float().masked_fill(~arguments[0][..., None], -1e9)
        return tuple(token_losses(scores[..., i][:, None], targets[i], 0.0, 0.0) for i in range(2))

    def _found(self, model: Trained, examples: Sequence[Question]) -> list[_Found]:
        read = [self._windows(example) for example in examples]
        rows = [Row(ids=ids, targets=([0], [0])) for _, parts in read for ids, _ in parts]
        scores = iter(self.scores(model, rows))
        found = []
        for tokens, parts in read:
            best = NOTHING
            for _, (part, at) in parts:
                each = self._best(next(scores), tokens, part, at)
                best = max(best, each, key=lambda answer: answer.score)
            found.append(NOTHING if best.score < 0 and self.notes["may_have_no_answer"] else best)
        return found

    def _best(self, scores: Tensor, tokens: Tokens, part: range, at: int) -> _Found:
        """The best span of a window: neither empty nor longer than `max_answer_tokens`."""
        if not part:
            return NOTHING
        first, last = scores[at:, 0], scores[at:, 1]
        pairs = first[:, None] + last[None, :]
        allowed = torch.ones_like(pairs, dtype=torch.bool).triu().tril(self.settings.max_answer_tokens - 1)
        index = int(pairs.masked_fill(~allowed, float("-inf")).argmax())
        i, j = divmod(index, len(last))
        chance = scores.log_softmax(0)
        sure = float((chance[at + i, 0] + chance[at + j, 1]).exp())
        start, end = tokens.spans[part.start + i][0], tokens.spans[part.start + j][1]
        return _Found(start, max(start, end), sure, float(pairs[i, j] - scores[0].sum()))

    def predict(self, model: Trained, examples: Sequence[Question]) -> list[dict[str, Any]]:
        """The answer, or null if there is none."""
        answers = []
        for example, found in zip(examples, self._found(model, examples), strict=True):
            text = example.context[found.start : found.end]
            answer = None if found.score == float("-inf") else {"start": found.start, "end": found.end, "text": text}
            shown = None if answer is None else {**answer, "probability": round(found.probability, 6)}
            answers.append({**named(example), "answer": shown})
        return answers

    def evaluate(self, model: Trained, examples: Sequence[Question], train: Sequence[Question]) -> list[Figure]:
        """As in `metrics.answers`."""
        said = [e.context[a.start : a.end] for e, a in zip(examples, self._found(model, examples), strict=True)]
        lengths = [len(example.right[0].text) for example in train if example.right]
        trivial = random_answers([example.context for example in examples], lengths, self.settings.seed)
        return of_answers([[answer.text for answer in example.right] for example in examples], said, trivial)
