import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from resiliparse.parse.html import HTMLTree

from corpusmill.extract.head import read_head

PAGE = """<!DOCTYPE html>
<!-- <title>No</title> <meta name="robots" content="noai"> -->
<html class="a>b" LANG='pt-BR' dir=ltr>
<head>
<script>var a = "<title>No</title><meta name='robots' content='noindex'>";</script>
<style>/* <title>No</title> */</style>
<meta charset=utf-8><META NAME="Robots" CONTENT="NoIndex, &quot;x&quot;">
<meta content='Ana &amp; Rui' name=author /><meta property="og:title" content="Other">
<title>
 Moinhos &amp; <b>pedras</b> > trigo</title>
</head><body><svg><title>No</title></svg><meta name="author" content="Nobody"><p>text</p></body></html>"""


def test_title_language_and_metas():
    head = read_head(PAGE)
    assert head.title is not None
    assert head.title.strip() == "Moinhos & <b>pedras</b> > trigo"
    assert head.html_lang == "pt-BR"
    assert dict(head.metas) == {"robots": 'NoIndex, "x"', "author": "Ana & Rui", "og:title": "Other"}
    assert head.first("dc.creator", "author") == "Ana & Rui"
    tree = HTMLTree.parse(PAGE)
    assert head.title.strip() == tree.title.strip().replace("&amp;", "&").replace("&gt;", ">")


@pytest.mark.parametrize(
    ("page", "title", "lang"),
    [
        ("", None, None),
        ("<title>Only", "Only", None),
        ("<p>no head <title>late</title>", None, None),
        ("<title></title><meta property=og:title content=Open>", "Open", None),
        ('<html xml:lang="de"><title>a</title><title>b</title>', "a", "de"),
        ('<meta http-equiv="Content-Language" content="fr"><title>x</title>', "x", "fr"),
        ("<html lang='x", None, None),
        ("<header><titles>no</titles></header><title>yes</title>", "yes", None),
        ("<script>never closed <title>no</title>", None, None),
    ],
)
def test_forms(page, title, lang):
    head = read_head(page)
    assert (head.title, head.html_lang) == (title, lang)


def test_directives_are_found_in_the_body_too():
    page = "<html><head><title>x</title></head><body><p>text</p><meta name='robots' content='noai'>"
    assert ("robots", "noai") in read_head(page).metas
    page = "<body><!-- <meta name='robots' content='noai'> --><p>x"
    assert read_head(page).metas == ()


@given(st.text(st.sampled_from(list("<>/!-=\"' \nmetaMETAtitlescripthtmlheadnamecontent"))))
def test_any_page(page):
    read_head(page)


@pytest.mark.parametrize(
    "piece",
    ["<meta ", "<meta '", '<meta "', "<!--", "<script", "<title", "<meta name=robots ", "<", "<meta a=", "<p <meta '>"],
)
def test_hostile_pages_take_linear_time(piece):
    start = time.perf_counter()
    read_head(piece * (2_000_000 // len(piece)))
    assert time.perf_counter() - start < 5
