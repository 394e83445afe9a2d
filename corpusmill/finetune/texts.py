"""Texts as tokens with their places, and tokens as the inputs of a model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from corpusmill.train.batch import IGNORED, Batch, Inputs
from corpusmill.train.vocabulary import Vocabulary

PAD = "<|pad|>"
HAN = r"\p{Han}"


class Tokens(NamedTuple):
    """The tokens of a text.

    `spans` are the characters [start, end) of each token, without white space at its ends.  All tokens of a character
    that is made of several have the span of that character.  A token of white space alone has an empty span.
    """

    ids: list[int]
    spans: list[tuple[int, int]]

    def between(self, start: int, end: int) -> list[int]:
        """The tokens that have some of the characters [start, end)."""
        return [i for i, (first, last) in enumerate(self.spans) if first < end and start < last]


@dataclass(frozen=True, slots=True)
class Codec:
    """A tokenizer, as tasks use it."""

    tokenizer: Tokenizer  # reads special tokens in a text as text
    boundary: int  # begins every input
    pad: int
    max_tokens: int  # of an input

    def ids(self, text: str) -> list[int]:
        """The ids of a text, without special tokens.  A code point that is no character becomes `?`."""
        return self.tokens(text).ids

    def tokens(self, text: str) -> Tokens:
        """The ids of a text and their places."""
        whole = text.encode("utf-8", "replace").decode()
        encoding = self.tokenizer.encode(whole, add_special_tokens=False)
        return Tokens(list(encoding.ids), [_trimmed(whole, *span) for span in encoding.offsets])

    def text(self, ids: Sequence[int]) -> str:
        """The text of ids, without special tokens."""
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """An example, or a window of it, as a model reads it and what it should say."""

    ids: list[int]
    targets: tuple[list[int], ...]
    decoder_ids: list[int] | None = None  # of an encoder-decoder


def batch_of(rows: Sequence[Row], pad: int) -> Batch:
    """Rows of different lengths as one batch.  Padding is the document -1, and its targets are IGNORED."""
    ids, documents = padded([row.ids for row in rows], pad)
    inputs = Inputs(ids, documents)
    if rows[0].decoder_ids is not None:
        decoder_ids, decoder_documents = padded([row.decoder_ids or [] for row in rows], pad)
        inputs = inputs._replace(decoder_ids=decoder_ids, decoder_documents=decoder_documents)
    columns = zip(*(row.targets for row in rows), strict=True)
    targets = tuple(padded(list(column), IGNORED)[0] for column in columns)
    return Batch(inputs, targets, torch.full_like(targets[0], -1))


def padded(rows: Sequence[Sequence[int]], value: int) -> tuple[Tensor, Tensor]:
    """The rows filled up to the longest with a value, and the document of each place: 0, or -1 for padding."""
    longest = max(map(len, rows))
    filled = [[*row, *[value] * (longest - len(row))] for row in rows]
    documents = [[0] * len(row) + [-1] * (longest - len(row)) for row in rows]
    return torch.tensor(filled), torch.tensor(documents)


def windows(n: int, size: int, stride: int) -> list[range]:
    """Windows of at most `size` of `n` tokens, each `stride` after the one before; the last one ends at the end."""
    starts = range(0, max(n - size, 0) + stride, stride) if n > size else range(1)
    return [range(start, min(start + size, n)) for start in starts]


def most_central(parts: Sequence[range], n: int) -> list[int]:
    """For each of `n` tokens, the window in which it is farthest from a cut edge."""
    best = []
    for at in range(n):
        rooms = [
            min(at - part.start if part.start else n, part.stop - 1 - at if part.stop < n else n) if at in part else -1
            for part in parts
        ]
        best.append(rooms.index(max(rooms)))
    return best


def with_han_split(definition: bytes) -> bytes:
    """A tokenizer.json whose tokens never hold two Han characters, or one and something else."""
    data = json.loads(definition)
    split = {"type": "Split", "pattern": {"Regex": HAN}, "behavior": "Isolated", "invert": False}
    others = data["pre_tokenizer"]
    inner = [] if others is None else others["pretokenizers"] if others["type"] == "Sequence" else [others]
    if split not in inner:
        data["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [split, *inner]}
    return json.dumps(data, ensure_ascii=False).encode()


def tokenizer_files(
    vocabulary: Vocabulary, *, ends: bool = False, chat: str | None = None
) -> dict[str, dict[str, Any]]:
    """The tokenizer's files, with which transformers makes the inputs that the model was trained on.

    The boundary token stands before each text of an input, and at its end if it `ends`.  With a chat template, special
    tokens in a text are special, because transformers reads rendered conversations so.
    """
    files = vocabulary.files()
    tokenizer, config = files["tokenizer.json"], files["tokenizer_config.json"]
    name = config["bos_token"]
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    bound: dict[str, Any] = {"SpecialToken": {"id": name, "type_id": 0}}
    first, second = ({"Sequence": {"id": which, "type_id": 0}} for which in "AB")
    last = [bound] if ends else []
    tokenizer["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [bound, first, *last],
        "pair": [bound, first, bound, second, *last],
        "special_tokens": {name: {"id": name, "ids": [vocabulary.boundary], "tokens": [name]}},
    }
    config |= {"pad_token": PAD if PAD in added else name, "padding_side": "right"}
    config["model_input_names"] = ["input_ids", "attention_mask"]
    if chat is not None:
        config |= {"chat_template": chat, "split_special_tokens": False}
    return files


def pad_id(vocabulary: Vocabulary) -> int:
    """The token that fills rows: the tokenizer's own, or the boundary."""
    added = {token["content"]: token["id"] for token in json.loads(vocabulary.definition)["added_tokens"]}
    return int(added.get(PAD, vocabulary.boundary))
