"""Encode documents to token ids, exactly as HF `tokenizers` does and several times faster.

A byte-level BPE tokenizer of ours is run by tiktoken, which takes the same pattern and the same tokens.  The two agree
on every text if

- merges are listed in the order of the ids that they make (tiktoken ranks by id, HF by position), and
- every token is what BPE makes of its own bytes (tiktoken looks a piece up as a whole and merges any two neighbours
  that spell a token; HF merges listed pairs only).  Then a token's bytes, when nothing merges across their ends, come
  to the same two last halves in both, so whichever pair tiktoken may merge is the listed one.

Both are checked when a tokenizer is loaded, and one more thing: that both libraries know the same Unicode, on letters
that recent versions of Unicode added.  Any other tokenizer (a user's Unigram, another pattern) is run by HF itself.

A document is text: a special token's name inside it is encoded as ordinary characters.  tiktoken gives up on some
very long runs of white space (its regex engine limits backtracking, at about 500,000 characters); such a document is
encoded by HF.

Cost: see bench/encode.py; on technical English one core does 3.5 MB/s with HF and 24 MB/s with tiktoken.
"""

import itertools
import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import tiktoken
from tokenizers import Tokenizer

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.tokenize.train import PATTERN, new_tokenizer

# Letters, marks and digits that Unicode 11 to 17 added, each where the pattern cuts differently if it is unknown.
_NEW_CHARACTERS = "".join(
    f"a{c}b {c}1{c}{c}." for c in "\u0560\u0c77\u08c7\u0870\u0cf3\U0001e4d0\u1c89\U000105c0\u088f\U00010940\U00011de0"
)

_PRE_TOKENIZER = json.loads(new_tokenizer().to_str())["pre_tokenizer"]


class Encoder:
    """A tokenizer, ready to encode.  `engine` is the library that does it: tiktoken or tokenizers."""

    def __init__(self, definition: str, where: str = "tokenizer.json") -> None:
        try:
            self._tokenizer = Tokenizer.from_str(definition)
        except Exception as error:  # noqa: BLE001  # the library raises bare Exception
            raise InputError(f"{where}: not a tokenizer.json that HF tokenizers can read: {error}") from None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True  # that is: as ordinary text
        self.vocab_size = 1 + max(self._tokenizer.get_vocab().values(), default=0)
        self._fast = _tiktoken_of(self._tokenizer)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The tokenizer in a tokenizer.json file; InputError if there is none."""
        try:
            return cls(Path(path).read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as a tokenizer: {error}") from None

    @property
    def engine(self) -> str:
        """Which library encodes: tiktoken where its ids are proven to be HF's, else tokenizers."""
        return "tiktoken" if self._fast else "tokenizers"

    def encode(self, text: str) -> npt.NDArray[np.uint32]:
        """The ids of a text, without special tokens."""
        if self._fast:
            try:
                return self._fast.encode_to_numpy(text, disallowed_special=())
            except ValueError:  # the regex engine's limit, see above
                pass
        return np.array(self._tokenizer.encode(text, add_special_tokens=False).ids, np.uint32)

    def decode(self, ids: npt.ArrayLike) -> str:
        """The text of ids; bytes that are not UTF-8 (a character cut in two) become U+FFFD."""
        return str(self._tokenizer.decode(np.asarray(ids).tolist(), skip_special_tokens=False))


def tokens_schema(vocab_size: int) -> pa.Schema:
    """Schema of tokens: ids are uint16 if that holds every id, else uint32."""
    schema_of_tokens = schema.TOKENS.arrow
    if vocab_size <= 1 << 16:
        return schema_of_tokens
    index = schema_of_tokens.get_field_index("ids")
    return schema_of_tokens.set(index, pa.field("ids", pa.list_(pa.uint32())))


def encode_documents(docs: pa.Table, encoder: Encoder) -> pa.Table:
    """Token rows of documents: docs (n rows) -> `schema.TOKENS` (n rows, same order)."""
    fields = tokens_schema(encoder.vocab_size)
    id_type = np.uint16 if encoder.vocab_size <= 1 << 16 else np.uint32
    text = docs["text"]
    encoded = [encoder.encode(row.as_py()).astype(id_type) for row in text]
    sizes = np.array([len(ids) for ids in encoded], np.int32)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes, dtype=np.int64)])
    assert offsets[-1] < 1 << 31, "a part of tokens is far smaller than Arrow's limit for lists"
    values = pa.array(np.concatenate(encoded) if encoded else np.zeros(0, id_type))
    columns = {name: docs[name] for name in ("doc_id", "source", "split")}
    columns["n_bytes"] = pc.cast(pc.binary_length(text), pa.int64())
    columns["n_tokens"] = pa.array(sizes)
    columns["ids"] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)
    return pa.table(columns, schema=fields).combine_chunks()


def _tiktoken_of(tokenizer: Tokenizer) -> tiktoken.Encoding | None:
    """The same tokenizer for tiktoken, or None if its ids are not proven to be the same."""
    definition = json.loads(tokenizer.to_str())
    if not _is_ours(definition):
        return None
    special = {token["content"]: token["id"] for token in definition["added_tokens"]}
    ids = {token: id_ for token, id_ in definition["model"]["vocab"].items() if token not in special}
    merges = definition["model"]["merges"]
    made = [ids.get(left + right, -1) for left, right in merges]
    if len(ids) != 256 + len(made) or any(a >= b for a, b in itertools.pairwise(made)):
        return None
    if any([t.id for t in tokenizer.model.tokenize(token)] != [id_] for token, id_ in ids.items()):
        return None
    byte_of = _byte_of_character()
    encoding = tiktoken.Encoding(
        "corpusmill",
        pat_str=PATTERN,
        mergeable_ranks={bytes(byte_of[c] for c in token): id_ for token, id_ in ids.items()},
        special_tokens=special,
    )
    new = tokenizer.encode(_NEW_CHARACTERS, add_special_tokens=False).ids
    return encoding if encoding.encode_ordinary(_NEW_CHARACTERS) == new else None


def _is_ours(definition: dict[str, Any]) -> bool:
    """Whether this is byte-level BPE with our pattern, and nothing else touches the text."""
    model = definition["model"]
    options = ("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "byte_fallback")
    return (
        model["type"] == "BPE"
        and not any(model[option] for option in options)
        and definition["normalizer"] is None
        and definition["pre_tokenizer"] == _PRE_TOKENIZER
        and all(token["special"] for token in definition["added_tokens"])
    )


def _byte_of_character() -> dict[str, int]:
    """GPT-2's byte-level alphabet: printable Latin-1 stands for itself, the other bytes for U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(b): b for b in printable} | {chr(0x100 + i): b for i, b in enumerate(others)}
