"""Numbers of a fixed form: payment cards, national identity numbers, telephone numbers as a country writes them.

A form is a pattern: `N` a digit, `A` a capital letter, `X` a digit or X, `K` a digit or K; a space is also a no-break
space, and a hyphen is also a no-break hyphen or a dash.  Everything else stands for itself.  Digits are ASCII,
full-width, Arabic or Persian.  A number of that form is personal data if its check holds.  Some forms also need a word
of some groups before them (`words`), or a Chinese, Japanese or Korean character beside them.

Sources: python-stdnum's modules name the law or standard of each number, and the tests compare each check with it.
Payment cards: ISO/IEC 7812 (Luhn) and the issuers' ranges.  IBAN: ISO 13616, and the registry's lengths.
"""

from dataclasses import dataclass
from typing import NamedTuple

from corpusmill.filters.private.kinds import CARD, NATIONAL_ID, PHONE
from corpusmill.filters.private.words import GROUPS

NO_WORD, ASIAN = 0, 1 << 62  # what a form needs besides its check; else a set of groups of words
REACH, PHONE_REACH = 64, 24  # bytes before a number in which a word is looked for

ZERO, MINUS, KOREAN, PLUS, ROMANIAN = range(5)
"""How a sum of weighted digits must end.

ZERO: the sum modulo m is `rest`.  The others compare the digit behind the weighted ones with the sum: MINUS with
(-sum mod m) mod 10, KOREAN with (11 - sum mod 11) mod 10, PLUS with sum mod m mod 10, ROMANIAN with sum mod 11, where
10 is 1.
"""


class Sum(NamedTuple):
    """A checksum: weights of the first digits, modulus, how it ends, and the rest for ZERO."""

    weights: tuple[int, ...]
    modulus: int
    mode: int
    rest: int = 0


class Date(NamedTuple):
    """Where a date of birth stands: offsets of month and day, and what each is taken modulo of (50 was added, ...)."""

    month: int
    day: int
    month_modulus: int = 100
    day_modulus: int = 100


(NONE, CARD_NUMBER, PHONE_NUMBER, LUHN, VERHOEFF, ISO_11_10, US, FRENCH, BELGIAN, SPANISH, ITALIAN, HONG_KONG) = range(
    12
)
(SINGAPORE, FINNISH, TAIWAN, BRITISH, INDIAN_PAN, TURKISH, BALTIC, RUSSIAN, CHINESE, SWEDISH_LONG) = range(12, 22)
"""Checks that are more than sums."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What must hold of the digits of a number."""

    name: str
    kind: int
    special: int = NONE
    sums: tuple[Sum, ...] = ()
    date: Date | None = None
    country_code: int = 0  # of a telephone number
    trunk: int = 0  # digits of a telephone number that are not dialled from abroad


@dataclass(frozen=True)
class Form:
    """A pattern, the rule of its digits, and what it needs besides."""

    pattern: str
    rule: Rule
    needs: int = NO_WORD

    @property
    def is_raw(self) -> bool:
        """Whether it has no separators."""
        return not set("-. ()/") & set(self.pattern)

    @property
    def is_spaced(self) -> bool:
        """Whether spaces separate its digits."""
        return " " in self.pattern


def _id(name: str, **more: object) -> Rule:
    return Rule(name=name, kind=NATIONAL_ID, **more)  # type: ignore[arg-type]


def _phone(country_code: int, trunk: int = 0) -> Rule:
    return Rule(name=f"phone +{country_code}", kind=PHONE, special=PHONE_NUMBER, country_code=country_code, trunk=trunk)


