# ruff: noqa: E501  # sentences and expressions
r"""Precision and recall of masking by kind, on labelled texts, beside Presidio and datatrove.

    python bench/personal.py --peers-python bench/.venv-personal/bin/python
    python bench/personal.py --write FILE.jsonl          the labelled texts themselves

The peers' environment holds presidio-analyzer, presidio-evaluator and datatrove.  The first set is made here: sentences
of ten languages with invented values (seeded; numbers by phonenumbers and python-stdnum, so none is made by the code
that is measured), and sentences that only look like they had any, after what stands in real pages.  The second set is
presidio-evaluator's: its templates, filled by Faker in the peers' environment.

A label is found if a span of its kind overlaps it, and exact if its bounds are the label's; a span is wrong if it
overlaps no label of its kind.  Presidio runs with its pattern recognisers alone, as no model is needed for these kinds.
"""

import argparse
import importlib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

Label = tuple[int, int, str]
Sample = dict[str, Any]  # text, labels

SENTENCES = {
    "emails": [
        "Write to {} before Friday.",
        "请联系{}获取资料。",
        "Пишите на {} или звоните.",
        "Contact: <{}>; thanks",
        "メールは{}まで。",
    ],
    "ip_addresses": [
        "The login came from {}.",
        "ping {} gave no answer",
        "服务器地址是{}，端口 80",
        "[{}]:443 refused",
    ],
    "phones +": [
        "Call {} today.",
        "Reach us at {}, Monday to Friday",
        "WhatsApp: {}",
        "联系电话：{}。",
        "Appelez le {} !",
        "(mobile {})",
    ],
    "phones national": [
        "Tel.: {}",
        "Phone {} (office)",
        "Telefon: {}, Fax auf Anfrage",
        "Téléphone : {}",
        "Телефон: {}",
        "電話：{}",
    ],
    "credit_cards": [
        "My card is {}, please charge it.",
        "Visa {} exp 12/28",
        "Karte {} wurde belastet.",
        "卡号{}已过期",
        "{} was declined",
    ],
    "ibans": ["Pay to {} by Monday.", "IBAN: {}", "Überweisung an {}, danke.", "Virement sur {} SVP"],
    "credentials": ["git clone https://{}@git.example.org/x.git", "DATABASE_URL=postgres://{}@db.example:5432/app"],
    "credentials argument": [
        "GET https://api.example.org/v1/x?access_token={}&page=2",
        "see http://x.example/?password={} now",
    ],
    "keys": ["export KEY={}", "Authorization: token {}", "'{}' is in the repository", "the key {} was revoked"],
    "keys assigned": ['api_key = "{}"', "client_secret: {}", '{{"token": "{}"}}', "AWS_SECRET_ACCESS_KEY={}"],
}
ID_SENTENCES = {
    "us.ssn": ["My SSN is {}.", "Social Security number: {}"], "cn.ric": ["身份证号{}，请核对。", "ID card {}"],
    "br.cpf": ["CPF: {}", "O CPF {} foi consultado."], "es.dni": ["DNI {} expedido en Madrid"], "es.nie": ["con NIE {}"],
    "it.codicefiscale": ["codice fiscale {}", "C.F. {}"], "fr.nir": ["numéro de sécurité sociale {}"],
    "de.idnr": ["Steuer-ID: {}"], "gb.nhs": ["NHS number {}"], "nl.bsn": ["BSN {}"], "be.nn": ["rijksregisternummer {}"],
    "pl.pesel": ["PESEL {}"], "fi.hetu": ["henkilötunnus {}"], "no.fodselsnummer": ["fødselsnummer {}"],
    "in_.aadhaar": ["Aadhaar {}"], "kr.rrn": ["주민등록번호 {}"], "cl.rut": ["RUT {}"], "tr.tckimlik": ["T.C. kimlik no {}"],
    "ro.cnp": ["CNP {}"], "bg.egn": ["ЕГН {}"], "ca.sin": ["SIN {}"], "cz.rc": ["rodné číslo {}"], "hr.oib": ["OIB {}"],
    "ch.ssn": ["AHV-Nr. {}"], "pt.nif": ["NIF {}"], "se.personnummer": ["personnummer {}"],
}  # fmt: skip
ID_FORMS = {
    "us.ssn": "NNN-NN-NNNN", "cn.ric": "11010519NN0N1NNNNN", "br.cpf": "NNN.NNN.NNN-NN", "es.dni": "NNNNNNNNA",
    "es.nie": "XNNNNNNNA", "it.codicefiscale": "RSSMRANNANNANNNA", "fr.nir": "1 NN 0N NN NNN NNN NN", "de.idnr": "NNNNNNNNNNN",
    "gb.nhs": "NNN NNN NNNN", "nl.bsn": "NNNNNNNNN", "be.nn": "NN.0N.1N-NNN.NN", "pl.pesel": "NN0N1NNNNNN",
    "fi.hetu": "1N0NNN-NNNN", "no.fodselsnummer": "1N0NNNNNNNN", "in_.aadhaar": "NNNN NNNN NNNN", "kr.rrn": "NN0N1N-1NNNNNN",
    "cl.rut": "NN.NNN.NNN-N", "tr.tckimlik": "NNNNNNNNNNN", "ro.cnp": "1NN0N1NNNNNNN", "bg.egn": "NN0N1NNNNN",
    "ca.sin": "NNN NNN NNN", "cz.rc": "NN0N1N/NNNN", "hr.oib": "NNNNNNNNNNN", "ch.ssn": "756.NNNN.NNNN.NN",
    "pt.nif": "NNNNNNNNN", "se.personnummer": "NN0N1N-NNNN",
}  # fmt: skip
NEGATIVES = [
    "ISBN {d:3}-{d:1}-{d:2}-{d:6}-{d:1} is out of print.", "doi:10.{d:4}/j.cell.20{d:2}.0{d:1}.{d:3}",
    "Order {d:9} ships on 20{d:2}-0{d:1}-1{d:1}.", "Version {d:1}.{d:2}.{d:3}.{d:2} was released in 20{d:2}.",
    "The population rose from 1,{d:3},{d:3} to 2,{d:3},{d:3}.", "at {d:2}.{d:6}, -{d:2}.{d:6}", "SKU {d:4}-{d:4}-{d:3}",
    "commit {x:40}", "sha256:{x:64}", "<div class='sk-loading-container-{d:1}'>", "https://shop.example/p/{d:16}/view",
    "https://x.example/?page={d:2}&key=home&id={d:15}", "Scores: {d:2} {d:2} {d:2} {d:2} {d:2} and {d:2} {d:2}",
    "© 1999-20{d:2}, 2001-20{d:2}; pp. {d:3}-{d:3}", "icon@{d:1}x.png, @user{d:3}, a @ b, foo@bar", "10.0.{d:1}.1{d:1} and 192.168.{d:1}.{d:1}",
    "¥{d:11}, ${d:10}, {d:3}.{d:3}.{d:3} €", "UPC {d:12}, EAN 40{d:11}", "token = get_token_from_request(request_{d:2})",
    "timestamps 1{d:12} and 1{d:9}", "Phone 1{d:1} has {d:3} GB and 20{d:2} megapixels", "第{d:2}章，共{d:4}页，编号{d:8}",
    "Flight {d:4}, gate {d:2}, seat {d:2}A, 1{d:1}:{d:2}:{d:2}", "UUID {x:8}-{x:4}-{x:4}-{x:4}-{x:12}", "password: required, secret: true",
    "+{d:2}% and +{d:3}, 5+{d:4}", "RFC {d:4}, section {d:1}.{d:1}.{d:2}.{d:1}", "postgres://localhost:5432/db{d:2}", "x = [{d:3}, {d:3}, {d:4}]",
]  # fmt: skip
PREFIXES = {
    "ghp_": 36,
    "AKIA": 16,
    "glpat-": 20,
    "sk_live_": 24,
    "xoxb-": 40,
    "hf_": 34,
    "npm_": 36,
    "AIza": 35,
    "sk-": 48,
}
REGIONS = (
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "CN",
    "JP",
    "IN",
    "BR",
    "RU",
    "PL",
    "SE",
    "NL",
    "AU",
    "CA",
    "MX",
    "KR",
    "TR",
    "ZA",
    "EG",
    "SA",
)
ALNUM = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


