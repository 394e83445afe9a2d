"""Losses of token sequences under a trained model, and log-likelihoods of answers.

A document is measured as a training row of its own: boundary, tokens, boundary.  A longer document is cut into pieces
of `row_length` tokens, as training rows are cut.  So a token is predicted from up to `row_length` tokens before it, and
neighbours in a row do not matter.

    objective         a document's loss
    causal            of each token once
    masked, spans     of what is hidden in DRAWS draws of masks or spans, as in validation

Masks follow from the seed of the training and the document's name.  So the loss of a document does not depend on which
other documents are measured.

Answers are scored by how the model reads:

    decoder, LSTM     log-likelihood of the answer's tokens after the context
    encoder           pseudo-log-likelihood (Salazar et al. 2020): each token of the answer is masked alone
    encoder-decoder   log-likelihood of the answer as the span that is missing in the context
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from corpusmill.draws import Ints
from corpusmill.errors import InputError
from corpusmill.generate.prompts import prompt_of
from corpusmill.generate.run import complete
from corpusmill.generate.settings import Sampling
from corpusmill.train.batch import IGNORED, Inputs
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.objectives import objective_class
from corpusmill.train.settings import AnyObjective, MaskedSettings, OwnSettings
from corpusmill.train.trained import Trained
from corpusmill.train.vocabulary import MASK, Vocabulary

DRAWS = 4  # of masks or spans, for objectives that do not predict every token
DOCUMENT = 0x646F63  # in the keys of random numbers
SCORES_BYTES = 1 << 27  # of the scores of one batch

Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Question:
    """A text with a gap, as token ids, and what may stand in the gap."""

    before: list[int]
    answer: list[int]  # at least one token
    after: list[int]


@dataclass(frozen=True, slots=True)
class Score:
    """The score of an answer."""

    log_likelihood: float  # nats, summed over the answer's tokens
    is_greedy: bool  # whether each of its tokens is the most likely one


class Scorer:
    """A model that measures sequences of tokens."""

    def __init__(self, trained: Trained, objective: AnyObjective, seed: int = 1) -> None:
        self.trained, self._seed, self._settings = trained, seed, objective
        if isinstance(objective, MaskedSettings):
            objective = objective.model_copy(update={"order": "none"})  # lines stay in their order
        if isinstance(trained.model, Encoder):
            trained.model.order = None
        kind = objective_class(objective)
        definition = (trained.folder / "tokenizer.json").read_bytes()
        vocabulary = Vocabulary.of(definition, f"{trained.folder}/tokenizer.json", kind.tokens(objective))
        self._objective = kind(objective, vocabulary)
        self._vocab_size = vocabulary.size

    @property
    def predicts_every_token(self) -> bool:
        """Whether each token of a document is predicted once, so that bits per byte can be measured."""
        return self._objective.predicts_every_token

    # ---- documents -------------------------------------------------------------------------------------------------

    def document_losses(self, names: Sequence[str], documents: Sequence[npt.ArrayLike]) -> tuple[Numbers, Ints]:
        """Sum of the losses in nats, and number of targets, of each document (n); without boundary tokens.

        names: which texts they are, for the masks.
        """
        rows = list(self._rows(names, documents))
        rows.sort(key=lambda row: len(row.ids))
        sums, counts = np.zeros(len(documents)), np.zeros(len(documents), np.int64)
        for batch in self._batches(rows, lambda row: len(row.ids)):
            ids = self._filled([row.ids for row in batch])
            made = self._objective.batch(ids, [row.key for row in batch], training=False)
            with torch.inference_mode():
                arguments = self.trained.model.prepare(made.inputs.to(self.trained.device))
                targets = tuple(each.to(self.trained.device) for each in made.targets)
                losses = self._objective.losses(self.trained.model, arguments, targets, False)[0]
            origins = made.origins.numpy()
            of_rows = losses.double().cpu().numpy().reshape(origins.shape)
            first = np.array([[row.first_text, row.end_text] for row in batch])
            counted = (made.targets[0].numpy() != IGNORED) & (origins >= first[:, :1]) & (origins < first[:, 1:])
            owners = np.array([row.document for row in batch])
            np.add.at(sums, owners, np.where(counted, of_rows, 0.0).sum(1))
            np.add.at(counts, owners, counted.sum(1))
        return sums, counts

    def _rows(self, names: Sequence[str], documents: Sequence[npt.ArrayLike]) -> "Iterator[_Row]":
        length, boundary = self.trained.row_length, self.trained.boundary
        draws = 1 if self.predicts_every_token else DRAWS
        for number, (name, document) in enumerate(zip(names, documents, strict=True)):
            stream = np.concatenate([[boundary], np.asarray(document, np.int64), [boundary]])
            key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest(), "big")
            for piece, start in enumerate(range(0, len(stream) - 1, length)):
                ids = stream[start : start + length + 1]
                text = range(max(0, 1 - start), min(len(ids), len(stream) - 1 - start))
                for draw in range(draws):
                    yield _Row(number, ids, text.start, text.stop, (self._seed, DOCUMENT, key, piece, draw))

    # ---- answers ---------------------------------------------------------------------------------------------------

    def scores(self, questions: Sequence[Question]) -> list[Score]:
        """The score of each answer.  InputError if the model was trained with the user's own objective."""
        if isinstance(self._settings, OwnSettings):
            raise InputError(
                f"{self.trained.folder}: was trained with an objective of your own, so how it answers is not known; "
                "only documents can be measured"
            )
        rows = {"encoder": self._masked, "encoder-decoder": self._spans}.get(self.trained.kind, self._continued)
        made = [(number, row) for number, question in enumerate(questions) for row in rows(question)]
        made.sort(key=lambda each: len(each[1].ids))
        likelihood, greedy = np.zeros(len(questions)), np.ones(len(questions), np.bool_)
        for batch in self._batches(made, lambda each: len(each[1].ids)):
            for (number, row), scores in zip(batch, self._answers([row for _, row in batch]), strict=True):
                chances = scores.log_softmax(1)
                answer = torch.tensor(row.targets)
                if row.counts:
                    likelihood[number] += float(chances.gather(1, answer[:, None]).sum())
                if row.decides:
                    greedy[number] &= bool((chances.argmax(1) == answer).all())
        return [Score(float(a), bool(b)) for a, b in zip(likelihood, greedy, strict=True)]

    def _continued(self, question: Question) -> "list[_Answer]":
        if question.after:
            raise InputError(
                f"{self.trained.folder}: a model of the kind '{self.trained.kind}' does not see what stands after a "
                "gap; leave out 'after'"
            )
        whole = [self.trained.boundary, *question.before, *question.answer][-self.trained.row_length - 1 :]
        self._check(question, self.trained.row_length)
        n = len(question.answer)
        places = list(range(len(whole) - 1 - n, len(whole) - 1))
        return [_Answer(whole[:-1], places, question.answer)]

    def _masked(self, question: Question) -> "list[_Answer]":
        mask, n = self._special(MASK), len(question.answer)
        self._check(question, self.trained.row_length - 1)
        room = self.trained.row_length - 1 - n
        after = question.after[: max(room // 2, room - len(question.before))]
        before = question.before[len(question.before) - min(len(question.before), room - len(after)) :]
        first = 1 + len(before)
        places = list(range(first, first + n))
        ids = [self.trained.boundary, *before, *question.answer, *after]
        hidden = [*ids[:first], *[mask] * n, *ids[first + n :]]
        alone = [
            _Answer([*ids[:place], mask, *ids[place + 1 :]], [place], [ids[place]], decides=False) for place in places
        ]
        return [_Answer(hidden, places, question.answer, counts=False), *alone]

    def _spans(self, question: Question) -> "list[_Answer]":
        gap, boundary = self._special("<extra_id_0>"), self.trained.boundary
        self._check(question, self.trained.row_length)
        room = self.trained.row_length - 2
        after = question.after[: max(room // 2, room - len(question.before))]
        before = question.before[len(question.before) - min(len(question.before), room - len(after)) :]
        written = [boundary, gap, *question.answer[:-1]]
        places = list(range(1, 1 + len(question.answer)))
        return [_Answer([boundary, *before, gap, *after], places, question.answer, written=written)]

    def _special(self, name: str) -> int:
        id_ = self.trained.tokenizer.token_to_id(name)
        if id_ is None:
            raise InputError(f"{self.trained.folder}: its tokenizer has no token {name}, so it fills no gaps")
        return int(id_)

    def _check(self, question: Question, room: int) -> None:
        if len(question.answer) > room:
            raise InputError(
                f"{self.trained.folder}: the model reads at most {room} tokens of an answer, and one has "
                f"{len(question.answer)}"
            )

    def _answers(self, rows: "Sequence[_Answer]") -> list[Tensor]:
        """For each row, the scores at the places of its targets: (targets, vocabulary)."""
        ids = torch.from_numpy(self._filled([row.ids for row in rows]))
        inputs = Inputs(ids, _document([row.ids for row in rows], ids))
        if self.trained.kind == "encoder":
            width = max(len(row.places) for row in rows)
            places = [[*row.places, *[0] * (width - len(row.places))] for row in rows]
            inputs = inputs._replace(positions=torch.tensor(places))
        elif self.trained.kind == "encoder-decoder":
            written = torch.from_numpy(self._filled([row.written for row in rows]))
            documents = _document([row.written for row in rows], written)
            inputs = inputs._replace(decoder_ids=written, decoder_documents=documents)
        with torch.inference_mode():
            scores = self.trained.model(*self.trained.model.prepare(inputs.to(self.trained.device)))
        scores = (scores[0] if isinstance(scores, tuple) else scores).float().cpu()
        if self.trained.kind == "encoder":
            return [scores[i, : len(row.places)] for i, row in enumerate(rows)]
        return [scores[i, row.places] for i, row in enumerate(rows)]

    # ---- texts -----------------------------------------------------------------------------------------------------

    def question(self, before: str, answer: str, after: str = "") -> Question:
        """The tokens of a text with a gap.  White space at the end of `before` belongs to the answer, as in lm-eval.

        The text is encoded as a whole, and a token that crosses the border belongs to the answer.
        """
        stripped = before.rstrip()
        answer, before = before[len(stripped) :] + answer, stripped
        first, whole = self.trained.encode(before), self.trained.encode(before + answer)
        if len(first) >= len(whole):  # the answer changes how the end of the context is split
            whole = [*first, *self.trained.encode(answer)]
        return Question(whole[: len(first)], whole[len(first) :], self.trained.encode(after) if after else [])

    def continuations(self, texts: Sequence[str], how: Sampling) -> list[str]:
        """What the model writes after each text.  InputError if its objective does not continue texts."""
        if self.trained.kind not in ("decoder", "lstm") or isinstance(self._settings, OwnSettings):
            raise InputError(f"{self.trained.folder}: a model of the kind '{self.trained.kind}' continues no text")
        prompts = [prompt_of(self.trained, text) for text in texts]
        return [found.text for found in complete(self.trained, prompts, how)]

    # ---- batches ---------------------------------------------------------------------------------------------------

    def _filled(self, rows: Sequence[Any]) -> Ints:
        """Rows of one length: the rest is filled with boundary tokens, each a document of its own."""
        ids = np.full((len(rows), max(map(len, rows))), self.trained.boundary, np.int64)
        for target, row in zip(ids, rows, strict=True):
            target[: len(row)] = row
        return ids

    def _batches(self, rows: Sequence[Any], size: Callable[[Any], int]) -> Iterator[Sequence[Any]]:
        """Consecutive rows, as many as fit into SCORES_BYTES of scores."""
        most, start = SCORES_BYTES // (4 * self._vocab_size), 0
        for end in range(1, len(rows) + 1):
            if end == len(rows) or (end + 1 - start) * size(rows[end]) > most:
                yield rows[start:end]
                start = end


@dataclass(frozen=True, slots=True)
class _Row:
    """A piece of a document; its text are the tokens [first_text, end_text)."""

    document: int
    ids: Ints
    first_text: int
    end_text: int
    key: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Answer:
    """A row whose tokens at `places` predict `targets`."""

    ids: list[int]
    places: list[int]
    targets: list[int]
    counts: bool = True  # in the log-likelihood
    decides: bool = True  # whether the answer is the most likely one
    written: list[int] = field(default_factory=list)  # what the decoder of an encoder-decoder has written


def _document(rows: Sequence[Sequence[int]], filled: Tensor) -> Tensor:
    """The number of each token's document: 0, and -1 where a row is filled up."""
    lengths = torch.tensor([len(row) for row in rows])
    return -(torch.arange(filled.shape[1]) >= lengths[:, None]).long()
