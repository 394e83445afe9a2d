"""The language of a text, by fastText's lid.176 (Joulin et al. 2016, arXiv:1612.03651), which comes with the package.

fastText's time grows with the text (6.5 MB/s a core), its answer hardly does.  So a long text is judged by a sample:
8 pieces of 96 bytes, evenly spaced from its start to its end.  Measured, against the whole text: the same language on
99.9 % of 1,330 web pages (median 7,100 characters), 83.4 % against 83.8 % correct on 759 passages of 3,000 characters
in 90 languages, close ones and dialects among them; 8,800 documents/s a core instead of 700.  Tried: one piece from
the start (99.85 %: navigation and quotations lie there), 256 bytes (99.85 %, 3 times the speed), 2,048 bytes
(100.0 %, .4 times the speed), 16 pieces (no better; too many cut words).

lid.176 was trained on text as people write it, and hardly knows words in capitals: of a paragraph of English it says
Japanese.  So a sample with more capitals than other letters is lower-cased first.  On the Universal Declaration in 67
languages, written in capitals, all answers are then those of the same text as it was; without that, 56 %.  No answer
changes on 5,700 texts in 388 languages that are written as usual.
"""

import re
import unicodedata
from functools import cache
from importlib.resources import as_file, files
from itertools import pairwise

import fasttext
import numpy as np
import pyarrow as pa

from corpusmill.arrow import Utf8Column
from corpusmill.filters.characters import LETTER, UPPERCASE, character_classes

SAMPLE_BYTES = 768
SAMPLE_PIECES = 8

_CHEROKEE = re.compile("[\uab70-\uabbf]+")  # small letters that hardly anybody uses


def identify(text: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Language code (string) and its probability (float64) of n texts, both null for null and where there is no letter.

    Codes are those of `corpusmill.filters.codes.LANGUAGES`.
    """
    column = Utf8Column.of(text)
    data = column.data.data
    samples = [_sample(data[start:end]) for start, end in pairwise(column.offsets.tolist())]
    rows = [row for row, sample in enumerate(samples) if any(map(str.isalpha, sample))]
    languages: list[str | None] = [None] * len(samples)
    scores: list[float | None] = [None] * len(samples)
    labels, probabilities = _model().predict([samples[row] for row in rows]) if rows else ([], [])
    for row, label, probability in zip(rows, labels, probabilities, strict=True):
        languages[row] = label[0].removeprefix("__label__")
        scores[row] = min(float(probability[0]), 1.0)  # rounding takes fastText up to 1.00001
    return pa.array(languages, pa.string()), pa.array(scores, pa.float64())


def _sample(text: memoryview) -> str:
    """A text of at most SAMPLE_BYTES, or evenly spaced pieces of a longer one; in one line, NFC, white space single."""
    if len(text) <= SAMPLE_BYTES:
        pieces = [text]
    else:
        length = SAMPLE_BYTES // SAMPLE_PIECES
        starts = ((len(text) - length) * piece // (SAMPLE_PIECES - 1) for piece in range(SAMPLE_PIECES))
        pieces = [text[start : start + length] for start in starts]
    # a character that is cut at the edge of a piece is left out; decomposed text is none that lid.176 was trained on
    sample = unicodedata.normalize("NFC", " ".join(str(piece, "utf-8", "ignore") for piece in pieces))
    return _without_shouting(" ".join(sample.replace("\0", " ").split()))


def _without_shouting(sample: str) -> str:
    """The sample, in small letters if most of its letters are capitals."""
    flags = character_classes().take(np.frombuffer(sample.encode("utf-32-le"), np.uint32), mode="clip")
    if 2 * np.count_nonzero(flags & UPPERCASE) <= np.count_nonzero(flags & LETTER):
        return sample
    if "\u0130" in sample:  # the dotted capital I: then one without a dot is Turkish, too
        sample = sample.replace("I", "\u0131").replace("\u0130", "i")
    return _CHEROKEE.sub(lambda word: word[0].upper(), sample.lower())


@cache
def _model() -> "fasttext.FastText._FastText":
    with as_file(files("corpusmill.filters") / "lid.176.ftz") as path:
        return fasttext.load_model(str(path))
