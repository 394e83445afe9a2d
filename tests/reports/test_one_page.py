import gzip
import io
import os
import subprocess
import sys

import pytest

from corpusmill.errors import InputError
from corpusmill.reports.one_page import find
from tests.collect.warcs import Warc

HTML = b"<p>a page"


@pytest.fixture
def warc(tmp_path):
    warc = Warc().response("http://a.example/x?y=1", HTML, [("Content-Type", "text/html; charset=koi8-r")])
    warc.response("http://a.example/gone", b"", status="404 Not Found")
    warc.response("http://a.example/data", b"{}", [("Content-Type", "application/json")])
    warc.response("http://a.example/moved", b"", status="301 Moved").response("http://a.example/moved", HTML)
    path = tmp_path / "a.warc.gz"
    path.write_bytes(warc.data)
    return str(path)


def test_a_file(tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(HTML)
    assert find(str(path), []).body == HTML
    path.write_bytes(gzip.compress(HTML))
    assert find(str(path), []).body == HTML


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(HTML)))
    assert find("-", []).body == HTML


@pytest.mark.parametrize("url", ["http://a.example/x?y=1", "HTTP://A.example:80/x?y=1", "http://a.example/moved/"])
def test_a_url_in_warc_files(warc, tmp_path, url):
    other = tmp_path / "other.warc"
    other.write_bytes(Warc(packed=False).response("http://b.example/", HTML).data)
    page = find(url, [str(other), warc])
    assert page.body == HTML
    assert page.charset == ("koi8-r" if "x" in url.split("/")[-1] else "utf-8")


def test_a_hint_writes_nothing_over_the_terminal(tmp_path):
    path = tmp_path / "a.warc"
    odd = Warc(packed=False).response("http://a.example/x\x1b[2J\x9b31m", HTML, [("Content-Type", "text/html")])
    path.write_bytes(odd.data)
    command = [sys.executable, "-m", "corpusmill", "extract", "http://a.example/xx", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONIOENCODING": "utf-8"})
    assert done.returncode == 2
    assert "close to it: http://a.example/x\ufffd[2J\ufffd31m" in done.stderr
    assert done.stderr.rstrip("\n").isprintable()


@pytest.mark.parametrize(
    ("page", "files", "message"),
    [
        ("http://a.example/x", [], "this command fetches nothing"),
        ("{dir}/none.html", [], "none.html: cannot be read (No such file or directory)"),
        ("{dir}", [], "cannot be read (Is a directory)"),
        ("{dir}/cut.gz", [], "cut.gz: cannot be decompressed"),
        ("{warc}", [], "a WARC file; say which page of it"),
        ("http://a.example/x?y=2", ["{warc}"], "close to it: http://a.example/x?y=1"),
        ("http://b.example/me@b.example", ["{warc}"], "http://b.example/<email>: not in"),
        ("http://a.example/gone", ["{warc}"], "no page to show: the server answered with an error"),
        ("http://a.example/data", ["{warc}"], "no page to show: not a type of content"),
        ("http://a.example/x", ["{dir}/none.warc"], "none.warc: cannot be read (No such file or directory)"),
    ],
)
def test_what_cannot_be_found_is_told_in_a_sentence(warc, tmp_path, page, files, message):
    (tmp_path / "cut.gz").write_bytes(gzip.compress(HTML * 100)[:20])
    page, *files = (text.format(dir=tmp_path, warc=warc) for text in [page, *files])
    with pytest.raises(InputError) as caught:
        find(page, files)
    assert message in str(caught.value)
