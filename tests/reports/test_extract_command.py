"""`corpusmill extract` as users call it, with the model in the package."""

import json
import subprocess
import sys

import pytest

from tests.collect.warcs import Warc

PARAGRAPHS = "".join(
    f"<p>Grain is carried to the mill {place} in sacks, ground between stones, and sifted, which makes flour of it. "
    "The miller, me@a.example, keeps a part of it for the work, as millers always have."
    for place in ("by the river", "on the hill", "of the village", "in town", "behind the church", "at the lake")
)
HTML = f"""<!doctype html><html lang=en><head><meta charset=utf-8><title>Flour</title></head><body>
<nav><ul><li><a href=/>Home</a></li><li><a href=/contact>Contact</a></li></ul></nav>
<main><article><h1>Flour</h1>{PARAGRAPHS}</article></main><footer><p>Copyright</footer></body></html>"""


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    folder = tmp_path_factory.mktemp("extract")
    (folder / "page.html").write_text(HTML)
    (folder / "a.warc.gz").write_bytes(Warc().response("http://a.example/flour", HTML.encode()).data)

    def run(*arguments):
        command = [sys.executable, "-m", "corpusmill", "extract", *arguments]
        ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, input=HTML)
        return ran.returncode, ran.stdout, ran.stderr

    return run


def test_plain_lines_where_there_is_no_terminal(extract):
    code, out, _ = extract("page.html")
    assert code == 0
    assert "title       Flour" in out
    assert "me@a.example" not in out
    kept = [line for line in out.splitlines() if line.startswith("+ ")]
    assert sum("The miller, <email>, keeps" in line for line in kept) == 6
    assert not any("Contact" in line for line in kept)
    assert extract("-") == (code, out.replace("page        page.html", "page        -"), "")


def test_the_result_alone(extract):
    code, out, _ = extract("http://a.example/flour", "a.warc.gz", "--format", "text", "--unmasked")
    assert code == 0
    assert out.count("The miller, me@a.example, keeps") == 6
    assert "Contact" not in out
    assert json.loads(extract("page.html", "--format", "json")[1])["metadata"]["title"] == "Flour"


def test_an_overlay(extract, tmp_path):
    code, out, _ = extract("page.html", "--html", str(tmp_path / "out.html"))
    assert (code, out) == (0, f"{tmp_path / 'out.html'}\n")
    assert "The miller, &lt;email&gt;, keeps" in (tmp_path / "out.html").read_text("utf-8")


def test_what_is_wrong_is_told_in_a_sentence(extract):
    assert extract("none.html") == (
        2, "", "corpusmill: none.html: cannot be read (No such file or directory); give an HTML file\n"
    )  # fmt: skip
