r"""Text as every corpus keeps it, whatever it came from.

- Line ends of every kind become "\n": CR LF, CR, VT, FF, NEL, the separators U+001C..1E, U+2028, U+2029.
- Other control characters, noncharacters, byte order marks and soft hyphens are dropped: none of them is seen on a
  page, so no word is glued or broken by it.  U+001F, a separator, becomes a space.
- What is invisible but means something stays: ZWJ and ZWNJ (Persian, Indic scripts, emoji), the zero-width space that
  ends words in Khmer or Thai, marks of writing direction, the no-break space.
- Lone surrogates become U+FFFD.
- Unicode's form NFC: canonically equivalent texts are the same text by definition, are the same twin to deduplication,
  and cost the tokenizer the same.  Decomposed Vietnamese, Korean or Yoruba would be torn into marks.  Spaces stay
  spaces under NFC; the price is that CJK compatibility ideographs become the unified ones.

Cost: 110-260 MB/s; 40 MB/s for Hindi and Vietnamese, whose marks make NFC more than a look.
"""

import re
import unicodedata

from corpusmill.collect.columns import encodable

_SPECIAL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u2028\u2029\ufeff\ufdd0-\ufdef\ufffe\uffff]|[\U0001fffe\U0001ffff\U0010fffe\U0010ffff]"
)
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """The text in normal form, see above."""
    if _SPECIAL.search(text):
        text = _LINE_ENDS.sub("\n", text).replace("\x1f", " ")
        text = _SPECIAL.sub("", text)
    return unicodedata.normalize("NFC", encodable(text))


def one_line(text: str | None) -> str | None:
    """A title or the like: normal form on one line, None if nothing is left."""
    return _SPACES.sub(" ", normalise(text)).strip() or None if text is not None else None
