"""Edits of the text: named, in the order of the recipe, each counted.

To add a kind: a module beside this one with its settings, and an entry in `corpusmill.filters.edits.kinds`.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from corpusmill.extensions import REGISTRY
from corpusmill.filters.edits.base import EditKind, EditSettings, OwnEditSettings, PlacedEdit
from corpusmill.filters.edits.kinds import KINDS
from corpusmill.names import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "KINDS",
    "EditKind",
    "EditSettings",
    "OwnEditSettings",
    "PlacedEdit",
    "apply_edits",
    "model_of",
    "placed",
    "warm_up",
]


def model_of(data: dict[str, Any]) -> type[EditSettings]:
    """The model of an edit's kind, from plain data.  ValueError if there is no such kind.

    The recipe's modules must have been loaded: an edit of the user's is a kind, too.
    """
    kind = data.get("kind")
    if kind is None:
        return EditSettings  # which says that it is missing
    if isinstance(kind, str) and kind in KINDS:
        return KINDS[kind].settings
    if isinstance(kind, str) and kind in REGISTRY.edits:
        return OwnEditSettings
    allowed = [*KINDS, *sorted(REGISTRY.edits)]
    raise ValueError(f"unknown kind '{kind}'; {did_you_mean(str(kind), allowed)}allowed: {', '.join(allowed)}")


def placed(settings: EditSettings) -> PlacedEdit:
    """A built-in edit, ready to run; what its files hold must be in its settings (`with_files`)."""
    kind = KINDS[settings.kind]
    return PlacedEdit(
        name=settings.label,
        description=kind.name if settings.label == kind.name else f"of kind {kind.name}",
        version=kind.version,
        libraries=kind.libraries,
        settings=settings.model_dump(),
        edit=lambda texts: kind.edit(texts, settings),
        more=lambda: kind.counts(settings.label),
    )


def apply_edits(
    texts: "pa.Array | pa.ChunkedArray", edits: "Sequence[PlacedEdit | EditSettings]"
) -> "tuple[pa.Array, dict[str, pa.Array]]":
    """Texts (n, large_string) after all edits in order, and the counts of each edit (n), by the name of the column.

    A null stays null, and has null counts.  Same texts and edits, same answer.
    """
    import pyarrow as pa

    from corpusmill.filters.edits.counting import counted

    array = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    counts: dict[str, pa.Array] = {}
    for edit in _ready(edits):
        array, found = counted(array.cast(pa.large_string()), edit)
        counts |= found
    return array, counts


def warm_up() -> None:
    """Compile every kernel of the edits, or load it from the cache, by running it on a tiny input."""
    import pyarrow as pa

    texts = pa.array(["to be [1]\n\nor not \u200b"], pa.large_string())
    composing = KINDS["unicode"].settings.model_validate({"kind": "unicode", "nfc": True})
    others = ("white_space", "c4_lines", "citations", "refinedweb_lines")
    apply_edits(texts, [composing, *(KINDS[kind].settings(kind=kind) for kind in others)])


def _ready(edits: "Iterable[PlacedEdit | EditSettings]") -> list[PlacedEdit]:
    return [edit if isinstance(edit, PlacedEdit) else placed(edit) for edit in edits]
