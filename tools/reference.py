"""Write docs/reference.md: every command with its options, and the public Python functions with their docstrings.

python tools/reference.py
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from typer import Typer
from typer.models import ArgumentInfo, OptionInfo

import corpusmill
from corpusmill import errors
from corpusmill.api import OpenCorpus, TokenRow
from corpusmill.cli import app
from corpusmill.collect.pages import read_pages
from corpusmill.dedup.local import find_twins
from corpusmill.evaluate.documents import Group
from corpusmill.evaluate.evaluate import Evaluated, Figure, evaluate
from corpusmill.evaluate.explain import Explanation, Hard, explain_split, explain_step, write_steps
from corpusmill.export.formats import Exported, export
from corpusmill.filters.personal import mask_text
from corpusmill.filters.rules import judge_pages
from corpusmill.filters.signals import measure_pages
from corpusmill.finetune.metrics.figure import Figure as TunedFigure
from corpusmill.finetune.predict import embed, predict
from corpusmill.finetune.run import TuneResult, finetune
from corpusmill.finetune.settings import load_settings
from corpusmill.finetune.tuned import load_tuned
from corpusmill.generate.fill import Candidate, Filled, fill
from corpusmill.generate.prompts import Prompt, prompt_of
from corpusmill.generate.run import Completion, complete, generate
from corpusmill.generate.settings import Sampling
from corpusmill.loader import RowDocument, Rows, State, Steps, open_rows
from corpusmill.loader.dataset import StepDataset
from corpusmill.pipelines.supervise import Outcome
from corpusmill.stages.state import Books
from corpusmill.tokenize.encode import encode_documents
from corpusmill.tokenize.train import train_tokenizer
from corpusmill.train.finder import find_learning_rate
from corpusmill.train.job import TrainResult
from corpusmill.train.run import train
from corpusmill.train.trace import documents_of_step
from corpusmill.vectors.train import train_vectors
from corpusmill.vectors.words import WordVectors

LINE = 100  # characters; a longer signature is written with one line per argument
PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
INTRODUCTION = """\
# Reference

`python tools/reference.py` writes this page from the code. See also [the recipe](recipe.md) for the keys of a recipe,
and [the catalog](catalog.md) for tables and columns.

## Commands

