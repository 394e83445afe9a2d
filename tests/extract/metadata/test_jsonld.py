import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.extract.metadata.jsonld import MAX_CHARS, MAX_OPENINGS, objects


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ('{"a": 1}', [{"a": 1}]),
        (' [{"a": 1}, [{"b": 2}], "c"]\n', [{"a": 1}, {"b": 2}]),
        ('{"a": "one\ntwo\tthree"}', [{"a": "one\ntwo\tthree"}]),
        ('{"a": 1}{"b": 2};\n{"c": 3},', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('\ufeff//<![CDATA[\n{"a": "//x ]]> <!--"}\n//]]>', [{"a": "//x ]]> <!--"}]),
        ('<!-- {"a": 1} -->', [{"a": 1}]),
        ('<![CDATA[{"a": 1}]]>', [{"a": 1}]),
        ('/* of us */ {"a": [1, 2,], "b": ",]",}', [{"a": [1, 2], "b": ",]"}]),
        ('{"a": 1, // one\n "b": "\\"//"}', [{"a": 1, "b": '"//'}]),
        ("{&quot;a&quot;: &quot;b &amp; c&quot;}", [{"a": "b & c"}]),
        ('{"a": 1} {"b": "x"y"}', [{"a": 1}]),
        ("", []),
        ("null", []),
        ("var a = 1;", []),
        ("[" * 100_000, []),
        ("/*" * 100_000, []),
        ('{"a":' * 100_000, []),
        ("9" * 5000, []),
        ('"' + "x" * MAX_CHARS + '"', []),
    ],
)
def test_forms(script, found):
    assert objects([script]) == found


def test_what_stands_for_itself():
    page = {"@type": "WebPage", "mainEntity": {"@id": "#a"}, "author": {"name": "not by itself"}}
    article = {"@type": "Article", "@id": "#a", "mainEntityOfPage": "https://example.org/"}
    graph = {"@context": "https://schema.org", "@graph": [page, article]}
    assert objects([json.dumps(graph)]) == [graph, page, {"@id": "#a"}, article]


@pytest.mark.parametrize("too_much", ['"' + "x" * MAX_CHARS + '"', "[" + "[]," * MAX_OPENINGS + "1]"])
def test_a_script_that_is_too_much_is_passed_over(too_much):
    assert objects(['{"a": 1}', too_much, '{"b": 2}']) == [{"a": 1}, {"b": 2}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_comments_and_commas_change_nothing(value):
    spoilt = json.dumps(value, indent=1).replace("\n", ' // it\'s a "comment"\n') + "/* end"
    if value:
        spoilt = spoilt.replace("\n}", ",\n}")
    assert objects([spoilt])[0] == value


@given(st.text(st.sampled_from('{}[],:"\\/*<!->]CDATA 1;\n')))
def test_any_script(script):
    objects([script])


@pytest.mark.parametrize("piece", ["/*", '"', "//", ",", ", ", "<!--", "*", '"\\', "[", "{}", '{"a":{}},', "[],", "1,"])
def test_hostile_scripts_take_linear_time(piece):
    start = time.thread_time()
    objects([piece * (MAX_CHARS // len(piece))])
    assert time.thread_time() - start < 2