CARD_RULE = Rule(name="card", kind=CARD, special=CARD_NUMBER)
_CN = _id("cn.ric", special=CHINESE, date=Date(10, 12), sums=(
    Sum((7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2, 1), 11, ZERO, 1),
))  # fmt: skip
_CPF = _id("br.cpf", sums=(
    Sum((10, 9, 8, 7, 6, 5, 4, 3, 2), 11, MINUS), Sum((11, 10, 9, 8, 7, 6, 5, 4, 3, 2), 11, MINUS),
))  # fmt: skip
_FNR = _id("no.fodselsnummer", date=Date(2, 0, 40, 40), sums=(
    Sum((3, 7, 6, 1, 8, 9, 4, 5, 2, 1), 11, ZERO), Sum((5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1), 11, ZERO),
))  # fmt: skip
_AHV = Sum((1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1), 10, ZERO)
_SSN, _NIR, _BE = _id("us.ssn", special=US), _id("fr.nir", special=FRENCH), _id("be.nn", special=BELGIAN)
_IDNR, _OIB = _id("de.idnr", special=ISO_11_10), _id("hr.oib", special=ISO_11_10)
_NINO = _id("gb.nino", special=BRITISH)
_NHS = _id("gb.nhs", sums=(Sum((10, 9, 8, 7, 6, 5, 4, 3, 2, 1), 11, ZERO),))
_BSN = _id("nl.bsn", sums=(Sum((9, 8, 7, 6, 5, 4, 3, 2, -1), 11, ZERO),))
_PESEL = _id("pl.pesel", date=Date(2, 4, 20), sums=(Sum((1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1), 10, ZERO),))
_SE, _SE_LONG = _id("se.personnummer", special=LUHN, date=Date(2, 4, 100, 60)), _id("se.long", special=SWEDISH_LONG)
_CPR = _id("dk.cpr", date=Date(2, 0))
_HETU = _id("fi.hetu", special=FINNISH, date=Date(2, 0))
_AADHAAR, _PAN = _id("in_.aadhaar", special=VERHOEFF), _id("in_.pan", special=INDIAN_PAN)
_RRN = _id("kr.rrn", date=Date(2, 4), sums=(Sum((2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5), 11, KOREAN),))
_MY_NUMBER = _id("jp.in_", sums=(Sum((6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2), 11, MINUS),))
_TAIWAN, _HKID, _NRIC = _id("tw", special=TAIWAN), _id("hk", special=HONG_KONG), _id("sg", special=SINGAPORE)
_RUT = _id("cl.rut", sums=(Sum((3, 2, 7, 6, 5, 4, 3, 2, 1), 11, ZERO),))
_TC = _id("tr.tckimlik", special=TURKISH)
_ZA, _IL, _SIN = (
    _id("za.idnr", special=LUHN, date=Date(2, 4)),
    _id("il.idnr", special=LUHN),
    _id("ca.sin", special=LUHN),
)
_AMKA = _id("gr.amka", special=LUHN, date=Date(2, 0))
_CNP = _id("ro.cnp", date=Date(3, 5), sums=(Sum((2, 7, 9, 1, 4, 6, 3, 5, 8, 2, 7, 9), 11, ROMANIAN),))
_EGN = _id("bg.egn", date=Date(2, 4, 20), sums=(Sum((2, 4, 8, 5, 10, 9, 7, 3, 6), 11, PLUS),))
_SNILS = _id("ru.snils", special=RUSSIAN)
_INN = _id("ru.inn", sums=(
    Sum((7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11, PLUS), Sum((3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8), 11, PLUS),
))  # fmt: skip
_TFN = _id("au.tfn", sums=(Sum((1, 4, 3, 7, 5, 8, 6, 9, 10), 11, ZERO),))
_NIF = _id("pt.nif", sums=(Sum((9, 8, 7, 6, 5, 4, 3, 2), 11, MINUS),))
_RC = _id("cz.rc", date=Date(2, 4, 20), sums=(Sum((1, -1, 1, -1, 1, -1, 1, -1, 1), 11, PLUS),))
_BALTIC = _id("ee.ik", special=BALTIC, date=Date(3, 5))
_THAI = _id("th.pin", sums=(Sum((13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2), 11, KOREAN),))
_SWISS = _id("ch.ssn", sums=(_AHV,))
_DNI, _NIE, _CF = _id("es.dni", special=SPANISH), _id("es.nie", special=SPANISH), _id("it.cf", special=ITALIAN)


def _in(group: str) -> int:
    return GROUPS[group]


_CARDS = (
    *(Form(f"NNNN{s}NNNN{s}NNNN{s}NNNN{more}", CARD_RULE) for s in " -" for more in ("", f"{s}NNN")),
    *(Form(f"NNNN{s}NNNNNN{s}NNNNN", CARD_RULE) for s in " -"),
    *(Form(f"NNNN{s}NNNNNN{s}NNNN", CARD_RULE) for s in " -"),
    *(Form("N" * n, CARD_RULE) for n in (16, 15)),
    *(Form("N" * n, CARD_RULE, _in("card")) for n in (14, 19)),
)
_IDS = (
    Form("NNN-NN-NNNN", _SSN),
    Form("NNN NN NNNN", _SSN, _in("us")),
    Form("NNNNNNNNN", _SSN, _in("us")),
    Form("NNNNNNNNNNNNNNNNNX", _CN),
    Form("NNNNNN NNNNNNNN NNNX", _CN),
    Form("NNN.NNN.NNN-NN", _CPF),
    Form("NNNNNNNNNNN", _CPF, _in("br")),
    Form("NNNNNNNNA", _DNI, _in("es")),
    Form("NN.NNN.NNN-A", _DNI),
    Form("NNNNNNNN-A", _DNI, _in("es")),
    Form("ANNNNNNNA", _NIE, _in("es")),
    Form("A-NNNNNNN-A", _NIE),
    Form("AAAAAANNANNANNNA", _CF),
    Form("N NN NN NN NNN NNN NN", _NIR),
    Form("NNNNNNNNNNNNNNN", _NIR, _in("fr")),
    Form("NNNNNNNNNNN", _IDNR, _in("de")),
    Form("NN NNN NNN NNN", _IDNR, _in("de")),
    Form("AA NN NN NN A", _NINO),
    Form("AANNNNNNA", _NINO, _in("gb")),
    Form("NNN NNN NNNN", _NHS, _in("gb")),
    Form("NNNNNNNNNN", _NHS, _in("gb")),
    Form("NNNNNNNNN", _BSN, _in("nl")),
    Form("NN.NN.NN-NNN.NN", _BE),
    Form("NNNNNNNNNNN", _BE, _in("be")),
    Form("NNNNNNNNNNN", _PESEL, _in("pl")),
    Form("NNNNNN-NNNN", _SE, _in("se")),
    Form("NNNNNNNN-NNNN", _SE_LONG),
    Form("NNNNNN-NNNN", _CPR, _in("dk")),
    Form("NNNNNN-NNNN", _HETU),
    Form("NNNNNN-NNNA", _HETU),
    Form("NNNNNNANNNN", _HETU),
    Form("NNNNNNANNNA", _HETU),
    Form("NNNNNNNNNNN", _FNR, _in("no")),
    Form("NNNNNN NNNNN", _FNR, _in("no")),
    Form("NNNN NNNN NNNN", _AADHAAR, _in("in")),
    Form("NNNNNNNNNNNN", _AADHAAR, _in("in")),
    Form("AAAAANNNNA", _PAN, _in("in")),
    Form("NNNNNN-NNNNNNN", _RRN),
    Form("NNNN NNNN NNNN", _MY_NUMBER, _in("jp")),
    Form("NNNNNNNNNNNN", _MY_NUMBER, _in("jp")),
    Form("ANNNNNNNNN", _TAIWAN, _in("tw")),
    Form("ANNNNNN(N)", _HKID),
    Form("ANNNNNN(A)", _HKID),
    Form("ANNNNNNNA", _NRIC, _in("sg")),
    Form("NN.NNN.NNN-K", _RUT),
    Form("NNNNNNNNNNN", _TC, _in("tr")),
    Form("NNNNNNNNNNNNN", _ZA, _in("za")),
    Form("NNNNNNNNN", _IL, _in("il")),
    Form("NNNNNNNNNNNNN", _CNP, _in("ro")),
    Form("NNNNNNNNNN", _EGN, _in("bg")),
    Form("NNN-NNN-NNN NN", _SNILS),
    Form("NNNNNNNNNNN", _SNILS, _in("ru")),
    Form("NNNNNNNNNNNN", _INN, _in("ru")),
    Form("NNN-NNN-NNN", _SIN, _in("ca")),
    Form("NNN NNN NNN", _SIN, _in("ca")),
    Form("NNNNNNNNN", _SIN, _in("ca")),
    Form("NNN NNN NNN", _TFN, _in("au")),
    Form("NNNNNNNNN", _TFN, _in("au")),
    Form("NNNNNNNNN", _NIF, _in("pt")),
    Form("NNN NNN NNN", _NIF, _in("pt")),
    Form("NNNNNN/NNNN", _RC),
    Form("NNNNNNNNNNN", _BALTIC, _in("ee")),
    Form("NNNNNNNNNNN", _AMKA, _in("gr")),
    Form("NNNNNNNNNNN", _OIB, _in("hr")),
    Form("756.NNNN.NNNN.NN", _SWISS),
    Form("N-NNNN-NNNNN-NN-N", _THAI),
    Form("NNNNNNNNNNNNN", _THAI, _in("th")),
)
_CHINA, _JAPAN, _KOREA = _phone(86, 1), _phone(81, 1), _phone(82, 1)
_PHONES = (
    *(Form(pattern, _phone(1)) for pattern in ("(NNN) NNN-NNNN", "(NNN)NNN-NNNN", "(NNN) NNN NNNN", "(NNN) NNN.NNNN")),
    *(Form(f"NNN{s}NNN{s}NNNN", _phone(1)) for s in "-."),
    *(Form(f"1{s}NNN{s}NNN{s}NNNN", _phone(1, 1)) for s in "-."),
    Form("1 (NNN) NNN-NNNN", _phone(1, 1)),
    Form("1-(NNN)-NNN-NNNN", _phone(1, 1)),
    *(Form(f"0N{s}NN{s}NN{s}NN{s}NN", _phone(33, 1)) for s in " ."),
    *(Form(pattern, _phone(44, 1)) for pattern in ("0NNNN NNNNNN", "0NN NNNN NNNN", "0NNN NNN NNNN")),
    *(Form(pattern, _phone(7, 1)) for pattern in ("8 (NNN) NNN-NN-NN", "8(NNN)NNN-NN-NN", "8-NNN-NNN-NN-NN")),
    *(Form(pattern, _phone(86)) for pattern in ("1NN-NNNN-NNNN", "1NN NNNN NNNN")),
    Form("1NNNNNNNNNN", _phone(86), ASIAN),
    *(Form(pattern, _CHINA, ASIAN) for pattern in ("0NN-NNNNNNNN", "0NNN-NNNNNNN", "0NNN-NNNNNNNN")),
    *(Form(pattern, _JAPAN, ASIAN) for pattern in ("0N-NNNN-NNNN", "0NN-NNN-NNNN", "0NN-NNNN-NNNN", "0NNN-NN-NNNN")),
    *(Form(pattern, _KOREA, ASIAN) for pattern in ("0N-NNN-NNNN", "0N-NNNN-NNNN", "0NN-NNN-NNNN", "0NN-NNNN-NNNN")),
    Form("5NN NNN NN NN", _phone(90)),
    *(Form(pattern, _phone(90, 1)) for pattern in ("0NNN NNN NN NN", "0(NNN) NNN NN NN")),
    *(Form(pattern, _phone(55)) for pattern in ("(NN) NNNNN-NNNN", "(NN) NNNN-NNNN")),
)
FORMS = (*_CARDS, *_IDS, *_PHONES)
"""All forms.  Of several that fit at a place, the first counts."""

RULES = tuple(dict.fromkeys(form.rule for form in FORMS))


def by_beginning() -> dict[str, dict[int, list[Form]]]:
    """Forms by what stands before their first digit, the longest first, and by the length of the first block."""
    found: dict[str, dict[int, list[Form]]] = {}
    for form in FORMS:
        lead = form.pattern[: len(form.pattern) - len(form.pattern.lstrip("A( -"))]
        rest = form.pattern[len(lead) :]
        length = len(rest) - len(rest.lstrip("N0123456789"))
        ends_in_digit_or_letter = length == len(rest) - 1 and rest[-1] in "XK"
        for each in (length, length + 1) if ends_in_digit_or_letter else (length,):
            found.setdefault(lead, {}).setdefault(each, []).append(form)
    return {lead: found[lead] for lead in sorted(found, key=len, reverse=True)}


_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 "
    "DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 "
    "IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 "
    "MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24 "
    "SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30 "
)
IBAN_LENGTHS = {each[:2]: int(each[2:]) for each in _IBANS.split()}
"""Characters of an IBAN, by country."""

CARD_RANGES = (
    ((4, 4), (16, 19)),
    ((51, 55), (16,)),
    ((2221, 2720), (16,)),
    ((34, 34), (15,)),
    ((37, 37), (15,)),
    ((6011, 6011), (16, 19)),
    ((644, 659), (16, 19)),
    ((3528, 3589), (16, 19)),
    ((36, 36), (14, 19)),
    ((300, 305), (14,)),
    ((38, 39), (14,)),
    ((62, 62), (16, 19)),
    ((2200, 2204), (16,)),
)
"""First and last prefix of an issuer, and the lengths of its numbers: Visa, Mastercard, Amex, Discover, JCB, Diners,
UnionPay, Mir."""
