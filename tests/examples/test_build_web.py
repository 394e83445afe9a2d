"""The builder's pieces, on small input made here; the whole build needs sources that are not committed."""

from random import Random

import pytest

from examples.build_web import build
from examples.webgen import copies, peps, rights, shop
from examples.webgen.page import some_of, without_addresses
from examples.webgen.site import Site

SOURCE = """PEP: {number}
Title: Tools for ``proposal`` {number}
Author: Real Person <real@person.name>,
        Second Author
Status: Final
Type: Process
Created: 01-Jan-2001

Motivation
==========

See :pep:`8`, :pep:`the other one <{other}>`, :func:`!print`, :rfc:`822` and `a site <https://real.site/x>`_.
Write to real@person.name; this long paragraph should be used to quote, because it has quite a few words in it.

.. code-block:: python
   :caption: ignored

   print("<kept>")

.. image:: nowhere.png

Copyright
=========

This document is placed in the public
domain.
"""


def pep(number=1, other=2):
    return peps.parse(SOURCE.format(number=number, other=other))


def test_a_proposal_is_parsed():
    parsed = pep()
    assert (parsed.number, parsed.title, parsed.status, parsed.year) == (1, "Tools for proposal 1", "Final", "2001")
    assert parsed.authors == "Real Person, Second Author"
    assert parsed.licence == "https://creativecommons.org/publicdomain/mark/1.0/"
    assert "person.name" not in parsed.body


def test_a_proposal_that_is_not_free_is_refused():
    with pytest.raises(ValueError, match="PEP 1 states neither CC0 nor public domain"):
        peps.parse(SOURCE.format(number=1, other=2).replace("public\ndomain", "owner's care"))


def test_rendering_keeps_the_text_and_links_to_known_proposals_only():
    html = peps.render(pep(), known={1, 2})
    assert '<a href="/peps/0002/">the other one</a>' in html
    assert "PEP 8," in html
    assert "/peps/0008/" not in html
    assert "a site" in html
    assert "real.site" not in html
    assert "<code>print</code>" in html
    assert "RFC 822" in html
    assert "print(&quot;&lt;kept&gt;&quot;)" in html
    assert "caption" not in html
    assert peps.headings(html) == [("motivation", "Motivation"), ("copyright", "Copyright")]


def test_unknown_markup_leaves_no_message_of_docutils():
    parsed = peps.parse(SOURCE.format(number=1, other=2).replace(":func:`!print`", ":py:class:`~a.B`"))
    html = peps.render(parsed, set())
    assert "problematic" not in html
    assert "system-message" not in html


def test_an_earlier_draft_lacks_as_much_as_asked_for():
    original = "".join(f"<p>This new proposal should be number {n}.</p>" for n in range(3000))
    assert copies.rewrite(original, 0.0, Random(1)) == original
    changed = copies.rewrite(original, 0.3, Random(1))
    assert 0.17 < changed.count("<p></p>") / 3000 < 0.23
    assert 0.07 < changed.count("additional draft ought to be number") / 3000 < 0.13
    assert copies.rewrite(original, 0.3, Random(1)) == changed


def test_other_words_leave_tags_alone():
    rewritten = copies.rewrite('<p>use <a class="use">this</a></p>', 1.0, Random(2))
    assert rewritten in ("<p></p>", '<p>employ <a class="use">the present</a></p>')


def test_invented_addresses_are_stable_and_hide_the_real_one():
    text = without_addresses("a@b.example.net and a@b.example.net, but not x @ y")
    first, second = text.split(", ")[0].split(" and ")
    assert first == second
    assert first.endswith("@example.org")
    assert text.endswith("but not x @ y")


def test_a_declaration_becomes_headings_and_paragraphs():
    text = "Title\n      Preamble text\n   \n      Article 1\n      All < human beings.\n"
    assert (
        rights.article(text)
        == "<h1>Title</h1>\n<p>Preamble text</p>\n<h2>Article 1</h2>\n<p>All &lt; human beings.</p>"
    )


def test_choices_do_not_repeat():
    chosen = some_of(Random(3), shop.PLACES, 5)
    assert len(set(chosen)) == 5


def test_a_site_survives_its_zip_and_is_the_same_bytes_twice(tmp_path):
    declarations = {file: f"Title of {file}\n\n Article 1\n Text.\n" for file in rights.LANGUAGES}
    proposals = [pep(number, number + 1) for number in range(1, 12)]
    site = build(proposals, declarations)
    site.save(tmp_path / "once.zip")
    build(proposals, declarations).save(tmp_path / "twice.zip")
    assert (tmp_path / "once.zip").read_bytes() == (tmp_path / "twice.zip").read_bytes()
    loaded = Site.load(tmp_path / "once.zip")
    assert loaded == site


def test_an_address_is_added_once():
    site = Site()
    site.add("http://a.example/", "")
    with pytest.raises(ValueError, match=r"http://a\.example/ is added twice"):
        site.add("http://a.example/", "")
