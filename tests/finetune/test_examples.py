"""What is read from JSON lines, and how examples are divided."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpusmill.errors import InputError
from corpusmill.finetune.examples import Labelled, Span, Spans, divided, folds, parsed, read
from corpusmill.finetune.settings import settings_of
from tests.finetune.conftest import write_examples

BAD = {
    ("classification", '{"text": "a"}'): "line 2: has no label",
    ("classification", '{"text": "a", "label": true}'): "line 2: label: a label is a text that is not empty",
    ("classification", '{"text": "a", "label": 0.5}'): "line 2: label: a label is a text that is not empty",
    ("classification", '{"text": "a", "label": ""}'): "line 2: label: a label is a text that is not empty",
    ("classification", '{"text": "a", "label": ["b", ""]}'): "line 2: label: a label is a text that is not empty",
    ("classification", '{"label": "a"}'): "line 2: key 'text' is missing",
    ("classification", '{"text": 3, "label": "a"}'): "line 2: text: Input should be a valid string",
    ("classification", "[1]"): "line 2: is no JSON object; its keys are: id, text, text_pair, label",
    ("classification", "{text}"): "line 2: is no JSON",
    ("tokens", '{"text": "王", "spans": [{"start": 0, "end": 3, "label": "P"}]}'): "0 to 3 is not in the text of 1",
    ("tokens", '{"text": "😀王", "spans": [{"start": 2, "end": 3, "label": "P", "text": "王"}]}'): "not in the text",
    ("tokens", '{"text": "😀王 a", "spans": [{"start": 2, "end": 3, "label": "P", "text": "王"}]}'):
        "'王' does not stand at character 2, where the text has ' '; offsets count characters, not bytes",
    ("tokens", '{"text": "abc", "spans": [{"start":0, "end":2, "label":"P"}, {"start":1, "end":3, "label":"Q"}]}'):
        "spans overlap at character 1",
    ("question-answering", '{"context": "ab", "question": "c", "answer": {"start": 1, "text": "a"}}'):
        "'a' does not stand at character 1",
    ("question-answering", '{"context": "ab", "question": "c"}'): "has no label",
    ("instruction", '{"messages": [{"role": "user", "content": "a"}]}'): "has no label",
    ("instruction", '{"messages": [{"role": "robot", "content": "a"}]}'): "messages.0.role",
    ("sequence", '{"input": "a"}'): "has no label",
    ("embeddings", '{"query": "a"}'): "key 'positive' is missing",
}  # fmt: skip


@pytest.mark.parametrize(("task", "line"), BAD)
def test_a_line_that_is_no_example(tmp_path, task, line):
    (tmp_path / "d.jsonl").write_text("\n" + line + "\n", "utf-8")
    with pytest.raises(InputError) as error:
        read(tmp_path / "d.jsonl", task)
    assert BAD[task, line] in str(error.value)
    assert "d.jsonl, line 2: " in str(error.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="there is no such file"):
        read(tmp_path / "none", "tokens")
    (tmp_path / "empty").write_text("\n\n")
    with pytest.raises(InputError, match="has no examples; each line is a JSON object with: id, input, output"):
        read(tmp_path / "empty", "sequence")
    (tmp_path / "latin").write_bytes(b'{"text": "\xe9"}')
    with pytest.raises(InputError, match="cannot be read as UTF-8 text"):
        read(tmp_path / "latin", "classification")


def test_line_separators_within_a_text_are_text(tmp_path):
    write_examples(tmp_path / "d.jsonl", [{"text": "a\u2028b\r", "label": 1, "other": []}])
    (found,) = read(tmp_path / "d.jsonl", "classification")
    assert (found.text, found.labels) == ("a\u2028b\r", ("1",))


EXAMPLES = st.lists(
    st.builds(Labelled, text=st.sampled_from("abcdefghijklmnopqrstuvwxyz"), label=st.sampled_from("xyz")), max_size=60
)


@settings(max_examples=60)
@given(EXAMPLES, st.floats(0, 0.5), st.floats(0, 0.45), st.integers(0, 5))
def test_parts_are_a_division_that_never_separates_equal_texts(examples, first, second, seed):
    parts = divided(examples, [first, second], seed)
    assert sorted(e.model_dump_json() for part in parts for e in part) == sorted(e.model_dump_json() for e in examples)
    texts = [{example.text for example in part} for part in parts]
    assert not texts[0] & texts[1]
    assert not (texts[0] | texts[1]) & texts[2]
    back = divided(examples[::-1], [first, second], seed)
    assert [{example.text for example in part} for part in back] == texts


@settings(max_examples=60)
@given(EXAMPLES, st.integers(2, 5))
def test_folds_are_a_division_of_equal_sizes(examples, k):
    parts = folds(examples, k, 1)
    assert sum(map(len, parts)) == len(examples)
    distinct = [len({example.text for example in part}) for part in parts]
    assert max(distinct) - min(distinct) <= 1
    assert sum(distinct) == len({example.text for example in examples})


def test_every_label_has_its_share():
    examples = [Labelled(text=str(i), label="rare" if i % 10 == 0 else "often") for i in range(200)]
    test, validation, train = divided(examples, [0.2, 0.1], 1)
    assert [sum(e.label == "rare" for e in part) for part in (test, validation, train)] == [4, 2, 14]
    assert [sum(e.label == "rare" for e in part) for part in folds(examples, 4, 1)] == [5, 5, 5, 5]


def test_a_span_may_be_given_without_its_text():
    (found,) = [parsed(json.dumps({"text": "ab", "spans": [{"start": 0, "end": 1, "label": "X"}]}), Spans, "here")]
    assert found.spans == (Span(start=0, end=1, label="X"),)


@pytest.mark.parametrize(
    ("task", "table", "says"),
    [
        ("clasification", {}, "there is no task 'clasification'; did you mean 'classification'"),
        (None, {}, "the task is not named"),
        ("tokens", {"task": "sequence"}, "is about the task 'sequence', but --task is 'tokens'"),
        ("tokens", {"epoch": 3}, "unknown key 'epoch'; did you mean 'epochs'"),
        ("tokens", {"lora": {"rank": 0}}, "lora.rank: input should be greater than or equal to 1"),
        ("tokens", {"optimizer": {"kind": "adam"}}, "optimizer.kind: there is no 'adam'; allowed: muon, adamw, sgd"),
        ("classification", {"max_new_tokens": 3}, "unknown key 'max_new_tokens'"),
    ],
)
def test_settings_that_are_none(task, table, says):
    with pytest.raises(InputError) as error:
        settings_of(task, table)
    assert says in str(error.value)


def test_the_task_may_stand_in_the_file():
    assert settings_of(None, {"task": "embeddings", "temperature": 0.1}).rows_per_step == 32
    assert settings_of("tokens", {"optimizer": {"learning_rate": 0.1}}).optimizer.kind == "adamw"
