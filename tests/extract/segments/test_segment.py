"""The segmenter, by what it makes of snippets: blocks, flags, nodes, facts."""

import threading

import numpy as np
import pytest

from corpusmill.extract.segments.entities import CLASS_OF, DROP
from corpusmill.extract.segments.segment import Workspace, segment
from corpusmill.extract.segments.tables import BIT, MAX_DEPTH, CharClass, FactKind
from corpusmill.extract.segments.tags import NAMES, TAG


def blocks_of(html):
    page = segment(html.encode() if isinstance(html, str) else html)
    return [page.block_text(index) for index in range(len(page.blocks))]


def flags_of(html):
    """The names of the first block's flags, but for body, which all have."""
    flags = int(segment(html.encode()).blocks[0]["flags"])
    return {name for name, bit in BIT.items() if flags & bit} - {"body"}


def names_of(html):
    return [NAMES[tag] for tag in segment(html.encode()).nodes["tag"]]


def facts_of(html):
    page = segment(html.encode())
    spans = [("key_start", "key_end"), ("value_start", "value_end"), ("extra_start", "extra_end")]
    return [(FactKind(fact["kind"]).name, *(page.span(fact[a], fact[b]) for a, b in spans)) for fact in page.facts]


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("", []),
        (" \n ", []),
        ("text", ["text"]),
        ("<p>one<p>two", ["one", "two"]),
        ("<ul><li>one<li>two</ul>after", ["one", "two", "after"]),
        ("<dl><dt>term<dd>one<dd>two</dl>", ["term", "one", "two"]),
        ("<h1>head</h2>text", ["head", "text"]),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", ["a", "b", "c", "d"]),
        ("<table><caption>t<tbody><tr><th>a</table>", ["t", "a"]),
        ("one<br>two<br/>three</br>four", ["one", "two", "three", "four"]),
        ("one<hr>two", ["one", "two"]),
        ("a</p>b", ["a", "b"]),
        ("<div>a</span></i></li>b</div>", ["ab"]),
        ("<body>a</body>b</html>c", ["abc"]),
        ("<p>a <!-- x > y -->b<!-->c<!--->d<!-- --!>e<! x>f<?php x?>g</ x>h", ["a bcdefgh"]),
        ("a<!-- <!-- -->b-->", ["ab-->"]),
        ("a<!-- never closed <p>b", ["a"]),
        ("1 < 2 <3 a<b", ["1 < 2 <3 a"]),
        ("a</", ["a</"]),
        ("a<", ["a<"]),
        ("a<p title='>'>b<p title=\">\"c=d>e", ["a", "b", "e"]),
        ('a<p title="never closed>b', ["a"]),
        ("a<P/>b<DIV\n>c", ["a", "b", "c"]),
        ("a<wbr>b", ["ab"]),
        ("<button>one</button><button>two</button>", ["one", "two"]),
    ],
)
def test_boundaries(html, blocks):
    assert blocks_of(html) == blocks


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("<p>H<b>ell</b>o <i> w</i>orld", ["Hello world"]),
        ("<p>  a \t\r\n b\u00a0\u3000c ", ["a b c"]),
        ("<p>soft\u00adhyphen zero\u200bwidth\ufeff\u2060", ["softhyphen zerowidth"]),
        ("<p>می\u200cخواهم 👩\u200d🔬", ["می\u200cخواهم 👩\u200d🔬"]),
        ("<p>a<img>. b<svg></svg></b>, <a>c<svg></svg></a>) d<img> . e <img>! f<img>(g", ["a. b, c) d . e ! f (g"]),
        ("<p>see<img src=x>here, x<svg><path/></svg>y", ["see here, x y"]),
        ("<p>a<span></span>b", ["ab"]),
        ("<a>Home</a><a>About</a><a>us</a><a>2</a><b>3</b><!-- x --><i>X</i>", ["Home Aboutus 23 X"]),
        (
            "<a>Über</a><a>Öl</a> <b>мир</b><b>Мир</b> <b>end.</b><b>Now</b><b>)</b><b>So",
            ["Über Öl мир Мир end. Now) So"],
        ),
        (
            "<b>i</b>Phone <b></b>Pad<b>U</b><b>SA</b><b>中</b><b>文</b><b>1</b><b>2</b><b>$3.</b><b>9",
            ["iPhone PadUSA中文12$3.9"],
        ),
        ("<code><b>get</b><b>Name</b></code><pre><b>a</b><b>B</b></pre>", ["getName", "aB"]),
        (b"<p>a\0b\xff\xfec\xe4\xb8", ["ab\ufffd\ufffdc\ufffd\ufffd"]),
        (b"\xef\xbb\xbfa", ["a"]),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp>字<rt>ji</ruby>だ", ["漢字だ"]),
    ],
)
def test_white_space(html, blocks):
    assert blocks_of(html) == blocks


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("a<pre>\n\n  x = 1\n\ty  \n</pre>b", ["a", "\n  x = 1\n\ty  \n", "b"]),
        ("<pre>a<b>b</b> <br>c\r\nd\re</pre>", ["ab \nc\nd\ne"]),
        ("<pre> \n </pre>a", ["a"]),
        ("<pre>a<div> b </div>c</pre>", ["a", " b ", "c"]),
        ("<pre><code>if a &lt; b:\u00a0c</code></pre>", ["if a < b: c"]),
        ("<xmp>a <b> &amp; </xmp>c", ["a <b> &amp; ", "c"]),
        ("<plaintext>a <b></plaintext>", ["a <b></plaintext>"]),
    ],
)
def test_preformatted_text_is_verbatim(html, blocks):
    assert blocks_of(html) == blocks


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("a<script>if (a<b) '</p>'</script>b", ["ab"]),
        ("a<script><!-- <script> </script> --></script>b", ["ab"]),
        ("a<script><!-- <script> </script> x</script>b", ["ab"]),
        ("a<script><!-- </script>b", ["ab"]),
        ("a<script><!--><script></script>b", ["ab"]),
        ("a<script>x</scripty></SCRIPT >b", ["ab"]),
        ("a<style>p > b { }</style>b<script>never closed", ["ab"]),
        ("<title>T</title>a<textarea></p>b</textarea> c", ["a c"]),
        ("a<iframe><p>b</iframe><noembed>c</noembed><noframes>d</noframes>e", ["a e"]),
        ("a<template><p>b<template>c</template>d</template>e", ["ae"]),
        ("a<select><option>b<p>c<option>d</select>e", ["a e"]),
        ("a<select><option>b<input>c", ["a c"]),
        ("a<svg><title>b</title><style>c</style><g>d<circle/></g></svg>e", ["a e"]),
        ("a<svg><foreignObject><p>b</p></foreignObject>c</svg>d", ["a d"]),
        ("a<svg><g>b<p>c", ["a", "c"]),
        ("a<svg><![CDATA[ > </svg> ]]>b</svg>c<![CDATA[d>e", ["a ce"]),
        ("a<math><mi>x</mi><annotation>y</annotation></math>b", ["a b"]),
        ("a<video>b</video><canvas>c</canvas>d", ["a d"]),
        ("<input value=a><datalist><option>b</datalist>c", ["c"]),
    ],
)
def test_what_nobody_sees_is_out(html, blocks):
    assert blocks_of(html) == blocks


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("&lt;&gt;&amp;&quot;&apos;", "<>&\"'"),
        ("&eacute;&Eacute;&hellip;&nbsp;x", "éÉ… x"),
        ("&notit; &notin; &not &ampx &AMP", "¬it; ∉ ¬ &x &"),
        ("&NotEqualTilde;&fjlig;&CounterClockwiseContourIntegral;", "≂̸fj∳"),
        ("&#65;&#x42;&#X43;&#68 &#x45g", "ABCD Eg"),
        ("&#128;&#150;&#x99;", "€–™"),
        ("&#xD800;&#1114112;&#99999999999999999999;&#0;", "\ufffd\ufffd\ufffd\ufffd"),
        ("&#128512;", "😀"),
        ("a & b &; &# &#x; &unknown; &x", "a & b &; &# &#x; &unknown; &x"),
        ("caf&eacute bar &eacutex", "café bar éx"),
    ],
)
def test_character_references(source, text):
    assert blocks_of("<p>" + source) == [text]


