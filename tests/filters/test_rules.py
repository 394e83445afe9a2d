"""Rules: which are active, what is refused before any work, and what the verdicts say."""

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.filters.profiles import MADE, OF_PAGES, built_in, page_columns
from corpusmill.filters.rules import PAGE_COLUMNS, active_rules, check_filters, check_rules, judge_pages
from corpusmill.filters.signals import signals_schema
from corpusmill.recipe import FilterSettings, Rule

SHORT = Rule(name="short", signal="n_words", comparison="<", threshold=50)
SIGNALS = pa.schema(
    [("doc_id", pa.string()), ("language", pa.string()), ("n_words", pa.int64()), ("share", pa.float64())]
)


def names(**filters):
    return [rule.name for rule in active_rules(FilterSettings(**filters))]


def judge(rows, rules, status=None):
    signals = pa.Table.from_pylist([{"doc_id": str(i)} | row for i, row in enumerate(rows)], SIGNALS)
    verdicts = judge_pages(pa.array(status or ["ok"] * len(rows), pa.string()), signals, rules)
    assert verdicts.schema.equals(schema.VERDICTS.arrow)
    return verdicts.to_pylist()


# ---- which rules are active


def test_the_user_s_rules_come_after_the_languages_and_before_the_profiles():
    default = [rule.name for rule in built_in("default").rules]
    mine = Rule(name="mine", sql="n_words = 7")
    assert names() == default
    assert names(profiles=["none"]) == names(profiles=[]) == []
    assert names(languages=["en"], min_language_score=0.5, rules=[mine]) == [
        *("language", "language_score", "mine", *default),
    ]


def test_a_rule_of_the_same_name_replaces_and_disable_removes():
    mine = Rule(name="too_few_words", signal="n_words", comparison="<", threshold=7)
    rules = active_rules(FilterSettings(rules=[mine], disable=["bullets", "default:symbols"]))
    assert rules[0] == mine
    assert [rule.name for rule in rules].count("too_few_words") == 1
    assert len(rules) == len(built_in("default").rules) - 2


ONE = {"name": "one", "rules": [{"name": "few", "sql": "n_words < 1"}, {"name": "a", "sql": "n_words = 5"}]}
TWO = {"name": "two", "rules": [{"name": "few", "sql": "n_words < 2", "when": "share > 0"}]}


def test_rules_of_two_profiles_with_one_name_have_full_names():
    assert names(profiles=[ONE, TWO]) == ["one:few", "a", "two:few"]
    assert names(profiles=[ONE, TWO], disable=["one:few"]) == ["a", "two:few"]
    assert names(profiles=[ONE, TWO], disable=["few"]) == ["a"]
    mine = {"sql": "n_words < 3"}
    assert names(profiles=[ONE, TWO], rules=[{"name": "few", **mine}]) == ["few", "a"]
    assert names(profiles=[ONE, TWO], rules=[{"name": "two:few", **mine}]) == ["two:few", "one:few", "a"]


def test_the_condition_of_a_profile_limits_all_its_rules():
    profiles = [{**ONE, "when": "language = 'en'"}, {**TWO, "when": "language = 'zh'"}]
    rules = active_rules(FilterSettings(profiles=profiles))
    rows = [{"language": code, "n_words": 1, "share": 0.5} for code in ("en", "zh", None)]
    assert [row["rule"] for row in judge(rows, rules)] == [None, "two:few", None]
    assert rules[-1].when == "(share > 0) AND (language = 'zh')"


