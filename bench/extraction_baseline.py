r"""Read and extract WCXB's development split: pages per second and word F1, beside resiliparse called bare.

    python bench/extraction_baseline.py FOLDER

FOLDER holds `html/ID.html.gz` and `ground-truth/ID.json`.  The pages are packed into a WARC in a temporary folder and
read through `read_pages`, with opt-outs off, since this is about text.  Bare resiliparse gets pages that are inflated
and decoded already.  Word F1 is the benchmark's: of the bags of lower-case `\w+` words of extracted and gold text,
averaged over the pages; where the gold is empty, 1 if nothing was extracted, else 0.  Times are CPU seconds of one
process.
"""

import json
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow.compute as pc
from pack_wcxb import pack
from resiliparse.extract.html2text import extract_plain_text

from corpusmill.collect.pages import read_pages
from corpusmill.collect.plan import Slice
from corpusmill.collect.reader import read_slice
from corpusmill.extract import extractor, warm_up
from corpusmill.recipe import ExtractSettings, Source

SOURCE = Source(name="wcxb", kind="warc", paths=["wcxb.warc.gz"])
WORD = re.compile(r"\w+")


def word_f1(text: str, gold: str) -> float:
    """F1 of the two bags of words."""
    found, wanted = Counter(WORD.findall(text.lower())), Counter(WORD.findall(gold.lower()))
    if not wanted:
        return float(not found)
    shared = (found & wanted).total()
    return 2 * shared / (found.total() + wanted.total())


def main(folder: Path) -> None:
    """Print the figures."""
    truths = [json.loads(path.read_bytes()) for path in sorted((folder / "ground-truth").glob("*.json"))]
    warm_up()
    with tempfile.TemporaryDirectory() as temporary:
        n = pack(folder, Path(temporary) / "wcxb.warc.gz")
        piece = Slice(part="p", source="wcxb", kind="warc", root=temporary, files=("wcxb.warc.gz",))

        start = time.process_time()
        n_bytes = sum(record.n_bytes for record in read_slice(piece, SOURCE))
        print(
            f"read only              {n / (time.process_time() - start):8.0f} pages/s, {n_bytes / 1e6:.0f} MB of HTML"
        )

        start = time.process_time()
        pages, _ = read_pages(piece, SOURCE, ExtractSettings(opt_outs=[]), extractor("resiliparse"))
        print(f"read and extract       {n / (time.process_time() - start):8.0f} pages/s")

        bodies = [(record.body or b"").decode("utf-8", "replace") for record in read_slice(piece, SOURCE)]
        start = time.process_time()
        bare = [extract_plain_text(body, main_content=True) for body in bodies]
        print(f"resiliparse, bare      {n / (time.process_time() - start):8.0f} pages/s")
        obeyed, _ = read_pages(piece, SOURCE, ExtractSettings(), extractor("resiliparse"))

    print(f"opted out, by default  {pc.sum(pc.equal(obeyed['status'], 'opted_out')).as_py():8d} pages")
    by_type: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for truth, text, other in zip(truths, pages["text"].to_pylist(), bare, strict=True):
        gold = truth["ground_truth"].get("main_content") or ""
        scores = (word_f1(text or "", gold), word_f1(other, gold))
        by_type["all"].append(scores)
        by_type[truth["_internal"]["page_type"]["primary"]].append(scores)
    print("\nword F1         pages  corpusmill  resiliparse, bare")
    for kind, scores in by_type.items():
        ours, others = (sum(column) / len(scores) for column in zip(*scores, strict=True))
        print(f"{kind:14s} {len(scores):6d}       {ours:.4f}             {others:.4f}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
