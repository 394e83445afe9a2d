"""Elements as the segmenter sees them: their traits in HTML's tree builder, and the flags that they give.

All of this is written by name here, once.  It becomes arrays that are indexed by the number of a tag.  A name is found
by its 64-bit key, which is made of its bytes by rotation.  Keys of names of eight bytes or less are all different.  The
hash tables use open addressing.

Flags (`tables.FLAGS`).  A block or node has a flag if this is true of its element, or of an element around it:

    article      is <article>, or has that role             main         is <main>, or has that role
    nav          is <nav>, or has a role like navigation    header       is <header>, or has the role banner
    footer       is <footer>, or has the role contentinfo   aside        is <aside>, or has the role complementary
    form         is <form>, or has that role                table        is <table>, or has the role table or grid
    list         is <ul>, <ol>, <menu> or <dir>, or has that role
    item         is <li>, or has the role listitem          paragraph    is <p>
    heading      is <h1> ... <h6>, or has that role
    cell         is <td> or <th>, or has such a role        quote        is <blockquote> or <q>
    figure       is <figure>, or has that role              caption      is <caption> or <figcaption>
    button       is <button>, or has that role              link         is <a>
    preformatted is <pre>, <listing>, <xmp>, <plaintext>: its white space is kept
    code         is <code>, <kbd>, <samp>, <tt>, <var>      hidden       has the attribute hidden
    display_none has a style with display: none or visibility: hidden
    aria_hidden  has aria-hidden=true                       noscript     is <noscript>
    template     is <template shadowrootmode>, which is visible (other templates are left out)
    dialog       is <dialog>, or has the role dialog or alertdialog
    select       is <option> without <select> around it, or has the role listbox, option or combobox
    label        is <label>                                 details      is <details>
    summary      is <summary>                               section      is <section>, or has the role region
    definition   is <dl>, <dt> or <dd>                      address      is <address>
    strong       is <b> or <strong>                         small        is <small>
    time         is <time>                                  span         is <span>
    head         is <head>                                  body         is <body>, written or implied
    fieldset     is <fieldset> or <legend>                  search       is <search>, or has that role
    tab          has the role tab, tablist or tabpanel      custom       has a hyphen in its name: a custom element
    itemprop     has the attribute itemprop                 emphasis     is <em>, <i>, <cite>, <dfn>, <mark> or <u>
    title_like   has a class or id with the word title, headline, heading or subject
"""

# ruff: noqa: SIM905

from collections.abc import Iterable, Mapping

import numpy as np

from corpusmill.extract.segments.lean import Int, Key, Numbers, constant, lean_kernel
from corpusmill.extract.segments.tables import BIT

UNKNOWN, FOREIGN, INTEGRATION = (
    constant(0),
    constant(1),
    np.int64(2),
)  # not an HTML element; an element of SVG or MathML; one of these that contains HTML again

VOID = (
    "area base basefont bgsound br col embed frame hr image img input keygen link meta param source track wbr".split()
)
RAW_TEXT = "script style xmp iframe noembed noframes title textarea".split()  # only its own end tag ends it
HEADINGS = "h1 h2 h3 h4 h5 h6".split()
CLOSES_P = (
    "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer header hgroup "
    "main menu nav ol p search section summary ul h1 h2 h3 h4 h5 h6 pre listing form table plaintext xmp hr li dd dt"
).split()
TABLE_PARTS = "caption colgroup col tbody thead tfoot tr td th".split()
FORMATTING = "a b big code em font i nobr s small strike strong tt u".split()
# Elements that end a line where they begin and where they end.  Browsers display them as block, list-item or table-...,
# or their text is independent of the text around it.
BOUNDARIES = [
    *CLOSES_P,
    *TABLE_PARTS,
    *"html head body legend optgroup option button noscript frameset template".split(),
]
# Elements that are displayed as a box, not as text.  The texts before and after them are not one word.
BOXES = "img svg math select textarea iframe video audio canvas object embed applet input keygen frame".split()
# Elements whose text readers do not see; for ruby, the text that only tells the pronunciation.
OUT = "svg math select datalist template audio video canvas rt rp rtc".split()
SCOPES = "applet caption html table td th marquee noscript object select template".split()
SPECIAL = [
    *CLOSES_P, *TABLE_PARTS, *SCOPES, *VOID, *RAW_TEXT, *"body button colgroup frameset head noscript select".split()
]  # fmt: skip
BREAKOUT = (  # not elements of SVG or MathML: they end these
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
).split()
HEAD_CONTENT = "base basefont bgsound link meta title noscript noframes style script template".split()
OTHERS = (
    "html head body a abbr acronym bdi bdo cite data del dfn font ins kbd label map mark marquee meter noindex object "
    "output picture progress q rb rp rt rtc ruby samp slot span sub sup time var applet"
).split()

