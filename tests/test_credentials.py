"""What is a credential in a URL, and what only looks like one."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpusmill.collect.slices import Slice
from corpusmill.credentials import masked
from corpusmill.errors import InputError
from corpusmill.recipe import dump, parse


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:pw@host/x", "https://user:***@host/x"),
        ("ftp://user:@host", "ftp://user:***@host"),
        ("https://:pw@host:8080/x", "https://:***@host:8080/x"),
        ("http://user:p/w?x#@host/", "http://user:***@host/"),
        ("http://user:p@ss@host/", "http://user:***@host/"),
        ("https://token@host/x", "https://***@host/x"),
        ("zip://*.jsonl::https://user:pw@host/a.zip", "zip://*.jsonl::https://user:***@host/a.zip"),
        ("http://u:p@a/ and (sftp://v:q@b/): no", "http://u:***@a/ and (sftp://v:***@b/): no"),
        ("https://h/a?X-Amz-Signature=abc&X-Amz-Date=1", "https://h/a?X-Amz-Signature=***&X-Amz-Date=1"),
        ("https://h/a?x=1&token=a%20b#f", "https://h/a?x=1&token=***#f"),
        ("https://h/a?sp=r&sig=x%2F", "https://h/a?sp=r&sig=***"),
    ],
)
def test_masked(text, shown):
    assert masked(text) == shown
    assert masked(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/a@b", "https://host/@user/a:b", "http://[2001:db8::1]:80/a@b", "github://org:repo@branch/x",
        "abfs://container@account/x", "hf://datasets/a/b@main/x", "see http://host:80, or ask a@b.c", "a: b@c", "k=v",
        "/in/u:p@h", "https://h/?page=1&tokens=3",
    ],
)  # fmt: skip
def test_left_alone(text):
    assert masked(text) == text


@given(st.text("htps://:@?&=sig#[] .a1\"'", max_size=60))
def test_masking_twice_is_masking_once(text):
    assert masked(masked(text)) == masked(text)


def test_neither_errors_nor_the_corpus_s_recipe_nor_the_plan_hold_a_password():
    assert str(InputError("https://u:s3cret@h/x: cannot be listed")) == "https://u:***@h/x: cannot be listed"
    source = {"name": "a", "kind": "jsonl", "paths": ["https://u:s3cret@h/x"]}
    crawl = {"name": "b", "kind": "crawl", "crawl": {"seeds": ["http://u:s3cret@h/"]}}
    recipe = parse({"sources": [source, crawl]})
    assert recipe.sources[0].paths == ["https://u:s3cret@h/x"]
    kept = tomllib.loads(dump(recipe))
    assert kept["sources"][0]["paths"] == ["https://u:***@h/x"]
    assert kept["sources"][1]["crawl"]["seeds"] == ["http://u:***@h/"]
    piece = Slice(name="a", source="a", kind="jsonl", root="https://u:s3cret@h", files=("x",))
    assert piece.to_json()["root"] == "https://u:***@h"
    with pytest.raises(InputError, match=r"'u:\*\*\*@h/' is not a URL to start from"):
        parse({"sources": [{**crawl, "crawl": {"seeds": ["u:s3cret@h/"]}}]})


@pytest.mark.parametrize(
    "url",
    [
        "https://me@mail.example:SECRET@h/x",
        "https://user:pa'SECRET@h/x",
        'https://user:pa"SECRET@h/x',
        f"https://user:{'x' * 2000}SECRET@h/x",
        "https://h/x?private_token=SECRET",
        "https://h/x?a=1&refresh_token=SECRET",
        "https://h/x#access_token=SECRET",
        "https://h/x?api%5Fkey=SECRET",
    ],
)
def test_more_forms(url):
    assert "SECRET" not in masked(f"{url}: cannot be listed")
