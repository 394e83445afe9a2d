"""A page's bytes to tables of its text, in one pass and without a tree.

The kernel is HTML's tokenizer (WHATWG HTML, 13.2.5) and as much of its tree builder (13.2.6) as decides where text
goes: a stack of open elements with implied ends, scopes, table contexts, a head that ends by itself, SVG and MathML
that HTML breaks out of.  What would move nodes in a tree is bookkeeping of flags here: an end tag of a formatting or
form element with blocks between takes the element's flags from those blocks (the adoption agency), one that a block's
end closed gives its flags to what follows (reconstruction), and text misplaced in a table stays where it is written.

Out, since no reader sees it: comments, script, style, template, title, textarea, select, datalist, iframe, noembed,
noframes, audio, video and canvas fallbacks, SVG, MathML, and ruby's annotations.  All else is text, hidden or not;
flags say which (`tags`), and the classifier decides.

White space, in text outside <pre>, is one space, also where an image or the like stands between two words; soft
hyphens, zero-width spaces, byte order marks and other controls are left out, joiners kept.  A <pre> is verbatim and one
block, but for block-level elements in it, and for CR LF (a line feed), no-break spaces and controls (a space).

Memory is proportional to the page and taken lazily; depth is limited to MAX_DEPTH, elements deeper than that are only
counted.  Nothing is looked for twice: an unclosed comment, script or quote takes the rest of the page, as in browsers.
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

from corpusmill.extract import attributes as at
from corpusmill.extract import tags
from corpusmill.extract.attributes import ATTRIBUTE_KEYS, ATTRIBUTE_SHIFT, ATTRIBUTE_VALUES, add_fact, attribute_flags, heading_level, read_facts, read_words, type_of
from corpusmill.extract.entities import CLASS_OF, DROP, MARK, class_of, read_reference, read_utf8, write_utf8
from corpusmill.extract.tables import BIT, BLOCK, FACT, MAX_DEPTH, NODE, CharClass, FactKind, Segments
from corpusmill.extract.tags import HEADING_LEVEL, TAG, TAG_FLAGS, TAG_KEYS, TAG_SHIFT, TAG_VALUES, TRAITS, look_up
from corpusmill.kernels import kernel

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.void]

PADDING = 64  # zero bytes after the source, so that looking ahead needs no check
KEPT_BYTES = 16 << 20  # workspaces for longer pages are not kept

STACK = np.dtype(
    [
        ("key", np.uint64),  # of the name; 0 once its end tag was seen while blocks inside were open
        ("own", np.int64),  # flags that it adds
        ("flags", np.int64),  # all flags of text in it
        ("carried", np.int64),  # of a marker: what was carried outside
        ("node", np.int64),
        ("box", np.int64),
        ("tag", np.int64),
        ("slot", np.int64),  # in the counts of open elements
        ("mode", np.int64),
        ("context", np.int64),
        ("paragraph", np.int64),  # entry of the <p> that a block-level start tag would end, or 0
        ("list_depth", np.int64),
        ("heading", np.int64),
    ],
    align=True,
)
NONE, YES = np.int64(0), np.int64(1)
HTML, SVG, MATH, SELECT = 0, 1, 2, 3  # mode: how tags in it are read
NO_TABLE, IN_TABLE, IN_CELL = 0, 1, 2  # context
N_UNKNOWN = 64  # counters for names that aren't HTML's
N_SLOTS = tags.N_TAGS + N_UNKNOWN

STATE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "text_end n_blocks is_open space lead after_br in_word odd links images depth carried n_nodes n_tokens "
            "n_facts form n_over n_inputs n_passwords n_scripts n_frames title"
        ).split()
    ]
)

OUT = np.int64(1 << 62)  # in flags of stack entries only: text isn't wanted
_LINK, _PREFORMATTED, _CUSTOM, _HEADING_FLAG = BIT["link"], BIT["preformatted"], BIT["custom"], BIT["heading"]
_C_SPACE, _C_LOWER, _C_UPPER, _C_DIGIT = (int(CharClass[name]) for name in ("SPACE", "LOWER", "UPPER", "DIGIT"))
_C_LETTER, _C_STOP, _C_COMMA, _C_IDEOGRAPH = (int(CharClass[name]) for name in ("LETTER", "STOP", "COMMA", "IDEOGRAPH"))
_F_TITLE, _F_JSON_LD = np.int64(FactKind.TITLE), np.int64(FactKind.JSON_LD)
_LT, _GT, _SLASH, _BANG, _QUESTION, _DASH, _AMP, _EQUALS = (np.int64(byte) for byte in b"<>/!?-&=")
_DOUBLE_QUOTE, _SINGLE_QUOTE, _LF, _CR, _TAB, _BLANK, _HYPHEN = b"\"'\n\r\t --"[:6] + b"-"
_8, _56 = np.uint64(8), np.uint64(56)
_SCRIPT_KEY = np.uint64(tags.name_key("script"))


def _table(terminators: bytes) -> Bytes:
    """Bytes of names in lower case; 0 for those that end a name."""
    table = np.arange(256, dtype=np.uint8)
    table[ord("A") : ord("Z") + 1] += 32
    table[0] = 1
    table[list(terminators)] = 0
    return table


TAG_BYTE = _table(b" \t\n\r\f/>")
ATTRIBUTE_BYTE = _table(b" \t\n\r\f/>=")
IS_LETTER = np.array([chr(code).isascii() and chr(code).isalpha() for code in range(256)], np.uint8)
IS_BLANK = np.array([code in b" \t\n\r\f" for code in range(256)], np.uint8)

# ----------------------------------------------------------------------------------------------- looking for bytes


def _memchr() -> Any:
    from numba import types

    return types.ExternalFunction("memchr", types.intp(types.intp, types.int32, types.intp))


memchr = _memchr()


@kernel
def find(source: Bytes, byte: int, start: int, end: int) -> int:
    """Where `byte` is next, or `end`."""
    if start >= end:
        return end
    base = source.ctypes.data
    place = memchr(base + start, np.int32(byte), end - start)
    if place == 0:
        return end
    return place - base


@kernel
def comment_end(source: Bytes, start: int, end: int) -> int:
    """After the comment whose "<!--" ends at `start`."""
    if source[start] == _GT:
        return start + 1
    if source[start] == _DASH and source[start + 1] == _GT:
        return start + 2
    position = start + 2
    while True:
        position = find(source, _GT, position, end)
        if position >= end:
            return end
        if source[position - 1] == _DASH and source[position - 2] == _DASH:
            return position + 1
        if (
            source[position - 1] == _BANG
            and source[position - 2] == _DASH
            and source[position - 3] == _DASH
            and position - 3 >= start
        ):
            return position + 1
        position += 1


@kernel
def cdata_end(source: Bytes, start: int, end: int) -> int:
    """After the next "]]>"."""
    position = start + 2
    while True:
        position = find(source, _GT, position, end)
        if position >= end:
            return end
        if source[position - 1] == 93 and source[position - 2] == 93:
            return position + 1
        position += 1


@kernel
def name_is(source: Bytes, start: int, end: int, key: np.uint64) -> bool:
    """Whether a tag's name with this key, and no more, stands at source[start]."""
    found = np.uint64(0)
    while start < end:
        byte = TAG_BYTE[source[start]]
        if byte == 0:
            return found == key
        found = (found << _8) ^ (found >> _56) ^ np.uint64(byte)
        start += 1
    return False


