"""Templates that carry text, and what they write.  All others are left out: infoboxes, navigation, notices, citations.

What a template writes stands in pages of the wiki, not in the dump's article, and running it takes a whole MediaWiki
with its Lua modules.  So the text of the templates that occur most within sentences is stated here, for the main
languages.  A pattern is text with arguments: `{2|text}` is the second one, or if it is missing or empty, the one named
`text`; `{*}` is every argument without a name, with spaces between them.  A pattern whose arguments are all missing
writes nothing.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

BAR: Final = "\ue003"  # a vertical bar that separates nothing, until all templates are done
GONE: Final = "\ue000"  # stands where something was left out, until the text around it is mended

_PATTERNS: Final = {
    # words in other languages and scripts
    "{2|text|1}": "lang|langue|langx|язык|langwithname|zh-hant-hans|lang-x2|jazyk|nyelv|idioma|dil",
    "{1|text}": """
        nowrap|nobr|nobreak|nbr|no wrap|nowiki|s|сс|неразр|small|smaller|big|larger|large|small caps|smallcaps|sc|sc1|caps
        abbr|tooltip|comment|abréviation|abbreviation|аббр|sup|sub|exp|ind|mvar|var|em|strong|bold|italic|nobold|noitalic
        math|unicode|script|polytonic|polytonisch|grec|grec ancien|arabe|hébreu|cyrl|cuneiform|hiero|rtl-lang|rtl|ltr|ipa|api
        audio-ipa|ipa-all|pronunciation|code|mono|monospace|tt|kbd|samp|key press|keypress|key|tlx|not a typo|as written|sic
        proper name|ill|interlanguage link|ill-wd2|iw|iw2|нп|нп1|нп2|нп3|нп4|нп5|не переведено|не переведено 5|lien|仮リンク|link-interwiki
        le|link-en|link-de|link-fr|link-ja|link-es|link-it|link-ru|link-ko|link-interlanguage|internal link helper/en
        internal link helper/de|internal link helper/fr|internal link helper/ja|internal link helper/es
        internal link helper/it|internal link helper/ru|internal link helper/ko|illm|译|translink
        flag|flagcountry|flagu|flag+link|country|флаг страны|bandera2|geodatis|pays|drapeau2|flagga
        ruby|ルビ|ruby-ja|補助漢字フォント|jis2004フォント|cjkv|拡張漢字|kaiti|zy|僻字|zh-hans|zh-hant|lj|jpn|ko-hani|標楷體|楷体|楷體
        要出典範囲|要検証範囲|citation needed span|nl|rom|roman|overline|underline|ul|ol|strike|strikethrough|highlight|mark
        visible anchor|vanchor|anchored text|boxed text|center|centre|left|right|align|plain text|text|nihongo core
        chem2|no italic|no bold|unité2|no capitalization|linktext|lw|w|wp|esd|versal|versalitas|maiuscoletto|petites capitales
        pc|surligner|souligner|ssbr|terme défini|terme|unbreakable|noprint|toclimit|usc|font|fontcolor2|script/arabic
        script/hebrew|script/han|hani|hang|kana|hira|script/nastaliq|nastaliq|script/slavonic|old-cyrillic|angbr|grapheme
        main other|columns-list|div col list|refimprove span|clarify span|tmath text|nts|longitem|ntsh text|number table sorting|mval
    """,
    "{1|text|quote|content|цитата|текст|quotation|texte|citation|Text|zitat|cita}": "mention quote",
    "<blockquote>{1|text|quote|content|quotetext|цитата|текст|texte|Text|zitat|cita|texto|contenuto|引文}</blockquote>": """
        quote|blockquote|bquote|cquote|quotation|quote box|quotebox|rquote|quote frame|zitat|zitat-block|цитата|cita|cita2
        citation bloc|bloc citation|début citation text|citazione|quote1|centered pull quote|block quote|cytat|citaat|quote2
        引用|引文|引用文|quote-zh|古文|人用引文|대화 인용문|인용문|اقتباس|poemquote|poem quote|verse translation
    """,
    "“{1|text}”": "quote inline|inline quote",
    "„{1|text}“": '"',
    "«\u00a0{1|texte}\u00a0»": "« »|guillemets",
    "{3|2|text}": "transliteration|transl|tsl|translation text|le2",
    "{3|1}": "color text3",
    "{2|1}": "url|color|colour|font color|fontcolor|coloured text|colored text|color text|fg|textcolor|farbe|coul|sort|sortname2|hs text",
    "{1} ({2}, {3})": "nihongo",
    "{1}（{2}）": "読み仮名|読み仮名 ruby不使用|読み|yomigana|nihongo2 title",
    "ISBN {1}": "isbn|isbn-10|isbn-13|isbn2",
    "{2}": "legend|version|lang2|link text",
    "{1} {2}": "sortname|sortkeyname",
    "{display|lt|3|1}": "interlanguage link multi|ill2",
    "{2|3}": "nihongo2|nihongo krt|zh-lang",
    # numbers, measures, dates
    "{1|2} °C": "°c|celsius",
    "{1}°": "deg",
    "{1} m": "höhe|metre text",
    "{1}/{2}": "frac2|ratio",
    "US${1}": "us$|usd|us dollar",
    "€{1}": "euro|eur|€",
    "£{1}": "gbp|£|pound",
    "¥{1}": "jpy|cny|¥|rmb",
    "₹{1}": "inr|₹|indian rupee",
    "{1}%": "percentage text|pct",
    "c. {1}": "circa|c.|ca.",
    "fl. {1}": "fl.|floruit",
    "r. {1}": "reign|r.",
    "b. {1}": "b.|born text",
    "d. {1}": "died text",
    "p. {1}": "p.|page text",
    "No. {1}": "no.|number sign",
    "n. {1}": "n°|numéro",
    "{*}": """
        unité|unite|unidad|unità|nombre|nb|date|date-|date de naissance-|fecha|jour|date rapide|data|число с единицами
        convert text|dmy|mdy|height text|tl-text|join|ipac-en text|nihongo foot text|年月日|和暦
    """,
    "{1}e siècle": "s-|s mini-|siècle|s2-|-s-",
    "siglo {1}": "siglo",
    "{1} год": "год|гг",
    "{1}－{2}": "年份范围",
    "As of {1}": "as of",
}
_SIGNS: Final = {
    "-": "\n", "clear": "\n", "clr": "\n", "pb": "\n\n", "paragraph break": "\n\n", "break": "<br>", "crlf": "<br>",
    "!": BAR, "=": "=", "'": "'", "'s": "'s", "`": "’", "(": "{", ")": "}", "·": " · ", "•": " • ", "*": "*",
    "dot": " · ", "bull": " • ", "bullet": " • ", "middot": " · ", "snd": " – ", "spnd": " – ", "spaced ndash": " – ",
    "spaced en dash": " – ", "ndash": "–", "en dash": "–", "mdash": "—", "em dash": "—", "emdash": "—", "mdashb": "—", "endash": "–", "ndashb": "–", "spaced mdash": " — ",
    "spaced em dash": " — ", "—": " — ", "–": " – ", "nbsp": "\u00a0", "space": " ", "spaces": " ", "thinsp": "\u2009",
    "hsp": "\u200a", "zwj": "\u200d", "zwnj": "\u200c", "zwsp": "\u200b", "shy": "", "wbr": "", "0": "", "gap": " ",
    "times": "×", "×": "×", "minus": "−", "degree": "°", "okina": "ʻ", "ayin": "ʿ", "ayn": "ʿ", "hamza": "ʾ", "sharp": "♯",
    "music": "♪", "pi": "π", "phi": "φ", "euro sign": "€", "half": "½", "ier": "er", "ier s": "ers", "1er": "1er",
    "ii": "II", "iii": "III", "e": "e", "ème": "e", "av jc": "av. J.-C.", "ap jc": "apr. J.-C.", "-jc": "av. J.-C.",
    "ac": "a. C.", "dc": "d. C.", "y": "Yes", "yes": "Yes", "no": "No", "tick": "✓", "cross": "✗", "won": "Won",
    "nom": "Nominated", "n/a": "N/A", "unknown": "Unknown", "tba": "TBA", "lrm": "\u200e", "rlm": "\u200f", "'-": "'",
    "“": "“", "”": "”", "colon": ":", "lb": "{", "rb": "}", "((": "{{", "))": "}}", "pipe": BAR, "zeile": "<br>", "ja": "Ja",
    "nein": "Nein", "oui": "Oui", "non": "Non", "sí": "Sí", "да": "Да", "нет": "Нет", "до н. э.": "до н. э.",
    "н. э.": "н. э.", "—!": " — ", "col-break": "\n", "col-end": "\n", "col-begin": "\n", "div col": "\n", "div col end": "\n",
}  # fmt: skip
_MONTHS: Final = "January February March April May June July August September October November December".split()
_LANGUAGE_TEMPLATE: Final = re.compile(
    r"zh|lang[-‐]\S.*|[a-z]{2,3}s|ipa-[a-z-]+|ipa\w* .*|internal link helper/.*|link-[a-z-]+"
)
_CENTURY: Final = re.compile(r"[ivx]+(?:er|e) siècle(?: av\. j\.-c\.)?")
_PART: Final = re.compile(r"\{([^{}]+)\}")
_COUNTRY: Final = re.compile(r"[A-Z]{3}")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_BETWEEN: Final = frozenset(("to", "-", "–", "and", "or", "by", "x", "×", "*", "+", "+/-", "±", "to(-)", "xx"))
_SEPARATORS: Final = {
    "de": ".",
    "es": "\u00a0",
    "it": ".",
    "pt": ".",
    "nl": ".",
    "tr": ".",
    "id": ".",
    "da": ".",
    "vi": ".",
} | dict.fromkeys(("fr", "ru", "uk", "pl", "cs", "sv", "fi", "no", "nb", "hu", "bg", "sk"), "\u00a0")
_COMMAS: Final = frozenset((*_SEPARATORS, "ca", "ro", "el"))
Arguments = Mapping[str, str]
Rule = Callable[[Arguments, str], str]


def _pattern(pattern: str) -> Rule:
    pieces = [
        [key.strip() for key in piece.split("|")] if place % 2 else piece
        for place, piece in enumerate(_PART.split(pattern))
    ]

    def write(arguments: Arguments, language: str) -> str:
        found = [piece if isinstance(piece, str) else _first(arguments, piece) for piece in pieces]
        if not any(text for text, piece in zip(found, pieces, strict=True) if not isinstance(piece, str)):
            return ""
        return "".join(found)

    return write


def _first(arguments: Arguments, keys: list[str]) -> str:
    if keys == ["*"]:
        return " ".join(positional(arguments))
    for key in keys:
        if found := arguments.get(key):
            return found
    return ""


def positional(arguments: Arguments) -> list[str]:
    """The arguments without names that are not empty, in order."""
    return [value for key, value in arguments.items() if value and key.isdigit()]


def _last(arguments: Arguments, language: str) -> str:
    values = positional(arguments)
    return values[-1] if values else ""


def _convert(arguments: Arguments, language: str) -> str:
    """The measure as it is stated, without the one that it is converted to."""
    values = positional(arguments)
    said: list[str] = values[:1]
    place = 1
    while place < len(values):
        if values[place].lower() in _BETWEEN and place + 1 < len(values):
            is_dash = values[place] in ("-", "–")
            if is_dash:
                said[-1] += "–" + values[place + 1]
            else:
                said += [values[place].replace("to(-)", "to"), values[place + 1]]
            place += 2
            continue
        said.append(values[place])
        more = values[place + 1 : place + 3]
        if len(more) == 2 and _NUMBER.fullmatch(more[0]) and not _NUMBER.fullmatch(more[1]) and place == 1:
            place += 1  # 6 ft 2 in
            said += more
        break
    return " ".join(said)


def format_number(text: str, language: str) -> str:
    """A number with separators, as the language writes it."""
    text = text.strip()
    whole, dot, fraction = text.partition(".")
    digits = whole.lstrip("-−+")
    if not digits.isdigit() or (fraction and not fraction.isdigit()):
        return text
    base = language.partition("-")[0]
    separator = _SEPARATORS.get(base, ",")
    short = len(digits) == 4 and base in ("es", "pl", "pt")
    grouped = digits if short else f"{int(digits):,}".replace(",", separator) if digits[0] != "0" else digits
    mark = "," if base in _COMMAS else "."
    return whole[: len(whole) - len(digits)] + grouped + (mark + fraction if dot else "")


def _value(arguments: Arguments, language: str) -> str:
    number = format_number(arguments.get("1", ""), language)
    if "e" in arguments:
        number += f"×10<sup>{arguments['e']}</sup>"
    unit = arguments.get("u") or arguments.get("ul") or ""
    return f"{number} {unit}".strip()


def _fraction(arguments: Arguments, language: str) -> str:
    values = positional(arguments)
    if len(values) == 3:
        return f"{values[0]} {values[1]}⁄{values[2]}"
    return "⁄".join(values) if len(values) == 2 else f"1⁄{values[0]}" if values else ""


def _date(arguments: Arguments, language: str) -> str:
    year, month, day = (positional(arguments) + ["", "", ""])[:3]
    if not (month.isdigit() and 1 <= int(month) <= 12):
        return " ".join(part for part in (month, day, year) if part)
    name = _MONTHS[int(month) - 1] if not language.startswith(("zh", "ja")) else ""
    if not name:
        return f"{year}年{int(month)}月" + (f"{int(day)}日" if day.isdigit() else "")
    if not day:
        return f"{name} {year}"
    day_first = arguments.get("df", "")[:1].lower() in ("y", "t", "1")
    return f"{day} {name} {year}" if day_first else f"{name} {day}, {year}"


def _born_and_died(arguments: Arguments, language: str) -> str:
    """Chinese: （year month day－year month day）."""
    parts = ["".join(arguments.get(key, "") for key in keys) for keys in (("1", "2"), ("3", "4"))]
    return f"（{parts[0]}－{parts[1]}）" if any(parts) else ""


def _joined(arguments: Arguments, language: str) -> str:
    return "".join(positional(arguments))


def _chemical(arguments: Arguments, language: str) -> str:
    return "".join(f"<sub>{part}</sub>" if part.isdigit() else part for part in positional(arguments))


def _spoken(arguments: Arguments, language: str) -> str:
    """The sounds of {{IPAc-en}}: an argument each."""
    words = ("lang", "pron", "us", "uk", "also", "local", "en-us", "ipa", "'s")
    sounds = [
        part for part in positional(arguments) if part.lower() not in words and not part.endswith((".ogg", ".wav"))
    ]
    return f"/{''.join(sounds)}/" if sounds else ""


def _list(arguments: Arguments, language: str) -> str:
    items = positional(arguments)
    if len(items) == 1 and items[0].lstrip().startswith("*"):
        return f"\n{items[0].strip()}\n"
    return "".join(f"\n* {item}" for item in items) + "\n" if items else ""


def _in_a_row(arguments: Arguments, language: str) -> str:
    items = positional(arguments)
    if len(items) == 1 and items[0].lstrip().startswith("*"):
        items = [line.strip("* ") for line in items[0].splitlines() if line.strip("* ")]
    return " · ".join(items)


def _formula(arguments: Arguments, language: str) -> str:
    return f"<math>{arguments.get('1', '')}</math>"


def _block(arguments: Arguments, language: str) -> str:
    return "\n" + _first(arguments, ["2", "equation", "1"]).strip() + "\n"


def _content(arguments: Arguments, language: str) -> str:
    return f"\n{_first(arguments, ['content', '2', '1']).strip()}\n"


_AUTHOR: Final = (
    "author",
    "author1",
    "autor",
    "auteur",
    "auteur1",
    "автор",
    "authors",
    "vauthors",
    "autore",
    "著者",
    "editor",
)
_CITED: Final = (  # what is written of a work, in this order, from the first argument that is there
    ("title", "titel", "titre", "título", "titulo", "titolo", "заглавие", "タイトル"),
    ("journal", "work", "newspaper", "sammelwerk", "périodique", "publicación", "издание"),
    ("publisher", "verlag", "éditeur", "editorial", "editore", "издательство", "出版社"),
)
_YEAR: Final = ("year", "date", "jahr", "datum", "année", "date", "año", "fecha", "anno", "год")


def _cited(arguments: Arguments, language: str) -> str:
    """A work that is cited outside a reference, such as one for further reading."""
    said = {key.lower(): value for key, value in arguments.items() if value}

    def first(keys: tuple[str, ...]) -> str:
        return next((said[key] for key in keys if key in said), "")

    last = first(("last", "last1", "nom", "nom1", "apellidos", "apellido", "surname"))
    name = first(("first", "first1", "prénom", "prénom1", "nombre", "given"))
    author = first(_AUTHOR) or ", ".join(part for part in (last, name) if part)
    title, *rest = (first(keys) for keys in _CITED)
    if not title:  # of French and other wikis: words that somebody said
        words = arguments.get("1", "")
        return (f"«\u00a0{words}\u00a0»" if language.startswith("fr") else f"“{words}”") if words else ""
    year = f"({first(_YEAR)})" if first(_YEAR) else ""
    before = " ".join(part for part in (author, year) if part)
    return ". ".join(part for part in (before, f"''{title}''", *rest) if part) + "."


_FUNCTIONS: Final[dict[str, Rule]] = {
    "convert|cvt|conv|convertir|converter": _convert,
    "formatnum|fnum|zahl|nombre formaté|number|nummer|число|formatnumber": lambda a, language: format_number(a.get("1", ""), language),
    "val|gaps|vd": _value,
    "frac|fraction|sfrac|bruch|дробь|slfrac|tfrac": _fraction,
    "formatdate|birth date|birth date and age|death date|death date and age|start date|end date|bda|dda|start date and age": _date,
    "bd|生卒": _born_and_died,
    "chem|chemf": _chemical,
    "ipac-en|ipac-us|ipac": _spoken,
    "hlist|flatlist|hlist-comma|cslist": _in_a_row,
    "plainlist|plain list|unbulleted list|ubl|ublist|bulleted list|blist|unbulleted|flat list|liste|lista": _list,
    "tmath|tex|mathform": _formula,
    "numblk|equation box 1|equation": _block,
    "hidden|collapse|collapsible text|hidden begin|columns|col-list|div col|colonnes|spalten|multicol": _content,
    "transliteration|transl|transl.": _last,
    "ipa|api": _last,
    "overset|underset|su|chem formula": _joined,
    "cite book|cite web|cite journal|cite news|cite encyclopedia|cite conference|cite thesis|cite magazine|citation|cite report|"
    "literatur|ouvrage|article|lien web|cita libro|cita publicación|cita web|cita news|книга|статья|cite|文献|书目": _cited,
}  # fmt: skip


def _rules() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for pattern, names in _PATTERNS.items():
        written = _pattern(pattern)
        rules |= {name.strip(): written for name in names.replace("\n", "|").split("|") if name.strip()}
    for names, function in _FUNCTIONS.items():
        rules |= dict.fromkeys(names.split("|"), function)
    return rules


RULES: Final = _rules()
_VARIANTS: Final = ("s", "t", "c", "p", "w", "j", "hangul", "hanja", "rr", "kanji", "romaji", "l")


def _in_language(arguments: Arguments, language: str) -> str:
    """The text in another language; of Chinese and Korean its forms: simplified, traditional, transcribed."""
    text = arguments.get("1") or arguments.get("text")
    return text or "; ".join(arguments[key] for key in _VARIANTS if arguments.get(key))


_CASES: Final[dict[str, Callable[[str], str]]] = {
    "lc": str.lower,
    "uc": str.upper,
    "lcfirst": lambda text: text[:1].lower() + text[1:],
    "ucfirst": lambda text: text[:1].upper() + text[1:],
    "nowrap": str,
}


def rule_of(name: str) -> Rule | None:
    """What a template with text does, by its plain name; None for one that is left out."""
    found = RULES.get(name)
    if found is None and _LANGUAGE_TEMPLATE.fullmatch(name):
        return _last if name.startswith("ipa") else _in_language
    return found


def sign_of(name: str, written: str) -> str | None:
    """What a template without arguments writes; None if it is left out.  `written`: its name as the page has it."""
    if (found := _SIGNS.get(name)) is not None:
        return found
    return written if _COUNTRY.fullmatch(written) or _CENTURY.fullmatch(name) else None


def function(name: str, argument: str, language: str) -> str | None:
    """What a parser function writes: the changes of case, numbers; None for all others."""
    if name == "formatnum":
        return format_number(argument.partition("|")[0], language)
    if name in _CASES:
        return _CASES[name](argument.strip())
    return None
