"""What each kind of edit does, by examples."""

import time

import pyarrow as pa
import pytest

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.filters.edits import KINDS, apply_edits, placed
from corpusmill.filters.edits.boilerplate_lines import BoilerplateLines
from corpusmill.filters.edits.c4_lines import C4Lines
from corpusmill.filters.edits.citations import Citations
from corpusmill.filters.edits.refinedweb_lines import RefinedWebLines
from corpusmill.filters.edits.unicode import Unicode
from corpusmill.filters.edits.white_space import WhiteSpace
from corpusmill.pipelines.supervise import make_job
from corpusmill.recipe import Recipe, parse

SOURCES = [{"name": "a", "kind": "text", "paths": ["a.txt"]}]


def edited(edit, *texts):
    after, counts = apply_edits(pa.array(texts, pa.large_string()), [edit])
    return after.to_pylist(), {name: values.to_pylist() for name, values in counts.items()}


def text_after(edit, text):
    return edited(edit, text)[0][0]


CODE = "```py\nx = [1]\n\n\nPRINT\n```"
TABLE = "| A | B |\n| --- | --- |\n| 1 | 2 |"


@pytest.mark.parametrize(
    "edit", [C4Lines(), RefinedWebLines(), Citations(), BoilerplateLines(lines=["PRINT", "| 1 | 2 |"])]
)
def test_line_rules_leave_code_and_tables_of_markdown_alone(edit):
    assert text_after(edit, f"{CODE}\n\n{TABLE}") == f"{CODE}\n\n{TABLE}"


def test_a_fence_that_nothing_closes_protects_nothing():
    assert text_after(RefinedWebLines(), "```\nA line that stays.\nWORD") == "A line that stays."
    assert text_after(RefinedWebLines(keep_blocks=False), CODE) == "x = [1]"


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("All human beings are born free.", True),
        ("All human beings are born", False),
        ("They are born free...", False),
        ("She says “we are born free.”", True),
        ("He says 'we are born free'", False),
        ("人人生而自由，在尊严和权利上一律平等。", True),
        ("すべての人間は、生まれながらにして自由である", False),
        ("彼は「すべての人間は自由である」と言った。", True),
        ("「すべての人間は自由である」", True),
        ("目录。", False),
        ("มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกัน", True),  # Thai has no final punctuation
        ("เมนู", False),
        ("ມະນຸດເກີດມາມີສິດເສລີພາບ", True),
        ("सभी मनुष्य जन्म से स्वतन्त्र हैं।", True),
        ("يولد جميع الناس أحرارا متساوين؟", True),
        ("Please enable JavaScript to read this.", False),
        ("By your visit, we use cookies here.", False),
    ],
)
def test_lines_that_c4_keeps_in_every_script(line, kept):
    assert text_after(C4Lines(), line) == (line if kept else "")


def test_c4_lines_by_its_settings():
    text = "One two three four.\nNo final mark in this line\nSubscribe to our letter, dear reader."
    assert text_after(C4Lines(min_words=4, phrases=["Subscribe TO"]), text) == "One two three four."
    assert text_after(C4Lines(terminal_punctuation=False), text).startswith("No final mark")
    assert text_after(C4Lines(variant="datatrove"), "One two three.\nIt is 'three words'") == (
        "One two three.\nIt is 'three words'"
    )
    assert text_after(C4Lines(), "A fact of five words[1] [citation needed].") == "A fact of five words ."


def test_paragraphs_stay_apart_where_lines_go():
    first = "The first line of a paragraph.\nThe second line of a paragraph."
    last = "The last of all the lines.\n"
    assert text_after(C4Lines(), f"Menu\n\n{first}\n\nMenu\n\n\n{last}") == f"{first}\n\n{last}"


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("TERMS AND CONDITIONS apply", ""),
        ("12:30", ""),
        ("$ 3.99 - 4.99", ""),
        ("3 likes", ""),
        ("1.2K Shares |", ""),
        ("Introduction", ""),
        ("目录", ""),
        ("3 items in cart", ""),
        ("Sign in", ""),
        ("Sign in: to see the picture", "to see the picture"),
        ("The fox is red. Read more...", "The fox is red."),
        ("The foxread more", "The foxread more"),
        ("The 3 likes of a fox", "The 3 likes of a fox"),
        ("This line is short, and ends in these: see more", "This line is short, and ends in these:"),
        ("It has in all eleven words: these two are see more", "It has in all eleven words: these two are see more"),
    ],
)  # fmt: skip
def test_what_refinedweb_corrects(line, after):
    assert text_after(RefinedWebLines(), line) == after