NAMES = (
    "",
    "(foreign)",
    "(integration)",
    *dict.fromkeys(
        [*BOUNDARIES, *FORMATTING, *OTHERS, *VOID, *RAW_TEXT, *BOXES, *OUT, *SPECIAL]  # each once, in this order
    ),
)
N_TAGS = len(NAMES)
TAG = {name: constant(number) for number, name in enumerate(NAMES)}

# Traits of a tag are bits of TRAITS[tag].
IS_VOID = constant(1 << 0)
IS_RAW = constant(1 << 1)
IS_BOUNDARY = constant(1 << 2)
IS_SPECIAL = constant(1 << 3)
IS_SCOPE = constant(1 << 4)  # an end tag inside it closes nothing outside it
IS_TABLE_SCOPE = constant(1 << 5)  # the same for parts of a table
IS_BUTTON = constant(1 << 6)
IS_LIST = constant(1 << 7)
IS_FORMATTING = constant(1 << 8)
IS_OUT = constant(1 << 9)
IS_BOX = constant(1 << 10)
IS_BREAKOUT = constant(1 << 11)
IS_HEAD_CONTENT = constant(1 << 12)
IS_TABLE_PART = constant(1 << 13)
IS_HEADING = constant(1 << 14)
IS_PREFORMATTED = constant(1 << 15)
ENDS_P = constant(1 << 16)
ENDS_IN_SCOPE = constant(1 << 17)  # its end tag searches up to a scope; others up to any special element
IS_BARRIER = constant(1 << 18)  # <li>, <dd> and <dt> do not end others outside it
IS_MARKER = constant(1 << 19)  # formatting elements that are left open do not continue outside it
IS_ITEM = constant(1 << 20)
IS_TERM = constant(1 << 21)
HOLDS_SECTIONS = constant(1 << 22)  # the sections of a table
HOLDS_ROWS = constant(1 << 23)
HOLDS_CELLS = constant(1 << 24)
ENDS_ITSELF = constant(1 << 25)  # it needs no end tag
ENDS_OTHERWISE = constant(1 << 26)  # it does not end by its end tag, or ends in a different way
MAKES_WAY = constant(1 << 27)  # its start tag may end other elements than <p>
IS_FOREIGN = constant(1 << 28)  # an element of SVG or MathML
HAS_A_SAY = constant(1 << 29)  # it changes more fields of its stack entry than flags and box
IS_PECULIAR = constant(1 << 30)  # the content after its start tag is read in a special way