def test_every_reference_of_the_standard():
    from html.entities import html5

    for name, value in html5.items():
        visible = "".join(character for character in value if CLASS_OF[ord(character) & 0xFFFF] != DROP)
        assert blocks_of(f"<p>[&{name}]")[0].split() == f"[{visible}]".split(), name


@pytest.mark.parametrize(
    ("html", "flags"),
    [
        ("<nav><ul><li><a href=x>a", {"nav", "list", "item", "link"}),
        ("<main><article><section><p>a", {"main", "article", "section", "paragraph"}),
        ("<div role=main><div role='navigation x'>a", {"main", "nav"}),
        ("<div role=banner>a", {"header"}),
        ("<div role=contentinfo>a", {"footer"}),
        ("<div role=complementary>a", {"aside"}),
        ("<div role=dialog>a", {"dialog"}),
        ("<div role=tabpanel>a", {"tab"}),
        ("<form role=search><label>a", {"form", "search", "label"}),
        ("<h2>a", {"heading"}),
        ("<table><tr><td><span>a", {"table", "cell", "span"}),
        ("<table><caption>a", {"table", "caption"}),
        ("<figure><figcaption>a", {"figure", "caption"}),
        ("<blockquote><q>a", {"quote"}),
        ("<pre><code>a", {"preformatted", "code"}),
        ("<details><summary>a", {"details", "summary"}),
        ("<dl><dd><address>a", {"definition", "address"}),
        ("<p><b><em><small>a", {"paragraph", "strong", "emphasis", "small"}),
        ("<fieldset><legend>a", {"fieldset"}),
        ("<button>a", {"button"}),
        ("<div hidden>a", {"hidden"}),
        ("<div style='color: red; DISPLAY : none !important'>a", {"display_none"}),
        ("<div style='visibility:hidden'>a", {"display_none"}),
        ("<div style='display:block;x:none'>a", set()),
        ("<div aria-hidden=true>a", {"aria_hidden"}),
        ("<div aria-hidden=false>a", set()),
        ("<body><noscript>a", {"noscript"}),
        ("<template shadowrootmode=open>a", {"template"}),
        ("<my-card>a", {"custom"}),
        ("<blink>a", set()),
        ("<time itemprop=date>a", {"time", "itemprop"}),
        ("<div class='post-title'>a", {"title_like"}),
        ("<div id=mainHeadline>a", {"title_like"}),
        ("<div class=subtitle>a", set()),
        ("<option>a", {"select"}),
    ],
)
def test_flags(html, flags):
    assert flags_of(html) == flags


