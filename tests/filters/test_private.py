"""The checks of numbers beside python-stdnum and phonenumbers; forms and words on invented examples."""

import importlib
import random
import re

import phonenumbers
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.filters.personal import mask_text
from corpusmill.filters.pii import mask
from corpusmill.filters.private.checks import holds, is_phone
from corpusmill.filters.private.forms import FORMS, IBAN_LENGTHS, Form, Rule
from corpusmill.filters.private.kinds import NATIONAL_ID
from corpusmill.filters.private.secrets import PREFIXES
from corpusmill.filters.private.words import GROUPS, WORDS
from corpusmill.filters.settings import PiiSettings

MODULES = {"se.long": "se.personnummer", "it.cf": "it.codicefiscale"}
NOT_IN_STDNUM = {"hk", "sg", "gb.nino", "tw", "ru.snils"}
NO_CHECKSUM = {"us.ssn", "dk.cpr", "in_.pan"}
PERSONS_ONLY = {"in_.pan"}  # stdnum also knows those of firms

SAMPLES = """
gb.nino|AB 12 34 56 C|National Insurance|QQ 12 34 56 C
hk|A123456(3)|HKID|A123456(4)
sg|S1234567D|NRIC|S1234567A
ru.snils|112-233-445 95|СНИЛС|112-233-445 96
tw|A123456789|身分證字號|A123456788
"""
# ruff: noqa: E501
# What is between ⟦ and ⟧ is personal data of the kind that stands first in the line.
LABELLED = """
phone|Call ⟦+1 (415) 555-0132⟧ or ⟦(415) 555-0132⟧ or ⟦415-555-0132⟧, ⟦415.555.0132⟧; ⟦1-800-555-0199⟧.
phone|Tel. ⟦+49 (0)30 901820⟧, Fax: ⟦030 / 90182-0⟧, Mobil ⟦0151 23456789⟧
phone|⟦+44 20 7946 0958⟧; ⟦020 7946 0958⟧; ⟦07400 123456⟧; ⟦+442079460958⟧x12
phone|Téléphone : ⟦01 42 68 53 00⟧, ⟦+33 1 42 68 53 00⟧ ou ⟦01.42.68.53.00⟧
phone|電話：⟦03-3581-0101⟧（代表）、携帯 ⟦090-1234-5678⟧
phone|전화 ⟦02-2100-2114⟧, 휴대폰 ⟦010-2345-6789⟧
phone|手机⟦13812345678⟧，或⟦138 1234 5678⟧；座机⟦010-62345678⟧转8001
phone|Телефон: ⟦8 (495) 606-36-02⟧, ⟦+7 495 606-36-02⟧
phone|هاتف: ⟦+٢٠ ٢ ٢٧٩٢٠٠٠٠⟧ و ⟦＋８１ ３ ３５８１ ０１０１⟧
phone|WhatsApp ⟦+55 11 91234-5678⟧ (⟦(11) 91234-5678⟧)
card|Visa ⟦4111 1111 1111 1111⟧, Amex ⟦3782-822463-10005⟧, MC ⟦5555555555554444⟧; ⟦４１１１ １１１１ １１１１ １１１１⟧
card|card 3056 9309 0259 04: ⟦3056 930902 5904⟧ or card ⟦30569309025904⟧
iban|⟦DE89 3704 0044 0532 0130 00⟧, ⟦GB29NWBK60161331926819⟧, IBAN:⟦FR14 2004 1010 0505 0001 3M02 606⟧.
id|SSN: ⟦536-90-4399⟧ or ⟦536-90-4398⟧; social security 536904399x ⟦536904399⟧
id|身份证号⟦11010519491231002X⟧，公民身份号码：⟦１１０１０５１９４９１２３１００２X⟧ ⟦11010519491231002x⟧
id|CPF ⟦529.982.247-25⟧, cpf: ⟦52998224725⟧; DNI ⟦12345678Z⟧; NIE ⟦X1234567L⟧; C.F. ⟦RSSMRA85T10A562S⟧
id|NIR ⟦1 85 05 78 006 084 91⟧; HETU ⟦131052-308T⟧; BSN ⟦111222333⟧; PESEL ⟦44051401359⟧; AHV ⟦756.9217.0769.85⟧
id|주민등록번호 ⟦971013-9019902⟧; Aadhaar ⟦2341 2341 2346⟧; RUT ⟦12.531.909-2⟧; SNILS ⟦112-233-445 95⟧
credentials|git clone https://⟦user:hunter2⟧@host.example/x.git and ftp://⟦anonymous:a%40b⟧@ftp.example/
credentials|https://api.example/v1?a=1&access_token=⟦AbC123⟧&b=2 ?password=⟦hunter2⟧ ?sig=⟦0123456789abcdef⟧
key|AWS_ACCESS_KEY_ID=⟦AKIAIOSFODNN7EXAMPLE⟧ AWS_SECRET_ACCESS_KEY=⟦kJ8s2LmQ9xT4vB7nR1wY6zC3dF5gH0pA/Ee+Uu2i⟧
key|⟦ghp_0123456789abcdefABCDEF0123456789abcd⟧ ⟦sk-proj-abcdEFGH0123456789abcdEFGH0123456789⟧ ⟦xoxb-123456789012-abcdefABCDEF⟧
key|api_key = "⟦a8f5f167f44f4964e6c998dee827110c⟧" {"token": "⟦Zm9vYmFy123xYz987QwErTyuIop⟧"} Authorization: Bearer ⟦q9Zr4Tt81mXw77Pb3k⟧
key|⟦eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U⟧.
key|⟦-----BEGIN RSA PRIVATE KEY-----MIIEpAIBAAKCAQEA-----END RSA PRIVATE KEY-----⟧ done
"""
LEFT_ALONE = """
ISBN 978-3-16-148410-0, ISBN 0-306-40615-2, EAN 4006381333931, DOI 10.1000/182, 10.1016/j.cell.2019.05.031, ISSN 2049-3630
2024-01-02, 02.01.2024, 1999-2000 2001-2002, 12:30:45, 2019-10-12T10:00:00+01:00, Tel 2019-10-12, phone 1999 2000
48.858370, 2.294481; 40°42'46"N; version 415.555.013; 3.14159265358979; 1,234,567,890; $4111111111111111; 0.4111111111111111
4111 1111 1111 1112, 4111 1111 1111 1111 2222, 1111 4111 1111 1111 1111, id=4111111111111111, /4111111111111111/, x4111111111111111
commit a8f5f167f44f4964e6c998dee827110c, sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
token = get_access_token_from_request(request), secret: self.settings.secret_key_base, password: required, key=value
https://example.com:8080/a@b, http://[::1]:80/, https://example.com/?page=2&key=home, see://a, https://user:***@host/
RA 123456789 DE, order 536904399, part 12-34-5678, model 529982247-25, 11010519491231002X9, A123456789, 123-456-789
+1 415 555, +123456789, C++11, +0100, 5+33123456789, a+4915112345678, $(415) 555-0132x, room (415), 555-0132
sk-loading-animation-container-wide-element, disk-0123456789abcdefghijklmnopqrstuv, AKIA, eyJ, -----BEGIN PUBLIC KEY-----
DE89 3704 0044 0532 0130 01, DE00, NL91 ABNA 0417 1643, GB29NWBK60161331926819X, IP 1.2.3, hotel 1234567 telling 7654321
<phone> <email> <key> <credit_card> key: <key> <national_id>
"""


