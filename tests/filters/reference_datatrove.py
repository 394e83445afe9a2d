"""datatrove's and ChineseWebText's signals once more, in plain Python with regular expressions: slow, no kernels.

The lists of characters and of exceptions are those of `corpusmill.filters.english`; bench/conformance.py compares these
and all else with spaCy and datatrove themselves.
"""

import re
from collections import Counter
from functools import cache

from corpusmill.filters import english as e
from corpusmill.filters.characters import TRADITIONAL, character_classes


def has(character, flag):
    code = ord(character)
    return code < len(e.character_classes()) and bool(e.character_classes()[code] & flag)


@cache
def one_of(flag):
    codes = [code for code, flags in enumerate(e.character_classes()) if flags & flag and not 0xD800 <= code < 0xE000]
    return "".join(re.escape(chr(code)) for code in codes)


@cache
def patterns():
    lower, upper, digit = one_of(e.LOWER), one_of(e.UPPER), "0-9"
    letter, quote, icon = lower + upper, one_of(e.QUOTE), one_of(e.ICON)
    units = "|".join(map(re.escape, sorted(e.UNITS.split(), key=len, reverse=True)))
    currency = rf"[{one_of(e.CURRENCY)}]|US\$|C\$|A\$"
    prefix = rf"\.\.+|\+(?![0-9])|[{one_of(e.PREFIX)}{icon}]|US\$|C\$|A\$"
    suffix = [
        r"\.\.+", "……", f"[{one_of(e.SUFFIX)}{icon}]", "['’][sS]", rf"(?<=[{digit}])\+", r"(?<=°[FfCcKk])\.",
        f"(?<=[{digit}])(?:{currency}|{units})", rf"(?<=[{one_of(e.DOTTABLE)}])\.", rf"(?<=[{upper}][{upper}])\.",
    ]  # fmt: skip
    infix = [
        r"\.\.+", "…", f"[{icon}]", rf"(?<=[{digit}])[+\-*^](?=[{digit}-])",
        rf"(?<=[{lower}{quote}])\.(?=[{upper}{quote}])", f"(?<=[{letter}]),(?=[{letter}])",
        f"(?<=[{letter}{digit}])(?:-|–|—|--|---|——|~)(?=[{letter}])", f"(?<=[{letter}{digit}])[:<>=/](?=[{letter}])",
    ]  # fmt: skip
    label = "[A-Za-z0-9\u00a1-\uffff](?:[A-Za-z0-9\u00a1-\uffff_-]{0,62}[A-Za-z0-9\u00a1-\uffff])?"
    private = (
        r"(?!(?:10|127)(?:\.\d+){3})(?!(?:169\.254|192\.168)(?:\.\d+){2})(?!172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2})"
    )
    octet, last = "0*(?:1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])", "0*(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-4])"
    public = rf"{private}(?:[1-9][0-9]?|1[0-9]{{2}}|2[01][0-9]|22[0-3])(?:\.{octet}){{2}}\.{last}"
    host = rf"(?:{label}\.)+[{lower}]{{2,63}}|{public}"
    address = rf"(?:[^\W]|[+.-]){{2,}}://(?:[^/?#]*@)?(?:{host})(?::\d{{2,5}})?(?:[/?#]\S*)?"
    address = rf"{address}|(?:[^/?#]*@)?(?:{host})(?::\d{{2,5}})?(?:[/?#]\S*)?"
    ends_and_middles = ("|".join(f"(?:{part})$" for part in suffix), "|".join(infix))
    return tuple(re.compile(pattern) for pattern in (prefix, *ends_and_middles, address))


def tokens_of(text):
    """spaCy's rules for English, chunk by chunk."""
    prefix, suffix, infix, address = patterns()
    exceptions = e.exceptions()
    tokens = []
    for chunk in text.split():
        before, after, size = [], [], None
        while chunk and len(chunk) != size and chunk not in exceptions:
            size = len(chunk)
            first = prefix.match(chunk)
            n = first.end() if first else 0
            if n and chunk[n:] in exceptions:
                before.append(chunk[:n])
                chunk = chunk[n:]
                break
            last = suffix.search(chunk[n:])
            m = len(chunk) - n - last.start() if last else 0
            if m and chunk[: len(chunk) - m] in exceptions:
                after.append(chunk[len(chunk) - m :])
                chunk = chunk[: len(chunk) - m]
                break
            before += [chunk[:n]] if n else []
            after += [chunk[len(chunk) - m :]] if m else []
            chunk = chunk[n : len(chunk) - m]
        middle = [chunk] if chunk else []
        if chunk in exceptions:
            middle = list(exceptions[chunk])
        elif chunk and not address.fullmatch(chunk):
            middle, start = [], 0
            for found in infix.finditer(chunk):
                if found.start() == 0:
                    continue
                middle += [chunk[start : found.start()]] if found.start() > start else []
                middle.append(found[0])
                start = found.end()
            middle += [chunk[start:]] if chunk[start:] else []
        tokens += joined([*before, *middle, *reversed(after)])
    return tokens


def joined(tokens):
    """Tokens of a chunk that are an exception together become what it says, the longest first at each place."""
    found, k = [], 0
    while k < len(tokens):
        for end in range(len(tokens), k + 1, -1):
            parts = e.exceptions().get("".join(tokens[k:end]))
            if parts and len(parts) <= end - k:
                found += parts
                k = end
                break
        else:
            found.append(tokens[k])
            k += 1
    return found


def repeats(pieces):
    seen, n, characters = set(), 0, 0
    for piece in pieces:
        if piece in seen:
            n, characters = n + 1, characters + len(piece)
        seen.add(piece)
    return n, characters


