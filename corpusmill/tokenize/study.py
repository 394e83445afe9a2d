"""What a tokenizer does with the corpus, beside others: the figures of the report's part on tokens.

Two things are measured.  Every token of the corpus is counted.  And a sample of documents is encoded with the corpus's
tokenizer and with each reference (a tokenizer.json that the recipe names).  So the figures of all tokenizers are about
the same text.

A token can be glitch-prone: a model learns little or nothing about it, and may do odd things when it is given one (Land
and Bartolo 2024).  `risk` says why:

    unreachable    no text is encoded to it, since the text of the token gives other ids
    unused         it is not in the corpus
    rare           it is in the corpus, less often than once in RARE tokens and less than 10 times

Special tokens are outside of this.  The Rényi efficiency of a tokenizer is the Rényi entropy of order 2.5 of its tokens
on the sample, divided by the most that is possible with its vocabulary (Zouhar et al. 2023): 1 if all tokens are
equally frequent.

Cost: 0.15 s for 8 MB of sample per fast tokenizer, 4 s for one that only HF can run, 1 s per 100 million tokens.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill.tokenize.encode import Encoder

OWN = "corpus"  # the name of the corpus's tokenizer among the others
SAMPLE_BYTES = 8_000_000
RARE = 10_000_000
ORDER = 2.5  # of the Rényi entropy

TOPICS = {  # texts of our own, on which tokenizers differ
    "numbers": "In 2026, 1234567 of 1,234,567.89 cost $0.05; call it 3.14159265 or 10^-9.",
    "dates": "2026-11-30 17:20:05 UTC, 30.11.2026, 11/30/26",
    "code": "def mean(values: list[float]) -> float:\n    if not values:\n        return 0.0\n"
    "    return sum(values) / len(values)  # snake_case, camelCase\n",
    "Chinese": "人人生而自由，在尊严和权利上一律平等。他们赋有理性和良心，并应以兄弟关系的精神相对待。",
    "Japanese": "すべての人間は、生まれながらにして自由であり、かつ、尊厳と権利とについて平等である。",
    "German": "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Donaudampfschifffahrtsgesellschaft",
    "Hindi": "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है।",
    "white space": "a  b   c\t\td\n\n\n    e",
    "emoji": "🙂 👩‍👩‍👧‍👦 🇺🇳 ❤️",
}


@dataclass(frozen=True, slots=True)
class Rates:
    """What one tokenizer makes of documents of one group."""

    documents: int = 0
    n_bytes: int = 0
    n_chars: int = 0
    n_tokens: int = 0


def count_tokens(ids: Iterable[npt.NDArray[Any]], vocab_size: int) -> npt.NDArray[np.int64]:
    """How often each id occurs in arrays of ids: (vocab_size)."""
    counts = np.zeros(vocab_size, np.int64)
    for some in ids:
        counts += np.bincount(some, minlength=vocab_size)
    return counts


def study(
    own: Encoder,
    references: Mapping[str, Encoder],
    sample: Sequence[tuple[tuple[str, str], str]],
    counts: npt.NDArray[np.int64],
    mask: Callable[[list[str]], list[str]],
) -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables `vocabulary`, `tokenizers`, `tokenizer_rates` and `tokenizer_examples`.

    sample: documents with their source and language.  counts: of each id in the corpus.
    mask: replaces personal data in texts; it is applied to everything that is shown.
    """
    encoders = {OWN: own, **references}
    rows: dict[str, list[dict[str, Any]]] = {"tokenizers": [], "tokenizer_rates": [], "tokenizer_examples": []}
    for name, encoder in encoders.items():
        groups, on_sample, returned = _encode_sample(encoder, sample)
        rows["tokenizers"].append(
            {
                "tokenizer": name,
                "vocab_size": encoder.vocab_size,
                **_spread(on_sample, encoder.vocab_size),
                "n_bytes": sum(each.n_bytes for each in groups.values()),
                "n_tokens": int(on_sample.sum()),
                "byte_tokens": int(on_sample[_of_bytes(encoder)].sum()),
                "returned": returned,
                "documents": len(sample),
            }
        )
        rows["tokenizer_rates"] += [
            {
                **{"tokenizer": name, "source": source, "language": language or None},
                **{field: getattr(rates, field) for field in Rates.__slots__},
                "bytes_per_token": round(rates.n_bytes / rates.n_tokens, 6) if rates.n_tokens else None,
            }
            for (source, language), rates in sorted(groups.items())
        ]
        for topic, text in TOPICS.items():
            pieces = [encoder.decode([id_]) for id_ in encoder.encode(text).tolist()]
            rows["tokenizer_examples"].append(
                {**{"tokenizer": name, "topic": topic, "text": text}, "pieces": pieces, "n_tokens": len(pieces)}
            )
    rows["vocabulary"] = vocabulary(own, counts, mask)
    return rows


