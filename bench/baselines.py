"""Every kind of model against what only counts tokens, and against an LSTM that may compute as much.

    python bench/baselines.py --out baselines [--compute 3] [--seeds 1 2 3] [--kinds decoder lstm ...]

The texts are passages of the example web's proposals (`examples/planted.py`).  They become a corpus in `--out`, and the
models are trained there by the product's own loop.  What is there already is not trained again, so `corpusmill report`
shows the curves afterwards.

**Compute.**  Every training gets the same number of floating-point operations, `--compute` times 10^12, and its number
of steps follows.  What counts: 6 per weight of a matrix product and token that passes through it (2 forward, 4
backward), 12 per width and pair of tokens that a mask lets attend, and the products of Muon.  The scores count for the
tokens that are scored: all of a decoder, 30 % of an encoder.  Look-ups, norms and activations do not count.

**Figures.**  All are in nats per token on the same rows of validation text.  A decoder and an LSTM predict every token.
An encoder predicts 15 % of the tokens, which are masked, and an encoder-decoder predicts those of the missing spans.
Of these tokens, the baselines have a loss, too, and they read the true text around them:

    unigram, trigram, LSTM            know what stands before the token
    trigram, LSTM, from both sides    also what stands after it, by Bayes' rule over the whole vocabulary:
                                      p(w | before) p(next two tokens | before, w), normalised

So every baseline of an encoder sees more of the text to the left than the encoder, of which 15 % is masked.  From both
sides, an LSTM costs two steps per word of the vocabulary, and is measured on fewer rows.

The vocabulary and the rows are small, so that a minute of one CPU is enough for a training to go beyond trigrams.  With
longer rows, nn.LSTM takes several times as long for the same operations, because it computes token after token.

Intervals are of 95 %, over seeds and rows together (`corpusmill.ablate.statistics`).
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from corpusmill.ablate.statistics import LN2, difference
from corpusmill.generate.readers import begin
from corpusmill.loader import Position
from corpusmill.train.baselines import Trigrams
from corpusmill.train.batch import IGNORED, Model
from corpusmill.train.job import Job
from corpusmill.train.machine import using_threads
from corpusmill.train.run import train
from corpusmill.train.settings import MuonSettings, TrainSettings
from corpusmill.train.trained import Trained, load
from corpusmill.train.work import Pretraining
from examples.planted import passages, proposals

Numbers = npt.NDArray[np.float64]

PASSAGES = 1000
VALIDATION_ROWS = 256
BOTH_SIDES_ROWS = 32  # for an LSTM
VOCAB_SIZE = 320
RECIPE = f"""
[[sources]]
name = "proposals"
kind = "jsonl"
paths = ["proposals.jsonl"]

[filters]
profiles = ["none"]

[tokenizer]
vocab_size = {VOCAB_SIZE}

[split]
validation_share = 0.05
"""
COMMON = {
    "row_length": 64, "rows_per_step": 16, "validation_rows": VALIDATION_ROWS, "schedule": {"kind": "linear"},
    "checkpoint_every": 100,
}  # fmt: skip
SHAPE = {"layers": 2, "width": 128, "heads": 4}
MUON = {"kind": "muon", "learning_rate": 0.01, "matrix_learning_rate": 0.03}
SLOWER = MUON | {"learning_rate": 0.003}
ADAMW = {"kind": "adamw", "learning_rate": 0.01}
KINDS: dict[str, dict[str, Any]] = {
    "decoder": {"model": SHAPE | {"kv_heads": 2}, "optimizer": MUON},
    "lstm": {"model": {"kind": "lstm", "layers": 2, "width": 128}, "optimizer": ADAMW},
    "lstm-attention": {"model": {"kind": "lstm", "layers": 2, "width": 128, "attention": True}, "optimizer": ADAMW},
    "encoder": {"model": SHAPE | {"kind": "encoder", "window": 4, "global_every": 2}, "optimizer": SLOWER},
    "encoder-decoder": {"model": SHAPE | {"kind": "encoder-decoder", "kv_heads": 2}, "optimizer": MUON},
}


def main() -> None:
    """Make the corpus, train, measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--compute", type=float, default=3.0, help="10^12 operations per training")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=[*KINDS])
    options = parser.parse_args()
    with using_threads(1):
        corpus = made_corpus(options.out)
        text = Validation(corpus)
        found = {
            kind: [measured(corpus, text, kind, seed, 1e12 * options.compute) for seed in options.seeds]
            for kind in options.kinds
        }
    show(text, found)


