"""docs/tutorial.md works as it is written: every file, command and output."""

from tests.docs.markdown import blocks, follow, page

TUTORIAL = page("docs/tutorial.md")


def test_it_works_to_its_end(tmp_path):
    text = TUTORIAL.replace('"In the morning" --max-tokens 40', '"In the morning" --max-tokens 4')
    (story,) = [block.text for block in blocks(text, "text") if block.text.startswith("In the morning")]
    follow(text.replace(story, "In the morning...\n"), tmp_path)  # other machines train another model
    assert (tmp_path / "notes/report.html").exists()
