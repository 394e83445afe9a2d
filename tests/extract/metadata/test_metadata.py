import html
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.extract.metadata.read import PageMetadata, read_metadata
from corpusmill.extract.segments.segment import segment

URL = "https://www.example.org/news/mills.html?page=1"


def read(page, url=URL):
    return read_metadata(segment(page.encode()), url)


def ld(*values):
    return "".join(f'<script type="application/ld+json">{json.dumps(value)}</script>' for value in values)


PAGE = f"""<!DOCTYPE html><html lang=pt-BR prefix="og: https://ogp.me/ns#"><head><meta charset=utf-8>
<title>Mills &amp; stones - Example News</title>
<meta property="og:title" content="Mills &amp; stones">
<meta property="og:site_name" content="Example News"><meta property="og:type" content="article">
<meta property="og:locale" content="pt_BR"><meta property="og:url" content="https://example.org/news/mills.html">
<meta name="description" content=" How stones
 are dressed. "><meta name="author" content="Somebody Else">
<meta property="article:published_time" content="2024-05-01T08:00:00Z">
<link rel="canonical" href="/news/mills.html">
<link rel="alternate" hreflang="en" href="/en/"><link rel="alternate" hreflang="x-default" href="/">
<link rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/deed.pt">
{
    ld(
        {
            "@context": "https://schema.org",
            "@graph": [
                {"@type": "WebSite", "name": "Example News"},
                {
                    "@type": "NewsArticle",
                    "headline": "Mills",
                    "mainEntityOfPage": {"@id": "https://example.org/news/mills.html"},
                    "author": [{"@type": "Person", "name": "Ana Moleiro"}, {"@id": "#rui"}],
                    "inLanguage": "pt",
                    "datePublished": "2024-05-02T09:30:00-03:00",
                    "dateModified": "May 3, 2024",
                },
                {"@type": "Person", "@id": "#rui", "name": "By Rui Pedra"},
                {
                    "@type": "NewsArticle",
                    "headline": "Other news",
                    "url": "https://example.org/news/other.html",
                    "datePublished": "2020-01-01",
                },
            ],
        }
    )
}
<meta name="robots" content="max-snippet:-1"><META NAME="OtherBot" CONTENT="NoAI">
</head><body><h1>Mills &amp; Stones ¶</h1><p>Text</p><meta name="tdm-reservation" content="1"></body></html>"""


def test_a_page_that_says_everything():
    assert read(PAGE) == PageMetadata(
        title="Mills & Stones",
        authors=("Ana Moleiro", "Rui Pedra"),
        published="2024-05-02T09:30:00-03:00",
        updated="2024-05-03",
        description="How stones are dressed.",
        site_name="Example News",
        canonical="https://www.example.org/news/mills.html",
        html_lang="pt-BR",
        languages=("pt", "pt-BR"),
        alternates=("en",),
        licence="CC-BY-SA-4.0",
        og_type="article",
        types=("NewsArticle",),
        directives=(("robots", "max-snippet:-1"), ("otherbot", "NoAI"), ("tdm-reservation", "1")),
    )


def test_as_mapping_has_what_is_there():
    mapping = read(PAGE).as_mapping()
    assert list(mapping) == sorted(mapping)
    assert mapping["author"] == "Ana Moleiro; Rui Pedra"
    assert mapping["languages"] == ["pt", "pt-BR"]
    assert read("<p>x").as_mapping() == {}
    assert json.dumps(mapping)