def vocabulary(
    encoder: Encoder, counts: npt.NDArray[np.int64], mask: Callable[[list[str]], list[str]]
) -> list[dict[str, Any]]:
    """One row per token: its text, how often it is in the corpus, and whether it is glitch-prone."""
    special, names = encoder.special_ids(), encoder.names()
    ids = sorted(names)
    texts = {id_: names[id_] if id_ in special else encoder.decode([id_]) for id_ in ids}
    rare = max(1, min(10, int(counts.sum()) // RARE))
    shown = mask([texts[id_] for id_ in ids])
    return [
        {
            "id": id_,
            "token": text,
            "n_bytes": len(encoder.bytes_of(id_)),
            "n": int(counts[id_]),
            "is_special": id_ in special,
            "is_text": "\ufffd" not in texts[id_],
            "risk": None if id_ in special else _risk(encoder, id_, texts[id_], int(counts[id_]), rare),
        }
        for id_, text in zip(ids, shown, strict=True)
    ]


def _risk(encoder: Encoder, id_: int, text: str, n: int, rare: int) -> str | None:
    if n >= rare:
        return None
    if n:
        return "rare"
    # the pieces of a character are reached only through the whole character, so their own text says nothing
    if "\ufffd" not in text and encoder.encode(text).tolist() != [id_]:
        return "unreachable"
    return "unused"


def _encode_sample(
    encoder: Encoder, sample: Sequence[tuple[tuple[str, str], str]]
) -> tuple[dict[tuple[str, str], Rates], npt.NDArray[np.int64], int]:
    """Rates by group, how often each id occurs, and how many documents come back unchanged from their ids."""
    groups: dict[tuple[str, str], Rates] = {}
    counts, returned = np.zeros(encoder.vocab_size, np.int64), 0
    for group, text in sample:
        ids = encoder.encode(text)
        counts += np.bincount(ids, minlength=encoder.vocab_size)
        returned += encoder.decode(ids) == text
        now = groups.get(group, Rates())
        groups[group] = Rates(
            now.documents + 1, now.n_bytes + len(text.encode()), now.n_chars + len(text), now.n_tokens + len(ids)
        )
    return groups, counts, returned


def _spread(counts: npt.NDArray[np.int64], vocab_size: int) -> dict[str, Any]:
    """How evenly a tokenizer uses its vocabulary."""
    used = counts[counts > 0]
    if not len(used):
        return {"used": 0, "entropy_bits": None, "renyi_efficiency": None}
    shares = np.sort(used) / used.sum()
    shannon = float(-(shares * np.log2(shares)).sum())
    renyi = float(np.log2((shares**ORDER).sum()) / (1 - ORDER))
    most = float(np.log2(vocab_size)) or 1.0
    return {
        "used": len(used),
        "entropy_bits": round(shannon, 6),
        "renyi_efficiency": round(renyi / most, 6),
    }


def _of_bytes(encoder: Encoder) -> list[int]:
    """The ids of single bytes that are no characters by themselves."""
    return [id_ for id_ in encoder.names() if len(encoder.bytes_of(id_)) == 1 and encoder.decode([id_]) == "\ufffd"]
