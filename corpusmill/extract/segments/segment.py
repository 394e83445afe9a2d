"""A page's bytes to tables of its text, in one pass and without a tree.

The kernel is HTML's tokenizer (WHATWG HTML, 13.2.5), and the part of the tree builder that decides where text goes.

    scan.py             skips comments, tags and raw text
    open_elements.py    the part of the tree builder
    blocks.py           writes the text
    attributes.py       reads attributes

Readers do not see some content, so it is left out:

- comments, script, style, template, title, textarea, select, datalist, iframe, noembed, noframes
- the content of audio, video and canvas, which is for browsers that do not support them
- SVG, MathML, and the annotations of ruby

Everything else is text, hidden or not.  Flags tell which (`tags.py`), and the classifier decides.

*noscript.*  A browser that runs scripts takes the content of <noscript> for raw text.  Here its content in the body is
text, because some forums and shops have all their text there.  It is read separately, so that nothing in it opens or
closes elements outside.  Otherwise an iframe without end tag would swallow the rest of the page (2 pages in 1,000), and
a picture in it would end the head (5 in 100).  Pages that came in pieces are put together first (`streamed.py`).

*White space.*  Outside <pre>, white space becomes one space.  A space also separates two words with an image or a
similar element between them, but not a word and the punctuation after it.  And it separates two inline elements with
only tags between them, if a capital or digit follows a small letter: style sheets separate such menus, tags and
bylines.  Before <sub> it does not.

Without the second rule, a third more words of WCXB's gold were missing, because they were joined to others.  With it,
no page lost any word.

Soft hyphens, zero-width spaces, byte order marks and other controls are left out.  Joiners are kept.  A <pre> is one
block, and its text is unchanged, with these exceptions: block-level elements in it begin new blocks, CR LF becomes a
line feed, and no-break spaces and controls become spaces.

*Cost.*  Time is linear for all inputs: at worst 60 ms per MB, measured with about 90 kinds of extreme pages.  Memory is
taken only when needed: at worst 50 bytes per byte of the page.

Measured on the 1,349 pages of WCXB's development split (297 kB on average): 0.24 ms per page.  This is a thirteenth of
the time of resiliparse's main-content extraction, and a third of the time that lexbor needs to parse only.  All pages
have the blocks of lexbor's tree (`bench/segmenter.py`).  Names, words of classes and runs of text are read many bytes
at a time (`lanes.py`).  Scripts are half of the bytes, and cost a tenth of the time.  Compiling takes 8 s of CPU time.

Tried and left out:

    one function of 700 lines                         20 s to compile, not faster
    functions with reference counts (see lean.py)     a third slower
    every function inlined                            a third slower
"""

# ruff: noqa: SIM109, SIM905

import threading

import numpy as np

from corpusmill.extract.segments import attributes as at
from corpusmill.extract.segments import tags
from corpusmill.extract.segments.attributes import (
    add_fact,
    attribute_flags,
    heading_level,
    is_formula,
    read_facts,
    read_words,
    type_of,
)
from corpusmill.extract.segments.blocks import break_line, end_page, read_text
from corpusmill.extract.segments.lean import (
    Bytes,
    Int,
    Numbers,
    Record,
    Rows,
    Words,
    constant,
    inlined_kernel,
    lean_entry,
    lean_kernel,
    unsigned,
)
from corpusmill.extract.segments.open_elements import (
    HTML,
    MATH,
    N_SLOTS,
    N_UNKNOWN,
    NONE,
    OUT,
    STACK,
    STATE,
    SVG,
    YES,
    begin_body,
    begin_html,
    begin_page,
    boundary,
    end_head,
    end_tag,
    leave_foreign,
    make_way,
    pop,
    pop_to,
    push,
)  # fmt: skip
from corpusmill.extract.segments.scan import (
    BANG,
    BRACKET,
    BRACKET_OPEN,
    CR,
    DASH,
    GT,
    IS_BLANK,
    IS_LETTER,
    IS_MARKUP,
    LF,
    LT,
    NO_KEY,
    PADDING,
    QUESTION,
    SLASH,
    TAG_BYTE,
    after_comment,
    after_pair,
    find,
    raw_end,
    read_attributes,
    read_name,
    script_end,
    skip_attributes,
)  # fmt: skip
from corpusmill.extract.segments.streamed import in_place
from corpusmill.extract.segments.tables import BIT, BLOCK, FACT, MAX_DEPTH, NODE, BorrowedSegments, FactKind
from corpusmill.extract.segments.tags import TAG, TAG_FLAGS, TAG_KEYS, TAG_SHIFT, TAG_VALUES, TRAITS, look_up