def test_a_page_that_says_nothing():
    assert read("", None) == read("<p>Only a text", None) == PageMetadata()


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title>Only</title>", "Only"),
        ("<title></title><meta property=og:title content=Open>", "Open"),
        ("<title>A mill | Example</title>", "A mill"),
        ("<title>Example: A mill</title>", "A mill"),
        ("<title>A mill | Elsewhere</title>", "A mill | Elsewhere"),
        ("<title>A mill | Elsewhere</title><meta property=og:site_name content=elsewhere>", "A mill"),
        ("<title>Example</title>", "Example"),
        ("<title>A mill of stones | Elsewhere</title><h1>Elsewhere</h1><h1>A Mill of Stones</h1>", "A Mill of Stones"),
        ("<title>Ten mills to see</title><h1>Subscribe</h1>", "Ten mills to see"),
        ("<title>磨坊的石头 - 新闻网</title><h1>磨坊的石头</h1>", "磨坊的石头"),
        ("<h1>A heading</h1><h1>Another</h1>", "A heading"),
        ("<svg><title>Arrow</title></svg><p>x", None),
        ("<title>Home</title><h1>Stones of the mill</h1>", "Stones of the mill"),
        ("<title>Untitled Document</title><h1>Stones of the mill</h1>", "Stones of the mill"),
        ("<title>Home</title><p>x", "Home"),
        ("<title>Example</title><h1>Stones of the mill</h1>", "Stones of the mill"),
        ("<title>The mill</title><h1><span>News</span> The mill</h1>", "The mill"),
        ("<title>The mill</title><h1>The mill <small>Part 2</small></h1>", "The mill"),
        ("<title>The mill</title><h1>The mill by the river</h1>", "The mill by the river"),
        ("<title>Two mills - Friends of Mills</title><h1>Friends of Mills</h1><h2>Two mills</h2>", "Two mills"),
        ("<title>春の水車 @ 家 :: 水車の町のブログ</title><h1>水車の町のブログ</h1><h2>春の水車</h2>", "春の水車"),
        ("<div itemscope itemtype=https://schema.org/BlogPosting><h2><a itemprop=name href=/m/>A mill</a></h2></div>",
         "A mill"),
        ("<title>A mill || Example</title>", "A mill"),
        ("<title>A mill ‹ Example</title>", "A mill"),
        ("<title>Example: A mill: its stones</title>", "A mill: its stones"),
        ("<title>A self-made mill (Example.org)</title>", "A self-made mill"),
        ("<title>A mill | The Example</title>", "A mill"),
        ("<title>水車の石【例】</title><meta property=og:site_name content=例>", "水車の石"),
        ("<title>磨坊的石头-例</title><meta property=og:site_name content=例>", "磨坊的石头"),
        ("<title>磨坊的石头_新闻_例</title><meta property=og:site_name content=例>", "磨坊的石头"),
        ("<title>首页 - 新闻 - 磨坊的石头_例</title><meta property=og:site_name content=例>", "磨坊的石头"),
        ("<title>Example » News » A mill</title>", "A mill"),
        ("<title>The stones (and their miller) - Example</title>", "The stones (and their miller)"),
        ("<title>Мельница — «Пример»</title><meta property=og:site_name content=Пример>", "Мельница"),
        ("<title>A mill - Example</title><h1>A mill - Example</h1>", "A mill"),
        ("<title>A mill - Example</title><h1>Example: A mill</h1>", "A mill"),
        ("<title>Example: all mills</title><h1>Example: all mills</h1>", "Example: all mills"),
        ("<title>A mill | Elsewhere - Stones and more</title><h2>A mill</h2>", "A mill"),
        ("<title>Welcome to Example</title><h1>A mill</h1>", "A mill"),
        ("<title>Документ без названия</title><h1>Мельница</h1>", "Мельница"),
        ("<title>The mill</title><h1><b>News</b> | The mill</h1>", "The mill"),
    ],
)  # fmt: skip
def test_title(page, title):
    assert read(page).title == title