def datatrove_of(text):
    def ratio(part, whole):
        return part / whole if whole else None

    tokens, lines, size = tokens_of(text), text.splitlines(), len(text)
    words = [token for token in tokens if any(not has(c, e.SYMBOL) for c in token)]
    stripped = [line.strip() for line in lines]
    full = [line for line in text.split("\n") if line.strip()]
    runs, paragraphs = re.split("\n+", text), re.split("\n{2,}", text.strip())
    duplicate_lines, duplicate_line_chars = repeats(runs) if text else (0, 0)
    duplicate_paragraphs, duplicate_paragraph_chars = repeats(paragraphs) if text else (0, 0)
    found = {
        "n_words_datatrove": len(words),
        "mean_word_length_datatrove": ratio(sum(map(len, words)), len(words)),
        "hash_word_ratio_datatrove": ratio(text.count("#"), len(tokens)),
        "ellipsis_word_ratio_datatrove": ratio(text.count("...") + text.count("…"), len(tokens)),
        "bullet_line_share_datatrove": ratio(sum(s.startswith(("•", "-")) for s in stripped), len(lines)),
        "ellipsis_line_share_datatrove": ratio(sum(s.endswith(("...", "…")) for s in stripped), len(lines)),
        "alphabetic_word_share_datatrove": ratio(sum(any(map(str.isalpha, t)) for t in tokens), len(tokens)),
        "stop_word_count_datatrove": len(set(e.STOP_WORDS) & set(tokens)),
        "duplicate_paragraph_share_datatrove": ratio(duplicate_paragraphs, len(paragraphs)) if text else None,
        "duplicate_paragraph_char_share_datatrove": ratio(duplicate_paragraph_chars, size),
        "duplicate_line_share_datatrove": ratio(duplicate_lines, len(runs)) if text else None,
        "duplicate_line_char_share_datatrove": ratio(duplicate_line_chars, size),
        "terminal_punctuation_line_share_datatrove": ratio(sum(has(s[-1], e.TERMINAL) for s in full), len(full)),
        "short_line_share_datatrove": ratio(sum(len(line) <= 30 for line in full), len(full)),
        "fineweb_duplicate_line_char_share_datatrove": ratio(repeats(full)[1], size - text.count("\n")),
        "newline_word_ratio_datatrove": ratio(text.count("\n"), len(tokens)),
    }
    for n in (2, 3, 4):
        grams = [" ".join(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
        gram, times = Counter(grams).most_common(1)[0] if grams else ("", 0)
        found[f"top_{n}_gram_char_share_datatrove"] = ratio(len(gram) * times, size) if grams else None
    for n in range(5, 11):
        seen, characters, i = set(), 0, 0
        while i < len(tokens) - n + 1:
            gram = "".join(tokens[i : i + n])
            characters, i = (characters + len(gram), i + n) if gram in seen else (characters, i + 1)
            seen.add(gram)
        found[f"duplicate_{n}_gram_char_share_datatrove"] = ratio(characters, size)
    return found | c4_of(lines)


def c4_of(lines):
    sentences = lorem = bracket = 0
    for given in map(str.strip, lines):
        words = given.split()
        line = re.sub(r"\[\d*\]|\[edit\]|\[citation needed\]", "", given)
        if any(len(word) > 1000 for word in words) or len(words) < 3:
            continue
        if not line.endswith((".", "?", "!", '"', "'")) or line.endswith("..."):
            continue
        small = re.sub("[A-Z]", lambda m: m[0].lower(), line).replace("\u212a", "k")
        if "lorem ipsum" in small:
            lorem += 1
        elif "javascript" in small:
            pass
        elif "{" in line:
            bracket += 1
        elif not any(
            phrase in small
            for phrase in (
                "terms of use",
                "privacy policy",
                "cookie policy",
                "uses cookies",
                "use of cookies",
                "use cookies",
            )
        ):
            sentences += n_sentences(line)
    return {
        "c4_lines_n_sentences_datatrove": sentences,
        "c4_lines_lorem_ipsum_datatrove": lorem > 0,
        "c4_lines_curly_bracket_datatrove": bracket > 0,
    }


def n_sentences(line):
    """Tokens with the white space between them; white space other than one space is a token, too."""
    n, ended = 1, False
    for piece in re.split(r"((?:[\s\x1c-\x1f])+)", line):
        if piece.isspace() or not piece:
            if ended and piece not in ("", " "):
                n, ended = n + 1, False
            continue
        for token in tokens_of(piece):
            stop = len(token) == 1 and has(token, e.FULL_STOP)
            if ended and not stop and not all(has(c, e.PUNCTUATION) for c in token):
                n, ended = n + 1, False
            elif stop:
                ended = True
    return n


def chinesewebtext_of(text):
    def ratio(part, whole):
        return part / whole if whole else None

    classes = character_classes()
    squeezed = re.sub("[ \n\t]", "", text.strip().lower())
    grams = [squeezed[i : i + 13] for i in range(len(squeezed) - 13)] if len(squeezed) >= 13 else [squeezed]
    counts = Counter(grams)
    return {
        "mean_line_length_chinesewebtext": len(text) / len(text.split("\n")),
        "han_share_chinesewebtext": ratio(len(re.findall("[\u4e00-\u9fa5]", text)), len(text)),
        "traditional_count_chinesewebtext": sum(
            ord(c) < len(classes) and bool(classes[ord(c)] & TRADITIONAL) for c in text
        ),
        "repeated_13_gram_share_chinesewebtext": ratio(sum(n for n in counts.values() if n > 1), len(grams)),
    }
