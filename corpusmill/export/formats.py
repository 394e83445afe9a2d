"""What can be exported to what.  A format is a line in FORMATS and a module with the function `write`.

`write` gets a `Request`.  It writes its files into the empty folder `request.out`, checks them with the program that
they are for, and returns the figures that it has measured.  Only then does the folder get its name, so a folder that is
there is complete.
"""

import importlib
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from corpusmill.errors import InputError
from corpusmill.export.figures import Figure, add_figures
from corpusmill.store import full_disk_is_a_run_error, is_url


class PathKind(StrEnum):
    """What a path holds."""

    MODEL = "model"
    CORPUS = "corpus"


@dataclass(frozen=True, slots=True)
class Format:
    """A format, for one kind of path."""

    name: str
    kind: PathKind
    module: str  # has the function `write`


FORMATS = (
    Format("hf", PathKind.MODEL, "corpusmill.export.hf"),
    Format("onnx", PathKind.MODEL, "corpusmill.export.onnx"),
    Format("int8", PathKind.MODEL, "corpusmill.export.int8"),
    Format("gguf", PathKind.MODEL, "corpusmill.export.gguf"),
    Format("hf", PathKind.CORPUS, "corpusmill.export.hf_tokens"),
    Format("nanogpt", PathKind.CORPUS, "corpusmill.export.nanogpt"),
    Format("llmc", PathKind.CORPUS, "corpusmill.export.llmc"),
    Format("megatron", PathKind.CORPUS, "corpusmill.export.megatron"),
    Format("mds", PathKind.CORPUS, "corpusmill.export.mds"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is to be exported."""

    path: Path | str  # of a model; of a corpus also a URL
    out: Path  # an empty folder
    corpus: Path | None  # that the user has named
    progress: Callable[[str], None]  # is called with what is done next


@dataclass(frozen=True, slots=True)
class Exported:
    """The result of an export."""

    out: Path
    format: str
    files: dict[str, int]  # bytes by name
    figures: tuple[Figure, ...]
    notes: tuple[str, ...]  # what could not be measured, and why


@dataclass(frozen=True, slots=True)
class Written:
    """What a format's `write` returns."""

    figures: tuple[Figure, ...] = ()
    notes: tuple[str, ...] = ()


def export(
    path: str | Path,
    format: str,
    out: str | Path,
    *,
    corpus: str | Path | None = None,
    progress: Callable[[str], None] = lambda what: None,
) -> Exported:
    """Export a trained model, or the tokens of a corpus, to the new folder `out`.

    The formats of a model are hf, onnx, int8 and gguf; those of a corpus hf, nanogpt, llmc, megatron and mds.  A corpus
    may be at a URL.  `corpus` is the corpus that the model was trained on, if the model's
    folder is not in it.  `progress` is called with each thing that is done.  What was measured is added to
    exports.parquet in a model's folder.

    InputError if there is nothing to export at the path, if its format is another one, or if `out` exists; RunError if
    the result is not what it should be, or if the disk is full.
    """
    path, out = str(path) if is_url(str(path)) else Path(path), Path(out)
    chosen = _format_of(path, format)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(f"{out}: exists; give another --out, or remove it yourself")
    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.parent / f".{out.name}.{uuid.uuid4().hex}.tmp"
    place = None if corpus is None else Path(corpus)
    with full_disk_is_a_run_error(out.parent):
        temporary.mkdir()
        try:
            request = Request(path=path, out=temporary, corpus=place, progress=progress)
            written: Written = importlib.import_module(chosen.module).write(request)
            temporary.rename(out)
        except BaseException:
            shutil.rmtree(temporary)
            raise
        files = {str(file.relative_to(out)): file.stat().st_size for file in sorted(out.rglob("*")) if file.is_file()}
        figures = (Figure("bytes", float(sum(files.values()))), *written.figures)
        if isinstance(path, Path) and chosen.kind is PathKind.MODEL:
            add_figures(path, chosen.name, out, figures)
    return Exported(out, chosen.name, files, figures, written.notes)


def kind_of(path: Path | str) -> PathKind:
    """What is at the path or URL; InputError if it cannot be exported."""
    if isinstance(path, str):
        return PathKind.CORPUS
    if not path.is_dir():
        raise InputError(f"{path}: there is no such folder; give the folder of a model or of a corpus")
    if (path / "recipe.toml").exists() or (path / "tokens").is_dir():
        return PathKind.CORPUS
    if (path / "config.json").exists():
        return PathKind.MODEL
    raise InputError(f"{path}: is neither a trained model, which has a config.json, nor a corpus")


def _format_of(path: Path | str, name: str) -> Format:
    """The format with this name for what is at the path."""
    kind = kind_of(path)
    fitting = {each.name: each for each in FORMATS if each.kind is kind}
    if name not in fitting:
        raise InputError(f"there is no format '{name}' for a {kind}; there are {', '.join(fitting)}")
    return fitting[name]
