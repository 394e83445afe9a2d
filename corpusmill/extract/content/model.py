"""The trained model: one file of arrays in the package, without pickle.

`model.npz` is a zip of numpy arrays.  Dates and order are fixed, so the same training gives the same bytes.  It
contains the names of the features that it was trained on.  If the features of the code have other names or another
order, this is a bug of ours, and an assertion fails before any page is judged wrongly.
"""

import functools
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from corpusmill.extract.content import MODEL
from corpusmill.extract.content.features import FEATURES
from corpusmill.extract.content.forest import Forest, fits
from corpusmill.extract.content.kinds import KINDS, PAGE_FEATURES
from corpusmill.extract.content.linear import Linear
from corpusmill.extract.content.threshold import CHOICE_FEATURES

FORMAT = 6
_NO_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest date of the zip format


@dataclass(frozen=True, kw_only=True)
class Model:
    """Everything that `classify` needs."""

    linear: Linear
    general: Forest  # over FEATURES
    stories: Forest  # over FEATURES, for short stories among headlines
    least_common: float  # share of common words; below it, a page is in another language than the training data
    thresholds: Forest  # over CHOICE_FEATURES: the gain of word F1 by a threshold
    kinds: Forest  # over PAGE_FEATURES, one output per kind
    provenance: str  # what it was trained on, with what, and when


@functools.cache
def shipped_model() -> Model:
    """The model in the package.  It is read once."""
    with MODEL.open("rb") as file:
        return load(file)


def load(file: IO[bytes]) -> Model:
    """Read a model that `save` wrote."""
    with np.load(file, allow_pickle=False) as arrays:
        assert int(arrays["format"]) == FORMAT
        assert tuple(arrays["names"].tolist()) == _names(), "trained on other features: train again"
        return Model(
            linear=Linear(
                tokens=arrays["linear/tokens"],
                texts=arrays["linear/texts"],
                bias=float(arrays["linear/bias"]),
            ),
            general=_forest(arrays, "general", FEATURES),
            stories=_forest(arrays, "stories", FEATURES),
            least_common=float(arrays["least_common"]),
            thresholds=_forest(arrays, "thresholds", CHOICE_FEATURES),
            kinds=_forest(arrays, "kinds", PAGE_FEATURES),
            provenance=str(arrays["provenance"]),
        )


def save(model: Model, path: Path) -> None:
    """Write a model.  The same model gives the same bytes."""
    arrays = {
        "format": np.array(FORMAT),
        "names": np.array(_names()),
        "least_common": np.array(model.least_common),
        "provenance": np.array(model.provenance),
    }
    for part in ("linear", "general", "stories", "thresholds", "kinds"):
        for name, value in getattr(model, part)._asdict().items():
            arrays[f"{part}/{name}"] = np.asarray(value)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(arrays):
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(arrays[name], order="C"), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _NO_DATE), content.getvalue(), zipfile.ZIP_DEFLATED)


def _forest(arrays: "np.lib.npyio.NpzFile", part: str, features: Sequence[str]) -> Forest:
    forest = Forest(*(arrays[f"{part}/{name}"] for name in Forest._fields))
    assert fits(forest, len(features)), f"{part}: a forest over other features"
    return forest


def _names() -> tuple[str, ...]:
    return (*FEATURES, *CHOICE_FEATURES, *PAGE_FEATURES, *KINDS)