KEPT_BYTES = 4 << 20  # a thread does not keep a workspace for longer pages

(
    _P, _BR, _IMG, _IMAGE, _INPUT, _TIME, _HTML, _HEAD, _BODY, _FRAMESET, _NOSCRIPT, _SVG, _MATH, _FORM, _PRE,
    _LISTING, _PLAINTEXT, _XMP, _TITLE, _SCRIPT, _A, _TEMPLATE, _SUB,
) = (
    TAG[name]
    for name in "p br img image input time html head body frameset noscript svg math form pre listing plaintext "
    "xmp title script a template sub".split()
)  # fmt: skip
_INTEGRATION = {name: int(SVG) for name in ("foreignobject", "desc", "title")}  # contain HTML, if inside it
_INTEGRATION |= {name: int(MATH) for name in ("mi", "mo", "mn", "ms", "mtext")}
INTEGRATION_KEYS, INTEGRATION_VALUES = tags.key_table(_INTEGRATION, 4)
INTEGRATION_SHIFT = np.uint64(64 - 4)
_LINK, _PREFORMATTED, _CUSTOM, _HEADING = (BIT[name] for name in ("link", "preformatted", "custom", "heading"))
_ALONE = constant(1 << at.NO)
_F_TITLE, _F_JSON_LD, _F_FORMULA = (constant(kind) for kind in (FactKind.TITLE, FactKind.JSON_LD, FactKind.FORMULA))
_32 = np.uint64(32)
LETTER_B, COLON = b"B:"
COLON_MATH = np.frombuffer(b":math", np.uint8)
LEN_END_NOSCRIPT = len("</noscript")


@lean_kernel
def after_declaration(source: Bytes, position: int, n: int, is_foreign: int) -> Int:
    """The place after the comment, doctype, CDATA section or similar whose "<" is at `position`."""
    if source[position + 1] == BANG:
        if source[position + 2] == DASH and source[position + 3] == DASH:
            return after_comment(source, position + 4, n)
        if is_foreign and source[position + 2] == BRACKET_OPEN and source[position + 8] == BRACKET_OPEN:
            return after_pair(source, BRACKET, position + 11, n)
    return find(source, GT, position + 1, n) + 1


@inlined_kernel
def read_element_words(source: Bytes, spans: Numbers, seen: int, tokens: Words, s: Record) -> int:
    """Append the words of an element's attributes to the tokens; title_like or 0."""
    flags = NONE
    for number in range(at.CLASS, at.ARIA_LABEL + 1):
        if seen >> number & 1:
            start, end = spans[number, 0], spans[number, 1]
            if number != at.ARIA_LABEL or end - start <= at.MAX_LABEL_BYTES:
                s.n_tokens, title_like = read_words(source, start, end, at.SEED[number], tokens, s.n_tokens)
                if number <= at.ID:
                    flags |= title_like
    return flags


@lean_kernel
def read_void(
    source: Bytes, spans: Numbers, seen: int, tag: int, text: Bytes, blocks: Rows, stack: Rows, s: Record
) -> None:
    """Update the text and the counts for an element without content."""
    top = stack[s.depth]
    if tag == _BR:
        if top.flags & _PREFORMATTED:
            break_line(text, blocks, s)
        else:
            boundary(s, YES)
    elif TRAITS[tag] & tags.IS_BOUNDARY:
        boundary(s, NONE)
    elif tag == _IMG or tag == _IMAGE:
        s.images += 1
    elif tag == _INPUT:
        kind = type_of(source, spans, seen)
        s.n_inputs += kind != at.NOT_FILLED
        s.n_passwords += kind == at.PASSWORD