def test_refinedweb_counts_the_share_of_words_for_a_rule():
    _, counts = edited(RefinedWebLines(), "one two three\nfour\nfive six read more", "", None, "one two")
    assert counts["edit_refinedweb_lines_word_share"] == [5 / 8, None, None, 0.0]


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("cafÃ©, naÃ¯ve: â€œquotedâ€\x9d", "café, naïve: “quoted”"),
        ("ÐŸÑ€Ð¸Ð²ÐµÑ‚", "Привет"),
        ("&amp; “curly” ﬁ Ａ…", "&amp; “curly” ﬁ Ａ…"),  # what ftfy would change, too, and is meant
        ("\x1b[31mred\x1b[0m\x07\x00 \ufffe", "red "),
        ("a\tb\r\nc\n", "a\tb\r\nc\n"),
        ("soft\u00adhyphen, \ufeffword\u2060joiner, zero\u200bwidth", "softhyphen, wordjoiner, zerowidth"),
        ("Auf\u200clage", "Auflage"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष শ্\u200cর", "क्\u200dष শ্\u200cর"),
        ("👩\u200d💻 👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 a\u200db", "👩\u200d💻 👩🏽\u200d🚀 🏳\ufe0f\u200d🌈 ab"),
        ("ไทย\u200bไทย ខ្មែរ\u200bខ្មែរ", "ไทย\u200bไทย ខ្មែរ\u200bខ្មែរ"),
        ("🏴\U000e0067\U000e0062\U000e007f, hidden\U000e0068\U000e0069", "🏴\U000e0067\U000e0062\U000e007f, hidden"),
        ("left\u200e to \u202aright\u202c", "left to right"),
        ("שלום\u200e (a)", "שלום\u200e (a)"),
    ],
)
def test_unicode(text, after):
    assert text_after(Unicode(), text) == after


def test_nfc_is_an_option_and_long_runs_of_marks_are_left():
    assert text_after(Unicode(), "e\u0301") == "e\u0301"
    assert text_after(Unicode(nfc=True), "e\u0301") == "é"
    zalgo = "e" + "\u0301\u0316" * 20
    assert text_after(Unicode(nfc=True), zalgo) == zalgo


def test_each_repair_can_be_switched_off():
    text = "cafÃ©\x07\u200b"
    nothing = {"mojibake": False, "control_characters": False, "invisible": False}
    assert text_after(Unicode(**nothing), text) == text
    assert text_after(Unicode(**nothing | {"mojibake": True}), text) == "café\x07\u200b"
    assert text_after(Unicode(**nothing | {"control_characters": True}), text) == "cafÃ©\u200b"
    assert text_after(Unicode(**nothing | {"invisible": True}), text) == "cafÃ©\x07"


def test_white_space_keeps_indentation_and_columns():
    text = "\n def f():\u00a0 \n\n\n\n\treturn  1\u2028end \r\n\n"
    assert text_after(WhiteSpace(), text) == " def f():\n\n\treturn  1\nend"


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("The Romans[3] came[4][5, 6]. They saw.[note 2] They won.[a]", "The Romans came. They saw. They won."),
        ("Some say so [citation needed], others[who?] do not.", "Some say so, others do not."),
        ("History[edit | edit source]\n[ Bearbeiten | Quelltext bearbeiten ]\n\nText.", "History\n\nText."),
        ("历史[编辑] 本文[3]。日本[要出典]", "历史 本文。日本"),
        ("Рим[править | править код] [источник?]", "Рим"),
        ("Roma[1\\] era\\[2\\]", "Roma era"),
        ("[1] Smith, 1990.\n[a]: http://a.example", "[1] Smith, 1990.\n[a]: http://a.example"),
        ("see [1](http://a.example), `x[1]`, x[0], [an aside]", "see [1](http://a.example), `x[1]`, x[0], [an aside]"),
    ],
)
def test_citations(text, after):
    assert text_after(Citations(), text) == after


def test_citations_by_their_settings():
    text = "a fact[1] of[note 1] them[edit] all[my mark]"
    assert text_after(Citations(numbers=False, notes=False), text) == "a fact[1] of[note 1] them all[my mark]"
    assert text_after(Citations(words=False, more=["My Mark"]), text) == "a fact of them[edit] all"


def test_boilerplate_lines_by_text_and_by_pattern(tmp_path, monkeypatch):
    (tmp_path / "known.txt").write_text("\ufeffAll rights reserved\n\n  Back to top  \n", "utf-8")
    recipe = {"kind": "boilerplate_lines", "path": "known.txt", "patterns": [r"© \d+ .*"], "ignore_case": True}
    (edit,) = parse({"sources": SOURCES, "edits": [recipe]}, folder=tmp_path).edits
    monkeypatch.chdir(tmp_path)  # where the paths of a recipe that is an object start
    given = Recipe.model_validate({"sources": SOURCES, "edits": [recipe]})
    assert make_job(given, Corpus(tmp_path / "corpus")).recipe.edits == [edit]
    (tmp_path / "known.txt").unlink()  # the recipe holds its lines now, and so do the workers
    text = "All rights RESERVED.\nAll rights RESERVED\n© 2026 Ann\nText © 2026 Ann\n\n back to top\n"
    assert text_after(edit, text) == "All rights RESERVED.\nText © 2026 Ann"


