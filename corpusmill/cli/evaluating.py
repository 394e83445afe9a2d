"""Commands that measure models: explain, evaluate."""

import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from corpusmill.cli.answers import answer_with, needs_the_extra, renewed_line, say
from corpusmill.cli.app import AsJson, app
from corpusmill.errors import InputError


class Measured(StrEnum):
    """Documents whose losses can be measured."""

    VALIDATION = "validation"
    TRAIN = "train"
    DROPPED = "dropped"


Model = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a model.")]
OfCorpus = Annotated[
    Path | None, typer.Option(metavar="CORPUS", help="Its corpus, if it is not where the model's folder says.")
]
Device = Annotated[str, typer.Option(metavar="NAME", help="cpu or cuda.")]


@app.command(short_help="Show what a model finds hard, or the documents of a training step.")
def explain(
    model: Model,
    step: Annotated[int | None, typer.Option(metavar="N", help="Show the documents of this step, from 1.")] = None,
    split: Annotated[
        Measured, typer.Option(help="The documents that are measured; dropped: pages that rules dropped.")
    ] = Measured.VALIDATION,
    documents: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", help="Measure a sample of N documents; of dropped pages, N of each rule."),
    ] = None,
    worst: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Show N documents; by default 10, of a step all.")
    ] = None,
    write_steps: Annotated[
        str | None,
        typer.Option(metavar="FIRST-LAST", help="Only write the documents of these steps to steps.parquet."),
    ] = None,
    corpus: OfCorpus = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Show the loss of documents under a model: by source, language and kind of page, and the worst ones.

    With --step: the documents of a step of its training, with their loss under the finished model.
    """
    with needs_the_extra("this"):
        from corpusmill.evaluate import explain as question
    if write_steps is not None:
        path = question.write_steps(model, *_steps(write_steps), corpus=corpus)
        say(f"written: {path}")
        return
    progress = _progress()
    if step is not None:
        found = question.explain_step(model, step, corpus=corpus, device=device, progress=progress)
    else:
        found = question.explain_split(
            model, split.value, corpus=corpus, at_most=documents, worst=worst or 10, device=device, progress=progress
        )
    answer_with(found, lambda answer: question.render(answer, worst), as_json)


def _steps(text: str) -> tuple[int, int]:
    first, _, last = text.partition("-")
    if not (first.isdecimal() and (last or first).isdecimal()):
        raise InputError(f"--write-steps {text}: give the first and the last step, such as 1-100")
    return int(first), int(last or first)


def _progress() -> Callable[[int, int], None]:
    """A function that shows how much is measured."""
    line = renewed_line()
    print("starting ...", file=sys.stderr)
    return lambda done, total: line(f"{done:,} of {total:,} measured", done == total)


@app.command(short_help="Measure a model on the validation split, or on your files.")
def evaluate(
    model: Model,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[FILE]...", help="JSON lines with texts, cloze or choices; or text files."),
    ] = None,
    check_contamination: Annotated[
        bool, typer.Option("--check-contamination", help="Look for the items in the training documents.")
    ] = False,
    corpus: OfCorpus = None,
    device: Device = "cpu",
    as_json: AsJson = False,
) -> None:
    """Measure a model: loss, perplexity and bits per byte by source and language; accuracy of cloze and choices.

    Without FILE, it measures the validation documents of the model's corpus.
    """
    with needs_the_extra("this"):
        from corpusmill.evaluate import evaluate as measuring
    found = measuring.evaluate(
        model,
        files or [],
        corpus=corpus,
        device=device,
        check_contamination=check_contamination,
        progress=_progress(),
    )
    answer_with(found, measuring.render, as_json)
