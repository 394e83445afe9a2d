"""The commands on terminals and with arguments of any encoding, and with what pages would do to a terminal."""

import os
import subprocess
import sys

import pytest

from corpusmill.terminal import printable

from .conftest import PAGES, doc_id


def called(*arguments, **environment):
    call = [sys.executable, "-m", "corpusmill", *arguments]
    return subprocess.run(call, capture_output=True, env={**os.environ, **environment}, timeout=120)


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-8"])
@pytest.mark.parametrize("command", [["why", "{corpus}", doc_id(5)], ["sql", "{corpus}", "SELECT text FROM pages"]])
def test_a_terminal_without_a_sign_shows_another(corpus, encoding, command):
    done = called(*(part.replace("{corpus}", str(corpus)) for part in command), PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, b"")
    text = done.stdout.decode(encoding)
    assert ("人" in text) is (encoding == "utf-8")
    assert ("??" in text) is (encoding != "utf-8")


def test_programs_get_utf8_on_any_terminal(corpus):
    query = f"SELECT text FROM pages WHERE doc_id = '{doc_id(5)}'"
    done = called("sql", str(corpus), query, "--format", "csv", PYTHONIOENCODING="ascii")
    assert PAGES[5].text in done.stdout.decode()


@pytest.mark.parametrize(
    "command",
    [
        ["why", "{corpus}", b"caf\xe9"],
        ["sql", "{corpus}", b"SELECT 'caf\xe9'"],
        ["sql", b"caf\xe9", "SELECT 1"],
        ["extract", b"caf\xe9.html"],
        ["run", b"caf\xe9.toml", "--corpus", b"caf\xe9"],
        ["run", b"caf\xe9.toml", "--corpus", b"caf\xe9", "--until", b"caf\xe9"],
        ["generate", b"caf\xe9", "x"],
        ["verify", b"caf\xe9"],
        ["train", b"caf\xe9", "--config", b"caf\xe9"],
    ],
)
def test_an_argument_that_is_not_utf8_is_one_sentence(corpus, tmp_path, command):
    done = called(*(part.replace("{corpus}", str(corpus)) if isinstance(part, str) else part for part in command))
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1), done.stderr
    assert done.stderr.startswith(b"corpusmill: ")


def test_a_table_cannot_write_over_the_terminal(corpus):
    query = "SELECT 'a' || chr(27) || '[2J' || chr(155) || chr(8238) || 'b' AS x"
    done = called("sql", str(corpus), query, PYTHONIOENCODING="utf-8")
    assert done.returncode == 0
    assert "b" in done.stdout.decode()
    assert not {"\x1b", "\x9b", "\u202e"} & set(done.stdout.decode())


def test_an_error_cannot_write_over_the_terminal(corpus):
    done = called("sql", str(corpus), "SELECT error('a' || chr(27) || '[2J' || chr(8238))", PYTHONIOENCODING="utf-8")
    assert done.returncode == 2
    assert b"\x1b" not in done.stderr
    assert "\u202e" not in done.stderr.decode()


def test_scripts_that_need_joiners_keep_them():
    text = "می‌خواهم, क्‍ष\n\tمرحبا שלום"
    assert printable(text) == text
    assert printable("\x00\x1b\x7f\x85\u2028\u2066\ud800") == "\ufffd" * 7
