"""Whether the digits of a number satisfy its rule: the definition in plain Python."""

import zlib
from array import array
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from corpusmill.filters.private import forms
from corpusmill.filters.private.forms import CARD_RANGES, KOREAN, MINUS, PLUS, ROMANIAN, ZERO, Date, Rule, Sum
from corpusmill.filters.private.kinds import NATIONAL_ID

VERHOEFF_PRODUCT = (
    *("0123456789", "1234067895", "2340178956", "3401289567", "4012395678"),
    *("5987604321", "6598710432", "7659821043", "8765932104", "9876543210"),
)
VERHOEFF_TURN = (
    *("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258"),
)
SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
FINNISH_LETTERS = "0123456789ABCDEFHJKLMNPRSTUVWXY"
ITALIAN_ODD = (
    *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
    *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
)  # fmt: skip
"""What a digit, or a letter, on an odd place of a codice fiscale counts."""

TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # 10 to 35
NRIC_LETTERS = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "F": "XWUTRQPNMLK", "G": "XWUTRQPNMLK"}
BRITISH_NEVER = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})
SSN_NEVER = frozenset({(0, 7, 8, 0, 5, 1, 1, 2, 0), (2, 1, 9, 0, 9, 9, 9, 9, 9)})  # printed in advertisements
PROVINCES = frozenset((*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), *range(50, 55), *range(61, 66)))
PROVINCES |= {71, 81, 82}


def holds(rule: Rule, values: Sequence[int]) -> bool:
    """Whether a rule holds for the digits of a number: 0 to 9; letters are 10 to 35.  An X or K at the end is 10."""
    if rule.special == forms.PHONE_NUMBER:
        return is_phone([*map(int, str(rule.country_code)), *values[rule.trunk :]])
    if rule.kind == NATIONAL_ID and len(set(values[:9])) == 1:  # 111111111 is a placeholder
        return False
    if rule.date is not None and not _is_date(rule.date, values):
        return False
    if not all(_sum_holds(each, values) for each in rule.sums):
        return False
    special = _SPECIAL.get(rule.special)
    return special is None or special(values)


def _sum_holds(rule: Sum, values: Sequence[int]) -> bool:
    total = sum(weight * value for weight, value in zip(rule.weights, values, strict=False))
    if rule.mode == ZERO:
        return total % rule.modulus == rule.rest
    last = values[len(rule.weights)]
    if rule.mode == MINUS:
        return last == -total % rule.modulus % 10
    if rule.mode == KOREAN:
        return last == (11 - total % 11) % 10
    if rule.mode == PLUS:
        return last == total % rule.modulus % 10
    assert rule.mode == ROMANIAN
    return last == (1 if total % 11 == 10 else total % 11)


def _is_date(date: Date, values: Sequence[int]) -> bool:
    month = (10 * values[date.month] + values[date.month + 1]) % date.month_modulus
    day = (10 * values[date.day] + values[date.day + 1]) % date.day_modulus
    return 1 <= month <= 12 and 1 <= day <= 31


def _number(values: Sequence[int]) -> int:
    return int("".join(map(str, values)))


def _letter(value: int) -> str:
    return chr(value - 10 + ord("A"))


def luhn(values: Sequence[int]) -> bool:
    """The check of ISO/IEC 7812."""
    doubled = [value if i % 2 == 0 else 2 * value - 9 * (value > 4) for i, value in enumerate(reversed(values))]
    return sum(doubled) % 10 == 0


def is_card(values: Sequence[int]) -> bool:
    """A payment card: an issuer's prefix and length, and Luhn."""
    number = "".join(map(str, values))
    known = any(
        len(number) in lengths and first <= int(number[: len(str(first))]) <= last
        for (first, last), lengths in CARD_RANGES
    )
    return known and luhn(values) and len(set(values)) > 1


def is_phone(values: Sequence[int]) -> bool:
    """Whether libphonenumber knows a number; with its country code."""
    rows = automaton()
    state = 1
    for value in values:
        state = rows[10 * state + value]
        if state == 0:
            return False
    return state >= rows[0]


@cache
def automaton() -> "array[int]":
    """The states of `phones.bin`; `tools/phones.py` says what they mean."""
    import sys

    rows = array("H")
    rows.frombytes(zlib.decompress(Path(__file__).with_name("phones.bin").read_bytes()))
    if sys.byteorder == "big":
        rows.byteswap()
    return rows


def _verhoeff(values: Sequence[int]) -> bool:
    check = 0
    for i, value in enumerate(reversed(values)):
        check = int(VERHOEFF_PRODUCT[check][int(VERHOEFF_TURN[i % 8][value])])
    return check == 0 and values[0] > 1


def _iso_11_10(values: Sequence[int]) -> bool:
    check = 5
    for value in values:
        check = ((check or 10) * 2 % 11 + value) % 10
    return check == 1


def _us(values: Sequence[int]) -> bool:
    area, group, serial = _number(values[:3]), _number(values[3:5]), _number(values[5:])
    return area not in (0, 666) and area < 900 and group > 0 and serial > 0 and tuple(values) not in SSN_NEVER