@kernel
def raw_end(source: Bytes, start: int, end: int, key: np.uint64) -> int:
    """The "<" of the end tag of raw text, or `end`."""
    position = start
    while True:
        position = find(source, _LT, position, end)
        if position >= end:
            return end
        if source[position + 1] == _SLASH and name_is(source, position + 2, min(end, position + 64), key):
            return position
        position += 1


@kernel
def script_end(source: Bytes, start: int, end: int) -> int:
    """The same of a script: inside <!-- -->, an inner <script> ... </script> doesn't end it."""
    comment = start  # until there, we are in a comment
    nested = False
    position = start
    while True:
        position = find(source, _LT, position, end)
        if position >= end:
            return end
        if position >= comment:
            nested = False
        following = source[position + 1]
        if following == _SLASH:
            if name_is(source, position + 2, min(end, position + 64), _SCRIPT_KEY):
                if not nested:
                    return position
                nested = False
        elif following == _BANG:
            if position >= comment and source[position + 2] == _DASH and source[position + 3] == _DASH:
                comment = cut_comment_end(source, position + 4, end)
        elif position < comment and not nested:
            nested = name_is(source, position + 1, min(end, position + 64), _SCRIPT_KEY)
        position += 1


@kernel
def cut_comment_end(source: Bytes, start: int, end: int) -> int:
    """After the next "-->", of which the dashes may be those of the "<!--" before `start`."""
    position = start
    while True:
        position = find(source, _GT, position, end)
        if position >= end:
            return end
        if source[position - 1] == _DASH and source[position - 2] == _DASH:
            return position + 1
        position += 1


@kernel
def tag_end(source: Bytes, position: int, end: int) -> tuple[int, bool]:
    """(after the ">" of a tag whose name ends at `position`, or `end` if there is none; is it self-closing?)."""
    named = False
    while position < end:
        byte = source[position]
        if byte == _GT:
            return position + 1, source[position - 1] == _SLASH and not named
        if byte == _EQUALS and named:
            position += 1
            while IS_BLANK[source[position]]:
                position += 1
            quote = source[position]
            if quote == _DOUBLE_QUOTE or quote == _SINGLE_QUOTE:
                position = find(source, np.int64(quote), position + 1, end) + 1
            else:
                while position < end and source[position] != _GT and not IS_BLANK[source[position]]:
                    position += 1
                if source[position - 1] == _SLASH and position < end and source[position] == _GT:
                    return position + 1, False
            named = False
            continue
        if byte == _SLASH:
            named = False
        elif not IS_BLANK[byte]:
            named = True
        position += 1
    return end + 1, False


# ------------------------------------------------------------------------------------------------ text and elements


@kernel
def close_block(text: Bytes, s: Any, is_break: int) -> None:
    """End the open block, if there is one; `is_break` is 1 for <br>."""
    if s.is_open:
        text[s.text_end] = _LF
        s.text_end += 1
        s.is_open = 0
        s.after_br = is_break
    elif not is_break:
        s.after_br = 0
    s.space = 0
    s.lead = 0


