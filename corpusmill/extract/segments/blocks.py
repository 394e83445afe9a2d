"""Characters to blocks: collapse white space, leave out invisible characters, count characters and words.

A block begins with its first visible character, and ends at the next boundary.  So one line feed before each block
except the first is enough to separate them.  A word is a run of letters and digits.  In scripts without spaces, every
two characters count as a word.
"""

# ruff: noqa: SIM109

import numpy as np

from corpusmill.extract.segments.entities import (
    CLASS_OF,
    DROP,
    MARK,
    class_of,
    closes,
    parts_words,
    read_reference,
    read_utf8,
    write_utf8,
)
from corpusmill.extract.segments.lanes import RUN, copy_letters
from corpusmill.extract.segments.lean import Bytes, Int, Record, Rows, constant, lean_kernel, unsigned
from corpusmill.extract.segments.tables import BIT, CharClass

_LINK, _PREFORMATTED = BIT["link"], BIT["preformatted"]
_VERBATIM = BIT["preformatted"] | BIT["code"]  # syntax colours may cut the words of code
_SPACE, _LOWER, _UPPER, _DIGIT, _LETTER, _STOP, _COMMA, _IDEOGRAPH = (
    int(CharClass[name]) for name in ("SPACE", "LOWER", "UPPER", "DIGIT", "LETTER", "STOP", "COMMA", "IDEOGRAPH")
)
_TAB, _LF, _CR, _BLANK, _AMPERSAND = (constant(byte) for byte in b"\t\n\r &")


@lean_kernel
def add_lead(text: Bytes, s: Record, code: int) -> None:
    """Write white space that precedes preformatted text to its later place, after a line feed.

    It is used only if preformatted text follows.
    """
    text[s.text_end + (1 if s.n_blocks else 0) + s.lead] = code
    s.lead += 1


@lean_kernel
def begin_block(text: Bytes, blocks: Rows, top: Record, s: Record, flags: int, position: int, kind: int) -> None:
    """Open a block.  Its first character has the class `kind`, and is at `position` in the source."""
    if s.n_blocks:
        blocks[s.n_blocks - 1].n_images = s.last_images
        text[s.text_end] = _LF
        s.text_end += 1
    block = blocks[s.n_blocks]
    s.n_blocks += 1
    s.is_open = 1
    block.start = s.text_end
    block.source_start = position
    block.leaf = top.node
    block.box = top.box
    block.flags = flags
    block.depth = s.depth
    block.heading = top.heading
    block.after_br = s.after_br
    block.last = kind
    block.n_chars = s.lead
    block.link_chars = s.lead if flags & _LINK else 0
    block.n_words = block.link_words = block.n_stops = block.n_commas = block.n_digits = 0
    s.text_end += s.lead
    s.lead = s.space = s.in_word = s.odd = 0


@lean_kernel
def read_text(
    source: Bytes, position: int, end: int, references: int, text: Bytes, blocks: Rows, stack: Rows, s: Record
) -> None:
    """Add source[position:end], which contains no tag, to the text.  `references` is 0 if "&" has no meaning there."""
    top = stack[s.depth]
    flags = top.flags | s.carried
    preformatted = flags & _PREFORMATTED
    last_code = s.last_code
    linked = 1 if flags & _LINK else 0
    written = s.text_end
    n_outside = 0  # spaces outside the link around this text, minus spaces in this link that belong to other text
    n_chars = n_words = n_stops = n_commas = n_digits = 0
    in_word, odd = s.in_word, s.odd
    last = ink_end = 0
    while position < end:
        byte = source[unsigned(position)]
        begin = position
        second = 0
        if byte < 128:
            code: Int = np.int64(byte)
            position += 1
            if byte == _AMPERSAND and references:
                code, second, position = read_reference(source, begin, end)
            elif byte == _CR and source[unsigned(position)] == _LF:
                continue
        else:
            code, position = read_utf8(source, begin, end)
        while code:  # runs once; a few references stand for two characters
            kind = CLASS_OF[unsigned(code)] if code < 128 else class_of(code)
            if kind == _SPACE:
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
                        add_lead(text, s, code)
                else:
                    s.space = s.is_open << linked
                    s.boxed = 0
            elif kind != DROP:
                if s.is_open == 0:
                    begin_block(text, blocks, top, s, flags, begin, _LETTER if kind == MARK else kind)
                    written = s.text_end
                    in_word = odd = 0
                elif s.seam > 1 and s.space == 0 and flags & _VERBATIM == 0 and parts_words(last_code, code):
                    s.space = 1
                if s.boxed:
                    if closes(code):
                        s.space = 0
                    s.boxed = 0
                if s.space:
                    text[written] = _BLANK
                    written += 1
                    n_chars += 1
                    n_outside += 1 + linked - s.space
                    s.space = in_word = odd = 0
                s.seam = 0
                n_chars += 1
                last_code = code
                if kind == _LOWER:
                    text[written] = code
                    written += 1
                    last = kind
                    odd = 0
                    n_words += 1 - in_word
                    in_word = 1
                    if second == 0:  # the common case: more small letters, up to the "<" or the zero at the end
                        begin_run = written
                        length = RUN
                        while length == RUN:
                            length, n_spaces = copy_letters(source, position, text, written)
                            n_words += n_spaces
                            position += length
                            written += length
                        n_chars += written - begin_run
                        last_code = np.int64(text[written - 1])
                else:
                    written = write_utf8(text, written, code)
                    if kind == MARK:
                        pass
                    elif kind == _IDEOGRAPH:
                        last = kind
                        n_words += 1 - odd
                        odd = 1 - odd
                        in_word = 0
                    elif kind == _LETTER or kind == _UPPER or kind == _DIGIT:
                        last = kind
                        n_words += 1 - in_word
                        in_word = 1
                        odd = 0
                        n_digits += kind == _DIGIT
                    else:
                        last = kind
                        in_word = odd = 0
                        n_stops += kind == _STOP
                        n_commas += kind == _COMMA
                ink_end = position
            code, second = second, 0
    s.text_end = written
    s.in_word, s.odd = in_word, odd
    s.last_code = last_code
    if n_chars == 0:
        return
    block = blocks[s.n_blocks - 1]
    block.end = written
    block.n_chars += n_chars
    block.n_words += n_words
    block.n_stops += n_stops
    block.n_commas += n_commas
    block.n_digits += n_digits
    block.link_chars += linked * n_chars - n_outside
    block.link_words += linked * n_words
    if ink_end:
        block.source_end = ink_end
        if last:
            block.last = last


@lean_kernel
def break_line(text: Bytes, blocks: Rows, s: Record) -> None:
    """Add a <br> in preformatted text.  It is a line feed there."""
    if s.is_open:
        text[s.text_end] = _LF
        s.text_end += 1
        blocks[s.n_blocks - 1].end = s.text_end
        blocks[s.n_blocks - 1].n_chars += 1
        s.in_word = s.odd = 0
    else:
        add_lead(text, s, _LF)


@lean_kernel
def end_page(blocks: Rows, nodes: Rows, s: Record) -> None:
    """Complete the last block.  Nodes that begin after the last text are empty, and end with the text."""
    index = s.n_nodes - 1
    while index >= 0 and nodes[index].text_start > s.text_end:
        nodes[index].text_start = nodes[index].text_end = s.text_end
        index -= 1
    nodes[0].text_end = s.text_end
    nodes[0].end_block = s.n_blocks
    if s.n_blocks:
        blocks[s.n_blocks - 1].n_images = s.images if s.is_open else s.last_images
