"""The language of a text, by fastText's lid.176 (Joulin et al. 2016, arXiv:1612.03651) or another model of fastText.

    samples of the texts                  samples.py
    -> the best three labels of each      fasttext_file.py, fasttext_predict.py
    -> scripts, and whether they fit      here; traits.py, codes.py

The time that fastText takes grows with the text.  Its answer hardly changes.  So a long text is judged by a sample: 8
pieces of 96 bytes, evenly spaced from its start to its end.  On 99.9 % of 1,330 web pages (median 7,100 characters) the
answer is that of the whole text.  Tried and left:

    one piece from the start      99.85 %; navigation and quotations lie there
    256 bytes                     99.85 %
    2,048 bytes                   100.0 %, 0.4 times the speed
    16 pieces                     not better; too many words are cut

docs/language.md has accuracy and speed, beside other programs.

lid.176 was trained on text as people write it, and hardly knows words in capitals: of a paragraph of English it says
Japanese.  So a sample with more capitals than other letters is lower-cased first.  On the Universal Declaration in 67
languages, written in capitals, all answers are then those of the same text as it was; without that, 56 %.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.codes import codes_of, scripts_of
from corpusmill.filters.fasttext_file import Bytes, Classifier, Places, read_classifier
from corpusmill.filters.fasttext_predict import predict
from corpusmill.filters.samples import Samples, samples_of
from corpusmill.filters.traits import IS_LETTER, IS_SIMPLIFIED, IS_TRADITIONAL, SCRIPTS, character_traits
from corpusmill.filters.utf8 import character_at
from corpusmill.kernels import kernel

N_BEST = 3
LEAST_SHARE = 0.1  # of the letters that must be of the language's scripts
BATCH = 4096  # texts at a time: their samples take 3 MB
SHORT_PARAGRAPH, LONG_PARAGRAPH = 80, 400  # bytes: one is joined with the next, the other is cut between lines

Shares = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int32]


@dataclass(frozen=True)
class Model:
    """A language model and what follows from its labels, row by row."""

    classifier: Classifier
    codes: tuple[str, ...]  # see `corpusmill.filters.codes`
    masks: npt.NDArray[np.uint64]  # (labels, 3), a bit for each of SCRIPTS that the label's language is written in
    ways: tuple[str, ...]  # Hans or Hant if the label names it, else empty

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels, without the `__label__` of fastText."""
        return self.classifier.labels


@cache
def default_model() -> Model:
    """lid.176, which comes with the package."""
    with as_file(files("corpusmill.filters") / "lid.176.ftz") as path:
        return _model_of(read_classifier(path))


def model_at(path: Path) -> Model:
    """A user's own model, read once in a process unless it changes.  InputError if it is none."""
    state = path.stat() if path.exists() else None
    return _model_at(path, None if state is None else (state.st_mtime_ns, state.st_size))


@lru_cache(maxsize=2)
def _model_at(path: Path, state: tuple[int, int] | None) -> Model:
    return _model_of(read_classifier(path))


def _model_of(classifier: Classifier) -> Model:
    masks = np.zeros((len(classifier.labels), 3), np.uint64)
    for row, names in enumerate(scripts_of(classifier.labels)):
        for number in (SCRIPTS.index(name) for name in names if name in SCRIPTS):
            masks[row, number >> 6] |= np.uint64(1 << (number & 63))
    ways = tuple(next((way for way in ("Hans", "Hant") if way in label), "") for label in classifier.labels)
    return Model(classifier, tuple(codes_of(classifier.labels)), masks, ways)


def identify(text: pa.Array | pa.ChunkedArray, model: Model | None = None, *, by_paragraph: bool = False) -> pa.Table:
    """The languages of n texts: n rows, columns as in `corpusmill.filters.register.LANGUAGE_COLUMNS`.

    Null for null and where there is no letter; `language_shares` also unless it is asked for.
    """
    model = model or default_model()
    column = Utf8Column.of(text)
    tables = [
        _identify(column.data, column.offsets[start : start + BATCH + 1], model, by_paragraph)
        for start in range(0, max(len(column), 1), BATCH)
    ]
    return pa.concat_tables(tables).combine_chunks()


