"""Templates that carry text, and what they write.  All others are left out: infoboxes, navigation, notices, citations.

What a template writes stands in pages of the wiki, not in the dump's article, and running it takes a whole MediaWiki
with its Lua modules.  So the text of the templates that occur most within sentences is stated here, for the main
languages: in `templates.toml`, and by the functions below.  Names are in lower case.

A pattern is text with arguments: `{2|text}` is the second one, or if it is missing or empty, the one named `text`;
`{*}` is every argument without a name, with spaces between them.  A pattern whose arguments are all missing writes
nothing.
"""

# ruff: noqa: SIM905

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from corpusmill.extract.wikitext.names import COUNTRIES

BAR: Final = "\ue003"  # a vertical bar that separates nothing, until all templates are done
EQUALS: Final = "\ue004"  # an equals sign that ends no name, likewise
GONE: Final = "\ue000"  # stands where something was left out, until the text around it is mended

_DATA: Final = tomllib.loads((Path(__file__).parent / "templates.toml").read_text("utf-8"))
_SIGNS: Final[dict[str, str]] = _DATA["signs"]
_MONTHS: Final = "January February March April May June July August September October November December".split()
_LANGUAGE_TEMPLATE: Final = re.compile(
    r"zh|lang[-‐]\S.*|لغة-\S.*|[a-z]{2,3}s|ipa-[a-z-]+|ipa\w* .*|internal link helper/.*|link-[a-z-]+"
)
_AUDIO: Final = re.compile(r".*\.(?:ogg|oga|wav|mp3|opus|flac)", re.IGNORECASE)
_LANGUAGE_CODE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z]+)*")
# French: centuries, days of a year, places in an order ("84e", with what is counted as the argument)
_CENTURY: Final = re.compile(r"[ivx]+(?:er|e) siècle(?: av\. j\.-c\.)?")
_DAY: Final = re.compile(
    r"\d{1,2}(?:er)? (?:janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre)"
)
_ORDINAL: Final = re.compile(r"\d+(?:er|re|ère|e|ème|nd|nde)s?")
_PART: Final = re.compile(r"\{([^{}]+)\}")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_BETWEEN: Final = frozenset(("to", "-", "–", "and", "or", "by", "x", "×", "*", "+", "+/-", "±", "to(-)", "xx"))
_RAISED: Final = {"2": "²", "3": "³"}
_ACCIDENTALS: Final = {"flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮"}
_UNITS: Final = {  # the names that {{convert}} has for them, and how they are written
    "C": "°C",
    "F": "°F",
    "C-change": "°C",
    "F-change": "°F",
    "kph": "km/h",
    "sqmi": "sq mi",
    "sqft": "sq ft",
    "sqkm": "km²",
    "cuft": "cu ft",
    "cumi": "cu mi",
    "cuyd": "cu yd",
    "m3/s": "m³/s",
    "inHg": "in Hg",
} | {
    f"{unit}{power}": f"{unit}{raised}"
    for unit in ("mm", "cm", "m", "km")
    for power, raised in (("2", "²"), ("3", "³"))
}
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
        said.append(_UNITS.get(values[place], values[place]))
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


def _formatted(arguments: Arguments, language: str) -> str:
    return format_number(arguments.get("1", ""), language)


def _value(arguments: Arguments, language: str) -> str:
    number = format_number(arguments.get("1", ""), language)
    if "e" in arguments:
        number += f"×10<sup>{arguments['e']}</sup>"
    unit = arguments.get("u") or arguments.get("ul") or ""
    return f"{number} {unit}".strip()


def _quantity(arguments: Arguments, language: str) -> str:
    """{{unité|number|unit|power|unit|power}}; the unit may stand behind the number."""
    values = [arguments.get(str(place), "") for place in range(1, 8)]
    number, _, unit = values[0].partition(" ")
    units = [unit] if unit else []
    for unit, power in zip(values[1::2], values[2::2], strict=True):
        if unit:
            units.append(unit + (_RAISED.get(power) or f"<sup>{power}</sup>" if power else ""))
    return " ".join(part for part in (format_number(number, language), "⋅".join(units)) if part)


def _euros(arguments: Arguments, language: str) -> str:
    amount = format_number(arguments.get("1", ""), language)
    if not amount:
        return ""
    return f"€{amount}" if language == "en" else f"{amount} €"


def _century(arguments: Arguments, language: str) -> str:
    """French: {{s|XII|e}} is "XIIe siècle".  In other languages, {{s}} is text that is not to be broken."""
    values = positional(arguments)
    if language != "fr":
        return values[0] if values else ""
    if not values:
        return ""
    end = values[1] if len(values) > 1 else "er" if values[0] == "I" else "e"
    return f"{values[0]}{end} siècle"


