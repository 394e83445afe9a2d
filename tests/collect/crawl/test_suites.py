"""What the test suites of other robots.txt parsers expect: `suites/README.md` says which ones."""

import re
import tomllib
from pathlib import Path

import pytest

from corpusmill.collect.crawl.robots import text_of
from corpusmill.collect.crawl.rules import Rules, product_token
from corpusmill.collect.crawl.urls import normalise

HOST = "http://a.example"
CASES = tomllib.loads((Path(__file__).parent / "suites" / "robots.toml").read_text("utf-8"))["case"]


def written_out(text):
    text = re.sub(r"\{(\d+) stars\}", lambda match: int(match[1]) * "*", text)
    return re.sub(r"\{(\d+) times (\w+)\}", lambda match: int(match[1]) * match[2], text)


def file_of(case):
    text = case.get("ends", "\n").join(written_out(line) for line in case["robots"])
    return text_of(text.encode(case.get("encoding", "utf-8")), cut=False)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["about"])
def test_a_case_of_other_parsers(case):
    text = file_of(case)
    for agent, expected in case.get("ask", {}).items():
        rules = Rules(text, product_token(agent))
        verdicts = {
            path: rules.forbids(normalise(HOST + written_out(path))) is None
            for path in (*expected.get("allowed", ()), *expected.get("forbidden", ()))
        }
        wanted = dict.fromkeys(expected.get("allowed", ()), True) | dict.fromkeys(expected.get("forbidden", ()), False)
        assert verdicts == wanted, agent
        assert rules.delay_s == expected.get("delay", rules.delay_s), agent
    assert Rules(text, "any").sitemaps == case.get("sitemaps", [])


def test_the_table_is_as_large_as_it_says():
    asked = [one for case in CASES for one in case.get("ask", {}).values()]
    n = sum(len(one.get("allowed", ())) + len(one.get("forbidden", ())) + ("delay" in one) for one in asked)
    n += sum(len(case.get("sitemaps", ())) for case in CASES)
    assert n > 600
    assert {suite for case in CASES for suite in case["suites"]} == {
        "google", "protego", "reppy", "crawler-commons", "temoto", "robots-parser",
    }  # fmt: skip
