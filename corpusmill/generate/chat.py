"""Messages to a prompt, with the chat template of a model: a Jinja template, as HF transformers writes and runs it.

The template may come from a stranger, so it runs in Jinja's sandbox, as it does in transformers.  What users write is
never read as a special token: a message that contains `<|im_end|>` does not end its turn.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from corpusmill.errors import InputError, said
from corpusmill.generate.prompts import Prompt, encode, special_tokens, split
from corpusmill.train.trained import Trained

Messages: TypeAlias = Sequence[Mapping[str, Any]]  # each with a role and a content


class _Generation(Extension):
    """The block `generation` of transformers.  It marks for training what an assistant says; here it marks nothing."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """What stands in the block."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


@dataclass(frozen=True, slots=True)
class ChatTemplate:
    """The chat template of a model."""

    source: str
    variables: dict[str, Any]  # bos_token and the like

    @classmethod
    def of(cls, folder: Path) -> "ChatTemplate | None":
        """The template in chat_template.jinja or tokenizer_config.json; None if the model has none."""
        try:
            config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        except FileNotFoundError:
            config = {}
        except ValueError as error:
            raise InputError(f"{folder}/tokenizer_config.json: is damaged: {error}") from None
        file = folder / "chat_template.jinja"
        source = file.read_text("utf-8") if file.exists() else config.get("chat_template")
        if isinstance(source, list):  # several templates with names
            source = {each["name"]: each["template"] for each in source}.get("default")
        if source is None:
            return None
        names = [name for name in config if name.endswith("_token") and config[name] is not None]
        tokens = {name: config[name] for name in names}
        return cls(source, {name: each["content"] if isinstance(each, dict) else each for name, each in tokens.items()})

    def render(self, messages: Messages, *, answers: bool) -> str:
        """The messages as one text.  With `answers`, it ends where the assistant's next message begins.

        InputError if the template fails, also if it refuses the messages.
        """
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation]
        )
        environment.filters["tojson"] = _to_json
        environment.globals |= {"raise_exception": _refuse, "strftime_now": _now}
        try:
            return environment.from_string(self.source).render(
                messages=[dict(each) for each in messages], add_generation_prompt=answers, **self.variables
            )
        except jinja2.TemplateError as error:
            raise InputError(f"the chat template refuses the messages: {error}") from None
        except Exception as error:  # a template can raise anything
            raise InputError(f"the chat template fails: {said(error)}") from error


def chat_prompt(trained: Trained, template: ChatTemplate, messages: Messages) -> Prompt:
    """The prompt after which the model writes the assistant's next message.

    A text ends with the model's boundary, and with the special token that ends the assistant's messages.  InputError if
    a message has no role or no content.
    """
    for each in messages:
        if not (isinstance(each.get("role"), str) and isinstance(each.get("content"), str)):
            raise InputError("every message needs a role and a content, and both are strings")
    special = special_tokens(trained)
    plain = {secrets.token_hex(8): name for name in special}  # stands for a name that a user has written
    hidden = {name: sign for sign, name in plain.items()}
    safe = [{**each, "content": _replaced(each["content"], hidden)} for each in messages]
    ids: list[int] = []
    for piece in split(template.render(safe, answers=True), special):
        ids += [special[piece]] if piece in special else trained.encode(_replaced(piece, plain))
    return Prompt(tuple(ids), frozenset({trained.boundary, *_end_of_turn(trained, template, special)}))


def _replaced(text: str, names: Mapping[str, str]) -> str:
    """The text with other names."""
    return "".join(names.get(piece, piece) for piece in split(text, names))


def _end_of_turn(trained: Trained, template: ChatTemplate, special: dict[str, int]) -> list[int]:
    """The special token that the template writes after a message of the assistant; none if it writes other text."""
    mark = secrets.token_hex(8)
    told = template.render([{"role": "user", "content": "?"}, {"role": "assistant", "content": mark}], answers=False)
    after = told.rpartition(mark)[2].lstrip()
    ids = encode(trained, after, special)
    return ids[:1] if ids and ids[0] in special.values() else []


def _refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _now(form: str) -> str:
    return datetime.now(UTC).strftime(form)


def _to_json(value: Any, indent: int | None = None) -> str:
    """JSON without the escapes of HTML that Jinja's own filter makes."""
    return json.dumps(value, ensure_ascii=False, indent=indent)
