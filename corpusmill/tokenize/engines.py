"""The libraries that encode: HF `tokenizers`, which defines what is right, and two that are faster.

    gigatoken    byte-level BPE with the pattern of a known family, and BPE over characters with byte fallback
    tiktoken     byte-level BPE with any of our patterns
    tokenizers   everything

A faster library is used only if it gives the same ids for every text.  What decides that:

- Nothing changes the text before it is cut, and only special tokens are added.  A normalizer is run by HF first, so
  that the others get its result.
- The pattern is one of ours, letter by letter, so it is among those that were tested (bench/tokenization.py --battery).
- For tiktoken, the merges have the order of the ids that they make, since tiktoken ranks merges by id and HF by
  position.  And BPE turns the bytes of every token into that token, since tiktoken looks up a whole piece first, and
  merges any two neighbours whose text is a token, where HF merges listed pairs only.
- At start it gives HF's ids for `PROBE`: characters at which patterns differ.
- gigatoken 0.10 knows the letters and digits of Unicode 17, HF's regex engine those of Unicode 16.  A text with one of
  the 4,657 characters that they class differently is encoded by HF.

gigatoken keeps every piece that it has seen, without a limit (version 0.10).  So it is made anew when the process has
grown by CACHE_BYTES since it was made; its ids do not depend on what it has seen.
"""

import itertools
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from corpusmill.tokenize.alphabet import BYTE_OF
from corpusmill.tokenize.patterns import PATTERNS, byte_level, pattern_of

Ids = npt.NDArray[np.uint32]
Definition = dict[str, Any]  # of a tokenizer.json

CACHE_BYTES = 512 << 20
CHECK_CHARS = 8 << 20  # characters of text after which the memory is looked at

# Letters, marks and digits that Unicode 11 to 16 added
_NEW = "\u0560\u0c77\u08c7\u0870\u0cf3\U0001e4d0\u1c89\U000105c0"
_ODD = (
    "'ſ'S\u212a'lL\u0345\u1d2c\u01c5\u2160\u00b2\u3007\u00a0\u1680\u180e\u200b\u2028\u3000\x85\x1c\x00\ufeff\U0001f1fa"
)
PROBE = (
    "".join(f"a{c}b {c}1{c}{c}.\n{c}'{c} " for c in f"{_NEW}{_ODD}aZǅ9/\r\n\t -") + "  \n\n \r\n/x//\n'll'LL 0123456789"
)


UNICODE_17 = re.compile(
    "[\u088f\u0c5c\u0cdc\ua7ce\ua7cf\ua7d2\ua7d4\ua7f1\U00010940-\U00010959\U00010ec5-\U00010ec7\U00011db0-\U00011de9"
    "\U00016ea0-\U00016ed3\U00016ff2-\U00016ff6\U000187f8-\U000187ff\U00018d09-\U00018d1e\U00018d80-\U00018df2"
    "\U0001e6c0-\U0001e6ff\U0002b73a-\U0002b73f\U0002cea2-\U0002cead\U000323b0-\U00033479]"
)


class Engine(Protocol):
    """A library that encodes with one tokenizer."""

    name: str

    def encode(self, text: str) -> Ids:
        """The ids of a text.  ValueError if the library gives up on it."""


class HuggingFace:
    """HF tokenizers."""

    name = "tokenizers"

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> Ids:
        """The ids of a text."""
        (found,) = self._tokenizer.encode_batch_fast([text], add_special_tokens=False)
        return np.array(found.ids, np.uint32)


class Tiktoken:
    """tiktoken: its regex engine limits backtracking, so it gives up on some runs of 500,000 spaces."""

    name = "tiktoken"

    def __init__(self, definition: Definition, pattern: str, in_text: bool) -> None:
        import tiktoken

        special = {token["content"]: token["id"] for token in definition["added_tokens"]}
        ranks = {
            bytes(BYTE_OF[c] for c in token): id_
            for token, id_ in definition["model"]["vocab"].items()
            if token not in special
        }
        self._encoding = tiktoken.Encoding("corpusmill", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special)
        self._options: dict[str, Any] = {"allowed_special": "all"} if in_text and special else {}

    def encode(self, text: str) -> Ids:
        """The ids of a text."""
        return self._encoding.encode_to_numpy(text, disallowed_special=(), **self._options)


