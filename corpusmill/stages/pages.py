"""pages: records of the input, with text or the reason why there is none."""

import hashlib
from collections.abc import Iterator
from functools import cache

from corpusmill.collect.formats import FORMATS, Format, format_of
from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice
from corpusmill.extract.content import MODEL
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.receipts import Inputs
from corpusmill.stages.job import Job
from corpusmill.stages.stage import ARROW, Reading, in_schema, version_of
from corpusmill.stages.takedown import status_counts, takedown_of

LIBRARIES = (*ARROW, "numba", "chardetng-py", "webencodings")
EXTRACTOR_LIBRARIES = {"resiliparse": ("resiliparse",), "trafilatura": ("trafilatura", "justext", "lxml")}


def _identity(job: Job, source: Source) -> object:
    """Everything that a source's rows depend on, except its files."""
    extract, format = job.recipe.extract, format_of(source.kind)
    assert format is not None, "the recipe has checked the kind"
    return [
        format.identity(source),
        [version_of(library) for library in format.libraries],
        job.recipe.run.slice_bytes,
        extract.model_dump(exclude=_not_read(format)),
        _extractor(extract.extractor) if format.has_html else [],
        _own_code(job, source.kind, extract.extractor if format.has_html else None),
    ]


def _not_read(format: Format) -> set[str]:
    """The settings of extraction that do not matter to a format."""
    if format.has_html:
        return set()
    return {"extractor"} if format.has_markup else {"extractor", "format"}


def _own_code(job: Job, kind: str, extractor: str | None) -> list[str]:
    """Identity of the user's modules that read such a source or extract its pages."""
    used = []
    for module, own in job.registered():
        if (kind in own.sources and kind not in FORMATS) or extractor in own.extractors:
            used.append(module.digest)
    return used


def _extractor(name: str) -> list[str]:
    """What determines the result of a built-in extractor, besides our code."""
    if name == "corpusmill":
        return [_model_digest()]
    return [version_of(library) for library in EXTRACTOR_LIBRARIES.get(name, ())]


@cache
def _model_digest() -> str:
    """Identity of the trained model, without the imports that loading it needs."""
    return hashlib.blake2b(MODEL.read_bytes(), digest_size=16).hexdigest()


class _Pages:
    """A slice that is being read."""

    def __init__(self, job: Job, piece: Slice) -> None:
        from corpusmill.collect.pages import PageReader
        from corpusmill.extract.extractors import extractor

        settings = job.recipe.extract
        extract = extractor(settings.extractor, settings.format)
        self._reader = PageReader(piece, job.source(piece.source), settings, extract)
        self._piece, self._job = piece, job

    def tables(self) -> Iterator[Made]:
        """The rows, in parts of a bounded size.  What was taken down never reaches a part."""
        import pyarrow.compute as pc

        for read in self._reader.tables(self._job.recipe.run.slice_bytes):
            table = takedown_of(self._job)(read)
            size = pc.sum(table["n_bytes"]).as_py() or 0
            yield Made(table=table, rows_in=table.num_rows, bytes_in=size, counts=status_counts(table))

    def inputs(self) -> Inputs:
        """Which bytes of which files were read."""
        from corpusmill.collect.identity import inputs_of

        return inputs_of(self._piece, self._reader.trace)

    def counts(self) -> dict[str, int]:
        """The number of records without content, by kind."""
        return {f"other_{kind}": n for kind, n in self._reader.others.items()}


PAGES = Reading(
    name=Stage.PAGES,
    version=9,
    libraries=LIBRARIES,
    identity=_identity,
    make=_Pages,
    table=in_schema("PAGES"),
    share_of_time=1.0,
)
