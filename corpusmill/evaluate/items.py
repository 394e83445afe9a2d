"""Evaluation files: JSON lines (also .gz) with one item per line, or plain text.

    {"text": "..."}                                          a document: its loss; may have `source` and `language`
    {"text": "...", "answer": "...", "after": "..."}         cloze: what stands after `text`, and before `after`
    {"question": "...", "choices": ["...", "..."], "answer": 0}    multiple choice: `answer` is a number, or the text

Texts are joined as they stand.  So an answer begins with a space, if the language has spaces.  Each item may have an
`id`.  All items of a file are of one kind.  A file that ends with .txt or .md is one document.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from corpusmill.errors import InputError
from corpusmill.filters.contamination import json_rows

PLAIN = (".txt", ".md")
EXAMPLE = '{"text": "..."}, {"text": "...", "answer": "..."} or {"question": "...", "choices": [...], "answer": 0}'


@dataclass(frozen=True, slots=True)
class Document:
    """A text to be predicted."""

    id: str
    text: str
    source: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Cloze:
    """A text with a gap."""

    id: str
    text: str
    answer: str
    after: str

    @property
    def texts(self) -> tuple[str, ...]:
        """Its text with the gap filled."""
        return (self.text + self.answer + self.after,)


@dataclass(frozen=True, slots=True)
class Choices:
    """A question with several answers, of which one is right."""

    id: str
    question: str
    choices: tuple[str, ...]
    answer: int

    @property
    def texts(self) -> tuple[str, ...]:
        """The question, and the question with its right answer."""
        return (self.question, self.question + self.choices[self.answer])


Item: TypeAlias = Document | Cloze | Choices


@dataclass(frozen=True, slots=True)
class EvaluationFile:
    """The items of a file; all are of one kind."""

    name: str
    kind: str  # documents, cloze or choices
    items: tuple[Item, ...]


def read_file(path: Path) -> EvaluationFile:
    """The items of a file.  InputError if it cannot be read, or an item is wrong."""
    name = path.name.split(".", 1)[0]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    if path.suffix.lower() in PLAIN:
        text = content.decode("utf-8", "replace")
        items: list[Item] = [Document("0", text, name, None)] if text.strip() else []
        kind = "documents"
    else:
        rows = list(json_rows(content, str(path)))
        kind = _kind(rows[0][1], f"{path}: line {rows[0][0]}") if rows else "documents"
        items = [_READ[kind](row, f"{path}: line {line}", str(number), name) for number, (line, row) in enumerate(rows)]
    if not items:
        raise InputError(f"{path}: has no items; give JSON lines such as {EXAMPLE}")
    return EvaluationFile(name, kind, tuple(items))


def _kind(row: dict[str, Any], where: str) -> str:
    if "choices" in row:
        return "choices"
    if "text" in row:
        return "cloze" if "answer" in row else "documents"
    raise InputError(f"{where}: has neither 'text' nor 'choices'; an item is {EXAMPLE}")


def _text(row: dict[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = row.get(key, default)
    if not isinstance(value, str) or not (value or default is not None):
        raise InputError(f"{where}: needs a text '{key}'; an item is {EXAMPLE}")
    return value.encode("utf-8", "replace").decode()


def _id(row: dict[str, Any], number: str) -> str:
    named = row.get("id")
    return str(number if named is None else named).encode("utf-8", "replace").decode()


def _document(row: dict[str, Any], where: str, number: str, name: str) -> Item:
    language = _text(row, "language", where) if row.get("language") is not None else None
    return Document(_id(row, number), _text(row, "text", where), _text(row, "source", where, name), language)


def _cloze(row: dict[str, Any], where: str, number: str, name: str) -> Item:
    return Cloze(
        _id(row, number), _text(row, "text", where), _text(row, "answer", where), _text(row, "after", where, "")
    )


def _choices(row: dict[str, Any], where: str, number: str, name: str) -> Item:
    choices: Sequence[Any] = row.get("choices") or ()
    if not isinstance(choices, list) or len(choices) < 2 or not all(isinstance(c, str) and c for c in choices):
        raise InputError(f"{where}: 'choices' needs two or more texts; an item is {EXAMPLE}")
    answer = row.get("answer")
    if isinstance(answer, str) and answer in choices:
        answer = choices.index(answer)
    if type(answer) is not int or not 0 <= answer < len(choices):
        raise InputError(f"{where}: 'answer' must be the number of a choice, from 0, or its text")
    texts = tuple(choice.encode("utf-8", "replace").decode() for choice in choices)
    return Choices(_id(row, number), _text(row, "question", where), texts, answer)


_READ: dict[str, Callable[[dict[str, Any], str, str, str], Item]] = {
    "documents": _document,
    "cloze": _cloze,
    "choices": _choices,
}
