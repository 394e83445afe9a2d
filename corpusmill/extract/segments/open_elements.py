"""The stack of open elements: what a tag opens, what it closes, and the flags of the text between tags.

The rules are those of HTML's tree builder (WHATWG HTML, 13.2.6) that decide where an element ends.  Where the standard
moves nodes in the tree, only flags change here:

- The end tag of a formatting element, or of a form, may come while other elements are open in it.  These elements then
  lose its flags (adoption agency).
- A formatting element may end with the block around it.  The text that follows still has its flags, until its end tag
  comes (reconstruction of formatting elements).
- Text at a wrong place in a table stays where it is.

Every step is O(1), or walks up the stack, which has at most MAX_DEPTH entries.  An end tag without an open element does
not walk.  Deeper elements are counted, but not pushed.  So their end tags close nothing else.
"""

# ruff: noqa: SIM109, SIM905

import numpy as np

from corpusmill.extract.segments import tags
from corpusmill.extract.segments.lean import Int, Key, Numbers, Record, Rows, constant, inlined_kernel, lean_kernel
from corpusmill.extract.segments.tables import BIT, MAX_DEPTH
from corpusmill.extract.segments.tags import HEADING_LEVEL, TAG, TAG_FLAGS, TRAITS

STACK = np.dtype(
    [
        (name, np.uint64 if name == "key" else np.int64)
        for name in (
            "key "  # key of the name; 0 after its end tag came while other elements were open in it
            "slot "  # index in the counts of open elements
            "tag "
            "own "  # flags that the element itself adds
            "flags "  # flags of text in the element
            "carried "  # of a marker: the value of `carried` in the state outside it
            "node "  # node of its text: its own node, if it has one
            "box "  # the nearest node of block level
            "mode "  # how tags in the element are read
            "context "  # in a table, in a cell, or neither
            "paragraph "  # the entry of the <p> that a block-level start tag would end, or 0
            "heading "  # level, or 0
        ).split()
    ]
)
STATE = np.dtype(
    [
        (name, np.int64)
        for name in (
            "depth "  # the last entry of the stack
            "carried "  # flags of formatting elements that ended before their end tags
            "form "  # entry of the open <form>; -1: none; -2: one that is not on the stack, but prevents others
            "n_over "  # open elements beyond MAX_DEPTH
            "has_html in_head head_done in_body has_title "  # 1 after this was seen
            "text_end n_blocks is_open "  # written so far; is_open is 1 while text belongs to the last block
            "space "  # 1 if a space must precede the next character, 2 if this space belongs to a link
            "boxed "  # 1 if only an image or a similar element requires it
            "seam "  # 1 after the end of an element, 2 if another one starts directly after it, 0 after text
            "last_code "  # the last visible character
            "lead "  # bytes of white space after text_end, used if preformatted text begins
            "after_br in_word odd "  # see blocks.py
            "images last_images "  # since the end of the last block; of the last block
            "n_nodes n_tokens n_facts n_inputs n_passwords n_scripts "
            "place "  # where a placeholder for later content is (streamed.py); 0 if there is none
        ).split()
    ]
)
HTML, SVG, MATH = (constant(number) for number in range(3))  # modes
NO_TABLE, IN_TABLE, IN_CELL = 0, 1, 2  # contexts
NONE, YES = constant(0), constant(1)
OUT = constant(1 << 62)  # a flag of stack entries: the text in them is left out

N_UNKNOWN = 64  # counters for names that are not HTML's
N_SLOTS = tags.N_TAGS + N_UNKNOWN  # counts of open elements; as many more for those beyond MAX_DEPTH

(
    _P, _A, _NOBR, _TABLE, _TR, _TD, _TH, _TBODY, _CAPTION, _TEMPLATE, _SELECT, _FORM, _BUTTON, _OPTION, _OPTGROUP,
    _HTML, _HEAD, _BODY, _NOSCRIPT, _RUBY, _RB, _RTC, _INPUT, _SVG, _MATH,
) = (
    TAG[name]
    for name in "p a nobr table tr td th tbody caption template select form button option optgroup "
    "html head body noscript ruby rb rtc input svg math".split()
)  # fmt: skip
_HTML_KEY, _BODY_KEY, _SELECT_KEY = (np.uint64(tags.name_key(name)) for name in ("html", "body", "select"))
_BODY_FLAG = constant(BIT["body"])