@kernel
def read_text(
    source: Bytes, position: int, end: int, references: int, text: Bytes, blocks: Rows, stack: Rows, s: Any
) -> None:
    """Add source[position:end], which holds no tag, to the text."""
    top = stack[s.depth]
    flags = top.flags | s.carried
    preformatted = flags & _PREFORMATTED != 0
    linked = 1 if flags & _LINK else 0
    written = s.text_end
    n_chars = n_words = n_stops = n_commas = n_digits = n_uppers = 0
    in_word, odd = s.in_word, s.odd
    last = ink_end = 0
    while position < end:
        byte = source[position]
        begin = position
        second = 0
        if byte < 128:
            code = np.int64(byte)
            position += 1
            if byte == _AMP and references != 0:
                code, second, position = read_reference(source, begin, end)
            elif byte == _CR and source[position] == _LF:
                continue
        else:
            code, position = read_utf8(source, begin, end)
        while True:
            kind = np.int64(CLASS_OF[code]) if code < 128 else class_of(code)
            if kind == DROP:
                pass
            elif kind == _C_SPACE:
                if preformatted:
                    if code == _CR:
                        code = _LF
                    elif code != _LF and code != _TAB:
                        code = _BLANK
                    if s.is_open:
                        text[written] = code
                        written += 1
                        n_chars += 1
                        in_word = odd = 0
                    else:
                        text[written + s.lead] = code
                        s.lead += 1
                elif s.is_open:
                    s.space = 1
            else:
                if not s.is_open:
                    s.is_open = 1
                    block = blocks[s.n_blocks]
                    s.n_blocks += 1
                    block.start = written
                    block.source_start = begin
                    block.leaf = top.node
                    block.box = top.box
                    block.flags = flags
                    block.depth = s.depth
                    block.list_depth = top.list_depth
                    block.heading = top.heading
                    block.after_br = s.after_br
                    block.first = _C_LETTER if kind == MARK else kind
                    block.n_chars = block.n_words = block.link_chars = block.link_words = block.n_stops = 0
                    block.n_commas = block.n_digits = block.n_uppers = 0
                    written += s.lead
                    n_chars = s.lead
                    s.lead = s.space = in_word = odd = 0
                    block.last = block.first
                elif s.space:
                    text[written] = _BLANK
                    written += 1
                    n_chars += 1
                    s.space = in_word = odd = 0
                n_chars += 1
                ink_end = position
                if kind == _C_LOWER:
                    text[written] = code
                    written += 1
                    last = kind
                    if in_word == 0:
                        n_words += 1
                        in_word = 1
                    if second == 0:  # the common case: more of the same
                        while position < end and CLASS_OF[source[position]] == _C_LOWER:
                            text[written] = source[position]
                            written += 1
                            position += 1
                            n_chars += 1
                        ink_end = position
                elif kind == MARK:
                    written = write_utf8(text, written, code)
                else:
                    written = write_utf8(text, written, code)
                    last = kind
                    if kind == _C_IDEOGRAPH:
                        n_words += 1 - odd
                        odd = 1 - odd
                        in_word = 0
                    else:
                        odd = 0
                        if kind == _C_LETTER or kind == _C_UPPER or kind == _C_DIGIT:
                            n_words += 1 - in_word
                            in_word = 1
                            n_uppers += kind == _C_UPPER
                            n_digits += kind == _C_DIGIT
                        else:
                            in_word = 0
                            n_stops += kind == _C_STOP
                            n_commas += kind == _C_COMMA
            if second == 0:
                break
            code, second = second, 0
    s.in_word, s.odd = in_word, odd
    s.text_end = written
    if s.is_open:
        block = blocks[s.n_blocks - 1]
        block.n_chars += n_chars
        block.n_words += n_words
        block.link_chars += linked * n_chars
        block.link_words += linked * n_words
        block.n_stops += n_stops
        block.n_commas += n_commas
        block.n_digits += n_digits
        block.n_uppers += n_uppers
        block.end = written
        if last:
            block.last = last
        if ink_end:
            block.source_end = ink_end
        block.n_links = s.links
        block.n_images = s.images


@kernel
def pop_to(
    entry: int, text: Bytes, blocks: Rows, nodes: Rows, stack: Rows, counts: npt.NDArray[np.int32], s: Any
) -> None:
    """Close the open elements from `entry` on; of formatting elements above it, the flags are carried on."""
    boundary = False
    for index in range(s.depth, entry - 1, -1):
        top = stack[index]
        traits = TRAITS[top.tag]
        counts[top.slot] -= 1
        if traits & tags.IS_FORMATTING and index > entry:
            s.carried |= top.own & TAG_FLAGS[top.tag]
        elif traits & tags.IS_MARKER:
            s.carried = top.carried
        if index == s.form:
            s.form = -2
        if top.flags & OUT == 0:
            boundary |= traits & tags.IS_BOUNDARY != 0
            node = nodes[top.node]
            node.text_end = s.text_end
            node.end_block = s.n_blocks
    s.depth = entry - 1
    if boundary:
        end_block(text, blocks, s, NONE)
    if s.n_over:
        s.n_over = 0
        counts[N_SLOTS:] = 0


@kernel
def end_block(text: Bytes, blocks: Rows, s: Any, is_break: int) -> None:
    """A boundary: end the open block, and begin to count links and images anew."""
    if s.is_open:
        block = blocks[s.n_blocks - 1]
        block.n_links = s.links
        block.n_images = s.images
        s.links = s.images = 0
    close_block(text, s, is_break)


@kernel
def in_scope(stack: Rows, depth: int, key: np.uint64, stops: int) -> int:
    """The innermost open element with this key, unless one with a trait of `stops` is around; else 0."""
    for index in range(depth, 0, -1):
        if stack[index].key == key:
            return index
        if TRAITS[stack[index].tag] & stops:
            return 0
    return 0


@kernel
def take_flags(stack: Rows, first: int, depth: int, bits: int) -> None:
    """Give entries from `first` on those of `bits` that an element around them still adds, and no others."""
    held = stack[first - 1].flags & bits
    for index in range(first, depth + 1):
        held |= stack[index].own & bits
        stack[index].flags = stack[index].flags & ~bits | held


@kernel
def end_formatting(
    tag: int,
    key: np.uint64,
    text: Bytes,
    blocks: Rows,
    nodes: Rows,
    stack: Rows,
    counts: npt.NDArray[np.int32],
    s: Any,
) -> None:
    """The end tag of a formatting element, or an <a> in an <a>: the adoption agency, as far as flags go."""
    bits = TAG_FLAGS[tag]
    if s.carried & bits:
        s.carried &= ~bits
        take_flags(stack, YES, s.depth, bits)
    if counts[tag] == 0:
        return
    entry = in_scope(stack, s.depth, key, tags.IS_SCOPE)
    if entry == 0:
        return
    for index in range(entry + 1, s.depth + 1):
        if TRAITS[stack[index].tag] & tags.IS_SPECIAL:
            detach(stack, entry, counts, s)
            return
    pop_to(entry, text, blocks, nodes, stack, counts, s)


