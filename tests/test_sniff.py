"""What a body is: one line per kind, and bodies that try to take long."""

import json
import time

import pytest

from corpusmill.extract.extractors import extractor
from corpusmill.page import Page
from corpusmill.reasons import Status
from corpusmill.sniff import media_of, sniffed

LINES = b"a line of words\n" * 20
ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"><title>News</title>""" + (
    b"<entry><title>One</title><content type='html'>&lt;p&gt;The old mill by the river.&lt;/p&gt;</content></entry>" * 8
    + b"</feed>"
)

HTML = [
    b"", b"Not found", b"hello <b>there</b>", b"<p>hello", b"\xef\xbb\xbf<!DOCTYPE html><p>x",
    b"<!-- by a program -->\n<!DOCTYPE html PUBLIC 'x'>\n<p>x", b"<?xml version='1.0'?>\n<html xmlns='x'>",
    b"<?xml version='1.0'?><!DOCTYPE html [ <!ENTITY x 'y'> ]><html>", b"<svg class='icons'><path/></svg><div>x</div>",
    b"<?xml version='1.0'?><wml><card>", b"/* left over */\n<html><body>x", b"&nbsp;x\n" * 20, LINES * 600 + b"<p>late",
    b"{not json} <i>x</i>", b'{"a": 1', b"let me tell you about <b>boats</b>", b"import duties; <p>x</p>",
    b"class of 1990<br>", b"var x = 1;</script>\n<!DOCTYPE html><p>x", b"<app><p>x</p></app>",
    b"Error\nx, y\n", b"\n\n\n", b"<o:p xmlns:o='x'>y</o:p><p>z",
    b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html xmlns='http://www.w3.org/1999/xhtml'>",
]  # fmt: skip

