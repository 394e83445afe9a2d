import codecs

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.extract.charset.declaration import prescan, standard_name
from corpusmill.extract.charset.encoding import REPLACED, to_utf8
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
    assert to_utf8(html(text).encode(python), label).text == html(text)


@legacy
def test_declared_in_the_page(text, python, label):
    for head in (
        f'<!-- <meta charset="utf-7"> --><meta charset="{label}">',
        f"<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset={label}'>",
    ):
        assert to_utf8(html(text, head).encode(python)).text == html(text, head)
    xml = f'<?xml version="1.0" encoding="{label}"?>' + html(text)
    assert to_utf8(xml.encode(python)).text == xml


@legacy
def test_not_declared(text, python, label):
    assert to_utf8(html(text).encode(python)).text == html(text)


@legacy
def test_wrongly_declared_as_utf8(text, python, label):
    page = html(text, '<meta charset="utf-8">')
    if python != "iso2022_jp":  # its bytes are valid UTF-8
        assert to_utf8(page.encode(python), "utf-8").text == page


@pytest.mark.parametrize("wrong", ["iso-8859-1", "gbk", "windows-1251", "shift_jis", "no-such-charset"])
def test_utf8_wrongly_declared(wrong):
    for text in (GERMAN, CHINESE, RUSSIAN):
        page = html(text, f'<meta charset="{wrong}">')
        assert to_utf8(page.encode(), wrong).text == page


def test_the_header_comes_before_the_page():
    page = html(RUSSIAN, '<meta charset="koi8-r">')
    assert to_utf8(page.encode("cp1251"), "windows-1251").text == page


def test_byte_order_marks_come_first():
    assert to_utf8(codecs.BOM_UTF8 + GREEK.encode(), "windows-1253").text == GREEK
    assert to_utf8(codecs.BOM_UTF16_LE + GREEK.encode("utf-16-le"), "utf-8").text == GREEK
    assert to_utf8(codecs.BOM_UTF16_BE + GREEK.encode("utf-16-be")).text == GREEK


def test_utf16_needs_a_header_or_a_mark():
    assert to_utf8(html(GREEK).encode("utf-16-le"), "utf-16").text == html(GREEK)
    page = html("plain", '<meta charset="utf-16">')
    assert to_utf8(page.encode()).text == page


def test_a_few_bad_bytes_become_replacement_characters():
    for declared in ("utf-8", None, "windows-1251"):
        data = html(RUSSIAN).encode().replace("свободными".encode(), b"\xff\xfe\xfa")
        found = to_utf8(data, declared)
        assert (found.encoding, found.n_replaced) == ("utf-8", 6)
        assert found.text.count(REPLACED) == 6
        assert "рождаются" in found.text


def test_a_page_cut_within_a_character():
    found = to_utf8(CHINESE.encode()[:-1])
    assert (found.text, found.encoding, found.n_replaced) == (CHINESE[:-1] + REPLACED, "utf-8", 1)
    found = to_utf8(CHINESE.encode("gbk")[:-1], "gbk")
    assert (found.text, found.encoding, found.n_replaced) == (CHINESE[:-1] + REPLACED, "gbk", 1)


@pytest.mark.parametrize("wrong", ["iso-8859-1", "windows-1251", "koi8-r", "gbk", "big5", "shift_jis", "euc-kr"])
def test_other_letters_than_declared(wrong):
    for text, python, label in LEGACY:
        if label.lower() not in (wrong, "gb2312", "iso-2022-jp") and text not in (GERMAN, POLISH):
            assert to_utf8(html(text).encode(python), wrong).text == html(text)


def test_of_two_declarations_the_one_that_fits_is_believed():
    page = html(GERMAN, '<meta charset="windows-1252">')
    assert to_utf8(page.encode("cp1252"), "windows-1251").text == page
    page = html("Привет", '<meta charset="koi8-r">')
    assert to_utf8(page.encode("koi8-r"), "windows-1251").text == page