def test_each_condition_of_a_profile_is_checked_by_itself():
    check_filters(FilterSettings(profiles=[{**TWO, "when": "language = 'en'"}]), SIGNALS)
    for when, says in (
        ("true) OR (true", "profile 'two': .* is not valid SQL"),
        ("sourc = 'web'", "profile 'two': .*unknown column 'sourc'"),
    ):
        with pytest.raises(InputError, match=says):
            check_filters(FilterSettings(profiles=[{**TWO, "when": when}]), SIGNALS)
    joined = {"name": "x", "when": "true) OR (true", "rules": [{"name": "y", "sql": "true", "when": "true) OR (true"}]}
    with pytest.raises(InputError, match="rule 'y'"):
        check_filters(FilterSettings(profiles=[joined]), SIGNALS)


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"disable": ["to_few_words"]}, "no rule 'to_few_words'; did you mean 'too_few_words'"),
        ({"disable": ["language"]}, "no rule 'language'"),
        ({"languages": ["english"]}, "unknown code 'english'"),
        ({"rules": [SHORT, SHORT]}, "two rules are named 'short'"),
        (
            {"profiles": ["defualt"]},
            "no profile 'defualt'; did you mean 'default'.*own is named with its ending, .toml",
        ),
        ({"profiles": ["default", "default"]}, "two profiles are named 'default'"),
        ({"profiles": [ONE, TWO], "disable": ["one:fwe"]}, "did you mean 'one:few'"),
    ],
)
def test_settings_that_name_nothing_are_one_sentence(filters, says):
    with pytest.raises(InputError, match=says) as caught:
        active_rules(FilterSettings(**filters))
    assert "\n" not in str(caught.value)


# ---- what is refused


@pytest.mark.parametrize(
    "expression",
    [
        "n_words < 50 AND language = 'en'",
        "language ILIKE 'z%' OR duplicate_line_share IS NULL",
        "CASE WHEN spaceless_share > .5 THEN n_chars < 100 ELSE n_words < 50 END",
        "lorem_ipsum",
        "n_words BETWEEN 3 AND 5 -- a comment\n AND true",
        '"n_words" > greatest(1, len(language))',
        "language IN ('de', 'fr')",
    ],
)
def test_expressions_over_a_page_s_signals_are_allowed(expression):
    check_rules([Rule(name="mine", sql=expression), SHORT.model_copy(update={"when": expression})], signals_schema())


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("n_words", "is of type BIGINT"),
        ("n_wrds > 5", "unknown column 'n_wrds'; did you mean 'n_words'"),
        ("n_words > ", "not valid SQL"),
        ("(n_words > 5", "not valid SQL"),
        ("n_words > 5)", "not valid SQL"),
        ("n_words > 5 -- words", "not valid SQL"),
        ("", "it is empty"),
        ("  ", "it is empty"),
        ("n_words > 1) OR (true", "not valid SQL"),
        ("true, true", "type"),
        ("true) FROM signals WHERE (true", "not valid SQL"),
        ("true FROM signals", "must be one expression|not valid SQL"),
        ("true); DROP TABLE signals; SELECT (true", "not valid SQL"),
        ("n_words > (SELECT avg(n_words) FROM signals)", "own columns only"),
        ("EXISTS (FROM read_text('/etc/passwd'))", "own columns only"),
        ("count(*) > 1", "aggregates"),
        ("row_number() OVER () > 1", "own columns only"),
        ("random() > 0.5", "own columns only"),
        ("CURRENT_TIMESTAMP > '2020-01-01'::TIMESTAMPTZ", "own columns only"),
        ("LOCALTIMESTAMP > '2020-01-01'::TIMESTAMP", "own columns only"),
        ("current_localtimestamp() > '2020-01-01'::TIMESTAMP", "own columns only"),
        ("age(DATE '2020-01-01') > INTERVAL 1 YEAR", "own columns only"),
        ("ago(INTERVAL 1 DAY) > '2020-01-01'::TIMESTAMPTZ", "own columns only"),
        ("current_user = 'me'", "own columns only"),
        ("version() = '1'", "own columns only"),
        ("now() > '2020-01-01'::TIMESTAMPTZ", "own columns only"),
        ("current_date > '2020-01-01'", "own columns only"),
        ("COLUMNS(*) IS NULL", "own columns only"),
        ("n_words > $1", "own columns only"),
        ("frobnicate(n_words)", "frobnicate"),
    ],
)
def test_other_expressions_are_refused_in_one_sentence(expression, says):
    for rule in (Rule(name="mine", sql=expression), SHORT.model_copy(update={"name": "mine", "when": expression})):
        with pytest.raises(InputError, match=says) as caught:
            check_rules([SHORT, rule], signals_schema())
        assert "rule 'mine'" in str(caught.value)
        assert str(caught.value).count("\n") == expression.count("\n")