def _century_before(arguments: Arguments, language: str) -> str:
    return said + " av. J.-C." if (said := _century(arguments, language)) else ""


def _centuries(arguments: Arguments, language: str) -> str:
    """French: {{sp|XII|e|au|XIII|e}} and {{s2|XII|e|XIII|e}}."""
    values = positional(arguments)
    if len(values) == 5:
        return f"{values[0]}{values[1]} {values[2]} {values[3]}{values[4]} siècle"
    return f"{values[0]}{values[1]} et {values[2]}{values[3]} siècles" if len(values) == 4 else " ".join(values)


def _fraction(arguments: Arguments, language: str) -> str:
    values = positional(arguments)
    if len(values) == 3:
        return f"{values[0]} {values[1]}⁄{values[2]}"
    return "⁄".join(values) if len(values) == 2 else f"1⁄{values[0]}" if values else ""


def _date(arguments: Arguments, language: str) -> str:
    year, month, day = [*positional(arguments), "", "", ""][:3]
    if not (month.isdigit() and 1 <= int(month) <= 12):
        return " ".join(part for part in (month, day, year) if part)
    name = _MONTHS[int(month) - 1] if not language.startswith(("zh", "ja")) else ""
    if not name:
        return f"{year}年{int(month)}月" + (f"{int(day)}日" if day.isdigit() else "")
    if not day:
        return f"{name} {year}"
    day_first = arguments.get("df", "")[:1].lower() in ("y", "t", "1")
    return f"{day} {name} {year}" if day_first else f"{name} {day}, {year}"


def _sorted_date(arguments: Arguments, language: str) -> str:
    """{{dts|year|month|day}}, and in German in the other order; each may be missing."""
    parts = [arguments.get(key, "") for key in "123"]
    year, month, day = parts[::-1] if language == "de" else parts
    if language != "en":
        return ".".join(part for part in (day, month, year) if part)
    return _date({"1": year or " ", "2": month or " ", "3": day or " "}, language).strip(" ,")


def _born_and_died(arguments: Arguments, language: str) -> str:
    """Chinese: （year month day－year month day）."""
    parts = ["".join(arguments.get(key, "") for key in keys) for keys in (("1", "2"), ("3", "4"))]
    return f"（{parts[0]}－{parts[1]}）" if any(parts) else ""


def _blank(arguments: Arguments, language: str) -> str:
    return " "


def _accidental(arguments: Arguments, language: str) -> str:
    """A sign of music: {{music|flat}}."""
    return _ACCIDENTALS.get(arguments.get("1", ""), "")


def _joined(arguments: Arguments, language: str) -> str:
    return "".join(positional(arguments))


def _chemical(arguments: Arguments, language: str) -> str:
    return "".join(f"<sub>{part}</sub>" if part.isdigit() else part for part in positional(arguments))


def _spoken(arguments: Arguments, language: str) -> str:
    """The sounds of {{IPAc-en}}: an argument each."""
    words = ("lang", "pron", "us", "uk", "also", "local", "en-us", "ipa", "'s")
    sounds = [part for part in positional(arguments) if part.lower() not in words and not _AUDIO.fullmatch(part)]
    return f"/{''.join(sounds)}/" if sounds else ""


def _sounds(arguments: Arguments, language: str) -> str:
    """The pronunciation that {{IPA}} holds, behind the code of its language if there is one; no name of a recording.

    English authors write the brackets themselves.  In other wikis the template does.
    """
    values = [part for part in positional(arguments) if not _AUDIO.fullmatch(part)]
    if len(values) > 1 and _LANGUAGE_CODE.fullmatch(values[0]):
        values = values[1:]
    return (values[0] if language == "en" else _in_brackets(values[0])) if values else ""


def _foreign_sounds(arguments: Arguments, language: str) -> str:
    """Likewise for {{IPA-de}} and others, which write the brackets in every wiki."""
    said = arguments.get("1", "")
    return "" if _AUDIO.fullmatch(said) else _in_brackets(said)


def _in_brackets(sounds: str) -> str:
    return f"[{sounds}]" if sounds and sounds.lstrip("'")[:1] not in "[/⟨(" else sounds


def _with_reading(arguments: Arguments, language: str) -> str:
    """{{nihongo|text|characters|transcription|note}}: text (characters, transcription, note)."""
    text, *more = (arguments.get(key, "") for key in "1234")
    more = [part for part in more if part]
    if not text and more:
        text, *more = more[1:2] + more[:1] + more[2:]
    return f"{text} ({', '.join(more)})" if more else text


def _with_characters(arguments: Arguments, language: str) -> str:
    """{{nihongo3|text|characters|transcription}} begins with the transcription."""
    return _with_reading({new: arguments.get(old, "") for new, old in ("13", "22", "31")}, language)