def made_corpus(folder: Path) -> Path:
    """The corpus of the passages."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = [passage for text in proposals() for passage in passages(text)]
    random.Random(1).shuffle(texts)
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts[:PASSAGES])
    (folder / "proposals.jsonl").write_text(lines, "utf-8")
    (folder / "recipe.toml").write_text(RECIPE, "utf-8")
    corpus = folder / "corpus"
    if not (corpus / "tokens").exists():
        command = [sys.executable, "-m", "corpusmill", "run", str(folder / "recipe.toml"), "--corpus", str(corpus)]
        subprocess.run([*command, "--workers", "1"], check=True, capture_output=True)
    return corpus


@dataclass(frozen=True)
class Run:
    """A model that was trained."""

    weights: int
    steps: int
    compute: float  # operations
    tokens: int
    nats: Numbers  # of each token of each validation row: (rows, row_length), NaN where none is predicted
    both_sides: Numbers | None  # the same for an LSTM that reads both sides


def measured(corpus: Path, text: "Validation", kind: str, seed: int, compute: float) -> Run:
    """Train a model with this number of operations, and measure it."""
    settings = TrainSettings.model_validate({**COMMON, **KINDS[kind], "seed": seed})
    job = Job.of(corpus, settings, Path())
    work = Pretraining(job)
    per_step = operations(work, settings)
    steps = round(compute / per_step)
    settings = settings.model_copy(update={"steps": steps, "validate_every": -(-steps // 10)})
    result = train(corpus, settings, corpus / "models" / f"{kind}-{seed}")
    trained = load(result.model)
    print(f"{kind}, seed {seed}: {steps} steps, loss {result.validation_loss}", file=sys.stderr, flush=True)
    return Run(
        sum(p.numel() for p in trained.model.parameters()), steps, steps * per_step, result.tokens,
        text.nats(trained.model, work), both_sides_of_lstm(corpus, text, trained) if kind == "lstm" else None,
    )  # fmt: skip


def both_sides_of_lstm(corpus: Path, text: "Validation", trained: Trained) -> Numbers:
    """The loss of the tokens of the first rows that an encoder predicts, under an LSTM that reads both sides."""
    settings = TrainSettings.model_validate({**COMMON, **KINDS["encoder"]})
    objective = Pretraining(Job.of(corpus, settings, Path())).objective
    tokens = np.zeros(text.trigram.shape, np.bool_)
    for row in range(BOTH_SIDES_ROWS):
        batch = objective.batch(text.rows[row : row + 1], [(row,)], training=False)
        places = batch.origins[0][batch.targets[0][0] != IGNORED]
        tokens[row, places[places >= 1] - 1] = True
    return text.both_sides(tokens, text.by_lstm(trained))


def operations(work: Pretraining, settings: TrainSettings) -> float:
    """Floating-point operations of a step."""
    n = settings.rows_per_step
    keys = [(settings.seed, 0, row) for row in range(n)]
    batch = work.objective.batch(work.rows.take(Position(), n), keys, training=True)
    model, total = work.new_model(), 0.0

    def count(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        nonlocal total
        x = inputs[0] if isinstance(inputs[0], Tensor) else inputs[0].data  # a packed sequence
        total += sum(6.0 * p.numel() * x.shape[:-1].numel() for p in module.parameters() if p.ndim == 2)

    for module in model.modules():
        if isinstance(module, nn.Linear | nn.LSTM):
            module.register_forward_hook(count)
    arguments = model.prepare(batch.inputs)
    with torch.no_grad():
        scores = model(*arguments)
    scores = scores[0] if isinstance(scores, tuple) else scores
    width = settings.model.width
    total += 6.0 * width * scores.numel()  # by the embedding
    total += 12.0 * width * sum(int(mask.sum()) * layers for mask, layers in masks(model, arguments))
    if isinstance(settings.optimizer, MuonSettings):
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and ".layers." in name:
                low, high = sorted(weight.shape)
                total += 5 * (4.0 * low * low * high + 2.0 * low**3)
    return total


def masks(model: Model, arguments: tuple[Any, ...]) -> list[tuple[Tensor, int]]:
    """The masks of a model's arguments, and the number of layers that use each."""
    found = [each for each in arguments if isinstance(each, Tensor) and each.dtype == torch.bool]
    layers = model.config.num_hidden_layers if hasattr(model, "config") else model.settings.layers
    if len(found) == 2:  # an encoder
        wide = sum(model._is_global(index) for index in range(layers))
        return [(found[0], wide), (found[1], layers - wide)]
    return [(mask, layers if hasattr(model, "config") else 1) for mask in found]