@pytest.mark.parametrize(
    ("edits", "says"),
    [
        (
            [{"kind": "c4_line"}],
            "edits.0: unknown kind 'c4_line'; did you mean 'c4_lines'? allowed: unicode, white_space, c4_lines",
        ),
        ([{"min_words": 3}], "edits.0"),
        ([{"kind": "c4_lines", "min_word": 3}], "unknown key 'min_word'; did you mean 'min_words'?"),
        ([{"kind": "c4_lines", "name": "A b"}], "'A b' is not a valid name"),
        ([{"kind": "c4_lines", "variant": "mine"}], "variant: input should be 'every_script', 'tfds' or 'datatrove'"),
        ([{"kind": "unicode"}, {"kind": "unicode"}], "two edits are named 'unicode'; give one of them another name"),
        ([{"kind": "boilerplate_lines"}], "needs path, lines or patterns"),
        ([{"kind": "boilerplate_lines", "patterns": ["("]}], "'(' is no pattern of RE2"),
        ([{"kind": "boilerplate_lines", "path": "no.txt"}], "edit 'boilerplate_lines': cannot read"),
        ("unicode", "edits"),
    ],
)
def test_a_wrong_edit_is_one_sentence(edits, says, tmp_path):
    with pytest.raises(InputError) as error:
        parse({"sources": SOURCES, "edits": edits}, folder=tmp_path)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_edits_run_in_order_and_their_counts_add_up():
    text = "cafÃ©[1] is a word of some length.\u00a0 \n\n\n\nMENU\n"
    edits = [Citations(), Unicode(), WhiteSpace(), C4Lines(name="lines")]
    after, counts = apply_edits(pa.array([text, None, "Nothing changes in this line."], pa.large_string()), edits)
    assert after.to_pylist() == ["café is a word of some length.", None, "Nothing changes in this line."]
    values = {name: each.to_pylist() for name, each in counts.items()}
    assert [values[f"edit_{name}_lines"][0] for name in ("citations", "unicode", "white_space", "lines")] == [
        1,
        1,
        4,
        2,
    ]
    assert sum(each[0] for name, each in values.items() if name.endswith("_chars")) == len(text) - len(after[0].as_py())
    assert {each[1] for each in values.values()} == {None}
    assert {each[2] for each in values.values()} == {0}


def test_what_an_edit_depends_on_is_in_its_settings():
    for kind in KINDS.values():
        model = kind.settings(kind=kind.name, **({"lines": ["x"]} if kind.name == "boilerplate_lines" else {}))
        assert placed(model).settings == model.model_dump()


LONG = 5_000_000
HOSTILE = {
    "one line": "word " * (LONG // 5),
    "brackets": "[" * LONG,
    "marks": "[1]" * (LONG // 3),
    "open fences": "```a\n" * (LONG // 5),
    "shrinking fences": "".join(f"{'`' * n}a\n" for n in range(3000, 3, -1)),
    "newlines": "\n" * LONG,
    "blanks": " " * LONG,
    "bars": "|" * LONG,
    "mojibake": "Ã©â€™" * (LONG // 12),
    "deep mojibake": "ÃƒÂ¢" * (LONG // 8),
    "combining marks": "e" + "\u0301\u0316" * (LONG // 4),
    "joiners": "\u200d\u200b" * (LONG // 6),
    "escapes": "\x1b[0" * (LONG // 3),
    "phrases": "use cookie " * (LONG // 11),
    "short lines": "read more\n" * (LONG // 10),
    "backticks": "a[`" * (LONG // 3),
}
ALL = (
    Unicode(nfc=True),
    WhiteSpace(),
    C4Lines(),
    RefinedWebLines(),
    Citations(),
    BoilerplateLines(lines=["a"], patterns=["(a*)*b"]),
)


@pytest.mark.parametrize("name", HOSTILE)
def test_the_time_for_a_hostile_text_is_linear(name):
    text = HOSTILE[name]
    for edit in ALL:
        apply_edits(pa.array(["warm up"], pa.large_string()), [edit])
        started = time.process_time()
        apply_edits(pa.array([text], pa.large_string()), [edit])
        assert time.process_time() - started < 20, edit.kind
