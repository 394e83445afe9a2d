"""Wikitext becomes text without a trace of markup: whole pages in six languages, and single constructs."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from corpusmill.extract.complete import written
from corpusmill.extract.extractors import extractor
from corpusmill.extract.wikitext.convert import to_html
from corpusmill.page import Page, Site
from corpusmill.reasons import Status

WIKIS = Path(__file__).parent / "wikis"
MARKUP = re.compile(  # of wikitext and HTML; an example of a link in <nowiki> and the code are taken out before
    r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}|\|-|'''?|</?[a-z]|<!--|-\{|\}-|&\w+;|__\w+__|^[*#;=!]|={2,}|[\ue000-\uf8ff]"
    r"|\b(?:thumb|mini|vignette|мини|upright|style|class|align|File|Datei|Fichier|Category|Kategorie|noteTA|zh-hans)\b"
    r"|[(（][\s,;，；]*[)）]|[(（][,;，；]| [,.)]",
    re.MULTILINE,
)
LITERAL = ("Write [[Alder Water]] for a link.", 'return gauge[[x]] if x < 3 else {"a": {"b": 1}}')

# what a page must contain, and what it must not
PAGES = {
    "en": (
        [
            "Alder Water (/ˈɔːldər/; Abhainn Feàrna) is a river in the northern hills. It is 48 km long",
            "drains 310 to 330 km². About 12,500 people live in its valley, most of them in Aldertons two parishes.",
            "The river rises below Raven Crag. Its discharge follows",
            "\n\n$$Q = A \\cdot v < \\frac{1}{n} A R^{2/3}$$\n\nwhere $A$ is the cross section and v the mean",
            "At 5 < 10 m it is shallow — and clear.",
            "- Little Alder joins on the left:\n  - with the Stony Burn\n- Alder Trust keeps records.",
            "1. First gauge\n2. Second gauge",
            "Spate\n  a sudden flood\n  It lasts for hours.",
            "The water was as brown as ale.",
            "Floods since 1900\n\nYear | Height (m)\n1921 | 4.1\n1953 | 5.0",
            "def height(x):\n    return gauge[[x]] if x < 3",
            "Write [[Alder Water]] for a link.",
            "See also\n\n- List of rivers",
        ],
        ["Infobox", "Reed", "census", "bridge", "Wildlife", "References", "External", "Map of the valley",
         "example.org", "Course of", "thumb", "Stony Burn\n*", "DEFAULTSORT", "Short", "55.1"],
    ),
    "de": (
        [
            "Der Falkenkopf (Mons falconis, [ˈfalkŋ̍kɔpf]) ist ein 1843 m hoher Berg in den Auer Alpen. Er besteht aus "
            "Kalksteinen und „Mergel“.",
            "gelang am 3. Juli 1862 einem Hirten.\n\nKein Mensch war je zuvor dort oben.\n\nHeute kommen 25.000 Gäste",
            "Weg | Dauer\nVon Oberau | 3 h\nVon Unterau | 4 h",
            "- leicht\n  1. bis zur Hütte\n- schwer",
            "- K. Huber (1981). Wege. Alpenverlag.",
        ],
        ["Quelle 1863", "Oberau aus", "Weblinks", "Einzelnachweise", "Berge um Au", "SORTIERUNG", "Infobox"],
    ),
    "fr": (
        [
            "Val-Fleuri ([val flœʁi]) est un village du XIIIe siècle, à 12 km de Grande-Ville.",
            "On y lit l'Histoire du val depuis le 14 juillet 1789.",
            "de 3 250 habitants. « Le plus beau val », dit-on. La vallée est large.",
            "- le 1er pont ;\n- le second.",
            "Année | Habitants\n1900 | 1 204\n2000 | 3 250",
        ],
        ["Martin", "Ibid", "printemps", "Liens externes", "Flower", "Palette", "mairie"],
    ),
    "zh": (
        [
            "青竹编译器（Bamboo Compiler，缩写：BC）是一种编译器，由青竹小组于2009年发布。",
            "它把源代码翻译成机器语言（machine code），可以在硬盘上运行。",
            "作者李竹（1960年3月1日－2015年4月2日）说：\n\n好的编译器会说清楚错误在哪里。\n\n当时的用户有120,000人。",
            "版本 | 日期\n1.0 | 2009年3月\n2.0 | 2012年5月",
            "时间复杂度为$O(n \\log n)$：\n\n$$T(n) = 2T(n/2) + n$$",
            "- 词法分析\n- 语法分析\n  - 自顶向下",
            "- 流控制\n- 英文条目",
        ],
        ["原始碼", "硬碟", "編譯器", "資訊", "标志", "官方网站", "参考文献", "zh-", "串流"],
    ),
    "ja": (
        [
            "白川（しらかわ）は、北町を流れる川である。White River。長さは21 kmで、",
            "小川橋を通る。流域の人口は34,000人。",
            "江戸時代には白水とも呼ばれた。\n\n水は雪のように白い。",
            "上流\n  岩が多い。\n下流\n  砂が多い。",
            "年 | 水位\n1950 | 3.2 m\n1975 | 2.8 m",
        ],
        ["映画", "川の本", "諸説", "脚注", "橋]]", "白川の会", "Ogawa", "りゅういき"],
    ),
    "ru": (
        [
            "Ли́повка (Юкәлек) — деревня на реке Белой. Население — 1 250 чел.",
            "Основана в XVIII веке.\n\nЗдесь растут одни липы.",
            "Год | Жители\n1900 | 800",
        ],
        ["Иванов", "Улица", "Примечания", "Сайт", "Карточка"],
    ),
}  # fmt: skip


def text_of(wikitext, language="en", namespaces=None, format="text"):
    return written(to_html(wikitext, language, namespaces or {}).html.encode(), format)


@pytest.mark.parametrize("language", PAGES)
def test_pages_have_their_text_and_no_markup(language):
    text = text_of((WIKIS / f"{language}.wiki").read_text("utf-8"), language)
    wanted, unwanted = PAGES[language]
    for passage in wanted:
        assert passage in text
    for passage in unwanted:
        assert passage not in text
    for literal in LITERAL:
        text = text.replace(literal, "")
    assert MARKUP.findall(text) == []


def test_a_page_as_markdown():
    text = text_of((WIKIS / "en.wiki").read_text("utf-8"), format="markdown")
    for passage in (
        "**Alder Water** (/ˈɔːldər/",
        "## Course",
        "### Floods",
        "| Year | Height (m) |\n| --- | --- |\n| 1921 | 4.1 |",
        "```python\ndef height(x):",
        "> The water was as **brown** as ale.",
        "$$Q = A \\cdot v < \\frac{1}{n} A R^{2/3}$$",
    ):
        assert passage in text


@pytest.mark.parametrize(
    ("wikitext", "text"),
    [
        # what stood around a template that is left out
        ("Paris ({{x}}; {{lang-fr|Lutèce}}, {{q}}) {{z}}. Next", "Paris (Lutèce). Next"),
        ("Paris ({{x}}) is", "Paris is"),
        ("東京（{{x}}、{{q}}）は", "東京は"),
        ("a {{x}} b, {{q}} c", "a b, c"),
        ("one\n{{x}}\n{{q}}\ntwo", "one two"),
        ("{{x}} two", "two"),
        ("* {{x}}\n* b", "- b"),
        # templates in templates, with links, tables and braces in their arguments
        ("{{nowrap|a {{small|b {{lang|fr|c}}}} [[x|d]]}}", "a b c d"),
        ("{{Infobox|a={{b|{{c}}}}|d={|\n| e\n|}\n}}text", "text"),
        ("{{quote|1=a = b|2=c}}", "a = b"),
        ("{{lang|en|a{{!}}b}}", "a|b"),
        ("{{{1|default}}} x {{{2}}}", "default x"),
        ("{{unclosed | text", "unclosed | text"),
        ("closed}} text]]", "closed text"),
        # what a template writes separates no arguments of the one around it
        ("{{nowrap|''a'' {{=}} 1}} {{nowrap|{{math|1=E = mc}}}} {{tmath|1={{!}}x{{!}} = 2}}", "a = 1 E = mc $|x| = 2$"),
        # a list's item begins with the text behind a flag
        ("* {{flagicon|X}} - [[Paris]]\n* {{q}}, b\n# {{q}} – [[c]]", "- Paris\n- b\n\n1. c"),
        ("* {{FRA}}[[Paris]]\n* {{FRA|Ziel=Lyon}}, b\n* {{FRA|#}} c\n* {{POV}} d", "- FRA Paris\n- Lyon, b\n- c\n- d"),
        # pronunciation: in brackets, without the name of the recording
        ("A ({{lang-de|A}}{{IPA-de|aː||De-A.ogg}}, {{IPA|de|aː|lang|A.wav}}, {{IPA|[a]}})", "A (A [aː], aː, [a])"),
        ("{{IPAc-en|aː|A.ogg}} {{respell|AD|oh}} {{IPA-de||lang|a.ogg}}", "/aː/ AD-oh"),
        ("{{nihongo|A|字}} {{nihongo|A|字|}} {{nihongo||字|Ji}}", "A (字) A (字) Ji (字)"),
        ("{{nihongo3|E|字|Ji}}", "Ji (字, E)"),
        # raised and lowered
        ("10<sup>8</sup> 10<sup>-8</sup> 10<sup>&minus;8</sup> 1<sup>st</sup> H<sub>2</sub>O",
         "10^8 10^-8 10^−8 1st H2O"),
        ("''mc''<sup>2</sup> [[metre|m]]<sup>2</sup> (a)<sup>2</sup> m² <sup>14</sup>C", "mc^2 m^2 (a)^2 m² 14C"),
        ("x{{sup|2}} H{{sub|2}}O 2{{e|8}} Ca<sup>2+</sup> a <sup>1</sup> b<sup>[[#n|1]]</sup>",
         "x^2 H2O 2×10^8 Ca2+ a 1 b1"),
        # measures, numbers, dates
        ("{{convert|3|C|F}} {{cvt|5|km2}} {{convert|5|sqmi}} {{currency|2|USD}}", "3 °C 5 km² 5 sq mi 2 USD"),
        ("{{dts|2014|5|23}}, {{dts||5|23}}, {{dts|2014}}, A{{music|flat}}", "May 23, 2014, May 23, 2014, A♭"),
        ("{{convert|6|ft|2|in|m}}", "6 ft 2 in"),
        ("{{convert|5|-|10|km|mi}}", "5–10 km"),
        ("{{convert|100|km/h|mph|abbr=on}}", "100 km/h"),
        ("{{val|1.5|e=9|u=kg}}", "1.5×10^9 kg"),
        ("{{frac|3|4}} {{frac|1|2|3}}", "3⁄4 1 2⁄3"),
        ("{{birth date|1879|3|14}}, {{start date|1879|3|14|df=y}}", "March 14, 1879, 14 March 1879"),
        ("{{formatnum:1234567.89}} {{formatnum:-12}} {{formatnum:about}}", "1,234,567.89 -12 about"),
        ("{{uc:ab}} {{lcfirst:Ab}}", "AB ab"),
        ("{{chem|H|2|O}} {{nihongo|Tokyo|東京|Tōkyō}}", "H2O Tokyo (東京, Tōkyō)"),
        ("{{hlist|a|b}} {{ubl|c|d}}", "a · b\n\n- c\n- d"),
        # pictures: the paragraph ends; also where the wiki's name of the namespace is not known
        ("a\n[[File:x.jpg|thumb|c]]\nb", "a\n\nb"),
        ("* a\n[[File:x.jpg|thumb|c]]\n* b", "- a\n- b"),
        ("a [[Выява:x|thumb|200px|c]] b [[X:y.png|c]] d [[x:y z|e]]", "a b d e"),
        # links
        ("[[bus]]es [[a (b)|]] [[:Category:X]] [[Star Wars: Episode IV]] [[#part|p]]",
         "buses a Category:X Star Wars: Episode IV p"),
        ("a [[File:x.jpg|thumb|b [[c]] [http://d e] f]] g", "a g"),
        ("[http://a.org b c] [http://a.org] [//a.org d] http://e.org", "b c d http://e.org"),
        ("[[a|[b]]] [[c|d [sic] e]] [http://a.org\u3000f] x[[http://b.org]]y", "[b] d [sic] e f xy"),
        ("'''a'''<nowiki/>''b''", "ab"),
        ("[[nl:Foo]]\n[[wikt:foo|word]]", "word"),
        # emphasis
        ("'''b''' ''i'' '''''both''''' l'''Iliade''", "b i both l'Iliade"),
        ("''open\nnext", "open next"),
        # HTML and what is not wikitext
        ("a<br>b<sub>2</sub> 1 < 2 & 3 &lt;b&gt; <T>x</T>", "a\nb2 1 < 2 & 3 <b> <T>x</T>"),
        ("<span style=\"display:none\">key</span>a <noinclude>b</noinclude><includeonly>c</includeonly>", "a b"),
        ("<gallery>\nA.jpg|x\n</gallery>a<ref>b", "ab"),
        ("<nowiki>''[[a]]''</nowiki> <pre>''x''</pre>", "''[[a]]''\n\n''x''"),
        ("<poem>\n a\n''b''\n</poem>", "a\nb"),
        ("a <ce>H2O</ce> <math display=block>x</math> y", "a $\\ce{H2O}$\n\n$$x$$\n\ny"),
        ("a<!-- b --><!-- c", "a"),
        ("a\n<!-- b -->\nc", "a c"),
        ("__TOC__ a __init__ __НЕТ_ОГЛАВЛЕНИЯ__", "a __init__"),
        # lists and tables
        ("* a\n*: more\n* b\n# c\n## d", "- a\n  more\n- b\n\n1. c\n  1. d"),
        ("; a: b\n; http://c :d", "a\n  b\nhttp://c\n  d"),
        ("<pre><nowiki><b>&lt;</nowiki></pre>", "<b><"),
        (":: a\n::: b", "a\n\nb"),
        ("{|\n! a\n| b\n|-\n| colspan=2 | c\n|}", "a | b\nc"),
        (":{|\n| a\n{|\n| in || ner\n|}\n|}", "a\n\nin | ner"),
        ("{| class=infobox\n| a || b\n|}\nc", "c"),
        ("{{start}}\n! a !! b\n|-\n| c || align=right | d\n|}\ne", "a | b\nc | d\ne"),
        ("{|\n| never || closed", "never | closed"),
        ('{|\n| a || colspan="2" {{x}} || rowspan=2 {{n/a}} || b = 2\n|}', "a | | | N/A | b = 2"),
        # headings, and sections of pictures
        ("== {{x}} ==\na\n====\nb", "a\n\nb"),
        ("a\n== Gallery ==\n<center><gallery>\nA.jpg|x\n</gallery></center>\n== b ==\nc", "a\n\nb\n\nc"),
        # lines of a script without spaces
        ("一。\n二\nA\n三", "一。二 A 三"),
        ("하나\n둘", "하나 둘"),
        ("== a ==\n=== b ===\n== c ==\n=== d ===\ne\n== f ==", "c\n\nd\n\ne"),
        ("== References ==\n* x\n=== Books ===\n* y\n== More ==\nz", "More\n\nz"),
        (" a\n  b", "a\n b"),
        ("a\n----\nb\n-----c\n---- \n--- d", "a\n\nb\n\nc\n\n--- d"),
        ("* a\n----\n* b\n{|\n| c\n----\nd\n|}", "- a\n\n- b\n\nc\n\nd"),
        # a table ends a list
        ("* a\n{|\n| b || c\n|}\n* d", "- a\n\nb | c\n\n- d"),
        ("; a\n:{|\n| b || c\n|}\n: d", "a\n  b | c\n  d"),
        # variants
        ("-{zh-hans:a;zh-hant:b}- -{c}- -{A|zh-cn:d; zh-tw:e;}- -{H|f=>zh-cn:g}- -{zh-hans;zh-hant|h}-", "a c d h"),
        ("-{zh-hans:-{zh-hans:x;zh-hant:y}-z;zh-hant:w}-", "xz"),
        ("這個國家的學會長 -{zh-hans:软件;zh-hant:軟體}-", "這個國家的學會長 軟體"),
    ],
)  # fmt: skip
def test_constructs(wikitext, text):
    assert text_of(wikitext) == text


def test_numbers_are_written_as_the_language_does():
    said = {language: text_of("{{formatnum:12345.6}}", language) for language in ("en", "de", "fr", "zh", "es")}
    assert said == {"en": "12,345.6", "de": "12.345,6", "fr": "12 345,6", "zh": "12,345.6", "es": "12 345,6"}


@pytest.mark.parametrize(
    ("language", "wikitext", "text"),
    [
        ("fr", "{{unité|10236|km|2}} {{unité|3797.5 m}} {{unité|12|km||h|-1}}", "10 236 km² 3 797,5 m 12 km⋅h^-1"),
        ("fr", "{{tmp|0.85|°C}} {{euro|77.80}} {{nombre|110000|cas}}", "0,85 °C 77,80 € 110 000 cas"),
        ("fr", "{{s|XII}}, {{s-|XIII|e}}, {{-s|V}}", "XIIe siècle, XIIIe siècle, Ve siècle av. J.-C."),
        ("fr", "{{sp|XII|e|au|XIII|e}}, {{s2|V|e|VI|e}}", "XIIe au XIIIe siècle, Ve et VIe siècles"),
        ("fr", "Otton {{Ier}}, {{84e|congrès}}, {{1er mai}}", "Otton Ier, 84e congrès, 1er mai"),
        ("fr", "né le {{date de naissance|7|mai|1866|à Lyon}} à {{heure|4|30}}", "né le 7 mai 1866 à 4 h 30"),
        ("fr", "a{{incise|b}}c{{incise|d|stop}}. (''{{langue|de|texte=oft}}'')", "a – b – c – d. (oft)"),
        ("pt", "no {{séc|XVI}} havia {{fmtn|90000}}", "no século XVI havia 90.000"),
        ("it", "è di {{TA|3 743 km²}}, {{chiarire|qui|quale?}}", "è di 3 743 km², qui"),
        ("ar", "برلين {{لغة-أل|Berlin}} {{ألمانية|Spree}}", "برلين (Berlin) (Spree)"),
        ("tr", "* {{kardeş şehir|Prag|Çekya}}", "- Prag, Çekya"),
        ("ja", "人口{{要出典|6人|date=2021}}", "人口6人"),
        ("de", "{{IPA|aː}}, {{dts|23|5|2014}}", "[aː], 23.5.2014"),
    ],
)
def test_templates_with_text_in_other_languages(language, wikitext, text):
    assert text_of(wikitext, language) == text


def test_namespaces_are_those_of_the_dump():
    assert text_of("[[Lêer:x.jpg|a]]b", "af", {"lêer": 6, "kategorie": 14}) == "b"
    assert to_html("[[Soort:Y_z|k]]", "xx", {"soort": 14}).categories == ["Y z"]


@pytest.mark.parametrize(
    "mark", ["{{Disambiguation}}", "{{begriffsklärung}}", "{{homonymie}}", "{{消歧义}}", "{{aimai}}", "__DISAMBIG__"]
)
def test_a_disambiguation_page_has_a_reason(mark):
    page = Page(body=f"'''A''' may be:\n* [[B]]\n{mark}\n[[Category:C]]".encode(), media="wikitext")
    found = extractor("corpusmill", "text")(page)
    assert (found.status, found.metadata["categories"]) == (Status.DISAMBIGUATION, ["C"])


def test_a_short_name_marks_a_disambiguation_page_in_its_language_only():
    assert to_html("a {{dp}}", "nl", {}).is_disambiguation
    assert not to_html("a {{dp}}", "en", {}).is_disambiguation


def test_the_extractor_knows_the_site():
    page = Page(body=b"{{formatnum:1000}} [[Bild:x]]", media="wikitext", site=Site(language="de", namespaces={}))
    assert extractor("resiliparse", "text")(page).text == "1.000"


HOSTILE = [
    "{{" * 5000, "[[" * 5000, "{{a|" * 3000 + "}}" * 3000, "[[a|" * 3000 + "]]" * 3000, "<ref>" * 5000, "-{" * 5000,
    "{|\n" * 3000, "'" * 5000, "=" * 5000, "*" * 5000, "(" + " " * 20000 + "x", "[//" * 5000, "<!--" * 5000,
    "{{{" * 5000,
    "<math>" * 5000, "__A" * 5000, "\ue0001\ue002", "\ue001999\ue002", "\n" * 20000, "|" * 5000, "{|" + "||" * 5000,
    "<span style=display:none" * 3000, "-{" + "zh-cn:a;" * 5000 + "}-", "{{lang|" + "x=" * 5000 + "}}", ";:" * 3000,
]  # fmt: skip


@pytest.mark.parametrize("wikitext", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_pages_are_read(wikitext):
    """Nested without end, or never closed: milliseconds each, minutes if a pattern searched again."""
    text = text_of(wikitext * 4)
    assert "{{" not in text
    assert "[[" not in text


PIECES = st.sampled_from(
    [
        *"{{ }} [[ ]] {| |} | || |- ! ' '' ''' == * # : ; <ref> </ref> <nowiki> </nowiki> <math> </math>".split(),
        *[
            "<!--",
            "-->",
            "-{",
            "}-",
            "a",
            "zh-hans:",
            "lang|",
            "convert|5|km",
            "File:x",
            "Category:y",
            "\n",
            "\n{|\n",
            "\n|}\n",
            " ",
        ],
    ]
)


@settings(max_examples=100, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
@example("{|\n|}\n|}\n")
@example("<nowiki></nowiki>" * 3)
def test_any_page_is_read(wikitext):
    text = text_of(wikitext)
    assert "\ue000" not in text
    assert "\ue001" not in text
