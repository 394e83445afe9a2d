"""Pages for tests: HTML of random structure, and a linear model that knows every key of a page."""

import numpy as np
from hypothesis import strategies as st

from corpusmill.extract.content.buckets import look_up
from corpusmill.extract.content.linear import TEXT_SCALE, TOKEN_SCALE, Family, compact, linear_inputs

LISTING = b"""<html><head><title>Used bicycles in Bremen - Velomarkt</title>
<meta name="description" content="Forty used bicycles, inspected and repaired"></head><body>
<nav><ul><li><a href=/>Home</a></li><li><a href=/b>Bicycles</a></li><li><a href=/c>Contact us</a></li></ul></nav>
<main><h1>Used bicycles in Bremen</h1><p>Every bicycle that we sell was inspected, repaired and ridden, by people who
ride themselves, for at least ten kilometres. Come and try one.</p><div class=cards>%s</div></main>
<footer><p>Imprint</p></footer></body></html>""" % b"".join(
    b"<div class=card><h2>Bicycle number %d</h2><img src=x><p>A frame of steel, three gears and a bell.</p></div>" % k
    for k in range(7)
)

WORDS = "the cat sat on a mat with 12 hats. Где находится библиотека? 我们出售二手自行车。 ร้านขายจักรยาน end".split()
texts = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)
tags = st.sampled_from("div p ul li section article main nav a b span table tr td h1 h2 blockquote pre br img".split())
classes = st.sampled_from(["", " class=post", " class='card big'", " id=content", " class=nav", " hidden"])


@st.composite
def html(draw, depth=4):
    """A page of nested elements, not all of them closed."""
    pieces = []
    for _ in range(draw(st.integers(0, 4))):
        tag = draw(tags)
        inside = draw(html(depth - 1)) if depth and draw(st.booleans()) else draw(texts)
        pieces.append(f"<{tag}{draw(classes)}>{inside}" + (f"</{tag}>" if draw(st.integers(0, 9)) else ""))
    return "".join(pieces)


def linear_of(*pages, seed=0):
    """A linear model with random weights for the keys of some pages, and the weights by key."""
    keys = np.unique(np.concatenate([linear_inputs(page).keys for page in pages]))
    scale = np.where(keys >> 32 <= Family.NEAR, TOKEN_SCALE, TEXT_SCALE)
    weights = np.rint(np.random.default_rng(seed).uniform(-1.9, 1.9, len(keys)) * scale) / scale  # as tables hold them
    linear = compact(keys, weights.astype(np.float32), -0.5, keys >> 32 == Family.WORD)
    tables = [linear.tokens if key >> 32 <= Family.NEAR else linear.texts for key in keys.tolist()]
    has_room = [look_up(table, np.uint32(key & 0xFFFFFFFF)) > 0 for table, key in zip(tables, keys, strict=True)]
    return linear, dict(zip(keys.tolist(), (weights * has_room).tolist(), strict=True))
