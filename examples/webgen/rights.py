"""rights.example: the Universal Declaration of Human Rights in many languages, scripts and charsets.

Most pages are in UTF-8, and declare it.  Some languages exist only in the charset that their pages had in the 1990s.
Some exist twice, in UTF-8 and in a legacy charset; decoding must give the same text for both.  Some pages declare a
wrong charset, or none.
"""

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

from examples.webgen.page import fill, links, without_addresses
from examples.webgen.site import Site

HOST = "http://rights.example"
LONGEST_HEADING = 60  # characters
RIGHT_TO_LEFT = {"ar", "he", "fa", "ur", "ug", "ckb", "yi"}
LANGUAGES = {
    "afr": ("af", "Afrikaans"), "amh": ("am", "Amharic"), "arb": ("ar", "Arabic"), "ast": ("ast", "Asturian"),
    "azj_latn": ("az", "Azerbaijani"), "bel": ("be", "Belarusian"), "ben": ("bn", "Bengali"), "bod": ("bo", "Tibetan"),
    "bre": ("br", "Breton"), "bul": ("bg", "Bulgarian"), "cat": ("ca", "Catalan"), "ceb": ("ceb", "Cebuano"),
    "ces": ("cs", "Czech"), "ckb": ("ckb", "Central Kurdish"), "cmn_hans": ("zh-Hans", "Chinese (simplified)"),
    "cmn_hant": ("zh-Hant", "Chinese (traditional)"), "cym": ("cy", "Welsh"), "dan": ("da", "Danish"),
    "deu": ("de", "German"), "ell_monotonic": ("el", "Greek"), "eng": ("en", "English"), "epo": ("eo", "Esperanto"),
    "est": ("et", "Estonian"), "eus": ("eu", "Basque"), "fao": ("fo", "Faroese"), "fin": ("fi", "Finnish"),
    "fra": ("fr", "French"), "fri": ("fy", "Frisian"), "gla": ("gd", "Scottish Gaelic"), "gle": ("ga", "Irish"),
    "glg": ("gl", "Galician"), "guj": ("gu", "Gujarati"), "hat_kreyol": ("ht", "Haitian Creole"),
    "hau_NG": ("ha", "Hausa"), "heb": ("he", "Hebrew"), "hin": ("hi", "Hindi"), "hrv": ("hr", "Croatian"),
    "hun": ("hu", "Hungarian"), "hye": ("hy", "Armenian"), "ibo": ("ig", "Igbo"), "ina": ("ia", "Interlingua"),
    "ind": ("id", "Indonesian"), "isl": ("is", "Icelandic"), "ita": ("it", "Italian"), "jav": ("jv", "Javanese"),
    "jpn": ("ja", "Japanese"), "kan": ("kn", "Kannada"), "kat": ("ka", "Georgian"), "kaz": ("kk", "Kazakh"),
    "khm": ("km", "Khmer"), "kir": ("ky", "Kyrgyz"), "kor": ("ko", "Korean"), "lao": ("lo", "Lao"),
    "lat": ("la", "Latin"), "lav": ("lv", "Latvian"), "lit": ("lt", "Lithuanian"), "ltz": ("lb", "Luxembourgish"),
    "mal": ("ml", "Malayalam"), "mar": ("mr", "Marathi"), "mkd": ("mk", "Macedonian"), "mlt": ("mt", "Maltese"),
    "mya": ("my", "Burmese"), "nep": ("ne", "Nepali"), "nld": ("nl", "Dutch"), "nno": ("nn", "Norwegian (Nynorsk)"),
    "nob": ("nb", "Norwegian (Bokmål)"), "pan": ("pa", "Punjabi"), "pes_1": ("fa", "Persian"),
    "plt": ("mg", "Malagasy"), "pol": ("pl", "Polish"), "por_BR": ("pt-BR", "Portuguese (Brazil)"),
    "por_PT": ("pt-PT", "Portuguese (Portugal)"), "quz": ("qu", "Quechua"), "roh": ("rm", "Romansh"),
    "ron": ("ro", "Romanian"), "rus": ("ru", "Russian"), "san": ("sa", "Sanskrit"), "slk": ("sk", "Slovak"),
    "slv": ("sl", "Slovenian"), "som": ("so", "Somali"), "spa": ("es", "Spanish"), "srp_cyrl": ("sr", "Serbian"),
    "swe": ("sv", "Swedish"), "swh": ("sw", "Swahili"), "tam": ("ta", "Tamil"), "tat": ("tt", "Tatar"),
    "tgk": ("tg", "Tajik"), "tgl": ("tl", "Tagalog"), "tha": ("th", "Thai"), "tur": ("tr", "Turkish"),
    "uig_arab": ("ug", "Uyghur"), "ukr": ("uk", "Ukrainian"), "urd": ("ur", "Urdu"), "uzn_latn": ("uz", "Uzbek"),
    "vie": ("vi", "Vietnamese"), "ydd": ("yi", "Yiddish"), "yor": ("yo", "Yoruba"), "zul": ("zu", "Zulu"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Variant:
    """How a language's page is encoded, and what it declares."""

    file: str
    codec: str  # Python's name of the real charset of the bytes
    declared: str | None  # the name that the page declares; wrong for some pages
    where: Literal["header", "meta"] = "header"
    note: str | None = None


ONLY_LEGACY = {
    variant.file: variant
    for variant in (
        Variant("bul", "cp1251", "windows-1251"),
        Variant("ces", "iso8859-2", "iso-8859-2", "meta"),
        Variant("ell_monotonic", "cp1253", "windows-1253"),
        Variant("heb", "cp1255", "windows-1255", "meta"),
        Variant("hun", "iso8859-2", "ISO-8859-2"),
        Variant("tur", "cp1254", "windows-1254", "meta"),
        Variant("ukr", "koi8-u", "KOI8-U"),
    )
}
COPIES = (
    Variant("cmn_hans", "gbk", "gbk"),
    Variant("cmn_hant", "big5", "Big5", "meta"),
    Variant("jpn", "shift_jis", "Shift_JIS"),
    Variant("jpn", "euc_jp", "euc-jp", "meta"),
    Variant("kor", "euc_kr", "EUC-KR", "meta"),
    Variant("rus", "cp1251", "windows-1251"),
    Variant("pol", "iso8859-2", "iso-8859-2"),
    Variant("tha", "cp874", "TIS-620"),
    Variant("cmn_hans", "gb18030", None, note="declares no charset"),
    Variant("rus", "koi8-r", None, note="declares no charset"),
    Variant("vie", "utf-16-le", None, note="declares no charset, but begins with a byte order mark"),
    Variant("spa", "utf-8", None, note="declares no charset"),
    Variant("rus", "cp866", "utf-8", note="declares utf-8, is cp866"),
    Variant("fra", "cp1252", "utf-8", "meta", note="declares utf-8, is windows-1252"),
    Variant("pol", "cp1250", "iso-8859-1", note="declares iso-8859-1, is windows-1250"),
    Variant("jpn", "shift_jis", "euc-jp", "meta", note="declares euc-jp, is Shift_JIS"),
    Variant("deu", "utf-8", "iso-8859-1", note="declares iso-8859-1, is utf-8"),
)
ABOUT = """<h1>About the translations</h1><p>The declaration was adopted on 10 December 1948 and has been translated
into more languages than any other document. The translations on these pages come from many hands and many decades, and
some of the pages are nearly as old as the web: their encodings were never changed.</p>
<p>If a page looks wrong, your browser believed what the page says about itself. Try another encoding.</p>"""


def read_texts(archive: Path) -> dict[str, str]:
    """The declarations in udhr2.zip that the site shows, by file name."""
    with zipfile.ZipFile(archive) as texts:
        return {file: without_addresses(texts.read(f"udhr2/{file}.txt").decode("utf-8")) for file in LANGUAGES}


def build(site: Site, texts: Mapping[str, str]) -> None:
    """Add rights.example; `texts` holds a declaration for each of LANGUAGES."""
    site.add(f"{HOST}/robots.txt", "\ufeffUser-agent: *\nAllow: /\n", content_type="text/plain; charset=utf-8")
    site.add(f"{HOST}/about/", _page("en", "About the translations", ABOUT))
    pages = [(_path(tag), name) for tag, name in LANGUAGES.values()]
    old = [(_copy_path(variant), f"{LANGUAGES[variant.file][1]}, old page") for variant in COPIES]
    welcome = (
        "<h1>Human rights, in every language</h1><p>All human beings are born free and equal in dignity and rights.</p>"
    )
    site.add(f"{HOST}/", _page("en", "Rights", f'{welcome}<p><a href="/languages/">Choose a language</a></p>'))
    listing = f"<h1>Languages</h1><ul>{links(pages)}</ul><h2>Old pages</h2><ul>{links(old)}</ul>"
    site.add(f"{HOST}/languages/", _page("en", "Languages", listing))
    for file, (tag, _) in LANGUAGES.items():
        variant = ONLY_LEGACY.get(file) or Variant(file, "utf-8", "utf-8")
        _declaration(site, _path(tag), variant, texts[file])
    for variant in COPIES:
        _declaration(site, _copy_path(variant), variant, texts[variant.file])


def _path(tag: str) -> str:
    return f"/{tag}/"


def _copy_path(variant: Variant) -> str:
    claim = "-undeclared" if variant.declared is None else "-misdeclared" if variant.note else ""
    return f"/old/{LANGUAGES[variant.file][0]}-{variant.codec}{claim}.html"


def _declaration(site: Site, path: str, variant: Variant, text: str) -> None:
    tag = LANGUAGES[variant.file][0]
    title = _title(text) or f"Universal Declaration of Human Rights ({LANGUAGES[variant.file][1]})"
    meta = variant.where == "meta" and variant.declared is not None
    declaration = f'<meta http-equiv="content-type" content="text/html; charset={variant.declared}">\n' if meta else ""
    html = _page(tag, title, article(text), declaration=declaration)
    header = f"; charset={variant.declared}" if variant.where == "header" and variant.declared else ""
    mark = "\ufeff" if variant.codec.startswith("utf-16") else ""
    # also in the 1990s, characters outside a charset were written as character references
    body = (mark + html).encode(variant.codec, "xmlcharrefreplace")
    site.add(HOST + path, body, content_type=f"text/html{header}", note=variant.note)


def _page(tag: str, title: str, body: str, declaration: str = "") -> str:
    around = list(LANGUAGES.values())
    index = next((i for i, (other, _) in enumerate(around) if other == tag), 0)
    neighbours = [around[(index + step) % len(around)] for step in (*range(-4, 0), *range(1, 5))]
    return fill(
        "rights.html", tag=tag, direction="rtl" if tag in RIGHT_TO_LEFT else "ltr", declaration=declaration,
        title=escape(title), head="", body=body, languages=links((_path(t), name) for t, name in neighbours),
    )  # fmt: skip


def _title(text: str) -> str | None:
    """The first line, unless it is a sentence."""
    first = text.strip().partition("\n")[0].strip()
    return first if len(first) < LONGEST_HEADING else None


def article(text: str) -> str:
    """A declaration as HTML.  Its first line is the title.  A short first line after an empty line is a heading."""
    title = _title(text)
    lines = [line.strip() for line in text.strip().splitlines()]
    html, after_gap = [f"<h1>{escape(title)}</h1>"] if title else [], False
    for line in lines[1 if title else 0 :]:
        if line:
            element = "h2" if after_gap and len(line) < LONGEST_HEADING else "p"
            html.append(f"<{element}>{escape(line)}</{element}>")
        after_gap = not line
    return "\n".join(html)
