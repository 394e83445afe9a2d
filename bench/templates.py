"""A great many pages of one template: time, memory, and how many true duplicates are found among them.

    python bench/templates.py FOLDER [--pages 5000 20000 100000 1000000] [--kinds same alike apart] [--workers 2]

    same    the pages differ in one of 200 shingles (J = 0.99): one page stays
    alike   the pages differ in a tenth (J = 0.82): one page stays, and few that share no band with it
    apart   the pages differ in 18 % (J = 0.7, below the threshold), so all stay.  Every tenth page is a copy of
            another one (J = 0.95), which must be found among all the others

The sketches are generated, and the stage `twins` runs on them as in `bench/dedup_scale.py`.  A document is compared
with at most 1,000 others, those that share most bands with it.  Found: of the copies, how many were dropped for their
own page.  Expected: the probability that a copy shares a band with its page.
"""

import argparse
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dedup_scale import SETTINGS, measure

from corpusmill import schema
from corpusmill.dedup.curve import probability
from corpusmill.dedup.sketch import _hash_bands, permutations
from corpusmill.kernels import kernel

SIZE = 200  # shingles of a page
OWN = {"same": 1, "alike": 20, "apart": 36}  # shingles that only this page has
OWN_OF_COPY = 5  # shingles in which a copy differs from its page
ROWS = 50_000  # of a part


@kernel
def _sketches(first: int, n: int, own: int, with_copies: bool, a: Any, b: Any, rows: int, bands: int) -> Any:
    """Shingles, band hashes, and the number of the page (its own, or the one it is a copy of)."""
    size, mix = SIZE, np.uint64(0xD6E8FEB86659FD93)
    shingles, found = np.empty(n * size, np.uint32), np.zeros((n, bands), np.uint64)
    pages, scratch = np.empty(n, np.int64), np.empty(size + 64, np.uint32)
    for d in range(n):
        number = first + d
        is_copy = with_copies and number % 10 == 9
        pages[d] = number - 5 if is_copy else number
        out = shingles[d * size : (d + 1) * size]
        for i in range(size):
            h = np.uint64(i) * np.uint64(0x9E3779B97F4A7C15)
            if i < own:
                h += np.uint64(pages[d] + 1) << np.uint64(20)
            if is_copy and i >= size - OWN_OF_COPY:
                h += np.uint64(number + 1) << np.uint64(20)
            for _ in range(3):
                h = (h ^ h >> np.uint64(32)) * mix
            out[i] = np.uint32(h >> np.uint64(32))
        out.sort()
        _hash_bands(out, size, a, b, rows, scratch, found[d])
    return shingles, found, pages


def make(folder: Path, kind: str, n: int) -> int:
    """Write the sketches of n pages; returns the number of parts."""
    (folder / "sketches").mkdir(parents=True)
    a, b = permutations(SETTINGS.bands * SETTINGS.rows, SETTINGS.seed)
    for part, first in enumerate(range(0, n, ROWS)):
        rows = min(ROWS, n - first)
        shingles, bands, pages = _sketches(first, rows, OWN[kind], kind == "apart", a, b, SETTINGS.rows, SETTINGS.bands)
        numbers = np.arange(first, first + rows)
        doc_ids = [f"{page:012}{number:012}" for page, number in zip(pages.tolist(), numbers.tolist(), strict=True)]
        table = pa.table(
            {
                "doc_id": pa.array(doc_ids),
                "content_hash": pa.array(numbers.astype(np.uint64) + np.uint64(1)),
                # the page is longer than its copy, so it comes first
                "n_chars": pa.array(5000 - (numbers % 10 == 9)),
                "bands": pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * SETTINGS.bands, bands.ravel()),
                "shingles": pa.ListArray.from_arrays(np.arange(rows + 1, dtype=np.int32) * SIZE, shingles),
            },
            schema=schema.SKETCHES.arrow,
        )
        pq.write_table(table, folder / f"sketches/{part:05}.parquet", compression="none", use_dictionary=False)
    return part + 1


class Copies:
    """Counts the copies that were dropped for their own page."""

    def __init__(self) -> None:
        self.right = 0

    def __call__(self, twins: pa.Table) -> None:
        """Look at the twins of a part."""
        dropped = twins.filter(pc.is_valid(twins["rule"]))
        own, other = (pc.utf8_slice_codeunits(dropped[name], 0, 12) for name in ("doc_id", "twin_doc_id"))
        self.right += pc.sum(pc.equal(own, other)).as_py() or 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pages", nargs="+", type=int, default=[5000, 20_000, 100_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", default=[*OWN], choices=[*OWN])
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    for kind in given.kinds:
        for n in given.pages:
            folder = given.folder / "templates"
            shutil.rmtree(folder, ignore_errors=True)
            n_parts, copies = make(folder, kind, n), Copies()
            found = measure(folder, n_parts, given.workers, copies)
            shutil.rmtree(folder)
            line = (
                f"{kind:6} {n:>10,} pages: {found['wall']:.1f} s, CPU {found['cpu']:.1f} s, "
                f"{found['memory'] / 1e6:,.0f} MB, {found['dropped']:,} dropped, {found['limited']:,} limited"
            )
            if kind == "apart":
                similarity = (SIZE - OWN_OF_COPY) / (SIZE + OWN_OF_COPY)
                expected = probability(similarity, SETTINGS.bands, SETTINGS.rows)
                line += f"; found {copies.right / (n // 10):.4f} of {n // 10:,} copies (expected {expected:.4f})"
            print(line, flush=True)


if __name__ == "__main__":
    main()