_TRAITS: dict[int, Iterable[str]] = {
    IS_VOID: VOID,
    IS_RAW: RAW_TEXT,
    IS_BOUNDARY: BOUNDARIES,
    IS_SPECIAL: [*SPECIAL, "(integration)"],
    IS_SCOPE: [*SCOPES, "(integration)"],
    IS_TABLE_SCOPE: ["html", "table", "template", "noscript"],
    IS_BUTTON: ["button"],
    IS_LIST: ["ul", "ol", "menu", "dir"],
    IS_FORMATTING: FORMATTING,
    IS_OUT: OUT,
    IS_BOX: BOXES,
    IS_BREAKOUT: BREAKOUT,
    IS_HEAD_CONTENT: HEAD_CONTENT,
    IS_TABLE_PART: TABLE_PARTS,
    IS_HEADING: HEADINGS,
    IS_PREFORMATTED: ["pre", "listing", "xmp", "plaintext"],
    ENDS_P: CLOSES_P,
    ENDS_IN_SCOPE: [*CLOSES_P, "select", "button", "object", "applet", "marquee"],
    IS_BARRIER: [name for name in [*SPECIAL, "(integration)"] if name not in ("address", "div", "p")],
    IS_MARKER: ["td", "th", "caption", "applet", "object", "marquee", "template", "noscript"],
    IS_ITEM: ["li"],
    IS_TERM: ["dd", "dt"],
    HOLDS_SECTIONS: ["table", "template"],
    HOLDS_ROWS: ["table", "template", "tbody", "thead", "tfoot"],
    HOLDS_CELLS: ["table", "template", "tbody", "thead", "tfoot", "tr"],
    ENDS_OTHERWISE: ["html", "body", "form"],
    HAS_A_SAY: [*SCOPES, "(integration)", *HEADINGS, *"p button td th caption svg math ul ol menu dir".split()],
    IS_PECULIAR: ["form", "pre", "listing", "plaintext", "svg", "math", "noscript", "sub"],
    IS_FOREIGN: ["svg", "math", "(foreign)", "(integration)"],
    MAKES_WAY: [
        *TABLE_PARTS,
        *HEADINGS,
        *"li dd dt table form select input a nobr option optgroup button rb rp rt rtc".split(),
    ],
    ENDS_ITSELF: ["dd", "dt", "li", "optgroup", "option", "p", "rb", "rp", "rt", "rtc"],
}
_FLAGS = {
    "article": ["article"], "main": ["main"], "nav": ["nav"], "header": ["header"], "footer": ["footer"],
    "aside": ["aside"], "form": ["form"], "table": ["table"], "list": ["ul", "ol", "menu", "dir"], "item": ["li"],
    "heading": HEADINGS, "paragraph": ["p"], "cell": ["td", "th"], "quote": ["blockquote", "q"], "figure": ["figure"],
    "caption": ["caption", "figcaption"], "button": ["button"], "link": ["a"],
    "preformatted": ["pre", "listing", "xmp", "plaintext"], "code": ["code", "kbd", "samp", "tt", "var"],
    "noscript": ["noscript"], "template": ["template"], "dialog": ["dialog"], "select": ["option", "optgroup"],
    "label": ["label"], "details": ["details"], "summary": ["summary"], "section": ["section"],
    "definition": ["dl", "dt", "dd"], "address": ["address"], "strong": ["b", "strong"], "small": ["small"],
    "time": ["time"], "span": ["span"], "head": ["head"], "body": ["body"], "fieldset": ["fieldset", "legend"],
    "search": ["search"], "emphasis": ["em", "i", "cite", "dfn", "mark", "u"],
}  # fmt: skip
_ROLES = {
    "article": "article", "main": "main", "navigation": "nav", "menu": "nav", "menubar": "nav", "directory": "nav",
    "doc-toc": "nav", "banner": "header", "contentinfo": "footer", "complementary": "aside", "form": "form",
    "table": "table", "grid": "table", "treegrid": "table", "list": "list", "listitem": "item", "heading": "heading",
    "paragraph": "paragraph", "cell": "cell", "gridcell": "cell", "columnheader": "cell", "rowheader": "cell",
    "blockquote": "quote", "figure": "figure", "caption": "caption", "button": "button", "link": "link",
    "code": "code", "dialog": "dialog", "alertdialog": "dialog", "listbox": "select", "option": "select",
    "combobox": "select", "region": "section", "term": "definition", "definition": "definition", "strong": "strong",
    "emphasis": "emphasis", "time": "time", "search": "search", "tab": "tab", "tablist": "tab", "tabpanel": "tab",
}  # fmt: skip


def name_key(name: str) -> int:
    """The key of a name in lower case, equal to that of `read_key` and the segmenter."""
    key = 0
    for byte in name.encode():
        key = ((key << 8) & (2**64 - 1)) ^ (key >> 56) ^ byte
    return key


def key_table(values: Mapping[str, int], bits: int) -> tuple[Numbers, Numbers]:
    """Keys and values of a hash table with 2^bits slots, for `look_up`.  At most half of the slots are used."""
    assert 2 * len(values) <= 1 << bits
    keys, numbers = np.zeros(1 << bits, np.uint64), np.zeros(1 << bits, np.int64)
    for name, value in values.items():
        key = name_key(name)
        slot = (key * _GOLDEN % 2**64) >> (64 - bits)
        while keys[slot]:
            assert keys[slot] != key, f"two names with the key of {name}"
            slot = (slot + 1) % len(keys)
        keys[slot], numbers[slot] = key, value
    return keys, numbers


_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: distributes keys over their upper bits
GOLDEN = np.uint64(_GOLDEN)


@lean_kernel
def look_up(keys: Numbers, values: Numbers, shift: Key, key: Key) -> Int:
    """The value of a key, or 0 if there is none.  `shift` is 64 minus the table's bits."""
    slot: Int = np.int64((key * GOLDEN) >> shift)
    while keys[slot] != 0:
        if keys[slot] == key:
            return values[slot]
        slot += 1
        if slot == keys.shape[0]:
            slot = 0
    return 0


def _by_tag(values: Mapping[int, Iterable[str]], dtype: type[np.signedinteger]) -> Numbers:
    """For each tag, the bits whose lists contain it."""
    column = np.zeros(N_TAGS, dtype)
    for bit, names in values.items():
        for name in names:
            column[TAG[name]] |= bit
    return column


TRAITS = _by_tag(_TRAITS, np.int64)
TAG_FLAGS = _by_tag({BIT[flag]: names for flag, names in _FLAGS.items()}, np.int64)
HEADING_LEVEL = _by_tag({level: [f"h{level}"] for level in range(1, 7)}, np.int8)
TAG_KEYS, TAG_VALUES = key_table({name: number for name, number in TAG.items() if number > INTEGRATION}, 10)
TAG_SHIFT = np.uint64(64 - 10)
ROLE_KEYS, ROLE_VALUES = key_table({role: BIT[flag] for role, flag in _ROLES.items()}, 7)
ROLE_SHIFT = np.uint64(64 - 7)
