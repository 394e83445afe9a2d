"""The command line's root: the app that every command joins, and the arguments that many commands share."""

from typing import Annotated

import typer

from corpusmill import __version__

app = typer.Typer(
    help="Turns web crawls, dumps and files into a pretraining corpus. Every decision is on record.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

quality_app = typer.Typer(help="Train a classifier of good pages.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(quality_app, name="quality")
perplexity_app = typer.Typer(help="Train n-gram models.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(perplexity_app, name="perplexity")
dedup_app = typer.Typer(help="Choose the settings of deduplication.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(dedup_app, name="dedup")

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as one JSON object, for programs.")]
CorpusPlace = Annotated[str, typer.Argument(metavar="CORPUS", help="The corpus directory, or s3://BUCKET/FOLDER.")]


def _version(wanted: bool) -> None:
    if wanted:
        print(f"corpusmill {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Options of corpusmill itself."""
