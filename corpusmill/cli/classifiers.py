"""Commands that train what rules read: quality train, perplexity train."""

from pathlib import Path
from typing import Annotated

import typer

from corpusmill.cli.answers import json
from corpusmill.cli.app import AsJson, perplexity_app, quality_app
from corpusmill.terminal import printable, size


@quality_app.command("train", short_help="Train a fastText classifier on two samples.")
def quality_train(
    positive: Annotated[
        list[str],
        typer.Option(metavar="FILE|CORPUS", help="Good texts, JSONL, Parquet, text, or a corpus; repeatable."),
    ],
    negative: Annotated[list[str], typer.Option(metavar="FILE|CORPUS", help="Other texts, such as random pages.")],
    out: Annotated[Path, typer.Option(metavar="MODEL", help="The model's file; MODEL.json beside it has its figures.")],
    name: Annotated[str, typer.Option(help="What the model is called in its figures.")] = "quality",
    as_json: AsJson = False,
) -> None:
    """Train a classifier of good pages on positive and negative texts, and measure it on those held out."""
    from corpusmill.stages.models import train_quality

    figures = train_quality(positive, negative, out, name)
    if as_json:
        print(json(figures))
        return
    trained, held_out = figures["trained_on"], figures["held_out"]
    print(f"  trained on {trained['positive']:,} positive and {trained['negative']:,} negative texts")
    print(f"  held out: {held_out['positive']:,} and {held_out['negative']:,}; AUC {figures['auc']:.4f}")
    for row in figures["calibration"]:
        print(
            f"  probability {row['lowest']:.1f} to {row['highest']:.1f}: {row['documents']:,} texts,"
            f" mean {row['probability']:.3f}, positive {row['share']:.3f}"
        )
    print(f"model: {printable(str(out))} ({size(figures['bytes'])})")


@perplexity_app.command("train", short_help="Train an n-gram model for each language of a sample.")
def perplexity_train(
    text: Annotated[
        list[str],
        typer.Option(metavar="FILE|CORPUS", help="Good texts, JSONL, Parquet, text, or a corpus; repeatable."),
    ],
    out: Annotated[Path, typer.Option(metavar="MODEL", help="The model's file; MODEL.json beside it has its figures.")],
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="Language of all texts; by default it is identified.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Train an n-gram model for each language of good texts; texts held out set the limits of head, middle and tail."""
    from corpusmill.stages.models import train_perplexity

    figures = train_perplexity(text, out, language)
    if as_json:
        print(json(figures))
        return
    for code, found in figures["languages"].items():
        first, second = found["limits"]
        print(
            f"  {code}: {found['trained_on']:,} texts, {found['words']:,} words, {found['n_grams']:,} n-grams;"
            f" head up to {first:,.1f}, tail from {second:,.1f}"
        )
    for code, n in figures["too_few_texts"].items():
        print(f"  {code}: only {n:,} texts, too few for a model")
    print(f"model: {printable(str(out))} ({size(figures['bytes'])})")