@lean_kernel
def is_place(source: Bytes, spans: Numbers, seen: int) -> bool:
    """Whether a <template> has an id like that of a placeholder in `streamed.py`."""
    start = spans[at.ID, 0]
    return seen >> at.ID & 1 != 0 and source[start] == LETTER_B and source[start + 1] == COLON


@lean_kernel
def is_prefixed_math(source: Bytes, name_end: int) -> bool:
    """Whether a name is like "m:math", which is no element of MathML in HTML."""
    start = name_end - len(COLON_MATH)
    for i in range(len(COLON_MATH)):  # noqa: SIM110 - numba has no generators
        if source[start + i] | 32 != COLON_MATH[i]:
            return False
    return True


@lean_entry
def segment_page(
    source: Bytes,
    n: int,
    text: Bytes,
    blocks: Rows,
    nodes: Rows,
    tokens: Words,
    facts: Rows,
    stack: Rows,
    counts: Numbers,
    spans: Numbers,
    state: Rows,
    is_whole: int,
) -> None:
    """Fill the tables.  Afterwards `state[0]` has the numbers of rows.

    Unless `is_whole`, reading stops at the first placeholder for content that came later.  `place` is then its place,
    not 0.
    """
    s = state[0]
    begin_page(nodes, stack, counts, s)
    position = 3 * (source[0] == 0xEF and source[1] == 0xBB and source[2] == 0xBF)  # skips the byte order mark
    last = n  # end of what is read now: the page, or a <noscript>, which is read separately
    outside = form = NONE  # number of elements open outside the <noscript>, and the form open there
    is_endless = False  # a <noscript> had no end tag
    while True:
        if position >= last:
            if last == n:
                break
            pop_to(nodes, stack, counts, s, outside + 1)
            s.form = form
            position, self_closing = skip_attributes(source, last + LEN_END_NOSCRIPT, n)
            last = n
            continue

        # Text, up to the next "<" that begins a tag or other markup.
        following = source[unsigned(position + 1)]
        if (
            source[unsigned(position)] != LT
            or not IS_MARKUP[following]
            or (following == SLASH and position + 2 >= last)
        ):
            flags = stack[s.depth].flags
            if flags & OUT:
                position = find(source, LT, position + 1, last)
                continue
            if flags & _PREFORMATTED == 0 and IS_BLANK[source[unsigned(position)]]:
                position += 1
                while IS_BLANK[source[unsigned(position)]]:
                    position += 1
                s.space = s.is_open << ((flags | s.carried) & _LINK != 0)
                s.boxed = 0
                if position >= last or source[unsigned(position)] == LT:
                    continue
            end = find(source, LT, position + 1, last)
            if s.in_body == 0:
                begin_body(nodes, stack, counts, s, position)
            read_text(source, position, end, YES, text, blocks, stack, s)
            position = end
            continue
        mode = stack[s.depth].mode
        if following == BANG or following == QUESTION:
            position = after_declaration(source, position, last, TRAITS[stack[s.depth].tag] & tags.IS_FOREIGN)
            continue

        # A tag's name.
        closing = following == SLASH
        tag_start = position
        position += 2 if closing else 1
        if closing and not IS_LETTER[source[unsigned(position)]]:
            position = find(source, GT, position, last) + 1
            continue
        key, position = read_name(source, position, last, TAG_BYTE, NO_KEY)
        name_end = position
        tag = look_up(TAG_KEYS, TAG_VALUES, TAG_SHIFT, key)
        traits = TRAITS[tag]
        slot = tag if tag else tags.N_TAGS + np.int64(key & np.uint64(N_UNKNOWN - 1))

        # An end tag.
        if closing and tag != _BR:
            if source[unsigned(position)] == GT:
                position += 1
            else:
                position, self_closing = skip_attributes(source, position, last)
            if position > last:
                continue
            if key == stack[s.depth].key and s.in_body and not s.n_over and not traits & tags.ENDS_OTHERWISE:
                pop(nodes, stack, counts, s)  # nearly always
                continue
            if tag == _P and mode != HTML:
                leave_foreign(nodes, stack, counts, s)
            end_tag(nodes, stack, counts, s, tag, key, slot)
            if tag == _P and stack[s.depth].flags & OUT == 0:  # this also holds without a start tag
                boundary(s, NONE)
            continue

        # A start tag with its attributes.  Their values are in `spans`, if their bits are in `seen`.
        seen = NONE
        if stack[s.depth].flags & OUT:
            position, self_closing = skip_attributes(source, position, last)
        else:
            position, seen, self_closing = read_attributes(source, position, last, spans)
        if position > last:
            continue

        # Inside SVG and MathML; before <body>.
        if mode != HTML:
            if traits & tags.IS_BREAKOUT:
                leave_foreign(nodes, stack, counts, s)
            else:
                if not self_closing:
                    holds_html = look_up(INTEGRATION_KEYS, INTEGRATION_VALUES, INTEGRATION_SHIFT, key) == mode
                    kind = tags.INTEGRATION if holds_html else tags.FOREIGN
                    push(nodes, stack, counts, s, kind, key, NONE, NONE, tag_start, s.n_tokens)
                    if holds_html:
                        stack[s.depth].mode = HTML
                continue
        if s.in_body == 0 and stack[s.depth].flags & OUT == 0:
            if tag == _HTML:
                if s.has_html:
                    continue
                s.has_html = YES
            elif tag == _HEAD:
                if s.in_head or s.head_done:
                    continue
                begin_html(nodes, stack, counts, s, tag_start)
                s.in_head = YES
            elif tag == _BODY:
                end_head(nodes, stack, counts, s, tag_start)
            elif traits & tags.IS_HEAD_CONTENT == 0:
                begin_body(nodes, stack, counts, s, tag_start)
        elif tag == _HTML or tag == _HEAD or tag == _BODY or tag == _FRAMESET:
            continue

        if traits & tags.MAKES_WAY and (tag != _A or counts[_A] or s.carried & _LINK):
            if not make_way(nodes, stack, counts, s, tag, key):
                if traits & tags.IS_TABLE_PART and stack[s.depth].flags & OUT == 0:
                    boundary(s, NONE)
                continue
        elif traits & tags.ENDS_P and stack[s.depth].paragraph:
            pop_to(nodes, stack, counts, s, stack[s.depth].paragraph)
        silent = stack[s.depth].flags & OUT != 0
        if traits & tags.IS_BOX and stack[s.depth].flags & (OUT | _PREFORMATTED) == 0:
            s.boxed = s.is_open if s.space == 0 else s.boxed
            s.space = s.is_open << (stack[s.depth].flags & _LINK != 0)
        if traits & tags.IS_VOID:
            if not silent:
                if seen & at.FACTUAL:
                    node = stack[s.depth].node
                    s.n_facts = read_facts(source, tag, node, spans, seen, facts, s.n_facts)
                if tag == _IMG and is_formula(source, spans, seen):
                    spans[at.NO, 0], spans[at.NO, 1] = tag_start, position
                    node = stack[s.depth].node
                    s.n_facts = add_fact(facts, s.n_facts, _F_FORMULA, node, spans, _ALONE, at.NAME, at.NO, at.NAME)
                read_void(source, spans, seen, tag, text, blocks, stack, s)
            continue

        # The meaning of its attributes.
        first_token = s.n_tokens
        own = TAG_FLAGS[tag]
        if not silent:
            if seen & at.WORDY:
                own |= read_element_words(source, spans, seen, tokens, s)
            if seen & at.FLAGGING:
                own |= attribute_flags(source, spans, seen)
            if tag == tags.UNKNOWN and find(source, DASH, tag_start, name_end) < name_end:
                own |= _CUSTOM
        if traits & tags.IS_OUT and not (tag == _TEMPLATE and seen >> at.SHADOW_ROOT & 1):
            own |= OUT
            if tag == _TEMPLATE and not is_whole and is_place(source, spans, seen):
                s.place = tag_start
                return
        elif traits & tags.IS_BOUNDARY and not silent:
            boundary(s, NONE)

        # Raw text.
        if traits & tags.IS_RAW or (tag == _NOSCRIPT and (silent or s.in_body == 0)):
            end = script_end(source, position, last) if tag == _SCRIPT else raw_end(source, position, last, key)
            s.n_scripts += tag == _SCRIPT
            if not silent:
                node = stack[s.depth].node
                spans[at.NO, 0], spans[at.NO, 1] = position, end  # stored as if it were an attribute, the only one seen
                if tag == _TITLE and s.has_title == 0:
                    s.has_title = YES
                    s.n_facts = add_fact(facts, s.n_facts, _F_TITLE, node, spans, _ALONE, at.NAME, at.NO, at.NAME)
                elif tag == _SCRIPT:
                    kind = type_of(source, spans, seen)
                    if kind == at.JSON_LD_TYPE or kind == at.TEX_TYPE:
                        fact = _F_JSON_LD
                        if kind == at.TEX_TYPE:
                            fact = _F_FORMULA
                            spans[at.NO, 0] = tag_start
                        s.n_facts = add_fact(facts, s.n_facts, fact, node, spans, _ALONE, at.NAME, at.NO, at.NAME)
                elif tag == _XMP:
                    push(nodes, stack, counts, s, tag, key, slot, own, tag_start, first_token)
                    read_text(source, position, end, NONE, text, blocks, stack, s)
                    pop_to(nodes, stack, counts, s, s.depth)
                    first_token = s.n_tokens  # these tokens belong to the node
            s.n_tokens = first_token
            position = end
            if end < last:
                position += 2
                while TAG_BYTE[source[unsigned(position)]]:
                    position += 1
                position, self_closing = skip_attributes(source, position, last)
            continue
        if tag == _NOSCRIPT and (last < n or counts[_NOSCRIPT]):
            continue  # it is inside another <noscript>

        # All other elements.
        if (tag == _MATH or (tag == tags.UNKNOWN and is_prefixed_math(source, name_end))) and not silent:
            spans[at.NO, 0], spans[at.NO, 1] = tag_start, position
            node = stack[s.depth].node
            s.n_facts = add_fact(facts, s.n_facts, _F_FORMULA, node, spans, _ALONE, at.NAME, at.NO, at.NAME)
        node = push(nodes, stack, counts, s, tag, key, slot, own, tag_start, first_token)
        if node:
            signature = key * at.PRIME
            for token in range(first_token, s.n_tokens):
                signature = (signature ^ np.uint64(tokens[token])) * at.PRIME
            nodes[node].signature = np.uint32((signature ^ signature >> _32) * tags.GOLDEN >> _32)
            if own & _HEADING and traits & tags.IS_HEADING == 0:
                stack[s.depth].heading = heading_level(source, spans, seen)
            if seen & at.FACTUAL or tag == _TIME or tag == _HTML:
                s.n_facts = read_facts(source, tag, node, spans, seen, facts, s.n_facts)
        if traits & tags.IS_PECULIAR == 0:
            continue
        if tag == _FORM:
            s.form = s.depth
        elif tag == _NOSCRIPT and node and not is_endless:
            last = raw_end(source, position, n, key)
            is_endless = last == n  # no later one has an end tag either, so none is searched again
            outside, form = s.depth - 1, s.form
            s.form = -1
        elif tag == _PRE or tag == _LISTING:
            position += source[unsigned(position)] == CR
            position += source[unsigned(position)] == LF
        elif tag == _SUB:
            s.seam = NONE  # an index belongs to what is before it
        elif tag == _PLAINTEXT:
            read_text(source, position, last, NONE, text, blocks, stack, s)
            position = last
        elif self_closing and (tag == _SVG or tag == _MATH):
            pop_to(nodes, stack, counts, s, s.depth)
    if s.depth:
        pop_to(nodes, stack, counts, s, YES)
    end_page(blocks, nodes, s)