def _day(arguments: Arguments, language: str) -> str:
    """Day, month and year of a template that may name a second date, too."""
    return " ".join(positional(arguments)[:3])


def _time_of_day(arguments: Arguments, language: str) -> str:
    """French: {{heure|4|30}} is "4 h 30"."""
    hours, *minutes = [*positional(arguments), ""][:2]
    return f"{hours} h {minutes[0]}".strip() if hours else ""


def _with_hyphens(arguments: Arguments, language: str) -> str:
    return "-".join(positional(arguments))


def _inserted(arguments: Arguments, language: str) -> str:
    """French: words between dashes.  The second argument is the sign that follows instead of the second dash."""
    words, end = arguments.get("1", ""), arguments.get("2", arguments.get("fin", ""))
    return f" – {words}{'' if end == 'stop' else end or ' – '}" if words else ""


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
    "formatnum|fnum|zahl|nombre formaté|number|nummer|число|formatnumber|fmtn|smn|formnum": _formatted,
    "val|gaps|vd": _value,
    "frac|fraction|sfrac|bruch|дробь|slfrac|tfrac": _fraction,
    "formatdate|birth date|birth date and age|bda|death date|death date and age|dda": _date,
    "start date|start date and age|end date": _date,
    "bd|生卒": _born_and_died,
    "dts|date table sorting": _sorted_date,
    "chem|chemf": _chemical,
    "ipac-en|ipac-us|ipac": _spoken,
    "hlist|flatlist|hlist-comma|cslist": _in_a_row,
    "plainlist|plain list|unbulleted list|ubl|ublist|bulleted list|blist|unbulleted|flat list|liste|lista": _list,
    "tmath|tex|mathform": _formula,
    "numblk|equation box 1|equation": _block,
    "hidden|collapse|collapsible text|hidden begin|columns|col-list|div col|colonnes|spalten|multicol": _content,
    "transliteration|transl|transl.": _last,
    "ipa|api|msapi|audio-ipa|lautschrift": _sounds,
    "ipa-all": _foreign_sounds,
    "respell|pronunciation respelling": _with_hyphens,
    "nihongo|nihongo4": _with_reading,
    "nihongo3": _with_characters,
    "date de naissance|date de décès|date de naissance-|date de décès-|date naissance|date mort": _day,
    "heure": _time_of_day,
    "unité|unite|unidad|unità|nombre|nb|tmp|température": _quantity,
    "euro|eur|€": _euros,
    "s|s-|s mini-|siècle": _century,
    "-s|-s-": _century_before,
    "sp|sp-|s2|s2-": _centuries,
    "spaces|space|nbsp|gap|pad": _blank,
    "music": _accidental,
    "incise": _inserted,
    "overset|underset|su|chem formula": _joined,
    "cite book|cite web|cite journal|cite news|cite encyclopedia|cite conference|cite thesis|cite magazine": _cited,
    "cite|cite report|citation|literatur|ouvrage|article|lien web|cita libro|cita publicación|cita web": _cited,
    "cita news|книга|статья|文献|书目": _cited,
}  # fmt: skip


def _rules() -> dict[str, Rule]:
    rules: dict[str, Rule] = {}
    for entry in _DATA["patterns"]:
        rules |= dict.fromkeys(entry["names"], _pattern(entry["writes"]))
    for names, function in _FUNCTIONS.items():
        rules |= dict.fromkeys(names.split("|"), function)
    return rules


RULES: Final = _rules()
_VARIANTS: Final = ("s", "t", "c", "p", "w", "j", "hangul", "hanja", "rr", "kanji", "romaji", "l")


def _bracketed(arguments: Arguments, language: str) -> str:
    return f"({said})" if (said := _in_language(arguments, language)) else ""


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
        return _foreign_sounds if name.startswith("ipa") else _bracketed if name.startswith("لغة") else _in_language
    if found is None and _ORDINAL.fullmatch(name):
        return _counted(name)
    return found


def _counted(name: str) -> Rule:
    """A place in an order, and what is counted."""
    return lambda arguments, language: " ".join([name, *positional(arguments)[:1]])


def sign_of(name: str, written: str) -> str | None:
    """What a template without arguments writes; None if it is left out.  `written`: its name as the page has it."""
    if (found := _SIGNS.get(name)) is not None:
        return found
    return written if any(kind.fullmatch(name) for kind in (_CENTURY, _DAY, _ORDINAL)) else None


def country_of(written: str) -> str | None:
    """The code of a country if that is a template's name: `{{FRA}}` is its flag, and its name or code."""
    return written if written in COUNTRIES else None


def function(name: str, argument: str, language: str) -> str | None:
    """What a parser function writes: the changes of case, numbers; None for all others."""
    if name == "formatnum":
        return format_number(argument.partition("|")[0], language)
    if name in _CASES:
        return _CASES[name](argument.strip())
    return None