@lean_kernel
def begin_page(nodes: Rows, stack: Rows, counts: Numbers, s: Record) -> None:
    """Open node 0, which stands for the page.  Nothing else is open."""
    for slot in range(2 * N_SLOTS):
        counts[slot] = 0
    s.depth = s.carried = s.n_over = s.has_html = s.in_head = s.head_done = s.in_body = s.has_title = 0
    s.text_end = s.n_blocks = s.is_open = s.space = s.boxed = s.seam = s.last_code = s.lead = s.after_br = s.in_word = (
        s.odd
    ) = 0
    s.images = s.last_images = 0
    s.n_tokens = s.n_facts = s.n_inputs = s.n_passwords = s.n_scripts = s.place = 0
    s.form = -1
    s.n_nodes = 1
    root, page = stack[0], nodes[0]
    root.key = np.uint64(0)
    root.slot = root.tag = root.own = root.flags = root.carried = root.node = root.box = 0
    root.mode = root.context = root.paragraph = root.heading = 0
    page.parent = -1
    page.tag = page.flags = page.first_token = page.end_token = page.source = page.text_start = 0
    page.first_block = 0
    page.signature = np.uint32(0)


@lean_kernel
def boundary(s: Record, is_break: int) -> None:
    """End the open block, if there is one.  `is_break` is 1 for a <br>."""
    if s.is_open:
        s.is_open = 0
        s.last_images = s.images
        s.images = 0
        s.after_br = is_break
    elif is_break == 0:
        s.after_br = 0
    s.space = s.boxed = s.lead = 0


@lean_kernel
def push(
    nodes: Rows,
    stack: Rows,
    counts: Numbers,
    s: Record,
    tag: int,
    key: Key,
    slot: int,
    own: int,
    position: int,
    first_token: int,
) -> Int:
    """Open an element.  It gets a row in nodes, unless its text is left out; the number of the row, or 0."""
    if s.depth >= MAX_DEPTH - 1:
        counts[N_SLOTS + slot] += 1
        s.n_over += 1
        return 0
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
    top.heading = around.heading
    top.box = around.box
    top.node = around.node
    if traits & tags.HAS_A_SAY:
        if traits & (tags.IS_SCOPE | tags.IS_BUTTON):
            top.paragraph = 0
        if tag == _P:
            top.paragraph = s.depth
        elif tag == _TABLE:
            top.context = IN_TABLE
        elif tag == _TEMPLATE or tag == _NOSCRIPT:
            top.context = NO_TABLE
            top.mode = HTML
        elif tag == _TD or tag == _TH or tag == _CAPTION:
            top.context = IN_CELL
        elif traits & tags.IS_HEADING:
            top.heading = HEADING_LEVEL[tag]
        elif tag == _SVG:
            top.mode = SVG
        elif tag == _MATH:
            top.mode = MATH
        if traits & tags.IS_MARKER:
            top.carried = s.carried
            s.carried = 0
    if top.flags & OUT:
        return 0
    if s.seam:
        s.seam = 2
    index = s.n_nodes
    s.n_nodes += 1
    node = nodes[index]
    node.parent = around.node
    node.tag = tag
    node.flags = top.flags
    node.first_token = first_token
    node.end_token = s.n_tokens
    node.signature = 0
    node.source = position
    node.text_start = s.text_end + (1 if s.is_open == 0 and s.n_blocks else 0)
    node.first_block = s.n_blocks
    top.node = index
    if traits & tags.IS_BOUNDARY:
        top.box = index
    return index


