r"""Train the extractor's model on folders of pages with gold text.

    python tools/extractor/train.py FOLDER [--news NEWS] [--out MODEL] [--evaluate [--predictions FILE]]

FOLDER has the layout of WCXB's development split: `html/ID.html.gz`, `ground-truth/ID.json`.  NEWS has news pages in
several languages (see `pages.read_news`).  With the versions in `requirements.txt`, the same folders give the same
bytes.

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
from pages import LabelledPage, read_news, read_pages
from scores import word_f1

from corpusmill.extract.content.abstain import no_content
from corpusmill.extract.content.classify import Classified, classify, page_kinds
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.content.model import save
from corpusmill.extract.metadata.read import read_metadata
from corpusmill.extract.segments.tables import Segments
from corpusmill.extract.whole import whole

FOLDS = 5
PROVENANCE = (
    "Trained by tools/extractor/train.py on the 1,349 pages of the development split of WCXB (Web Content Extraction "
    "Benchmark), copyright 2026 Murrough Foley, CC-BY-4.0 (https://creativecommons.org/licenses/by/4.0/). "
    "The pages themselves are not in the model; hashes of words and class names with their weights are."
)
NEWS_PROVENANCE = (
    " Also trained on 810 news pages of 2011-12 in Greek, Polish, English and Chinese: half of the sites of the DAnIEL "
    "corpus 2.1 (https://github.com/rundimeco/waddle), a corpus for research. No page and no gold text of it is in the "
    "model either."
)


def main() -> None:
    """Train, or cross-validate."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--news", type=Path)
    parser.add_argument("--blind", action="store_true", help="measure on the news pages, but do not train on them")
    parser.add_argument("--out", type=Path, default=Path("corpusmill/extract/content/model.npz"))
    parser.add_argument("--evaluate", action="store_true")
    parser.add_argument("--predictions", type=Path)
    parser.add_argument(
        "--folds", type=int, nargs="*", default=range(FOLDS), help="only these groups (for experiments)"
    )
    options = parser.parse_args()
    pairs = [*read_pages(options.folder), *(read_news(options.news) if options.news else ())]
    if options.evaluate:
        cross_validate(pairs, Settings(), options.folds, options.predictions, options.blind)
    else:
        model = fit(pairs, Settings(), PROVENANCE + (NEWS_PROVENANCE if options.news else ""))
        save(model, options.out)
        print(f"{options.out}: {options.out.stat().st_size:,} bytes")


def cross_validate(
    pairs: list[Pair], settings: Settings, folds: list[int], predictions: Path | None, blind: bool
) -> None:
    """Print word F1 by kind with standard errors, for the pages and for the same pages in other scripts.

    News pages are counted by themselves, by their languages.
    """
    folds_of = np.array([fold_of(page, FOLDS, "") for page, _ in pairs])
    scores: dict[str, list[tuple[float, float]]] = defaultdict(list)
    right = []
    lines = []
    start = time.time()
    for fold in folds:
        others = [pair for pair, its in zip(pairs, folds_of, strict=True) if its != fold]
        model = fit([pair for pair in others if not (blind and pair[0].language)], settings, "")
        for (page, other), its in zip(pairs, folds_of, strict=True):
            if its != fold:
                continue
            verdict = classify(page.segments, model)
            found = kept_words(page, page.segments, verdict)
            in_other_words = kept_words(page, other.segments, classify(other.segments, model))
            score = word_f1(found, page.gold), word_f1(in_other_words, page.gold)
            if page.language:
                scores["all news"].append(score)
                scores[page.language].append(score)
                continue
            scores["all"].append(score)
            scores[KINDS[page.kind]].append(score)
            right.append(page_kinds(page.segments, verdict, model).argmax() == page.kind)
            lines.append({"id": page.name, "text": " ".join(found)})
        told = ", ".join(f"{kind} {np.mean(scores[kind], axis=0).round(4)}" for kind in ("all", "all news"))
        print(f"fold {fold}: {told} so far, {time.time() - start:.0f} s", flush=True)
    for kind, values in scores.items():
        mean, error = np.mean(values, axis=0), np.std(values, axis=0) / np.sqrt(len(values))
        print(f"{kind:14s} {len(values):5d}  {mean[0]:.4f} ± {error[0]:.4f}   rewritten {mean[1]:.4f} ± {error[1]:.4f}")
    print(f"page kind right: {np.mean(right):.3f}")
    if predictions:
        predictions.write_text("".join(json.dumps(line) + "\n" for line in sorted(lines, key=lambda line: line["id"])))


def kept_words(page: LabelledPage, segments: Segments, verdict: Classified) -> list[str]:
    """Words of the kept blocks, by a decision on the page or on the same page in another script."""
    title = read_metadata(segments, None).title
    keep = whole(segments, verdict)
    if no_content(segments, keep, title, verdict.expected_f1):
        return []
    return [word for index in np.flatnonzero(keep) for word in words(page.segments.block_text(int(index)))]


if __name__ == "__main__":
    main()
