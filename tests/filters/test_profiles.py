"""The default profile keeps good documents of any language, technical ones too, and drops what nobody wants."""

import pyarrow as pa
import pytest

from corpusmill.filters.profiles import built_in, names
from corpusmill.filters.rules import active_rules, check_rules, judge_pages
from corpusmill.filters.signals import measure_pages, signals_schema
from corpusmill.recipe import FilterSettings

from .texts import TECHNICAL, UDHR


def verdicts(*texts):
    pages = pa.table({"doc_id": [str(i) for i in range(len(texts))], "text": pa.array(texts, pa.large_string())})
    signals = measure_pages(pages)
    return judge_pages(pa.array(["ok"] * len(texts)), signals, active_rules(FilterSettings())).to_pylist()


def dropped_by(text):
    (row,) = verdicts(text)
    return {row["rule"], *row["also_dropped_by"]} - {None}


def test_every_profile_can_be_evaluated():
    for name in names():
        check_rules(built_in(name).rules, signals_schema())


def test_sixty_languages_are_kept():
    assert len(UDHR) > 60
    dropped = {code: row["rule"] for code, row in zip(UDHR, verdicts(*UDHR.values()), strict=True) if not row["kept"]}
    assert dropped == {}


def test_technical_writing_is_kept():
    assert dropped_by(TECHNICAL) == set()
    wrapped = "\n".join(TECHNICAL[i : i + 60] for i in range(0, len(TECHNICAL), 60))
    assert dropped_by(wrapped) == set()


ENGLISH = UDHR["en"].replace("\n", " ")
SPAM = "cheap genuine online top free best casino loans pills watches shoes toner Rome Lima Tokyo Paris Lagos".split()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "too_few_words"),
        ("Page not found. Please go back to the start of the site and try again.", "too_few_words"),
        ("页面不存在，请返回首页。", "too_few_words"),
        ("word and the " * 40_000, "too_many_words"),
        ("buy " + "cheap watches online now " * 60, "duplicate_10_grams"),
        ("买便宜的手表在线现在就买吧" * 60, "duplicate_10_grams"),
        ("ซื้อนาฬิการาคาถูกออนไลน์ตอนนี้เลย" * 60, "duplicate_10_grams"),
        (f"{ENGLISH}\n" * 3, "duplicate_line_characters"),
        (f"{ENGLISH}\n\n" * 3, "duplicate_paragraphs"),
        ("\n".join(f"Product {i}" for i in range(100)), "short_lines"),
        ("\n".join(f"产品 {i}" for i in range(100)), "short_lines"),
        ("\n".join(f"Category {i}: all our offers of the week" for i in range(100)), "no_full_stops"),
        (ENGLISH.replace(" ", " # "), "symbols"),
        ("\n".join(f"- {line} and more." for line in ENGLISH.split(". ") * 2), "bullets"),
        (f"{ENGLISH}\n" + "\n".join(f"Read more about topic number {i}..." for i in range(20)), "ellipses"),
        (" ".join(f"{i * 7919 % 1000} ||" for i in range(200)), "no_letters"),
        (" ".join(f"{i:x}qz{i * 7919:x}vwxjk" for i in range(5000, 5200)) * 3, "long_words"),
        (" ".join(f"{a} {b} {c}" for a in SPAM[:6] for b in SPAM[6:12] for c in SPAM[12:]), "few_different_words"),
        ("x" * 3000 + " the of " * 60, "endless_words"),
        (ENGLISH.replace("a", "\ufffd"), "wrong_charset"),
        (f"Lorem ipsum dolor sit amet. {ENGLISH}", "lorem_ipsum"),
        (
            "shoes watches bags coats hats belts shirts " * 3 + "dresses sale discount online shop price " * 8,
            "no_stop_words",
        ),
    ],
)
def test_what_is_dropped(text, rule):
    assert rule in dropped_by(text)


def test_guards_hold_a_language_s_rules_back_where_the_language_is_a_guess():
    guards = {rule.name: rule.when for rule in built_in("default").rules if rule.when}
    for name in ("short_words", "long_words", "no_stop_words"):
        assert "language_score" in guards[name]
    assert "'th'" in guards["no_full_stops"]
