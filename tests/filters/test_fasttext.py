"""Our reader of fastText's models against fastText: the same labels and scores, to the last bit."""

import struct
import subprocess
import sys
from importlib.resources import files
from itertools import product
from pathlib import Path

import fasttext
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.filters.fasttext_file import read_classifier
from corpusmill.filters.fasttext_predict import predict

from .texts import TECHNICAL, UDHR

LID = Path(str(files("corpusmill.filters") / "lid.176.ftz"))


@pytest.fixture(scope="module")
def pair():
    return read_classifier(LID), fasttext.load_model(str(LID))


def ours(model, texts, k):
    data = [text.encode() for text in texts]
    sizes = np.array([len(text) for text in data], np.int64)
    ends = np.cumsum(sizes)
    starts = ends - sizes
    content = np.frombuffer(b"".join(data) or b"\0", np.uint8)
    labels, scores = predict(model, content, starts, ends, k)
    return [
        [(model.labels[label], score) for label, score in zip(*row, strict=True) if label >= 0]
        for row in zip(labels.tolist(), scores.tolist(), strict=True)
    ]


def theirs(model, texts, k):
    labels, scores = model.predict([text.replace("\n", "\r") for text in texts], k=k)
    return [
        [(label.removeprefix("__label__"), float(score)) for label, score in zip(*row, strict=True)]
        for row in zip(labels, scores, strict=True)
    ]


def assert_same(pair, texts, k=3):
    mine, reference = ours(pair[0], texts, k), theirs(pair[1], texts, k)
    for text, own, other in zip(texts, mine, reference, strict=True):
        assert [score for _, score in own] == [score for _, score in other], text[:200]
        by_label = [dict(answer) for answer in (own, other)]
        once = {score for _, score in own if [each for _, each in own].count(score) == 1}
        for label, score in other[:-1]:  # of two with the same score, either may come first, or be the last
            assert score not in once or by_label[0].get(label) == score, text[:200]


def test_the_model_is_read_as_it_is(pair):
    model, reference = pair
    assert [f"__label__{label}" for label in model.labels] == reference.get_labels()
    assert model.dictionary.n_words == len(reference.get_words())
    assert model.rows.shape[1] == reference.get_dimension()


@pytest.mark.parametrize("k", [1, 2, 3, 10, 176])
def test_texts_in_67_languages(pair, k):
    texts = [text[i : i + 300] for text in UDHR.values() for i in range(0, len(text), 300)]
    texts += [TECHNICAL, *[text.upper() for text in UDHR.values()], *UDHR.values()]
    assert len(texts) > 300
    assert_same(pair, texts, k)


def test_the_best_label_is_theirs(pair):
    texts = [text[i : i + n] for text in UDHR.values() for n in (3, 10, 40) for i in range(0, len(text), 150)]
    first = [answer[0] for answer in ours(pair[0], texts, 1)]
    assert first == [answer[0] for answer in theirs(pair[1], texts, 1)]
    assert first == [answer[0] for answer in ours(pair[0], texts, 3)]


SPECIAL = [
    *("", " ", "\0", "\n\n", "a", " a", "</s>", "a </s> b", "</s></s>", "<", ">", "__label__en", "__label__zz b"),
    *(
        "__label__",
        "__label_",
        "x__label__en y",
        "\t\v\f\r\0 word \0",
        "🙂",
        "👩‍👩‍👧‍👦 🇩🇪",
        "\U0010ffff",
        "中",
        "\u200e\u202eעברית",
    ),
    *("\U0010ffff", "中", "\u200e\u202eעברית"),
    *("\u00a0\u2003no space of fastText's", "e\u0301", "\u0301", "0", "12:30", "a" * 5000, "中文" * 3000, "é " * 3000),
]


def test_special_texts(pair):
    assert_same(pair, SPECIAL)
    assert_same(pair, [first + " " + second for first, second in product(SPECIAL, SPECIAL)])


def test_a_line_of_5_megabytes(pair):
    assert_same(pair, ["language " * 550_000, "x" * 5_000_000, "文" * 1_700_000])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(max_size=80) | st.text(st.sampled_from("ab<>/s_ \0\n\tñ中🙂"), max_size=300), max_size=6))
def test_generated_texts(pair, texts):
    assert_same(pair, texts)


