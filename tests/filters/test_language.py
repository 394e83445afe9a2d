"""Language identification: the right codes, on short, long, broken and absent text; scripts; models of the user's."""

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.filters.codes import LANGUAGES, check_codes, codes_of, scripts_of
from corpusmill.filters.language import default_model, identify, model_at
from corpusmill.filters.register import LANGUAGE_COLUMNS
from corpusmill.filters.samples import SAMPLE_BYTES, sample_of, samples_of
from corpusmill.filters.stop_words import STOP_WORDS
from corpusmill.filters.traits import SCRIPTS

from .texts import ARTICLE_1, UDHR

SIMPLIFIED = "你们的语言是汉语，这里说简体中文吗？"
TRADITIONAL = "你們的語言是漢語，這裡說繁體中文嗎？"


def columns(texts, **options):
    return identify(pa.array(texts, pa.large_string()), **options).to_pydict()


def languages(texts):
    return columns(texts)["language"]


def samples(texts):
    column = Utf8Column.of(pa.array(texts, pa.large_string()))
    data, starts, ends = samples_of(column.data, column.offsets[:-1], column.offsets[1:])
    return [data[start:end].tobytes().decode() for start, end in zip(starts, ends, strict=True)]


def test_codes_are_the_model_s():
    assert tuple(sorted(default_model().labels)) == LANGUAGES
    assert default_model().codes == default_model().labels
    assert set(STOP_WORDS) <= set(LANGUAGES)


def test_columns_are_those_of_the_register():
    for texts in ([], ["a"], [None]):
        assert identify(pa.array(texts, pa.string())).schema == pa.schema([(c.name, c.type) for c in LANGUAGE_COLUMNS])


def test_languages_of_one_article():
    found = columns(ARTICLE_1.values())
    wrong = [code for code, language in zip(ARTICLE_1, found["language"], strict=True) if language != code]
    assert wrong == ["gl", "sk", "sw"]  # a sentence or two in a language that has a close relative
    assert all(0 < score <= 1 for score in found["language_score"])


def test_the_three_best_languages_come_with_scores():
    found = columns([*ARTICLE_1.values(), ""])
    for language, score, best in zip(found["language"], found["language_score"], found["languages"], strict=True):
        if language is None:
            assert best is None
            continue
        assert best[0] == {"label": language, "score": score}
        assert 1 <= len(best) <= 3
        scores = [each["score"] for each in best]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores) < 1.001
    assert {"gl", "pt"} <= {each["label"] for each in found["languages"][list(ARTICLE_1).index("gl")]}


def test_text_without_letters_has_no_language():
    found = columns([None, "", " \n\t", "12:30 … 🙂", "a"], by_paragraph=True)
    for column in LANGUAGE_COLUMNS:
        assert found[column.name][:4] == [None] * 4, column.name
        assert found[column.name][4] is not None, column.name
    assert identify(pa.array([], pa.large_string())).num_rows == 0


def test_newlines_and_chunks_change_nothing():
    text = ARTICLE_1["fr"]
    chunked = pa.chunked_array([pa.array([text]), pa.array([text.replace(" ", "\n"), text.replace(" ", " \r\n\0")])])
    found = identify(chunked).to_pydict()
    assert found["language"] == ["fr"] * 3
    assert len(set(found["language_score"])) == 1


@pytest.mark.parametrize("code", ["en", "zh", "ru", "th"])
def test_a_long_text_is_judged_by_pieces_from_all_over(code):
    cookies = "We use cookies to improve your experience. " * 20
    assert languages([cookies + "\n".join([ARTICLE_1[code]] * 200)]) == [code]


LETTERS = "aé中🙂 \n\0Àǅİ\u0301\u0323한\u1100\u1161\u11a8ก"
TEXTS = st.text(max_size=60) | st.text(st.sampled_from(LETTERS), max_size=1500)


@settings(max_examples=300, deadline=None)
@given(st.lists(TEXTS | TEXTS.map(lambda text: text * 60), max_size=5))
def test_the_kernel_s_samples_are_those_of_plain_python(texts):
    assert samples(texts) == [sample_of(memoryview(text.encode("utf-8"))) for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("aé中🙂 \n"), max_size=1500))
def test_a_sample_is_short_valid_and_in_one_line(text):
    (sample,) = samples([text])
    assert len(sample.encode()) <= SAMPLE_BYTES + 8
    assert "\n" not in sample
    assert set(sample) <= set(text) | {" "}
    if len(text.encode()) <= SAMPLE_BYTES and any(map(str.isalpha, text)):
        assert sample == " ".join(text.split())


