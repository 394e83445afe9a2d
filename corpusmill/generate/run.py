"""Text from a trained model: as a stream, or for many prompts at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from corpusmill.generate.beams import search
from corpusmill.generate.prompts import Prompt, prompt_of
from corpusmill.generate.readers import begin
from corpusmill.generate.sampling import COLDEST, choose, penalised
from corpusmill.generate.settings import Sampling
from corpusmill.generate.writer import Finish, Writer
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.trained import Trained, load


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of one text of a batch."""

    row: int  # index of the prompt
    text: str  # whole characters; may be empty
    finish: Finish | None  # why the text has ended; None: it goes on
    n_tokens: int  # tokens so far


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole text."""

    text: str
    finish: Finish
    n_tokens: int  # tokens that the model has chosen
    n_prompt_tokens: int


def generate(
    model: str | Path | Trained, prompt: str, how: Sampling | None = None, *, device: str = "cpu"
) -> Iterator[str]:
    """The model's continuation of a prompt, as pieces of text; of an encoder-decoder, what it writes for the prompt.

    `model` is a folder with model.safetensors, config.json and tokenizer.json (a checkpoint is one), or a model that
    `corpusmill.train.trained.load` has read.  `how` says how tokens are chosen, and where the text ends: with the
    document, at a stop string, or after `max_tokens`.

    Each piece has whole characters.  If the last character is incomplete at the end, it is left out.  On CPU, the same
    arguments give the same text.  When the first piece is requested, InputError if there is no such model, or if it
    writes no text.
    """
    trained = model if isinstance(model, Trained) else load(model, device)
    for piece in stream(trained, [prompt_of(trained, prompt)], how or Sampling()):
        if piece.text:
            yield piece.text


def complete(
    trained: Trained, prompts: Sequence[Prompt], how: Sampling, *, batch_size: int = 8
) -> Iterator[Completion]:
    """The texts of many prompts, in their order; `batch_size` of them are written at a time.

    Each text is the one that the model writes for this prompt alone, up to the rounding of float32.
    """
    for at in range(0, len(prompts), batch_size):
        batch = prompts[at : at + batch_size]
        texts, last = [""] * len(batch), [Piece(0, "", None, 0)] * len(batch)
        for piece in stream(trained, batch, how):
            texts[piece.row] += piece.text
            last[piece.row] = piece
        for text, piece, prompt in zip(texts, last, batch, strict=True):
            assert piece.finish is not None
            yield Completion(text, piece.finish, piece.n_tokens, len(prompt.ids))


def stream(trained: Trained, prompts: Sequence[Prompt], how: Sampling) -> Iterator[Piece]:
    """The texts of a batch of prompts while they are written; at each step, a piece of each text that is not finished.

    With beam search, each text is one piece.
    """
    if how.max_tokens == 0:
        yield from (Piece(row, "", Finish.LENGTH, 0) for row in range(len(prompts)))
    elif how.beams > 1:
        yield from (_searched(trained, row, prompt, how) for row, prompt in enumerate(prompts))
    else:
        batch = _Batch(trained, prompts, how)
        while batch.rows:
            yield from batch.step()


class _Row:
    """One text that is being written."""

    def __init__(self, trained: Trained, number: int, prompt: Prompt, how: Sampling) -> None:
        self.number, self.prompt, self.how = number, prompt, how
        self.writer = _writer(trained, prompt, how)
        self.random = torch.Generator().manual_seed(how.seed)
        self.n_tokens = 0

    def add(self, id_: int) -> Piece:
        """What the next token adds."""
        self.n_tokens += 1
        ended = id_ in self.prompt.ends
        text = "" if ended else self.writer.add(id_)
        finish = self._finish(ended)
        return Piece(self.number, text + (self.writer.rest() if finish else ""), finish, self.n_tokens)

    def _finish(self, ended: bool) -> Finish | None:
        """Why the text ends here; None if it goes on."""
        if ended:
            return Finish.END
        if self.writer.stopped:
            return Finish.STOP
        return Finish.LENGTH if self.n_tokens == self.how.max_tokens else None


class _Batch:
    """Texts that are written together.  A text that is finished leaves the batch."""

    @torch.inference_mode()
    def __init__(self, trained: Trained, prompts: Sequence[Prompt], how: Sampling) -> None:
        self._how = how
        self._reader, self._scores = begin(trained, [prompt.ids for prompt in prompts])
        self._seen = _seen(trained, prompts, self._scores)
        self.rows = [_Row(trained, number, prompt, how) for number, prompt in enumerate(prompts)]

    @torch.inference_mode()
    def step(self) -> list[Piece]:
        """Choose the next token of each text."""
        how, device = self._how, self._scores.device
        scores = self._scores.float()
        if how.repetition_penalty != 1:
            scores = penalised(scores, self._seen, how.repetition_penalty)
        draws = torch.zeros(len(self.rows))
        if how.temperature >= COLDEST:
            draws = torch.cat([torch.rand(1, dtype=torch.float64, generator=row.random) for row in self.rows])
        ids = choose(scores, how, draws.to(device))
        pieces = [row.add(id_) for row, id_ in zip(self.rows, ids.tolist(), strict=True)]
        left = [place for place, piece in enumerate(pieces) if piece.finish is None]
        if len(left) < len(self.rows):
            self.rows = [self.rows[place] for place in left]
            kept = torch.tensor(left, dtype=torch.int64, device=device)
            self._reader.select(kept)
            ids, self._seen = ids[kept], self._seen[kept]
        if self.rows:
            self._seen.scatter_(1, ids[:, None], True)
            self._scores = self._reader.read(ids[:, None], torch.ones_like(ids[:, None], dtype=torch.bool))
        return pieces


@torch.inference_mode()
def _searched(trained: Trained, row: int, prompt: Prompt, how: Sampling) -> Piece:
    """The best text of beam search, cut before a stop string."""
    reader, scores = begin(trained, [prompt.ids])
    found = search(reader, scores, _seen(trained, [prompt], scores), how, prompt.ends)
    writer = _writer(trained, prompt, how)
    text = ""
    for id_ in found.ids:
        text += writer.add(id_)
        if writer.stopped:
            break
    finish = Finish.STOP if writer.stopped else Finish.END if found.ended else Finish.LENGTH
    return Piece(row, text + writer.rest(), finish, len(found.ids) + found.ended)


def _writer(trained: Trained, prompt: Prompt, how: Sampling) -> Writer:
    """A writer of the text after a prompt.  An encoder-decoder shows its gaps, and continues nothing."""
    answers = isinstance(trained.model, EncoderDecoder)
    return Writer(trained.tokenizer, () if answers else prompt.ids, how.stop, shows_special=answers)


def _seen(trained: Trained, prompts: Sequence[Prompt], scores: Tensor) -> Tensor:
    """Which tokens stand in each prompt: (rows, vocab_size).  None does for an encoder-decoder, which begins anew."""
    seen = torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    if not isinstance(trained.model, EncoderDecoder):
        for row, prompt in zip(seen, prompts, strict=True):
            row[torch.tensor(prompt.ids, device=scores.device)] = True
    return seen