OTHERS = [
    (b"<?xml version='1.0'?>\n<!-- c --><rss version='2.0'><channel>", "application/rss+xml"),
    (ATOM, "application/atom+xml"),
    (b"\xef\xbb\xbf<feed xmlns='x'>", "application/atom+xml"),
    ("\ufeff<?xml version='1.0'?><rss>".encode("utf-16-le"), "application/rss+xml"),
    ("\ufeff<?xml version='1.0'?><rss>".encode("utf-16-be"), "application/rss+xml"),
    (b'<rdf:RDF xmlns:rdf="x" xmlns="http://purl.org/rss/1.0/">', "application/rss+xml"),
    (b'<rdf:RDF xmlns:rdf="x" xmlns="http://example.org/">', "application/rdf+xml"),
    (b"<urlset xmlns='x'><url>", "application/xml"),
    (b"<?xml version='1.0'?><?xml-stylesheet href='x'?><TEI xmlns='x'>", "application/xml"),
    (b"<?xml version='1.0'?><svg>", "image/svg+xml"),
    (b'{"a": 1}', "application/json"),
    (b" [1, 2]\n", "application/json"),
    (b")]}',\n{}", "application/json"),
    (b'/**/ call.back({"a": [1]});', "application/json"),
    (b'[{"a": "' + b"x" * 300_000 + b'"}]', "application/json"),
    (b"/* a */ /* b */ body { margin: 0 }", "text/css"),
    (b"a:hover, .b > c { color: red }", "text/css"),
    (b"// a\n(function($) { return 1 < 2; })()", "text/javascript"),
    (b'"use strict"; x()', "text/javascript"),
    (b"<soap:Envelope xmlns:soap='x'><soap:Body>y</soap:Body></soap:Envelope>", "application/xml"),
    (b"<boats xmlns='http://example.org/'>\n<boat/></boats>\n", "application/xml"),
    (b"<svg xmlns='x'><text>y</text></svg>\n", "image/svg+xml"),
    (b"<?xml version='1.0'?><article xmlns='http://docbook.org/ns/docbook'>", "application/xml"),
    (b"<?xml version='1.0'?><!DOCTYPE article PUBLIC '-//NLM//x'><article>", "application/xml"),
    (b'{"a": "<p>"}\n{"a": 2}\n', "application/jsonl"),
    (b'\x1e{"a": 1}\n\x1e{"a": 2}\n', "application/json-seq"),
    (b'{"a": 1}\n<!-- 0.03 s -->', "application/json"),
    ('\ufeff{"a": 1}'.encode("utf-16-le"), "application/json"),
    (b'{"a": "<p>' + b"x" * 10_000, "application/json"),
    (b'typeof cb === "function" && cb({"a": "<p>"});', "application/json"),
    (b"var a = '<div>';\n", "text/javascript"),
    (b"(()=>{var e='<p>'})();", "text/javascript"),
    (b"document.write('<p>x</p>')", "text/javascript"),
    (b"import{a as b}from'./x.js';c='<p>'", "text/javascript"),
    (b"*{margin:0}", "text/css"),
    (b"[hidden]{display:none}\na::after{content:'<p>'}", "text/css"),
    (b"@supports (display:grid){.a{display:grid}}", "text/css"),
    (b"# -*- coding: utf-8 -*-\nimport os\nprint('<b>x</b>')\n", "text/plain"),
    (b"/* <b> */\npackage org.e;\n\npublic class A {}\n", "text/plain"),
    (b"#ifndef MILL_H\n/* <b> */\n#endif\n", "text/plain"),
    (b'use std::io;\nfn main() { println!("<p>"); }\n', "text/plain"),
    (b"---\ntitle: x\n---\n\n<b>words</b>\n", "text/plain"),
    (b"# A title\n\n<img src='x'>\n\n- one\n- two\n", "text/plain"),
    (b"\\documentclass{article}\n<p>", "text/plain"),
    (b"User-agent: *\nDisallow: /private\n", "text/plain"),
    (b"id,name\n1,Anna\n2,Berta\n", "text/plain"),
    (b"\r\n%PDF-1.7\n", "application/pdf"),
    (b"%PDF-1.7\n", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n\0", "image/png"),
    (b"\0\0\0\x18ftypmp42", "video/mp4"),
    (b"RIFF\0\0\0\0WAVEfmt ", "audio/wave"),
    (b"PK\x03\x04\x14", "application/zip"),
    (LINES, "text/plain"),
    (b"[1] A reference\n" * 20 + b"[2]", "text/plain"),
    (b"#!/bin/sh\necho '<p>'\n", "text/plain"),
    (b"#include <stdio.h>\nint main() { }\n", "text/plain"),
    (b"<?php echo '<p>'; ?>", "text/plain"),
    (b"# A title\n\nwords\n", "text/plain"),
]


@pytest.mark.parametrize("body", HTML)
def test_html_stays_html(body):
    assert sniffed(body) == "text/html"


@pytest.mark.parametrize(("body", "found"), OTHERS)
def test_what_is_labelled_as_html(body, found):
    assert sniffed(body) == found
    assert media_of(found) == ("text" if found == "text/plain" else None)


def test_a_plain_text_is_html_only_as_a_whole_document():
    assert sniffed(b"<!DOCTYPE html><p>x", "text/plain") == "text/html"
    assert sniffed(b"<p>x is how a paragraph begins", "text/plain") == "text/plain"
    assert sniffed(b"body { margin: 0 }", "text/plain") == "text/plain"
    assert sniffed(ATOM, "text/plain") == "application/atom+xml"
    assert sniffed(b"<TEI/>", "text/xml") == "text/xml"


@pytest.mark.parametrize(
    "piece",
    [
        b"/**/ ",
        b"<!---->",
        b"a ",
        b"(",
        b'{"',
        b"cb(",
        b"<!doctype ",
        b"//\n",
        b"[ ",
        b"a:",
        b"/*",
        b"<?xml ",
        b"static int ",
        b"import a as b, ",
        b"class A ",
        b"x, y ",
    ],
)
def test_no_body_takes_long(piece):
    started = time.process_time()
    for end in (b"", b")", b"]", b"}"):
        sniffed(piece * (400_000 // len(piece)) + end)
    assert time.process_time() - started < 5  # a pattern that goes wrong takes minutes


@pytest.mark.parametrize("name", ["corpusmill", "resiliparse"])
def test_extractors_read_what_is_there(name):
    extract = extractor(name)
    feed = extract(Page(body=ATOM))
    assert (feed.status, feed.text) == (Status.CONTENT_TYPE, "")
    assert feed.metadata == {"sniffed_type": "application/atom+xml"}
    assert extract(Page(body=json.dumps({"a": "<p>b</p>"}).encode())).status is Status.CONTENT_TYPE
    text = extract(Page(body=LINES))
    assert (text.status, text.text) == (Status.OK, LINES.decode())
    assert text.metadata["sniffed_type"] == "text/plain"
