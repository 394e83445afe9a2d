"""The mix manifest: how often documents come in training, by source.

It is no part of documents or tokens, so changing a weight renews none of them: the training loader reads it.  `run`
writes it from the recipe, as `mix.json`:

    {"weights": {"news": 1.0, "books": 2.0}}

A document of weight 2 comes twice in each epoch, one of weight 0.5 in half of the epochs.
"""

from collections.abc import Mapping

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError

MIX = "mix.json"


def write_weights(corpus: Corpus, weights: Mapping[str, float]) -> None:
    """Renew the manifest, if it says something else."""
    data = {"weights": dict(weights)}
    if corpus.read_json(MIX) != data:
        corpus.write_json(MIX, data)


def read_weights(corpus: Corpus) -> dict[str, float]:
    """Weights by source; a source that is not there has weight 1.  InputError if the file is damaged."""
    data = corpus.read_json(MIX)
    if data is None and corpus.store.entry(MIX) is None:
        return {}
    weights = (data or {}).get("weights")
    if not isinstance(weights, dict) or not all(type(w) in (int, float) and w > 0 for w in weights.values()):
        raise InputError(f"{corpus.place}/{MIX}: is not a mix manifest; delete it, 'corpusmill run' writes it anew")
    return {name: float(weight) for name, weight in weights.items()}