class Workspace:
    """Memory for pages.  It is allocated once, used again, and grows to the largest page.  For one thread at a time."""

    def __init__(self) -> None:
        self.n_bytes = -1
        self.stack = np.zeros(MAX_DEPTH, STACK)
        self.counts = np.zeros(2 * N_SLOTS, np.int32)
        self.spans = np.zeros((at.N_SPANS, 2), np.int64)
        self.state = np.zeros(1, STATE)

    def fit(self, n_bytes: int) -> None:
        """Make room for a page of `n_bytes`.

        The number of rows follows from the shortest source of a row.  This takes address space, not memory.
        """
        if n_bytes <= self.n_bytes:
            return
        self.n_bytes = max(1 << 20, n_bytes)
        self.source = np.empty(self.n_bytes + PADDING, np.uint8)
        self.text = np.empty(3 * self.n_bytes + PADDING, np.uint8)  # the worst case is U+FFFD for every byte
        self.blocks = np.empty(self.n_bytes // 4 + 2, BLOCK)  # shortest: "a<p>"
        self.nodes = np.empty(self.n_bytes // 3 + 4, NODE)  # shortest: "<a>"; and page, html and body
        self.tokens = np.empty(self.n_bytes // 2 + 2, np.uint32)  # shortest: "Ab"
        self.facts = np.empty(self.n_bytes // 6 + 2, FACT)  # shortest: "<time>"


_STATE_NAMES = STATE.names or ()
_local = threading.local()


def _thread_workspace(n_bytes: int) -> Workspace:
    if n_bytes > KEPT_BYTES:
        return Workspace()
    if not hasattr(_local, "workspace"):
        _local.workspace = Workspace()
    workspace: Workspace = _local.workspace
    return workspace


def _fill(w: Workspace, data: bytes, *, is_whole: bool) -> dict[str, int]:
    """Write a page's tables; the number of rows of each, and the rest of the state."""
    n = len(data)
    assert n < 2**29, "offsets are 32 bits"
    w.fit(n)
    w.source[:n] = np.frombuffer(data, np.uint8)
    w.source[n : n + PADDING] = 0
    segment_page(
        w.source, n, w.text, w.blocks, w.nodes, w.tokens, w.facts, w.stack, w.counts, w.spans, w.state, is_whole
    )
    return dict(zip(_STATE_NAMES, w.state.item(), strict=True))


def segment(data: bytes, workspace: Workspace | None = None) -> BorrowedSegments:
    """The tables of a page in UTF-8.  Any bytes are accepted: bytes that are not UTF-8 become U+FFFD.

    The tables are views of the workspace (by default that of this thread), so the next page overwrites them.  Their
    offsets refer to their `data`: the page, or the result of `streamed` for it.
    """
    w = workspace or _thread_workspace(len(data))
    done = _fill(w, data, is_whole=False)
    if done["place"]:
        data = in_place(data, w.source, done["place"])
        done = _fill(w, data, is_whole=True)
    n = len(data)
    return BorrowedSegments(
        data=data,
        source=w.source[: n + PADDING],
        text=w.text[: done["text_end"]],
        blocks=w.blocks[: done["n_blocks"]],
        nodes=w.nodes[: done["n_nodes"]],
        tokens=w.tokens[: done["n_tokens"]],
        facts=w.facts[: done["n_facts"]],
        n_inputs=done["n_inputs"],
        n_passwords=done["n_passwords"],
        n_scripts=done["n_scripts"],
    )