@pytest.mark.parametrize(
    ("page", "authors"),
    [
        (ld({"@type": "Article", "author": "Jane Doe"}), ["Jane Doe"]),
        (ld({"@type": ["Thing", "BlogPosting"], "author": {"name": ["Jane Doe", "Joe Roe"]}}), ["Jane Doe", "Joe Roe"]),
        (ld({"@type": "http://schema.org/Article", "creator": [["A B"], {"name": "C D"}]}), ["A B", "C D"]),
        (ld({"@type": "Product", "author": "Maker"}) + "<meta name=author content='Jane Doe'>", ["Jane Doe"]),
        (ld({"@type": "Article", "author": {"@id": "#me", "@type": "Person"}}, {"@id": "#me", "name": "A B"}), ["A B"]),
        (ld({"@type": "Article", "author": {"url": "https://example.org/jane"}}), []),
        (ld({"@type": "Article", "author": "A"}, {"@type": "Article", "headline": "x", "author": "B C"}), []),
        (ld({"@type": "Article", "headline": "x", "author": "A B"}) * 2, ["A B"]),
        ("<meta property=article:author content=https://facebook.com/jane><meta name=author content='J D'>", ["J D"]),
        ("<meta name=author content='By Jane Doe | Example (jane@example.org)'>", ["Jane Doe"]),
        ("<meta name=citation_author content='Doe, J.'><meta name=citation_author content='Roe, R.'>",
         ["Doe, J.", "Roe, R."]),
        ("<meta name=author content=admin><a rel='author nofollow' href=/jane>by <b>Jane Doe</b></a>", ["Jane Doe"]),
        ("<meta name=author content='A B; C D; a b'>", ["A B", "C D"]),
        ("<meta name=author content='Von Miller'><p>x", ["Von Miller"]),
        ("<meta name=author content='Jane Doe, Joe Roe and Max van Moe'>", ["Jane Doe", "Joe Roe", "Max van Moe"]),
        ("<meta name=author content='王小明、李四'>", ["王小明", "李四"]),
        ("<meta name=author content='Doe, Jane'>", ["Doe, Jane"]),
        ("<meta name=author content='Jane Doe, Marketing Director'>", ["Jane Doe"]),
        ("<meta name=author content='Jane Doe, Senior Staff Writer'>", ["Jane Doe"]),
        ("<meta name=author content='Simon and Schuster'>", ["Simon and Schuster"]),
        ("<meta name=author content='Example Press & Another Company'>", ["Example Press & Another Company"]),
        (ld({"@type": "Article", "author": "Jane Doe and Joe Roe"}), ["Jane Doe", "Joe Roe"]),
        ("<a rel=author href=/a>Jane Doe</a>, <a rel=author href=/b>Joe Roe</a>", ["Jane Doe", "Joe Roe"]),
        ("<a rel=author href=/a>Jane Doe</a><p>Another story entirely.<a rel=author href=/b>Joe Roe</a>", ["Jane Doe"]),
        ("<a rel=author href=/a>View full profile</a>", []),
        ("<a rel=author href=/a>All posts by Jane Doe</a>", ["Jane Doe"]),
        ("<div itemscope itemtype=https://schema.org/Article><a itemprop=author href=/jane>Jane Doe</a></div>",
         ["Jane Doe"]),
        ("<div itemscope itemtype=https://schema.org/Article><a itemprop=author href=jane>Jane Doe</a></div>",
         ["Jane Doe"]),
        ("<div itemscope itemtype=https://schema.org/Article><p itemprop=author itemscope>Jane Doe</div>",
         ["Jane Doe"]),
        ("<div itemscope itemtype=https://schema.org/Article><p itemprop=author itemscope itemtype=Person>"
         "<b itemprop=givenName>Jane</b> <b itemprop=familyName>Doe</b></div>", ["Jane Doe"]),
        (ld({"@type": "Article", "author": "#me"}, {"@id": "#me", "name": "A B"}), ["A B"]),
        (ld({"@type": "Article", "author": {"givenName": "Jane", "familyName": "Doe"}}), ["Jane Doe"]),
        (ld({"@type": "Article", "author": {"@list": [{"name": "A B"}, {"name": "C D"}]}}), ["A B", "C D"]),
        (ld({"@type": "Article", "author": {"@type": "ItemList", "itemListElement": [{"name": "A B"}]}}), ["A B"]),
        (ld({"@type": "Article", "author": {"@type": "Role", "author": {"name": "A B"}}}), ["A B"]),
        (ld({"@type": "Article", "author": {"name": ""}, "creator": "A B"}), ["A B"]),
        (ld({"@type": "Article", "author": "A B"}, {"@type": "Article", "author": ["A B", "C D"]}), ["A B", "C D"]),
        ("<meta name=author content='jane@example.org (Jane Doe)'>", ["Jane Doe"]),
        ("<meta name=author content='Jane Doe, Joe Roe &amp;amp; Max Moe'>", ["Jane Doe", "Joe Roe", "Max Moe"]),
        ("<meta name=author content='Jane Doe, PhD, Joe Roe, MD'>", ["Jane Doe, PhD", "Joe Roe, MD"]),
        ("<meta name=author content='Jane Doe, Editor, and Joe Roe, Writer'>", ["Jane Doe", "Joe Roe"]),
        ("<meta name=author content='Jane Doe, Director, Advanced Analytics'>", ["Jane Doe"]),
        ("<meta name=author content='Jane Doe - Example News'>", ["Jane Doe"]),
        ("<meta name=author content='Jane Doe, Example'>", ["Jane Doe"]),
        ("<meta name=author content='National Center for Science'>", ["National Center for Science"]),
        ("<meta name=author content='김철수·이영희 기자'>", ["김철수", "이영희"]),
        ("<meta name=author content='محمد علي، سارة حسن'>", ["محمد علي", "سارة حسن"]),
        ("<meta name=author content=管理员>", []),
        *((f"<a rel=author href=/a>{text}</a>", ["Jane Doe"]) for text in (
            "View Jane Doe's profile", "More from Jane Doe", "Learn more about Jane Doe",
            "See all articles by Jane Doe →",
            "Alle Beiträge von Jane Doe anzeigen", "Voir tous les articles de Jane Doe", "Avatar of Jane Doe",
            "Ver todas las entradas de Jane Doe", "Все записи автора Jane Doe", "Jane Doe Jane Doe",
        )),
        *((f"<a rel=author href=/a>{text}</a>", []) for text in (
            "More posts by this author", "Website", "Home", "Author's page", "Google+", "Zum Profil",
            "この著者の記事一覧",
        )),
        ("<a rel=author href=/a>田中太郎の記事一覧</a>", ["田中太郎"]),
        ("<title>x</title><h1>x</h1><div class=comments><a rel=author href=/a>Jane Doe</a></div>", []),
        ("<p>x<footer><a rel=author href=/a>Studio Nord</a></footer>", []),
    ],
)  # fmt: skip
def test_authors(page, authors):
    assert list(read(page).authors) == authors


