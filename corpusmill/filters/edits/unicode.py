"""Edit `unicode`: repair mojibake, remove characters that nobody sees, normalise.

Mojibake is repaired by ftfy (Speer, "ftfy", 2019), and by no other part of ftfy: quotes, widths, ligatures and entities
stay as they are.
"""

from typing import Literal

from corpusmill.filters.edits.base import EditSettings


class Unicode(EditSettings):
    """Settings of `unicode`."""

    kind: Literal["unicode"] = "unicode"
    mojibake: bool = True  # repair UTF-8 that was read as another encoding
    control_characters: bool = True  # remove control characters and the codes that colour a terminal
    invisible: bool = True  # remove characters without width where they carry no meaning
    nfc: bool = False  # compose letters and their marks
