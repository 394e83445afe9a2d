"""Broken pages: real ones, mutated, and extremes of one thing repeated.

`python -m tests.extract.mutations N` segments N mutations of a page, and small extremes, with bounds checking: an access
outside an array ends it with an IndexError.
"""

# ruff: noqa: E501

import os
import random
import sys
from collections.abc import Iterator

PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page &amp; more</title>
<meta property="og:title" content="A page"><link rel="canonical" href="/page"><script>if (a < b) { "</p>" }</script>
<script type="application/ld+json">{"@type": "Article", "author": {"name": "Ann"}}</script><style>p > a { }</style></head>
<body class="home mainPage"><nav aria-label="Main"><ul><li><a href="/">Home</a><li><a href="/b" rel="tag">B</a></ul></nav>
<main itemscope itemtype="http://schema.org/Article"><h1 itemprop="headline">Title: 你好，世界</h1><p>One <b>two</b>, three.
<p style="display:none">four &eacute; &#8217; &notit; <img src=x><br>five</p><pre><code>  a = 1
\tb</code></pre><table><caption>t</caption><tr><th>h<td>c</table><svg><path d="M0"/><title>no</title></svg>
<select><option>x</select><form><input type="password"><button>Go</button></form><time datetime="2020-01-01">then</time>
<template><p>out</template><noscript><iframe src=x /></noscript><ruby>漢<rt>kan</ruby><!-- comment --><![CDATA[x]]><iframe src="y">no</iframe></main>
<footer role="contentinfo"><small>© 2020 สวัสดี привет مرحبا</small></footer></body></html>""".encode()

FRAGMENTS = [
    *b"<>\"'=/&; \n\0\xff-!?a".decode("latin-1"), *"<!-- --> --!> <![CDATA[ ]]> <!doctype <? </ /> &# &#x &amp &lt;".split(),
    *"<script> </script> <script><!-- <style> <title> </title> <textarea> <xmp> <plaintext> <iframe> <noscript>".split(),
    *"<svg> </svg> <math> <mi> <desc> <foreignObject> <select> <option> </select> <template> </template> <ruby> <rt>".split(),
    *"<table> </table> <tr> <td> </td> <caption> <a> </a> <b> </b> <i> <p> </p> <div> </div> <li> <dd> <h1> </h2>".split(),
    *"<form> </form> <button> <pre> </pre> <br> <img> <hr> <html> <head> <body> </body> </html> <object> <time>".split(),
    "</noscript>", '<!--$?--><template id="B:0"></template>x<!--/$-->', '<div hidden id="S:0">', '<template id="P:0"></template>',
    " class='Ab cd-EF'", " itemprop=x", " rel='tag license'", " style='display:none'", " href=\"", " role=heading",
    "<meta name=a content=b>", "<link rel=canonical href=c>", "<div>" * 50, "</div>" * 50, "<b>" * 600, "<svg>" * 20,
    "é", "你好。", "\u00a0", "\u00ad", "😀", "สวัสดี",
]  # fmt: skip
PIECES = [piece.encode("latin-1" if piece == "\xff" else "utf-8") for piece in FRAGMENTS]

REPEATED = [
    *"< > & </ <! <!-- --> <!--> <script> <script><!-- <script><!--<script> </script> <style> <title> <textarea> <xmp>".split(),
    *"<iframe> <svg> <svg><g> <svg><desc> <svg><![CDATA[ <math><mi> <select> <select><option> <template> <ruby><rt>".split(),
    *"<table> <table><td> <table><tr><td><table> <td> <tr> <a> </a> <a><b> <b> </b> <b><p></b> <b><div></i> <b><td>".split(),
    *"<p> </p> a<p> a<br> <br> <pre> <li> <ul><li> <dl><dd> <h1> </h1> <div> </div> <div></span> <span> <x-y> </x-z>".split(),
    *"<form> </form> <button> <option> <object> <nobr> <time> <html> <head> <body> </body> <noscript> <hr> <img>".split(),
    *"&lt; &lt &# &#x &#1 &a &abcdefghijklmnopqrstuvwxyzabcdefgh &#99999999999999999999; a aB A1 \xff \xe4 é 你 。 😀".split(),
    " ", "\n", "\0", "\r\n", "\u00a0 ", "\u00ad", "a ", "<a ", "<a b", "<a b=", '<a b="', "<a b='\"", "<a b=c ", "<a/", "=",
    "<p class='aB cD eF gH iJ kL'>", "<p style=':;:;:;display:none'>", "<p role='a b c d e f'>", "<p class=aBcDeFgHiJ id=aBcD>",
    "<time itemprop itemscope rel=tag>", "<meta name property itemprop http-equiv content>", "<a rel=tag href=x>a</a>",
    "<link rel=canonical href=x>", "<script type=application/ld+json>{}</script>", "<pre> </pre>", "<pre>\n<b> ",
    "<noscript></noscript>", "<noscript><iframe></noscript>", "<noscript><a b='</noscript>", '<template id="B:0"></template>',
    '<!--$?--><template id="B:0"></template>', '<template id="B:0"></template><div hidden id="S:0">',
]  # fmt: skip


def mutations(pages: list[bytes], seed: int, longest: int = 0) -> Iterator[bytes]:
    """Pages with pieces deleted, inserted, doubled and moved; without end.

    With `longest`, only one in a hundred is a whole page, the others are pieces of at most so many bytes, most of them
    much shorter: what breaks is local, and a piece takes a hundredth of the time.
    """
    choose = random.Random(seed)
    while True:
        page = bytearray(choose.choice(pages))
        if longest and choose.random() < 0.99:
            start = choose.randrange(len(page))
            page = page[start : start + round(longest ** choose.uniform(0.5, 1))]
        for _ in range(choose.randint(1, 30)):
            place = choose.randrange(len(page) + 1)
            length = choose.randint(1, 300)
            match choose.randrange(6):
                case 0:
                    del page[place : place + length]
                case 1:
                    page[place:place] = page[place : place + length]
                case 2:
                    other = choose.choice(pages)
                    start = choose.randrange(len(other))
                    page[place:place] = other[start : start + length]
                case 3:
                    page[place:place] = choose.randbytes(choose.randint(1, 8))
                case _:
                    page[place:place] = choose.choice(PIECES)
        if choose.random() < 0.2:
            del page[choose.randrange(len(page) + 1) :]
        yield bytes(page)


def extremes(n_bytes: int, depth: int) -> Iterator[tuple[str, bytes]]:
    """(what it is, page): each of REPEATED until there are `n_bytes`, and elements nested `depth` deep."""
    for piece in REPEATED:
        data = piece.encode("latin-1" if piece in ("\xff", "\xe4") else "utf-8")
        yield piece, data * (n_bytes // len(data))
    for names in (
        "div",
        "p",
        "b",
        "a",
        "span",
        "x-y",
        "table tr td",
        "ul li",
        "svg",
        "b div",
        "i p b",
        "dl dd",
        "form",
    ):
        starts = "".join(f"<{name}>" for name in names.split())
        ends = "".join(f"</{name}>" for name in reversed(names.split()))
        yield f"{starts} nested", f"{starts * depth}deep{ends * depth}".encode()
        yield f"{starts} nested, </b>", f"{starts * depth}deep{'</b>' * depth}".encode()


def main() -> None:
    """Segment with bounds checking."""
    from corpusmill.extract.segments.segment import segment

    n_done = 0
    for page, _ in zip(mutations([PAGE], seed=1), range(int(sys.argv[1])), strict=False):
        segment(page)
        n_done += 1
    for _, page in extremes(n_bytes=4000, depth=700):
        segment(page)
        n_done += 1
    print(n_done)


if __name__ == "__main__":
    assert os.environ.get("NUMBA_BOUNDSCHECK") == "1"
    main()
