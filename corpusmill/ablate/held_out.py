"""The texts that all models of an ablation are measured on, and that none of them has seen.

They come from files, or from the corpus of the base recipe: its validation documents, which no variant trains on,
because the doc_id alone decides that.  Of too many, those with the lowest hash are taken.

A document is left out of a comparison for one of these reasons:

    not kept   a variant drops it.  Measured are documents that all variants call text, else the variant that trained
               on more of the dropped kind would look better.  A search does not use this reason: it would favour
               whatever drops most
    overlap    a training document of a variant holds a fifth of its 13-grams or more (`filters/contamination`): a near
               copy, which deduplication would have found only among the documents of one corpus

All documents are measured all the same, so another variant with other reasons needs no new training.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.ablate.settings import HeldOutSettings
from corpusmill.ablate.statistics import Floats
from corpusmill.belonging import whole
from corpusmill.corpus import Corpus, digest
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.stages.samples import texts_of

NGRAM = 13  # words
SEARCH, CONFIRM = "search", "confirm"  # halves: a search sees only the first


@dataclass(frozen=True, slots=True)
class Document:
    """A held-out document."""

    doc_id: str
    source: str
    language: str | None
    text: str

    @property
    def n_bytes(self) -> int:
        """Size of the text in UTF-8."""
        return len(self.text.encode())

    @property
    def half(self) -> str:
        """Whether a search may see it."""
        return SEARCH if _hash(self.doc_id)[-1] % 2 else CONFIRM


@dataclass(frozen=True)
class HeldOut:
    """The held-out documents, in the order of their ids."""

    documents: tuple[Document, ...]
    overlap: float
    from_corpus: bool

    @classmethod
    def of(cls, settings: HeldOutSettings, base: Corpus, folder: Path) -> "HeldOut":
        """The documents that the settings ask for; their files are relative to `folder`.

        InputError if there are fewer than two.
        """
        found = _of_files(settings, folder) if settings.files else _of_corpus(settings, base)
        cut = {each.doc_id: each for each in found if each.text.strip()}
        chosen = sorted(sorted(cut, key=_hash)[: settings.documents])
        if len(chosen) < 2:
            raise InputError(
                f"only {len(chosen)} held-out documents were found; name files in held_out.files, "
                "or raise split.validation_share in the base recipe"
            )
        return cls(tuple(cut[doc_id] for doc_id in chosen), settings.overlap, not settings.files)

    @cached_property
    def digest(self) -> str:
        """Changes with the documents."""
        return digest([(each.doc_id, each.text) for each in self.documents])

    @cached_property
    def n_bytes(self) -> Floats:
        """The size of each document."""
        return np.array([each.n_bytes for each in self.documents], np.float64)

    def reasons(self, variant: str, corpus: Corpus, cache: Path, *, all_keep: bool) -> dict[str, str]:
        """doc_id -> why it cannot be used to measure the variant of this corpus.

        cache: a folder for what was found in parts of documents; most variants share most parts
        all_keep: whether documents that the variant does not keep are not used
        """
        overlapping, kept = self._looked_up(corpus, cache)
        reasons = dict.fromkeys(overlapping, f"overlap with training documents of {variant}")
        if all_keep and self.from_corpus:
            missing = {each.doc_id for each in self.documents} - kept
            reasons |= dict.fromkeys(missing, f"not kept by {variant}")
        return reasons

    def _looked_up(self, corpus: Corpus, cache: Path) -> tuple[set[str], set[str]]:
        """The held-out documents that overlap with training documents, and those that the corpus keeps."""
        overlapping, kept = set[str](), set[str]()
        for part, receipt in whole(corpus, Stage.DOCS).items():
            file = cache / f"{digest(receipt.checksum, self.digest, self.overlap)}.json"
            if not file.exists():
                found = self._in_part(corpus.read(Stage.DOCS, part, ["doc_id", "text", "split"]))
                Corpus(cache).write_json(file.name, found)
            found = json.loads(file.read_text("utf-8"))
            overlapping |= set(found["overlapping"])
            kept |= set(found["kept"])
        return overlapping, kept

    def _in_part(self, docs: pa.Table) -> dict[str, list[str]]:
        """What one part says of the held-out documents."""
        trained = docs.filter(pc.equal(docs["split"], "train"))["text"]
        mine = {each.doc_id for each in self.documents}
        kept = sorted(mine & set(docs["doc_id"].to_pylist()))
        return {"overlapping": sorted(overlapping(self.documents, trained, self.overlap)), "kept": kept}


def overlapping(documents: Sequence[Document], texts: pa.ChunkedArray, overlap: float) -> set[str]:
    """The documents of whose 13-grams one text holds at least a share of `overlap`."""
    from corpusmill.filters.contamination import Item, evaluation, find_spans

    found = set[str]()
    while True:  # of several documents that a text overlaps at one place, only the first is named
        items = [Item("held out", each.doc_id, (each.text,)) for each in documents if each.doc_id not in found]
        spans = find_spans(evaluation(items, NGRAM), texts.combine_chunks(), overlap)
        more = {span.item for of_text in spans for span in of_text}
        if not more:
            return found
        found |= more


def _of_corpus(settings: HeldOutSettings, base: Corpus) -> list[Document]:
    found = []
    for part in whole(base, Stage.DOCS):
        docs = base.read(Stage.DOCS, part, ["doc_id", "source", "language", "text", "split"])
        for row in docs.filter(pc.equal(docs["split"], "validation")).to_pylist():
            if not settings.sources or row["source"] in settings.sources:
                text = row["text"][: settings.max_chars]
                found.append(Document(row["doc_id"], row["source"], row["language"], text))
    return found


def _of_files(settings: HeldOutSettings, folder: Path) -> list[Document]:
    """The texts of files; each different text once."""
    found = []
    for pattern in settings.files:
        source = Path(pattern).name.split(".", 1)[0]
        for text, language in texts_of(str(folder / pattern), settings.column):
            whole_text = text.encode("utf-8", "replace").decode()[: settings.max_chars]
            found.append(Document(_hash(whole_text)[:12].hex(), source, language, whole_text))
    return found


def _hash(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
