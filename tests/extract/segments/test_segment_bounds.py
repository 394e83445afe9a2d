"""Broken pages never make the segmenter read or write outside its arrays."""

import os
import subprocess
import sys
from pathlib import Path

from corpusmill.extract.segments.segment import segment
from corpusmill.kernels import cache_folder
from tests.extract.mutations import REPEATED, extremes
from tests.extract.segments.test_segment_soup import check_tables


def test_mutations_with_bounds_checking():
    folder = cache_folder() / "bounds"  # kernels with checks are others
    folder.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.extract.mutations", "3000"],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(folder)},
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 3000 + len(REPEATED)


def test_extremes_make_sound_tables():
    for _, page in extremes(n_bytes=3000, depth=600):
        check_tables(page)


def test_all_bytes_of_a_long_page_count():
    page = segment(b"<p>word</p>" * 200_000)
    assert len(page.blocks) == 200_000
    assert page.block_text(199_999) == "word"
