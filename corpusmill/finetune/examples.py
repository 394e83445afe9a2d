"""Examples of each task: one JSON object per line.  Imports no torch.

Other keys of an object are ignored, except `id`, which predictions repeat.  Offsets count characters (Unicode code
points), from 0, as Python does.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from corpusmill.corpus import checksum_of
from corpusmill.draws import shuffled
from corpusmill.errors import InputError


class Example(BaseModel):
    """One example."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str | int | None = None

    @property
    def is_labelled(self) -> bool:
        """Whether the example says what is right."""
        raise NotImplementedError

    @property
    def content(self) -> tuple[str, ...]:
        """What the model reads.  Examples with equal content are never divided between training and test."""
        raise NotImplementedError

    @property
    def group(self) -> str:
        """Examples are divided so that every group has its share of each part."""
        return ""


class Text(Example):
    """A text whose vector is wanted."""

    text: str


class Labelled(Example):
    """A text or a pair of texts, and its label or labels."""

    text: str
    text_pair: str | None = None
    label: str | int | list[str] | None = None

    @field_validator("label", mode="before")
    @classmethod
    def _names_classes(cls, label: object) -> object:
        """Only texts that are not empty and whole numbers name a class: not true, not 0.5."""
        of_several = label if isinstance(label, list) else [label]
        kinds: set[type] = {str} if isinstance(label, list) else {str, int, type(None)}
        if not all(type(each) in kinds and each != "" for each in of_several):
            raise ValueError("a label is a text that is not empty, or a whole number; several are a list of texts")
        return label

    @property
    def is_labelled(self) -> bool:
        """Whether there is a label."""
        return self.label is not None

    @property
    def content(self) -> tuple[str, ...]:
        """The text, or both."""
        return (self.text,) if self.text_pair is None else (self.text, self.text_pair)

    @property
    def group(self) -> str:
        """The label; of several, the first."""
        return self.labels[0] if self.labels else ""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels as text."""
        return tuple(sorted(set(self.label))) if isinstance(self.label, list) else (str(self.label),)


class Span(BaseModel):
    """A span of a text: the characters [start, end)."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: int = Field(ge=0)
    end: int
    label: str = Field(min_length=1)
    text: str | None = None  # if it is given, it is compared with the text


class Spans(Example):
    """A text and its spans, which do not overlap."""

    text: str
    spans: tuple[Span, ...] | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for span in self.spans or ():
            there = self.text[span.start : span.end]
            if not span.start < span.end <= len(self.text):
                raise ValueError(
                    f"the span {span.start} to {span.end} is not in the text of {len(self.text)} characters"
                )
            if span.text is not None and span.text != there:
                raise ValueError(_OFFSETS.format(span.text, span.start, there))
        for before, after in pairwise(sorted(self.spans or (), key=lambda span: span.start)):
            if after.start < before.end:
                raise ValueError(f"spans overlap at character {after.start}; each character has one label at most")
        return self

    @property
    def is_labelled(self) -> bool:
        """Whether there are spans, maybe none."""
        return self.spans is not None

    @property
    def content(self) -> tuple[str, ...]:
        """The text."""
        return (self.text,)

    @property
    def group(self) -> str:
        """Whether there is any span."""
        return str(bool(self.spans))


class Answer(BaseModel):
    """An answer: its text, and where it begins in the context."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start: int = Field(ge=0)
    text: str = Field(min_length=1)

    @property
    def end(self) -> int:
        """The character after the last one."""
        return self.start + len(self.text)


class Question(Example):
    """A question about a context.  `answer` is null if the context has no answer; `answers` are equally right."""

    context: str
    question: str
    answer: Answer | None = None
    answers: tuple[Answer, ...] | None = None

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for answer in self.right:
            there = self.context[answer.start : answer.end]
            if there != answer.text:
                raise ValueError(_OFFSETS.format(answer.text, answer.start, there))
        return self

    @property
    def right(self) -> tuple[Answer, ...]:
        """The right answers; none if the context has no answer."""
        if self.answers is not None:
            return self.answers
        return () if self.answer is None else (self.answer,)

    @property
    def is_labelled(self) -> bool:
        """Whether there is an answer, or null, which says that there is none."""
        return bool({"answer", "answers"} & self.model_fields_set)

    @property
    def content(self) -> tuple[str, ...]:
        """The context and the question."""
        return (self.context, self.question)

    @property
    def group(self) -> str:
        """Whether there is an answer."""
        return str(bool(self.right))


class Message(BaseModel):
    """What somebody says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    role: Literal["system", "user", "assistant"]
    content: str