def _french(values: Sequence[int]) -> bool:
    month = _number(values[3:5])
    return (
        values[0] in (1, 2, 7, 8)
        and (1 <= month <= 12 or month >= 20)
        and 97 - _number(values[:13]) % 97 == _number(values[13:])
    )


def _belgian(values: Sequence[int]) -> bool:
    number, check, month = _number(values[:9]), _number(values[9:]), _number(values[2:4])
    return check in (97 - number % 97, 97 - (2_000_000_000 + number) % 97) and month % 20 <= 12


def _spanish(values: Sequence[int]) -> bool:
    first = values[0]
    if first >= 10:
        if _letter(first) not in "XYZ":
            return False
        first -= 10 + ord("X") - ord("A")
    return SPANISH_LETTERS[_number([first, *values[1:-1]]) % 23] == _letter(values[-1])


def _italian(values: Sequence[int]) -> bool:
    even = sum(value if value < 10 else value - 10 for value in values[1:15:2])
    odd = sum(ITALIAN_ODD[value] for value in values[0:15:2])
    return (
        (even + odd) % 26 == values[15] - 10
        and _letter(values[8]) in "ABCDEHLMPRST"
        and 1 <= _number(values[9:11]) % 40 <= 31
    )


def _hong_kong(values: Sequence[int]) -> bool:
    if values[7] >= 10 and _letter(values[7]) != "A":
        return False
    total = 9 * 36 + sum(weight * value for weight, value in zip(range(8, 0, -1), values, strict=True))
    return total % 11 == 0


def _singapore(values: Sequence[int]) -> bool:
    first = _letter(values[0])
    if first not in NRIC_LETTERS:
        return False
    total = sum(w * value for w, value in zip((2, 7, 6, 5, 4, 3, 2), values[1:8], strict=True)) + 4 * (first in "TG")
    return NRIC_LETTERS[first][total % 11] == _letter(values[8])


def _finnish(values: Sequence[int]) -> bool:
    if len(values) == 11:  # a letter between date and number says the century: A to F, U to Y
        if _letter(values[6]) not in "ABCDEFUVWXY":
            return False
        values = [*values[:6], *values[7:]]
    check = FINNISH_LETTERS[_number(values[:9]) % 31]
    return check == (str(values[9]) if values[9] < 10 else _letter(values[9])) and _number(values[6:9]) >= 2


def _taiwan(values: Sequence[int]) -> bool:
    first = TAIWAN_LETTERS.index(_letter(values[0])) + 10
    total = first // 10 + 9 * (first % 10)
    total += sum(weight * value for weight, value in zip((8, 7, 6, 5, 4, 3, 2, 1, 1), values[1:], strict=True))
    return total % 10 == 0 and values[1] in (1, 2, 8, 9)


def _british(values: Sequence[int]) -> bool:
    first, second, last = (_letter(values[i]) for i in (0, 1, 8))
    return first not in "DFIQUV" and second not in "DFIOQUV" and first + second not in BRITISH_NEVER and last in "ABCD"


def _indian_pan(values: Sequence[int]) -> bool:
    return _letter(values[3]) == "P" and any(values[5:9])  # a person, not a firm or trust


def _turkish(values: Sequence[int]) -> bool:
    check = (7 * sum(values[0:9:2]) - sum(values[1:8:2])) % 10
    return values[0] > 0 and check == values[9] and sum(values[:10]) % 10 == values[10]


def _baltic(values: Sequence[int]) -> bool:
    check = sum(w * value for w, value in zip((1, 2, 3, 4, 5, 6, 7, 8, 9, 1), values[:10], strict=True)) % 11
    if check == 10:
        check = sum(w * value for w, value in zip((3, 4, 5, 6, 7, 8, 9, 1, 2, 3), values[:10], strict=True)) % 11 % 10
    return check == values[10] and values[0] > 0


def _russian(values: Sequence[int]) -> bool:
    total = sum(weight * value for weight, value in zip(range(9, 0, -1), values, strict=False))
    return total % 101 % 100 == _number(values[9:]) and _number(values[:9]) > 1_001_998


def _chinese(values: Sequence[int]) -> bool:
    return _number(values[:2]) in PROVINCES and _number(values[6:8]) in (18, 19, 20) and max(values[:17]) < 10


def _swedish_long(values: Sequence[int]) -> bool:
    return luhn(values[2:]) and _is_date(Date(4, 6, 100, 60), values) and _number(values[:2]) in (18, 19, 20)


_SPECIAL = {
    forms.CARD_NUMBER: is_card,
    forms.LUHN: luhn,
    forms.VERHOEFF: _verhoeff,
    forms.ISO_11_10: _iso_11_10,
    forms.US: _us,
    forms.FRENCH: _french,
    forms.BELGIAN: _belgian,
    forms.SPANISH: _spanish,
    forms.ITALIAN: _italian,
    forms.HONG_KONG: _hong_kong,
    forms.SINGAPORE: _singapore,
    forms.FINNISH: _finnish,
    forms.TAIWAN: _taiwan,
    forms.BRITISH: _british,
    forms.INDIAN_PAN: _indian_pan,
    forms.TURKISH: _turkish,
    forms.BALTIC: _baltic,
    forms.RUSSIAN: _russian,
    forms.CHINESE: _chinese,
    forms.SWEDISH_LONG: _swedish_long,
}