def _identify(data: Bytes, offsets: Places, model: Model, by_paragraph: bool) -> pa.Table:
    samples = samples_of(data, offsets[:-1], offsets[1:])
    labels, scores = _judge(samples, model, N_BEST)
    scripts, fitting = _scripts(samples, labels[:, 0], model)
    known = labels[:, 0] >= 0
    names, codes = _take(model.labels, labels[:, 0]), _take(model.codes, labels[:, 0])
    agrees = fitting >= LEAST_SHARE
    for way, other in (("Hans", "Hant"), ("Hant", "Hans")):
        named = np.array([*(w == way for w in model.ways), False])
        agrees &= ~(named[labels[:, 0]] & (scripts == SCRIPTS.index(other)))
    has_scripts = np.append(model.masks.any(axis=1), False)[labels[:, 0]]
    return pa.table(
        {
            "language": names,
            "language_score": pa.array(scores[:, 0], pa.float64(), mask=~known),
            "language_code": codes,
            "languages": _lists(labels, scores, "score", model),
            "language_script": _take(SCRIPTS, np.where(known & (scripts > 0), scripts.astype(np.int32), -1)),
            "language_script_agrees": pa.array(agrees, mask=~(known & has_scripts)),
            "language_shares": _shares(data, offsets, known, model)
            if by_paragraph
            else pa.nulls(len(known), list_type("share")),
        }
    )


def list_type(of: str) -> pa.DataType:
    """A list of languages with a number each, which is named `of`."""
    return pa.list_(pa.struct([("label", pa.string()), (of, pa.float64())]))


def _judge(samples: Samples, model: Model, k: int) -> tuple[Numbers, Shares]:
    """The best k labels and their scores: int32, float64 (n, k); -1 for a text without letters."""
    labels, scores = predict(model.classifier, *samples, k=k)
    labels[samples.ends == samples.starts] = -1
    return labels, np.minimum(scores.astype(np.float64), 1.0)  # fastText goes up to 1.00001


def _take(names: tuple[str, ...], numbers: npt.NDArray[Any]) -> pa.Array:
    """Names by number, null for a negative number."""
    return pa.array(names, pa.string()).take(pa.array(numbers, pa.int32(), mask=numbers < 0))


def _lists(labels: Numbers, numbers: Shares, of: str, model: Model) -> pa.Array:
    """Lists of languages and numbers: (n, k), -1 where a list ends; null for an empty one."""
    there = labels >= 0
    sizes = there.sum(axis=1)
    return _list_array(sizes, labels[there], numbers[there], sizes == 0, of, model)


def _list_array(
    sizes: npt.NDArray[Any], labels: Numbers, numbers: Shares, null: npt.NDArray[np.bool_], of: str, model: Model
) -> pa.Array:
    values = pa.StructArray.from_arrays([_take(model.labels, labels), pa.array(numbers)], ["label", of])
    offsets = pa.array(np.append(0, np.cumsum(sizes)), pa.int32())
    return pa.ListArray.from_arrays(offsets, values, mask=pa.array(null))


def _scripts(samples: Samples, labels: Numbers, model: Model) -> tuple[npt.NDArray[np.uint8], Shares]:
    """Which of SCRIPTS most letters of each sample belong to, and the share of those that its label's language has."""
    found, shares = np.zeros(len(labels), np.uint8), np.zeros(len(labels))
    _count_scripts(*samples, labels, model.masks, character_traits(), found, shares)
    return found, shares


