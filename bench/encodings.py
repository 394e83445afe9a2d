"""How often detectors of encodings are right, on the Universal Declaration of Human Rights in legacy encodings.

    python bench/encodings.py udhr2.zip          the declaration in UTF-8, one file per language

Every language is written in the legacy encodings that its pages used.  The text is cut to 200, 1,000 or 8,000
characters, and put into an HTML page.  An answer is right if it decodes to the same text.  Corpusmill has four rows:

    undeclared                  nothing is declared
    declared rightly            the page declares the right encoding
    wrong header                the header names an encoding of other letters
    wrong header, right page    the header does this, but the page declares the right one

The peers (`pip install chardet charset-normalizer`) get the same pages, with nothing declared.  uchardet is the copy in
resiliparse.
"""

import codecs
import sys
import time
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import chardet
import charset_normalizer
import webencodings
from resiliparse.parse.encoding import detect_encoding

from corpusmill.extract.charset.encoding import alike, detect, to_utf8
from corpusmill.page import UndecodableError

LENGTHS = (200, 1000, 8000)
WRITTEN_IN = {
    "windows-1252": "fra deu_1901 spa por_PT por_BR ita nld swe dan nob nno fin isl cat eus glg fao gle ltz afr est "
    "als bre cos roh ast",
    "iso-8859-15": "fra fin",
    "windows-1250": "pol ces slk slv hrv hun ron ron_1953 ron_1993 bos_latn srp_latn als",
    "iso-8859-2": "pol ces slk slv hrv hun bos_latn srp_latn",
    "windows-1251": "rus bul ukr bel srp_cyrl mkd bos_cyrl",
    "iso-8859-5": "rus bul bel srp_cyrl mkd",
    "koi8-r": "rus",
    "koi8-u": "ukr",
    "ibm866": "rus",
    "windows-1253": "ell_monotonic",
    "iso-8859-7": "ell_monotonic",
    "windows-1254": "tur",
    "windows-1255": "heb ydd",
    "iso-8859-8": "heb",
    "windows-1256": "arb pes_1 urd",
    "iso-8859-6": "arb",
    "windows-1257": "lit lav est",
    "iso-8859-13": "lit lav est",
    "iso-8859-4": "lit lav est",
    "windows-1258": "vie",
    "windows-874": "tha",
    "gbk": "cmn_hans",
    "big5": "cmn_hant",
    "shift_jis": "jpn",
    "euc-jp": "jpn",
    "iso-2022-jp": "jpn",
    "euc-kr": "kor",
}
WRONG = ("utf-8", "windows-1252", "windows-1251", "koi8-r", "windows-1253", "gbk", "big5", "shift_jis", "euc-kr")
PLAIN = str.maketrans(
    {"’": "'", "‘": "'", "“": '"', "”": '"', "„": '"', "–": "-", "—": "-", "…": "...", "ș": "ş", "ț": "ţ"}
)
PAGE = """<!DOCTYPE html><html><head>{}<title>UDHR</title><style>body {{ font-family: Arial; margin: 0 auto }}</style>
<script>window.dataLayer = window.dataLayer || []; function gtag() {{ dataLayer.push(arguments) }}</script></head>
<body><div id="nav"><a href="/">Home</a> | <a href="/login">Login</a></div>{}<p>Copyright 2009</p></body></html>"""


class Case(NamedTuple):
    """A page in a legacy encoding, with a declaration and without."""

    language: str
    encoding: str
    undeclared: bytes
    declared: bytes


