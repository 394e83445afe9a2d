"""A signal of one's own.  `demo.toml` names this module, and has a rule on the signal."""

import pyarrow as pa
import pyarrow.compute as pc

from corpusmill import signal


@signal("share_of_exclamations", pa.float64(), "'!' per character")
def share_of_exclamations(pages: pa.Table) -> pa.Array:
    """The share of exclamation marks in the characters of each page; 0 for an empty page."""
    length = pc.max_element_wise(pc.utf8_length(pages["text"]), 1)
    return pc.divide(pc.cast(pc.count_substring(pages["text"], "!"), "double"), pc.cast(length, "double"))
