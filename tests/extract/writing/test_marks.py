"""Texts that are not for readers: what is left out, and what looks like them and stays."""

import time

import numpy as np
import pytest
from hypothesis import given, settings

from corpusmill.extract.segments.readable import readable
from corpusmill.extract.writing.markdown import markdown_of
from corpusmill.extract.writing.marks import without_marks
from corpusmill.extract.writing.write import text_of
from tests.extract.soup import soups


def read(html):
    """All blocks of a page as text, without the marks."""
    page = readable(html.encode() if isinstance(html, str) else html)
    return text_of(*without_marks(page, np.ones(len(page.blocks), bool)))


CODE = "def f(x):\n    return x"
PAGES = {
    # links of headings
    "<h2>Use<a class=headerlink href=#u>¶</a></h2><p>x": "Use\n\nx",
    "<h2>Use<a class=headerlink href=#u>\uf0c1</a></h2><p>x": "Use\n\nx",
    "<h2><a href=#u>#</a> Use</h2>": "Use",
    "<h2>Use <a class=anchor-link href=#u>Direct link to Use</a></h2>": "Use",
    "<h2><a class=anchor href=#u>The anchor of a ship</a></h2>": "The anchor of a ship",
    "<p>Issue <a href=/7>#</a> is <a class=anchor href=/>C#</a>": "Issue # is C#",
    # MediaWiki
    "<h2>Use<span class=mw-editsection>[<a>edit</a> | <a>edit source</a>]</span></h2><p>x": "Use\n\nx",
    "<h2>用途<span class=mw-editsection>［<a>编辑</a>］</span></h2>": "用途",
    "<p>It is long.<sup class='noprint Inline-Template'>[<i>citation needed</i>]</sup> It is old.": (
        "It is long. It is old."
    ),
    "<p>It is long.<sup class=reference>[1]</sup>": "It is long.[1]",
    # icons
    "<p>Go on <i class=material-icons>arrow_forward</i> to it": "Go on to it",
    "<p><i class=material-icons>Not A Name</i>": "Not A Name",
    # for screen readers
    "<p>See <a>it<span class=visually-hidden> (opens in a new tab)</span></a> there": "See it there",
    "<p>(See <a>it<span class=sr-only> (opens in a new tab)</span></a>, <a>him <span class=sr-only>b</span></a>).": (
        "(See it, him)."
    ),
    "<p>a (<span class=sr-only>b</span> c)": "a (c)",
    "<p>a <span class=sr-only>b</span> c": "a c",
    "<p><span class=sr-only>b</span> c": "c",
    "<p>a <span class=sr-only>b</span>": "a",
    "<table><tr><td>Mill<td><span class=sr-only>yes</span></table>": "Mill | yes",
    # notices
    "<body><noscript><p>Please enable JavaScript.</noscript><p>x": "x",
    "<body><noscript><p>All of the forum's text.</noscript><p>x": "All of the forum's text.\n\nx",
    "<p>x<div><p>Sign up for our daily newsletter and never miss a story.</div>": "x",
    "<p>abonnieren Sie unseren Newsletter": "",
    "<p>The newsletter of the mill was read by hundreds.": "The newsletter of the mill was read by hundreds.",
    "<p class=reading-time>5 min read<p>x": "x",
    "<p class=reading-time>It takes long<p>x": "It takes long\n\nx",
    "<div class=share>Share on Facebook Tweet this</div>x": "x",
    "<div class=share>Each of us got a share of the flour</div>x": "Each of us got a share of the flour\n\nx",
    # line numbers
    "<pre><span class=linenos>1</span>a\n<span class=linenos>2</span>  b</pre>": "a\n  b",
    "<pre><span class=line><span class=ln>1</span><span class=cl>a\n</span></span><span class=line>"
    "<span class=ln>2</span><span class=cl>  b\n</span></span></pre>": "a\n  b",
    f"<table><tr><td class=linenos><pre>1\n2</pre></td><td class=code><pre>{CODE}</pre></table><p>x": f"{CODE}\n\nx",
    f"<pre><table><tr><td class=rouge-gutter><pre class=lineno>1\n2</pre><td><pre>{CODE}</pre></table></pre>": CODE,
    "<pre class=lineno>see line 7</pre>": "see line 7",
    # one element per line
    "<table class=js-file-line-container><tr><td class='blob-num js-line-number'><td class=blob-code>def f(x):"
    "<tr><td class=blob-num><td class='blob-code js'>    <b>return</b> x</table>": CODE,
    "<div class=crayon-syntax><table class=crayon-table><tr><td class=crayon-nums><div>1</div><div>2</div>"
    "<td class=crayon-code><div class=crayon-pre><div class=crayon-line>def f(x):</div><div class=crayon-line>"
    "&nbsp;&nbsp;&nbsp; <b>return</b> x</div></div></table></div><p>y": f"{CODE}\n\ny",
    "<div class='syntaxhighlighter js'><table><tr><td class=gutter><div class='line number1'>1</div><td class=code>"
    "<div class=container><div class='line number1'><code>def f(x):</code></div><div class='line number2'><code>"
    "&nbsp;&nbsp;&nbsp;&nbsp;</code><code>return x</code></div></div></table></div><p>y": f"{CODE}\n\ny",
    "<div class=fragment><div class=line><a id=l1></a><span class=lineno>    1</span>&#160;def f(x):</div>"
    "<div class=line><span class=lineno>    2</span>&#160;    return x</div></div><p>y": f"{CODE}\n\ny",
    "<div class='geshi python'><ol><li class=li1><div>def f(x):</div><li class=li1><div>&nbsp; &nbsp; return x</div>"
    "</ol></div>": CODE,
    "<p>a<p><code>def f(x):<br />\n&nbsp;&nbsp;&nbsp; return x<br />\nf(1)</code><p>y": f"a\n\n{CODE}\nf(1)\n\ny",
    # line numbers by what they count
    "<pre><span style='user-select:none'>1</span>a\n<span style='user-select:none'>2</span>  b</pre>": "a\n  b",
    "<pre><div><a href=#1>1</a>a</div><div><a href=#2>2</a>  b</div></pre>": "a\n  b",
    "<pre><span class=lineno>1</span> a\n<span class=lineno>2</span>   b</pre>": "a\n  b",
    "<pre><span class=mi>1</span> + a\n<span class=mi>2</span> + b</pre>": "1 + a\n2 + b",
    "<pre><a href=#1>1</a>\n<a href=#2>2</a></pre>": "1\n2",
    "<pre>10 GOTO 10\n20 END</pre>": "10 GOTO 10\n20 END",
    f"<table><tr><td><pre>1\n2</pre><td><pre>{CODE}</pre></table>": CODE,
    f"<table><tr><td><pre>1\n3</pre><td><pre>{CODE}</pre></table>": f"1\n3\n\n{CODE}",
    "<table><tr><td>Monday<td class=gutter>12<tr><td>Tuesday<td class=ln>0.69</table>": "Monday | 12\nTuesday | 0.69",
    "<p>The tram <span class=line-number>7</span> goes": "The tram 7 goes",
    "<pre><button class=copy>Copy code</button><code>copy a b</code></pre>": "copy a b",
    "<span class=lang>js</span><pre>a()</pre>": "a()",
    "<span class=lang>js</span><p>a": "js\n\na",
    # headings and brackets
    "<h2><a class=anchor href=#u>Anchor in the bay</a></h2>": "Anchor in the bay",
    "<p class=anchor>Anchor stones were made here.": "Anchor stones were made here.",
    "<h2>C<span>#</span> and F<a href=/f>#</a></h2>": "C# and F#",
    "<h2>Use <a class=anchor-link href=#u>Link to this section</a></h2>": "Use",
    "<h2>Use <small>[<a>bearbeiten</a> | <a>Quelltext bearbeiten</a>]</small></h2>": "Use",
    "<p>The [edit] button [edit]": "The [edit] button [edit]",
    "<p>It is long.<sup class=need_ref_tag><a>[réf. nécessaire]</a></sup><sup>[<i>來源請求</i>]</sup>": "It is long.",
    "<p>It is long <sup>[sic]</sup>, said he<sup>[note 12]</sup>": "It is long [sic], said he[note 12]",
    # pictures of fonts, new windows
    "<p>Go <i class=fa>\uf061</i> on, <mat-icon>open_in_new</mat-icon> then": "Go on, then",
    "<p>The word \uf8d0\uf8d1\uf8d2 stays": "The word \uf8d0\uf8d1\uf8d2 stays",
    "<p>See <a>it <span>(opens in a new tab)</span></a> and <a>this (öffnet in neuem Fenster)</a>.": "See it and this.",
    "<p>It <em>(opens in a new tab)</em>": "It (opens in a new tab)",
    "<div class=elementor-invisible><p>shown later</div>": "shown later",
}
NOTICES = [
    "Enjoying this? Sign up for our weekly newsletter.", "Melden Sie sich für unseren Newsletter an.",
    "Hier können Sie unseren Newsletter abonnieren.", "Abonnez-vous à l’infolettre", "Meld deg på nyhetsbrevet vårt",
    "Tilmeld dig vores nyhedsbrev.", "Schrijf je in voor onze nieuwsbrief.", "Tilaa uutiskirjeemme",
    "Zapisz się do naszego newslettera.", "Подпишитесь на нашу рассылку.", "Bültenimize abone olun",
    "订阅我们的电子报", "ニュースレターを購読する", "뉴스레터 구독하기",
    "By signing up you agree to our privacy policy.",
    "No spam. Unsubscribe anytime.", "Thank you for subscribing to our newsletter!",
    "Please enable JavaScript in your browser to view this content.", "Your browser does not support JavaScript.",
    "To view this video please enable JavaScript, and consider upgrading", "JavaScript is disabled in your browser.",
    "Bitte aktivieren Sie JavaScript in Ihrem Browser.", "Veuillez activer JavaScript pour afficher cette carte.",
    "Por favor, activa JavaScript en tu navegador.",
    "请启用 JavaScript 以查看此内容。", "JavaScriptを有効にしてください。",
    "5 min read", "Reading time: 5 minutes", "Lesezeit: 5 Minuten", "Temps de lecture : 4 minutes",
    "Tiempo de lectura: 5 minutos", "阅读时间：约 5 分钟", "この記事は約5分で読めます。", "Время чтения: 5 мин.",
    "Share this article on Facebook", "Click to share on X (Opens in new window)", "Partager cet article",
    "分享到：微信 微博", "この記事をシェアする", "We use cookies to improve your experience.",
    "This content is hosted by YouTube. By showing it you accept its terms.",
]  # fmt: skip
CONTENT = [
    "Get a stamp from him, then fold the newsletter twice.", "Jetzt erscheint der Newsletter jeden Monat.",
    "Subscribe buttons are everywhere in the newsletter business.",
    "Received wisdom has it that a newsletter was read.",
    "To enable JavaScript in Chrome, open Settings.", "JavaScript is disabled by default in this mail program.",
    "How to enable JavaScript", "It took 5 minutes to read.", "Cooking time: 40 minutes", "Share of exports",
    "The baker sells cookies.", "Thanks for reading this far.", "Unter der Tür stand ein Bulletin.",
]  # fmt: skip


