import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.extract.encoding import codec, decode
from corpusmill.page import UndecodableError

# Article 1 and 2 of the Universal Declaration of Human Rights (public domain), shortened
CHINESE = "人人生而自由,在尊严和权利上一律平等。他们赋有理性和良心,并应以兄弟关系的精神相对待。"
TAIWAN = "人人生而自由,在尊嚴和權利上一律平等。他們賦有理性和良心,並應以兄弟關係的精神相對待。"
JAPANESE = "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。"
KOREAN = (
    "모든 인간은 태어날 때부터 자유로우며 그 존엄과 권리에 있어 동등하다. 인간은 천부적으로 이성과 양심을 부여받았다."
)
RUSSIAN = "Все люди рождаются свободными и равными в своем достоинстве и правах. Они наделены разумом и совестью."
GREEK = "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα."
POLISH = "Wszyscy ludzie rodzą się wolni i równi pod względem swej godności i swych praw. Są oni obdarzeni rozumem."
GERMAN = "Alle Menschen sind frei und gleich an Würde und Rechten geboren. Sie sind mit Vernunft begabt – „schön“."
THAI = "มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกียรติศักดิ์และสิทธิ ต่างมีเหตุผลและมโนธรรม"
LEGACY = [
    (CHINESE, "gb18030", "gb2312"), (TAIWAN, "big5", "Big5"), (JAPANESE, "cp932", "Shift_JIS"),
    (JAPANESE, "euc_jp", "EUC-JP"), (JAPANESE, "iso2022_jp", "iso-2022-jp"), (KOREAN, "cp949", "euc-kr"),
    (RUSSIAN, "cp1251", "windows-1251"), (RUSSIAN, "koi8-r", "KOI8-R"), (GREEK, "cp1253", "windows-1253"),
    (POLISH, "iso8859-2", "ISO-8859-2"), (GERMAN, "cp1252", "iso-8859-1"), (THAI, "cp874", "tis-620"),
]  # fmt: skip
legacy = pytest.mark.parametrize(("text", "python", "label"), LEGACY, ids=[label for _, _, label in LEGACY])


def html(text: str, head: str = "") -> str:
    return f"<html><head>{head}<title>x</title></head><body><p>{text}</p><p>{text}</p></body></html>"


@legacy
def test_declared_in_the_header(text, python, label):
    assert decode(html(text).encode(python), label).text == html(text)


@legacy
def test_declared_in_the_page(text, python, label):
    for head in (
        f'<!-- <meta charset="utf-7"> --><meta charset="{label}">',
        f"<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset={label}'>",
    ):
        assert decode(html(text, head).encode(python)).text == html(text, head)
    xml = f'<?xml version="1.0" encoding="{label}"?>' + html(text)
    assert decode(xml.encode(python)).text == xml


@legacy
def test_not_declared(text, python, label):
    assert decode(html(text).encode(python)).text == html(text)


@legacy
def test_wrongly_declared_as_utf8(text, python, label):
    page = html(text, '<meta charset="utf-8">')
    if python != "iso2022_jp":  # its bytes are valid UTF-8
        assert decode(page.encode(python), "utf-8").text == page


@pytest.mark.parametrize("wrong", ["iso-8859-1", "gbk", "windows-1251", "shift_jis", "no-such-charset"])
def test_utf8_wrongly_declared(wrong):
    for text in (GERMAN, CHINESE, RUSSIAN):
        page = html(text, f'<meta charset="{wrong}">')
        assert decode(page.encode(), wrong).text == page


def test_the_header_comes_before_the_page():
    page = html(RUSSIAN, '<meta charset="koi8-r">')
    assert decode(page.encode("cp1251"), "windows-1251").text == page


def test_byte_order_marks_come_first():
    assert decode(codecs.BOM_UTF8 + GREEK.encode(), "windows-1253").text == GREEK
    assert decode(codecs.BOM_UTF16_LE + GREEK.encode("utf-16-le"), "utf-8").text == GREEK
    assert decode(codecs.BOM_UTF16_BE + GREEK.encode("utf-16-be")).text == GREEK


def test_utf16_needs_a_header_or_a_mark():
    assert decode(html(GREEK).encode("utf-16-le"), "utf-16").text == html(GREEK)
    page = html("plain", '<meta charset="utf-16">')
    assert decode(page.encode()).text == page


def test_a_few_bad_bytes_become_replacement_characters():
    data = html(RUSSIAN).encode().replace("свободными".encode(), b"\xff\xfe\xfa")
    decoded = decode(data, "utf-8")
    assert decoded.encoding == "utf-8"
    assert decoded.text.count("\ufffd") == 6
    assert "рождаются" in decoded.text


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4,
        b"%PDF-1.4\n" + bytes(range(256)) * 4,
        html(GREEK).encode("utf-16-le"),
        b"\0" * 100,
    ],
)
def test_what_is_no_text(data):
    with pytest.raises(UndecodableError):
        decode(data, "utf-8")


def test_labels_of_the_encoding_standard():
    assert codec(" Latin1 ") == "cp1252"
    assert codec('"GB2312"') == "gb18030"
    assert codec("ks_c_5601-1987") == "cp949"
    assert codec("x-unheard-of") is None
    assert codec(None) is None


@given(st.binary(max_size=500), st.sampled_from([None, "utf-8", "gbk", "shift_jis", "iso-2022-jp", "utf-16", "x"]))
def test_any_bytes(data, label):
    try:
        decoded = decode(data, label)
    except UndecodableError:
        return
    assert decoded.text.encode("utf-8", "surrogatepass").decode("utf-8", "replace") == decoded.text


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), min_size=1))
def test_any_text_in_utf8(text):
    assert decode(text.encode(), "utf-8").text == text
