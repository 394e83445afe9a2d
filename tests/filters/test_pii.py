"""Masking: precision and recall on invented examples, edges, idempotence."""

import ipaddress
import re
import time

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tldextract import TLDExtract

from corpusmill.filters.personal import mask_text
from corpusmill.filters.pii import mask
from corpusmill.filters.private.kinds import KINDS
from corpusmill.recipe import PiiSettings

SPECIAL_IPV4 = ipaddress.ip_network("192.0.0.0/24")  # versions of Python disagree about parts of these
SPECIAL_IPV6 = [ipaddress.ip_network(network) for network in ("2001::/23", "2002::/16", "3fff::/20")]
TOP_LEVEL_DOMAINS = frozenset(TLDExtract(suffix_list_urls=(), cache_dir=None).tlds)

# What is between ⟦ and ⟧ is personal data and must be masked, whole; nothing else may be.
LABELLED = """
Write to ⟦jane.doe@mail.example⟧ or ⟦JANE_DOE+list@sub.Mail.Example⟧.
Contact: <⟦jane@firma.de⟧>, "⟦john@firma.de⟧"; (⟦jim@firma.de⟧)
mailto:⟦info@shop.co.uk⟧?subject=Hello
'⟦o'brien@mail.ie⟧' and '⟦x@y.org⟧'
End of a sentence: ⟦a.b-c@d-e.museum⟧. Next one.
No space after it: ⟦a@b.com⟧.Thanks
请联系⟦user@example.com⟧的邮箱，或者⟦wang.wei@公司.cn⟧。
メール：⟦taro@example.co.jp⟧まで
Пишите: ⟦иван@почта.рф⟧, ⟦ivan@xn--80a1acny.xn--p1ai⟧
⟦müller@straße.de⟧ und ⟦jürgen.groß@köln.de⟧
ईमेल ⟦अजय@डाटा.भारत⟧ है
⟦a@b.co⟧,⟦c@d.co⟧;⟦e@f.co⟧|⟦g@h.co⟧
?email=⟦u@mail.com⟧&name=v
https://user@⟦secret@host.com⟧/path
docomo: ⟦a..b.@docomo.ne.jp⟧
Login from ⟦81.2.69.142⟧, then from ⟦2a02:6b8:0:1::feed:0ff⟧.
地址是⟦81.2.69.142⟧，端口80
[⟦2001:4860:4860::8888⟧]:53 and ⟦81.2.69.142⟧:8080 and http://⟦81.2.69.142⟧/x
ip=⟦81.2.69.142⟧; net ⟦81.2.69.128⟧/25; range ⟦81.2.69.10⟧-⟦81.2.69.19⟧
::ffff:⟦81.2.69.142⟧ (⟦2003:de:bc19:9a00:c5c1:8cf0:f1a5:3d7d⟧)
IPv4: ⟦195.20.224.99⟧ IPv6: ⟦2a00:1450:4009:81f::200e⟧: done
user@⟦81.2.69.142⟧
"""

ONE_OF_EACH = {
    "emails": "write to jane@mail.example",
    "ip_addresses": "from 81.2.69.142",
    "phones": "call +44 20 7946 0958",
    "credit_cards": "paid with 4111 1111 1111 1111",
    "ibans": "to DE89 3704 0044 0532 0130 00",
    "national_ids": "CPF 529.982.247-25",
    "credentials": "see https://user:hunter2@host/path",
    "keys": "with AKIAIOSFODNN7EXAMPLE",
}

LEFT_ALONE = """
icon@2x.png, logo@3x.jpg, style@1.2.css
@username and @ alone and a @ b and a@b and a@ b.com
user@localhost root@server01
A @ B, (M.T @ v).sum(), x@y.T, a@b.transpose
user at example dot com, user (at) example.com, user[at]example.com
pip install package@1.2.3 npm i @scope/pkg@4.5.6
foo@bar.notatld
10.0.0.1 192.168.1.254 172.16.3.4 127.0.0.1 169.254.7.8 0.0.0.0 255.255.255.255 224.0.0.251
192.0.2.44 198.51.100.7 203.0.113.99 100.64.3.2 198.18.55.6
1.2.3.4 and 8.8.8.8 and 3.36.10.2 | 3.36.110.0 | are short or end in 0; networks: 81.2.69.0/24 2001:4860::/32
v4.19.113.22 version 4.19.113.22 Version: 4.19.113.22 kernel 4.19.113.22 release 10.15.7.19
Chrome/120.61.61.9 openssl-1.10.12.11 lib_2.14.13.12 4.19.113.22-rc1 4.19.113.22-1-amd64 版本 4.19.113.22
1.22.33.44.55 256.1.22.33 01.22.33.44 12.34.56 12.34.56. 12.34.56.789 in 44.33.22.11.in-addr.arpa
section 10.22.33.44 § 10.22.33.44 Fig. 3.14.15.926
std::sort a::b ::1 fe80::1 2001:db8::1 fd00::1 ff02::fb 12:30:45 00:1b:44:11:3a:b7 10:20:30:40
C::2001 in the year 2262:: 2001: A Space Odyssey 2024:01:02 12:34 aaaa:bbbb:cccc:dddd
"""