class Validation:
    """The rows that every model is measured on, and what the baselines make of them.

    A loss of token t of a row is at [row, t - 1], since the first token of a row is never predicted.
    """

    def __init__(self, corpus: Path) -> None:
        job = Job.of(corpus, TrainSettings.model_validate(COMMON), Path())
        rows = job.rows("validation")
        self.rows = rows.take(Position(), rows.n_rows(VALIDATION_ROWS))
        ((_, texts, sizes),), vocabulary = job.rows("train").first_windows(), job.vocabulary()  # one source
        ids = np.concatenate(texts)
        self.size, self.boundary = vocabulary.n_text, vocabulary.boundary
        counts = np.bincount(ids, minlength=self.size).astype(np.float64)
        counts[self.boundary] += len(sizes)
        self.unigram: Numbers = -np.log((counts + 1) / (counts.sum() + self.size))[self.rows[:, 1:]]
        self.trigrams = Trigrams.of(ids, sizes, self.size, self.boundary)
        last, start = self.rows[:, :-1], self.trigrams.start
        before = np.full_like(last, start)
        before[:, 1:] = np.where(last[:, 1:] == self.boundary, start, last[:, :-1])
        flat = (each.flatten() for each in (before, last, self.rows[:, 1:]))
        self.trigram = self.trigrams.losses(*flat).reshape(last.shape)

    def nats(self, model: Model, work: Pretraining) -> Numbers:
        """The loss of each token that the model predicts: (rows, row_length), NaN for the others."""
        found = np.full(self.trigram.shape, np.nan)
        model.eval()
        for row in range(len(self.rows)):
            batch = work.objective.batch(self.rows[row : row + 1], [(row,)], training=False)
            with torch.inference_mode():
                losses = work.objective.losses(model, model.prepare(batch.inputs), batch.targets, False)[0]
            places = batch.origins[0].numpy()
            chosen = (places >= 1) & (batch.targets[0][0].numpy() != IGNORED)
            found[row, places[chosen] - 1] = losses.numpy()[chosen]
        return found

    def both_sides(self, tokens: npt.NDArray[np.bool_], scores: "Scores") -> Numbers:
        """The loss of some tokens from what stands before and after them: NaN for the others."""
        found = np.full(self.trigram.shape, np.nan)
        for row, place in zip(*np.nonzero(tokens), strict=True):
            ids, at = self.rows[row], place + 1
            after = [*ids[at + 1 : at + 3].tolist()]
            if after and after[0] == self.boundary:
                after = after[:1]  # what follows is another document
            starts = np.flatnonzero(ids[:at] == self.boundary)
            logs = scores(ids[starts[-1] if len(starts) else 0 : at].tolist(), after)
            found[row, place] = np.logaddexp.reduce(logs) - logs[ids[at]]
        return found

    def by_trigrams(self, before: list[int], after: list[int]) -> Numbers:
        """As in `Scores`."""
        words = np.arange(self.size)

        def losses(u: Any, v: Any, w: Any) -> Numbers:
            first = np.where(np.broadcast_to(v, words.shape) == self.boundary, self.trigrams.start, u)
            return self.trigrams.losses(first, *(np.broadcast_to(each, words.shape) for each in (v, w)))

        known = [self.trigrams.start, *before][-2:]
        logs = -losses(*known, words)
        for number, word in enumerate(after):
            u, v = [*known, words, *after][1 + number : 3 + number]
            logs = logs - losses(u, v, word)
        return logs

    def by_lstm(self, trained: Trained) -> "Scores":
        """What an LSTM says, as in `Scores`."""
        real = torch.ones(self.size, 1, dtype=torch.bool)

        def scores(before: list[int], after: list[int]) -> Numbers:
            with torch.inference_mode():
                reader, first = begin(trained, [before])
                logs = first[0].log_softmax(-1)
                reader.select(torch.zeros(self.size, dtype=torch.int64))
                read = torch.arange(self.size)[:, None]
                for word in after:
                    logs = logs + reader.read(read, real).log_softmax(-1)[:, word]
                    read = torch.full_like(read, word)
                values: Numbers = logs.double().numpy()
            return values

        return scores


