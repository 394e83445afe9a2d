"""Pages with gold text, read from a folder, segmented and labelled.

The folder has the layout of WCXB: `html/ID.html.gz` and `ground-truth/ID.json`.  The second has the page's URL, its
type and the text that a reader wants (`ground_truth.main_content`; empty or missing if the page has no such text).
"""

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tldextract
from labels import label, words
from rewrite import SCRIPTS, rewrite

from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.content.kinds import KINDS
from corpusmill.extract.segments.segment import segment
from corpusmill.extract.segments.tables import Segments

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

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """(n_blocks,) The weight of a block for the page's F1: its words, as a share of the wanted words."""
        wanted = max(30.0, float((self.shares * self.counts).sum()))
        return ((self.counts + 0.3) / wanted).astype(np.float32)


def read_pages(folder: Path) -> Iterator[tuple[LabelledPage, LabelledPage]]:
    """Each page of the folder, and the same page in another script."""
    for path in sorted((folder / "ground-truth").glob("*.json")):
        truth = json.loads(path.read_bytes())
        html = gzip.decompress((folder / "html" / f"{path.stem}.html.gz").read_bytes())
        page = to_utf8(html, None).data
        other = rewrite(page, SCRIPTS[zlib.crc32(path.stem.encode()) % len(SCRIPTS)])
        original = _labelled(path.stem, truth, page)
        yield original, _relabelled(original, _own(segment(other)))


def _labelled(name: str, truth: dict[str, Any], page: bytes) -> LabelledPage:
    segments = _own(segment(page))
    gold = truth["ground_truth"].get("main_content") or ""
    shares, counts = label([segments.block_text(i) for i in range(len(segments.blocks))], gold)
    kind = truth["_internal"]["page_type"]["primary"]
    return LabelledPage(
        name=name,
        kind=KINDS.index(KIND_NAMES.get(kind, kind)),
        domain=_SUFFIXES(truth["url"]).top_domain_under_public_suffix or truth["url"],
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


def _own(segments: Segments) -> Segments:
    """A copy that the next page does not overwrite."""
    return Segments(
        **{
            field: value.copy() if isinstance(value := getattr(segments, field), np.ndarray) else value
            for field in segments.__dataclass_fields__
        }
    )