def test_every_flag_has_a_source():
    html = (
        "<head></head><article><main><nav><header><footer><aside><form><table><tr><td><ul><li><h1></h1><p><blockquote>"
        "<figure><figcaption><button></button><a><pre><code><div hidden style=display:none aria-hidden=true><noscript>"
        "<template shadowrootmode=open></template><dialog><div role=listbox><label><details><summary><section><dl>"
        "<address><b><small><time><span><fieldset><search><div role=tab><x-y><i itemprop=x class=title>a"
    )
    seen = int(np.bitwise_or.reduce(segment(html.encode()).nodes["flags"]))
    assert [name for name, bit in BIT.items() if not seen & bit] == []


@pytest.mark.parametrize(
    ("html", "linked"),
    [
        ("<p>one <a>two</a> three <a>four </a> <a>five</a>", "twofourfive"),
        ("<p>one <a>two <b>three</b></a>", "two three"),
        ("<div><a>in<div>in</a>out</div>", "inin"),
        ("<a>in<p>in</p>in</a>out", "ininin"),
        ("<p><a>in<p>in</a>out", "inin"),
        ("<a>in<a>in</a>out", "inin"),
        ("<table><tr><td><a>in<td>out</table>out", "in"),
        ("<a>in<table><tr><td></a>in</table>in</a>out", "ininin"),
    ],
)
def test_links_reach_as_far_as_in_a_tree(html, linked):
    assert int(segment(html.encode()).blocks["link_chars"].sum()) == len(linked)


@pytest.mark.parametrize(
    ("text", "n_chars", "n_words", "n_stops", "n_commas", "n_digits"),
    [
        ("Hello, World 42!", 16, 3, 1, 1, 2),
        ("naïve café", 10, 2, 0, 0, 0),
        ("你好，世界。再见", 8, 3, 1, 1, 0),
        ("これはテストです！", 9, 4, 1, 0, 0),
        ("Привет, мир!", 12, 2, 1, 1, 0),
        ("Τι κάνεις\u037e", 10, 2, 1, 0, 0),
        ("مرحبا، كيف؟", 11, 2, 1, 1, 0),
        ("नमस्ते दुनिया।", 14, 2, 1, 0, 0),
        ("안녕하세요 세계", 8, 2, 0, 0, 0),
        ("สวัสดี", 6, 3, 0, 0, 0),
        ("１２３ ٣٤", 6, 2, 0, 0, 5),
        ("😀 👍", 3, 0, 0, 0, 0),
        ("AI模型3", 5, 3, 0, 0, 1),
    ],
)
def test_counts_in_every_script(text, n_chars, n_words, n_stops, n_commas, n_digits):
    block = segment(f"<p>{text}</p>".encode()).blocks[0]
    names = ("n_chars", "n_words", "n_stops", "n_commas", "n_digits")
    assert tuple(int(block[name]) for name in names) == (n_chars, n_words, n_stops, n_commas, n_digits)