def _digits(rng: random.Random, n: int) -> str:
    return "".join(rng.choices("0123456789", k=n))


def _filled(rng: random.Random, form: str) -> str:
    letters = {"N": "0123456789", "A": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    return "".join(rng.choice(letters[c]) if c in letters else c for c in form)


def _email(rng: random.Random) -> str:
    names = ["jane.doe", "j_smith", "o'neil", "li.wei", "anna-maria", "иван", "max+news", "k.müller"]
    return f"{rng.choice(names)}{rng.choice(['', _digits(rng, 2)])}@{rng.choice(['mail.example', 'firma.de', 'yandex.ru', 'uni.edu.cn', 'post.co.uk'])}"


def _ip(rng: random.Random) -> str:
    if rng.random() < 0.3:
        return "2a02:6b8:" + ":".join(f"{rng.randint(0, 0xFFFF):x}" for _ in range(6))
    return ".".join(str(rng.randint(*pair)) for pair in ((77, 95), (100, 250), (100, 250), (10, 250)))


def _phone(rng: random.Random, international: bool) -> str:
    import phonenumbers as p

    kinds = (p.PhoneNumberType.FIXED_LINE, p.PhoneNumberType.MOBILE)
    while True:
        number = p.example_number_for_type(rng.choice(REGIONS), rng.choice(kinds))
        number.national_number = number.national_number // 10000 * 10000 + rng.randint(0, 9999)
        if p.is_valid_number(number):
            form = rng.choice([p.PhoneNumberFormat.INTERNATIONAL, p.PhoneNumberFormat.E164])
            return p.format_number(number, form if international else p.PhoneNumberFormat.NATIONAL)


def _card(rng: random.Random) -> str:
    from stdnum import luhn

    prefix, n = rng.choice([("4", 16), ("51", 16), ("54", 16), ("37", 15), ("6011", 16), ("3530", 16), ("62", 16)])
    number = prefix + _digits(rng, n - len(prefix) - 1)
    number += luhn.calc_check_digit(number)
    separator = rng.choice([" ", "-", ""])
    cuts = [0, 4, 10, 15] if n == 15 else [0, 4, 8, 12, 16]
    return separator.join(number[a:b] for a, b in pairwise(cuts))


def _iban(rng: random.Random) -> str:
    from stdnum.iso7064 import mod_97_10

    country, form = rng.choice(
        [("DE", "N" * 18), ("GB", "AAAA" + "N" * 14), ("NL", "AAAA" + "N" * 10), ("PL", "N" * 24), ("NO", "N" * 11)]
    )
    bban = _filled(rng, form)
    number = country + mod_97_10.calc_check_digits(bban + country) + bban
    return number if rng.random() < 0.5 else " ".join(number[i : i + 4] for i in range(0, len(number), 4))


def _id(rng: random.Random, name: str) -> str:
    module = importlib.import_module(f"stdnum.{name}")
    while True:
        number = _filled(rng, ID_FORMS[name])
        if module.is_valid(number):
            return number


def _key(rng: random.Random) -> str:
    prefix = rng.choice(sorted(PREFIXES))
    alphabet = ALNUM[:26] + "234567" if prefix == "AKIA" else ALNUM
    return prefix + "A7" + "".join(rng.choices(alphabet, k=PREFIXES[prefix] - 2))


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "emails": _email, "ip_addresses": _ip, "phones +": lambda rng: _phone(rng, True),
    "phones national": lambda rng: _phone(rng, False), "credit_cards": _card, "ibans": _iban,
    "credentials": lambda rng: f"{rng.choice(['admin', 'deploy', 'me'])}:{''.join(rng.choices(ALNUM, k=12))}",
    "credentials argument": lambda rng: "".join(rng.choices(ALNUM, k=20)), "keys": _key,
    "keys assigned": lambda rng: "".join(rng.choices(rng.choice(["0123456789abcdef", ALNUM]), k=40)),
}  # fmt: skip