@kernel
def detach(stack: Rows, entry: int, counts: npt.NDArray[np.int32], s: Any) -> None:
    """End an element whose descendants stay open: they lose its flags."""
    gone = stack[entry]
    bits = TAG_FLAGS[gone.tag]
    counts[gone.slot] -= 1
    counts[0] += 1
    gone.slot = 0
    gone.key = 0
    gone.own &= ~bits
    take_flags(stack, entry, s.depth, bits)


@kernel
def list_item_to_end(stack: Rows, depth: int, first: int, second: int) -> int:
    """The open <li> (or <dd>, <dt>) that another one ends, or 0."""
    for index in range(depth, 0, -1):
        tag = stack[index].tag
        if tag == first or tag == second:
            return index
        traits = TRAITS[tag]
        if traits & tags.IS_SPECIAL and not traits & tags.IS_PLAIN:
            return 0
    return 0


@kernel
def heading_in_scope(stack: Rows, depth: int) -> int:
    """The innermost open <h1> ... <h6> in scope, or 0."""
    for index in range(depth, 0, -1):
        traits = TRAITS[stack[index].tag]
        if traits & tags.IS_HEADING:
            return index
        if traits & tags.IS_SCOPE:
            return 0
    return 0


_T_TABLE, _T_TR, _T_TD, _T_TH, _T_TBODY, _T_THEAD, _T_TFOOT, _T_TEMPLATE, _T_CAPTION = (
    TAG[name] for name in "table tr td th tbody thead tfoot template caption".split()
)


@kernel
def table_context(stack: Rows, depth: int, tag: int) -> int:
    """The innermost entry that may hold a table part: what is above it ends before the part begins."""
    for index in range(depth, 0, -1):
        around = stack[index].tag
        if around == _T_TABLE or around == _T_TEMPLATE:
            return index
        if tag == _T_TR or tag == _T_TD or tag == _T_TH:
            if around == _T_TBODY or around == _T_THEAD or around == _T_TFOOT:
                return index
            if around == _T_TR and tag != _T_TR:
                return index
    return 0


# ------------------------------------------------------------------------------------------------------ the page

_T_P, _T_LI, _T_DD, _T_DT, _T_A, _T_BR, _T_HR, _T_FORM, _T_BUTTON, _T_SELECT, _T_OPTION, _T_OPTGROUP = (
    TAG[name] for name in "p li dd dt a br hr form button select option optgroup".split()
)
_T_SCRIPT, _T_TITLE, _T_TEXTAREA, _T_IFRAME, _T_FRAME, _T_INPUT, _T_KEYGEN, _T_IMG, _T_IMAGE, _T_XMP, _T_PLAINTEXT = (
    TAG[name] for name in "script title textarea iframe frame input keygen img image xmp plaintext".split()
)
_T_HTML, _T_HEAD, _T_BODY, _T_SVG, _T_MATH, _T_PRE, _T_LISTING, _T_NOBR, _T_NOSCRIPT, _T_FONT, _T_FRAMESET = (
    TAG[name] for name in "html head body svg math pre listing nobr noscript font frameset".split()
)
_T_RB, _T_RT, _T_RP, _T_RTC = (TAG[name] for name in "rb rt rp rtc".split())
_INTEGRATION_SVG = {"foreignobject": 1, "desc": 1, "title": 1}
_INTEGRATION_MATH = {"mi": 2, "mo": 2, "mn": 2, "ms": 2, "mtext": 2}
INTEGRATION_KEYS, INTEGRATION_VALUES = tags.key_table({**_INTEGRATION_SVG, **_INTEGRATION_MATH}, 5)
INTEGRATION_SHIFT = np.uint64(64 - 5)
_HTML_KEY, _BODY_KEY, _A_KEY, _NOBR_KEY = (np.uint64(tags.name_key(name)) for name in "html body a nobr".split())


@kernel
def push(
    key: np.uint64,
    tag: int,
    own: int,
    level: int,
    position: int,
    first_token: int,
    nodes: Rows,
    tokens: npt.NDArray[np.uint32],
    stack: Rows,
    counts: npt.NDArray[np.int32],
    s: Any,
) -> None:
    """Open an element; a row in nodes unless its text is out."""
    slot = tag if tag > tags.INTEGRATION else (tags.N_TAGS + np.int64(key & np.uint64(N_UNKNOWN - 1)))
    if s.depth >= MAX_DEPTH - 1:
        counts[N_SLOTS + slot] += 1
        s.n_over += 1
        return
    around = stack[s.depth]
    s.depth += 1
    top = stack[s.depth]
    traits = TRAITS[tag]
    counts[slot] += 1
    top.slot = slot
    top.key = key
    top.tag = tag
    top.own = own
    top.flags = around.flags | s.carried | own
    top.mode = around.mode
    top.context = around.context
    top.paragraph = around.paragraph
    top.list_depth = around.list_depth
    top.heading = around.heading
    top.box = around.box
    top.node = around.node
    if traits & (tags.IS_SPECIAL | tags.IS_MARKER):
        if traits & (tags.IS_SCOPE | tags.IS_BUTTON):
            top.paragraph = 0
        if tag == _T_P:
            top.paragraph = s.depth
        elif tag == _T_TABLE:
            top.context = IN_TABLE
        elif tag == _T_TEMPLATE:
            top.context = NO_TABLE
            top.mode = HTML
        elif tag == _T_SELECT:
            top.mode = SELECT
        elif tag == _T_TD or tag == _T_TH or tag == _T_CAPTION:
            top.context = IN_CELL
        if traits & tags.IS_LIST:
            top.list_depth += 1
        if traits & tags.IS_MARKER:
            top.carried = s.carried
            s.carried = 0
    if level:
        top.heading = level
    if top.flags & OUT:
        return
    index = s.n_nodes
    s.n_nodes += 1
    node = nodes[index]
    node.parent = around.node
    node.tag = tag if tag > tags.INTEGRATION else 0
    node.flags = top.flags
    node.first_token = first_token
    node.end_token = s.n_tokens
    signature = key * at.PRIME
    for token in range(first_token, s.n_tokens):
        signature = (signature ^ np.uint64(tokens[token])) * at.PRIME
    node.signature = np.uint32(signature >> np.uint64(32))
    node.n_images = 0
    node.source = position
    node.text_start = s.text_end
    node.text_end = s.text_end
    node.first_block = s.n_blocks
    node.end_block = s.n_blocks
    top.node = index
    if traits & tags.IS_BOUNDARY:
        top.box = index