def test_what_a_block_knows():
    html = (
        "<ul><li><img src=a><a>one</a> <a><img>two</a><br>three<br><br>four</ul>"
        "<h2>。five</h2><div role=heading aria-level=4>6"
    )
    blocks = segment(html.encode()).blocks
    assert blocks["n_images"].tolist() == [2, 0, 0, 0, 0]
    assert blocks["after_br"].tolist() == [0, 1, 1, 0, 0]
    assert blocks["heading"].tolist() == [0, 0, 0, 2, 4]
    assert blocks["last"].tolist() == [CharClass.LOWER] * 4 + [CharClass.DIGIT]


def test_source_offsets():
    html = "<p> &lt;b <b>c</b>é </p>"
    block = segment(html.encode()).blocks[0]
    assert html.encode()[block["source_start"] : block["source_end"]].decode() == "&lt;b <b>c</b>é"


def test_nodes_are_in_preorder():
    page = segment(b"<div id=a><p>x<p>y<b>z</b></div><div>")
    assert [NAMES[tag] for tag in page.nodes["tag"]] == ["", "html", "body", "div", "p", "p", "b", "div"]
    assert page.nodes["parent"].tolist() == [-1, 0, 1, 2, 3, 3, 5, 2]
    spans = page.nodes[["text_start", "text_end"]].tolist()
    assert [page.text[a:b].tobytes().decode() for a, b in spans[3:7]] == ["x\nyz", "x", "yz", "z"]
    assert page.nodes[["first_block", "end_block"]].tolist()[3:7] == [(0, 2), (0, 1), (1, 2), (2, 2)]
    assert page.blocks["leaf"].tolist() == [4, 5]


def test_head_and_body_as_browsers_see_them():
    assert names_of("<title>t</title><p>a") == ["", "html", "body", "p"]
    assert names_of("<html><head><meta></head><body class=x><p>a") == ["", "html", "head", "body", "p"]
    assert names_of("\ufeff<!doctype html>\n<html><head>") == ["", "html", "head"]
    assert names_of("<head><p>a<body><html>") == ["", "html", "head", "body", "p"]
    assert names_of("<head><noscript><img></noscript><meta></head><body class=x>a") == ["", "html", "head", "body"]


@pytest.mark.parametrize(
    ("html", "blocks"),
    [
        ("a<noscript>b<noscript>c</noscript>d", ["a", "b", "c", "d"]),
        ("a<noscript><iframe src=b /></noscript>c", ["a", "c"]),  # raw text ends with it
        ("a<noscript><!-- b <script> c</noscript>d", ["a", "d"]),
        ("a<noscript><p title='b</noscript>c", ["a", "c"]),
        ("a<noscript>b<p</noscript >c", ["a", "b", "c"]),
        ("a<noscript>b <i</NOSCRIPT>c", ["a", "b", "c"]),
        ("<p>a<noscript><p>b</noscript>c</p>d", ["a", "b", "c", "d"]),
        ("a<noscript>b", ["a", "b"]),
        ("<head><noscript>a</noscript><title>t</title><noscript><p>b</p></noscript><p>c", ["c"]),
        ("a<noscript><plaintext>b</noscript>c", ["a", "b", "c"]),
        ("<svg><noscript></svg>a</noscript>b", ["ab"]),
        ("<template><noscript></template>a</noscript>b</template>c", ["c"]),
    ],
)
def test_noscript_is_read_by_itself(html, blocks):
    assert blocks_of("<title>t</title>" * (not html.startswith("<head>")) + html) == blocks


def test_what_noscript_holds_ends_and_begins_nothing_outside():
    html = "<main><a><b><noscript></b></a></main><h2><nav><form><table><td>in</noscript>out</b></a><form><p></form>end"
    page = segment(html.encode())
    flags = [{name for name, bit in BIT.items() if flags & bit} - {"body"} for flags in page.blocks["flags"].tolist()]
    assert flags[0] == {"main", "link", "strong", "noscript", "heading", "nav", "form", "table", "cell"}
    assert flags[1] == {"main", "link", "strong"}
    assert flags[2] == {"main"}


def test_noscript_deeper_than_the_stack():
    page = segment(
        ("<div>" * MAX_DEPTH + "a<noscript>b<iframe></iframe></noscript>c" + "</div>" * MAX_DEPTH + "d").encode()
    )
    assert [page.block_text(i) for i in range(len(page.blocks))] == ["a", "b", "c", "d"]


