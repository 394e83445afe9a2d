"""Prompts: from a text to token ids, and many prompts from a file of JSON lines."""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from corpusmill.errors import InputError
from corpusmill.train.trained import Trained


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a model continues, or what its encoder reads."""

    ids: tuple[int, ...]
    ends: frozenset[int]  # tokens that end the text


def special_tokens(trained: Trained) -> dict[str, int]:
    """The special tokens of the model's tokenizer, by name."""
    added = trained.tokenizer.get_added_tokens_decoder()
    return {token.content: id_ for id_, token in added.items() if token.special}


def prompt_of(trained: Trained, text: str) -> Prompt:
    """The prompt that continues a text, or for an encoder-decoder, that gives it to the encoder.

    The text is read as text, also where it looks like a special token.  Only the gaps of an encoder-decoder
    (`<extra_id_0>` and so on) are tokens.  A space before a gap belongs to the gap.

    InputError if an encoder-decoder gets more tokens than `row_length`.
    """
    gaps = {name: id_ for name, id_ in special_tokens(trained).items() if name.startswith("<extra_id_")}
    ids = encode(trained, re.sub(" (?=<extra_id_)", "", text), gaps) if gaps else trained.encode(text)
    if trained.kind == "encoder-decoder" and len(ids) >= trained.row_length:
        raise InputError(f"the prompt has {len(ids)} tokens, and the model reads at most {trained.row_length - 1}")
    return Prompt((trained.boundary, *ids), frozenset({trained.boundary}))


def encode(trained: Trained, text: str, special: dict[str, int]) -> list[int]:
    """The ids of a text in which the names of some special tokens stand for these tokens."""
    found: list[int] = []
    for piece in split(text, special):
        found += [special[piece]] if piece in special else trained.encode(piece)
    return found


def split(text: str, names: Iterable[str]) -> list[str]:
    """The text in pieces: names, and what stands between them.  Of names that begin alike, the longest is found."""
    pattern = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return [piece for piece in re.split(f"({pattern})", text) if piece] if pattern else [text]


def read_lines(path: str) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file with one per line, in order; `-` is standard input.  Empty lines are skipped.

    InputError if the file cannot be read, or names the first line that is no JSON object.
    """
    with _opened(path) as file:
        for number, line in enumerate(_lines(file, path), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise InputError(f"{path}: line {number} is no JSON ({error})") from None
            if not isinstance(row, dict):
                raise InputError(f'{path}: line {number} is no JSON object; write {{"prompt": "..."}} on each line')
            yield row


def _lines(file: TextIO, path: str) -> Iterable[str]:
    try:
        yield from file
    except UnicodeDecodeError:
        raise InputError(f"{path}: is not text in UTF-8") from None


@contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    if path == "-":
        sys.stdin.reconfigure(encoding="utf-8-sig")  # type: ignore[union-attr]  # tests may replace it
        yield sys.stdin
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from None
        yield file
