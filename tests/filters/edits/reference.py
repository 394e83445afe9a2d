"""What the edits do, written down a second time in plain Python, without regard to speed."""

import re
import unicodedata
from collections import Counter

from corpusmill.filters.characters import TERMINALS
from corpusmill.scripts import CLUSTERS, IDEOGRAPHS

BLANK = " \t\n\v\f\r"
SPACES = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
SPACES += " \t\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"


def is_in(character: str, blocks) -> bool:
    return any(first <= ord(character) <= last for first, last in blocks)


def is_blank(line: str) -> bool:
    return not line.strip(BLANK)


def blocks_of(lines: list[str]) -> list[bool]:
    """Which lines belong to code or to a table of Markdown."""
    fences = [re.fullmatch(r"[ \t>]*(`{3,})([^`]*)", line) for line in lines]
    found = [False] * len(lines)
    place = 0
    while place < len(lines):
        fence = fences[place]
        if fence:
            for other in range(place + 1, len(lines)):
                closing = fences[other]
                if closing and len(closing[1]) >= len(fence[1]) and is_blank(closing[2]):
                    found[place : other + 1] = [True] * (other + 1 - place)
                    place = other
                    break
        else:
            bare = lines[place].rstrip(BLANK).lstrip(" \t>")
            found[place] = len(bare) > 1 and bare[0] == bare[-1] == "|"
        place += 1
    return found


def joined(lines: list[str], keep: list[bool]) -> str:
    """The kept lines; where one was dropped, one blank line at most between its neighbours, none at the ends."""
    out: list[str] = []
    blanks: list[str] = []
    dropped = False
    for line, kept in zip(lines, keep, strict=True):
        if not kept:
            dropped = True
        elif is_blank(line):
            blanks.append(line)
        else:
            if dropped:
                blanks = [""] if blanks and out else []
            out += [*blanks, line]
            blanks, dropped = [], False
    return "\n".join(out if dropped else [*out, *blanks])


def changed_lines(before: str, after: str) -> int:
    old, new = (Counter(text.split("\n") if text else []) for text in (before, after))
    return (old - new).total()


CITATION = re.compile(r"\[[0-9]*\]|\[edit\]|\[citation needed\]")
POLICY = (
    "javascript",
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)


def ascii_lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)


def c4_of_source(text: str, min_words: int, end_marks: str, *, words_with_marks: bool) -> str:
    """C4's rules for lines, as its code has them (and datatrove's), except for blocks and for Unicode's lower case."""
    lines = text.split("\n")
    keep = blocks_of(lines)
    for place, line in enumerate(lines):
        if keep[place] or is_blank(line):
            keep[place] = True
            continue
        line = line.strip()
        too_long = any(len(word) > 1000 for word in line.split())
        words = line.split()
        line = CITATION.sub("", line)
        if not words_with_marks:
            words = line.split()
        has_end = line.endswith(tuple(end_marks)) and not line.endswith("...")
        lower = ascii_lower(lines[place])
        keep[place] = not too_long and has_end and len(words) >= min_words and not any(p in lower for p in POLICY)
    return without_marks(joined(lines, keep))


def without_marks(text: str) -> str:
    lines = text.split("\n")
    is_code = blocks_of(lines)
    return "\n".join(line if code else CITATION.sub("", line) for line, code in zip(lines, is_code, strict=True))


def n_words(text: str) -> int:
    """Words as the signals count them."""
    ideographs = clusters = 0
    rest = []
    for character in text:
        is_letter = unicodedata.category(character)[0] == "L"
        if is_letter and is_in(character, IDEOGRAPHS):
            ideographs += 1
        elif is_letter and is_in(character, CLUSTERS):
            clusters += 1
        elif not character.isspace() and character not in "་༌፡":
            rest.append(character)
            continue
        rest.append(" ")
    words = "".join(rest).split(" ")
    counted = sum(any(unicodedata.category(c)[0] in "LN" for c in word) for word in words)
    return counted + -(-ideographs // 2) + -(-clusters // 4)


QUOTES = '"”»」』“’›'


def ends_sentence(line: str) -> bool:
    """Whether a line ends in final punctuation of any script."""
    letters = [c for c in line if unicodedata.category(c)[0] == "L"]
    thai = [c for c in letters if 0x0E01 <= ord(c) <= 0x0EDF and is_in(c, CLUSTERS)]
    chunk = "".join(c for c in line if not c.isspace())
    bare = chunk.rstrip("".join(c for c in chunk if is_closer(c)))
    solid = "".join(c for c in chunk if not is_closer(c))
    if solid.endswith(("...", "…")):
        return False
    if solid.endswith("."):
        return True
    closing = chunk[len(bare) :]
    if any(c in QUOTES for c in closing):
        return True
    return bare[-1:] in tuple(TERMINALS) or 2 * len(thai) > len(letters)


def is_closer(character: str) -> bool:
    return unicodedata.category(character) in ("Pe", "Pf", "Pi") or character in "\"'*_"


def tidy(text: str, *, line_breaks: bool, spaces: bool, trailing: bool, max_blank_lines: int) -> str:
    """White space in one form."""
    if line_breaks:
        text = re.sub("\r\n|[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]", "\n", text)
    lines = []
    for line in text.split("\n"):
        if line.isspace():
            line = ""
        if trailing:
            line = line.rstrip(SPACES)
        if spaces:
            line = re.sub("[\u00a0\u2000-\u200a\u202f\u205f]", " ", line)
        lines.append(line)
    out: list[str] = []
    n_blank = 0
    for line in lines:
        if not line:
            n_blank += 1
            continue
        out += [*([""] * min(n_blank, max_blank_lines) if out else []), line]
        n_blank = 0
    return "\n".join(out)
