"""Real articles of Wikipedia in ten languages: the text that comes out is complete, and has no markup."""

import gzip
import re
from pathlib import Path

import pytest

from corpusmill.collect.reader import read_slice
from corpusmill.collect.slices import Slice
from corpusmill.extract.extractors import extractor
from corpusmill.page import Page, Site
from corpusmill.reasons import Status
from corpusmill.recipe import source_of

WIKIPEDIA = Path(__file__).parent / "wikipedia"
# The name of namespace 6 in each wiki, as its dumps state it; those of namespace 14 are known
FILES = {"ar": "ملف", "de": "datei", "fr": "fichier", "ja": "ファイル", "ko": "파일", "pt": "ficheiro", "ru": "файл"}
MARKUP = (
    *("[[", "]]", "{{", "}}", "{|", "|}", "|-", "||", "''", "==", "-{", "}-", "__", "~~~", "<!--", "-->", "</", "/>"),
    *("<ref", "<br", "<span", "<div", "<small", "<sup", "<sub", "<center", "<gallery", "<math", "<nowiki"),
    *("&nbsp;", "&lt;", "&gt;", "&amp;", "&ndash;", "&mdash;", "&#", "zh-hans", "zh-hant", "noteTA", ".ogg", "\ue000"),
    *("style=", "class=", "align=", "colspan", "rowspan", "bgcolor", "thumb|", "mini|", "vignette|", "px|", "|thumb"),
    *("File:", "Image:", "Datei:", "Bild:", "Fichier:", "Ficheiro:", "Imagem:", "Файл:", "ファイル:", "画像:"),
    *("文件:", "檔案:", "파일:", "그림:", "ملف:", "صورة:"),
    *("Category:", "Kategorie:", "Catégorie:", "Categoria:", "Категория:", "분류:", "تصنيف:"),
)  # fmt: skip
OF_LINES = {  # marks of lists and headings; in Markdown, a line can begin with *emphasis*, or be a # heading
    "text": re.compile(r"^[*#:;=!]", re.MULTILINE),
    "markdown": re.compile(r"^(?:[:;=!]|[*]+(?:\s|$)|#+(?! )(?!#))", re.MULTILINE),
}
AROUND_NOTHING = re.compile(r"[(（][\s,;:，；：、]*[)）]|[(（][,;，；、]| ,(?!\w)|、、|，，")
FORMULA = re.compile(r"\$\$?[^$\n]+\$\$?")  # braces are right in TeX