def strip_labels(text: str) -> str:
    return text.replace("⟦", "").replace("⟧", "")


def masked(text: str) -> str:
    column, _ = mask(pa.array([text]), PiiSettings())
    assert column[0].as_py() == mask_text(text)
    return mask_text(text)


@pytest.mark.parametrize("line", LABELLED.strip().split("\n"))
def test_personal_data_is_masked_whole(line):
    kind, _, text = line.partition("|")
    token = {"card": "<credit_card>", "id": "<national_id>"}.get(kind, f"<{kind}>")
    wanted = "".join(part if i == 0 else token + part.partition("⟧")[2] for i, part in enumerate(text.split("⟦")))
    assert masked(strip_labels(text)) == wanted


@pytest.mark.parametrize("line", LEFT_ALONE.strip().split("\n"))
def test_what_only_looks_like_it_is_left_alone(line):
    assert masked(line) == line


def with_date(rule: Rule, values: list[int], rng: random.Random) -> None:
    if rule.date is not None:
        values[rule.date.month : rule.date.month + 2] = divmod(rng.randint(1, 12), 10)
        values[rule.date.day : rule.date.day + 2] = divmod(rng.randint(1, 28), 10)


def shown(form: Form, values: list[int]) -> str:
    symbols = [symbol for symbol in form.pattern if symbol not in "-. ()/"]
    digits = [str(v) if v < 10 else "X" if s in "XK" else chr(v + 55) for v, s in zip(values, symbols, strict=True)]
    return "".join(digits)


def candidates(form: Form, n: int):
    """Digits and letters of a form, with every ending: about one in a hundred is valid."""
    rng = random.Random(form.pattern)
    symbols = [symbol for symbol in form.pattern if symbol not in "-. ()/"]
    for _ in range(n):
        values = [rng.randint(10, 35) if s == "A" else int(s) if s.isdigit() else rng.randint(0, 9) for s in symbols]
        with_date(form.rule, values, rng)
        if form.rule.name == "cn.ric":
            values[:8] = [*divmod(rng.choice([11, 31, 44]), 10), 0, 1, 0, 1, 1, 9]
        if form.rule.name == "fr.nir":
            values[0], values[3:5] = rng.randint(1, 2), [0, rng.randint(1, 9)]
        if form.rule.name == "in_.pan":
            values[3] = 25
        if form.rule.name == "es.nie":
            values[0] = rng.randint(33, 35)
        if form.rule.name == "it.cf":
            values[8], values[9:11] = rng.choice([10, 11, 17]), [1, rng.randint(0, 9)]
        if form.rule.name in ("se.long",):
            values[:2], values[4:8] = [1, 9], [0, rng.randint(1, 9), 1, rng.randint(0, 9)]
        last = symbols[-1]
        ends = range(10, 36) if last == "A" else range(11) if last in "XK" else range(10)
        for before in range(10) if symbols[-2] == "N" else values[-2:-1]:
            for end in ends:
                yield [*values[:-2], before, end]


