"""Pages of tags and words in any order, and what a reader would call their words."""

import numpy as np
from hypothesis import strategies as st

STARTS = "ul ol li dl dt dd table tr td th caption pre p div h2 blockquote b em code a span br section".split()
TAGS = [*(f"<{name}>" for name in STARTS), *(f"</{name}>" for name in STARTS), "<a href='/x?a=1&amp;b=2'>"]


def soups(words):
    """Any run of tags, words and white space."""
    return st.lists(st.sampled_from([*TAGS, *words, *words, " ", "\n"]), max_size=40).map("".join)


def kept_words(page, keep):
    """Words of the kept blocks, in order."""
    return [word for b in np.flatnonzero(keep) for word in page.block_text(b).split()]