@inlined_kernel
def pop(nodes: Rows, stack: Rows, counts: Numbers, s: Record) -> None:
    """Close the innermost element."""
    top = stack[s.depth]
    traits = TRAITS[top.tag]
    counts[top.slot] -= 1
    if top.flags & OUT == 0:
        node = nodes[top.node]
        node.text_end = max(node.text_start, s.text_end)
        node.end_block = s.n_blocks
        if traits & tags.IS_BOUNDARY:
            boundary(s, NONE)
        s.seam = max(s.seam, 1)
    if traits & tags.IS_MARKER:
        s.carried = top.carried
    if s.depth == s.form:
        s.form = -2
    s.depth -= 1


@lean_kernel
def pop_to(nodes: Rows, stack: Rows, counts: Numbers, s: Record, entry: int) -> None:
    """Close the open elements from `entry` on.  Flags of formatting elements above it are carried to the text after."""
    while s.depth >= entry:
        top = stack[s.depth]
        if TRAITS[top.tag] & tags.IS_FORMATTING and s.depth > entry:
            s.carried |= top.own & TAG_FLAGS[top.tag]
        pop(nodes, stack, counts, s)
    if s.n_over:
        s.n_over = 0
        for over in range(N_SLOTS, 2 * N_SLOTS):
            counts[over] = 0


@lean_kernel
def in_scope(stack: Rows, depth: int, tag: int, key: Key, stops: int) -> int:
    """The innermost open element with this name.  It is 0 if an element with a trait of `stops` is in between."""
    while depth > 0:
        if stack[depth].key == key and stack[depth].tag == tag:
            return depth
        if TRAITS[stack[depth].tag] & stops:
            return 0
        depth -= 1
    return 0


@lean_kernel
def nearest(stack: Rows, depth: int, wanted: int, stops: int) -> int:
    """The innermost open element with a trait of `wanted`.  It is 0 if an element with one of `stops` is in between."""
    while depth > 0:
        traits = TRAITS[stack[depth].tag]
        if traits & wanted:
            return depth
        if traits & stops:
            return 0
        depth -= 1
    return 0


@lean_kernel
def retake_flags(stack: Rows, first: int, depth: int, bits: int) -> None:
    """Set the flags in `bits` again for the entries from `first` on, from their own flags and those around them."""
    held = stack[first - 1].flags & bits
    for index in range(first, depth + 1):
        held |= stack[index].own & bits
        stack[index].flags = stack[index].flags & ~bits | held


@lean_kernel
def detach(stack: Rows, counts: Numbers, s: Record, entry: int) -> None:
    """End an element while other elements are open in it.  They lose its flags."""
    gone = stack[entry]
    bits = TAG_FLAGS[gone.tag]
    counts[gone.slot] -= 1
    counts[0] += 1
    gone.slot = 0
    gone.key = 0
    gone.own &= ~bits
    retake_flags(stack, entry, s.depth, bits)


@lean_kernel
def end_formatting(nodes: Rows, stack: Rows, counts: Numbers, s: Record, tag: int, key: Key, slot: int) -> None:
    """Handle the end tag of a formatting element, or an <a> inside an <a>."""
    bits = TAG_FLAGS[tag]
    if s.carried & bits:
        s.carried &= ~bits
        retake_flags(stack, YES, s.depth, bits)
    if counts[slot] == 0:
        return
    entry = in_scope(stack, s.depth, tag, key, tags.IS_SCOPE)
    if entry == 0:
        return
    block = nearest(stack, s.depth, tags.IS_SPECIAL, NONE)
    if block < entry:
        pop_to(nodes, stack, counts, s, entry)
        return
    detach(stack, counts, s, entry)
    if block < s.depth:
        above = stack[block + 1]
        if TRAITS[above.tag] & tags.IS_FORMATTING:
            s.carried |= above.own & TAG_FLAGS[above.tag]
        pop_to(nodes, stack, counts, s, block + 1)


@lean_kernel
def end_form(nodes: Rows, stack: Rows, counts: Numbers, s: Record, tag: int, key: Key) -> None:
    """Handle the end tag of a form.  Of the elements open in it, only those end that need no end tag."""
    s.form = -1
    entry = in_scope(stack, s.depth, tag, key, tags.IS_SCOPE)
    if entry == 0:
        return
    while s.depth > entry and TRAITS[stack[s.depth].tag] & tags.ENDS_ITSELF:
        pop_to(nodes, stack, counts, s, s.depth)
    if s.depth == entry:
        pop_to(nodes, stack, counts, s, entry)
    else:
        detach(stack, counts, s, entry)


