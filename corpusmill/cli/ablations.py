"""Commands that measure what a change of the recipe is worth: ablate compare, search, scaling."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from corpusmill.cli.answers import answer_with, needs_the_extra, renewed_line
from corpusmill.cli.app import AsJson, CorpusPlace, app
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.names import checked_name
from corpusmill.terminal import size

if TYPE_CHECKING:
    from corpusmill.ablate.experiment import Experiment
    from corpusmill.train.job import StepReport

ablate_app = typer.Typer(
    help="Measure what a change of the recipe is worth, by training small models.",
    short_help="Measure what a change of a recipe is worth.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.add_typer(ablate_app, name="ablate")

Config = Annotated[Path, typer.Option(metavar="FILE", help="The ablation, a TOML file.")]
Out = Annotated[
    str | None, typer.Option(metavar="NAME", help="Folder in CORPUS/ablations; by default the file's name.")
]
Workers = Annotated[int | None, typer.Option(min=1, metavar="N", help="Processes that make corpora.")]


@ablate_app.command(short_help="Compare variants of a recipe.")
def compare(
    corpus: CorpusPlace, config: Config, out: Out = None, workers: Workers = None, as_json: AsJson = False
) -> None:
    """Train the same small model on the base recipe and on each variant, with several seeds, and compare.

    An ablation that was interrupted goes on where it stopped.
    """
    with needs_the_extra("an ablation"):
        from corpusmill.ablate.compare import compare as run
        from corpusmill.ablate.page import comparison_page
        from corpusmill.ablate.texts import comparison_text
    experiment = _experiment(corpus, config, out, workers)
    answer = run(experiment)
    place = comparison_page(experiment.folder, answer)
    answer_with(answer, lambda found: f"{comparison_text(found)}\npage: {place}", as_json)


@ablate_app.command(short_help="Search thresholds and mixes within a budget of runs.")
def search(
    corpus: CorpusPlace, config: Config, out: Out = None, workers: Workers = None, as_json: AsJson = False
) -> None:
    """Search thresholds and mixes, and say whether to change the recipe.

    The best trial must beat the recipe with other seeds, on text that the search did not see.
    """
    with needs_the_extra("an ablation"):
        from corpusmill.ablate.page import search_page
        from corpusmill.ablate.search import search as run
        from corpusmill.ablate.texts import search_text
    experiment = _experiment(corpus, config, out, workers)
    answer = run(experiment)
    place = search_page(experiment.folder, answer)
    answer_with(answer, lambda found: f"{search_text(found)}\npage: {place}", as_json)


@ablate_app.command(short_help="Fit a scaling law over a few sizes.")
def scaling(
    corpus: CorpusPlace, config: Config, out: Out = None, workers: Workers = None, as_json: AsJson = False
) -> None:
    """Train several sizes of the model on the base recipe, and fit L = E + A / N^alpha + B / D^beta."""
    with needs_the_extra("an ablation"):
        from corpusmill.ablate.page import scaling_page
        from corpusmill.ablate.scaling import scaling as run
        from corpusmill.ablate.texts import scaling_text
    experiment = _experiment(corpus, config, out, workers)
    answer = run(experiment)
    place = scaling_page(experiment.folder, answer)
    answer_with(answer, lambda found: f"{scaling_text(found)}\npage: {place}", as_json)


def _experiment(corpus: str, config: Path, out: str | None, workers: int | None) -> "Experiment":
    from corpusmill.ablate.experiment import Experiment
    from corpusmill.ablate.settings import load

    root = Corpus(corpus).folder
    if not (root / "recipe.toml").exists():
        raise InputError(f"{corpus}: not a corpus directory (it has no recipe.toml); make it with 'corpusmill run'")
    settings = load(config)
    try:
        name = checked_name(out or config.stem)
    except ValueError as error:
        raise InputError(f"--out: {error}") from None
    return Experiment(settings, config, root, name, workers, show=_progress())


def _progress() -> "Callable[[str, StepReport | None], None]":
    """A function that shows what is made, and the progress of a training."""
    line = renewed_line()

    def show(title: str, report: "StepReport | None") -> None:
        if report is None:
            print(title, file=sys.stderr)
            return
        line(
            f"{title}: step {report.step:,}/{report.steps:,}, loss {report.loss:.3f}, "
            f"{report.tokens_per_second:,.0f} tokens/s, {size(report.memory_bytes)}, {report.seconds_left:,.0f} s left",
            report.step == report.steps,
        )

    return show
