"""The signals once more, in plain Python and straight from their definitions: slow, and independent of the kernels."""

import math
import re
import unicodedata
from collections import Counter

SEPARATORS = "་༌፡"
BULLETS = "•‣▶◀◦■□▪▫●○◆◇➢➤❖·・⁃✓✔"


def category(character):
    return unicodedata.category(character)[0]


def script(character):
    """'ideograph', 'cluster' or '' of a letter, by Unicode's names instead of blocks."""
    if category(character) != "L":
        return ""
    name = unicodedata.name(character, "")
    if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "YI SYLLABLE", "BOPOMOFO")) or character in "々ー〻":
        return "ideograph"
    if name.startswith(("THAI", "LAO", "KHMER", "MYANMAR", "JAVANESE", "BALINESE")):
        return "cluster"
    return ""


def units_of(text):
    """(text, length) of each unit, and of each word among them."""
    units, words = [], []
    for chunk in re.split(rf"[\s\x1c-\x1f{SEPARATORS}]+", text):
        pieces, open_unit = [""], False
        for character in chunk:
            if script(character):
                pieces += [character, ""]
                open_unit = True
            elif category(character) == "M" and open_unit:
                pieces[-2] += character
            else:
                open_unit = False
                pieces[-1] += character if category(character) in "LNM" else ""
        for piece in pieces:
            if any(category(character) in "LN" for character in piece):
                units.append(piece)
                if not script(piece[0]):
                    words.append(piece)
    return units, words


def lines_of(text):
    return [line for line in (" ".join(line.split()) for line in text.split("\n")) if line]


def paragraphs_of(text):
    paragraphs, current = [], []
    for line in [*(" ".join(line.split()) for line in text.split("\n")), ""]:
        if line:
            current.append(line)
        elif current:
            paragraphs.append(tuple(current))
            current = []
    return paragraphs


def repeats(pieces, length):
    seen, count, characters = set(), 0, 0
    for piece in pieces:
        if piece in seen:
            count += 1
            characters += length(piece)
        seen.add(piece)
    return count, characters


def is_closer(character):
    return unicodedata.category(character) in ("Pe", "Pf", "Pi") or character in "\"'*_"


def sentences_of(text, terminals):
    """A sentence is a stretch with a letter or number, up to a terminal or to the end of its paragraph."""
    count = 0
    for paragraph in paragraphs_of(text):
        rest = "\n".join(paragraph) + "\n"
        has_word, i = False, 0
        while i < len(rest):
            character = rest[i]
            has_word = has_word or category(character) in "LN"
            i += 1
            if character not in terminals:
                continue
            j = i
            while j < len(rest) and is_closer(rest[j]):
                j += 1
            if (ord(character) >= 128 or rest[j].isspace()) and has_word:
                count += 1
                has_word = False
        count += has_word
    return count


