"""The token that stands before every document."""

import json

from corpusmill.errors import InputError

# the first of these that the tokenizer has
BOUNDARIES = ("<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "</s>", "<eos>", "[SEP]")


def boundary_of(definition: bytes, where: str) -> tuple[int, int]:
    """The boundary's id, and the number of ids, of a tokenizer.json.

    `where` begins the InputError for a tokenizer without a token that can stand between documents.
    """
    data = json.loads(definition)
    added = {token["content"]: token["id"] for token in data.get("added_tokens", [])}
    vocab = data["model"]["vocab"]
    ids = [*vocab.values()] if isinstance(vocab, dict) else [len(vocab) - 1]  # a Unigram model has a list
    boundary = next((added[name] for name in BOUNDARIES if name in added), None)
    if boundary is None:
        raise InputError(
            f"{where}: has no special token to stand between documents; add one of {', '.join(BOUNDARIES)}"
        )
    return boundary, max(*ids, *added.values()) + 1