def test_samples_of_all_planes():
    planes = [
        "".join(map(chr, range(start, start + 0x400)))
        for start in (0, 0x400, 0xC00, 0x1000, 0x2000, 0x3000, 0xAC00, 0xF900, 0xFC00, 0x10000, 0x11000, 0x1D000)
    ]
    planes += ["".join(map(chr, range(start, start + 99))) for start in (0x2F800, 0x323AF, 0xE0000, 0x10FF00)]
    texts = [text[i : i + 40] for text in planes for i in range(0, len(text), 40)]
    texts += planes
    texts += ["x" * 5_000_000, "e\u0301" * 1_000_000]
    assert samples(texts) == [sample_of(memoryview(text.encode())) for text in texts]


@pytest.mark.parametrize("code", ["en", "fr", "de", "ru", "tr", "el", "vi"])
@pytest.mark.parametrize("times", [1, 20])
def test_text_in_capitals_has_the_language_of_the_same_text_as_it_is_written(code, times):
    text = " ".join([ARTICLE_1[code]] * times)
    capitals = (text.replace("i", "İ") if code == "tr" else text).upper()
    found = columns([text, capitals, text + " " + capitals])
    assert found["language"] == [code] * 3
    assert found["language_score"][1] > 0.5


def test_short_text_in_capitals():
    texts = [
        "MY FRIEND IS A BIRD",
        "LE CONSEIL A DÉCIDÉ MARDI QUE LE PONT SERA CONSTRUIT",
        "DER RAT HAT ES BESCHLOSSEN",
    ]
    assert languages(texts) == ["en", "fr", "de"]


def test_only_what_is_mostly_capitals_is_read_in_small_letters():
    kept = ["A few CAPITALS in a sentence", "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "名前はABCです", "Ünïcödé ÀÉ"]
    assert samples(kept) == kept
    assert samples(["ISTANBUL'DA İKİ IŞIK", "ΟΔΟΣ ᲗᲑᲘᲚᲘᲡᲘ"]) == ["ıstanbul'da iki ışık", "οδος თბილისი"]


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("plain English", "Latn"),
        ("по-русски", "Cyrl"),
        (SIMPLIFIED, "Hans"),
        (TRADITIONAL, "Hant"),
        ("山川日月", "Hani"),  # the same in both
        ("これは日本語のテキストです", "Jpan"),
        ("東京都庁の建築", "Jpan"),
        ("東京都庁建築", "Hant"),  # nothing says that it is Japanese
        ("이것은 한국어 텍스트입니다", "Hang"),
        ("大韓民國의 憲法은", "Hant"),  # mostly Chinese characters
        ("大韓民國의 헌법은 이렇다", "Hang"),
        ("ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", "Cher"),
        ("میں اردو", "Arab"),
        ("ⲙⲉⲧⲣⲉⲙⲛ̀ⲭⲏⲙⲓ", "Copt"),
        ("the word Москва in a sentence", "Latn"),
        ("ªº", "Latn"),
    ],
)
def test_scripts(text, script):
    assert columns([text])["language_script"] == [script]


def test_every_letter_that_python_knows_has_a_script_but_for_common_ones():
    from unicodedata import name

    for text, script in (("Ж", "Cyrl"), ("ก", "Thai"), ("ا", "Arab"), ("𐓐", "Osge"), ("𠀋", "Hani"), ("ß", "Latn")):
        assert columns([text])["language_script"] == [script], name(text)
    assert columns(["𝐀𝐁"])["language_script"] == [None]  # a letter of no certain script
    assert len(set(SCRIPTS)) == len(SCRIPTS) < 192  # three words of bits


def test_a_label_whose_script_the_text_does_not_have_is_noticed():
    found = columns(["ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ", *UDHR.values(), "Москва, столица России (Moscow, the capital of Russia)"])
    assert found["language_script_agrees"] == [False, *([True] * len(UDHR)), True]


def test_languages_by_paragraph():
    english, french, russian = (UDHR[code][:500].replace("\n", " ") for code in ("en", "fr", "ru"))
    mixed = [f"{english}\n\n{french}{french}", f"{russian}\n \t\nOK\n\n{english}{english}"]
    texts = [*mixed, english, None, "12\n\n34", "\n\n\n\n"]
    found = columns([*texts, "\n".join([english, french])], by_paragraph=True)["language_shares"]
    assert [[each["label"] for each in shares or []] for shares in found[:3]] == [["fr", "en"], ["en", "ru"], ["en"]]
    for shares in found[:3]:
        assert sum(each["share"] for each in shares) == pytest.approx(1)
    assert found[1][0]["share"] == pytest.approx(2 / 3, abs=0.01)  # of the characters, not of the bytes
    assert found[3:6] == [None] * 3
    assert {each["label"] for each in found[6]} == {"en", "fr"}  # long lines are judged one by one
    assert columns(texts)["language_shares"] == [None] * len(texts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.sampled_from("ab \n\t中"), max_size=600), max_size=4))
