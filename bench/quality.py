"""How well a fastText classifier tells articles from other pages, beside a linear model on the same texts.

    python bench/quality.py WCXB [--write docs/quality.md]      WCXB: the folder of the benchmark's development split

The texts are the reviewed main text of 1,349 web pages.  Positive are articles and documentation; negative are forums,
lists, products and the rest.  `corpusmill quality train` sees them as a user's files.  The other model is logistic
regression of scikit-learn on hashed words and word pairs, trained and measured on the same texts.
"""

import argparse
import gzip
import json
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from corpusmill.stages.models import train_quality
from corpusmill.stages.samples import sample, without

POSITIVE = ("article", "documentation")
START, END = "<!-- classifier: written by `python bench/quality.py ... --write docs/quality.md` -->\n", "<!-- end -->"


def pages(folder: Path) -> Iterator[tuple[str, str]]:
    """Kind and reviewed text of each page."""
    for path in sorted((folder / "ground-truth").glob("*.json*")):
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        data = json.loads(content)
        if text := data["ground_truth"].get("main_content"):
            yield data["_internal"]["page_type"]["primary"], text


def main() -> None:
    """Train, measure and print; write the table into a page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    by_class: dict[bool, list[str]] = {True: [], False: []}
    kinds: Counter[str] = Counter()
    for kind, text in pages(arguments.folder):
        kinds[kind] += 1
        by_class[kind in POSITIVE].append(text)
    print(dict(kinds))
    with tempfile.TemporaryDirectory() as scratch:
        for name, positive in (("good", True), ("other", False)):
            lines = (json.dumps({"text": text}) for text in by_class[positive])
            (Path(scratch) / f"{name}.jsonl").write_text("\n".join(lines), "utf-8")
        figures = train_quality(
            [f"{scratch}/good.jsonl"], [f"{scratch}/other.jsonl"], Path(scratch) / "quality.bin", "articles"
        )
    table = _table(figures, _linear(by_class))
    print(table)
    if arguments.write:
        page = arguments.write.read_text("utf-8")
        before, rest = page.split(START)
        arguments.write.write_text(before + START + table + END + rest.partition(END)[2], "utf-8")


def _linear(by_class: dict[bool, list[str]]) -> float:
    """AUC of logistic regression on the same division of the texts."""
    good, other = sample(by_class[True]), sample(by_class[False])
    without(good, other)
    n, m = min(len(good.texts), len(other.texts)), min(len(good.held_out), len(other.held_out))
    words = HashingVectorizer(n_features=1 << 18, ngram_range=(1, 2), token_pattern=r"\S+", lowercase=False)
    model = LogisticRegression(C=100, max_iter=1000)
    model.fit(words.transform([*good.texts[:n], *other.texts[:n]]), [1] * n + [0] * n)
    scores = model.predict_proba(words.transform([*good.held_out[:m], *other.held_out[:m]]))[:, 1]
    return float(roc_auc_score([1] * m + [0] * m, scores))


def _table(figures: dict, linear: float) -> str:  # type: ignore[type-arg]  # of `train_quality`
    held_out = figures["held_out"]
    rows = [
        "| | AUC | Brier score |",
        "|---|---|---|",
        f"| `corpusmill quality train` | {figures['auc']:.3f} | {figures['brier']:.3f} |",
        f"| logistic regression on words and word pairs | {linear:.3f} | |",
        "",
        f"{held_out['positive']} articles and {held_out['negative']} other pages were held out. Calibration:",
        "",
        "| probability | pages | mean probability | share of articles |",
        "|---|---|---|---|",
    ]
    rows += [
        f"| {each['lowest']:.1f} to {each['highest']:.1f} | {each['documents']} | {each['probability']:.2f} "
        f"| {each['share']:.2f} |"
        for each in figures["calibration"]
    ]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