def own_set(n: int) -> Iterator[Sample]:
    """Make n texts for each way in which a kind is written, and as many without personal data in all."""
    rng = random.Random(1)
    for name, make in MAKERS.items():
        for i in range(n):
            yield _sample(SENTENCES[name][i % len(SENTENCES[name])], make(rng), name.split()[0])
    for i in range(n * 3):
        name = sorted(ID_SENTENCES)[i % len(ID_SENTENCES)]
        yield _sample(rng.choice(ID_SENTENCES[name]), _id(rng, name), "national_ids")
    for i in range(n * 13):
        sentence = re.sub(r"\{d:(\d+)\}", lambda m: _digits(rng, int(m[1])), NEGATIVES[i % len(NEGATIVES)])
        yield {
            "text": re.sub(r"\{x:(\d+)\}", lambda m: f"{rng.getrandbits(4 * int(m[1])):0{m[1]}x}", sentence),
            "labels": [],
        }


def _sample(sentence: str, value: str, kind: str) -> Sample:
    before, _, after = sentence.partition("{}")
    before, after = before.replace("{{", "{"), after.replace("}}", "}")
    return {"text": before + value + after, "labels": [(len(before), len(before) + len(value), kind)]}


PEERS = r"""
import json, sys, time
import tldextract
tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
from presidio_analyzer import RecognizerRegistry
what, source, target = sys.argv[1:]
kinds = {"EMAIL_ADDRESS": "emails", "IP_ADDRESS": "ip_addresses", "PHONE_NUMBER": "phones", "CREDIT_CARD": "credit_cards",
         "IBAN_CODE": "ibans"}
kinds |= dict.fromkeys("US_SSN US_ITIN UK_NHS UK_NINO ES_NIF ES_NIE IT_FISCAL_CODE PL_PESEL AU_TFN IN_AADHAAR IN_PAN "
                       "FI_PERSONAL_IDENTITY_CODE KR_RRN SG_NRIC_FIN".split(), "national_ids")
if what == "make":
    from presidio_evaluator.data_generator import PresidioSentenceFaker
    made = PresidioSentenceFaker("en_US", lower_case_ratio=0, random_seed=1).generate_new_fake_sentences(2000)
    rows = [{"text": s.full_text, "labels": [(e.start_position, e.end_position, kinds[e.entity_type]) for e in s.spans
             if e.entity_type in kinds]} for s in made]
else:
    texts = [json.loads(line)["text"] for line in open(source)]
    if what == "presidio":
        registry = RecognizerRegistry()
        registry.load_predefined_recognizers(languages=["en"])
        recognizers = [r for r in registry.recognizers if set(r.supported_entities) & set(kinds)
                       and type(r).__name__ != "SpacyRecognizer"]
        def find(text):
            results = [x for r in recognizers for x in r.analyze(text, [e for e in r.supported_entities if e in kinds], None)
                       or [] if x.score >= 0.35]
            return [(x.start, x.end, kinds[x.entity_type]) for x in results]
    else:
        from datatrove.pipeline.formatters import PIIFormatter
        f = PIIFormatter()
        def find(text):
            found = [(m.start(), m.end(), "emails") for m in f.emails_replacer.regex.finditer(text)]
            ips = [m for m in f.ip_replacer.regex.finditer(text)
                   if f.ip_replacer.validator is None or f.ip_replacer.validator(m.group(0))]
            return found + [(m.start(), m.end(), "ip_addresses") for m in ips]
    started = time.process_time()
    rows = [{"labels": find(text)} for text in texts]
    print(f"{what}: {(time.process_time() - started) / sum(len(t.encode()) for t in texts) * 1e6:.2f} s per MB")
with open(target, "w") as file:
    file.writelines(json.dumps(row) + "\n" for row in rows)
"""


