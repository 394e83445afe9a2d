"""The command mix: what a training takes of a corpus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill.cli.answers import answer_with
from corpusmill.cli.app import AsJson, CorpusPlace, app
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError

if TYPE_CHECKING:
    from corpusmill.train.mixing import Achieved, GroupPlan, MixReport


@app.command(short_help="Show the mix of a training.")
def mix(
    corpus: CorpusPlace,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file with [train]; by default the recipe of the corpus.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a training takes of each group of documents, before and after it.

    A group is a source, a language or a bucket of a signal, as [mix] of the recipe says.  Shown are the tokens that are
    there, those that the training takes, and how often each document comes.  For each model in CORPUS/models, the
    shares of the rows that it was trained on.
    """
    from corpusmill.recipe import TrainSettings, load_training, parse_training
    from corpusmill.train.mixing import mix_report

    place = Corpus(corpus)
    if config is not None:
        settings: TrainSettings = load_training(config)
    else:
        text = place.read_text("recipe.toml")
        if text is None:
            raise InputError(f"{corpus}: not a corpus directory (it has no recipe.toml)")
        settings = parse_training(text, f"{corpus}: recipe.toml")
    answer_with(mix_report(corpus, settings), _told, as_json)


def _told(report: "MixReport") -> str:
    width = max([5, *(len(group.name) for group in report.groups)])
    lines = [
        f"{'group':{width}}  {'documents':>11}  {'tokens':>15}  {'share':>6}  {'taken':>15}  {'epochs':>7}",
        *(_line(group, width) for group in report.groups),
        f"an epoch of the mix: {report.epoch_rows:,} rows, {report.epoch_tokens:,} tokens; "
        f"the training: {report.training_rows:,} rows, {report.training_tokens:,} tokens",
        *(f"warning: {each}" for each in report.warnings),
        *(line for model in report.models for line in _model(model)),
    ]
    return "\n".join(lines)


def _line(group: "GroupPlan", width: int) -> str:
    return (
        f"{group.name:{width}}  {group.documents:11,}  {group.available:15,}  {group.share:6.1%}  {group.wanted:15,}  "
        f"{group.epochs:7.2f}"
    )


def _model(model: "Achieved") -> list[str]:
    if model.shares is None:
        return [f"model {model.model}, {model.steps:,} steps: trained on other tokens, or with another mix"]
    shares = ", ".join(f"{name} {share:.1%}" for name, share in model.shares.items())
    return [f"model {model.model}, {model.steps:,} steps: {shares}"]