Exit codes of all commands: 0 done; 1 the run failed, or the corpus is damaged; 2 the recipe, the input or an argument
is wrong; 130 interrupted. `python -m corpusmill` is the same command. `corpusmill --version` prints the version.
"""
PYTHON = {  # heading: the functions and classes under it, with the modules that they are imported from
    "Run and read": (
        ("corpusmill", corpusmill.run),
        ("corpusmill", corpusmill.open),
        ("corpusmill.api", OpenCorpus),
        ("corpusmill.api", TokenRow),
        ("corpusmill.pipelines.supervise", Outcome),
        ("corpusmill.stages.state", Books),
    ),
    "Extend": tuple(
        ("corpusmill", each)
        for each in (corpusmill.signal, corpusmill.edit, corpusmill.stage, corpusmill.source, corpusmill.extractor)
    ),
    "Train": (
        ("corpusmill.train.run", train),
        ("corpusmill.train.job", TrainResult),
        ("corpusmill.train.trace", documents_of_step),
        ("corpusmill.train.finder", find_learning_rate),
        ("corpusmill.vectors.train", train_vectors),
        ("corpusmill.vectors.words", WordVectors),
    ),
    "Load rows": (
        ("corpusmill.loader", open_rows),
        ("corpusmill.loader", Rows),
        ("corpusmill.loader", RowDocument),
        ("corpusmill.loader", Steps),
        ("corpusmill.loader", State),
        ("corpusmill.loader.dataset", StepDataset),
    ),
    "Use a model": (
        ("corpusmill.generate.run", generate),
        ("corpusmill.generate.settings", Sampling),
        ("corpusmill.generate.run", complete),
        ("corpusmill.generate.prompts", prompt_of),
        ("corpusmill.generate.prompts", Prompt),
        ("corpusmill.generate.run", Completion),
        ("corpusmill.generate.fill", fill),
        ("corpusmill.generate.fill", Filled),
        ("corpusmill.generate.fill", Candidate),
        ("corpusmill.export.formats", export),
        ("corpusmill.export.formats", Exported),
    ),
    "Evaluate": (
        ("corpusmill.evaluate.explain", explain_split),
        ("corpusmill.evaluate.explain", explain_step),
        ("corpusmill.evaluate.explain", write_steps),
        ("corpusmill.evaluate.explain", Explanation),
        ("corpusmill.evaluate.explain", Hard),
        ("corpusmill.evaluate.documents", Group),
        ("corpusmill.evaluate.evaluate", evaluate),
        ("corpusmill.evaluate.evaluate", Evaluated),
        ("corpusmill.evaluate.evaluate", Figure),
    ),
    "Fine-tune": (
        ("corpusmill.finetune.run", finetune),
        ("corpusmill.finetune.run", TuneResult),
        ("corpusmill.finetune.metrics.figure", TunedFigure),
        ("corpusmill.finetune.settings", load_settings),
        ("corpusmill.finetune.tuned", load_tuned),
        ("corpusmill.finetune.predict", predict),
        ("corpusmill.finetune.predict", embed),
    ),
    "Stages as functions": (
        ("corpusmill.collect.pages", read_pages),
        ("corpusmill.filters.signals", measure_pages),
        ("corpusmill.filters.rules", judge_pages),
        ("corpusmill.filters.personal", mask_text),
        ("corpusmill.dedup.local", find_twins),
        ("corpusmill.tokenize.train", train_tokenizer),
        ("corpusmill.tokenize.encode", encode_documents),
    ),
}


def reference() -> str:
    """The page as Markdown."""
    sections = [INTRODUCTION, *(_command(name, callback) for name, callback in _commands(app))]
    sections.append("## Python\n\nThe docstrings of the public functions and classes.\n")
    for heading, members in PYTHON.items():
        sections += [f"### {heading}\n", *(_member(module, member) for module, member in members)]
    sections.append(f"### Errors\n\n```text\n{textwrap.dedent(_tree(errors))}\n```\n")
    return "\n".join(sections)


def _commands(of: Typer, group: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """The commands by name, those of a group behind its name."""
    for command in of.registered_commands:
        if command.callback is not None:
            yield f"{group}{command.name or command.callback.__name__}", command.callback
    for each in of.registered_groups:
        if each.typer_instance is not None:
            yield from _commands(each.typer_instance, f"{group}{each.name} ")


def _tree(module: Any) -> str:
    """The tree of errors in the module's docstring."""
    (tree,) = re.findall(r"\n\n( +CorpusmillError\n.*?)\n\n", module.__doc__, re.DOTALL)
    return str(tree)


def _command(name_of_command: str, callback: Callable[..., Any]) -> str:
    """One command: what it does, its usage, its arguments and options."""
    usage, rows = [f"corpusmill {name_of_command}"], []
    for what, default, kind, info in _parameters(callback):
        if isinstance(info, ArgumentInfo):
            name = info.metavar or what.upper()
            usage.append(name if default is inspect.Parameter.empty or name.startswith(("[", "--")) else f"[{name}]")
        else:
            name = _option(what, kind, info)
            if default is inspect.Parameter.empty:
                usage.append(name)
        rows.append(f"| `{_escaped(name)}` | {_default(default)} | {_escaped(_meaning(kind, info))} |\n")
    usage.append("[OPTIONS]")
    table = f"| argument or option | default | |\n|---|---|---|\n{''.join(rows)}"
    called = " ".join(_optional_last(usage))
    return f"### corpusmill {name_of_command}\n\n{_prose(callback)}\n\n```text\n{called}\n```\n\n{table}"


def _optional_last(usage: list[str]) -> Iterator[str]:
    """The usage with options before Beam's options, which begin with two dashes."""
    yield from (word for word in usage if not word.startswith("-- "))
    yield from (f"[{word}]" for word in usage if word.startswith("-- "))


def _parameters(callback: Callable[..., Any]) -> Iterator[tuple[str, Any, Any, ArgumentInfo | OptionInfo]]:
    """Name, default, type and typer's description of each parameter."""
    hints = get_type_hints(callback, include_extras=True)
    for name, parameter in inspect.signature(callback).parameters.items():
        kind, info = get_args(hints[name])[:2]
        if not getattr(info, "hidden", False):
            yield name, parameter.default, _without_none(kind), info


def _without_none(kind: Any) -> Any:
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (each for each in get_args(kind) if each is not type(None))
    return kind


