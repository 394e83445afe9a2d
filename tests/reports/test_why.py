import json

import pytest

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.reasons import STATUSES, Fate, Stage, Status
from corpusmill.reports.story import FATES
from corpusmill.reports.why import render, why
from corpusmill.terminal import json_of

from . import conftest
from .conftest import PAGES, URLS, doc_id, write_stage


def test_every_page_and_every_url_has_a_story(corpus):
    told = {}
    for url in {page.url for page in PAGES if page.url} | {url for url, *_ in URLS}:
        story = why(corpus, url)
        assert render(story)
        told |= {document.doc_id: document.kept for document in story.documents}
    kept = conftest.kept(range(len(PAGES)))
    assert told == {doc_id(i): i in kept for i, page in enumerate(PAGES) if page.url}


def test_every_fate_and_status_is_told_in_words():
    assert set(FATES) == set(Fate)
    assert set(STATUSES) == set(Status) - {Status.OK}


def test_dropped_by_a_rule(corpus):
    (document,) = why(corpus, "http://a.example/digits").documents
    assert [(r.rule, r.test, r.value, r.outcome) for r in document.rulings] == [
        ("too_short", "n_words < 5", 3, "dropped it"),
        ("digits", "digit_share > 0.5", 0.6, "would have dropped it, too"),
        ("shop", "language = 'en' AND n_words < 4", None, "would have dropped it, too"),
    ]
    told = render(why(corpus, doc_id(4)))
    assert "dropped by rule too_short" in told
    assert "✗ digits" in told
    assert "n_words=3" in told


def test_dropped_as_a_twin_and_kept_instead_of_one(corpus):
    (document,) = why(corpus, doc_id(2)).documents
    assert (document.twin.doc_id, document.twin.url, document.twin.jaccard) == (doc_id(0), PAGES[0].url, 0.8125)
    assert "kept instead: " + doc_id(0) in render(why(corpus, doc_id(2)))
    (kept,) = why(corpus, doc_id(0)).documents
    assert [(copy.doc_id, copy.jaccard) for copy in kept.copies] == [(doc_id(1), 1.0), (doc_id(2), 0.8125)]
    assert (kept.split, kept.n_tokens) == ("train", 10)


def test_a_url_with_several_records(corpus):
    story = why(corpus, "http://a.example/")
    assert [document.doc_id for document in story.documents] == [doc_id(0), doc_id(11)]
    assert [address.fate for address in story.addresses] == ["fetched"]
    assert "a seed" in render(story)


@pytest.mark.parametrize(
    "url", ["a.example/copy", "HTTP://A.EXAMPLE:80/copy#part", "http://a.example/x/../copy/", " http://a.example/copy "]
)
def test_spellings_of_a_url(corpus, url):
    assert why(corpus, url).documents[0].doc_id == doc_id(1)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://a.example/private", ["robots.txt forbids it (Disallow: /private)", "1 link from a seed"]),
        ("http://c.example/", ["no answer (timeout)", "met on http://a.example/"]),
        ("http://a.example/old", ["HTTP 301", "redirects to http://a.example/", "redirect ("]),
        ("http://a.example/gone", ["HTTP 404", "dropped, could not be used: http_error"]),
    ],
)
def test_urls_that_became_no_document(corpus, url, words):
    told = render(why(corpus, url))
    for word in words:
        assert word in told


def test_personal_data_is_masked_everywhere(corpus):
    for asked in (doc_id(6), PAGES[6].url):
        story = why(corpus, asked)
        assert "jane.doe" not in repr(story)
        assert "<email>" in render(story)
    with pytest.raises(InputError) as error:
        why(corpus, "http://b.example/mail?to=jane.doe@corp.examplx")
    assert "jane.doe@corp.example" not in str(error.value)


def test_a_page_cannot_write_over_the_terminal(own_corpus):
    row = conftest.page_rows(range(1))[0] | {"title": "\x1b[2J\u202emoc", "text": "a\x07b\rc"}
    conftest.publish(Corpus(own_corpus), Stage.PAGES, "web-0000", [row], conftest.columns_of(Stage.PAGES))
    told = render(why(own_corpus, doc_id(0)))
    assert not set(told) & set("\x1b\x07\r\u202e")


@pytest.mark.parametrize(
    ("until", "words"), [(1, "not decided yet: the rules have not"), (5, "not decided yet: deduplication has not")]
)
def test_an_unfinished_run(tmp_path, until, words):
    for stage in list(conftest.ROWS)[:until]:
        write_stage(Corpus(tmp_path), stage)
    assert words in render(why(tmp_path, doc_id(0)))


@pytest.mark.parametrize(
    ("asked", "close"),
    [
        ("http://a.example/prvate", "http://a.example/private"),
        ("0" * 20, doc_id(0)),
        ("f" * 24, "ask for a doc_id"),
        ("nothing like it", "ask for a doc_id"),
        ("", "ask for a doc_id"),
    ],
)
def test_what_the_corpus_never_met(corpus, asked, close):
    with pytest.raises(InputError, match="does not contain") as error:
        why(corpus, asked)
    assert close in str(error.value)


def test_a_beginning_is_enough_if_only_one_has_it(corpus):
    assert why(corpus, doc_id(5)[:23] + "5").documents[0].doc_id == doc_id(5)
    with pytest.raises(InputError, match="close to it"):
        why(corpus, "0000")
    (document,) = why(corpus, "http://a.example/dig").documents
    assert document.url == "http://a.example/digits"
    with pytest.raises(InputError, match="close to it"):
        why(corpus, "http://a.exampl")


def test_a_file_s_path_is_enough(corpus):
    found = why(corpus, why(corpus, doc_id(5)).documents[0].origin_path)
    assert doc_id(5) in {document.doc_id for document in found.documents}


def test_what_decided_comes_first_and_the_rest_on_demand(corpus):
    story = why(corpus, doc_id(3))
    short, long = render(story, everything=False), render(story)
    assert "dropped by rule too_short" in short
    assert "2 of 3 rules would drop it; --all shows the other 1" in short
    assert "n_words=" in long
    assert "n_words=" not in short
    assert "it passed all 3 rules; --all shows them with its values" in render(why(corpus, doc_id(0)), everything=False)


def test_a_story_as_json(corpus):
    told = json.loads(json_of(why(corpus, doc_id(3))))
    assert told["documents"][0]["doc_id"] == doc_id(3)
    assert told["documents"][0]["rulings"][0]["outcome"] == "dropped it"


def test_texts_among_signals_are_masked(own_corpus):
    """A user's signal may hold any piece of a page, also within lists and structs."""
    mail = "jane.doe@corp.example"
    part, indices = next(iter(conftest.PARTS.items()))
    rows = [row | {"language_code": mail, "languages": [{"label": f"of {mail}", "score": 0.5}]}
            for row in conftest.language_rows(indices)]  # fmt: skip
    columns = conftest.columns_of(Stage.LANGUAGE_SIGNALS)
    conftest.publish(Corpus(own_corpus), Stage.LANGUAGE_SIGNALS, part, rows, columns)
    story = why(own_corpus, doc_id(0))
    (document,) = story.documents
    assert document.signals["language_code"] == "<email>"
    assert document.signals["languages"] == [{"label": "of <email>", "score": 0.5}]
    assert mail not in render(story) + json_of(story)
