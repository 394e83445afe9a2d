"""A check for pages whose HTML tree would be too large.

The HTML standard requires that a parser opens all unclosed formatting elements again in every new block.  So 4,000
unclosed `<font color=N><p>` (80 kB) make 8 million nodes.  The time that resiliparse needs for a deep tree is quadratic
in its depth: 22 s for that page, 10 s for 20,000 nested `<div>`.  Browsers limit the depth to 512.  Nobody sees the
text of such a page.

One pass counts the open elements of each name, as a parser would see them in the worst case:

- an end tag closes only elements of its own name
- an element that needs no end tag is never open
- tags in scripts and styles do not count
- in pictures (SVG), "/>" ends an element

Cost: 0.4 ms for a page of 300 KB.
"""

import numpy as np
import numpy.typing as npt

from corpusmill.kernels import kernel

MAX_DEPTH = 1000
MAX_REOPENED = 2_000_000  # open formatting elements times elements
BUCKETS = 1 << 16  # of names, by their hash

FORMATTING, NO_END_TAG, ENDS_PICTURE, PICTURE, RAW = 1, 2, 4, 8, 16
_KINDS = {
    FORMATTING: "a b big code em font i nobr s small strike strong tt u",
    NO_END_TAG: "area base br col embed hr img input link meta param source track wbr "
    "p li dt dd tr td th thead tbody tfoot option optgroup colgroup rp rt",
    ENDS_PICTURE: "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li menu "
    "meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var",
    PICTURE: "svg math",
    RAW: "script style",
}


def _hash(name: str) -> int:
    value = 0
    for byte in name.encode():
        value = (value * 131 + byte) % BUCKETS
    return value


_KIND_OF = np.zeros(BUCKETS, np.uint8)
for _kind, _names in _KINDS.items():
    for _name in _names.split():
        _KIND_OF[_hash(_name)] |= _kind


def explodes(page: str) -> bool:
    """Whether the tree of this HTML page would be too deep or too large to walk."""
    data = np.frombuffer(page.encode("utf-8", "replace") + b"\0", np.uint8)
    deepest, most_formatting, n_elements = _nesting(data, _KIND_OF)
    return bool(deepest > MAX_DEPTH or most_formatting * n_elements > MAX_REOPENED)


@kernel
def _nesting(data: npt.NDArray[np.uint8], kind_of: npt.NDArray[np.uint8]) -> tuple[int, int, int]:
    """(most elements open at once, most formatting elements open at once, start tags) of a page that ends with 0."""
    still_open = np.zeros(BUCKETS, np.int32)
    pictures = depth = deepest = formatting = most_formatting = n_elements = 0
    i, n = 0, len(data) - 1
    while i < n:
        if data[i] != 60:  # <
            i += 1
            continue
        i += 1
        is_end = data[i] == 47  # /
        if is_end:
            i += 1
        byte = data[i] | 32
        if byte < 97 or byte > 122:
            continue
        name = 0
        while 97 <= byte <= 122 or (48 <= byte <= 57 and data[i] < 65):
            name = (name * 131 + byte) % BUCKETS
            i += 1
            byte = data[i] | 32
        kind = kind_of[name]
        n_elements += not is_end
        if kind & PICTURE:
            pictures = max(pictures + (-1 if is_end else 1), 0)
        elif kind & ENDS_PICTURE:
            pictures = 0
        if kind & NO_END_TAG:
            continue
        if kind & RAW:
            while not is_end and i < n and not (data[i] == 60 and data[i + 1] == 47 and data[i + 2] | 32 == 115):
                i += 1
            continue
        if pictures and not is_end:
            while i < n and data[i] != 62:  # >
                i += 1
            if data[i - 1] == 47:
                continue
        if not is_end:
            still_open[name] += 1
            depth += 1
            formatting += kind & FORMATTING
        elif still_open[name] > 0:
            still_open[name] -= 1
            depth -= 1
            formatting -= kind & FORMATTING
        deepest = max(deepest, depth)
        most_formatting = max(most_formatting, formatting)
    return deepest, most_formatting, n_elements