@pytest.mark.parametrize(
    ("page", "published", "updated"),
    [
        (ld({"@type": "Article", "datePublished": "2024-05-01", "dateModified": "2024-05-02"}), "2024-05-01",
         "2024-05-02"),
        (ld({"@type": "Article", "datePublished": "soon"}) + "<meta name=date content=2024-05-01>", "2024-05-01", None),
        (ld({"@type": "WebPage", "datePublished": "2024-05-01"}, {"@type": "Article", "headline": "x"}), "2024-05-01",
         None),
        (ld({"@type": "Organization", "datePublished": "2024-05-01"}), None, None),
        ("<meta property='article:published_time' content='1.5.2024'>", "2024-05-01", None),
        ("<meta property=schema:datePublished content=2024-05-01>", "2024-05-01", None),
        ("<p><span property='dc:date dc:created' content=2024-05-01></span>x", "2024-05-01", None),
        ("<p>x<p>y<span itemprop=datePublished content=2024-05-01>May</span>", "2024-05-01", None),
        ("<p><i itemprop=datePublished content=2024-05-01></i><i itemprop=datePublished content=2024-05-02></i>", None,
         None),
        ("<div itemscope itemtype=https://schema.org/Comment><i itemprop=datePublished content=2024-05-01></i></div>",
         None, None),
        ("<meta name=date content=2099-12-31>", None, None),
        ("<html lang=de><meta name=date content=3/4/2024>", "2024-04-03", None),
        ("<span property=http://purl.org/dc/terms/created content=2024-05-01></span>", "2024-05-01", None),
        ("<p>x<div class=comment><span property=dc:date content=2024-05-01></span></div>", None, None),
        ("<p>x<div itemscope itemtype=VideoObject><meta itemprop=uploadDate content=2024-05-01></div>", None, None),
        ("<meta name=dcterms.created content=2024-05-01><meta name=Last-Modified content='2 May 2024'>", "2024-05-01",
         "2024-05-02"),
    ],
)  # fmt: skip
def test_dates(page, published, updated):
    metadata = read(page)
    assert (metadata.published, metadata.updated) == (published, updated)