def strip_labels(text):
    return text.replace("⟦", "").replace("⟧", "")


def expected(text):
    while "⟦" in text:
        start, end = text.index("⟦"), text.index("⟧")
        token = "<email>" if "@" in text[start:end] else "<ip>"
        text = text[:start] + token + text[end + 1 :]
    return text


@pytest.mark.parametrize("line", LABELLED.strip().split("\n"))
def test_personal_data_is_masked_whole(line):
    assert mask_text(strip_labels(line)) == expected(line)


@pytest.mark.parametrize("line", LEFT_ALONE.strip().split("\n"))
def test_everything_else_is_left_alone(line):
    assert mask_text(line) == line


def masked(texts, settings=PiiSettings()):  # noqa: B008  # it is frozen
    array, counts = mask(texts if isinstance(texts, pa.Array | pa.ChunkedArray) else pa.array(texts), settings)
    return array, {setting: column.to_pylist() for setting, column in counts.items()}


def test_a_column_is_masked_like_its_texts():
    lines = (LABELLED + LEFT_ALONE).strip().split("\n")
    texts, counts = masked([strip_labels(line) for line in lines])
    assert texts.to_pylist() == list(map(expected, lines))
    assert counts["emails"] == [expected(line).count("<email>") for line in lines]
    assert counts["ip_addresses"] == [expected(line).count("<ip>") for line in lines]


def test_counts_types_and_nulls():
    texts = ["a@b.com and c@d.com from 81.2.69.142", None, "", "nothing", "(415) 555-0132"]
    for kind in (pa.string(), pa.large_string()):
        array, counts = mask(pa.array(texts, kind), PiiSettings())
        assert array.type == kind
        array.validate(full=True)
        assert array.to_pylist() == ["<email> and <email> from <ip>", None, "", "nothing", "<phone>"]
        assert list(counts) == [kind.setting for kind in KINDS] == list(PiiSettings.model_fields)
        assert {column.type for column in counts.values()} == {pa.int64()}
        assert counts["emails"].to_pylist() == [2, None, 0, 0, 0]
        assert counts["ip_addresses"].to_pylist() == [1, None, 0, 0, 0]
        assert counts["phones"].to_pylist() == [0, None, 0, 0, 1]
        assert counts["keys"].to_pylist() == [0, None, 0, 0, 0]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.setting)
def test_settings_leave_a_kind_alone(kind):
    texts = [sample for each, sample in ONE_OF_EACH.items() if each == kind.setting]
    array, counts = masked(texts, PiiSettings(**{kind.setting: False}))
    assert array.to_pylist() == texts
    assert counts.pop(kind.setting) == [None]
    assert all(column == [0] for column in counts.values())
    array, counts = masked(texts)
    assert kind.token in array[0].as_py()
    assert counts[kind.setting] == [1]
    assert mask_text(texts[0]) == array[0].as_py()


def test_chunked_sliced_and_empty_columns():
    array = pa.array(["x", "a@b.com", "y", None, "c@d.com"], pa.large_string())
    chunked = pa.chunked_array([array.slice(1, 2), array.slice(3)])
    texts, counts = masked(chunked)
    assert texts.to_pylist() == ["<email>", "y", None, "<email>"]
    assert counts["emails"] == [1, 0, None, 1]
    assert masked(array.slice(1, 3))[0].to_pylist() == ["<email>", "y", None]
    assert len(masked(pa.array([], pa.string()))[0]) == 0


def test_many_candidates_and_long_runs_take_no_time():
    text = "a@b.com " * 3000 + "@" * 50_000 + "1." * 50_000 + "abcd:" * 50_000 + "a" * 50_000 + "@" + "b." * 50_000
    texts, counts = masked([text])
    assert counts["emails"] == [3000]
    assert counts["ip_addresses"] == [0]
    assert texts[0].as_py().endswith("b." * 50_000)


