"""The signals once more, in plain Python and straight from their definitions: slow, and independent of the kernels."""

import math
import re
import unicodedata
from collections import Counter

SEPARATORS = "་༌፡"
BULLETS = "•‣▶◀◦■□▪▫●○◆◇➢➤❖·・⁃✓✔"


def category(character):
    return unicodedata.category(character)[0]


IDEOGRAPHIC = (
    *("CJK", "HIRAGANA", "KATAKANA", "HENTAIGANA", "HALFWIDTH KATAKANA", "YI SYLLABLE", "BOPOMOFO", "TANGUT", "KHITAN"),
    *("NUSHU", "IDEOGRAPHIC ITERATION", "VERTICAL IDEOGRAPHIC", "IDEOGRAPHIC CLOSING", "MASU MARK", "VERTICAL KANA"),
    *("OLD CHINESE ITERATION",),
)
CLUSTERED = (
    *(
        "THAI",
        "LAO",
        "KHMER",
        "MYANMAR",
        "JAVANESE",
        "BALINESE",
        "TAI LE",
        "NEW TAI LUE",
        "TAI THAM",
        "TAI VIET",
        "AHOM",
    ),
)


def script(character):
    """'ideograph', 'cluster' or '' of a letter, by Unicode's names instead of blocks."""
    if category(character) != "L":
        return ""
    name = unicodedata.name(character, "")
    if name.startswith(IDEOGRAPHIC) or (not name and 0x17000 <= ord(character) < 0x18D80):  # Tangut has no names here
        return "ideograph"
    return "cluster" if name.startswith(CLUSTERED) else ""


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


SCRIPT_NAMES = {
    "latin": "LATIN", "greek": "GREEK", "cyrillic": "CYRILLIC", "hebrew": "HEBREW", "arabic": "ARABIC", "thai": "THAI",
    "lao": "LAO", "myanmar": "MYANMAR", "khmer": "KHMER", "hangul": "HANGUL", "kana": ("HIRAGANA", "KATAKANA"),
    "indic": ("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA", "MALAYALAM"),
    "han": ("CJK UNIFIED", "CJK COMPAT"),
}  # fmt: skip
COUNTED = "like share comment retweet repost quote bookmark upvote downvote download view follower"


def words_in_line(line):
    """Words of a line, in order, and how many it has where 2 or 4 letters make one."""
    units, words = units_of(line)
    ideographs = sum(script(c) == "ideograph" for c in line)
    clusters = sum(script(c) == "cluster" for c in line)
    return units, len(words) + math.ceil(ideographs / 2) + math.ceil(clusters / 4)


def line_kinds(line):
    """RefinedWeb's five kinds of lines that this one is of."""
    units, n_words = words_in_line(line)
    kinds = set()
    if 2 * sum(unicodedata.category(c) in ("Lu", "Lt") for c in line) > len(line):
        kinds.add("uppercase")
    if all(category(c) == "N" for c in line):
        kinds.add("numeric")
    counted = {*COUNTED.split(), *(f"{word}s" for word in COUNTED.split()), "reply", "replies"}
    counted |= {word.capitalize() for word in counted} | {word.upper() for word in counted}
    if len(units) == n_words == 2 and line[0] in "0123456789" and units[1] in counted:
        kinds.add("counter")
    if n_words == 1:
        kinds.add("one_word")
    spelt = " ".join(units)
    forms = {form for p in ("signin", "sign in", "read more", "item in cart", "items in cart")
             for form in (p, p.capitalize(), p.title(), p.upper())} | {"SignIn"}  # fmt: skip
    if 0 < n_words <= 10 and any(
        (spelt + " ").startswith(form + " ") if form.lower().startswith("sign") else
        (" " + spelt).endswith(" " + form) if form.lower().startswith("read") else
        f" {form} " in f" {spelt} "
        for form in forms
    ):  # fmt: skip
        kinds.add("boilerplate")
    return kinds, n_words


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
    scripts = Counter(
        next((k for k, v in SCRIPT_NAMES.items() if unicodedata.name(c, "").startswith(v)), "other_script")
        for c in letters
    )
    kinds = [line_kinds(line) for line in lines]
    line_words = sum(n for _, n in kinds)
    in_line = {
        kind: sum(kind in flags for flags, _ in kinds)
        for kind in ("uppercase", "numeric", "counter", "one_word", "boilerplate")
    }
    javascript = {"javascript", "JavaScript", "Javascript", "JAVASCRIPT"}
    uppers = [sum(unicodedata.category(c) in ("Lu", "Lt") for c in line) / len(line) for line in lines]
    digits = [sum(category(c) == "N" for c in line) / len(line) for line in lines]
    capitals = sum(
        any(unicodedata.category(c) in ("Lu", "Lt") for c in word)
        and not any(unicodedata.category(c) == "Ll" for c in word)
        for word in words
    )
    lorem = len(re.findall("lorem ipsum", text, re.IGNORECASE | re.ASCII))
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
        "curly_bracket_share": ratio(text.count("{") + text.count("}"), len(text)),
        "uppercase_word_share": None if spaceless else ratio(capitals, len(words)),
        "long_line_count": sum(len(line) >= 200 for line in lines),
        "mean_line_length": ratio(line_chars, len(lines)),
        "mean_line_words": ratio(line_words, len(lines)),
        "mean_line_uppercase_share": ratio(sum(uppers), len(lines)),
        "mean_line_digit_share": ratio(sum(digits), len(lines)),
        "javascript_line_share": ratio(sum(bool(javascript & set(units_of(line)[1])) for line in lines), len(lines)),
        **{f"{kind}_line_share": ratio(n, len(lines)) for kind, n in in_line.items()},
        "flagged_line_word_share": ratio(sum(n for flags, n in kinds if flags), line_words),
        **{f"{name}_share": ratio(scripts[name], len(letters)) for name in (*SCRIPT_NAMES, "other_script")},
        "lorem_ipsum": lorem > 0,
        "lorem_ipsum_density": ratio(lorem, len(text)),
    }
