"""The parts of other corpora that deduplication compares with, and digests of what is used of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpusmill.belonging import belonging
from corpusmill.corpus import Corpus, digest
from corpusmill.dedup.settings import Against
from corpusmill.errors import InputError
from corpusmill.reasons import Stage
from corpusmill.store import is_url

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, kw_only=True, slots=True)
class Guest:
    """A part of another corpus."""

    place: str
    part: str
    sketches: str  # checksums
    docs: str
    fingerprint: str  # of the sketches
    rows: int

    def read_sketches(self, columns: tuple[str, ...]) -> "pa.Table":
        """The sketches of all pages of the part."""
        return Corpus(self.place).read(Stage.SKETCHES, self.part, list(columns), checksum=self.sketches)

    def doc_ids(self) -> "pa.ChunkedArray":
        """The pages of the part that are documents."""
        return Corpus(self.place).read(Stage.DOCS, self.part, ["doc_id"], checksum=self.docs)["doc_id"]


def where_is(against: Against) -> str:
    """The beginning of a message about a corpus."""
    return f"recipe: dedup.against '{against.name}': {against.corpus}"


def guests_of(against: Against, folder: Path) -> list[Guest]:
    """The parts of another corpus, by name.  InputError if it has no documents or no sketches."""
    place = against.corpus if is_url(against.corpus) else str(Path(folder, against.corpus).resolve())
    found = belonging(Corpus(place))
    docs, sketches = found.get(Stage.DOCS, {}), found.get(Stage.SKETCHES, {})
    if not docs:
        raise InputError(f"{where_is(against)}: is no corpus with documents; run its recipe first")
    if missing := docs.keys() - sketches.keys():
        raise InputError(f"{where_is(against)}: {len(missing):,} of its parts have no sketches; run its recipe again")
    return [
        Guest(
            place=place,
            part=part,
            sketches=sketches[part].checksum,
            docs=docs[part].checksum,
            fingerprint=sketches[part].fingerprint,
            rows=sketches[part].rows_out,
        )
        for part in sorted(docs)
    ]


def digest_of(guests: list[Guest]) -> str:
    """A digest of everything that is used of a corpus."""
    return digest([[guest.part, guest.sketches, guest.docs] for guest in guests])


def key_of(against: Against) -> str:
    """The key of a corpus's digest in `Job.files`."""
    return f"dedup.against {against.name}"


def against_digests(against: list[Against], folder: Path) -> dict[str, str]:
    """For each other corpus, a digest of what is used of it.  InputError if it cannot be used."""
    return {key_of(each): digest_of(guests_of(each, folder)) for each in against}
