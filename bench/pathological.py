"""Seconds per MB of every step over text, on extreme input, and whether the time grows with the square of the size.

    python bench/pathological.py                      every step on every input
    python bench/pathological.py mask normalise       steps whose name contains one of these
    python bench/pathological.py --all mask           print fast ones, too

Each step reads each input in growing sizes, until a size takes more than a second or is 4 MB (`--mb N`: N MB).  Two
figures are printed: the processor time per MB at the largest size, and the growth.  Growth is the exponent of time over
size between the two largest sizes; it is 1.0 for linear time.

Without `--all`, a result is printed only if it takes more than 100 ms per MB.  It is also printed if it takes more than
25 ms per MB and grows faster than size^1.3.
"""

import argparse
import base64
import contextlib
import json
import math
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO

import pyarrow as pa

from corpusmill.collect.columns import from_columns
from corpusmill.collect.lines import LineReader
from corpusmill.collect.pages import to_json
from corpusmill.collect.settings import Columns
from corpusmill.collect.text import normalise, one_line
from corpusmill.dedup.settings import DedupSettings
from corpusmill.dedup.sketch import sketch_documents
from corpusmill.extract.charset.encoding import to_utf8
from corpusmill.extract.extractors import extractor
from corpusmill.filters.language import identify
from corpusmill.filters.personal import mask_text
from corpusmill.filters.pii import mask
from corpusmill.filters.settings import PiiSettings
from corpusmill.filters.signals import measure_text
from corpusmill.page import Media, Page, TextFormat, UndecodableError
from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.tokenize.train import train_tokenizer

GOAL = 0.1  # seconds per MB
SUPERLINEAR = 1.3  # exponent of growth; lower values are noise
SIZES = [1 << power for power in range(16, 32, 2)]
ENOUGH = 1.0  # seconds


