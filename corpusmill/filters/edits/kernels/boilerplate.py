"""`boilerplate_lines` at work: all lines as an Arrow column, looked up in a hash table and searched by RE2."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.filters.edits.boilerplate_lines import BoilerplateLines
from corpusmill.filters.edits.kernels.lines import Lines


def without_lines(texts: pa.Array, settings: BoilerplateLines) -> pa.Array:
    """Texts (n) without the lines of the settings; white space at the ends of lines is ignored."""
    lines = Lines.of(texts)
    may_go = ~lines.blocks() if settings.keep_blocks else np.ones(len(lines.starts), np.bool_)
    content = pc.utf8_trim_whitespace(lines.texts(may_go))
    known = pa.array([line.strip() for line in settings.lines if line.strip()], pa.large_string())
    found = pc.is_in(_folded(content, settings), _folded(known, settings))
    for pattern in settings.patterns:
        whole = f"^(?:{pattern})$"
        found = pc.or_(found, pc.match_substring_regex(content, whole, ignore_case=settings.ignore_case))
    keep = np.ones(len(lines.starts), np.bool_)
    keep[may_go] = ~pc.and_(found, pc.not_equal(content, "")).to_numpy(zero_copy_only=False)
    return lines.joined(keep, texts)


def _folded(lines: pa.Array, settings: BoilerplateLines) -> pa.Array:
    return pc.utf8_lower(lines) if settings.ignore_case else lines