def test_paragraphs_cover_the_text(texts):
    from corpusmill.filters.language import _paragraphs

    column = Utf8Column.of(pa.array(texts, pa.large_string()))
    owners, starts, ends, characters = _paragraphs(column.data, column.offsets)
    pieces = [column.data[start:end].tobytes().decode() for start, end in zip(starts, ends, strict=True)]
    for number, text in enumerate(texts):
        assert "".join(piece for piece, owner in zip(pieces, owners, strict=True) if owner == number) == text
    assert characters.tolist() == [len(piece) for piece in pieces]
    for number, piece in enumerate(pieces[:-1]):
        assert len(piece.encode()) >= 80 or owners[number] != owners[number + 1]


def test_codes_and_scripts_of_other_models_labels():
    labels = ["eng_Latn", "zho_Hans", "cmn_Hani", "arb_Arab", "als_Latn", "gsw_Latn", "jpn_Jpan", "xyz", "kor_Hang"]
    assert codes_of(labels) == ["en", "zh", "zh", "ar", "sq", "als", "ja", "xyz", "ko"]
    hani = ("Hani", "Bopo")
    jpan = ("Hira", "Kana", "Hani")
    assert scripts_of(labels) == [
        ("Latn",), hani, hani, ("Arab",), ("Latn",), ("Latn",), jpan, (), ("Hang", "Hani"),
    ]  # fmt: skip
    assert scripts_of(["en", "sr", "ru", "ja"]) == [("Latn",), ("Cyrl", "Latn"), ("Cyrl",), ("Hani", "Hira", "Kana")]
    named = {name for names in scripts_of(LANGUAGES) for name in names}
    assert named <= set(SCRIPTS)
    with pytest.raises(InputError, match=r"unknown code 'eng'; did you mean 'eng_Latn'\? allowed: arb_Arab, eng_Latn"):
        check_codes(["eng"], ["eng_Latn", "arb_Arab"])


TRAINING = {"eng_Latn": "en", "zho_Hans": "zh", "zho_Hant": "zh", "mal_Mlym": "ml", "kor_Hang": "ko"}


@pytest.fixture(scope="module")
def own_models(tmp_path_factory):
    """Models of a user's, `.bin` and `.ftz`, trained in a process of their own: fastText prints."""
    folder = tmp_path_factory.mktemp("models")
    lines = []
    for label, code in TRAINING.items():
        text = UDHR.get(code, "").replace("\n", " ")
        chunks = [text[i : i + 60] for i in range(0, 1200, 30)]
        if code == "zh":
            chunks = [{"zho_Hans": SIMPLIFIED, "zho_Hant": TRADITIONAL}[label][i:] for i in range(8)] * 5
        lines += [f"__label__{label} {chunk}" for chunk in chunks if chunk.strip()]
    (folder / "train.txt").write_text("\n".join(lines) + "\n")
    code = (
        "import fasttext, sys; folder = sys.argv[1]\n"
        "model = fasttext.train_supervised(folder + '/train.txt', dim=16, epoch=60, minn=1, maxn=3, bucket=20000,"
        " lr=.5, thread=1, verbose=0)\n"
        "model.save_model(folder + '/own.bin')\n"
        "model.quantize(folder + '/train.txt', cutoff=3000, retrain=False, qnorm=True)\n"
        "model.save_model(folder + '/own.ftz')\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", ["own.bin", "own.ftz"])
def test_a_model_of_the_user_s(own_models, name):
    model = model_at(own_models / name)
    assert set(model.labels) == set(TRAINING)
    texts = [UDHR["en"][:400], SIMPLIFIED, TRADITIONAL, UDHR["ml"][:400], UDHR["ko"][:400], ""]
    found = columns(texts, model=model)
    assert found["language"] == [*TRAINING, None]
    assert found["language_code"] == ["en", "zh", "zh", "ml", "ko", None]
    assert found["language_script"] == ["Latn", "Hans", "Hant", "Mlym", "Hang", None]
    assert found["language_script_agrees"] == [*[True] * 5, None]
    assert columns(["Это русский текст"], model=model)["language_script_agrees"] == [False]


def test_simplified_text_with_a_label_of_traditional_writing_does_not_agree(own_models):
    model = model_at(own_models / "own.bin")
    text = SIMPLIFIED[:4] + " " + TRADITIONAL * 4
    found = columns([text, text.replace(TRADITIONAL, "") + SIMPLIFIED], model=model)
    assert found["language"] == ["zho_Hant", "zho_Hans"]
    assert found["language_script_agrees"] == [True, True]
    broken = model_at(own_models / "own.bin")
    swapped = {"zho_Hans": "Hant", "zho_Hant": "Hans"}
    from dataclasses import replace

    other = replace(broken, ways=tuple(swapped.get(label, "") for label in broken.labels))
    assert columns([text], model=other)["language_script_agrees"] == [False]