def repeated(unit: str) -> Callable[[int], str]:
    """Text of n characters that repeats a unit."""
    return lambda n: (unit * (n // len(unit) + 1))[:n]


def chosen(characters: str) -> Callable[[int], str]:
    """Text of n characters chosen at random."""
    return lambda n: "".join(random.Random(1).choices(characters, k=n))


def _base64(n: int) -> str:
    return base64.b64encode(random.Random(1).randbytes(n)).decode()[:n]


def _zalgo(n: int) -> str:
    rng, marks = random.Random(1), [chr(c) for c in range(0x300, 0x370)]
    return "".join("e" + "".join(rng.choices(marks, k=200)) for _ in range(n // 201 + 1))[:n]


def _nested(n: int) -> str:
    depth = n // 11
    return "<div>" * depth + "</div>" * depth


TEXTS: dict[str, Callable[[int], str]] = {
    "one letter": repeated("a"),
    "two letters in turn": repeated("ab"),
    "one word": chosen("abcdefghijklmnopqrstuvwxyz"),
    "spaces": repeated(" "),
    "no-break spaces": repeated("\u00a0"),
    "newlines": repeated("\n"),
    "carriage returns": repeated("\r"),
    "space, newline": repeated(" \n"),
    "tabs, then a letter": lambda n: "\t" * (n - 1) + "a",
    "digits": chosen("0123456789"),
    "one digit": repeated("1"),
    "hex digits": chosen("0123456789abcdef"),
    "a@": repeated("a@"),
    "a@a.a": repeated("a@a.a"),
    "a@a.co": repeated("a@a.co"),
    "a@b.com": repeated("a@b.com "),
    "ü@ü.": repeated("ü@ü."),
    "a.a.a.": repeated("a."),
    "@": repeated("@"),
    ":": repeated(":"),
    "1:": repeated("1:"),
    "2222:": repeated("2222:"),
    "2001::1": repeated("2001::1 "),
    "1.": repeated("1."),
    "1.1.1.1": repeated("1.1.1.1 "),
    "81.2.69.142": repeated("81.2.69.142 "),
    "addresses of both kinds": repeated("a@b.com 81.2.69.142 "),
    "cards": repeated("4111 1111 1111 1111 "),
    "no cards": repeated("4111 1111 1111 1112 "),
    "telephone": repeated("(415) 555-0132 "),
    "international": repeated("+1 415 555 0132 "),
    "IBAN": repeated("DE89 3704 0044 0532 0130 00 "),
    "SSN": repeated("ssn 536-90-4399 "),
    "lone digits": repeated("1 "),
    "digits, hyphens": repeated("1-"),
    "credentials": repeated("://a:b@c "),
    "arguments": repeated("?token=abcdefgh1234 "),
    "secrets": repeated("secret: a1b2c3d4e5f6g7h8i9 "),
    "PEM": repeated("-----BEGIN PRIVATE KEY-----"),
    "underscores": repeated("_"),
    "punctuation": chosen("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
    "one dot": repeated("."),
    "quotes": repeated('"'),
    "backslashes": repeated("\\"),
    "pluses and minuses": repeated("+-"),
    "base64": _base64,
    "one mark": repeated("\u0301"),
    "two marks in turn": repeated("\u0301\u0323"),
    "Zalgo": _zalgo,
    "Hangul jamo": repeated("\u1100\u1161\u11a8"),
    "lone CJK": repeated("中 "),
    "CJK without end": chosen("的一是不了人我在有他这中大来上个国"),
    "Thai without end": chosen("กขคงจฉชซฌญฎฏ"),
    "right to left, mixed": repeated("שלום abc مرحبا 123 "),
    "writing directions": repeated("\u202e\u202c"),
    "emoji, joined": repeated("\U0001f468\u200d"),
    "controls": chosen("\x00\x01\x02\x1f\x7f\x85"),
    "Latin-1 bytes": lambda n: random.Random(1).randbytes(n).decode("latin-1"),
    "ellipses": repeated("… "),
    "capitals": repeated("ABC DEF "),
    "words": lambda n: " ".join(random.Random(1).choices(["of", "the", "crane", "bridge", "river"], k=n // 5))[:n],
}
HTML: dict[str, Callable[[int], str]] = {
    "deep nesting": _nested,
    "one tag, never closed": repeated("<b>"),
    "div, never closed": repeated("<div>"),
    "p": repeated("<p>a"),
    "anchors": repeated("<a href=x>a"),
    "table": repeated("<table><tr><td>"),
    "li": repeated("<ul><li>a"),
    "misnested": repeated("<b><i><p></b></i>"),
    "closing tags": repeated("</div>"),
    "nothing opens what closes": lambda n: "<div>" * (n // 10) + "</p>" * (n // 10),
    "lower than": repeated("<"),
    "unclosed comments": repeated("<!--"),
    "comment starts": repeated("<!-- -"),
    "CDATA": repeated("<![CDATA["),
    "doctypes": repeated("<!doctype "),
    "unclosed attribute": lambda n: '<a href="' + "x" * n,
    "attributes": lambda n: "<a " + "".join(f"a{i} " for i in range(n // 7)) + ">",
    "one attribute": lambda n: "<a " + "a=b " * (n // 4) + ">",
    "scripts": repeated("<script>"),
    "closed scripts": repeated("<script></script>"),
    "unclosed title": lambda n: "<title>" + "a " * (n // 2),
    "titles": repeated("<title>a</title>"),
    "metas": repeated("<meta name=author content=a>"),
    "opengraph": repeated('<meta property="og:title" content="a b">'),
    "json-ld": repeated('<script type="application/ld+json">{"@type":"Article"}</script>'),
    "nested json-ld": lambda n: '<script type="application/ld+json">' + "[" * n + "</script>",
    "json-ld lists": lambda n: '<script type="application/ld+json">[' + "[]," * (n // 3) + "[]]</script>",
    "microdata": repeated("<div itemscope itemtype=http://schema.org/Article itemprop=a>"),
    "entities": repeated("&amp;"),
    "half entities": repeated("&am"),
    "ampersands": repeated("&"),
    "numbers of characters": repeated("&#x41;"),
    "long number": lambda n: "&#" + "1" * n,
    "headings": repeated("<h1>a</h1>"),
    "breaks": repeated("<br>"),
    "pre": lambda n: "<pre>" + "a\n" * (n // 2),
    "same paragraph": repeated("<p>The council met on Tuesday to discuss the new bridge across the river.</p>"),
    "links in a list": repeated("<li><a href=/x>Some link text</a></li>"),
    "selects": repeated("<select><option>a"),
    "svg": repeated("<svg><title>"),
    "template": repeated("<template>"),
    "react pieces": lambda n: "".join(
        f'<template id="B:{i}"></template><div hidden id="S:{i}">a</div>' for i in range(n // 56)
    ),
    "react pieces of one name": repeated('<template id="B:0"></template><div hidden id="S:0">a</div>'),
    "dates": repeated("<time datetime=2020-01-01>1 January 2020</time>"),
    "bylines": repeated("<p class=byline>By A. Author</p>"),
    "text in a page": lambda n: "<p>" + "By the river " * (n // 13),
}


def _json_line(text: str) -> None:
    line = json.dumps({"text": text}).encode()
    list(LineReader(BytesIO(line), "a.jsonl", 0, None, Columns(), 1 << 30, Counter()))


def _extract(text: str, media: Media, format: TextFormat = "text") -> None:
    with contextlib.suppress(UndecodableError):
        extractor("corpusmill", format)(Page(body=text.encode(), media=media, url="http://a.example/b"))


def _decode(text: str, codec: str) -> None:
    with contextlib.suppress(UndecodableError):
        to_utf8(text.encode(codec, "replace"))


def _column(text: str) -> pa.Array:
    return pa.array([text], pa.large_string())


def _steps() -> dict[str, Callable[[str], object]]:
    words = TEXTS["words"](100_000)
    definition = train_tokenizer([words, "aa aaaa  \n\n" * 100], TokenizerSettings(vocab_size=400))
    fast, slow = Encoder(definition), Encoder(definition)
    slow._fast = None  # the case of a tokenizer that tiktoken cannot run
    languages, ids = pa.array(["en"]), pa.array(["0" * 24])
    return {
        "decode utf-8": lambda text: _decode(text, "utf-8"),
        "decode legacy": lambda text: _decode(text, "latin-1"),
        "normalise": normalise,
        "one_line": one_line,
        "json line": _json_line,
        "from_columns": lambda text: from_columns({"a": text, "text": text}, Columns(), "a", 0),
        "to_json": lambda text: to_json({"a": text}),
        "plain text": lambda text: _extract(text, "text"),
        "markdown file": lambda text: _extract(text, "markdown"),
        "html text": lambda text: _extract(text, "html"),
        "html markdown": lambda text: _extract(text, "html", "markdown"),
        "language": lambda text: identify(_column(text)),
        "signals": lambda text: measure_text(_column(text), languages),
        "mask": lambda text: mask(_column(text), PiiSettings()),
        "mask_text": mask_text,
        "sketch": lambda text: sketch_documents(ids, _column(text), DedupSettings()),
        "train": lambda text: train_tokenizer([words, text], TokenizerSettings(vocab_size=400)),
        "encode": fast.encode,
        "encode with HF": slow.encode,
    }


def measure(step: Callable[[str], object], make: Callable[[int], str], most: int) -> tuple[float, float, int]:
    """Seconds per MB, growth, and the largest number of bytes."""
    step(make(1000))  # imports modules and loads kernels
    found: list[tuple[int, float]] = []
    for size in SIZES:
        if size > most or (found and found[-1][1] > ENOUGH):
            break
        text = make(size)
        while len(content := text.encode("utf-8", "surrogatepass")) > 1.3 * size:
            text = text[: len(text) * size // len(content) + 1]
        started = time.process_time()
        step(text)
        found.append((len(content), time.process_time() - started))
    (n, seconds), growth = found[-1], 1.0
    if len(found) > 1 and seconds > 0.1:
        before, seconds_before = found[-2]
        growth = math.log(seconds / max(seconds_before, 1e-6)) / math.log(n / before)
    return seconds / n * 1e6, growth, n


def _cases() -> Iterator[tuple[str, Callable[[int], str], bool]]:
    yield from ((name, make, False) for name, make in TEXTS.items())
    yield from ((name, make, True) for name, make in HTML.items())


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("steps", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--mb", type=float, default=4)
    options = parser.parse_args()
    worst: dict[str, tuple[float, str]] = {}
    for name, step in _steps().items():
        if options.steps and not any(wanted in name for wanted in options.steps):
            continue
        for text, make, is_html in _cases():
            if is_html and not name.startswith(("html", "decode")):
                continue
            per_mb, growth, n = measure(step, make, int(options.mb * (1 << 20)))
            worst[name] = max(worst.get(name, (0.0, "")), (per_mb, text))
            if options.all or per_mb > GOAL or (growth > SUPERLINEAR and per_mb > GOAL / 4):
                print(f"{name:15} {text:27} {1000 * per_mb:9.1f} ms/MB  growth {growth:4.1f}  {n:9} bytes", flush=True)
    for name, (per_mb, text) in worst.items():
        print(f"{name:15} at most {1000 * per_mb:9.1f} ms/MB ({text})")


if __name__ == "__main__":
    main()
