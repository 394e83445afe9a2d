"""Token classification: spans with labels, such as names of people and places.

Every token has the tag `O`, `B-LABEL` (the first token of a span) or `I-LABEL` (another one).  A long text is read in
windows.  For each token, the window counts in which it is farthest from a cut edge.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from corpusmill.errors import InputError
from corpusmill.finetune.examples import Spans, named
from corpusmill.finetune.metrics.figure import Figure
from corpusmill.finetune.metrics.spans import Marked, known_spans, looked_up, of_spans
from corpusmill.finetune.settings import TokensSettings
from corpusmill.finetune.tasks.base import Task
from corpusmill.finetune.tasks.classification import label_names
from corpusmill.finetune.texts import Codec, Row, Tokens, most_central, windows
from corpusmill.train.batch import IGNORED
from corpusmill.train.trained import Trained

OUTSIDE = "O"


class Tagging(Task):
    """Spans of texts.  The notes have the tags in their order."""

    settings: TokensSettings

    @classmethod
    def learned_from(cls, examples: Sequence[Spans], settings: TokensSettings, codec: Codec) -> dict[str, Any]:
        """The tags.  InputError if no example has a span."""
        labels = sorted({span.label for example in examples for span in example.spans or ()})
        if not labels:
            raise InputError("no example has a span, so there is nothing to learn")
        return {"tags": [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]}

    @classmethod
    def needs_han_split(cls, examples: Sequence[Spans], codec: Codec) -> bool:
        """Whether a span begins or ends within a token."""
        return reachable(codec, examples) < 1

    @property
    def tags(self) -> list[str]:
        """The tags, in the order of the scores."""
        return list(self.notes["tags"])

    @property
    def classes(self) -> int:
        """One score per tag."""
        return len(self.tags)

    def config(self) -> dict[str, Any]:
        """The names of the tags."""
        return label_names(self.tags)

    def rows(self, example: Spans) -> list[Row]:
        """The windows of the text, which do not overlap."""
        tokens = self.codec.tokens(example.text)
        tags = [self.tags.index(tag) for tag in tags_of(tokens, marked(example))]
        room = self.codec.max_tokens - 1
        return [self._row(tokens, part, tags) for part in windows(len(tags), room, room)]

    def _row(self, tokens: Tokens, part: range, tags: Sequence[int]) -> Row:
        ids = [self.codec.boundary, *tokens.ids[part.start : part.stop]]
        return Row(ids=ids, targets=([IGNORED, *tags[part.start : part.stop]],))

    def _chances(self, model: Trained, texts: Sequence[Tokens]) -> list[Tensor]:
        """The probabilities of the tags of each text: (tokens, tags)."""
        room = self.codec.max_tokens - 1
        parts = [windows(len(tokens.ids), room, max(1, room // 2)) for tokens in texts]
        rows = [
            self._row(tokens, part, [0] * len(tokens.ids))
            for tokens, own in zip(texts, parts, strict=True)
            for part in own
        ]
        scores = iter(self.scores(model, rows))
        found = []
        for tokens, own in zip(texts, parts, strict=True):
            of_parts = [next(scores)[1:].softmax(-1) for _ in own]
            chosen = most_central(own, len(tokens.ids))
            each = [of_parts[which][at - own[which].start] for at, which in enumerate(chosen)]
            found.append(torch.stack(each) if each else torch.zeros(0, self.classes))
        return found

    def _said(self, model: Trained, examples: Sequence[Spans]) -> list[list[tuple[Marked, float]]]:
        """The spans of each text, with the mean probability of their tags."""
        texts = [self.codec.tokens(example.text) for example in examples]
        found = []
        for tokens, chances in zip(texts, self._chances(model, texts), strict=True):
            best = chances.max(-1) if len(chances) else None
            tags = [] if best is None else [self.tags[i] for i in best.indices.tolist()]
            sure = [] if best is None else best.values.tolist()
            found.append([
                (characters(tokens, part, label), sum(sure[part.start : part.stop]) / len(part))
                for part, label in runs(tags, tokens)
            ])  # fmt: skip
        return found

    def predict(self, model: Trained, examples: Sequence[Spans]) -> list[dict[str, Any]]:
        """The spans with their texts."""
        answers = []
        for example, spans in zip(examples, self._said(model, examples), strict=True):
            shown = [
                {
                    "start": start,
                    "end": end,
                    "label": label,
                    "text": example.text[start:end],
                    "probability": round(p, 6),
                }
                for (start, end, label), p in spans
            ]
            answers.append({**named(example), "spans": shown})
        return answers

    def evaluate(self, model: Trained, examples: Sequence[Spans], train: Sequence[Spans]) -> list[Figure]:
        """As in `metrics.spans`; and the share of right spans that begin and end at the edges of tokens."""
        known = known_spans([example.text for example in train], [marked(example) for example in train])
        said = [[span for span, _ in spans] for spans in self._said(model, examples)]
        figures = of_spans([marked(e) for e in examples], said, [looked_up(e.text, known) for e in examples])
        total = sum(len(example.spans or ()) for example in examples)
        share = reachable(self.codec, examples)
        return [*figures, Figure(metric="reachable_spans", value=share, n=total)]


def marked(example: Spans) -> list[Marked]:
    """The right spans, without white space at their ends, in their order."""
    found = []
    for span in example.spans or ():
        text = example.text[span.start : span.end]
        start = span.start + len(text) - len(text.lstrip())
        if text.strip():
            found.append((start, start + len(text.strip()), span.label))
    return sorted(found)


def tags_of(tokens: Tokens, spans: Sequence[Marked]) -> list[str]:
    """The tag of each token."""
    tags = [OUTSIDE] * len(tokens.ids)
    for start, end, label in spans:
        inside = tokens.between(start, end)
        for at in range(inside[0], inside[-1] + 1) if inside else ():
            tags[at] = f"{'I' if at > inside[0] else 'B'}-{label}"
    return tags


def runs(tags: Sequence[str], tokens: Tokens) -> list[tuple[range, str]]:
    """The tokens of each span, and its label.  `I` after another label begins a span, as in seqeval.

    Tokens that begin or end a span and are white space alone are left out of it.  A token can be a part of a character.
    What would begin in a character that a span has already belongs to that span, because spans do not overlap.
    """
    starts = [
        at
        for at, tag in enumerate(tags)
        if tag[0] == "B" or (tag[0] == "I" and (at == 0 or tags[at - 1][2:] != tag[2:]))
    ]
    found: list[tuple[range, str]] = []
    for start, following in pairwise([*starts, len(tags)]):
        stop = next((at for at in range(start + 1, following) if tags[at][0] != "I"), following)
        real = [at for at in range(start, stop) if tokens.spans[at][0] < tokens.spans[at][1]]
        if real and found and tokens.spans[real[0]][0] < tokens.spans[found[-1][0][-1]][1]:
            before, label = found[-1]
            found[-1] = (range(before.start, real[-1] + 1), label)
        elif real:
            found.append((range(real[0], real[-1] + 1), tags[start][2:]))
    return found


def characters(tokens: Tokens, part: range, label: str) -> Marked:
    """The characters of a run of tokens, and its label."""
    return tokens.spans[part.start][0], tokens.spans[part.stop - 1][1], label


def reachable(codec: Codec, examples: Sequence[Spans]) -> float:
    """The share of the right spans that tags of tokens can say exactly; 1 without spans."""
    n = reached = 0
    for example in examples:
        tokens, right = codec.tokens(example.text), marked(example)
        back = {characters(tokens, part, label) for part, label in runs(tags_of(tokens, right), tokens)}
        n, reached = n + len(right), reached + len(back & set(right))
    return reached / n if n else 1.0
