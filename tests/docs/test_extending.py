"""The examples of docs/extending.md work together."""

import pytest

from tests.docs.markdown import ROOT, blocks, check_output, page, run, write_file

EXTENDING = page("docs/extending.md")
LETTERS = (
    "body\tlink\tauthor",
    "Is this a letter to somebody? It is one, and it has a second sentence.\thttp://a.example/1\tAnn",
    "Buy now! Buy it now! Now!\thttp://a.example/2\tBob",
    '"Yours truly, the writer of this letter.\n-- \nAnn"\thttp://a.example/3\tAnn',
)
SITE = "<title>T</title><nav>menu</nav><p>The first &amp; <b>best</b> paragraph.</p><p>And the second?</p>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The files of the page, and a run over a few records."""
    folder = tmp_path_factory.mktemp("extending")
    for block in blocks(EXTENDING):
        if block.file is not None:
            write_file(block, folder)
    for name, text in (("letters/a.tsv", "\n".join(LETTERS)), ("site/a.html", SITE)):
        (folder / name).parent.mkdir()
        (folder / name).write_text(text, "utf-8")
    (commands,) = blocks(EXTENDING, "console")
    first, *questions = commands.text.splitlines()
    run(first, folder)
    for question in questions:
        assert "a.example" in run(question, folder)
    return folder


def ask(folder, query):
    return run(f'corpusmill sql my-corpus "{query}" --format csv', folder).split()[1:]


def test_the_signal_the_rule_the_edit_and_the_stage(folder):
    assert ask(folder, "SELECT url, rule FROM ledger WHERE NOT kept") == ["http://a.example/2,shouting"]
    assert ask(folder, "SELECT url FROM texts WHERE edit_no_signature_lines > 0") == ["http://a.example/3"]
    assert ask(folder, "SELECT length(text) FROM docs WHERE url = 'http://a.example/3'") == ["39"]
    assert ask(folder, "SELECT n_questions FROM questions ORDER BY ALL") == ["0", "1", "1"]


def test_the_source_and_the_extractor(folder):
    assert ask(folder, "SELECT count(*) FROM pages WHERE metadata LIKE '%Ann%'") == ["2"]
    assert "The first & best paragraph." in run('corpusmill sql my-corpus "SELECT text FROM docs"', folder)


def test_a_function_is_called_without_a_run(folder):
    by_itself = next(block for block in blocks(EXTENDING, "python") if "import my_signals" in block.text)
    (folder / "call.py").write_text(by_itself.text)
    check_output(blocks(EXTENDING, "text")[-1].text, run("python call.py", folder))


def test_the_rules_that_are_shown_are_rules(folder):
    shown = next(block for block in blocks(EXTENDING, "toml") if "keyword_stuffing" in block.text)
    recipe = (folder / "recipe.toml").read_text("utf-8").split("[[filters.rules]]")[0]
    (folder / "rules.toml").write_text(recipe + shown.text)
    run("corpusmill run rules.toml --corpus trial", folder)


def test_names_that_it_promises():
    assert (ROOT / "docs/architecture.md").read_text("utf-8").count("## Add a grouping") == 1