def _shares(data: Bytes, offsets: Places, known: npt.NDArray[np.bool_], model: Model) -> pa.Array:
    """The languages of each text's paragraphs and their shares of its characters, the largest first."""
    owners, starts, ends, characters = _paragraphs(data, offsets)
    labels, _ = _judge(samples_of(data, starts, ends), model, 1)
    judged = labels[:, 0] >= 0
    n_labels = len(model.labels)
    keys, where = np.unique(owners[judged] * n_labels + labels[judged, 0], return_inverse=True)
    counts = np.bincount(where, characters[judged], len(keys))
    rows = keys // n_labels
    totals = np.bincount(rows, counts, len(known))
    order = np.lexsort((keys % n_labels, -counts, rows))
    sizes = np.bincount(rows, minlength=len(known))
    shares = (counts / totals[rows])[order]
    return _list_array(sizes, (keys % n_labels)[order].astype(np.int32), shares, sizes == 0, "share", model)


def _paragraphs(data: Bytes, offsets: Places) -> tuple[Places, Places, Places, Places]:
    """Paragraphs of all texts: the text's number, start, end, number of characters."""
    room = int(offsets[-1] - offsets[0]) // SHORT_PARAGRAPH + len(offsets)
    found = np.zeros((4, room), np.int64)
    n = _cut(data, offsets, found)
    return found[0, :n], found[1, :n], found[2, :n], found[3, :n]


@kernel
def _cut(data: Bytes, offsets: Places, found: npt.NDArray[np.int64]) -> int:
    """Cut at blank lines, and what is long at newlines; what is short is joined with what follows."""
    n = 0
    for text in range(len(offsets) - 1):
        start = offsets[text]
        characters = 0
        blank = True  # is the line, until here?
        for place in range(offsets[text], offsets[text + 1]):
            byte = data[place]
            characters += byte & 0xC0 != 0x80
            if byte == 10:
                size = place + 1 - start
                if size >= LONG_PARAGRAPH or (blank and size >= SHORT_PARAGRAPH):
                    found[0, n], found[1, n], found[2, n], found[3, n] = text, start, place + 1, characters
                    n += 1
                    start, characters = place + 1, 0
                blank = True
            elif byte != 32 and byte != 9 and byte != 13:
                blank = False
        if start < offsets[text + 1]:
            found[0, n], found[1, n], found[2, n], found[3, n] = text, start, offsets[text + 1], characters
            n += 1
    return n


_HANI, _HIRA, _KANA, _HANG = (SCRIPTS.index(name) for name in ("Hani", "Hira", "Kana", "Hang"))
_JPAN, _HANS, _HANT = (SCRIPTS.index(name) for name in ("Jpan", "Hans", "Hant"))


@kernel
def _count_scripts(
    data: Bytes,
    starts: Places,
    ends: Places,
    labels: Numbers,
    masks: npt.NDArray[np.uint64],
    traits: npt.NDArray[np.uint32],
    found: npt.NDArray[np.uint8],
    shares: Shares,
) -> None:
    counts = np.zeros(256, np.int64)
    for i in range(len(starts)):
        counts[:] = 0
        simplified = traditional = 0
        place = starts[i]
        while place < ends[i]:
            width, code = character_at(data, place, ends[i])
            if width == 0:
                break
            trait = traits[code] if code < len(traits) else np.uint32(0)
            if trait & np.uint32(IS_LETTER):
                counts[int(trait >> np.uint32(16)) & 255] += 1
            simplified += trait & np.uint32(IS_SIMPLIFIED) != 0
            traditional += trait & np.uint32(IS_TRADITIONAL) != 0
            place += width
        total = fitting = 0
        for script in range(1, len(SCRIPTS)):
            total += counts[script]
            if labels[i] >= 0 and masks[labels[i], script >> 6] >> np.uint64(script & 63) & np.uint64(1):
                fitting += counts[script]
        if total == 0:
            continue
        shares[i] = fitting / total
        kana = counts[_HIRA] + counts[_KANA]
        if 10 * kana >= counts[_HANI]:
            counts[_JPAN] = kana + counts[_HANI]
            counts[_HIRA] = counts[_KANA] = counts[_HANI] = 0
        elif 2 * counts[_HANG] >= counts[_HANI]:
            counts[_HANG] += counts[_HANI]
            counts[_HANI] = 0
        script = int(np.argmax(counts))
        if script == _HANI and simplified != traditional:
            script = _HANS if simplified > traditional else _HANT
        found[i] = script