MICRODATA = """<div itemscope itemtype="https://schema.org/BlogPosting"><meta itemprop=datePublished content=2024-05-01>
<h2 itemprop="name headline">Of <i>mills</i></h2>
<a itemprop=license href="//creativecommons.org/licenses/by/4.0/">by</a>
<span itemprop=author itemscope itemtype=http://schema.org/Person><b itemprop=name>Jane
Doe</b><meta itemprop=url content=x></span>
<div><time itemprop=dateModified datetime="2024-05-02T10:00Z">today</time></div>
<div itemprop=comment itemscope itemtype=https://schema.org/Comment><i itemprop=author>Joe Roe</i>
<meta itemprop=datePublished content=2024-06-01></div></div>"""


def test_microdata():
    metadata = read(MICRODATA)
    assert metadata.title == "Of mills"
    assert metadata.authors == ("Jane Doe",)
    assert (metadata.published, metadata.updated) == ("2024-05-01", "2024-05-02T10:00:00+00:00")
    assert (metadata.types, metadata.licence) == (("BlogPosting",), "CC-BY-4.0")


def test_microdata_of_a_menu_says_nothing():
    menu = (
        "<nav itemscope itemtype=https://schema.org/SiteNavigationElement><a itemprop='url name author'>Home</a></nav>"
    )
    assert read(menu + MICRODATA) == read(MICRODATA)
    assert read(f"<title>A page</title>{menu}") == read("<title>A page</title>")


def test_json_ld_comes_before_microdata():
    metadata = read(MICRODATA + ld({"@type": "Article", "author": "A B", "datePublished": "2024-04-30"}))
    assert (metadata.authors, metadata.published) == (("A B",), "2024-04-30")
    assert metadata.updated == "2024-05-02T10:00:00+00:00"


@pytest.mark.parametrize(
    ("page", "html_lang", "languages"),
    [
        ("<html xml:lang=de>", "de", ()),
        ("<meta http-equiv=Content-Language content=fr>", "fr", ("fr",)),
        ('<html lang="en"><meta property=og:locale content=en_GB><meta name=dc.language content=en>', "en",
         ("en-GB", "en")),
        (ld({"@type": "WebPage", "inLanguage": {"@type": "Language", "name": "Greek", "alternateName": "el"}}), None,
         ("Greek",)),
    ],
)  # fmt: skip
def test_languages(page, html_lang, languages):
    metadata = read(page)
    assert (metadata.html_lang, metadata.languages) == (html_lang, languages)


@pytest.mark.parametrize(
    ("page", "licence"),
    [
        ('<a rel="license" href="https://creativecommons.org/licenses/by-sa/4.0/deed.de">x</a>', "CC-BY-SA-4.0"),
        ("<link href='//creativecommons.org/publicdomain/zero/1.0/' rel='license nofollow'>", "CC0-1.0"),
        ("<a href=https://example.org/terms?a=1&amp;b=2 rel=license>x</a>", "https://example.org/terms?a=1&b=2"),
        ('<p>See the license.</p><a href="/license">License</a>', None),
        ('<a href="http://creativecommons.org/licenses/by/3.0/de/">CC</a>', "CC-BY-3.0-DE"),
        ('<a href="https://creativecommons.org/publicdomain/mark/1.0/">PD</a>', "PDM-1.0"),
        ('<a href="https://creativecommons.org/licenses/by/4.0/">a</a> '
         '<a href="http://creativecommons.org/licenses/by/4.0/deed.en">b</a>', "CC-BY-4.0"),
        ('<a href="https://creativecommons.org/licenses/by/4.0/">one picture</a>'
         '<a href="https://creativecommons.org/licenses/by-nc/2.0/">another</a>', None),
        ('<a href="https://creativecommons.org/">about</a>', None),
        ('<a rel="license">no address</a>', None),
        (ld({"@type": "Article", "license": "https://creativecommons.org/licenses/by-nc-nd/2.5/au/deed.en"}),
         "CC-BY-NC-ND-2.5-AU"),
        ("<meta name=dcterms.license content=https://opensource.org/license/mit>", "https://opensource.org/license/mit"),
    ],
)  # fmt: skip
def test_licence(page, licence):
    assert read(page).licence == licence


