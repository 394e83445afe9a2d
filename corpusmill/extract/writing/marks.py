"""Leaves out texts that are on a page but not for its readers: marks of the layout, of the editor and of the software.

    headings       the link of a heading to itself ("¶", "#", "Direct link to ..."), MediaWiki's "[edit]"
    icons          names of icons that a font shows as pictures ("arrow_forward")
    hidden         texts for screen readers only ("opens in a new tab")
    numbers        line numbers beside code
    notices        of the software and the editors: see `notices.py`; "5 min read"; buttons to copy code or share a page
    formulas       the rendered form of a formula, which is in the text as TeX

Whole elements are left out, by words in their class or id.  What is left of their text must confirm it: line numbers
are digits only, the link of a heading is short, and so on.  Some elements need no such word: numbers that count the
lines of code, pictures of icon fonts, "[citation needed]" in superscripts.  The decision which blocks are kept comes
before, so nothing here changes it.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from corpusmill.extract.segments.attributes import class_token
from corpusmill.extract.segments.lean import Bytes, Int, Record, Rows, Words, lean_entry, lean_kernel
from corpusmill.extract.segments.tables import BIT, Segments, copied
from corpusmill.extract.segments.tags import TAG, UNKNOWN
from corpusmill.extract.writing import phrases
from corpusmill.extract.writing.notices import Span, notices

MAX_MARK_BYTES = 400
MAX_NUMBERS_BYTES = 200_000  # of the line numbers of one text
MAX_FOUND_AT_FIRST, MAX_FOUND = 256, 20_000  # elements; few pages have more than the first number
MAX_BYTES_PER_BYTE = 8  # of the page's text, for all elements that are tried


class _Rule(NamedTuple):
    """Elements with all of these words are left out if their text fits."""

    words: tuple[str, ...]
    fits: Callable[[str], object]
    most_bytes: int = MAX_MARK_BYTES
    except_in: int = 0  # flags of elements in which it does not hold
    only_in: int = 0  # a flag of the block that it begins in
    beside: bool = False  # it holds only beside a formula
    before_code: bool = False  # it holds only before preformatted text


_CELL, _HEADING, _PREFORMATTED = BIT["cell"], BIT["heading"], BIT["preformatted"]


def _any(text: str) -> bool:
    return True


_RULES = [
    *(
        _Rule(tuple(words.split()), phrases.is_link_of_heading)
        for words in (
            "headerlink", "hash link", "header anchor", "heading anchor", "heading link", "anchor", "anchorjs link",
            "permalink", "direct link", "section link", "header link", "anchor link",
        )
    ),
    _Rule(("mw", "editsection"), _any),
    *(_Rule((word,), phrases.BRACKETED.match) for word in ("editsection", "viewcode")),
    *(_Rule(tuple(words.split()), phrases.BRACKETED.match) for words in ("noprint inline template", "template fact")),
    _Rule(("edit",), phrases.EDIT.match),
    _Rule(("back", "top"), phrases.TO_TOP.match),
    *(
        _Rule(tuple(words.split()), phrases.ICON.match)
        for words in ("material icons", "material symbols", "google symbols")
    ),
    *(
        rule
        for words in (
            "sr only", "visually hidden", "visuallyhidden", "screen reader", "screenreader", "sronly", "a11y hidden",
            "assistive text", "wb inv", "hidden visually",
            "show for sr", "accessibly hidden", "accessible hidden", "vishidden", "hide accessible",
        )
        for rule in (
            _Rule(tuple(words.split()), _any, except_in=_CELL | _HEADING),  # there it is all that a reader would miss
            _Rule(tuple(words.split()), phrases.is_hint, only_in=_HEADING),
        )
    ),
    *(
        _Rule(tuple(words.split()), phrases.NEW_WINDOW.match)
        for words in ("external icon", "external link", "offscreen", "off screen", "element invisible", "visually hide")
    ),
    *(
        _Rule(tuple(words.split()), phrases.NUMBERS.match, MAX_NUMBERS_BYTES)
        for words in (
            "lineno", "linenos", "linenodiv", "linenumber", "linenumbers", "line numbers", "linenr", "blob num",
            "crayon nums", "hljs ln numbers", "code line numbers", "rouge gutter", "pre numbering", "diff line num",
            "line no", "codemirror linenumber",
        )
    ),
    *(
        rule
        for words in ("line number", "gutter", "lnt", "ln", "line num")  # other things have such names, too
        for rule in (
            _Rule(tuple(words.split()), phrases.NUMBERS.match, MAX_NUMBERS_BYTES, only_in=_PREFORMATTED),
            _Rule(tuple(words.split()), phrases.is_count, MAX_NUMBERS_BYTES),
        )
    ),
    *(_Rule((word,), phrases.COPY.match) for word in ("copy", "copied", "clipboard", "copyable")),
    *(
        _Rule(tuple(words.split()), phrases.LANGUAGE_NAME.match, before_code=True)
        for words in ("lang", "language", "code lang")
    ),
    *(
        _Rule(tuple(words.split()), phrases.MINUTES.match, except_in=_CELL)
        for words in ("reading time", "read time", "readtime", "readingtime", "min read", "rt reading", "eta")
    ),
    *(
        _Rule((word,), phrases.SHARE.match, except_in=_HEADING)
        for word in ("share", "sharing", "social", "addtoany", "sharedaddy", "socials")
    ),
    *(_Rule(words, _any, 50_000, beside=True) for words in (("katex", "html"), ("math", "jax"), ("mjx", "math"))),
    _Rule(("math", "jax", "preview"), _any, 20_000),
]  # fmt: skip


# The rules as arrays, for the kernel.  Unused places of a row of words hold its last word.
_MOST_WORDS = max(len(rule.words) for rule in _RULES)
_WORDS = np.array(
    [
        [*map(class_token, rule.words), *[class_token(rule.words[-1])] * (_MOST_WORDS - len(rule.words))]
        for rule in _RULES
    ],
    np.uint32,
)
_MOST_BYTES = np.array([rule.most_bytes for rule in _RULES], np.int32)
_EXCEPT_IN = np.array([rule.except_in for rule in _RULES], np.int64)
_ONLY_IN = np.array([rule.only_in for rule in _RULES], np.int64)
_BEFORE_CODE = np.array([rule.before_code for rule in _RULES], np.bool_)
_FILTER_BITS = 12
_MAYBE = np.zeros(1 << _FILTER_BITS, np.bool_)  # by the last bits of a token: whether it can be the last word of a rule
_MAYBE[_WORDS[:, -1] & (len(_MAYBE) - 1)] = True
_LONGEST = int(_MOST_BYTES.max())
_MAX_SIGN_BYTES, _MAX_SHORT_BYTES = 8, 40
_FOUND = np.dtype(
    [
        ("start", np.int32),
        ("end", np.int32),
        ("rule", np.int32),  # or one of the numbers below
        ("verbatim", np.int32),
        ("is_all", np.int32),  # of a heading
        ("source", np.int32),
        ("block", np.int32),
    ],
    align=True,
)
_A, _NOSCRIPT, _SUP, _BUTTON = TAG["a"], TAG["noscript"], TAG["sup"], TAG["button"]
_NO_SPACE_AFTER, _NO_SPACE_BEFORE = b" \n([{", b"\n.,;:!?)]}"
_SPACE, _LINE_FEED, _DOLLAR, _PARENTHESIS, _ZERO, _NINE = b" \n$)09"
_PRIVATE, _PRIVATE_LAST = "\ue000".encode()[0], "\uf8ff".encode()[0]
_LETTER_I, _LETTER_C, _LETTER_O, _LETTER_N = b"icon"

# In place of a rule's number: an element, and the text that confirms it.
_LINK_OF_HEADING, _SCRIPT_NOTICE, _NEEDED, _ICON_ELEMENT, _PICTURE, _COPY_BUTTON, _TO_WINDOW, _NUMBER, _ALL_NUMBERS = (
    -1, -2, -3, -4, -5, -6, -7, -8, -9,
)  # fmt: skip
_TEXTS: dict[int, Callable[[str], object]] = {
    _LINK_OF_HEADING: phrases.SIGNS.match,
    _SCRIPT_NOTICE: phrases.SCRIPTS.search,
    _NEEDED: phrases.NEEDED.match,
    _ICON_ELEMENT: phrases.ICON.match,
    _PICTURE: phrases.PRIVATE.match,
    _COPY_BUTTON: phrases.COPY.match,
}


def without_marks(segments: Segments, keep: npt.NDArray[np.bool_]) -> tuple[Segments, npt.NDArray[np.bool_]]:
    """The page without the marks in its kept blocks, and which blocks are still kept, bool (n_blocks,)."""
    if not keep.any():
        return segments, keep
    spans = _with_separators(segments, _merged([*_of_elements(segments, keep), *notices(segments, keep)]))
    return _without(segments, keep, spans) if spans else (segments, keep)


def _of_elements(segments: Segments, keep: npt.NDArray[np.bool_]) -> Iterator[Span]:
    """Spans of elements that are left out, by the rules and by what else the kernel finds."""
    arguments = (segments.source, segments.text, segments.blocks, segments.nodes, segments.tokens, keep, _MAYBE, _WORDS)
    limits = (_MOST_BYTES, _EXCEPT_IN, _ONLY_IN, _BEFORE_CODE)
    found = np.empty(MAX_FOUND_AT_FIRST, _FOUND)
    n_found = _find(*arguments, *limits, found)
    if n_found == len(found):
        found = np.empty(MAX_FOUND, _FOUND)
        n_found = _find(*arguments, *limits, found)
    done, n_bytes_left = -1, MAX_BYTES_PER_BYTE * len(segments.text) + MAX_NUMBERS_BYTES
    numbers: list[tuple[int, int, int, int]] = []  # start, end, place in the source, block
    for start, end, rule, verbatim, is_all, source, block in found[:n_found].tolist():
        if start < done:
            continue
        n_bytes_left -= end - start  # many elements may be in one another
        if n_bytes_left < 0:
            break
        if rule == _NUMBER:
            numbers.append((start, end, source, block))
        elif rule == _TO_WINDOW:
            yield from _hint(segments, start, end)
        elif rule == _ALL_NUMBERS:
            if _counts_lines_of_next(segments, block):
                yield segments.blocks["start"].item(block), segments.blocks["end"].item(block), True
        elif rule < 0:
            fits = _TEXTS[rule](segments.text_between(start, end))
            if fits and (rule != _LINK_OF_HEADING or phrases.TO_FRAGMENT.match(segments.data, source, source + 400)):
                yield start, end, rule == _COPY_BUTTON and bool(verbatim)
        elif (
            not (is_all and _RULES[rule].fits is phrases.is_link_of_heading)
            and _RULES[rule].fits(segments.text_between(start, end))
            and not (_RULES[rule].beside and not _is_beside_formula(segments, start, end))
        ):
            yield start, end, bool(verbatim)
            done = end
    while numbers:
        n = 1
        while n < len(numbers) and numbers[n][-1] <= numbers[n - 1][-1] + 1:
            n += 1
        yield from _line_numbers(segments, numbers[:n])
        del numbers[:n]


def _hint(segments: Segments, start: int, end: int) -> Iterator[Span]:
    """The span of "(opens in a new window)" at the end of a link."""
    text = segments.text_between(start, end)
    if hint := phrases.NEW_WINDOW_AT_END.search(text):
        yield end - len(text[hint.start() :].encode()), end, True  # with the space before it


def _is_beside_formula(segments: Segments, start: int, end: int) -> bool:
    """Whether a formula as TeX stands directly before or after a span of the text, and none in it."""
    text = segments.text
    if _DOLLAR in text[start:end]:
        return False
    before, after = text[max(0, start - 2) : start + 1].tolist(), text[max(0, end - 1) : end + 3].tolist()
    return _DOLLAR in before or _DOLLAR in after


def _counts_lines_of_next(segments: Segments, block: int) -> bool:
    """Whether a preformatted block counts the lines of the next one."""
    blocks = segments.blocks
    numbers, code = (segments.block_text(at).strip("\n") for at in (block, block + 1))
    n_lines = 1 + numbers.count("\n")
    return (
        phrases.is_count(numbers)
        and n_lines == 1 + code.count("\n")
        and not code.replace("\n", "").replace(" ", "").isdigit()
        and bool(blocks["flags"].item(block) & _CELL or n_lines > 2)
    )


def _line_numbers(segments: Segments, elements: list[tuple[int, int, int, int]]) -> Iterator[Span]:
    """Spans of the numbers at the beginning of the lines of code, if they count these lines."""
    numbers = " ".join(segments.text_between(start, end).strip(" :.|") for start, end, _, _ in elements)
    first, last = elements[0][-1], elements[-1][-1]
    code = segments.text_between(segments.blocks["start"].item(first), segments.blocks["end"].item(last))
    n_lines = 1 + code.strip("\n").count("\n")
    if n_lines > len(elements) or not phrases.is_count(numbers) or phrases.NUMBERS.match(code):
        return
    if all(phrases.OF_LINE.match(segments.data, source, source + 300) for _, _, source, _ in elements[:3]):
        yield from ((start, end, True) for start, end, _, _ in elements)


def _with_separators(segments: Segments, spans: list[Span]) -> list[Span]:
    """The same spans, with the space that separates line numbers from code, if each of them has one."""
    text, n = segments.text, len(segments.text)
    places = []
    for i, (start, end, verbatim) in enumerate(spans):
        is_first = verbatim and end - start <= _MAX_SIGN_BYTES and (start == 0 or text.item(start - 1) == _LINE_FEED)
        if is_first and phrases.NUMBERS.match(segments.text_between(start, end)):
            places.append(i)
    after = [bytes(text[spans[i][1] : spans[i][1] + 2]) for i in places]
    if not any(two[:1] == b" " != two[1:] for two in after) or not all(two[:1] in b" \n" for two in after):
        return spans
    for i, two in zip(places, after, strict=True):
        spans[i] = (spans[i][0], min(n, spans[i][1] + (two[:1] == b" ")), True)
    return spans


@lean_entry
def _find(
    source: Bytes,
    text: Bytes,
    blocks: Rows,
    nodes: Rows,
    tokens: Words,
    keep: Any,
    maybe: Any,
    words: Any,
    most: Any,
    except_in: Any,
    only_in: Any,
    before_code: Any,
    found: Rows,
) -> Int:
    """Write into `found` which elements with text in kept blocks may be marks, and by which rule; their number.

    An element may be in `found` by several rules.
    """
    n_found, block = 0, 0
    for i in range(len(nodes)):
        node = nodes[i]
        n_bytes = node.text_end - node.text_start
        if n_bytes <= 0 or n_bytes > _LONGEST:
            continue
        while block < len(blocks) and (not keep[block] or blocks[block].end <= node.text_start):
            block += 1
        if block == len(blocks):
            break
        if blocks[block].start >= node.text_end:
            continue
        verbatim = 1 if (node.flags | blocks[block].flags) & _PREFORMATTED else 0
        row = blocks[block]
        is_all = row.heading > 0 and node.text_start <= row.start and node.text_end >= row.end
        special = 0
        if n_bytes <= MAX_MARK_BYTES:
            special = special_kind(source, text, blocks, node, n_bytes, block)
        if special and n_found < len(found):
            note(found[n_found], node, special, verbatim, is_all, block)
            n_found += 1
        for k in range(node.first_token, node.end_token):
            token = tokens[k]
            if not maybe[token & (len(maybe) - 1)]:
                continue
            for rule in range(len(words)):
                if words[rule, -1] != token or n_bytes > most[rule] or node.flags & except_in[rule]:
                    continue
                if only_in[rule] and not blocks[block].flags & only_in[rule]:
                    continue
                if before_code[rule] and not is_before_code(blocks, keep, block, node):
                    continue
                n_words = 1
                for w in range(words.shape[1] - 1):
                    for own in range(node.first_token, node.end_token):
                        if tokens[own] == words[rule, w]:
                            n_words += 1
                            break
                if n_words == words.shape[1] and n_found < len(found):
                    note(found[n_found], node, rule, verbatim, is_all, block)
                    n_found += 1
    return n_found


@lean_kernel
def note(row: Record, node: Record, rule: Int, verbatim: Int, is_all: Int, block: Int) -> None:
    """Fill a row of the elements that were found."""
    row.start, row.end, row.rule = node.text_start, node.text_end, rule
    row.verbatim, row.is_all, row.source, row.block = verbatim, is_all, node.source, block


@lean_kernel
def is_before_code(blocks: Rows, keep: Any, block: Int, node: Record) -> bool:
    """Whether an element is all of its block, and the next kept block is preformatted."""
    row = blocks[block]
    if row.flags & _PREFORMATTED or row.start < node.text_start or row.end > node.text_end:
        return False
    while block < len(blocks) and (not keep[block] or blocks[block].start < node.text_end):
        block += 1
    return bool(block < len(blocks) and blocks[block].flags & _PREFORMATTED != 0)


@lean_kernel
def special_kind(source: Bytes, text: Bytes, blocks: Rows, node: Record, n_bytes: Int, block: Int) -> Int:
    """What a short element with kept text may be; 0: nothing that needs no class."""
    tag, start, end = node.tag, node.text_start, node.text_end
    if tag == _NOSCRIPT:
        return _SCRIPT_NOTICE
    if tag == _SUP:
        return _NEEDED if n_bytes > _MAX_SIGN_BYTES else 0
    if tag == _A and text[end - 1] == _PARENTHESIS:
        return _TO_WINDOW
    if n_bytes > _MAX_SHORT_BYTES:
        return all_numbers(text, blocks, block, start)
    if tag == _BUTTON:
        return _COPY_BUTTON
    if tag == UNKNOWN and is_icon_name(source, node.source):
        return _ICON_ELEMENT
    if n_bytes > _MAX_SIGN_BYTES:
        return all_numbers(text, blocks, block, start)
    first = text[start] if text[start] > _SPACE else text[start + 1]
    if _PRIVATE <= first <= _PRIVATE_LAST and not node.flags & _PREFORMATTED:
        return _PICTURE
    if node.flags & _PREFORMATTED:
        at = start
        while at < end and text[at] == _SPACE:
            at += 1
        if at < end and _ZERO <= text[at] <= _NINE and blocks[block].start <= start:
            if start == blocks[block].start and end >= blocks[block].end:
                return all_numbers(text, blocks, block, start)
            return _NUMBER if start == blocks[block].start or text[start - 1] == _LINE_FEED else 0
    if tag == _A and node.flags & _HEADING:
        return _LINK_OF_HEADING
    return all_numbers(text, blocks, block, start)


@lean_kernel
def all_numbers(text: Bytes, blocks: Rows, block: Int, start: Int) -> Int:
    """_ALL_NUMBERS if an element is a preformatted block of several numbers before another one."""
    row = blocks[block]
    if not row.flags & _PREFORMATTED or start > row.start or block + 1 == len(blocks):
        return 0
    if not blocks[block + 1].flags & _PREFORMATTED or row.n_digits < 2:
        return 0
    for i in range(row.start, row.end):
        if text[i] != _SPACE and text[i] != _LINE_FEED and not _ZERO <= text[i] <= _NINE:
            return 0
    return _ALL_NUMBERS


@lean_kernel
def is_icon_name(source: Bytes, start: Int) -> bool:
    """Whether the name in a tag contains "icon"."""
    for i in range(start + 1, start + _MAX_SHORT_BYTES):
        if source[i] <= 62 and source[i] != 45:  # the name ends: white space, "/" or ">", but not "-"
            return False
        if (
            source[i] | 32 == _LETTER_I
            and source[i + 1] | 32 == _LETTER_C
            and source[i + 2] | 32 == _LETTER_O
            and source[i + 3] | 32 == _LETTER_N
        ):
            return True
    return False


def _merged(spans: list[Span]) -> list[Span]:
    """Spans in order, without those that are inside others."""
    merged: list[Span] = []
    for start, end, verbatim in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]), merged[-1][2])
        else:
            merged.append((start, end, verbatim))
    return merged


def _without(
    segments: Segments, keep: npt.NDArray[np.bool_], spans: list[Span]
) -> tuple[Segments, npt.NDArray[np.bool_]]:
    """The page without spans of its text.  Blocks of which nothing is left are not kept."""
    text, n = segments.text, len(segments.text)
    cuts = np.empty((len(spans), 2), np.int32)
    for i, (start, end, verbatim) in enumerate(spans):
        if not verbatim and text.item(start) == _SPACE:  # of an element's text, the space before it is a part
            start += 1
        before = text.item(start - 1) if start else _LINE_FEED
        after = text.item(end) if end < n else _LINE_FEED
        if not verbatim and before in _NO_SPACE_AFTER and after == _SPACE:
            end += 1
        elif not verbatim and before == _SPACE and after in _NO_SPACE_BEFORE:
            start -= 1
        cuts[i] = start, end
    blocks, nodes = copied(segments.blocks), copied(segments.nodes)
    places, rest = np.empty(n + 1, np.int32), np.empty(n, np.uint8)
    n_left = _cut(text, cuts, blocks, nodes, places, rest)
    changed = dataclasses.replace(segments, text=rest[:n_left], blocks=blocks, nodes=nodes)
    return changed, keep & (blocks["end"] > blocks["start"])


@lean_entry
def _cut(text: Bytes, cuts: Any, blocks: Rows, nodes: Rows, places: Any, rest: Bytes) -> Int:
    """Copy the text without the spans `cuts` to `rest`, and change the places in both tables; the number of bytes."""
    n, at = 0, 0
    for i in range(len(cuts) + 1):
        stop = cuts[i, 0] if i < len(cuts) else len(text)
        for k in range(at, stop):
            places[k] = n
            rest[n] = text[k]
            n += 1
        at = max(at, stop)
        if i < len(cuts):
            for k in range(at, cuts[i, 1]):
                places[k] = n
            at = max(at, cuts[i, 1])
    places[len(text)] = n
    for b in range(len(blocks)):
        blocks[b].start, blocks[b].end = places[blocks[b].start], places[blocks[b].end]
    for i in range(len(nodes)):
        nodes[i].text_start, nodes[i].text_end = places[nodes[i].text_start], places[nodes[i].text_end]
    return n