# of every word of the vocabulary: log p(before, word, after) + a constant, given the tokens before and after it
Scores = Callable[[list[int], list[int]], Numbers]


def show(text: Validation, found: dict[str, list[Run]]) -> None:
    """Print the tables."""
    print(
        "| model | weights | steps | tokens | 10^12 operations | loss | unigram | trigram | minus trigram |\n"
        "|---|---|---|---|---|---|---|---|---|"
    )
    for kind, runs in found.items():
        nats = np.stack([run.nats for run in runs])
        first, chosen = runs[0], ~np.isnan(nats[0])
        unigram, trigram = (np.where(chosen, each, np.nan) for each in (text.unigram, text.trigram))
        print(
            f"| {kind} | {first.weights:,} | {first.steps:,} | {first.tokens:,} | {first.compute / 1e12:.2f} | "
            f"{np.nanmean(nats):.3f} | {np.nanmean(unigram):.3f} | {np.nanmean(trigram):.3f} | "
            f"{shown(nats, trigram[None])} |"
        )
    print("\n| at equal compute | tokens | loss | of the other | difference |\n|---|---|---|---|---|")
    for kind in ("lstm", "lstm-attention"):
        compared(f"decoder, {kind}", found, "decoder", [run.nats for run in found.get(kind, [])])
    for kind in ("encoder", "encoder-decoder"):
        compared(f"{kind}, lstm from the left", found, kind, [run.nats for run in found.get("lstm", [])])
    compared("encoder, lstm from both sides", found, "encoder", [run.both_sides for run in found.get("lstm", [])])
    for kind in ("encoder", "encoder-decoder"):
        if kind in found:
            chosen = ~np.isnan(found[kind][0].nats)
            compared(f"{kind}, trigram from both sides", found, kind, [text.both_sides(chosen, text.by_trigrams)])


def compared(title: str, found: dict[str, list[Run]], kind: str, others: list[Numbers]) -> None:
    """Print a line: the loss of the tokens that both predict, and the difference with its interval."""
    if kind in found and others:
        ours, theirs = np.stack([run.nats for run in found[kind]]), np.stack(others)
        both = ~(np.isnan(ours[:1]) | np.isnan(theirs[:1]))
        ours, theirs = np.where(both, ours, np.nan), np.where(both, theirs, np.nan)
        print(
            f"| {title} | {both.sum():,} | {np.nanmean(ours):.3f} | {np.nanmean(theirs):.3f} | {shown(ours, theirs)} |"
        )


def shown(ours: Numbers, theirs: Numbers) -> str:
    """The difference of two losses per token, with its interval: (seeds, rows, row_length) each, or one seed."""
    per_row = np.nansum(ours - theirs, 2)
    used = (~np.isnan(ours[0])).sum(1)
    rows = used > 0
    found = difference(per_row[:, rows], used[rows].astype(float), 0.95)
    return "{:+.3f} ({:+.3f} to {:+.3f})".format(*(LN2 * each for each in (found.estimate, found.low, found.high)))


if __name__ == "__main__":
    main()