def cases(archive: Path, length: int) -> Iterator[Case]:
    """Three pieces of each text; one piece for the largest length."""
    with zipfile.ZipFile(archive) as file:
        texts = {Path(name).stem: file.read(name).decode("utf-8-sig") for name in file.namelist() if name[-1] != "/"}
    for encoding, languages in WRITTEN_IN.items():
        for language in languages.split():
            text = representable(texts[language], encoding)
            for start in (0,) if length == max(LENGTHS) else (0, len(text) // 3, 2 * len(text) // 3):
                paragraphs = "".join(f"<p>{line}</p>\n" for line in text[start : start + length].splitlines())
                pages = [PAGE.format(head, paragraphs) for head in ("", f'<meta charset="{encoding}">')]
                case = Case(language, encoding, *(webencodings.encode(page, encoding) for page in pages))
                if not case.undeclared.isascii() or encoding == "iso-2022-jp":
                    yield case


def representable(text: str, encoding: str) -> str:
    """The text as people wrote it in that encoding: plain quotes, separate tones in Vietnamese, no other characters."""
    codec = webencodings.lookup(encoding).codec_info
    pieces = []
    for character in unicodedata.normalize("NFC", text):
        tones = "".join(
            mark for mark in unicodedata.normalize("NFD", character) if mark in "\u0300\u0301\u0303\u0309\u0323"
        )
        letter = unicodedata.normalize(
            "NFC", "".join(c for c in unicodedata.normalize("NFD", character) if c not in tones)
        )
        for spelling in (character, character.translate(PLAIN), letter + tones):
            if len(codec.decode(codec.encode(spelling, "ignore")[0], "replace")[0]) == len(spelling):
                pieces.append(spelling)
                break
    return "".join(pieces)


def read(data: bytes, declared: str | None = None) -> str:
    """The text of a page, decoded by corpusmill."""
    try:
        return to_utf8(data, declared).text
    except UndecodableError:
        return ""


def read_as(detector: Callable[[bytes], str | None]) -> Callable[[Case], float]:
    """Whether a detector's answer decodes to the right text.  Labels have the meaning that browsers give them."""

    def right(case: Case) -> float:
        name = detector(case.undeclared) or "windows-1252"
        encoding = webencodings.lookup(name.replace("_", "-"))
        codec = encoding.codec_info if encoding else codecs.lookup(name)
        return bool(codec.decode(case.undeclared, "replace")[0] == truth(case.undeclared, case))

    return right


def truth(data: bytes, case: Case) -> str:
    """The right text of one of a case's pages."""
    return webencodings.decode(data, case.encoding)[0]


def share_of_wrong(page: Callable[[Case], bytes]) -> Callable[[Case], float]:
    """The share of wrong headers with which a page is still decoded correctly."""

    def right(case: Case) -> float:
        names = [name for name in WRONG if not alike(name, case.encoding)]
        return sum(read(page(case), name) == truth(page(case), case) for name in names) / len(names)

    return right


ROWS: dict[str, Callable[[Case], float]] = {
    "corpusmill, undeclared": lambda case: read(case.undeclared) == truth(case.undeclared, case),
    "corpusmill, declared rightly": lambda case: read(case.declared) == truth(case.declared, case),
    "corpusmill, wrong header": share_of_wrong(lambda case: case.undeclared),
    "corpusmill, wrong header, right page": share_of_wrong(lambda case: case.declared),
    "chardetng": read_as(detect),
    "uchardet": read_as(lambda data: detect_encoding(data, 1 << 16, html5_compatible=False)),
    "chardet": read_as(lambda data: chardet.detect(data, prefer_superset=True)["encoding"]),
    "charset_normalizer": read_as(lambda data: getattr(charset_normalizer.from_bytes(data).best(), "encoding", None)),
}


def main() -> None:
    """Print one table: the rows above, a column per length, and milliseconds per page of the largest length."""
    tables = {length: list(cases(Path(sys.argv[1]), length)) for length in LENGTHS}
    print("| right of | " + " | ".join(f"{len(found)} x {length:,}" for length, found in tables.items()) + " | ms |")
    print("|---|" + "---:|" * (len(LENGTHS) + 1))
    for name, right in ROWS.items():
        shares, seconds = [], 0.0
        for found in tables.values():
            started = time.process_time()
            shares.append(sum(map(right, found)) / len(found))
            seconds = (time.process_time() - started) / len(found)
        print(
            f"| {name} | " + " | ".join(f"{share:.3f}" for share in shares) + f" | {1000 * seconds:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