@pytest.mark.parametrize(
    ("signal", "says"), [("n_word", "did you mean 'n_words'"), ("language", "no number"), ("lorem_ipsum", "no number")]
)
def test_a_threshold_needs_a_number(signal, says):
    with pytest.raises(InputError, match=says):
        check_rules([Rule(name="mine", signal=signal, comparison=">", threshold=1)], signals_schema())


def test_a_threshold_is_finite():
    with pytest.raises(InputError, match="finite"):
        check_rules([SHORT.model_copy(update={"threshold": float("inf")})], signals_schema())


def test_an_expression_that_fails_on_a_value_names_its_rule():
    wrong = Rule(name="wrong", sql="language::INT > 5")
    check_rules([wrong], SIGNALS)
    with pytest.raises(InputError, match="rule 'wrong' fails on a page"):
        judge([{"language": "en", "n_words": 1}], [SHORT, wrong])
    assert judge([{"language": "en", "n_words": 1}], [SHORT])[0]["rule"] == "short"


def test_rules_cannot_read_files():
    with pytest.raises(InputError):
        judge([{"n_words": 1}], [Rule(name="mine", sql="(SELECT count(*) FROM read_text('/etc/hostname')) > 0")])


# ---- what the verdicts say


def test_the_first_rule_is_on_record_with_its_value_and_the_others_beside_it():
    rules = [
        Rule(name="free", sql="share > .9 AND n_words < 20"),
        SHORT,
        Rule(name="shares", signal="share", comparison=">=", threshold=0.5),
    ]
    verdicts = judge(
        [
            {"n_words": 100, "share": 0.1},
            {"n_words": 30, "share": 0.6},
            {"n_words": 10, "share": 0.95},
            {"n_words": None, "share": None},
            {"n_words": 100, "share": 0.5},
        ],
        rules,
    )
    kept = {"kept": True, "stage": None, "rule": None, "value": None, "threshold": None, "also_dropped_by": []}
    dropped = {"kept": False, "stage": "verdicts"}
    assert verdicts == [
        {"doc_id": "0"} | kept,
        {"doc_id": "1", **dropped, "rule": "short", "value": 30, "threshold": 50, "also_dropped_by": ["shares"]},
        {"doc_id": "2", **dropped, "rule": "free", "value": None, "threshold": None}
        | {"also_dropped_by": ["short", "shares"]},
        {"doc_id": "3"} | kept,
        {"doc_id": "4", **dropped, "rule": "shares", "value": 0.5, "threshold": 0.5, "also_dropped_by": []},
    ]


def test_unreadable_pages_are_dropped_by_their_status_and_by_no_rule():
    rules = [Rule(name="nothing", sql="n_words IS NULL")]
    verdicts = judge([{"n_words": None}, {"n_words": None}], rules, ["http_error", "ok"])
    assert verdicts[0] == {
        **{"doc_id": "0", "kept": False, "stage": "pages", "rule": "http_error"},
        **{"value": None, "threshold": None, "also_dropped_by": []},
    }
    assert verdicts[1]["rule"] == "nothing"


def test_languages_drop_what_is_not_wanted_and_what_has_none():
    rules = active_rules(FilterSettings(profiles=["none"], languages=["en", "zh"]))
    verdicts = judge([{"language": code} for code in ("en", "fr", None, "zh")], rules)
    assert [row["rule"] for row in verdicts] == [None, "language", "language", None]


def test_when_limits_a_rule():
    rules = [SHORT.model_copy(update={"when": "language <> 'zh'"})]
    rows = [{"language": code, "n_words": 1} for code in ("en", "zh", None)]
    assert [row["kept"] for row in judge(rows, rules)] == [False, True, True]