@lean_kernel
def end_table_part(nodes: Rows, stack: Rows, counts: Numbers, s: Record, tag: int, key: Key) -> None:
    """Handle the end tag of a table or of a part of it, also of a row or section whose start tag is missing."""
    entry = in_scope(stack, s.depth, tag, key, tags.IS_TABLE_SCOPE)
    if entry == 0 and stack[s.depth].context == IN_CELL:
        if tag == _TR:
            entry = nearest(stack, s.depth, tags.HOLDS_CELLS, NONE) + 1
        elif tag == _TBODY:
            entry = nearest(stack, s.depth, tags.HOLDS_ROWS, NONE) + 1
        if entry and TRAITS[stack[entry - 1].tag] & tags.HOLDS_SECTIONS == 0:
            entry = NONE
    if entry and entry <= s.depth:
        pop_to(nodes, stack, counts, s, entry)


@lean_kernel
def leave_foreign(nodes: Rows, stack: Rows, counts: Numbers, s: Record) -> None:
    """Close SVG or MathML, up to an element that contains HTML, as a tag of HTML does."""
    entry = s.depth
    while stack[entry].mode != HTML:
        entry -= 1
    if entry < s.depth:
        pop_to(nodes, stack, counts, s, entry + 1)


@lean_kernel
def begin_html(nodes: Rows, stack: Rows, counts: Numbers, s: Record, position: int) -> None:
    """Open <html>, unless it is already open."""
    if s.has_html == 0:
        s.has_html = 1
        push(nodes, stack, counts, s, _HTML, _HTML_KEY, _HTML, NONE, position, s.n_tokens)


@lean_kernel
def end_head(nodes: Rows, stack: Rows, counts: Numbers, s: Record, position: int) -> None:
    """End the head, whether it has tags or not.  The body comes next."""
    begin_html(nodes, stack, counts, s, position)
    if s.depth > 1:
        pop_to(nodes, stack, counts, s, YES + 1)
    s.in_head = 0
    s.head_done = s.in_body = 1


@lean_kernel
def begin_body(nodes: Rows, stack: Rows, counts: Numbers, s: Record, position: int) -> None:
    """End the head and open <body>, as every element does that cannot be in a head."""
    end_head(nodes, stack, counts, s, position)
    push(nodes, stack, counts, s, _BODY, _BODY_KEY, _BODY, _BODY_FLAG, position, s.n_tokens)


@lean_kernel
def end_tag(nodes: Rows, stack: Rows, counts: Numbers, s: Record, tag: int, key: Key, slot: int) -> None:
    """Close the elements that this end tag closes."""
    traits = TRAITS[tag]
    top = stack[s.depth]
    if s.n_over and counts[N_SLOTS + slot]:
        counts[N_SLOTS + slot] -= 1
        s.n_over -= 1
        if traits & tags.IS_BOUNDARY and top.flags & OUT == 0:
            boundary(s, NONE)
        return
    entry = s.depth
    while TRAITS[stack[entry].tag] & tags.IS_FOREIGN:
        if stack[entry].key == key:
            pop_to(nodes, stack, counts, s, entry)
            return
        entry -= 1
    entry = NONE
    if s.in_body == 0 and top.flags & OUT == 0:
        if tag == _HEAD and top.tag == _HEAD:
            pop_to(nodes, stack, counts, s, s.depth)
            s.in_head, s.head_done = 0, 1
        return
    if traits & tags.IS_FORMATTING:
        end_formatting(nodes, stack, counts, s, tag, key, slot)
        return
    if tag == _FORM and counts[_TEMPLATE] == 0:
        end_form(nodes, stack, counts, s, tag, key)
        return
    if tag == _TABLE or traits & tags.IS_TABLE_PART:
        end_table_part(nodes, stack, counts, s, tag, key)
        return
    if traits & tags.IS_HEADING:
        entry = nearest(stack, s.depth, tags.IS_HEADING, tags.IS_SCOPE)
    elif counts[slot] == 0 or tag == _BODY or tag == _HTML:
        return
    elif tag == _P:
        entry = top.paragraph
    elif traits & tags.IS_ITEM:
        entry = in_scope(stack, s.depth, tag, key, tags.IS_SCOPE | tags.IS_LIST)
    elif tag == _TEMPLATE:
        entry = in_scope(stack, s.depth, tag, key, NONE)
    elif traits & tags.ENDS_IN_SCOPE:
        entry = in_scope(stack, s.depth, tag, key, tags.IS_SCOPE)
    else:
        entry = in_scope(stack, s.depth, tag, key, tags.IS_SPECIAL)
    if entry:
        pop_to(nodes, stack, counts, s, entry)