@kernel
def segment_page(
    source: Bytes,
    n: int,
    text: Bytes,
    blocks: Rows,
    nodes: Rows,
    tokens: npt.NDArray[np.uint32],
    facts: Rows,
    stack: Rows,
    counts: npt.NDArray[np.int32],
    spans: npt.NDArray[np.int64],
    state: Rows,
) -> None:
    """Fill the tables; `state[0]` has the counts of rows afterwards."""
    s = state[0]
    counts[:] = 0
    nodes[0].parent = -1
    nodes[0].tag = nodes[0].flags = nodes[0].first_token = nodes[0].end_token = nodes[0].signature = 0
    nodes[0].n_images = nodes[0].source = nodes[0].text_start = nodes[0].first_block = 0
    s.n_nodes = 1
    s.form = -1
    root = stack[0]
    root.key = 0
    root.own = root.flags = root.carried = 0
    root.node = root.box = root.tag = root.slot = root.mode = root.context = root.paragraph = 0
    root.list_depth = root.heading = 0
    has_html = in_head = head_done = in_body = False
    position = seen = NONE
    while position < n:
        # -------- text, up to the next "<" that begins a tag or comment
        following = source[position + 1]
        if (
            source[position] != _LT
            or not (IS_LETTER[following] or following == _SLASH or following == _BANG or following == _QUESTION)
            or (following == _SLASH and position + 2 >= n)
        ):
            start = position
            if stack[s.depth].flags & OUT:
                position = find(source, _LT, start + 1, n)
                continue
            if stack[s.depth].flags & _PREFORMATTED == 0:
                while IS_BLANK[source[position]]:
                    position += 1
                if position > start:
                    s.space = s.is_open
                    if position >= n or source[position] == _LT:
                        continue
            end = find(source, _LT, position + 1, n)
            if not in_body:
                while s.depth > 1:
                    pop_to(s.depth, text, blocks, nodes, stack, counts, s)
                if not has_html:
                    push(_HTML_KEY, _T_HTML, NONE, NONE, position, s.n_tokens, nodes, tokens, stack, counts, s)
                    has_html = True
                push(_BODY_KEY, _T_BODY, TAG_FLAGS[_T_BODY], NONE, position, s.n_tokens, nodes, tokens, stack, counts, s)
                in_body = True
            read_text(source, position, end, YES, text, blocks, stack, s)
            position = end
            continue

        # -------- comments, and what is read as one
        if following == _BANG or following == _QUESTION:
            if following == _BANG and source[position + 2] == _DASH and source[position + 3] == _DASH:
                position = comment_end(source, position + 4, n)
            elif (
                following == _BANG
                and (stack[s.depth].mode == SVG or stack[s.depth].mode == MATH)
                and source[position + 2] == 91
                and source[position + 3] == 67
                and source[position + 8] == 91
            ):
                position = cdata_end(source, position + 9, n)
            else:
                position = find(source, _GT, position, n) + 1
            continue
        closing = following == _SLASH
        tag_start = position
        position += 2 if closing else 1
        if closing and not IS_LETTER[source[position]]:
            position = find(source, _GT, position, n) + 1
            continue

        # -------- the tag's name
        key = np.uint64(0)
        hyphen = False
        while position < n:
            byte = TAG_BYTE[source[position]]
            if byte == 0:
                break
            hyphen |= byte == _HYPHEN
            key = (key << _8) ^ (key >> _56) ^ np.uint64(byte)
            position += 1
        tag = look_up(TAG_KEYS, TAG_VALUES, TAG_SHIFT, key)
        traits = TRAITS[tag]
        mode = stack[s.depth].mode

        # -------- end tags
        if closing and not (tag == _T_BR or (tag == _T_P and stack[s.depth].paragraph == 0)):
            position = tag_end(source, position, n)[0]
            if position > n:
                break
            slot = tag if tag > tags.INTEGRATION else (tags.N_TAGS + np.int64(key & np.uint64(N_UNKNOWN - 1)))
            if s.n_over and counts[N_SLOTS + slot]:
                counts[N_SLOTS + slot] -= 1
                s.n_over -= 1
                if traits & tags.IS_BOUNDARY and stack[s.depth].flags & OUT == 0:
                    end_block(text, blocks, s, NONE)
                continue
            entry = 0
            if mode == SVG or mode == MATH:
                index = s.depth
                while index > 0 and (stack[index].tag <= tags.INTEGRATION and stack[index].mode == mode):
                    if stack[index].key == key:
                        entry = index
                        break
                    index -= 1
                if entry:
                    pop_to(entry, text, blocks, nodes, stack, counts, s)
                    continue
            elif mode == SELECT:
                if tag == _T_SELECT:
                    entry = in_scope(stack, s.depth, key, NONE)
                elif tag == _T_TABLE or traits & tags.IS_TABLE_PART:
                    entry = in_scope(stack, s.depth, key, tags.IS_TABLE_SCOPE)
                if entry:
                    pop_to(entry, text, blocks, nodes, stack, counts, s)
                continue
            if not in_body and stack[s.depth].flags & OUT == 0:
                if tag == _T_HEAD and in_head:
                    pop_to(s.depth, text, blocks, nodes, stack, counts, s)
                    in_head, head_done = False, True
                elif tag == _T_NOSCRIPT and stack[s.depth].tag == _T_NOSCRIPT:
                    pop_to(s.depth, text, blocks, nodes, stack, counts, s)
                continue
            if traits & tags.IS_FORMATTING:
                end_formatting(tag, key, text, blocks, nodes, stack, counts, s)
                continue
            if traits & tags.IS_HEADING:
                entry = heading_in_scope(stack, s.depth)
            elif counts[slot] == 0 or tag == _T_BODY or tag == _T_HTML:
                continue
            elif tag == _T_P:
                entry = stack[s.depth].paragraph
            elif tag == _T_LI:
                entry = in_scope(stack, s.depth, key, tags.IS_SCOPE | tags.IS_LIST)
            elif tag == _T_TABLE or traits & tags.IS_TABLE_PART:
                entry = in_scope(stack, s.depth, key, tags.IS_TABLE_SCOPE)
            elif tag == _T_TEMPLATE:
                entry = in_scope(stack, s.depth, key, NONE)
            elif tag == _T_FORM:
                s.form = -1
                entry = in_scope(stack, s.depth, key, tags.IS_SCOPE)
                if entry and entry < s.depth and TRAITS[stack[s.depth].tag] & tags.IS_SPECIAL:
                    end_block(text, blocks, s, NONE)
                    detach(stack, entry, counts, s)
                    entry = 0
            elif traits & tags.ENDS_IN_SCOPE:
                entry = in_scope(stack, s.depth, key, tags.IS_SCOPE)
            else:
                entry = in_scope(stack, s.depth, key, tags.IS_SPECIAL)
            if entry:
                pop_to(entry, text, blocks, nodes, stack, counts, s)
            continue

        # -------- attributes: where those lie that mean something
        seen = NONE
        self_closing = False
        if stack[s.depth].flags & OUT and tag != _T_FONT:
            position, self_closing = tag_end(source, position, n)
        else:
            while True:
                while IS_BLANK[source[position]] or source[position] == _SLASH:
                    self_closing = source[position] == _SLASH
                    position += 1
                if position >= n:
                    position = n + 1
                    break
                if source[position] == _GT:
                    position += 1
                    break
                name = np.uint64(source[position]) if source[position] == _EQUALS else np.uint64(0)
                position += 1 if source[position] == _EQUALS else 0
                self_closing = False
                while position < n:
                    byte = ATTRIBUTE_BYTE[source[position]]
                    if byte == 0:
                        break
                    name = (name << _8) ^ (name >> _56) ^ np.uint64(byte)
                    position += 1
                while IS_BLANK[source[position]]:
                    position += 1
                first = last = position
                if source[position] == _EQUALS:
                    position += 1
                    while IS_BLANK[source[position]]:
                        position += 1
                    quote = source[position]
                    if quote == _DOUBLE_QUOTE or quote == _SINGLE_QUOTE:
                        first = position + 1
                        last = find(source, np.int64(quote), first, n)
                        position = last + 1
                    else:
                        first = position
                        while position < n and source[position] != _GT and not IS_BLANK[source[position]]:
                            position += 1
                        last = position
                number = look_up(ATTRIBUTE_KEYS, ATTRIBUTE_VALUES, ATTRIBUTE_SHIFT, name)
                if number and not seen >> number & 1:
                    seen |= 1 << number
                    spans[number, 0] = first
                    spans[number, 1] = last
        if position > n:
            break

        # -------- inside SVG and MathML
        if mode == SVG or mode == MATH:
            if traits & tags.IS_BREAKOUT:
                index = s.depth
                while index > 0 and (stack[index].mode == SVG or stack[index].mode == MATH):
                    index -= 1
                pop_to(index + 1, text, blocks, nodes, stack, counts, s)
                mode = stack[s.depth].mode
            else:
                if not self_closing:
                    integration = look_up(INTEGRATION_KEYS, INTEGRATION_VALUES, INTEGRATION_SHIFT, key) == mode
                    push(
                        key,
                        tags.INTEGRATION if integration else tags.FOREIGN,
                        NONE,
                        NONE,
                        tag_start,
                        s.n_tokens,
                        nodes,
                        tokens,
                        stack,
                        counts,
                        s,
                    )
                    if integration:
                        stack[s.depth].mode = HTML
                continue

        # -------- inside <select>
        if mode == SELECT:
            if (
                tag == _T_SELECT
                or tag == _T_INPUT
                or tag == _T_TEXTAREA
                or tag == _T_KEYGEN
                or (traits & tags.IS_TABLE_PART and stack[s.depth].context != NO_TABLE)
            ):
                while stack[s.depth].mode == SELECT:
                    pop_to(s.depth, text, blocks, nodes, stack, counts, s)
                if tag == _T_SELECT:
                    continue
            elif tag == _T_SCRIPT:
                s.n_scripts += 1
                position = script_end(source, position, n)
                position = tag_end(source, position + 8, n)[0] if position < n else n
                continue
            elif tag != _T_TEMPLATE:
                continue

        # -------- before <body>
        if not in_body and stack[s.depth].flags & OUT == 0:
            if tag == _T_HTML:
                if has_html:
                    continue
                has_html = True
                own = TAG_FLAGS[tag]
            elif tag == _T_HEAD and (in_head or head_done):
                continue
            elif tag == _T_HEAD or traits & tags.IS_HEAD_CONTENT == 0 or (tag == _T_NOSCRIPT and not in_head):
                if not has_html:
                    push(_HTML_KEY, _T_HTML, NONE, NONE, tag_start, s.n_tokens, nodes, tokens, stack, counts, s)
                    has_html = True
                if tag == _T_HEAD:
                    in_head = True
                else:
                    while s.depth > 1:
                        pop_to(s.depth, text, blocks, nodes, stack, counts, s)
                    in_head, head_done, in_body = False, True, True
                    if tag != _T_BODY:
                        push(
                            _BODY_KEY,
                            _T_BODY,
                            TAG_FLAGS[_T_BODY],
                            NONE,
                            tag_start,
                            s.n_tokens,
                            nodes,
                            tokens,
                            stack,
                            counts,
                            s,
                        )
        elif tag == _T_HTML or tag == _T_HEAD or tag == _T_BODY or tag == _T_FRAMESET:
            continue

        # -------- elements that this one ends
        if traits & tags.ENDS_P:
            entry = 0
            if tag == _T_LI:
                if counts[_T_LI]:
                    entry = list_item_to_end(stack, s.depth, _T_LI, _T_LI)
            elif tag == _T_DD or tag == _T_DT:
                if counts[_T_DD] + counts[_T_DT]:
                    entry = list_item_to_end(stack, s.depth, _T_DD, _T_DT)
            elif tag == _T_TABLE and stack[s.depth].context == IN_TABLE:
                entry = table_context(stack, s.depth, _T_TABLE)
            if entry:
                pop_to(entry, text, blocks, nodes, stack, counts, s)
            if stack[s.depth].paragraph:
                pop_to(stack[s.depth].paragraph, text, blocks, nodes, stack, counts, s)
            if traits & tags.IS_HEADING and TRAITS[stack[s.depth].tag] & tags.IS_HEADING:
                pop_to(s.depth, text, blocks, nodes, stack, counts, s)
            if tag == _T_FORM:
                if s.form != -1:
                    continue
                if stack[s.depth].context == IN_TABLE:
                    s.form = -2
                    continue
        elif traits & tags.IS_TABLE_PART:
            if stack[s.depth].context == NO_TABLE:
                if stack[s.depth].flags & OUT == 0:
                    end_block(text, blocks, s, NONE)
                continue
            entry = table_context(stack, s.depth, tag)
            if entry < s.depth:
                pop_to(entry + 1, text, blocks, nodes, stack, counts, s)
        elif tag == _T_A:
            if counts[_T_A] or s.carried & _LINK:
                end_formatting(tag, key, text, blocks, nodes, stack, counts, s)
        elif tag == _T_OPTION or tag == _T_OPTGROUP:
            if stack[s.depth].tag == _T_OPTION:
                pop_to(s.depth, text, blocks, nodes, stack, counts, s)
        elif tag == _T_BUTTON:
            if counts[_T_BUTTON]:
                entry = in_scope(stack, s.depth, key, tags.IS_SCOPE)
                if entry:
                    pop_to(entry, text, blocks, nodes, stack, counts, s)
        elif tag == _T_RB or tag == _T_RT or tag == _T_RP or tag == _T_RTC:
            around = stack[s.depth].tag
            if around == _T_RB or around == _T_RT or around == _T_RP:
                pop_to(s.depth, text, blocks, nodes, stack, counts, s)
        silent = stack[s.depth].flags & OUT

        # -------- words, flags and facts of its attributes
        first_token = s.n_tokens
        own = TAG_FLAGS[tag]
        level = np.int64(HEADING_LEVEL[tag])
        if not silent:
            if seen & at.WORDY and not traits & tags.IS_VOID:
                for number in range(at.CLASS, at.ARIA_LABEL + 1):
                    if seen >> number & 1:
                        if number == at.ARIA_LABEL and spans[number, 1] - spans[number, 0] > at.MAX_LABEL_BYTES:
                            continue
                        s.n_tokens, like = read_words(
                            source, spans[number, 0], spans[number, 1], at.SEED[number], tokens, s.n_tokens
                        )
                        if number <= at.ID:
                            own |= like
            if seen & at.FLAGGING:
                own |= attribute_flags(source, spans, seen)
                if own & _HEADING_FLAG and level == 0:
                    level = heading_level(source, spans, seen)
            if tag == tags.UNKNOWN and hyphen:
                own |= _CUSTOM
        if traits & tags.IS_OUT and not (tag == _T_TEMPLATE and seen >> at.SHADOW_ROOT & 1):
            own |= OUT

        # -------- elements without content, and those whose content is no HTML
        if traits & tags.IS_BOX:
            s.space |= s.is_open
        if traits & tags.IS_VOID or tag == _T_BR or tag == _T_IMAGE or (tag == _T_P and closing):
            if silent:
                continue
            node = stack[s.depth].node
            if seen & at.FACTUAL or seen >> at.CONTENT & 1:
                s.n_facts = read_facts(source, tag, node, spans, seen, facts, s.n_facts)
            if tag == _T_BR:
                if stack[s.depth].flags & _PREFORMATTED and stack[s.depth].flags & _PREFORMATTED:
                    text[s.text_end + s.lead] = _LF
                    if s.is_open:
                        s.text_end += 1
                        blocks[s.n_blocks - 1].n_chars += 1
                        blocks[s.n_blocks - 1].end = s.text_end
                        s.in_word = s.odd = 0
                    else:
                        s.lead += 1
                else:
                    end_block(text, blocks, s, YES)
            elif traits & tags.IS_BOUNDARY:
                end_block(text, blocks, s, NONE)
            elif tag == _T_IMG or tag == _T_IMAGE:
                s.images += 1
                nodes[node].n_images += 1
            elif tag == _T_INPUT:
                kind = type_of(source, spans, seen)
                s.n_inputs += kind != at.NOT_FILLED
                s.n_passwords += kind == at.PASSWORD
            elif tag == _T_FRAME:
                s.n_frames += 1
            continue
        if traits & tags.IS_RAW:
            s.n_tokens = first_token
            if tag == _T_SCRIPT:
                s.n_scripts += 1
                end = script_end(source, position, n)
            else:
                end = raw_end(source, position, n, key)
                s.n_frames += tag == _T_IFRAME
            if not silent:
                node = stack[s.depth].node
                spans[at.NO, 0], spans[at.NO, 1] = position, end
                if tag == _T_TITLE and s.title == 0:
                    s.title = 1
                    s.n_facts = add_fact(facts, s.n_facts, _F_TITLE, node, spans, YES, YES, NONE, YES)
                elif tag == _T_SCRIPT and type_of(source, spans, seen) == at.JSON_LD_TYPE:
                    s.n_facts = add_fact(facts, s.n_facts, _F_JSON_LD, node, spans, YES, YES, NONE, YES)
                elif tag == _T_XMP:
                    end_block(text, blocks, s, NONE)
                    push(key, tag, own, NONE, tag_start, first_token, nodes, tokens, stack, counts, s)
                    read_text(source, position, end, NONE, text, blocks, stack, s)
                    pop_to(s.depth, text, blocks, nodes, stack, counts, s)
            position = end
            if end < n:
                while TAG_BYTE[source[end]] or source[end] == _SLASH:
                    end += 1
                position = tag_end(source, end, n)[0]
            continue

        # -------- all others
        if not silent and traits & tags.IS_BOUNDARY and own & OUT == 0:
            end_block(text, blocks, s, NONE)
        s.links += tag == _T_A and not silent
        push(key, tag, own, level, tag_start, first_token, nodes, tokens, stack, counts, s)
        if tag == _T_FORM:
            s.form = s.depth
        elif tag == _T_SVG or tag == _T_MATH:
            if self_closing:
                pop_to(s.depth, text, blocks, nodes, stack, counts, s)
            else:
                stack[s.depth].mode = SVG if tag == _T_SVG else MATH
        elif tag == _T_PRE or tag == _T_LISTING:
            position += source[position] == _CR
            position += source[position] == _LF
        elif tag == _T_PLAINTEXT:
            read_text(source, position, n, NONE, text, blocks, stack, s)
            position = n
        if not silent and (seen & at.FACTUAL or seen >> at.LANG & 1 or TAG_FLAGS[tag] & _TIME or tag == _T_HTML):
            s.n_facts = read_facts(source, tag, stack[s.depth].node, spans, seen, facts, s.n_facts)
    if s.depth:
        pop_to(YES, text, blocks, nodes, stack, counts, s)
    end_block(text, blocks, s, NONE)
    nodes[0].text_end = s.text_end
    nodes[0].end_block = s.n_blocks