def test_among_latin_letters_a_sole_declaration_stands():
    page = html(POLISH, '<meta charset="iso-8859-2">')
    assert to_utf8(page.encode("iso8859-2"), "iso-8859-1").text == page  # it is not sole
    assert "¹" in to_utf8(html(POLISH).encode("cp1250"), "iso-8859-1").text


def test_what_browsers_refuse():
    with pytest.raises(UndecodableError, match="browsers refuse"):
        to_utf8(b"~{VPND~}", "hz-gb-2312")
    assert to_utf8(CHINESE.encode(), "hz-gb-2312").text == CHINESE


def test_characters_that_only_browsers_know():
    assert to_utf8(JAPANESE.encode("euc-jp") + b"\xad\xa1\xad\xea\xf9\xa1", "euc-jp").text == JAPANESE + "①㈱纊"
    assert to_utf8(b"\x1b$B\x24\x22\x2d\x21\x24\x22\x1b(B", "iso-2022-jp").text == "あ①あ"
    assert to_utf8(CHINESE.encode("gbk") + b"\x80", "gbk").text == CHINESE + "€"
    assert to_utf8(GERMAN.encode("cp1252") + b"\x81", "windows-1252").text == GERMAN + "\x81"


def test_utf8_goes_on_as_the_bytes_it_came_as():
    data = html(RUSSIAN).encode()
    assert to_utf8(data).data is data
    assert to_utf8(data).encoding == "utf-8"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('<meta charset="koi8-r">', "koi8-r"),
        ("<meta/charset=koi8-r>", "koi8-r"),
        ("<META\nCharSet = 'KOI8-R' >", "koi8-r"),
        ("<meta charset=koi8-r", None),  # cut off
        ("<meta charset='koi8-r", None),
        ("<metacharset=koi8-r>", None),
        ("<meta content='text/html; charset=koi8-r'>", None),  # needs http-equiv
        ("<meta content='text/html; charset=koi8-r' http-equiv=content-type>", "koi8-r"),
        ("<meta http-equiv=refresh content='text/html; charset=koi8-r'>", None),
        ("<meta http-equiv=Content-Type content='charset; charset = \"koi8-r\"'>", "koi8-r"),
        ("<meta http-equiv=Content-Type content='text/html; charset=koi8-r; x'>", "koi8-r"),
        ("<meta http-equiv=Content-Type content='text/html; charset=\"koi8-r'>", None),
        ("<meta charset=x-unheard-of><meta charset=koi8-r>", "koi8-r"),
        ("<meta charset=koi8-r charset=big5>", "koi8-r"),
        ("<!-- <meta charset=big5> --><meta charset=koi8-r>", "koi8-r"),
        ("<!--><meta charset=koi8-r>-->", "koi8-r"),  # the comment ends at once
        ("<!-- <meta charset=koi8-r>", None),
        ("<a title='<meta charset=big5>'><meta charset=koi8-r>", "koi8-r"),
        ("<!doctype x><?y <meta charset=big5>?></ ><meta charset=koi8-r>", "koi8-r"),
        ("<p a=b/><meta x = y charset=koi8-r>", "koi8-r"),
        ("<meta charset=utf-16>", "utf-8"),
        ("<meta charset=x-user-defined>", "windows-1252"),
        ("<?xml version='1.0' encoding='koi8-r'?>", "koi8-r"),
        ("<?xml version='1.0' encoding='big5'?><meta charset=koi8-r>", "koi8-r"),
        (" <?xml version='1.0' encoding='koi8-r'?>", None),
        ("<?xml version='1.0' encoding='utf-16le'?>", "utf-8"),
    ],
)
def test_declarations(head, name):
    assert prescan(head.encode()) == name


@given(st.binary(max_size=300), st.text("<!->/ metacharsetkoi8-r=\"'", max_size=300))
def test_any_declaration(data, text):
    prescan(data)
    prescan(text.encode())


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 4,
        b"%PDF-1.4\n" + bytes(range(256)) * 4,
        np.linspace(0, 999, 1000).astype("<u2").tobytes(),
        b"\0" * 100,
    ],
)
def test_what_is_no_text(data):
    with pytest.raises(UndecodableError):
        to_utf8(data, "utf-8")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("declared", [None, "utf-8", "utf-16"])