def test_notices_are_left_out():
    assert [text for text in NOTICES if read(f"<p>a<p>{text}<p>b") != "a\n\nb"] == []


def test_what_looks_like_a_notice_stays():
    assert [text for text in CONTENT if read(f"<p>a<p>{text}<p>b") != f"a\n\n{text}\n\nb"] == []


def test_a_policy_on_cookies_stays():
    text = "We use cookies for this."
    assert read(f"<p>{text}" * 3).count(text) == 3


def test_an_address_that_scripts_show():
    cloak = "This email address is being protected from spambots. You need JavaScript enabled to view it."
    assert read(f"<p>Write to <span>{cloak}</span> or come") == "Write to or come"


@pytest.mark.parametrize("html", PAGES)
def test_what_is_left(html):
    assert read(html) == PAGES[html]


FORMULAS = {
    "<p>a <math alttext='x_1'><mi>x</mi></math> b": "a $x_1$ b",
    "<p><math display=block><semantics><mi>x</mi><annotation encoding='application/x-tex'>{\\displaystyle x^{2}&lt;3}"
    "</annotation></semantics></math>": "$$x^{2}<3$$",
    "<p><math><mfrac><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><msqrt><mi>&alpha;</mi></msqrt></mfrac></math>": (
        "$\\frac{a + 1}{\\sqrt{\\alpha}}$"
    ),
    "<p><math><msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup><mo>&le;</mo><mi>sin</mi><mi>y</mi></math>": (
        "$x_{i}^{2}\\le \\sin y$"
    ),
    "<p><math><mi>x</mi><mo>&lt;</mo><mi unclosed</math> b": None,
    "<p>E <script type='math/tex; mode=display'>E=mc^{2}</script> z": "E $$E=mc^{2}$$ z",
    "<p>E <span class=MathJax_Preview>E=..</span><span class=MathJax><nobr>E=mc2</nobr><span><math><mi>E</mi></math>"
    "</span></span><script type='math/tex'>E=mc^2</script> z": "E $E=mc^2$ z",
    "<p>c <span class=katex><span class=katex-mathml><math><semantics><mi>c</mi><annotation encoding="
    "'application/x-tex'>c_1</annotation></semantics></math></span><span class=katex-html aria-hidden=true>c1</span>"
    "</span> d": "c $c_1$ d",
    "<p>c <span class=mwe-math-element><span style='display:none'><math><mi>c</mi></math></span><img "
    "class=mwe-math-fallback-image-inline alt='{\\displaystyle c^{2}}'></span> d": "c $c^{2}$ d",
    "<p>c <img class=latex alt='E=mc^2'> d": "c $E=mc^2$ d",
    "<p>c <img class=texture alt='A wall of bricks'> d": "c d",
    "<p>c <img class=latex alt='The energy of a body'> d": "c d",
    "<p>c <img src='https://latex.codecogs.com/svg.image?\\inline&space;E%3Dmc%5E2'> d": "c $E=mc^2$ d",
    "<p>c <img src='https://www.zhihu.com/equation?tex=E%3Dmc%5E2' alt='[公式]'> d": "c $E=mc^2$ d",
    "<p>c <img src='/texture.png' alt='x'> d": "c d",
    "<p>c <m:math><m:mi>E</m:mi><m:msup><m:mi>c</m:mi><m:mn>2</m:mn></m:msup></m:math> d": "c $Ec^{2}$ d",
    "<p>c <script type='math/mml'><math><mi>E</mi></math></script> d": "c $E$ d",
    "<p>c <script type='math/tex'>% <![CDATA[\nE=mc^2 % a comment\n+1 %]]></script> d": "c $E=mc^2 +1$ d",
    "<p>c <mjx-container class=MathJax><mjx-math class=MJX-TEX></mjx-math><mjx-assistive-mml><math><mi>E</mi></math>"
    "</mjx-assistive-mml></mjx-container> d": "c $E$ d",
    "<p>c <span class=katex><span class=katex-html>E=mc</span></span> d": "c E=mc d",
    "<p>c <span class='math inline'>\\(E_1\\)</span> d <span class=math-container>$$x^2$$</span>": "c $E_1$ d $$x^2$$",
    "<p>c <span class=math>x <b>y</b></span> d": "c x y d",
    "<p><math><mi>Γ</mi><mo>{</mo><mover><mi>y</mi><mo>¯</mo></mover><mo>}</mo></math>": ("$\\Gamma \\{\\bar{y}\\}$"),
    "<table><tr><td>Sum<td><math alttext='0.01'><mn>0.01</mn></math></table>": "Sum | $0.01$",
    "<p>a <math><mi>open": "a",
    "<p>a <math/> b": "a b",
}