def found_here(samples: list[Sample]) -> list[list[Label]]:
    """What masking finds, as places in the texts."""
    import numpy as np
    import pyarrow as pa

    from corpusmill.arrow import Utf8Column
    from corpusmill.filters.private.kinds import KINDS
    from corpusmill.filters.private.scan import find_all
    from corpusmill.filters.private.tables import tables

    column = Utf8Column.of(pa.array([sample["text"] for sample in samples], pa.large_string()))
    data = column.data.view()
    data.flags.writeable = False
    rows = np.arange(len(samples))
    find_all(data, column.offsets, rows[:1], 255, tables())
    started = time.process_time()
    spans = find_all(data, column.offsets, rows, 255, tables())
    print(f"corpusmill: {(time.process_time() - started) / len(data) * 1e6:.3f} s per MB")
    found: list[list[Label]] = [[] for _ in samples]
    for row, start, end, kind in spans.tolist():
        first = column.offsets[row]
        before = len(bytes(data[first:start]).decode())
        found[row].append((before, before + len(bytes(data[start:end]).decode()), KINDS[kind].setting))
    return found


def scores(samples: list[Sample], found: list[list[Label]]) -> None:
    """Print precision and recall by kind."""
    labels, hits, exact, spans, right = Counter(), Counter(), Counter(), Counter(), Counter()
    for sample, here in zip(samples, found, strict=True):
        wanted = [tuple(label) for label in sample["labels"]]
        for start, end, kind in wanted:
            labels[kind] += 1
            overlapping = [s for s in here if s[2] == kind and s[0] < end and s[1] > start]
            hits[kind] += bool(overlapping)
            exact[kind] += (start, end, kind) in map(tuple, overlapping)
        for start, end, kind in here:
            spans[kind] += 1
            right[kind] += any(k == kind and s < end and e > start for s, e, k in wanted)
    for kind in sorted({*labels, *spans}):
        precision = f"{right[kind] / spans[kind]:.3f}" if spans[kind] else "-"
        recall = f"{hits[kind] / labels[kind]:.3f}" if labels[kind] else "-"
        whole = f"{exact[kind] / labels[kind]:.3f}" if labels[kind] else "-"
        print(f"  {kind:13} labels {labels[kind]:5}  precision {precision:>5}  recall {recall:>5}  exact {whole:>5}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--peers-python", type=Path)
    parser.add_argument("--write", type=Path)
    parser.add_argument("-n", type=int, default=100)
    options = parser.parse_args()
    sets = {"own set": list(own_set(options.n))}
    if options.write:
        options.write.write_text("".join(json.dumps(s, ensure_ascii=False) + "\n" for s in sets["own set"]), "utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")

        def ask(what: str) -> list[Any]:
            arguments = [str(options.peers_python), "-c", PEERS, what, str(source), str(target)]
            subprocess.run(arguments, check=True, stderr=subprocess.DEVNULL)
            return [json.loads(line) for line in target.read_text("utf-8").splitlines()]

        if options.peers_python:
            sets["presidio-evaluator's templates"] = ask("make")
        for name, samples in sets.items():
            print(f"\n{name}: {len(samples)} texts", flush=True)
            scores(samples, found_here(samples))
            source.write_text("".join(json.dumps(sample) + "\n" for sample in samples), "utf-8")
            for peer in ("presidio", "datatrove") if options.peers_python else ():
                sys.stdout.flush()
                scores(samples, [row["labels"] for row in ask(peer)])


if __name__ == "__main__":
    main()