@pytest.mark.parametrize(
    ("page", "url", "canonical"),
    [
        ("<link rel=canonical href=../a.html>", URL, "https://www.example.org/a.html"),
        ("<link rel=canonical href=a.html>", None, "a.html"),
        ("<link rel=canonical href='//['>", URL, None),
        ("<meta property=og:url content=https://example.org/a>", URL, "https://example.org/a"),
    ],
)
def test_canonical(page, url, canonical):
    assert read(page, url).canonical == canonical


def test_directives_are_found_anywhere_but_in_comments_and_scripts():
    page = "<html><head><title>x</title></head><body><p>text</p><meta name='robots' content='noai'>"
    assert read(page).directives == (("robots", "noai"),)
    page = "<body><!-- <meta name='robots' content='noai'> --><script>'<meta name=robots content=noai>'</script><p>x"
    assert read(page).directives == ()


PIECES = st.sampled_from(
    ["<meta ", "name=", "property=", "itemprop=", "content=", "author ", "og:title ", "date ", "2024-05-01 ", ">", "<",
     "<div itemscope itemtype=Article>", "</div>", "<b itemprop=author itemscope>", "<time datetime=2024>", "<h1>", "é",
     '<script type="application/ld+json">', '{"@type":"Article",', '"author":', '"x"', "}", "[", "</script>", "<title>",
     "<link rel=canonical href=", "'//['", "<a rel=license href=", "x", "</h1>", '"@id":', "&#", "&amp;", "\x00"]
)  # fmt: skip


@given(st.lists(PIECES).map("".join))
def test_any_page(page):
    metadata = read(page)
    assert json.dumps(dict(metadata.as_mapping()))


@pytest.mark.parametrize(
    "piece",
    ["<meta name=a content=b>", "<meta name=author content=b>", "<b itemscope itemprop=author>", "<h1>a - b",
     "<link rel=alternate hreflang=a href=b>", "<a rel=author href=b>c</a>", "<i itemprop=name>a</i>", "<time>x</time>",
     f"{ld({'@type': 'Article'})}", "<title>a - b | c : ", f"<meta name=date content='{'1 abc ' * 15} 2020'>",
     f"<meta name=author content='{'a1.' * 160}@ (a.b | ;'>", f"<meta name=author content='{'(a.b ' * 100}'>",
     f"<meta name=author content='{';a' * 900}'>", f"<meta name=author content='{'- ' * 2000}'>",
     "<time datetime=2024-05-03>x</time>", "<i itemprop='name headline url'>x", "<link rel='a b c d e f g'>"],
)  # fmt: skip
def test_hostile_pages_take_linear_time(piece):
    page = segment(b"<div itemscope itemtype=Article>" + piece.encode() * (1_000_000 // len(piece)))
    start = time.thread_time()
    read_metadata(page, URL)
    assert time.thread_time() - start < 2


def test_objects_that_refer_to_each_other_take_linear_time():
    names = ("datePublished", "dateCreated", "uploadDate", "dateModified", "inLanguage", "license", "author")
    article = {"@type": "Article", "headline": "a", **{name: [{"@id": "x"}] * 50 for name in names}}
    page = segment(ld(*[article] * 100, {"@id": "x", "name": [{"@id": "x"}] * 50}).encode())
    start = time.thread_time()
    read_metadata(page, URL)
    assert time.thread_time() - start < 1


def test_nobody_is_called_by_a_very_long_name():
    assert read(f"<meta name={'x' * 101} content=noai><meta name={'x' * 100} content=noai>").directives == (
        ("x" * 100, "noai"),
    )


def test_a_publisher_that_is_not_there_has_no_name():
    assert read(ld({"@type": "Article", "publisher": {"@id": "https://example.org/#us"}})).site_name is None


def test_entities_are_resolved_once():
    title = "1 < 2 && &amp;"
    assert read(f"<meta property=og:title content='{html.escape(title)}'>").title == title