_TIME = BIT["time"]


class Workspace:
    """Memory for pages, taken once and used again; grows to the largest page.  One thread at a time."""

    def __init__(self) -> None:
        self.n_bytes = -1
        self.stack = np.zeros(MAX_DEPTH + 1, STACK)
        self.counts = np.zeros(2 * N_SLOTS, np.int32)
        self.spans = np.zeros((at.N_SPANS, 2), np.int64)
        self.state = np.zeros(1, STATE)

    def fit(self, n_bytes: int) -> None:
        """Make room for a page of `n_bytes`: the least source of each row decides (address space, not memory)."""
        if n_bytes <= self.n_bytes:
            return
        self.n_bytes = max(1 << 20, n_bytes)
        self.source = np.empty(self.n_bytes + PADDING, np.uint8)
        self.text = np.empty(3 * self.n_bytes + PADDING, np.uint8)  # every byte invalid
        self.blocks = np.empty(self.n_bytes // 4 + 2, BLOCK)  # "a<p>"
        self.nodes = np.empty(self.n_bytes // 3 + 4, NODE)  # "<a>", and page, html and body
        self.tokens = np.empty(self.n_bytes // 2 + 2, np.uint32)  # "Ab"
        self.facts = np.empty(self.n_bytes // 6 + 2, FACT)  # "<time>"


_local = threading.local()


def _thread_workspace(n_bytes: int) -> Workspace:
    if n_bytes > KEPT_BYTES:
        return Workspace()
    if not hasattr(_local, "workspace"):
        _local.workspace = Workspace()
    workspace: Workspace = _local.workspace
    return workspace


def segment(data: bytes, workspace: Workspace | None = None) -> Segments:
    """The tables of a page in UTF-8 (any bytes will do; those that aren't UTF-8 become U+FFFD).

    The tables are views of the workspace, by default this thread's own: the next page overwrites them.
    """
    n = len(data)
    w = workspace or _thread_workspace(n)
    w.fit(n)
    w.source[:n] = np.frombuffer(data, np.uint8)
    w.source[n : n + PADDING] = 0
    w.state[0] = 0
    segment_page(
        w.source, n, w.text, w.blocks, w.nodes, w.tokens, w.facts, w.stack, w.counts, w.spans, w.state
    )  # fmt: skip
    done = w.state[0]
    return Segments(
        source=w.source[: n + PADDING],
        n_bytes=n,
        text=w.text[: done["text_end"]],
        blocks=w.blocks[: done["n_blocks"]],
        nodes=w.nodes[: done["n_nodes"]],
        tokens=w.tokens[: done["n_tokens"]],
        facts=w.facts[: done["n_facts"]],
        n_inputs=int(done["n_inputs"]),
        n_passwords=int(done["n_passwords"]),
        n_scripts=int(done["n_scripts"]),
        n_frames=int(done["n_frames"]),
    )