def test_tokens_are_words_without_digits():
    def tokens(attributes):
        return segment(f"<p {attributes}>".encode()).tokens.tolist()

    assert tokens("class='main-content articleBody'") == tokens("class='main content Article BODY'")
    assert tokens("class=side-bar") == tokens("id=sideBar23") != tokens("role=side-bar")
    assert len(tokens("class='a b1 cd'")) == 1
    assert len(tokens(f"class='{'word ' * 99}'")) == 24
    assert len(tokens("aria-label=导航")) == 1
    assert len(tokens(f"aria-label='{'word ' * 20}'")) == 0
    assert len(tokens("class=one class=two")) == 1


def test_raw_text_keeps_its_tokens_and_scripts_have_none():
    page = segment(b"<xmp class='one two'>a</xmp><script class=three></script><p class=four>b")
    n_tokens = dict(zip(page.nodes["tag"].tolist(), page.nodes["end_token"] - page.nodes["first_token"], strict=True))
    assert (n_tokens[TAG["xmp"]], n_tokens[TAG["p"]]) == (2, 1)
    assert len(page.tokens) == 3


def test_equal_elements_have_equal_signatures():
    nodes = segment(
        b"<div class='big card'><p></div><div class='card big'><p></div><div class='card'><p class=bb>"
    ).nodes
    divs, paragraphs = nodes["signature"][3::2], nodes["signature"][4::2]
    assert divs[0] != divs[2]
    assert paragraphs[0] == paragraphs[1] != paragraphs[2]


def test_facts():
    html = """<!doctype html><html lang="de-AT"><head><title>T &amp; U</title><title>no</title>
<meta name=author content="A"><meta property="og:title" content='B' name=x><meta charset=utf-8><meta name=y>
<link rel="canonical" href="/c"><link rel=stylesheet href=d><link rel=alternate hreflang=fr href=/fr>
<link rel=alternate type=rss href=e><script type="application/ld+json">{"a": "<"}</script><script>x</script>
<body><svg><title>no</title></svg><div itemscope itemtype=http://schema.org/Article><span itemprop=headline>H</span>
<time datetime=2020-01-01>today</time><a rel="tag nofollow" href=/t>t</a><a rel=nofollow href=/u>u</a>
<meta itemprop=datePublished content=2020><template><meta name=z content=z></template>"""
    assert facts_of(html) == [
        ("HTML", "", "de-AT", ""),
        ("TITLE", "", "T &amp; U", ""),
        ("META", "author", "A", ""),
        ("META", "og:title", "B", ""),
        ("META", "x", "B", ""),
        ("LINK", "canonical", "/c", ""),
        ("LINK", "alternate", "/fr", "fr"),
        ("JSON_LD", "", '{"a": "<"}', ""),
        ("SCOPE", "", "http://schema.org/Article", ""),
        ("ITEM", "headline", "", ""),
        ("TIME", "", "2020-01-01", ""),
        ("ANCHOR", "tag nofollow", "/t", ""),
        ("META", "datePublished", "2020", ""),
    ]


def test_facts_know_their_element():
    page = segment(b"<div><span itemprop=name>a</span><meta itemprop=x content=y>")
    assert [NAMES[page.nodes["tag"][node]] for node in page.facts["node"]] == ["span", "div"]


def test_numbers_of_things():
    page = segment(b"<input><input type=hidden><input type=Password><input type=submit><script></script>")
    assert (page.n_inputs, page.n_passwords, page.n_scripts) == (2, 1, 1)


@pytest.mark.parametrize("name", ["div", "b", "x-y", "p", "a"])
def test_depth_is_limited_and_what_closes_closes(name):
    depth = 100_000
    page = segment((f"<{name}>" * depth + "deep" + f"</{name}>" * depth + "<h1>out</h1>").encode())
    assert int(page.blocks["depth"].max()) < MAX_DEPTH
    assert page.block_text(0) == "deep"
    out = page.blocks[-1]
    assert out["heading"] == 1
    assert out["depth"] == 3


def test_a_workspace_is_used_again():
    workspace = Workspace()
    long = segment(b"<p class=x>" * 300_000 + b"a", workspace)
    assert long.block_text(0) == "a"
    again = segment(b"<p>b", workspace)
    assert again.text.tobytes() == b"b"
    assert again.nodes["parent"].tolist() == [-1, 0, 1, 2]
    assert not segment(b"", workspace).text.size


def test_threads_have_workspaces_of_their_own():
    results = {}

    def work(letter):
        for _ in range(200):
            page = segment(f"<p>{letter * 5000}".encode())
            results.setdefault(letter, set()).add(page.text.tobytes())

    threads = [threading.Thread(target=work, args=(letter,)) for letter in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {"a": {b"a" * 5000}, "b": {b"b" * 5000}}
