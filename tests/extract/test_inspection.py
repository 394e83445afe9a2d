from corpusmill.extract.inspection import Block
from corpusmill.reasons import Status

from .inspections import inspected


def test_blocks_with_their_verdict_and_place():
    page = inspected("<main id=m><div class='post x'><p>one <b>two</b></p>XX three</div></main><x-y>four</x-y>")
    assert list(page.blocks()) == [
        Block("one two", 0.875, True, "html > body > main#m > div.post > p"),
        Block("XX three", 0.125, False, "html > body > main#m > div.post"),
        Block("four", 0.875, True, "html > body"),
    ]
    assert [block.tag for block in page.blocks()] == ["p", "div", "body"]
    assert page.text == "one two\n\nfour"
    assert page.markdown == "one **two**\n\nfour"


def test_a_long_path_is_cut_at_its_beginning():
    (block,) = inspected("<div>" * 100 + "a").blocks()
    assert block.path == "... > " + " > ".join(["div"] * 6)


def test_nothing_of_a_page_without_main_content_is_kept():
    page = inspected("<p>log in", status=Status.LOGIN_PAGE)
    assert page.text == ""
    assert [(block.kept, block.probability) for block in page.blocks()] == [(False, 0.875)]
