"""Encode documents to token ids, exactly as HF `tokenizers` does and many times faster.

HF defines the ids of a text.  `engines.py` names the faster libraries that give the same ids, and says how that is
known.  Besides, pieces of each part's own documents are encoded with HF, too (`proof_of`).  If a library differs
on one of them, it is not used any more, the next one encodes the part, and the part's receipt says so.

A document is text: the name of a special token inside it is encoded as ordinary characters, unless the recipe says
otherwise (`special_tokens_in_text`).

Cost on one core, 32,768 entries, the pattern of GPT-4o: see docs/tokenize.md.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from tokenizers import Tokenizer

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.tokenize.alphabet import BYTE_OF
from corpusmill.tokenize.engines import Engine, HuggingFace, Ids, engines

PROOF_PIECES, PROOF_CHARS = 48, 400  # of a part's documents that HF encodes, too
_FEW_CHARS = 1 << 14  # so much text HF encodes as fast as it takes to make another library ready


class Encoder:
    """A tokenizer that can encode.  `special_tokens_in_text`: whether the text of a special token is that token."""

    def __init__(self, definition: str, where: str = "tokenizer.json", *, special_tokens_in_text: bool = False) -> None:
        self._whole = _tokenizer_of(definition, where)
        self.vocab_size = 1 + max(self._whole.get_vocab().values(), default=0)
        self._in_text = special_tokens_in_text
        self._hf = HuggingFace(self._of_text(definition, where))
        self._normalizer = self._whole.normalizer
        self._is_byte_level = "ByteLevel" in repr(self._whole.decoder)
        self._now: Engine | None = None  # the library that encodes, when it is ready
        self._others: Iterator[Engine] = iter(())  # those that come after it
        self._chars = 0

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """The tokenizer in a tokenizer.json file; InputError if there is none."""
        try:
            return cls(Path(path).read_text("utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as a tokenizer: {error}") from None

    @property
    def engine(self) -> str:
        """The library that encodes."""
        return self._engine().name

    def encode(self, text: str) -> Ids:
        """The ids of a text, without special tokens around it."""
        if self._now is None and self._chars < _FEW_CHARS:
            self._chars += len(text)
            return self._hf.encode(text)
        engine = self._engine()
        if engine.name == HuggingFace.name:
            return self._hf.encode(text)
        try:
            return engine.encode(text if self._normalizer is None else self._normalizer.normalize_str(text))
        except ValueError:  # it gives up, see Tiktoken
            return self._hf.encode(text)

    def differences(self, texts: Sequence[str]) -> int:
        """For how many of these texts the library that encodes differs from HF.  If there is one, it is given up."""
        if self.engine == HuggingFace.name:
            return 0
        n = sum(not np.array_equal(self.encode(text), self._hf.encode(text)) for text in texts)
        if n:
            self._now = next(self._others)
        return n

    def decode(self, ids: npt.ArrayLike) -> str:
        """The text of ids.  Bytes that are not UTF-8 (a character cut in two) become U+FFFD."""
        return str(self._whole.decode(np.asarray(ids).tolist(), skip_special_tokens=False))

    def names(self) -> dict[int, str]:
        """Every token by its id, as tokenizer.json writes it."""
        return {id_: name for name, id_ in self._whole.get_vocab().items()}

    def special_ids(self) -> set[int]:
        """The ids of special tokens."""
        return {id_ for id_, token in self._whole.get_added_tokens_decoder().items() if token.special}

    def bytes_of(self, id_: int) -> bytes:
        """The bytes that a token stands for, as far as they are known: of byte-level tokens and of `<0xE4>`."""
        name = self._whole.id_to_token(id_) or ""
        if re.fullmatch(r"<0x[0-9A-F]{2}>", name):
            return bytes([int(name[3:5], 16)])
        if self._is_byte_level and all(character in BYTE_OF for character in name):
            return bytes(BYTE_OF[c] for c in name)
        return name.encode()

    def engines(self) -> Iterator[Engine]:
        """The libraries that can encode, the fastest first, made anew; they get texts that HF has normalised."""
        plain = _tokenizer_of(json.dumps(json.loads(self._whole.to_str()) | {"normalizer": None}), "")
        plain.encode_special_tokens = not self._in_text
        if self._normalizer is not None and self._in_text and plain.get_added_tokens_decoder():
            plain = self._whole  # special tokens are found before the text is normalised, so only HF can do it
        yield from engines(plain, self._in_text)

    def _engine(self) -> Engine:
        if self._now is None:
            self._others = self.engines()
            self._now = next(self._others)
        return self._now

    def _of_text(self, definition: str, where: str) -> Tokenizer:
        """The tokenizer as HF encodes documents with it."""
        if self._in_text:
            return _tokenizer_of(definition, where)
        tokenizer = _tokenizer_of(_with_hidden_names(definition), where)
        tokenizer.encode_special_tokens = True
        return tokenizer


def _tokenizer_of(definition: str, where: str) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_str(definition)
    except Exception as error:  # noqa: BLE001  # the library raises Exception itself
        raise InputError(f"{where}: not a tokenizer.json that HF tokenizers can read: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _with_hidden_names(definition: str) -> str:
    """A Unigram tokenizer whose special tokens have names that no text contains.

    Its model looks for the text of every entry, also of special tokens, whatever the tokenizer is told.
    """
    data: dict[str, Any] = json.loads(definition)
    if data["model"].get("type") != "Unigram":
        return definition
    special = {token["content"] for token in data["added_tokens"] if token["special"]}
    hidden = {name: f"\U0010ffff{name}" for name in special}  # U+10FFFF is no character, today or later
    data["model"]["vocab"] = [[hidden.get(name, name), score] for name, score in data["model"]["vocab"]]
    data["added_tokens"] = [t | {"content": hidden.get(t["content"], t["content"])} for t in data["added_tokens"]]
    data["post_processor"] = None  # it names special tokens, and documents get none
    return json.dumps(data)


def tokens_schema(vocab_size: int) -> pa.Schema:
    """The schema of tokens: ids are uint16 if every id fits, else uint32."""
    schema_of_tokens = schema.TOKENS.arrow
    if vocab_size <= 1 << 16:
        return schema_of_tokens
    index = schema_of_tokens.get_field_index("ids")
    return schema_of_tokens.set(index, pa.field("ids", schema.id_lists(pa.uint32())))


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
    columns = {name: docs[name] for name in ("doc_id", "source", "language", "split")}
    columns["n_bytes"] = pc.cast(pc.binary_length(text), pa.int64())
    columns["n_tokens"] = pa.array(sizes)
    columns["ids"] = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values, type=fields.field("ids").type)
    return pa.table(columns, schema=fields).combine_chunks()


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What was compared with HF before a part was encoded."""

    engine: str  # the library that encodes the part
    texts: int  # pieces of its documents that were compared
    different: dict[str, int]  # by library that was given up, pieces for which its ids are not HF's

    def counts(self) -> dict[str, int]:
        """For the part's receipt."""
        different = {f"different_{name}": n for name, n in self.different.items()}
        return {f"encoded_by_{self.engine}": 1, "compared_texts": self.texts, **different}


def proof_of(docs: pa.Table, encoder: Encoder) -> Proof:
    """Compare the encoder with HF on pieces of documents, evenly over them; it gives up each library that differs."""
    text = docs["text"]
    chosen: list[int] = np.unique(np.linspace(0, len(text) - 1, PROOF_PIECES).astype(int)).tolist() if len(text) else []
    pieces = []
    for number, index in enumerate(chosen):
        document = text[index].as_py()
        start = max(0, len(document) - PROOF_CHARS) * number // len(chosen)  # early in the first, late in the last
        pieces.append(document[start : start + PROOF_CHARS])
    different: dict[str, int] = {}
    while pieces:
        engine = encoder.engine
        n = encoder.differences(pieces)
        if not n:
            break
        different[engine] = n
    return Proof(engine=encoder.engine, texts=len(pieces), different=different)