class Conversation(Example):
    """Messages; the model learns those of the assistant."""

    messages: tuple[Message, ...] = Field(min_length=1)

    @property
    def is_labelled(self) -> bool:
        """Whether the assistant has the last word."""
        return self.messages[-1].role == "assistant"

    @property
    def content(self) -> tuple[str, ...]:
        """All messages before the last answer."""
        return tuple(message.content for message in self.asked)

    @property
    def asked(self) -> tuple[Message, ...]:
        """The messages that are to be answered: without the last one, if that is the assistant's."""
        return self.messages[:-1] if self.is_labelled else self.messages


class Writing(Example):
    """An input and its output, such as a sentence and its translation."""

    input: str
    output: str | None = None

    @property
    def is_labelled(self) -> bool:
        """Whether there is an output."""
        return self.output is not None

    @property
    def content(self) -> tuple[str, ...]:
        """The input."""
        return (self.input,)


class Pair(Example):
    """Two texts that belong together, such as a question and the passage that answers it."""

    query: str
    positive: str
    negative: str | None = None  # a text that does not belong to the query

    @property
    def is_labelled(self) -> bool:
        """Always: the pair is the label."""
        return True

    @property
    def content(self) -> tuple[str, ...]:
        """The query."""
        return (self.query,)


_OFFSETS = "'{}' does not stand at character {}, where the text has '{}'; offsets count characters, not bytes"
KINDS: dict[str, type[Example]] = {
    "classification": Labelled,
    "tokens": Spans,
    "question-answering": Question,
    "instruction": Conversation,
    "sequence": Writing,
    "embeddings": Pair,
}
E_ = TypeVar("E_", bound=Example)


def parsed(line: str, kind: type[E_], where: str) -> E_:
    """The example of a line.  InputError that begins with `where` if it is none."""
    try:
        data = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: is no JSON: {error}") from None
    data = json.loads(json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"))  # half a surrogate pair: `?`
    if not isinstance(data, dict):
        raise InputError(f"{where}: is no JSON object; its keys are: {', '.join(kind.model_fields)}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        what = f"key '{key}' is missing" if first["type"] == "missing" else f"{key}: {message}" if key else message
        raise InputError(f"{where}: {what}") from None


def read(path: Path, task: str) -> list[Example]:
    """The examples of a file, each with its label.  InputError if the file or a line of it is not as it must be."""
    kind = KINDS[task]
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    found: list[Example] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            example = parsed(line, kind, f"{path}, line {number}")
            if not example.is_labelled:
                raise InputError(f"{path}, line {number}: has no label; training needs what is right in every line")
            found.append(example)
    if not found:
        raise InputError(f"{path}: has no examples; each line is a JSON object with: {', '.join(kind.model_fields)}")
    return found


def checksum(paths: Iterable[Path]) -> list[str]:
    """The checksums of files, in their order."""
    return [checksum_of(path.read_bytes()) for path in paths]


def divided(examples: Sequence[Example], shares: Sequence[float], seed: int) -> list[list[Example]]:
    """The examples in parts: one per share, and then the rest.

    Every group (`Example.group`) is divided by itself.  Examples with equal content stay together.  The result depends
    on contents and seed, and not on the order of the lines.
    """
    parts: list[list[Example]] = [[] for _ in range(len(shares) + 1)]
    for members in _groups(examples, seed):
        at, done = 0.0, 0
        for part, share in zip(parts, shares, strict=False):
            at += share * len(members)
            part += [example for same in members[done : round(at)] for example in same]
            done = round(at)
        parts[-1] += [example for same in members[done:] for example in same]
    return parts


def folds(examples: Sequence[Example], k: int, seed: int) -> list[list[Example]]:
    """The examples in `k` parts of about equal size, divided as in `divided`."""
    parts: list[list[Example]] = [[] for _ in range(k)]
    at = 0
    for members in _groups(examples, seed):
        for same in members:
            parts[at % k] += same
            at += 1
    return parts


def _groups(examples: Sequence[Example], seed: int) -> Iterator[list[list[Example]]]:
    """For each group, its examples in a random order; those with equal content in one list."""
    by_content: dict[tuple[str, ...], list[Example]] = {}
    for example in examples:
        by_content.setdefault(example.content, []).append(example)
    by_group: dict[str, list[tuple[str, ...]]] = {}
    for content, same in by_content.items():
        by_group.setdefault(min(example.group for example in same), []).append(content)
    for number, group in enumerate(sorted(by_group)):
        contents = sorted(by_group[group])
        yield [by_content[contents[i]] for i in shuffled((seed, number), len(contents))]


def named(example: Example) -> dict[str, Any]:
    """The id of an example, for its prediction."""
    return {} if example.id is None else {"id": example.id}
