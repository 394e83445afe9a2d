"""Codes of languages: those that lid.176 tells apart, and what other models' labels are in them.

A light module: recipes are checked against it.
"""

import re
from collections.abc import Sequence

from corpusmill.errors import InputError
from corpusmill.names import did_you_mean

# fmt: off
LANGUAGES = (
    "af", "als", "am", "an", "ar", "arz", "as", "ast", "av", "az", "azb", "ba", "bar", "bcl", "be", "bg", "bh",
    "bn", "bo", "bpy", "br", "bs", "bxr", "ca", "cbk", "ce", "ceb", "ckb", "co", "cs", "cv", "cy", "da", "de",
    "diq", "dsb", "dty", "dv", "el", "eml", "en", "eo", "es", "et", "eu", "fa", "fi", "fr", "frr", "fy", "ga", "gd",
    "gl", "gn", "gom", "gu", "gv", "he", "hi", "hif", "hr", "hsb", "ht", "hu", "hy", "ia", "id", "ie", "ilo", "io",
    "is", "it", "ja", "jbo", "jv", "ka", "kk", "km", "kn", "ko", "krc", "ku", "kv", "kw", "ky", "la", "lb", "lez",
    "li", "lmo", "lo", "lrc", "lt", "lv", "mai", "mg", "mhr", "min", "mk", "ml", "mn", "mr", "mrj", "ms", "mt",
    "mwl", "my", "myv", "mzn", "nah", "nap", "nds", "ne", "new", "nl", "nn", "no", "oc", "or", "os", "pa", "pam",
    "pfl", "pl", "pms", "pnb", "ps", "pt", "qu", "rm", "ro", "ru", "rue", "sa", "sah", "sc", "scn", "sco", "sd",
    "sh", "si", "sk", "sl", "so", "sq", "sr", "su", "sv", "sw", "ta", "te", "tg", "th", "tk", "tl", "tr", "tt",
    "tyv", "ug", "uk", "ur", "uz", "vec", "vep", "vi", "vls", "vo", "wa", "war", "wuu", "xal", "xmf", "yi", "yo",
    "yue", "zh",
)

_SHORT = {  # ISO 639-3 -> the code that lid.176 has for the language, or for its macrolanguage
    "afr": "af", "gsw": "als", "amh": "am", "arg": "an", "ara": "ar", "arb": "ar", "asm": "as", "ava": "av",
    "aze": "az", "azj": "az", "bak": "ba", "bel": "be", "bul": "bg", "bih": "bh", "bho": "bh", "ben": "bn", "bod": "bo",
    "bre": "br",
    "bos": "bs", "cat": "ca", "che": "ce", "cos": "co", "ces": "cs", "chv": "cv", "cym": "cy", "dan": "da", "deu": "de",
    "div": "dv", "ell": "el", "eng": "en", "epo": "eo", "spa": "es", "est": "et", "ekk": "et", "eus": "eu", "fas": "fa",
    "pes": "fa", "prs": "fa", "fin": "fi", "fra": "fr", "fry": "fy", "gle": "ga", "gla": "gd", "glg": "gl", "grn": "gn",
    "gug": "gn", "guj": "gu", "glv": "gv", "heb": "he", "hin": "hi", "hrv": "hr", "hat": "ht", "hun": "hu", "hye": "hy",
    "ina": "ia", "ind": "id", "ile": "ie", "ido": "io", "isl": "is", "ita": "it", "jpn": "ja", "jav": "jv", "kat": "ka",
    "kaz": "kk", "khm": "km", "kan": "kn", "kor": "ko", "kur": "ku", "kmr": "ku", "kom": "kv", "kpv": "kv", "cor": "kw",
    "kir": "ky", "lat": "la", "ltz": "lb", "lim": "li", "lao": "lo", "lit": "lt", "lav": "lv", "lvs": "lv", "mlg": "mg",
    "plt": "mg", "mkd": "mk", "mal": "ml", "mon": "mn", "khk": "mn", "mar": "mr", "msa": "ms", "zsm": "ms", "mlt": "mt",
    "mya": "my", "nep": "ne", "npi": "ne", "nld": "nl", "nno": "nn", "nor": "no", "nob": "no", "oci": "oc", "ori": "or",
    "ory": "or", "oss": "os", "pan": "pa", "pol": "pl", "pus": "ps", "pbt": "ps", "por": "pt", "que": "qu", "quy": "qu",
    "roh": "rm", "ron": "ro", "rus": "ru", "san": "sa", "srd": "sc", "snd": "sd", "hbs": "sh", "sin": "si", "slk": "sk",
    "slv": "sl", "som": "so", "sqi": "sq", "als": "sq", "srp": "sr", "sun": "su", "swe": "sv", "swa": "sw", "swh": "sw",
    "tam": "ta", "tel": "te", "tgk": "tg", "tha": "th", "tuk": "tk", "tgl": "tl", "fil": "tl", "tur": "tr", "tat": "tt",
    "uig": "ug", "ukr": "uk", "urd": "ur", "uzb": "uz", "uzn": "uz", "vie": "vi", "vol": "vo", "wln": "wa", "yid": "yi",
    "ydd": "yi", "yor": "yo", "zho": "zh", "cmn": "zh",
}