IDS = [form for form in FORMS if form.rule.kind == NATIONAL_ID and form.rule.name not in NOT_IN_STDNUM]


@pytest.mark.parametrize("form", IDS, ids=lambda form: f"{form.rule.name} {form.pattern}")
def test_identity_numbers_are_checked_as_stdnum_does(form):
    rule = form.rule
    module = importlib.import_module(f"stdnum.{MODULES.get(rule.name, rule.name)}")
    tried = found = known = 0
    for values in candidates(form, 60):
        number = shown(form, values)
        if rule.name in ("fi.hetu", "se.personnummer") and len(number) == 10:
            number = f"{number[:6]}-{number[6:]}"
        valid, ours = module.is_valid(number), holds(rule, values)
        tried, found, known = tried + 1, found + ours, known + valid
        if valid and rule.name not in PERSONS_ONLY:
            assert ours or len(set(values[:9])) == 1, number
    assert known > 0
    assert 0 < found <= 0.13 * tried or rule.name in NO_CHECKSUM  # stdnum also looks at years, months and areas


@pytest.mark.parametrize("line", SAMPLES.strip().split("\n"))
def test_identity_numbers_that_stdnum_does_not_have(line):
    _, number, word, wrong = line.split("|")
    assert masked(f"{word} {number}.") == f"{word} <national_id>."
    assert masked(f"{word} {wrong}.") == f"{word} {wrong}."


def test_every_form_that_needs_a_word_is_left_alone_without_it():
    by_bit = {bit: name for name, bit in GROUPS.items()}
    for form in FORMS:
        if form.needs not in by_bit or form.rule.kind != NATIONAL_ID or form.rule.name in NOT_IN_STDNUM:
            continue
        values = next(values for values in candidates(form, 200) if holds(form.rule, values))
        digits, number = iter(shown(form, values)), ""
        for symbol in form.pattern:
            number += symbol if symbol in "-. ()/" else next(digits)
        word = WORDS[by_bit[form.needs]].split()[0].replace("_", " ")
        assert masked(f"{word} {number}.") == f"{word} <national_id>.", (form, number)
        assert masked(f"Nothing {number}.") in (f"Nothing {number}.", "Nothing <phone>.", "Nothing <credit_card>."), (
            form
        )


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)), st.text("0123456789", min_size=4, max_size=13)
)
def test_telephone_numbers_are_those_of_libphonenumber(country_code, national):
    digits = f"{country_code}{national}"
    number = phonenumbers.PhoneNumber(country_code=country_code, national_number=int(national))
    if national.startswith("0"):
        number.italian_leading_zero = True
        number.number_of_leading_zeros = min(len(national) - len(national.lstrip("0")), len(national) - 1)
    assert is_phone([*map(int, digits)]) == phonenumbers.is_valid_number(number)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_an_example_of_every_country_is_masked_in_international_form(region):
    for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
        number = phonenumbers.example_number_for_type(region, kind)
        if number is not None:
            for form in (phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164):
                shown = phonenumbers.format_number(number, form)
                assert masked(f"Call {shown}, please") == "Call <phone>, please"


def test_lengths_of_ibans_are_those_of_stdnum():
    iban = importlib.import_module("stdnum.iban")
    for country, length in IBAN_LENGTHS.items():
        properties = iban._ibandb.info(f"{country}00")[0][1]
        if "bban" in properties:
            parts = re.findall(r"(\d+)!?[nac]", properties["bban"])
            assert sum(map(int, parts)) + 4 == length, country


@pytest.mark.parametrize("prefix", PREFIXES, ids=lambda prefix: prefix.text.decode())
def test_keys_of_every_prefix_are_masked(prefix):
    rng = random.Random(0)
    n = max(prefix.least, 1)
    value = "".join(rng.choices("0123456789ABCDEF" if prefix.characters == 1 else "0123456789abcdef", k=n))
    value = f"A1{value[2:]}" if prefix.characters == 1 else f"a1{value[2:]}"
    for i in range(prefix.dots):
        value = f"{value[: 10 + 9 * i]}.{value[11 + 9 * i :]}"
    assert masked(f"it is {prefix.text.decode()}{value} here") == "it is <key> here"