def _option(what: str, kind: Any, info: OptionInfo) -> str:
    first = [info.default] if isinstance(info.default, str) and info.default.startswith("-") else []  # typer's place
    names = ", ".join([*first, *(info.param_decls or ())]) or f"--{what.replace('_', '-')}"
    if kind is bool:
        return names
    types = {int: "NUMBER", float: "NUMBER", Path: "PATH", str: "TEXT"}
    return f"{names} {info.metavar or types.get(kind, 'NAME')}"


def _default(default: Any) -> str:
    if default is inspect.Parameter.empty:
        return "required"
    return "" if default is None or default is False else f"`{default}`"


def _meaning(kind: Any, info: ArgumentInfo | OptionInfo) -> str:
    allowed = ", ".join(kind) if isinstance(kind, type) and issubclass(kind, StrEnum) else ""
    return " ".join(filter(None, (info.help, allowed and f"One of: {allowed}.")))


def _member(module: str, member: Any) -> str:
    """A function, or a class with its public methods and fields."""
    heading = f"#### {module}.{member.__name__}\n"
    if not inspect.isclass(member):
        return f"{heading}\n```text\n{_signature(member)}\n```\n\n{_prose(member)}\n"
    rows = [*_fields(member)]
    for name, value in vars(member).items():
        if isinstance(value, property):
            rows.append(f"- `{name}`: {_line(value)}\n")
        elif inspect.isfunction(value) and not name.startswith("_"):
            rows.append(f"- `{_signature(value, one_line=True)}`: {_line(value)}\n")
    return (
        f"{heading}\n{_prose(member)}\n"
        + "".join("\n".join(["", *_wrapped(row.rstrip())]) for row in rows)
        + "\n" * bool(rows)
    )


def _fields(member: type) -> Iterator[str]:
    """The fields of a dataclass: name, type, and the comment beside it."""
    for line in inspect.getsource(member).splitlines():
        if found := re.fullmatch(r"    (\w+): ([^=#]+?)(?: = [^#]+?)?(?:  # (.*))?", line):
            yield f"- `{found[1]}: {found[2]}`" + (f": {found[3]}\n" if found[3] else "\n")


def _signature(function: Callable[..., Any], *, one_line: bool = False) -> str:
    """The signature as in the source, so that it is the same with every version of Python."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    assert isinstance(definition, ast.FunctionDef)
    arguments = definition.args
    arguments.args = [each for each in arguments.args if each.arg != "self"]
    for each in (*arguments.args, *arguments.kwonlyargs):
        each.annotation = each.annotation and _unquoted(each.annotation)
    returned = ast.unparse(_unquoted(definition.returns)) if definition.returns else "None"
    text = f"{function.__name__}({ast.unparse(arguments)}) -> {returned}"
    if one_line or len(text) <= LINE:
        return text
    defaults: list[ast.expr | None] = [None] * (len(arguments.args) - len(arguments.defaults)) + [*arguments.defaults]
    lines = [_argument(*each) for each in zip(arguments.args, defaults, strict=True)]
    lines += ["*"] * bool(arguments.kwonlyargs)
    lines += [_argument(*each) for each in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    return f"{function.__name__}(\n" + "".join(f"    {line},\n" for line in lines) + f") -> {returned}"


def _unquoted(annotation: ast.expr) -> ast.expr:
    quoted = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
    return ast.parse(annotation.value, mode="eval").body if quoted else annotation  # type: ignore[attr-defined]


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(argument) + (f" = {ast.unparse(default)}" if default is not None else "")


def _prose(described: Any) -> str:
    """A docstring as Markdown.  Each argument that it describes becomes an item."""
    paragraphs = re.split(r"\n\n|\n(?=\w+: |Raises )", inspect.getdoc(described) or "")
    texts = [re.sub(r"^(\w+): ", r"- `\1`: ", " ".join(each.split())).replace("<", "&lt;") for each in paragraphs]
    joined = "\n\n".join("\n".join(_wrapped(text)) for text in texts)
    return re.sub(r"(?m)^(- .*(?:\n  .*)*)\n\n(?=- )", r"\1\n", joined)


def _wrapped(text: str) -> list[str]:
    indent = "  " if text.startswith("- ") else ""
    return textwrap.wrap(text, 128, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _line(described: Any) -> str:
    return " ".join((inspect.getdoc(described) or "").replace("<", "&lt;").split())


def _escaped(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