@lean_kernel
def make_way(nodes: Rows, stack: Rows, counts: Numbers, s: Record, tag: int, key: Key) -> Int:
    """Close the elements that this start tag closes; False if its own element must not be opened."""
    traits = TRAITS[tag]
    entry = NONE
    if traits & tags.ENDS_P:
        if tag == _FORM and counts[_TEMPLATE] == 0 and s.form != -1:
            return False
        if traits & tags.IS_ITEM:
            if counts[tag]:
                entry = nearest(stack, s.depth, tags.IS_ITEM, tags.IS_BARRIER)
        elif traits & tags.IS_TERM:
            entry = nearest(stack, s.depth, tags.IS_TERM, tags.IS_BARRIER)
        elif tag == _TABLE and stack[s.depth].context == IN_TABLE:
            entry = nearest(stack, s.depth, tags.HOLDS_SECTIONS, NONE)
        if entry:
            pop_to(nodes, stack, counts, s, entry)
        if stack[s.depth].paragraph:
            pop_to(nodes, stack, counts, s, stack[s.depth].paragraph)
        if traits & tags.IS_HEADING and TRAITS[stack[s.depth].tag] & tags.IS_HEADING:
            pop_to(nodes, stack, counts, s, s.depth)
        if tag == _FORM and counts[_TEMPLATE] == 0 and stack[s.depth].context == IN_TABLE:
            s.form = -2  # a form at this place contains nothing
            return False
    elif traits & tags.IS_TABLE_PART:
        if stack[s.depth].context == NO_TABLE:
            return counts[_TEMPLATE] > 0
        if tag == _TD or tag == _TH:
            entry = nearest(stack, s.depth, tags.HOLDS_CELLS, NONE)
        elif tag == _TR:
            entry = nearest(stack, s.depth, tags.HOLDS_ROWS, NONE)
        else:
            entry = nearest(stack, s.depth, tags.HOLDS_SECTIONS, NONE)
        if entry < s.depth:
            pop_to(nodes, stack, counts, s, entry + 1)
    elif tag == _A or tag == _NOBR:
        end_formatting(nodes, stack, counts, s, tag, key, tag)
    elif tag == _OPTION or tag == _OPTGROUP:
        if stack[s.depth].tag == _OPTION:
            pop_to(nodes, stack, counts, s, s.depth)
    elif tag == _BUTTON:
        entry = in_scope(stack, s.depth, tag, key, tags.IS_SCOPE) if counts[_BUTTON] else NONE
        if entry:
            pop_to(nodes, stack, counts, s, entry)
    elif tag == _SELECT or tag == _INPUT:
        entry = in_scope(stack, s.depth, _SELECT, _SELECT_KEY, tags.IS_SCOPE) if counts[_SELECT] else NONE
        if entry:
            pop_to(nodes, stack, counts, s, entry)
            return tag == _INPUT
    elif counts[_RUBY]:  # rb, rp, rt or rtc
        while TRAITS[stack[s.depth].tag] & tags.ENDS_ITSELF and (
            stack[s.depth].tag != _RTC or tag == _RB or tag == _RTC
        ):
            pop_to(nodes, stack, counts, s, s.depth)
    return True