PIECES = [
    *(
        "4111 1111 1111 1111",
        "4111111111111111",
        "(415) 555-0132",
        "415-555-0132",
        "+1",
        "+44 20 7946 0958",
        "tel ",
        "Tel.: ",
    ),
    *(
        "DE89 3704 0044 0532 0130 00",
        "529.982.247-25",
        "52998224725",
        "cpf ",
        "ssn: ",
        "536-90-4399",
        "11010519491231002X",
    ),
    *(
        "://",
        "user:pass",
        "?token=",
        "secret=",
        "a8f5f167f44f4964e6c998dee827110c",
        "sk-",
        "ghp_",
        "AKIA",
        "IOSFODNN7EXAMPLE",
    ),
    *(
        "138 1234 5678",
        "13812345678",
        "电话",
        "０３",
        "-1234-",
        "5678",
        "<phone>",
        "<key>",
        "=",
        "0",
        "9",
        "(",
        ")",
        "X",
        "A",
        "\n",
    ),
    *(
        "-----BEGIN RSA PRIVATE KEY-----",
        "-----END RSA PRIVATE KEY-----",
        "eyJ",
        "٠١٢",
        "\u00a0",
        "&",
        "_",
        "+49 (0)30 ",
        "2024",
    ),
    "a",
    "b.com",
    "@",
    ".",
    ":",
    "::",
    "-",
    "/",
    "81.2.69.142",
    "2a00:1450::5",
    "<email>",
    " ",
    "中",
    "é",
    "1",
    "v",
    "'",
]


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
@example("a@b.com.c@d.org")
@example("a@b.co/81.2.69.142")
@example("81.2.69.142a@b.com")
def test_masking_twice_is_masking_once(text):
    masked = mask_text(text)
    assert mask_text(masked) == masked


@settings(deadline=None)
@given(st.lists(st.one_of(st.sampled_from(PIECES), st.characters(codec="utf-8")), max_size=12).map("".join))
def test_a_single_text_and_a_column_are_masked_alike(text):
    """The kernel finds the candidates of a column, regular expressions those of a single text."""
    column, _ = masked(pa.array([text, "", text], pa.large_string()))
    assert column.to_pylist() == [mask_text(text), "", mask_text(text)]


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=4))
def test_public_ipv4_addresses_are_masked_as_the_library_knows_them(address):
    is_public = address.is_global and not address.is_multicast and address not in SPECIAL_IPV4
    public = is_public and len(str(address)) > 9 and not str(address).endswith(".0")
    assert mask_text(f"from {address} today") == (f"from {'<ip>' if public else address} today")


@settings(max_examples=200, deadline=None)
@given(st.ip_addresses(v=6, network="2000::/3"), st.booleans())
def test_public_ipv6_addresses_are_masked_in_every_form(address, exploded):
    shown = address.exploded if exploded else str(address)
    public = address.is_global and not any(address in network for network in SPECIAL_IPV6)
    assert (
        mask_text(f"from {shown}, today") == f"from {'<ip>' if public and not shown.endswith('::') else shown}, today"
    )


def test_the_library_s_trap_is_known():
    assert ipaddress.ip_address("224.0.0.251").is_global  # multicast, and called global
    assert mask_text("224.0.0.251") == "224.0.0.251"


def is_in_use(address):
    """Whether tldextract's list has the top-level domain, too: hypothesis has one of another date."""
    label = address.rpartition(".")[2].lower()
    return label.startswith("xn--") or label in TOP_LEVEL_DOMAINS


@settings(max_examples=200, deadline=None)
@given(st.emails().filter(lambda address: re.fullmatch(r"[\w.+-]*\w@.*", address) and is_in_use(address)))
def test_addresses_of_rfc_5322_are_masked(address):
    """Those whose local part needs no quoting, that is; other punctuation before the @ is rarer than noise."""
    assert mask_text(f"mail {address.lstrip('.+-')} now") == "mail <email> now"


UNITS = [
    *(
        "a@",
        "a@a.a",
        "ü@ü.",
        ":",
        "1:",
        "2222:",
        "1.",
        "a@b.com 81.2.69.142 ",
        "@a.b",
        "1 ",
        "12 34 ",
        "+",
        "+49 30 1 ",
    ),
    *("4111 1111 1111 1111 ", "(415) 555-0132 ", "DE89 3704 0044 0532 0130 00 ", "AA11", "tel 1234567 ", "A1 ", "1-"),
    *(
        "cpf 52998224725 ",
        "://a:b@c ",
        "://a@",
        "?token=",
        "secret=",
        "-----BEGIN PRIVATE KEY-----",
        "sk-",
        "eyJ.",
        "_",
    ),
    *(
        "?token=abcdefgh12345678",
        "secret: a1b2c3d4e5f6g7h8i9 ",
        "電話03-1234-5678",
        "１",
        "ssn 536-90-4399 ",
        "I",
        "(1",
    ),
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_does_not_grow_with_the_square_of_what_looks_like_personal_data(unit):
    text = unit * (400_000 // len(unit))
    masked(["warm"])
    started = time.process_time()
    masked([text])
    assert time.process_time() - started < 2  # .04 s
    text = unit * (5_000 // len(unit))
    assert masked([text])[0][0].as_py() == mask_text(text)


def test_addresses_of_several_kinds_in_one_text():
    text = "a@b.com 81.2.69.142 2a00:1450:4001:81b::200e x@81.2.69.142 81.2.69.142@b.com c@d.org"
    array, counts = masked([text])
    assert array.to_pylist() == ["<email> <ip> <ip> x@<ip> <email> <email>"]
    assert (counts["emails"], counts["ip_addresses"]) == ([3], [3])