def test_wide_characters(encoding, declared):
    page = html(GREEK)
    found = to_utf8(page.encode(encoding), declared)
    assert (found.text, found.encoding) == (page, encoding.replace("16-", "16").replace("32", "32le"))


@pytest.mark.parametrize(
    ("mark", "encoding"), [(b"\xef\xbb\xbf", "iso8859-7"), (b"\xff\xfe", "utf-8"), (b"\xfe\xff", "utf-8")]
)
def test_a_mark_that_is_wrong(mark, encoding):
    assert to_utf8(mark + html(GREEK).encode(encoding)).text == html(GREEK)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("damage", [b"\x81", b"\xff", b"\x80\xff"])
@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gbk", "中华人民共和国的首都是北京，这座城市有三千多年的历史。人们可以看到古老的宫殿和现代的高楼。"),
        ("big5", "中華民國的首都是台北，這座城市有許多古老的廟宇和現代的高樓。人們喜歡在夜市裡吃東西。"),
        ("shift_jis", "古い水車小屋は灰色の石で造られ、その車輪は夏の間ずっとゆっくり回っていた。"),
        ("euc-jp", "古い水車小屋は灰色の石で造られ、その車輪は夏の間ずっとゆっくり回っていた。"),
        ("euc-kr", "오래된 물레방아는 회색 돌로 지어졌고, 그 바퀴는 여름 내내 천천히 돌았다."),
    ],
)
def test_a_damaged_character_leaves_the_others(encoding, text, damage, declared):
    meta = f'<meta charset="{encoding}">' if declared else ""
    page = (f"{meta}<h1>x</h1>" + f"<p>{text}</p>\n" * 6).encode(encoding).replace(b"</h1>", damage + b"</h1>")
    assert to_utf8(page).text.count(text) == 6


def test_labels_of_the_encoding_standard():
    assert standard_name(" Latin1 ") == "windows-1252"
    assert standard_name('"GB2312"') == "gbk"
    assert standard_name("ks_c_5601-1987") == "euc-kr"
    assert standard_name("x-unheard-of") is None
    assert standard_name(None) is None


@given(st.binary(max_size=500), st.sampled_from([None, "utf-8", "gbk", "shift_jis", "iso-2022-jp", "utf-16", "x"]))
def test_any_bytes(data, label):
    try:
        found = to_utf8(data, label)
    except UndecodableError:
        return
    assert found.text.count(REPLACED) >= found.n_replaced


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), min_size=1))
def test_any_text_in_utf8(text):
    assert to_utf8(text.encode(), "utf-8").text == text


def in_cesu_8(text: str) -> bytes:
    """As Java and old databases write it: each half of a pair of surrogates by itself."""
    units = text.encode("utf-16-be")
    return b"".join(
        chr(int.from_bytes(units[i : i + 2], "big")).encode("utf-8", "surrogatepass") for i in range(0, len(units), 2)
    )


@pytest.mark.parametrize("page", ["It’s the boat 😀 of the inlet. ", "𠀋 is a character. ", "Zeile mit 😀"])
def test_surrogates_in_utf8_are_the_characters_that_they_stand_for(page):
    for text in (page, page * 20):
        for declared in ("utf-8", None) if len(text) > 100 else ("utf-8",):
            read = to_utf8(in_cesu_8(text), declared)
            assert (read.encoding, read.text) == ("utf-8", text)


def test_damage_beside_surrogates_is_only_itself():
    read = to_utf8(in_cesu_8("It’s 😀 ’’ " * 20) + b"\xff\xfe " + b"\xed\xa0\xbd!", "utf-8")
    assert (read.encoding, read.text.count("😀")) == ("utf-8", 20)
    assert read.text.count(REPLACED) <= 3