def test_no_rules_and_no_pages():
    assert [row["kept"] for row in judge([{"n_words": 1}], [])] == [True]
    assert judge([], [SHORT]) == judge([], []) == []


VALUES = st.fixed_dictionaries(
    {
        "n_words": st.none() | st.integers(0, 100),
        "share": st.none() | st.floats(0, 1),
        "language": st.sampled_from([None, "en", "zh"]),
    }
)


@settings(max_examples=50, deadline=None)
@given(st.lists(VALUES, max_size=30))
def test_verdicts_equal_duckdb_s_own_answer(rows):
    rules = [SHORT, Rule(name="share", signal="share", comparison=">", threshold=0.1, when="language = 'en'")]
    verdicts = judge(rows, rules)
    signals = pa.Table.from_pylist([{"doc_id": str(i)} | row for i, row in enumerate(rows)], SIGNALS)
    with duckdb.connect() as connection:
        connection.register("signals", signals)
        dropped = connection.execute(
            "SELECT doc_id, n_words < 50, share > 0.1 AND language = 'en' FROM signals ORDER BY doc_id::INT"
        ).fetchall()
    for row, (doc_id, short, share) in zip(verdicts, dropped, strict=True):
        by = [name for name, value in (("short", short), ("share", share)) if value]
        assert row["doc_id"] == doc_id
        assert row["kept"] == (not by)
        assert [row["rule"], *row["also_dropped_by"]] == (by or [None])


# ---- what a rule sees besides signals

PAGES = pa.schema([*SIGNALS, *((c.name, c.type) for c in PAGE_COLUMNS if c.name not in MADE)])


def judge_with_pages(rows, rules):
    table = pa.Table.from_pylist([{"doc_id": str(i)} | row for i, row in enumerate(rows)], PAGES)
    return [row["rule"] for row in judge_pages(pa.array(["ok"] * len(rows)), table, rules).to_pylist()]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("source = 'web'", [True, True]),
        ("host = 'a.example:8080'", [True, False]),
        ("host IS NULL", [False, True]),
        ("title = 'Shop' AND content_type = 'text/html'", [True, False]),
        ("metadata['author'] = 'Ann'", [False, True]),
        ("metadata['n']::INT > 2", [False, True]),
        ("metadata['tags'] = '[\"a\"]'", [False, True]),
        ("metadata['none'] IS NULL AND metadata['nothing'] IS NULL", [True, True]),
        ("url LIKE '%?y'", [True, False]),
        ("page_type = 'forum'", [True, False]),
    ],
)
def test_rules_see_source_address_host_title_type_and_metadata(expression, expected):
    rows = [
        {"source": "web", "url": "HTTP://me:pw@A.Example:8080/x?y", "title": "Shop", "content_type": "text/html"}
        | {"metadata": '{"page_type": "forum"}'},
        {"source": "web", "url": None, "metadata": '{"author": "Ann", "n": 3, "tags": ["a"], "none": null}'},
    ]
    rules = [Rule(name="mine", sql=expression)]
    check_rules(rules, pa.schema([*PAGES, *((name, pa.string()) for name in MADE)]))
    assert [name == "mine" for name in judge_with_pages(rows, rules)] == expected


def test_of_pages_only_what_rules_name_is_read():
    rules = [Rule(name="a", sql='"Host" = 1'), Rule(name="b", sql="n_words > 5", when="Title IS NULL"), SHORT]
    assert page_columns(rules) == ("url", "title")
    assert set(OF_PAGES) < set(schema.PAGES.arrow.names)


def test_the_old_keys_say_what_to_write():
    with pytest.raises(ValueError, match="'when' instead of 'where'"):
        Rule(name="mine", signal="n_words", comparison="<", threshold=1, where="true")
    with pytest.raises(ValueError, match="written in 'sql'; 'when' only limits"):
        Rule(name="mine", when="n_words < 5")
    with pytest.raises(ValueError, match="'sql' instead of 'when'"):
        Rule(name="mine", when="n_words < 5", where="true")
