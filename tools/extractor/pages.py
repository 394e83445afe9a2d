"""Pages with gold text, read from a folder, segmented and labelled.

`read_pages` reads a folder with the layout of WCXB: `html/ID.html.gz` and `ground-truth/ID.json`.  The second has the
page's URL, its type and the text that a reader wants (`ground_truth.main_content`; empty or missing if the page has no
such text).

`read_news` reads a folder of news pages: `index.jsonl` (id, host, language), `ID.html.gz` as it was served, and its
text in `ID.txt`.  All of them are articles.  Some texts are wrong there.
"""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tldextract
from labels import label, words
from rewrite import SCRIPTS, rewrite

from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.segments.readable import readable
from corpusmill.extract.segments.tables import Segments

LEAST_FOUND = 0.7
MOST_OF_A_HOST = 10
KIND_NAMES = {"category": "collection"}  # the name in older files of WCXB
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=())  # the list that ships with the library


@dataclass(frozen=True, kw_only=True)
class LabelledPage:
    """A page as tables that are copies, not views, with its labels."""

    name: str
    kind: int  # index in KINDS
    domain: str  # registrable domain: pages of one domain are nearly the same, except for the text
    segments: Segments
    shares: npt.NDArray[np.float32]  # (n_blocks,) share of the block's words that are in the gold
    counts: npt.NDArray[np.int64]  # (n_blocks,) number of words
    gold: tuple[str, ...]  # words of the gold text
    language: str = ""  # of a news page
    importance: float = 1  # for training, compared with other pages

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """(n_blocks,) The weight of a block for the page's F1: its words, as a share of the wanted words."""
        wanted = max(30.0, float((self.shares * self.counts).sum()))
        return ((self.counts + 0.3) / wanted * self.importance).astype(np.float32)


def read_pages(folder: Path) -> Iterator[tuple[LabelledPage, LabelledPage]]:
    """Each page of the folder, and the same page in another script."""
    for path in sorted((folder / "ground-truth").glob("*.json")):
        truth = json.loads(path.read_bytes())
        html = gzip.decompress((folder / "html" / f"{path.stem}.html.gz").read_bytes())
        page = to_utf8(html, None).data
        other = rewrite(page, SCRIPTS[zlib.crc32(path.stem.encode()) % len(SCRIPTS)])
        gold, kind = truth["ground_truth"].get("main_content") or "", truth["_internal"]["page_type"]["primary"]
        original = _labelled(path.stem, page, gold, kind, truth["url"])
        yield original, _relabelled(original, readable(other).owned())


def read_news(folder: Path) -> Iterator[tuple[LabelledPage, LabelledPage]]:
    """Each news page of the folder, and the same page without scripts, with its Latin letters in another script.

    A page of which less than `LEAST_FOUND` of the text is found has a wrong text, and no importance for training.  The
    pages of one host are as important as `MOST_OF_A_HOST` pages at most.
    """
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text("utf-8").splitlines()]
    of_host = Counter(row["host"] for row in rows)
    for row in sorted(rows, key=lambda row: row["id"]):
        page = to_utf8(gzip.decompress((folder / f"{row['id']}.html.gz").read_bytes()), None).data
        gold = (folder / f"{row['id']}.txt").read_text("utf-8", "replace")
        original = _labelled(row["id"], page, gold, "article", f"http://{row['host']}/")
        found = (original.shares * original.counts).sum() / max(1, len(original.gold))
        importance = min(1, MOST_OF_A_HOST / of_host[row["host"]]) if found >= LEAST_FOUND else 0
        original = replace(original, language=row["language"], importance=importance)
        other = rewrite(page, SCRIPTS[zlib.crc32(row["id"].encode()) % len(SCRIPTS)])
        yield original, _relabelled(original, readable(other).owned())


def _labelled(name: str, page: bytes, gold: str, kind: str, url: str) -> LabelledPage:
    segments = readable(page).owned()
    shares, counts = label([segments.block_text(i) for i in range(len(segments.blocks))], gold)
    return LabelledPage(
        name=name,
        kind=KINDS.index(KIND_NAMES.get(kind, kind)),
        domain=_SUFFIXES(url).top_domain_under_public_suffix or url,
        segments=segments,
        shares=shares,
        counts=counts,
        gold=tuple(words(gold)),
    )


def _relabelled(page: LabelledPage, segments: Segments) -> LabelledPage:
    """The rewritten page with the labels of the original, block by block; the original page if the blocks differ."""
    if len(segments.blocks) != len(page.segments.blocks):
        print(f"{page.name}: the rewritten page has {len(segments.blocks)} blocks, not {len(page.segments.blocks)}")
        segments = page.segments
    return replace(page, segments=segments)