_WRITTEN = {  # in which script the languages of lid.176 are written that are not in Latin letters only (CLDR)
    "Arab": "ar arz az azb ckb fa kk ku ky lrc ms mzn pa pnb ps sd tg tk tr ug ur uz",
    "Armn": "hy",
    "Beng": "as bn bpy",
    "Cyrl": "av az ba be bg bs bxr ce cv kk krc ku kv ky lez mhr mk mn mrj myv os ro ru rue sah sh sr tg tk tt tyv uk "
            "uz xal",
    "Deva": "bh dty gom hi mai mr ne new sa sd",
    "Ethi": "am",
    "Geor": "ka lez xmf",
    "Grek": "el",
    "Gujr": "gu",
    "Guru": "pa",
    "Hang": "ko",
    "Hani": "ja ko wuu yue zh",
    "Hebr": "he yi",
    "Hira": "ja",
    "Kana": "ja",
    "Khmr": "km",
    "Knda": "gom kn",
    "Laoo": "lo",
    "Mlym": "ml",
    "Mong": "mn",
    "Mymr": "my",
    "Orya": "or",
    "Sinh": "si",
    "Taml": "ta",
    "Telu": "te",
    "Thaa": "dv",
    "Thai": "th",
    "Tibt": "bo",
}
_ALSO_LATIN = ("az", "bs", "gom", "ku", "ms", "ro", "sh", "sr", "tg", "tk", "tr", "tt", "ug", "uz", "xal")

_PARTS = {  # scripts of ISO 15924 that are several of Unicode's, or one
    "Jpan": ("Hira", "Kana", "Hani"), "Hrkt": ("Hira", "Kana"), "Kore": ("Hang", "Hani"), "Hang": ("Hang", "Hani"),
    "Hans": ("Hani", "Bopo"), "Hant": ("Hani", "Bopo"), "Hani": ("Hani", "Bopo"), "Aran": ("Arab",), "Cyrs": ("Cyrl",),
    "Latf": ("Latn",), "Latg": ("Latn",), "Geok": ("Geor",), "Syre": ("Syrc",), "Syrj": ("Syrc",), "Syrn": ("Syrc",),
}
# fmt: on

_SCRIPT = re.compile(r"[_-]([A-Z][a-z]{3})(?![a-z])")


def check_codes(codes: Sequence[str], labels: Sequence[str], where: str = "filters.languages") -> None:
    """InputError unless all codes, which the recipe has at `where`, are labels of the model."""
    for code in codes:
        if code not in labels:
            same = [label for label in labels if re.split("[_-]", label)[0] == code]
            hint = did_you_mean(same[0] if same else code, labels)
            raise InputError(f"recipe: {where}: unknown code '{code}'; {hint}allowed: {', '.join(sorted(labels))}")


def codes_of(labels: Sequence[str]) -> list[str]:
    """The language of each label of a model, by a code of lid.176 if it has one: `eng_Latn` -> `en`.

    What is no code stays as it is.  The labels of lid.176 itself are its codes: its `als` is Alemannic, while the `als`
    of ISO 639-3 is Albanian.
    """
    if set(labels) <= set(LANGUAGES):
        return list(labels)
    stems = [re.split("[_-]", label)[0].lower() for label in labels]
    return [_SHORT.get(stem, stem) for stem in stems]


def scripts_of(labels: Sequence[str]) -> list[tuple[str, ...]]:
    """The scripts, by ISO 15924, that each label's language is written in: the one that it names, else those known.

    Empty where nothing is known.
    """
    by_code = {code: tuple(name for name, codes in _WRITTEN.items() if code in codes.split()) for code in LANGUAGES}
    found: list[tuple[str, ...]] = []
    for label, code in zip(labels, codes_of(labels), strict=True):
        if named := _SCRIPT.search(label):
            found.append(_PARTS.get(named[1], (named[1],)))
        elif code in by_code:
            scripts = by_code[code]
            found.append((*scripts, "Latn") if not scripts or code in _ALSO_LATIN else scripts)
        else:
            found.append(())
    return found
