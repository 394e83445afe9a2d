import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.extract.charset.mojibake import mojibake

# Article 1 of the Universal Declaration of Human Rights (public domain), typeset as languages do
CLEAN = [
    "Tous les êtres humains naissent libres et égaux. «\u00a0L’égalité\u00a0», dit-il… À\u00a0PARIS, CAFÉ\u00a0»",
    "Todos os seres humanos nascem livres. «IRMÃ» e NAÇÕES — MANHÃ” 25°C, à ação.",
    "Alle Menschen sind frei und gleich an Würde. „MENÜ“ – „Über“, Ä… Ö… Straße",
    "Tất cả mọi người sinh ra đều được tự do và bình đẳng về nhân phẩm và quyền. «CÓ» HÀ NỘI… “VÂNG”",
    "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι. «ΝΑΙ»…",
    "Все люди рождаются свободными. Сёстры, «Рёв»; тип»\u00a0— С…С…Сергей, группа «В», 5 кВт·ч, мРНК, О…",
    "Вони наділені розумом. Рівне; «Її»… СЇ",
    "Wszyscy ludzie rodzą się wolni. „ŁÓDŹ” – Ż… Ś»",
    "Toate ființele umane se nasc libere. „România” – “Â” CÂ… ÎN",
    "Сва људска бића рађају се слободна. СЉЕ „Љ“…",
    "人人生而自由,在尊严和权利上一律平等。占有、涓涓",
    "すべての人間は、生れながらにして自由であり、①",
    "모든 인간은 태어날 때부터 자유로우며 占有 쏙",
    "مَا جَعَلَهُ يُولَد جَمِيعُ النَّاسِ أَحْرَارًا",
    "It’s “free” — 5 £… © 2026 naïve café ☺ 😀",
]


def misread(text, page, right="utf-8"):
    """Bytes of one encoding, read as another; bytes without a character are controls."""
    single = (bytes([byte]) for byte in text.encode(right))
    return "".join(byte.decode(page, "ignore") or chr(byte[0]) for byte in single)


def beyond_ascii(text):
    return sum(not character.isascii() for character in text)


@pytest.mark.parametrize("text", CLEAN)
def test_clean_text_has_none(text):
    assert mojibake(text.encode()) == 0


@pytest.mark.parametrize("page", ["cp1252", "latin1", "cp1250", "cp1251"])
@pytest.mark.parametrize("text", [text for text in CLEAN if "CAFÉ" not in text])
def test_utf8_read_as_something_else(text, page):
    found = mojibake(misread(text, page).encode())
    assert 0.3 * beyond_ascii(text) <= found <= beyond_ascii(text)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("CafÃ© and dÃ©jÃ\u00a0 vu", 3),
        ("donâ€™t â€œsayâ€\x9d â€¦", 4),
        ("Â© 2020 Â£5 10\u00a0Â°C", 3),
        ("ï»¿x ï¿½ ðŸ˜€", 3),
        ("\ufffd?\ufffd", 2),
        ("", 0),
        ("Ã", 0),
        ("Ã©", 0),  # a letter alone may be anything
        ("aâ€", 0),
    ],
)
def test_examples(text, count):
    assert mojibake(text.encode()) == count


@pytest.mark.parametrize(("right", "wrong"), [("koi8-r", "cp1251"), ("cp1251", "koi8-r")])
def test_cyrillic_in_another_encoding(right, wrong):
    assert mojibake(misread("Привет, Москва! Россия, страна.", wrong, right).encode()) == 3


def test_utf8_read_as_east_asian_encodings():
    assert mojibake("锟斤拷锟斤拷".encode()) == 2
    assert mojibake("占쏙옙占쏙옙".encode()) == 2
    assert mojibake("自由，平等。".encode().decode("gbk", "ignore").encode()) == 1
    assert mojibake("すべて".encode().decode("cp932", "ignore").encode()) == 2
    assert mojibake("it鈥檚".encode()) == 1


@given(st.text())
def test_any_text(text):
    data = text.encode()
    assert data.count(b"\xef\xbf\xbd") <= mojibake(data) <= len(text)


@given(st.text("ÃÂâ€™©Ð¿РїСЂ…éa縺 \ufffd", max_size=30))
def test_any_mixture(text):
    assert 0 <= mojibake(text.encode()) <= len(text)
