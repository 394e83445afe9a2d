"""Whether the files of sources are as the recipe says, asked before a run reads them.

One file without the column for the text is a row that says so, and the others are read.  If it is the same with every
file that can be opened, the recipe names the wrong column, and nothing should be read.  A source's files are opened in
the order of the plan until one fits, so this is mostly one file per source.
"""

from collections.abc import Callable, Iterable

from corpusmill.collect.formats import format_of
from corpusmill.collect.formats.base import Reading
from corpusmill.collect.records import DamageError
from corpusmill.collect.settings import Source
from corpusmill.collect.slices import Slice
from corpusmill.errors import InputError
from corpusmill.page import ExtractSettings


def check_files(slices: Iterable[Slice], source_of: Callable[[str], Source]) -> None:
    """InputError if no file of a source is as the recipe says, and one of them can tell."""
    by_source: dict[str, list[Slice]] = {}
    for piece in slices:
        if piece.start == 0:
            by_source.setdefault(piece.source, []).append(piece)
    for name, pieces in by_source.items():
        _check(source_of(name), pieces)


def _check(source: Source, pieces: list[Slice]) -> None:
    format = format_of(source.kind)
    assert format is not None, "the recipe has checked the kind"
    found: list[str] = []
    for piece in pieces:
        try:
            misfit = format.misfit(Reading(piece, source, ExtractSettings().max_page_bytes))
        except DamageError:  # its row will say so
            continue
        except OSError:  # the disk or the network, which whoever reads the file reports
            return
        if misfit is None:
            return
        found.append(f"{piece.files[0]}: {misfit}")
    if found:
        n = len(found) - 1
        others = f" (nor does any of the {n:,} other files that can be read fit)" if n else ""
        raise InputError(f"source '{source.name}': {found[0]}{others}")
