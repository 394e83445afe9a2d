"""Commands of word vectors: vectors, neighbours."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from corpusmill.cli.answers import folder_named, json, needs_the_extra, say
from corpusmill.cli.app import AsJson, CorpusPlace, app
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.terminal import printable


@app.command(short_help="Train word vectors on a corpus.")
def vectors(
    corpus: CorpusPlace,
    method: Annotated[str, typer.Option(metavar="NAME", help="skip-gram, cbow or glove.")] = "skip-gram",
    dimensions: Annotated[int, typer.Option(min=2, metavar="N", help="Numbers per vector.")] = 100,
    window: Annotated[int, typer.Option(min=1, metavar="N", help="Words on each side that count as context.")] = 5,
    epochs: Annotated[int, typer.Option(min=1, metavar="N", help="Passes over the corpus.")] = 5,
    min_count: Annotated[int, typer.Option(min=1, metavar="N", help="Rarer words have no vector.")] = 5,
    subwords: Annotated[
        bool, typer.Option("--subwords", help="Letters of a word add to its vector (fastText).")
    ] = False,
    out: Annotated[
        str, typer.Option(metavar="MODEL", help="Name of a folder in CORPUS/models, or a path.")
    ] = "vectors",
    as_json: AsJson = False,
) -> None:
    """Train static word vectors on the documents of a corpus."""
    with needs_the_extra("training"):
        from corpusmill.vectors.train import train_vectors
    from corpusmill.vectors.settings import VectorSettings

    root = Corpus(corpus).folder
    if not (root / "recipe.toml").exists():
        raise InputError(f"{corpus}: not a corpus directory (there is no recipe.toml in it)")
    try:
        settings = VectorSettings.model_validate({
            "method": method, "size": dimensions, "window": window, "epochs": epochs, "min_count": min_count,
            "subwords": subwords,
        })  # fmt: skip
    except ValueError:  # typer has checked the numbers
        raise InputError(f"there is no method '{method}'; allowed: skip-gram, cbow, glove") from None
    folder = folder_named(out, root / "models")
    print("starting ...", file=sys.stderr)
    found = train_vectors(root, settings, folder)
    if as_json:
        print(json({"words": len(found.words), "size": found.vectors.shape[1], "model": str(folder)}))
        return
    say(f"  {len(found.words):,} words, {found.vectors.shape[1]} numbers each")
    say(f"model: {folder}")


@app.command(short_help="Show words with similar vectors.")
def neighbours(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="The folder of word vectors.")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[WORD]...", help="One word; or three for an analogy: A B C.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, metavar="N", help="Number of answers.")] = 10,
    test: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Score a test set: lines `A B C D`, or `A B SIMILARITY`.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the words nearest to a word; or what is to C as B is to A; or score a test set."""
    with needs_the_extra("this"):
        from corpusmill.vectors.words import WordVectors, record_score, score_file

    found = WordVectors.load(model)
    given = words or []
    if test is not None:
        score = score_file(found, test)
        record_score(model, test, score)
        if as_json:
            print(json(score))
        else:
            say(f"{score.score:.3f} ({score.n_used:,} lines; {score.n_unknown:,} more have words without a vector)")
        return
    if len(given) not in (1, 3):
        raise InputError("give one word, or three for an analogy (A B C: what is to C as B is to A), or --test FILE")
    nearest = (
        found.neighbours(given[0], count) if len(given) == 1 else found.analogy(given[0], given[1], given[2], count)
    )
    if as_json:
        print(json(nearest))
        return
    for each in nearest:
        print(f"{each.similarity:.3f}  {printable(each.word)}")
