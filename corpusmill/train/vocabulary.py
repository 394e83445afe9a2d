"""The tokens of a training: those of the corpus's tokenizer, and those that an objective adds.  Imports no torch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill.loader.boundary import boundary_of


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Token ids, as a model uses them."""

    definition: bytes  # tokenizer.json
    n_text: int  # ids below it are the tokenizer's own
    size: int  # with the tokens that the objective adds
    boundary: int  # stands before every document
    special: dict[str, int]  # the tokens that the objective uses, by name

    @classmethod
    def of(cls, definition: bytes, where: str, names: Sequence[str] = ()) -> "Vocabulary":
        """The vocabulary of a tokenizer.json.  `names` are the tokens that an objective needs.

        A token that the tokenizer does not have gets an id after the others.  `where` begins the InputError for a
        tokenizer without a token that can stand between documents.
        """
        data = json.loads(definition)
        added = {token["content"]: token["id"] for token in data.get("added_tokens", [])}
        boundary, n_text = boundary_of(definition, where)
        size = n_text
        special = {}
        for name in names:
            if name in added:
                special[name] = added[name]
            else:
                special[name], size = size, size + 1
        return cls(definition, n_text, size, boundary, special)

    def files(self) -> dict[str, dict[str, Any]]:
        """The files with which transformers' AutoTokenizer gives the ids that the model was trained on.

        If tokenizer_config.json names no class, it guesses one from the model's type, and that class splits text
        differently.  Documents were encoded whole, as text, and without special tokens around them.  So special tokens
        that occur in a text are split.  Truncation, padding and the post-processor, which adds special tokens, are
        removed.
        """
        tokenizer = {**json.loads(self.definition), "truncation": None, "padding": None, "post_processor": None}
        (token,) = (added["content"] for added in tokenizer["added_tokens"] if added["id"] == self.boundary)
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        new = [{"id": id_, "content": name, **flags} for name, id_ in self.special.items() if id_ >= self.n_text]
        tokenizer["added_tokens"] = [*tokenizer["added_tokens"], *new]
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": token,
            "eos_token": token,
            "clean_up_tokenization_spaces": False,
            "split_special_tokens": True,
        }
        if MASK in self.special:
            config["mask_token"] = MASK
        return {"tokenizer.json": tokenizer, "tokenizer_config.json": config}

    def line_ends(self) -> npt.NDArray[np.bool_]:
        """Which tokens contain a line break: (size)."""
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_str(self.definition.decode())
        ends = np.zeros(self.size, np.bool_)
        texts = tokenizer.decode_batch([[id_] for id_ in range(self.n_text)], skip_special_tokens=True)
        ends[: self.n_text] = ["\n" in text for text in texts]
        return ends


MASK = "[MASK]"
