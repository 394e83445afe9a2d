"""Commands of fine-tuning: finetune, predict, embed."""

import json as json_lines
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill.cli.answers import answer_with, folder_named, json, needs_the_extra, renewed_line, say
from corpusmill.cli.app import AsJson, app
from corpusmill.errors import InputError
from corpusmill.terminal import printable

if TYPE_CHECKING:
    from corpusmill.finetune.metrics.figure import Figure
    from corpusmill.finetune.run import Progress, TuneResult
    from corpusmill.train.job import StepReport

ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of a model.")]
OneFile = Annotated[
    Path | None, typer.Argument(metavar="[FILE]", help="JSON lines; by default, or with -, standard input.")
]
Batch = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many lines are computed together.")]
EXTRA = "finetune"


@app.command(short_help="Tune a model for a task.")
def finetune(
    model: ModelFolder,
    data: Annotated[Path, typer.Argument(metavar="DATA", help="JSON lines with the examples of the task.")],
    out: Annotated[str, typer.Option(metavar="FOLDER", help="Name of a folder beside MODEL, or a path.")],
    task: Annotated[
        str | None,
        typer.Option(
            metavar="TASK",
            help="classification, tokens, question-answering, instruction, sequence or embeddings.",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A TOML file with [finetune]; by default the defaults.")
    ] = None,
    validation: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Examples for early stopping; by default a share of DATA.")
    ] = None,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Examples for the figures; by default a share of DATA.")
    ] = None,
    folds: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="First, cross-validate on DATA with K folds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Tune a pretrained model for a task, and measure it on examples that it has not seen.

    Training that was interrupted goes on exactly where it stopped.
    """
    from corpusmill.finetune.settings import load_settings

    settings = load_settings(task, config)
    folder = folder_named(out, model.parent)
    with needs_the_extra("fine-tuning", EXTRA):
        from corpusmill.finetune.run import finetune as run
        from corpusmill.finetune.run import leads

        print("starting ...", file=sys.stderr)
        result = run(
            model, data, settings, folder, validation=validation, test=test, folds=folds, progress=_progress_line()
        )
    if leads():
        answer_with(result, _rendered, as_json)


def _progress_line() -> "Progress":
    line = renewed_line()

    def show(name: str, report: "StepReport") -> None:
        line(
            (f"{name}: " if name else "")
            + f"step {report.step:,}/{report.steps:,}, loss {report.loss:.4f}"
            + (f", validation loss {report.validation_loss:.4f}" if report.validation_loss is not None else "")
            + (f", {report.skipped_steps:,} skipped" if report.skipped_steps else "")
            + f", {report.seconds_left:,.0f} s left",
            report.step == report.steps,
        )

    return show


def _rendered(result: "TuneResult") -> str:
    counts = ", ".join(f"{n:,} {name}" for name, n in result.examples.items())
    lines = [] if result.trained else ["nothing to train: the model is there, tuned on these examples"]
    lines.append(f"  examples: {counts}")
    loss = "" if result.validation_loss is None else f", validation loss {result.validation_loss:.4f}"
    lines.append(f"  {result.steps:,} steps, {result.seconds:,.0f} s{loss}")
    for part, name in (("test", "test"), ("untuned", "before tuning"), ("folds", "mean of the folds")):
        shown = [figure for figure in result.figures if figure.part == part and figure.class_ is None]
        if shown:
            lines += ["", f"{name:<24}{'model':>10}  {'baseline':>10}"]
            lines += [_line(figure) for figure in shown]
    if not any(figure.part == "test" for figure in result.figures):
        lines.append("  there are no test examples, so nothing was measured")
    return "\n".join([*lines, "", f"model: {result.model}"])


def _line(figure: "Figure") -> str:
    baseline = "" if figure.baseline is None else f"{figure.baseline:10.4f}"
    spread = "" if figure.deviation is None else f"  ± {figure.deviation:.4f}"
    return f"  {figure.metric:<22}{figure.value:10.4f}  {baseline:>10}{spread}".rstrip()


@app.command(short_help="Let a tuned model predict.")
def predict(
    model: ModelFolder,
    file: OneFile = None,
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="Predict this one text instead of a file.")] = None,
    batch: Batch = 32,
) -> None:
    """Print what a tuned model says of each line, as JSON lines.

    A line is a JSON object as in training, without what is to be predicted.
    """
    with needs_the_extra("predicting", EXTRA):
        from corpusmill.finetune.predict import example_of, predict
        from corpusmill.finetune.tuned import load_tuned
    if text is not None and file is not None:
        raise InputError("give a FILE or --text, not both")
    tuned = load_tuned(model)
    if text is not None:
        (answer,) = tuned.task.predict(tuned.model, [example_of(tuned, text)])
        print(_json_line(answer))
        return
    with _opened(file) as (lines, where):
        for answer in predict(tuned, lines, where, batch):
            print(_json_line(answer), flush=True)


@app.command(short_help="Write vectors of texts.")
def embed(
    model: ModelFolder,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The Parquet file that is written.")],
    file: OneFile = None,
    batch: Batch = 32,
    as_json: AsJson = False,
) -> None:
    """Write the vector of each text, from an encoder, as Parquet: id, text, vector.

    A line is a JSON object with `text`, and maybe `id`.
    """
    with needs_the_extra("embedding", EXTRA):
        from corpusmill.finetune.predict import embed
    with _opened(file) as (lines, where):
        n = embed(model, lines, where, out, batch=batch)
    if as_json:
        print(json({"vectors": n, "file": str(out)}))
    else:
        say(f"{n:,} vectors: {out}")


@contextmanager
def _opened(file: Path | None) -> Iterator[tuple[Iterator[str], str]]:
    """The lines of a file or of standard input, and its name.  InputError if it cannot be read."""
    if file is None or str(file) == "-":
        yield (line.decode("utf-8-sig", "replace") for line in sys.stdin.buffer), "standard input"
        return
    try:
        lines = file.open(encoding="utf-8-sig", errors="replace", newline="\n")
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from None
    with lines:
        yield lines, str(file)


def _json_line(answer: object) -> str:
    text = json_lines.dumps(answer, ensure_ascii=False)
    return printable(text) if sys.stdout.isatty() else text
