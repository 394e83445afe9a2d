"""Count mojibake: UTF-8 or KOI8 that was decoded in the wrong encoding before the page reached us.

Such damage is not repaired, because a repair can be wrong.  It is counted, and the count is in the page's metadata.
These are counted:

- characters that stand for UTF-8 that was read as windows-1252, 1250 or 1251 (cafÃ©, â€™, Ð¿Ñ€, РїСЂ);
- characters that are frequent in UTF-8 that was read as GBK, Shift_JIS or EUC-KR (锛, 縺, 占쏙);
- words in KOI8 that were read as windows-1251, or the other way round (рТЙЧЕФ);
- U+FFFD.

Some sequences can also occur in clean text (`é»` with a no-break space, `Ü“`, `С…`).  They count only beside an ASCII
letter in lower case, or in a chain of such sequences.

It is one pass over the bytes of the text, and takes 0.03 ms for 10,000 characters.  Patterns over strings are much
slower: ftfy's `badness`, from which the rules are derived, takes 2 ms.

Measured on the Universal Declaration of Human Rights:

- In its 388 languages as they are, it finds nothing.  ftfy's `badness` finds some in 4 of them, 70 in Kongo alone.
- Read as windows-1252 or 1250, it finds something in all 302 languages beyond ASCII, and 0.98 of the characters.
- Chinese that was read as GBK is found by its punctuation only, in 1 of 50 characters.
"""

import numpy as np
import numpy.typing as npt

from corpusmill.extract.charset.encoding import Utf8
from corpusmill.extract.segments.lean import unsigned
from corpusmill.kernels import kernel

_PAGES = ("cp1252", "cp1250", "cp1251")
_CYRILLIC = 2
_N_CODES = 0x2123  # code points; the trade mark sign is the highest one in these code pages
_CAPITAL_A, _SMALL_A, _SMALL_YA = 0x410, 0x430, 0x44F
_OUTSIDE, _INSIDE = -1, -2  # a word; else the number of capitals after its first small letter
_SWAPPED = 4  # capitals after a small letter; "кВтч" and "мРНК" have fewer


def _bytes_of(page: str) -> npt.NDArray[np.uint8]:
    """For each code point its byte from 128 on in a code page, or 0.  Bytes without a character stand for controls."""
    table = np.zeros(_N_CODES, np.uint8)
    for byte in range(0x80, 0x100):
        try:
            table[ord(bytes([byte]).decode(page))] = byte
        except UnicodeDecodeError:
            table[byte] = byte
    table[0x80:0xA0] = np.arange(0x80, 0xA0)  # latin-1 has controls at all of these bytes
    return table


_BYTES = np.stack([_bytes_of(page) for page in _PAGES])


def condition(page: Utf8, text: str) -> dict[str, object]:
    """For the metadata: the page's encoding, and the damage to the page and its main text, if there is any."""
    counts = {"decoding_errors": page.n_replaced, "mojibake": mojibake(text.encode("utf-8", "replace"))}
    return {"encoding": page.encoding, **{name: count for name, count in counts.items() if count}}


def mojibake(text: bytes) -> int:
    """How many characters of a UTF-8 text are mojibake or U+FFFD."""
    return 0 if text.isascii() else int(_count(np.frombuffer(text + bytes(4), np.uint8), _BYTES))


@kernel
def _count(text: npt.NDArray[np.uint8], bytes_of: npt.NDArray[np.uint8]) -> int:
    """The count for a text that is followed by four zero bytes."""
    count = i = 0
    chain_end, chain, uncounted, chain_is_cyrillic = -1, 0, 0, False
    word = _OUTSIDE
    end = len(text) - 4
    while i < end:
        if text[unsigned(i)] < 0x80:
            word = _OUTSIDE
            i += 1
            while i < end and text[unsigned(i)] < 0x80:
                i += 1
            continue
        code, after = _decode(text, i)
        if code >= _N_CODES:
            count += _is_marker(text, i)
            word = _OUTSIDE
            i = after
            continue
        if _SMALL_A <= code <= _SMALL_YA:
            word = 0 if word == _OUTSIDE else _INSIDE
        elif _CAPITAL_A <= code < _SMALL_A:
            word = word + 1 if word >= 0 else _INSIDE
            count += word == _SWAPPED
        else:
            word = _OUTSIDE
        for page in range(3):
            lead = bytes_of[page, code]
            if lead < 0xC2 or lead > 0xF4:
                continue
            length = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            n, at, second, last = 1, after, 0, 0
            while n < length and at < end:
                code, following = _decode(text, at)
                last = bytes_of[page, code] if code < _N_CODES else 0
                if last < 0x80 or last > 0xBF:
                    break
                second = last if n == 1 else second
                at, n = following, n + 1
            code, _ = _decode(text, i)
            if n < length:
                continue
            is_cyrillic = page == _CYRILLIC
            if chain_end != i or is_cyrillic != chain_is_cyrillic:
                chain = uncounted = 0
            chain, chain_end, chain_is_cyrillic = chain + 1, at, is_cyrillic
            before = text[i - 1] if i > 0 else 0
            beside_letter = 97 <= before <= 122 or 97 <= text[at] <= 122
            if _is_sure(lead, second, last, beside_letter, 65 <= before <= 90, is_cyrillic):
                count += 1
            else:
                uncounted += 1
            if chain >= 2 + is_cyrillic:
                count += uncounted
                uncounted = 0
            word = _OUTSIDE
            after = at
            break
        i = after
    return count


@kernel
def _decode(text: npt.NDArray[np.uint8], at: int) -> tuple[int, int]:
    """(the code point at this place of valid UTF-8, 0 or more; the place after it)."""
    byte = int(text[at])
    if byte < 0x80:
        return byte, at + 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | (text[at + 1] & 0x3F), at + 2
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | (text[at + 1] & 0x3F) << 6 | (text[at + 2] & 0x3F), at + 3
    return 0x10000, at + 4  # no code page has it


@kernel
def _is_sure(lead: int, second: int, last: int, beside_letter: bool, after_capital: bool, is_cyrillic: bool) -> bool:
    """Whether one sequence alone, given by its bytes, is surely mojibake."""
    if lead == 0xC2:  # symbols: Â©
        return second >= 0xA0 and not after_capital and not is_cyrillic
    if 0xC3 <= lead <= 0xC9:  # Latin letters: Ã©
        return beside_letter and (second != 0xA0 or lead == 0xC3)
    if lead == 0xE1:  # Vietnamese: á»‡
        return beside_letter and second in (0xBA, 0xBB)
    if lead == 0xE2:  # quotes, dashes, the euro: â€™
        return second in (0x80, 0x82, 0x84, 0x86, 0x88)
    if lead == 0xEF:  # byte order mark, fullwidth punctuation, U+FFFD: ï»¿
        return (second == 0xBB and last == 0xBF) or second in (0xBC, 0xBD) or (second == 0xBF and last == 0xBD)
    return lead == 0xF0 and second == 0x9F  # pictographs: ðŸ˜€


@kernel
def _is_marker(text: npt.NDArray[np.uint8], at: int) -> bool:
    """Whether U+FFFD is here, or a character that is frequent in UTF-8 read in another encoding of East Asia."""
    code, after = _decode(text, at)
    if code == 0x5360:  # 占 is a common character itself
        return _decode(text, after)[0] == 0xC3D9  # 占쏙: U+FFFD in EUC-KR
    return code in (0xFFFD, 0x951B, 0x9286, 0x9225, 0x951F, 0x7E3A, 0x7E67, 0x7E5D)  # 锛銆鈥锟縺繧繝
