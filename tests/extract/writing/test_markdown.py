import html as entities
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from corpusmill.extract.segments.segment import segment
from corpusmill.extract.writing.markdown import markdown_of
from tests.extract.soup import kept_words, soups

REFERENCE = MarkdownIt("commonmark").enable("table")


def markdown(html):
    page = segment(html.encode())
    return markdown_of(page, np.ones(len(page.blocks), bool))


def rendered(html):
    """The HTML that the reference makes of our Markdown, line feeds beside tags left out."""
    return re.sub(r"\n+(?=<(?!/code))|(?<=>)\n+", "", REFERENCE.render(markdown(html))).removesuffix("\n")


SAME = [
    "<h1>A <strong>big</strong> one</h1><h6>x</h6><p>y</p>",
    "<p>a <strong>b</strong> <em>c</em> d <em><strong>e</strong></em> <code>e</code> <code>f</code></p>",
    "<p>un<em>believ</em>able</p>",
    '<p><a href="https://a.example/x?a=1&amp;copy=2">b</a>, <a href="/y"><strong>c</strong> d</a></p>',
    "<blockquote><p>a</p><p>b</p><blockquote><p>c</p></blockquote></blockquote>",
    "<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>",
    '<ol start="9"><li>a</li><li>b<ol><li>c</li></ol></li></ol>',
    "<ul><li>a</li></ul><ul><li>b</li></ul><ol><li>c</li></ol><ol><li>d</li></ol>",
    "<ul><li><p>a</p><blockquote><p>b</p></blockquote></li></ul>",
    "<blockquote><ul><li>a</li><li>b</li></ul></blockquote><blockquote><p>c</p></blockquote>",
    "<ul><li><p>a</p><p>b</p></li><li><p>c</p></li></ul>",
    "<table><thead><tr><th>a</th><th>b | c</th></tr></thead><tbody><tr><td>d</td><td>e</td></tr></tbody></table>",
    "<pre><code>  a\n\n    b &lt;c&gt; *d*\n</code></pre><p>e</p>",
    '<pre><code class="language-c++">```\na\n````\n</code></pre>',
    '<ol start="3"><li><p>a</p><pre><code class="language-py">b:\n    c\n</code></pre><p>d</p></li></ol>',
]


