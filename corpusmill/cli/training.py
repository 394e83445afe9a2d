"""Commands of training: train, generate."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill.cli.answers import folder_named, json, needs_the_extra, renewed_line, say
from corpusmill.cli.app import AsJson, CorpusPlace, app
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.terminal import size

if TYPE_CHECKING:
    from corpusmill.train.job import StepReport
    from corpusmill.train.settings import TrainSettings


@app.command(short_help="Pretrain a model on a corpus.")
def train(
    corpus: CorpusPlace,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file with [train]; by default the recipe of the corpus.")
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Number of steps; by default that of the settings.")
    ] = None,
    out: Annotated[str, typer.Option(metavar="MODEL", help="Name of a folder in CORPUS/models, or a path.")] = "base",
    find_learning_rate: Annotated[
        bool, typer.Option("--find-learning-rate", help="Only search learning rates, in a short training (100 steps).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Pretrain a model on the tokens of a corpus.

    Training that was interrupted goes on exactly where it stopped.
    """
    from corpusmill.recipe import load_training
    from corpusmill.train.run import train as run_training

    root = Corpus(corpus).folder
    if not (root / "recipe.toml").exists():
        raise InputError(f"{corpus}: not a corpus directory (it has no recipe.toml)")
    settings = load_training(config or root / "recipe.toml")
    folder = folder_named(out, root / "models")
    leads = os.environ.get("RANK", "0") == "0"  # of the processes of torchrun
    if leads:
        print("starting ...", file=sys.stderr)
    if find_learning_rate:
        _find_learning_rate(root, settings, steps, as_json)
        return
    show = _training_line() if leads else (lambda report: None)
    result = run_training(root, settings, folder, steps=steps, progress=show)
    if not leads:
        return
    if as_json:
        print(json(result))
        return
    if not result.trained:
        say("nothing to do: the model is there, trained on these tokens with these settings")
    print(f"  {result.steps:,} steps, {result.tokens:,} tokens, {result.seconds:,.0f} s")
    if result.validation_loss is not None:
        bits, unigram = result.validation_bits_per_byte, result.unigram_validation_loss
        trigram = result.trigram_validation_loss
        say(
            f"  validation loss {result.validation_loss:.3f} nats per token"
            + (f" ({bits:.3f} bits per byte)" if bits is not None else "")
            + (f"; knowing only how frequent each token is: {unigram:.3f}" if unigram is not None else "")
            + (f"; counting trigrams: {trigram:.3f}" if trigram is not None else "")
        )
    say(f"  unigram entropy of the training tokens {result.unigram_entropy:.3f} nats per token")
    say(f"model: {result.model}")


def _find_learning_rate(corpus: Path, settings: "TrainSettings", steps: int | None, as_json: bool) -> None:
    """Search learning rates, and print the losses and what to write into the settings."""
    with needs_the_extra("training"):
        from corpusmill.train.finder import find_learning_rate
    line, n = renewed_line(), steps or 100
    found = find_learning_rate(
        corpus,
        settings,
        steps=n,
        progress=lambda trial: line(f"learning rates x {trial.scale:.4f}: loss {trial.loss:.3f}", False),
    )
    if as_json:
        print(json(found))
        return
    for trial in found.trials[:: max(1, n // 20)]:
        print(f"  x {trial.scale:<8.4f} loss {trial.smoothed_loss:.3f}")
    print(f"the loss falls fastest at x {found.scale:.3f}:\n\n[train.optimizer]")
    for name, rate in found.learning_rates.items():
        print(f"{name} = {rate}")


def _training_line() -> "Callable[[StepReport], None]":
    """A function that shows the progress of training."""
    line = renewed_line()

    def show(report: "StepReport") -> None:
        bits = report.validation_bits_per_byte
        line(
            f"step {report.step:,}/{report.steps:,}, loss {report.loss:.3f}"
            + (f", validation {bits:.3f} bits per byte" if bits is not None else "")
            + f", {report.tokens_per_second:,.0f} tokens/s"
            + (f", {report.mfu:.0%} of peak" if report.mfu is not None else "")
            + f", {report.waiting_share:.0%} waiting, {size(report.memory_bytes)}"
            + (f", {report.skipped_steps:,} skipped" if report.skipped_steps else "")
            + f", {report.seconds_left:,.0f} s left",
            report.step == report.steps,
        )

    return show