# What must be in the text: sentences whose templates and links are text now, headings, rows of tables.
TEXTS = {
    "zh": [
        "柏林（Berlin [bɛʁˈliːn]）是德意志聯邦共和國首都，也是德国最大的城市，现有居民约340万人。",
        "柏林也是德国十六个联邦州之一，和汉堡、不来梅同为德国僅有的三個城市州。",  # -{zh-hans:联邦州; zh-hant:邦}-
        "\n\n历史\n\n勃兰登堡選帝侯及普魯士公国\n\n柏林是一座很古老的城市。",
        "腓特烈出任边境总督（Markgraf），平定该地区的战乱",
        "此后柏林成为东西方意识形态交锋的最前沿。\n\n由于存在种种历史问题",  # a picture stands between the lines
        "年平均温度是9.7°C（49.5°F），而年平均降水量为571毫米（22.5 英寸）。",
        "- 米特（Mitte）\n- 腓特烈斯海恩-克罗伊茨贝格（Friedrichshain-Kreuzberg）",
        "USA 洛杉矶（1967） FRA 巴黎（1987）",
        "创建。1923年从附近的Vox-Haus开始德国广播历史。",
    ],
    "ja": [
        "通称ベルリン（Berlin、[bɛɐ̯ˈliːn]、伯林）は、ドイツの首都。",
        "\n\n概要\n\n",
        "再生可能エネルギーが含まれる。ベルリンは有名な大学や調査機関",  # two lines of the source, and no space
        "夏は温かくしばしば湿気があり",
        "- ミッテ区（Mitte）\n- フリードリヒスハイン＝クロイツベルク区（Friedrichshain-Kreuzberg）",
        "ベルリン州の議会はベルリン市議会（Abgeordnetenhaus）であり",
    ],
    "ko": [
        "베를린([bɛɐˈliːn])은 독일의 수도이다. 2014년 12월 현재 인구 3,562,166명으로",
        "\n\n역사\n\n초기 역사\n\n약 1,500년 전에는",
        "번호 | 구역 | 인구 2019년 12월 31일 | 면적(km²) | 인구 밀도(명/km²)\n1. | 미테 | 385,748 | 39.47 | 9,733\n",
        "- USA 로스앤젤레스 (1967년)\n- FRA 파리 (1987년)",
    ],
    "de": [
        "Als Keilwellen werden Wellen bezeichnet, bei denen ein Formschluss zur Nabe (Welle-Nabe-Verbindung) durch",
        "\n\nVerwendung\n\nKeilwellen-Verbindungen werden zur Übertragung großer und wechselnder Drehmomente",
        "- Fräsen mit einem Wälz- oder Formfräser\n- Schleifen\n- Kaltziehen\n- Stoßen",
        "dass nur 70-75 % der Keile tatsächlich tragen.",
        "aktuelle Normen | Inhalt\nDIN 5464 | Passverzahnungen mit Keilflanken - Schwere Reihe\n",
    ],
    "fr": [
        "L'Autriche (Österreich), en forme longue la république d'Autriche (Republik Österreich), est un État fédéral",
        "\n\nÉtymologie\n\nLa première mention écrite du nom Austria se trouve dans l'Historia gentis Langobardorum",
        "latin, Austria (dès le XIIe siècle), a donné Austriche",
        "créée par l'empereur germanique Otton Ier.",
        "le Grossglockner, qui s'élève à 3 797 m.",
        "- 25 000 km de routes régionales (Landesstraßen) ;",
        "(77,80 € en 2012 pour une vignette annuelle)",
        "la température a augmenté de près de 2 °C au cours",
        "n'a en moyenne augmenté que de 0,85 °C.",
        "sur une superficie de 10 236 km² ;",
        "En 1815 – après le congrès de Vienne – l’Autriche et les autres pays germanophones",
        "sous le règne de François-Joseph Ier se tourne vers",
    ],
    "ru": [
        "Берли́н (Berlin [bɛɐ̯ˈliːn]) — столица и крупнейший город Германии",
        "\n\nКлимат\n\nГород находится в умеренной климатической зоне. Среднегодовая температура составляет +9,9 °C.",
        "- Шпрее (в связи с чем его называют «Афинами на Шпрее»),\n- Хафель",
        "В 1400 году население объединённого Берлина составляло 8000 человек.",
    ],
    "ar": [
        "برلين (Berlin) هي العاصمة الفيدرالية لجمهورية ألمانيا الاتحادية",
        "\n\nالتاريخ\n\nتشكلت برلين من اندماج مستوطنتين هما (Cölln)",
        "الرقم | الحي | عدد السكان | المساحة في كلم مربع\n1 | شارلوتن بورغ - فيلمرز دورف | 302.245 | 64,72\n",
    ],
    "pt": [
        "Berlim (Berlin) é a capital e um dos dezesseis estados da Alemanha.",
        "Documentada pela primeira vez no século XIII, Berlim foi",
        "\n\nClima\n\nBerlim tem um clima temperado/mesotérmico (Cfb)",
        "a precipitação anual média é de 578 mm.",
    ],
    "en": [
        "An acid (from the Latin acidus/acēre meaning sour) is a chemical substance",
        "after loss of H+ (a positive hydrogen ion or proton).",
        "or more accurately, hydronium ions (H3O+), when dissolved in water.",
        "the concentration of hydronium ions is greater than 10^−7 moles per liter.",
        "CH3COOH + H2O ⇌ CH3COO− + H3O+",
        "in the form HA ⇌ H+ + A−, where HA represents the acid",
        "\n\n$$K_a = \\frac{[\\mbox{H}^+] [\\mbox{A}^-]}{[\\mbox{HA}]}$$\n\n",
        "Anion prefix | Anion suffix | Acid prefix | Acid suffix | Example\nper | ate | per | ic acid | ",
    ],
    "en-adobe": [
        "Adobe (/əˈdoʊbi/, /əˈdoʊb/; [aˈðoβe], from Spanish: mud brick, from Arabic) is a building material",
        "a minimum compressive strength of 300 lbf/in^2 (2.07 newton/mm^2) for the adobe block.",
        "Middle Egyptian (c. 2000 BC) word",
        "0.0105 ft^2/hr or 2.72x10^−7 m^2/s.",
        "the brick is typically about 25 by 36 cm in size.",
    ],
}  # fmt: skip