KINDS = [
    *(f"loss='{loss}', dim=16, minn=2, maxn=4, bucket=5000" for loss in ("hs", "ns", "softmax", "ova")),
    "loss='softmax', dim=11, minn=0, maxn=0, bucket=0",
    "loss='hs', dim=20, minn=1, maxn=2, bucket=3000, wordNgrams=3",
    "loss='ova', dim=64, minn=0, maxn=0, bucket=700, wordNgrams=2",
    "loss='softmax', dim=48, minn=3, maxn=6, bucket=2000",
]
QUANTISED = ["", "qnorm=True", "qnorm=True, cutoff=1500", "qnorm=False, cutoff=400", "qnorm=True, qout=True, dsub=3"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Small models of all kinds; fastText trains them in a process of its own, because it prints."""
    folder = tmp_path_factory.mktemp("fasttext")
    lines = [f"__label__{code} {text[i : i + 70]}" for code, text in list(UDHR.items())[::6] for i in range(0, 900, 60)]
    many = [
        f"__label__m{i % 260} {line.partition(' ')[2]}" for i, line in enumerate(lines * 2)
    ]  # qout needs 256 labels
    (folder / "few.txt").write_text("\n".join(line.replace("\n", " ") for line in lines) + "\n")
    (folder / "many.txt").write_text("\n".join(line.replace("\n", " ") for line in many) + "\n")
    code = ["import fasttext, sys; folder = sys.argv[1]"]
    for (i, kind), (j, how) in product(enumerate(KINDS), enumerate(QUANTISED)):
        text = f"folder + '/{'many' if 'qout' in how else 'few'}.txt'"
        if ("cutoff" in how and "bucket=0" in kind) or ("qout" in how and "hs" not in kind and "soft" not in kind):
            continue
        code.append(f"m = fasttext.train_supervised({text}, epoch=2, lr=.5, thread=1, verbose=0, {kind})")
        if how:
            code.append(f"m.quantize(input={text}, {how})")
        code.append(f"m.save_model(folder + '/{i}-{j}.{'ftz' if how else 'bin'}')")
    subprocess.run([sys.executable, "-c", "\n".join(code), str(folder)], check=True, capture_output=True)
    return sorted([*folder.glob("*.bin"), *folder.glob("*.ftz")])


def test_models_of_all_kinds(trained):
    assert len(trained) > 30
    texts = [text[i : i + 200] for text in list(UDHR.values())[::3] for i in range(0, 600, 200)] + SPECIAL[:24]
    for path in trained:
        pair = read_classifier(path), fasttext.load_model(str(path))
        for k in (1, 5):
            assert_same(pair, texts, k)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\x00" * 100, "it does not start as one"),
        (b"hello", "it does not start as one"),
        (LID.read_bytes()[:4], "it does not start as one"),
        (LID.read_bytes()[:20], "it is cut off"),
        (LID.read_bytes()[:4] + b"\x09" + LID.read_bytes()[5:], "its version is 9"),
        (LID.read_bytes()[:36] + b"\x01" + LID.read_bytes()[37:], "it holds word vectors"),
        (LID.read_bytes()[:32] + b"\x07" + LID.read_bytes()[33:], "its header makes no sense"),
        *[(LID.read_bytes()[:size], "it is cut off") for size in (70, 100, 5000, 250_000, 700_000, 937_000)],
    ],
)
def test_what_is_no_model(tmp_path, content, message):
    path = tmp_path / "model.ftz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_classifier(path)


def plain_model(n_words=1, n_labels=2, n_buckets=0, longest=0, loss=3, count=1, rows=1, n_pruned=-1, kept=1):
    """The bytes of a model with one dimension; every number in it can be another than what follows."""
    numbers = [1, 0, 0, 0, 0, 1, loss, 3, n_buckets, 0, longest, 0]
    content = struct.pack("<2i12id", 793712314, 12, *numbers, 0.0)
    content += struct.pack("<3i2q", n_words + n_labels, n_words, n_labels, 0, n_pruned)
    content += b"word\0" + struct.pack("<qb", 1, 0)
    content += b"".join(b"__label__%d\0" % i + struct.pack("<qb", count, 1) for i in range(2))
    content += b"\0" + struct.pack("<2q", rows, -1 if rows < 0 else 1) + struct.pack(f"<{kept}f", *[1.0] * kept)
    return content + b"\0" + struct.pack("<2q2f", 2, 1, 1.0, -1.0)


def test_a_plain_model_can_be_used(tmp_path):
    (tmp_path / "plain.bin").write_bytes(plain_model())
    assert read_classifier(tmp_path / "plain.bin").labels == ("0", "1")


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_words": -1, "n_labels": 3},
        {"n_buckets": -5, "longest": 3},
        {"n_buckets": 0, "longest": 3},
        {"n_pruned": 0, "rows": 0, "kept": 0},
        {"rows": -1},
        {"loss": 1, "count": 10**15},
        {"loss": 1, "count": -1},
    ],
)
def test_a_kernel_never_reads_beyond_a_model_that_says_what_it_has_not(tmp_path, wrong):
    (tmp_path / "wrong.bin").write_bytes(plain_model(**wrong))
    with pytest.raises(InputError, match="is no fastText model that can be used"):
        read_classifier(tmp_path / "wrong.bin")


def test_no_file(tmp_path):
    with pytest.raises(InputError, match=r"no\.bin: there is no such fastText model"):
        read_classifier(tmp_path / "no.bin")
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read_classifier(tmp_path)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 937_000), st.binary(min_size=1, max_size=8))
def test_a_damaged_model_is_refused_or_used(tmp_path_factory, place, damage):
    """Whatever a file says, nothing outside of its arrays is read: a wrong label at worst."""
    content = bytearray(LID.read_bytes())
    content[place : place + len(damage)] = damage
    path = tmp_path_factory.mktemp("damaged") / "model.ftz"
    path.write_bytes(content)
    try:
        model = read_classifier(path)
    except InputError:
        return
    for answer in ours(model, ["some text", "中文"], 3):
        assert len(answer) <= 3