@pytest.mark.parametrize("html", FORMULAS)
def test_formulas(html):
    if FORMULAS[html] is None:  # not well-formed: its characters are there, whatever their order
        assert "x" in read(html)
        return
    assert " ".join(read(html).split()) == FORMULAS[html]


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>so $E_1*m_2*[c]$ is", "so $E_1*m_2*[c]$ is"),
        ("<p>$5_a, *5* and $10", "$5_a, \\*5\\* and $10"),
    ],
)
def test_tex_as_text_is_not_escaped_in_markdown(html, expected):
    page = readable(html.encode())
    assert markdown_of(page, np.ones(len(page.blocks), bool)) == expected


def test_formulas_are_not_escaped_in_markdown():
    page = readable(b"<p>a_b* <b>so <math alttext='a_1*[b]'></math></b> c<math alttext='\\alpha_2'></math>")
    assert markdown_of(page, np.ones(len(page.blocks), bool)) == "a_b\\* **so** $a_1*[b]$ c$\\alpha_2$"


@settings(max_examples=60)
@given(soups("word"))
def test_any_page(html):
    page = readable(html.encode())
    changed, keep = without_marks(page, np.ones(len(page.blocks), bool))
    text_of(changed, keep)
    markdown_of(changed, keep)


@pytest.mark.parametrize(
    "piece",
    [
        "<math>", "<math><annotation ", "<math><mi a='", "<math alttext='", "<math><mrow>", "<script type=math/tex>",
        "<img class=tex alt='x'>", "<math></math><img class=tex alt=x>", "<div class=syntaxhighlighter>",
        "<table class=crayon-table>", "<table class=crayon-table><div class=crayon-line>x", "<b class=share>share ",
        "<b class=ln>1", "<b class=sr-only>x</b> ", "<noscript>javascript</noscript>", "<h1><a>#</a>",
        "<p>Subscribe to the ", "<b class=math-jax>",
        "<pre><b style='user-select:none'>1</b>", "<pre>1\n2</pre>", "<code>a<br>b<br>c", "<div class=fragment>",
        "<m:math>", "<b class=math>\\(", "<img src='?tex=", "<sup>[", "<a>x)</a>", "<p>Thanks for java script",
        "<p>$x_", "<sup>1+",
    ],
)  # fmt: skip
def test_hostile_pages_take_linear_time(piece):
    def seconds(n_bytes):
        html = (piece * (n_bytes // len(piece))).encode()
        start = time.process_time()
        read(html)
        return time.process_time() - start

    seconds(1000)
    assert min(seconds(800_000) for _ in range(3)) < 16 * max(seconds(100_000), 0.05)  # a busy machine disturbs some