def read(name, format):
    page = gzip.decompress((WIKIPEDIA / f"{name}.wiki.gz").read_bytes())
    language = name.partition("-")[0]
    site = Site(language=language, namespaces={FILES[language]: 6} if language in FILES else {})
    return extractor("corpusmill", format)(Page(body=page, media="wikitext", site=site))


def assert_no_markup(text, format):
    text = FORMULA.sub("", text)
    assert [mark for mark in MARKUP if mark in text] == []
    assert OF_LINES[format].findall(text) == []


@pytest.mark.parametrize("name", TEXTS)
def test_articles_have_their_text_and_no_markup(name):
    found = read(name, "text")
    for passage in TEXTS[name]:
        assert passage in found.text
    assert_no_markup(found.text, "text")
    assert AROUND_NOTHING.findall(FORMULA.sub("", found.text)) == []


MARKDOWN = {
    "zh": ["**柏林**（Berlin \\[bɛʁˈliːn\\]）", "\n\n## 历史\n\n### 勃兰登堡選帝侯", "\n- 米特（Mitte）\n"],
    "ja": ["**ベルリン州**（ベルリンしゅう、", "\n\n## 概要\n\n"],
    "ko": ["| 번호 | 구역 | 인구 2019년 12월 31일 |", "| 1. | 미테 | 385,748 | 39.47 | 9,733 |\n"],
    "de": ["| aktuelle Normen | Inhalt |\n| --- | --- |\n| DIN 5464 |", "\n- Schleifen\n", "\n\n### Verwendung\n\n"],
    "fr": ["L'**Autriche** (Österreich), en forme longue la **république d'Autriche**", "d’autoroutes (*Autobahnen*)"],
    "ru": ["\n\n### Климат\n\n"],
    "ar": ["\n\n## التاريخ\n\n"],
    "pt": ["**Berlim** (*Berlin*) é a capital", "\n\n### Clima\n\n"],
    "en": ["greater than 10^−7 moles", "\n\n$$K_a = \\frac{[\\mbox{H}^+]", "| Anion prefix | Anion suffix |"],
    "en-adobe": ["**Adobe** (/əˈdoʊbi/", "300 lbf/in^2 (2.07 newton/mm^2)", "\n\n## Strength\n\n"],
}  # fmt: skip


@pytest.mark.parametrize("name", MARKDOWN)
def test_articles_as_markdown_have_no_markup_of_wikis(name):
    found = read(name, "markdown")
    for passage in MARKDOWN[name]:
        assert passage in found.text
    assert_no_markup(found.text, "markdown")


def test_a_real_dump():
    """Names of namespaces and the address are those of the dump's header."""
    source = source_of({"name": "wiki", "kind": "wikipedia", "paths": ["*"]})
    name = "bgwiki-pages-articles.xml.bz2"
    piece = Slice(name="wiki", source="wiki", kind="wikipedia", root=str(WIKIPEDIA), files=(name,))
    article, help_page = read_slice(piece, source)
    assert (article.title, article.html_lang, article.licence) == ("Григориански календар", "bg", "CC-BY-SA-4.0")
    assert article.url.startswith("https://bg.wikipedia.org/wiki/%D0%93%D1%80%D0%B8")
    assert (help_page.status, help_page.metadata["namespace"]) == (Status.OTHER_NAMESPACE, 4)
    found = extractor("corpusmill", "text")(Page(body=article.body, media="wikitext", site=article.site))
    assert "$$365,2425=365+0,25-0,01+0,0025=365+\\frac{1}{4}-\\frac{1}{100}+\\frac{1}{400}$$" in found.text
    assert "Вижте също\n\n- Високосна година" in found.text
    assert "Външни препратки" not in found.text
    assert found.metadata["categories"] == ["Календари"]
    assert_no_markup(found.text, "text")