def columns_of(line):
    return sum(0 if category(c) == "M" else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def ends_sentence(line, terminals):
    while line and is_closer(line[-1]):
        line = line[:-1].rstrip()
    return bool(line) and line[-1] in terminals


def has_bullet(line):
    return line[0] in BULLETS or (line[0] in "-*+–" and line[1:2] == " ")


def n_gram_shares(units, stride):
    """top: {n: share}, duplicate: {n: share}; a word is any `stride` units in a row."""
    lengths = [len(unit) for unit in units]
    total = sum(lengths)
    top, duplicate = {}, {}
    for n in range(2, 11):
        size = n * stride
        grams = [tuple(units[i : i + size]) for i in range(len(units) - size + 1)]
        counts = Counter(grams)
        most = max(counts.values(), default=0)
        first = next((gram for gram in grams if counts[gram] == most), None)
        in_top, in_duplicate, seen = set(), set(), set()
        for i, gram in enumerate(grams):
            if gram == first and most > 1:
                in_top |= set(range(i, i + size))
            if gram in seen:
                in_duplicate |= set(range(i, i + size))
            seen.add(gram)
        top[n] = sum(lengths[i] for i in in_top) / total if total else None
        duplicate[n] = sum(lengths[i] for i in in_duplicate) / total if total else None
    return top, duplicate


def garbled(text):
    pairs = re.findall("[\xc2\xc3][\xa1-\xbf]|\xe2\u20ac", text)
    return len(re.findall("[\x80-\x9f\ufffd]", text)) + 2 * len(pairs)


def signals_of(text, terminals):
    def ratio(part, whole):
        return part / whole if whole else None

    units, words = units_of(text)
    letters = [c for c in text if category(c) == "L"]
    ideographs = sum(script(c) == "ideograph" for c in letters)
    clusters = sum(script(c) == "cluster" for c in letters)
    spaceless = 2 * (ideographs + clusters) > len(letters)
    stride = (2 if ideographs >= clusters else 4) if spaceless else 1
    n_words = len(words) + math.ceil(ideographs / 2) + math.ceil(clusters / 4)
    symbols = [chunk for chunk in text.split() if not any(category(c) in "LN" for c in chunk)]
    lines, paragraphs = lines_of(text), paragraphs_of(text)
    line_chars = sum(map(len, lines))
    duplicate_lines, duplicate_line_chars = repeats(lines, len)
    duplicate_paragraphs, duplicate_paragraph_chars = repeats(paragraphs, lambda p: sum(map(len, p)))
    windows = [tuple(units[i : i + stride]) for i in range(len(units) - stride + 1)]
    counts = Counter(windows)
    top, duplicate = n_gram_shares(units, stride)
    alphabetic = sum(any(category(c) == "L" for c in word) for word in words)
    dots = sum(len(run) // 3 for run in re.findall(r"\.+", text))
    return {
        "n_chars": len(text),
        "n_words": n_words,
        "n_lines": len(lines),
        "n_paragraphs": len(paragraphs),
        "n_sentences": sentences_of(text, terminals),
        "spaceless_share": ratio(ideographs + clusters, len(letters)),
        "mean_word_length": None if spaceless else ratio(sum(map(len, words)), len(words)),
        "symbol_word_ratio": ratio(text.count("#") + dots + text.count("…"), n_words),
        "alphabetic_word_share": None if spaceless else ratio(alphabetic, len(words) + len(symbols)),
        "unique_word_share": ratio(len(counts), len(windows)),
        "word_entropy": -sum(c / len(windows) * math.log(c / len(windows)) for c in counts.values())
        if windows
        else None,
        "bullet_line_share": ratio(sum(map(has_bullet, lines)), len(lines)),
        "ellipsis_line_share": ratio(sum(line.endswith(("...", "…")) for line in lines), len(lines)),
        "terminal_punctuation_line_share": ratio(sum(ends_sentence(line, terminals) for line in lines), len(lines)),
        "short_line_share": ratio(sum(columns_of(line) <= 30 for line in lines), len(lines)),
        "newline_word_ratio": ratio(text.count("\n"), n_words),
        "duplicate_line_share": ratio(duplicate_lines, len(lines)),
        "duplicate_line_char_share": ratio(duplicate_line_chars, line_chars),
        "duplicate_paragraph_share": ratio(duplicate_paragraphs, len(paragraphs)),
        "duplicate_paragraph_char_share": ratio(duplicate_paragraph_chars, line_chars),
        **{f"top_{n}_gram_char_share": top[n] for n in (2, 3, 4)},
        **{f"duplicate_{n}_gram_char_share": duplicate[n] for n in range(5, 11)},
        "digit_share": ratio(sum(category(c) == "N" for c in text), len(text)),
        "uppercase_share": ratio(sum(unicodedata.category(c) in ("Lu", "Lt") for c in letters), len(letters)),
        "replacement_char_share": ratio(garbled(text), len(text)),
        "curly_brace_count": text.count("{"),
        "lorem_ipsum": re.search("lorem ipsum", text, re.IGNORECASE | re.ASCII) is not None,
    }
