import io
import json

import pytest
from rich.console import Console

from corpusmill.errors import InputError
from corpusmill.reasons import Status
from corpusmill.reports.extraction import as_json, see, tell, tell_in_colour, write_overlay
from tests.extract.inspections import inspected

PAGE = """<html lang=en><head><meta charset=utf-8><title>Letters to me@a.example</title>
<meta name=author content="Ann\x1b[2J">
<meta name=robots content=noai><link rel=canonical href=https://a.example/letters></head>
<body><nav>XX Home, me@a.example</nav><main><h2>Letters</h2><p>Write to me@a.example or 81.200.64.50, please.</p>
<pre>one\n  two</pre></main></body></html>"""


def test_told_in_plain_lines():
    assert tell(see(inspected(PAGE), "page.html")).splitlines() == [
        "page        page.html",
        "status      ok",
        "type        article 0.75, forum 0.25",
        "kept        3 of 4 blocks, those above 0.25",
        "title       Letters to <email>",
        "author      Ann\ufffd[2J",
        "language    en",
        "canonical   https://a.example/letters",
        "robots      robots: noai",
        "encoding    utf-8",
        "",
        "- 0.12 nav        XX Home, <email>",
        "+ 0.88 h2         Letters",
        "+ 0.88 p          Write to <email> or <ip>, please.",
        "+ 0.88 pre        one",
        "                    two",
    ]


def test_told_in_colour():
    console = Console(file=io.StringIO(), width=40, force_terminal=True, color_system="standard", highlight=False)
    tell_in_colour(see(inspected(PAGE.replace("XX", "XX " * 30)), "page.html"), console)
    written = console.file.getvalue()
    assert "\x1b[1;32m 0.88 \x1b[0m" in written
    assert "\x1b[2;31m 0.12 \x1b[0m" in written
    assert "\x1b[2J" not in written
    plain = Console(file=io.StringIO(), width=40, highlight=False)
    tell_in_colour(see(inspected(PAGE.replace("XX", "XX " * 30)), "page.html"), plain)
    lines = plain.file.getvalue().splitlines()
    assert all(len(line) <= 40 for line in lines)
    assert [line for line in lines if " nav " in line] == [" 0.12 nav        XX XX XX XX XX XX XX X…"]
    assert lines[-5:] == [
        " 0.88 h2         Letters",
        " 0.88 p          Write to <email> or",
        "                 <ip>, please.",
        " 0.88 pre        one",
        "                   two",
    ]


def test_unmasked_only_if_asked_for():
    page = inspected(PAGE)
    assert "me@a.example" not in as_json(see(page, "p")) + tell(see(page, "p")) + see(page, "p").text
    shown = see(page, "p", masked=False)
    assert all("me@a.example" in said for said in (as_json(shown), tell(shown), shown.text, shown.markdown))


def test_json_for_programs():
    told = json.loads(as_json(see(inspected(PAGE, url="http://a.example/"), "page.html")))
    assert told["page"] == "http://a.example/"
    assert told["page_types"]["forum"] == 0.25
    assert told["metadata"]["title"] == "Letters to <email>"
    assert told["metadata"]["directives"] == [["robots", "noai"]]
    assert told["text"] == "Letters\n\nWrite to <email> or <ip>, please.\n\none\n  two"
    assert told["blocks"][1] == {
        "probability": 0.875,
        "kept": True,
        "path": "html > body > main > h2",
        "text": "Letters",
    }


def test_why_a_page_has_no_content():
    told = tell(see(inspected(PAGE, status=Status.LOGIN_PAGE), "page.html"))
    assert "status      login_page: it asks to log in or to sign up" in told
    assert "kept        0 of 4 blocks" in told
    assert "\n+" not in told


def test_an_overlay_is_one_masked_file(tmp_path):
    write_overlay(see(inspected(PAGE), "page.html"), tmp_path / "out.html")
    written = (tmp_path / "out.html").read_text("utf-8")
    assert "Write to &lt;email&gt; or &lt;ip&gt;" in written
    assert "me@a.example" not in written
    with pytest.raises(InputError, match="cannot be written"):
        write_overlay(see(inspected(PAGE), "page.html"), tmp_path / "none" / "out.html")