class Gigatoken:
    """gigatoken, with bounded memory."""

    name = "gigatoken"

    def __init__(self, definition: Definition, cache_bytes: int = CACHE_BYTES, check_chars: int = CHECK_CHARS) -> None:
        self._definition = json.dumps(definition)
        self._cache_bytes, self._check_chars = cache_bytes, check_chars
        self._make()

    def _make(self) -> None:
        from gigatoken.gigatoken_rs import load_hf_json

        self._encode: Callable[[str], Ids] = load_hf_json(self._definition).encode
        self._chars, self._resident = 0, resident_bytes()

    def encode(self, text: str) -> Ids:
        """The ids of a text.  ValueError if it has characters that only one of gigatoken and HF knows."""
        if not text.isascii() and UNICODE_17.search(text):
            raise ValueError("the text has characters that Unicode 17 added")
        ids = self._encode(text)
        self._chars += len(text)
        if self._chars >= self._check_chars:
            self._chars = 0
            if resident_bytes() > self._resident + self._cache_bytes:
                self._make()
        return ids


def engines(tokenizer: Tokenizer, in_text: bool) -> Iterator[Engine]:
    """The libraries that give the ids of this HF tokenizer, the fastest first; HF is the last.

    tokenizer: without truncation, padding and normalizer.
    in_text: whether the text of a special token is that token; otherwise it is encoded as other text.
    """
    slow = HuggingFace(tokenizer)
    probe = slow.encode(PROBE)
    for fast in _candidates(tokenizer, in_text):
        if np.array_equal(fast.encode(PROBE), probe):
            yield fast
    yield slow


def _candidates(tokenizer: Tokenizer, in_text: bool) -> Iterator[Engine]:
    definition = json.loads(tokenizer.to_str())
    if not _is_plain(definition):
        return
    pattern = _pattern(definition)
    unspecial = definition if in_text else definition | {"added_tokens": []}
    if pattern in PATTERNS.values() or _is_of_characters(definition):
        yield Gigatoken(unspecial)
    if pattern is not None and _tiktoken_merges_as_hf(tokenizer, definition):
        yield Tiktoken(definition, pattern, in_text)


def _is_plain(definition: Definition) -> bool:
    """Whether this is BPE that nothing else changes, and the only added tokens are special and match themselves."""
    model = definition["model"]
    options = ("dropout", "continuing_subword_prefix", "end_of_word_suffix", "ignore_merges")
    flags = ("single_word", "lstrip", "rstrip")
    return (
        model["type"] == "BPE"
        and not any(model[option] for option in options)
        and definition["normalizer"] is None
        and all(token["special"] and not any(token[flag] for flag in flags) for token in definition["added_tokens"])
    )


def _pattern(definition: Definition) -> str | None:
    """The pattern of ours that cuts texts for byte-level BPE; None if it is none of ours, or a byte has no token."""
    model = definition["model"]
    if model["byte_fallback"] or model["unk_token"] or not BYTE_OF.keys() <= model["vocab"].keys():
        return None
    return _OURS.get(json.dumps(definition["pre_tokenizer"]))


def _described(pre_tokenizer: Any) -> str:
    """A pre-tokenizer as tokenizer.json has it."""
    tokenizer = Tokenizer.from_str(json.dumps(_EMPTY))
    tokenizer.pre_tokenizer = pre_tokenizer
    return json.dumps(json.loads(tokenizer.to_str())["pre_tokenizer"])


def _is_of_characters(definition: Definition) -> bool:
    """Whether this is BPE over characters with byte fallback, as we train it."""
    model, vocabulary = definition["model"], definition["model"]["vocab"]
    return (
        model["byte_fallback"]
        and model["unk_token"] is not None
        and definition["pre_tokenizer"] == _METASPACE
        and all(f"<0x{byte:02X}>" in vocabulary for byte in range(256))
    )


def _tiktoken_merges_as_hf(tokenizer: Tokenizer, definition: Definition) -> bool:
    """See the module."""
    special = {token["content"] for token in definition["added_tokens"]}
    ids = {token: id_ for token, id_ in definition["model"]["vocab"].items() if token not in special}
    made = [ids.get(left + right, -1) for left, right in definition["model"]["merges"]]
    if len(ids) != 256 + len(made) or any(a >= b for a, b in itertools.pairwise(made)):
        return False
    return all([t.id for t in tokenizer.model.tokenize(token)] == [id_] for token, id_ in ids.items())


def resident_bytes() -> int:
    """The memory of this process now, or where the system does not say it, the most that it was."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        import resource
        import sys

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak << 10


_EMPTY = {"version": "1.0", "added_tokens": [], "model": {"type": "BPE", "vocab": {}, "merges": []}}
_METASPACE = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": True}
_OURS = {
    _described(byte_level(pattern)): pattern
    for pattern in dict.fromkeys(
        pattern_of(split, digits) for split in PATTERNS for digits in (None, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    )
}
