"""Find pages of WCXB's development split for which the extractor finds no main content, though the gold has some.

    python bench/abstain.py FOLDER

FOLDER contains `html/ID.html.gz` and `ground-truth/ID.json`.  Every page with gold that is left out is printed with the
reason.  If the gold is empty, leaving the page out is usually right; but some gold is only missing.  The cost is that
of the decision alone, in CPU time of one thread.
"""

import gzip
import json
import sys
import time
from collections import Counter
from pathlib import Path

from corpusmill.extract.content.abstain import no_content
from corpusmill.extract.content.classify import classify
from corpusmill.extract.content.model import shipped_model
from corpusmill.extract.metadata.read import read_metadata
from corpusmill.extract.segments.segment import segment


def main(folder: Path) -> None:
    """Print pages that were left out wrongly, counts and cost."""
    counts: Counter[tuple[str, str]] = Counter()
    seconds = []
    for path in sorted((folder / "ground-truth").glob("*.json")):
        truth = json.loads(path.read_bytes())
        segments = segment(gzip.decompress((folder / "html" / f"{truth['file_id']}.html.gz").read_bytes()))
        verdict = classify(segments, shipped_model())
        keep = verdict.keep
        title = read_metadata(segments, truth["url"]).title
        start = time.thread_time()
        reason = no_content(segments, keep, title, verdict.expected_f1)
        seconds.append(time.thread_time() - start)
        has_gold = bool((truth["ground_truth"].get("main_content") or "").split())
        counts["gold" if has_gold else "no gold", reason or "content"] += 1
        if reason and has_gold:
            kept_words = int(segments.blocks["n_words"] @ keep)
            print(f"{truth['file_id']} {reason}: {kept_words} words kept of {title!r}, {truth['url']}")
    for (gold, reason), count in sorted(counts.items()):
        print(f"{gold:8} {reason:18} {count:5}")
    seconds.sort()
    mean, median = sum(seconds) / len(seconds), seconds[len(seconds) // 2]
    print(f"{mean * 1e6:.0f} microseconds per page on average, {median * 1e6:.0f} for the median page")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
