r"""Train the extractor's model on a folder of pages with gold text.

    python tools/extractor/train.py FOLDER [--out MODEL] [--evaluate [--predictions FILE]]

FOLDER has the layout of WCXB's development split: `html/ID.html.gz`, `ground-truth/ID.json`.  With the versions in
`requirements.txt`, the same folder gives the same bytes.

`--evaluate` cross-validates instead.  The pages are split into five groups by registrable domain.  Each group is
extracted by a model that was fitted on the four other groups.  This includes everything that is fitted: words, forests,
kinds of pages.  `--predictions` writes these texts to a file for `bench/extraction.py`.
"""

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from fit import Pair, Settings, fit, fold_of
from labels import words
from pages import LabelledPage, read_pages
from scores import word_f1

from corpusmill.extract.content.abstain import no_content
from corpusmill.extract.content.classify import Classified, classify, page_kinds
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.content.model import save
from corpusmill.extract.metadata.read import read_metadata
from corpusmill.extract.segments.tables import Segments

FOLDS = 5
PROVENANCE = (
    "Trained by tools/extractor/train.py on the 1,349 pages of the development split of WCXB (Web Content Extraction "
    "Benchmark), copyright 2026 Murrough Foley, CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0/). "
    "The pages themselves are not in the model; hashes of words and class names with their weights are."
)


def main() -> None:
    """Train, or cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("corpusmill/extract/content/model.npz"))
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--predictions", type=Path)
    parser.add_argument(
        "--folds", type=int, nargs="*", default=range(FOLDS), help="only these groups (for experiments)"
    )
    options = parser.parse_args()
    pairs = list(read_pages(options.folder))
    if options.evaluate:
        cross_validate(pairs, Settings(), options.folds, options.predictions)
    else:
        model = fit(pairs, Settings(), PROVENANCE)
        save(model, options.out)
        print(f"{options.out}: {options.out.stat().st_size:,} bytes")


def cross_validate(pairs: list[Pair], settings: Settings, folds: list[int], predictions: Path | None) -> None:
    """Print word F1 by kind with standard errors, for the pages and for the same pages in other scripts."""
    folds_of = np.array([fold_of(page, FOLDS, "") for page, _ in pairs])
    scores: dict[str, list[tuple[float, float]]] = defaultdict(list)
    right = []
    lines = []
    start = time.time()
    for fold in folds:
        model = fit([pair for pair, its in zip(pairs, folds_of, strict=True) if its != fold], settings, "")
        for (page, other), its in zip(pairs, folds_of, strict=True):
            if its != fold:
                continue
            verdict = classify(page.segments, model)
            found = kept_words(page, page.segments, verdict)
            in_other_words = kept_words(page, other.segments, classify(other.segments, model))
            score = word_f1(found, page.gold), word_f1(in_other_words, page.gold)
            scores["all"].append(score)
            scores[KINDS[page.kind]].append(score)
            right.append(page_kinds(page.segments, verdict, model).argmax() == page.kind)
            lines.append({"id": page.name, "text": " ".join(found)})
        print(f"fold {fold}: {np.mean(scores['all'], axis=0).round(4)} so far, {time.time() - start:.0f} s", flush=True)
    for kind, values in scores.items():
        mean, error = np.mean(values, axis=0), np.std(values, axis=0) / np.sqrt(len(values))
        print(f"{kind:14s} {len(values):5d}  {mean[0]:.4f} ± {error[0]:.4f}   rewritten {mean[1]:.4f} ± {error[1]:.4f}")
    print(f"page kind right: {np.mean(right):.3f}")
    if predictions:
        predictions.write_text("".join(json.dumps(line) + "\n" for line in sorted(lines, key=lambda line: line["id"])))


def kept_words(page: LabelledPage, segments: Segments, verdict: Classified) -> list[str]:
    """Words of the kept blocks, by a decision on the page or on the same page in another script."""
    title = read_metadata(segments, None).title
    if no_content(segments, verdict.keep, title, verdict.expected_f1):
        return []
    return [word for index in np.flatnonzero(verdict.keep) for word in words(page.segments.block_text(int(index)))]


if __name__ == "__main__":
    main()
