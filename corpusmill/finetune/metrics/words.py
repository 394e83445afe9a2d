"""Words for comparing texts: those of scripts with spaces, and single characters of Han, kana and Thai."""

import re
import unicodedata
from collections import Counter

_ALONE = r"\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u0e00-\u0e7f\U00020000-\U0003ffff"
_WORDS = re.compile(rf"[{_ALONE}]|[^\W{_ALONE}]+")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


def words(text: str) -> list[str]:
    """The words in lower case, without punctuation; characters of scripts without spaces are words of their own."""
    return _WORDS.findall(unicodedata.normalize("NFKC", text).lower())


def is_chinese(text: str) -> bool:
    """Whether more than a third of the words are Han characters."""
    found = words(text)
    return 3 * sum(bool(_HAN.fullmatch(word)) for word in found) > len(found)


def overlap_f1(said: str, right: str) -> float:
    """The F1 of the words of an answer (SQuAD, arXiv 1606.05250); 1 if both have none."""
    ours, theirs = Counter(words(said)), Counter(words(right))
    if not ours or not theirs:
        return float(ours == theirs)
    both = sum((ours & theirs).values())
    return 2 * both / (ours.total() + theirs.total())
