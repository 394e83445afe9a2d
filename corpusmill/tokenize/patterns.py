"""The patterns that cut a text into pieces before byte-level BPE; merges never cross the end of a piece.

Each is the pattern of a published family of models, by name.  They are written as HF transformers writes them, so its
tokenizers and fast encoders recognise them.

    gpt-2      words with the space before them, whole numbers, English contractions
    gpt-4      cl100k: a word takes any one character before it; numbers in pieces of three digits
    llama-3    the same, with all line breaks of a run in one piece
    qwen       Qwen 2 to 3: the same, each digit by itself
    qwen-3.5   the same, and combining marks are letters
    gpt-4o     o200k: words also begin at a capital letter, marks are letters, contractions stay with their word

A pattern without marks cuts Hindi, Thai or decomposed accents at every vowel sign.  `gpt-4o` and `qwen-3.5` do not.
The default, `gpt-4o`, is known to transformers, tiktoken and gigatoken; docs/decisions/0015-tokenizers.md has the
measurements.
"""

from tokenizers import Regex, pre_tokenizers

from corpusmill.tokenize.settings import Split

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_WORD, _ENDS = r"[^\r\n\p{L}\p{N}]?", r"|\s+(?!\S)|\s+"
_PUNCTUATION = r"| ?[^\s\p{L}\p{N}]+[\r\n]*"

PATTERNS: dict[Split, str] = {
    "gpt-2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+" + _ENDS,
    "gpt-4": rf"{_CONTRACTIONS}|{_WORD}\p{{L}}+|\p{{N}}{{1,3}}{_PUNCTUATION}|\s*[\r\n]{_ENDS}",
    "llama-3": rf"{_CONTRACTIONS}|{_WORD}\p{{L}}+|\p{{N}}{{1,3}}{_PUNCTUATION}|\s*[\r\n]+{_ENDS}",
    "qwen": rf"{_CONTRACTIONS}|{_WORD}\p{{L}}+|\p{{N}}{_PUNCTUATION}|\s*[\r\n]+{_ENDS}",
    "qwen-3.5": rf"{_CONTRACTIONS}|{_WORD}[\p{{L}}\p{{M}}]+|\p{{N}}"
    rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+[\r\n]*|\s*[\r\n]+{_ENDS}",
    "gpt-4o": rf"{_WORD}{_UPPER}*{_LOWER}+{_CONTRACTIONS}?|{_WORD}{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|\s*[\r\n]+{_ENDS}",
}
DIGITS: dict[Split, int] = {"gpt-2": 0, "gpt-4": 3, "llama-3": 3, "qwen": 1, "qwen-3.5": 1, "gpt-4o": 3}
_NUMBERS = {0: r"\p{N}+", 1: r"\p{N}"}


def pattern_of(split: Split, digits: int | None = None) -> str:
    """The pattern with this name; `digits` are the most digits of a piece (0: any number), None: as it has them."""
    pattern = PATTERNS[split]
    if digits is None or digits == DIGITS[split]:
        return pattern
    before = f"|{' ?' if split == 'gpt-2' else ''}"
    assert pattern.count(before + numbers(DIGITS[split])) == 1, "one branch of a pattern is that of numbers"
    return pattern.replace(before + numbers(DIGITS[split]), before + numbers(digits))


def numbers(digits: int) -> str:
    """The pattern of a piece of a number."""
    return _NUMBERS.get(digits, rf"\p{{N}}{{1,{digits}}}")


def byte_level(pattern: str) -> pre_tokenizers.PreTokenizer:
    """Cut a text by a pattern, and write bytes as characters."""
    return pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
