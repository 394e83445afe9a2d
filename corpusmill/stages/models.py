"""Models that are trained on samples of text: a classifier of good pages, and n-gram models by language.

Beside a model MODEL lies MODEL.json: what it was trained on, and how well it does on what was held out.  It names the
model's digest, so figures are never taken for another model's.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from corpusmill.corpus import checksum_of, library_version
from corpusmill.errors import InputError
from corpusmill.filters import classifiers, ngrams
from corpusmill.stages.files import FIGURES
from corpusmill.stages.samples import Sample, Sampler, sample, texts_of, without
from corpusmill.store import temporary_beside

FEWEST = 20  # texts of each class to train on, and of both together to measure with
LABEL = "positive"
MOST_BYTES_PER_LANGUAGE = 100_000_000  # of texts for an n-gram model, in characters


def train_quality(positive: Sequence[str], negative: Sequence[str], out: Path, name: str = "quality") -> dict[str, Any]:
    """Train a classifier on two samples, write it and its figures; returns the figures.

    positive, negative: corpora, or paths of JSONL, Parquet, text and Markdown files.  Of the larger sample as many
    texts are used as the smaller one has.  InputError if a sample is too small, or the model cannot be written.
    """
    good, other = _read(positive), _read(negative)
    shared = without(good, other)
    for texts, which in ((good, "--positive"), (other, "--negative")):
        if len(texts.texts) < FEWEST or not texts.held_out:
            raise InputError(
                f"{which}: only {len(texts.texts) + len(texts.held_out)} texts that are not in the other sample, too; "
                f"give at least {FEWEST + FEWEST // 2}"
            )
    read = {"positive": len(good.texts) + len(good.held_out), "negative": len(other.texts) + len(other.held_out)}
    _level(good, other)
    training = classifiers.training_for(len(good.texts) + len(other.texts))

    def write(path: Path) -> dict[str, Any]:
        classifiers.train_classifier(good.texts, other.texts, path, training)
        scores = [
            classifiers.probabilities(path, LABEL, pa.array(texts.held_out, pa.large_string())).to_numpy()
            for texts in (good, other)
        ]
        return {
            "kind": "classifier",
            "name": name,
            "label": LABEL,
            "samples": {"positive": list(positive), "negative": list(negative)},
            "texts": read | {"in_both": shared},
            "trained_on": {"positive": len(good.texts), "negative": len(other.texts)},
            "held_out": {"positive": len(good.held_out), "negative": len(other.held_out)},
            "auc": round(classifiers.auc(*scores), 6),
            "brier": round(classifiers.brier(*scores), 6),
            "calibration": classifiers.calibration(*scores),
            "settings": asdict(training),
            "library": f"fasttext-community {library_version('fasttext-community')}",
        }

    return _written(out, write)


def train_perplexity(places: Sequence[str], out: Path, language: str | None = None) -> dict[str, Any]:
    """Train an n-gram model for each language of the texts, write them into one file, and the figures beside it.

    places: as for `train_quality`.  language: of all texts; by default what the corpus says, else what is identified.
    InputError if no language has enough texts, or the file cannot be written.
    """
    by_language: dict[str, Sampler] = defaultdict(lambda: Sampler(MOST_BYTES_PER_LANGUAGE))
    for place in places:
        for text, known in _with_language(place, language):
            by_language[known].add(text)
    samples = {code: sampler.sample() for code, sampler in sorted(by_language.items())}
    enough = {code: each for code, each in samples.items() if len(each.texts) >= FEWEST and len(each.held_out) >= 3}
    models, figures = {}, {}
    for code, texts in enough.items():
        try:
            model = ngrams.train_ngrams(texts.texts)
        except ValueError:
            continue
        held_out = pa.array(texts.held_out, pa.large_string())
        values = np.sort(ngrams.perplexities(model.tables(), held_out).drop_null().to_numpy())
        limits = float(np.quantile(values, 1 / 3)), float(np.quantile(values, 2 / 3))
        models[code] = replace(model, limits=limits)
        figures[code] = {
            **{"trained_on": len(texts.texts), "held_out": len(texts.held_out), "words": len(model.vocabulary)},
            **{"n_grams": len(model.grams), "limits": list(limits), "median": float(np.median(values))},
        }
    if not models:
        sizes = {code: len(each.texts) + len(each.held_out) for code, each in samples.items()}
        most = max(sizes, key=lambda code: sizes[code], default=None)
        found = f"language '{most}' has the most, {sizes[most]}" if most is not None else "there is no text"
        raise InputError(f"no language has {FEWEST + FEWEST // 2} different texts; {found}; give larger samples")

    def write(path: Path) -> dict[str, Any]:
        path.write_bytes(ngrams.write_models(models))
        left_out = {code: len(each.texts) + len(each.held_out) for code, each in samples.items() if code not in models}
        return {"kind": "perplexity", "samples": list(places), "languages": figures, "too_few_texts": left_out}

    return _written(out, write)


def _with_language(place: str, language: str | None) -> Iterator[tuple[str, str]]:
    """The texts of a place and their languages; those without a letter have none, and are left out."""
    from corpusmill.filters.language import identify

    for batch in batched(texts_of(place), 1000):
        unknown = [text for text, known in batch if known is None] if language is None else []
        found = iter(identify(pa.array(unknown, pa.large_string()))["language"].to_pylist()) if unknown else iter(())
        for text, known in batch:
            code = language or known or next(found)
            if code is not None:
                yield text, code


def batched(pairs: Iterable[tuple[str, str | None]], n: int) -> Iterator[list[tuple[str, str | None]]]:
    """Lists of n, the last one shorter."""
    iterator = iter(pairs)
    while batch := list(islice(iterator, n)):
        yield batch


def _read(places: Sequence[str]) -> Sample:
    return sample(text for place in places for text, _ in texts_of(place))


def _level(first: Sample, second: Sample) -> None:
    """Cut the larger class to the size of the smaller; the texts are in an order that is random."""
    n, m = min(len(first.texts), len(second.texts)), min(len(first.held_out), len(second.held_out))
    for each in (first, second):
        del each.texts[n:], each.held_out[m:]


def _written(out: Path, write: Callable[[Path], dict[str, Any]]) -> dict[str, Any]:
    """Write a model and its figures, each in one step."""
    beside = out.with_name(f"{out.name}{FIGURES}")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(out) as model, temporary_beside(beside) as text:
            figures = write(model)
            figures["digest"] = checksum_of(model.read_bytes())
            figures["bytes"] = model.stat().st_size
            text.write_text(json.dumps(figures, ensure_ascii=False, indent=1) + "\n", "utf-8")
            model.replace(out)
            text.replace(beside)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror or error}") from error
    return figures