@pytest.mark.parametrize("html", SAME)
def test_read_back_by_commonmark_it_is_the_page(html):
    assert rendered(html) == html


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>a<br>b<br><br>c", "a\\\nb\n\nc"),
        ("<h2>a<br>b</h2><h3>C#</h3>", "## a b\n\n### C\\#"),
        ("<h2><b>a*</b></h2><h3><b>b</b><br><b>c</b></h3><h4><b>d</b> e</h4>", "## a\\*\n\n### b c\n\n#### **d** e"),
        ("<p>a<b> b </b>c", "a **b** c"),
        ("<p>a<b>b</b><i>c</i>", "abc"),  # stars that touch would be read as something else
        ("<p>a<b>.</b>b", "a.b"),  # here, too
        ("<p>说<b>“你好”</b>的", "说“**你好**”的"),  # there, only the word can be marked
        ("<p><b>点评：</b>深圳<i>(x) –</i>y", "**点评**：深圳(*x*) –y"),
        ("<p>说<b>你好</b>的", "说**你好**的"),
        ("<p><b>a <strong>b</strong></b> <b></b>", "**a b**"),
        ("<p><b>a</b> <b>b</b> c<b> </b>d", "**a b** c d"),
        ("<p><b>a <i>b</i> c <i>d</i></b> <i>e</i>", "**a *b* c *d*** *e*"),
        ("<p><i>a <b>b</b></i><i>, c</i>", "*a **b**, c*"),
        ("<p>a<b>b<i>c</i></b>d", "a**b*c***d"),
        ("<p><b><i>a</i> b<i>c</i>d <i>e</i></b>", "***a* bcd *e***"),  # the stars before c would end those before a
        ("<p><b>a <code>b</code> <code>c</code> d</b> <b><code>e</code></b>", "**a `b` `c` d** `e`"),
        ("<p><code>a/<i>b</i></code><b><code>c</code></b>d", "`a/bc`d"),  # backticks that touch are one mark
        ("<p><b><a href=/a>a</a>:</b> b", "**[a](/a):** b"),
        ("<p><b>a <a href=/b>b</a></b><a href=/b>c</a> d", "**a** [**b**c](/b) d"),
        ("<p><a href=/b>a</a><a href=/b>b</a> <a href=/b>c</a>", "[ab](/b) [c](/b)"),
        ("<p><a href=/b><code>a</code></a><a href=/b><code>b</code></a>", "[`a`](/b)[`b`](/b)"),
        ("<p>a <b>*</b> b, <i>*</i>, *<i>c</i>, <a href=/d>d</a>*", "a **\\*** b, *\\**, \\**c*, [d](/d)\\*"),
        ("<p><a href='#x'>a</a> <a href=javascript:b()>b</a> <a>c</a> <a href=d></a>", "a b c"),
        ("<p><a href=' /a b(c)\n'>d</a>", "[d](</a%20b(c)>)"),
        ("<p>wow!<a href=/b>c</a>", "wow\\![c](/b)"),
        ("<a href=/b><p>a</p><p>c</p></a>", "[a](/b)\n\n[c](/b)"),
        ("<dl><dt>a<dd>b</dl>", "**a**\n\nb"),
        ("<p><code>a`b</code> <code>`</code>", "``a`b`` `` ` ``"),
        ("<div class='highlight-source-rust x'><pre>a</pre></div>", "```rust\na\n```"),
        (
            "<div class='highlight-python notranslate'><div class=highlight><pre>a</pre></div></div>",
            "```python\na\n```",
        ),
        ("<pre><button></button><code class='hljs language-go'>a</code></pre>", "```go\na\n```"),
        ("<figure class='highlight js'><table><td><pre>a</pre></table></figure>", "```js\na\n```"),
        ("<pre class='sourceCode r'><code>a</code></pre>", "```r\na\n```"),
        ("<pre data-language=sql><code>a</code></pre>", "```sql\na\n```"),
        ("<div class=highlight-default><pre>a</pre></div>", "```\na\n```"),
        ("<table><tr><td>a<tr><td>b</table>", "a\n\nb"),
        ("<table><tr><td>a<td>b<td>c<tr><td><td>d<br>e</table>", "| a | b | c |\n| --- | --- | --- |\n|  | d e |  |"),
        (f"<table><tr>{'<td>a' * 50}{'<tr><td>b' * 50}</table>", "| a " * 50 + "|\n|" + " --- |" * 50 + "\n| b |" * 50),
        ("<ul><li>a<ol start=3><li>b</ol></ul>", "- a\n\n  3. b"),
        ("<ul><li><pre>a\nb</pre></ul>", "- ```\n  a\n  b\n  ```"),
        ("", ""),
    ],
)
def test_written_as(html, expected):
    assert markdown(html) == expected


@pytest.mark.parametrize(
    "line",
    [
        *(
            "# a",
            "#",
            "- a",
            "-",
            "+ a",
            "* a",
            "1. a",
            "12) a",
            "1.",
            "> a",
            ">a",
            "---",
            "===",
            "* * *",
            "***",
            "___",
        ),
        *(
            "~~~",
            "```",
            "`a`",
            "*a*",
            "_a_",
            "a_b_c",
            "5 * 3",
            "**",
            "<b>a",
            "a < b",
            "<!-- a",
            "&amp;",
            "&#65;",
            "& a",
        ),
        *("[a](b)", "![a](b)", "[a]: b", "\\", "\\*", "a\\", "| a |", "| --- |", "--- | ---", ":-:", "- - -", "=", "-"),
    ],
)
def test_text_that_looks_like_markdown_stays_text(line):
    escaped = entities.escape(line)
    assert rendered(f"<p>{escaped}</p>") == f"<p>{entities.escape(line, quote=False)}</p>"
    lines = REFERENCE.render(markdown(f"<p>a<br>{escaped}<br>b"))
    assert entities.unescape(re.sub("<[^>]*>", "", lines)) == f"a\n{line}\nb\n"
    item = REFERENCE.render(markdown(f"<ul><li>{escaped}</ul>"))
    assert entities.unescape(re.sub("<[^>]*>", "", item)).split() == line.split()


WORDS = (
    "abc 中文。 a_b *x* **y _z_ __ # ## 1. 2) - + &gt; &lt;b&gt; &lt; `c` `` ~~ ~~~ [d](e) ![ \\ \\* | --- === : "
    "! &amp;amp; “q”"
)


@settings(max_examples=500, deadline=None)
@given(soups(WORDS.split()), st.randoms())
def test_every_kept_word_survives_the_reference(html, random):
    page = segment(html.encode())
    keep = np.array([random.random() < 0.8 for _ in page.blocks], bool)
    text = entities.unescape(re.sub("<[^>]*>", " ", REFERENCE.render(markdown_of(page, keep))))
    assert "".join(text.split()) == "".join(kept_words(page, keep))
