"""What the catalog tells of the files that filters use: a run has written it to `filters.json`."""

import json
from contextlib import suppress
from typing import Any

from corpusmill.corpus import Corpus

Rows = list[dict[str, Any]]


def filter_rows(corpus: Corpus) -> tuple[Rows, Rows, Rows]:
    """Rows of the tables `filter_files`, `classifiers` and `calibration`.

    The figures were written by whoever trained the model, so what is not of the expected form is left out.
    """
    files: Rows = []
    classifiers: Rows = []
    calibration: Rows = []
    for entry in corpus.filter_files():
        figures = entry.get("figures")
        said = {key: entry.get(key) for key in ("language", "provenance", "bytes")}
        files.append(entry | said | {"figures": json.dumps(figures, ensure_ascii=False) if figures else None})
        if entry["kind"] == "filters.classifiers" and figures:
            with suppress(KeyError, TypeError, ValueError, AttributeError):
                bins = [
                    {"name": entry["name"], "documents": int(each["documents"])}
                    | {key: float(each[key]) for key in ("lowest", "highest", "probability", "share")}
                    for each in figures["calibration"]
                ]
                classifiers.append(
                    {
                        **{"name": entry["name"], "digest": entry["digest"], "label": str(figures["label"])},
                        **{"auc": float(figures["auc"]), "brier": float(figures["brier"])},
                        "trained_on": sum(figures["trained_on"].values()),
                        "held_out": sum(figures["held_out"].values()),
                    }
                )
                calibration += bins
    return files, classifiers, calibration
