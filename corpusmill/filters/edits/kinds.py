"""The kinds of edits: for each its settings, its version, and the code that does the work, which is imported late.

Settings stand in modules of their own, because recipes read them and kernels need them.
"""

from typing import TYPE_CHECKING

from corpusmill.filters.edits.base import Edited, EditKind
from corpusmill.filters.edits.boilerplate_lines import BoilerplateLines
from corpusmill.filters.edits.c4_lines import C4Lines
from corpusmill.filters.edits.citations import Citations
from corpusmill.filters.edits.refinedweb_lines import RefinedWebLines
from corpusmill.filters.edits.unicode import Unicode
from corpusmill.filters.edits.white_space import WhiteSpace

if TYPE_CHECKING:
    import pyarrow as pa

    from corpusmill.schema import Column


def _repair(texts: "pa.Array", settings: Unicode) -> "pa.Array":
    from corpusmill.filters.edits.kernels.unicode import repair

    return repair(texts, settings)


def _tidy(texts: "pa.Array", settings: WhiteSpace) -> "pa.Array":
    from corpusmill.filters.edits.kernels.white_space import tidy

    return tidy(texts, settings)


def _keep_lines(texts: "pa.Array", settings: C4Lines) -> "pa.Array":
    from corpusmill.filters.edits.kernels.c4 import keep_lines

    return keep_lines(texts, settings)


def _correct_lines(texts: "pa.Array", settings: RefinedWebLines) -> Edited:
    from corpusmill.filters.edits.kernels.refinedweb import correct_lines

    texts, share = correct_lines(texts, settings)
    return Edited(texts, {"word_share": share})


def _word_share(name: str) -> "tuple[Column, ...]":
    import pyarrow as pa

    from corpusmill.schema import Column

    said = f"share of the words that are in lines which the edit {name} removed or changed; null without words"
    return (Column(f"edit_{name}_word_share", pa.float64(), said),)


def _without_citations(texts: "pa.Array", settings: Citations) -> "pa.Array":
    from corpusmill.filters.edits.kernels.citations import without_citations

    return without_citations(texts, settings)


def _without_lines(texts: "pa.Array", settings: BoilerplateLines) -> "pa.Array":
    from corpusmill.filters.edits.kernels.boilerplate import without_lines

    return without_lines(texts, settings)


_ALL = (
    EditKind(name="unicode", version=1, libraries=("numba", "ftfy"), settings=Unicode, edit=_repair),
    EditKind(name="white_space", version=1, libraries=("numba",), settings=WhiteSpace, edit=_tidy),
    EditKind(name="c4_lines", version=1, libraries=("numba",), settings=C4Lines, edit=_keep_lines),
    EditKind(
        name="refinedweb_lines",
        version=1,
        libraries=("numba",),
        settings=RefinedWebLines,
        edit=_correct_lines,
        counts=_word_share,
    ),
    EditKind(name="citations", version=1, libraries=("numba",), settings=Citations, edit=_without_citations),
    EditKind(name="boilerplate_lines", version=1, libraries=("numba",), settings=BoilerplateLines, edit=_without_lines),
)
KINDS = {kind.name: kind for kind in _ALL}
