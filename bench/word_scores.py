r"""Score extracted text against gold: bags of words, or of characters in scripts without spaces.

`benchmark_words` is WCXB's definition (word F1 of `\w+`, lower case).  It cuts Hindi words at their vowel signs, and
takes a Chinese sentence for one word.  So pages in other languages are scored by `words_of_all_scripts`.  It keeps
words with their marks, and counts single characters of Han, Kana, Thai, Lao, Khmer and Burmese.
"""

import re
import statistics
import sys
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\ua9e0-\ua9fe\uaa60-\uaa7f\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
MARKS = "".join(c for c in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(c) in ("Mn", "Mc"))
BENCHMARK_WORD = re.compile(r"\w+")
WORD = re.compile(rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[\w{re.escape(MARKS)}])+")


@dataclass(frozen=True)
class Score:
    """The scores of one page."""

    f1: float
    precision: float
    recall: float


@dataclass(frozen=True)
class Mean:
    """Means over several pages.  The error is the standard error of the mean F1, or 0 for a single page."""

    pages: int
    f1: float
    error: float
    precision: float
    recall: float


def benchmark_words(text: str) -> Counter[str]:
    """The bag of words as WCXB counts them."""
    return Counter(BENCHMARK_WORD.findall(text.lower()))


def words_of_all_scripts(text: str) -> Counter[str]:
    """The bag of words; single characters in scripts without spaces."""
    return Counter(WORD.findall(unicodedata.normalize("NFC", text).lower()))


def score(found: Counter[str], wanted: Counter[str], optional: Counter[str] | None = None) -> Score:
    """The score of two bags.  If nothing is wanted: 1 if nothing was found, else 0.

    Words of `optional` (for example a title) beyond the wanted ones are neither right nor wrong.
    """
    if not wanted:
        right = float(not found)
        return Score(right, right, right)
    shared = (found & wanted).total()
    n_found = found.total() - ((found - wanted) & (optional or Counter())).total()
    return Score(2 * shared / (n_found + wanted.total()), shared / n_found if n_found else 0.0, shared / wanted.total())


def mean(scores: Sequence[Score]) -> Mean:
    """The means of the pages' scores."""
    f1 = [s.f1 for s in scores]
    return Mean(
        pages=len(f1),
        f1=statistics.fmean(f1),
        error=statistics.stdev(f1) / len(f1) ** 0.5 if len(f1) > 1 else 0.0,
        precision=statistics.fmean(s.precision for s in scores),
        recall=statistics.fmean(s.recall for s in scores),
    )
