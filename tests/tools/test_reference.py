"""docs/reference.md is what the code says."""

from tools.reference import PAGE, reference


def test_the_committed_page_is_up_to_date():
    assert PAGE.read_text("utf-8") == reference(), "run python tools/reference.py"
