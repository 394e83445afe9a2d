"""transformers opens every tuned folder, makes the same inputs from texts, and gives the same scores."""

import json

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    pipeline,
)

from corpusmill.finetune.decode import greedy
from corpusmill.finetune.examples import Conversation, Labelled, Question, Spans, Writing
from corpusmill.finetune.texts import batch_of
from corpusmill.finetune.tuned import load_tuned
from examples.finetune.make import examples
from tests.finetune.conftest import tune

CLOSE = {"rtol": 1e-4, "atol": 1e-4}
AUTO = {
    "classification": AutoModelForSequenceClassification,
    "tokens": AutoModelForTokenClassification,
    "question-answering": AutoModelForQuestionAnswering,
}
SHORT = {"steps": 4, "rows_per_step": 4}


@pytest.fixture(scope="module")
def tuned(base, data, tmp_path_factory):
    made = {}

    def of(kind, task, name=None):
        key = kind, task, name
        if key not in made:
            made[key] = tmp_path_factory.mktemp("tuned") / "model"
            answers = {"max_new_tokens": 12} if task in ("instruction", "sequence") else {}
            tune(base(kind, 10), data(name or task, 60), task, made[key], **SHORT, **answers)
        return made[key]

    return of


def scores_of(model, inputs):
    with torch.no_grad():
        return model.model(*model.model.prepare(inputs))


@pytest.mark.parametrize("task", AUTO)
@pytest.mark.parametrize("kind", ["encoder", "decoder"])
def test_scores_of_a_padded_batch_are_equal(tuned, kind, task):
    folder = tuned(kind, task)
    ours, tokenizer = load_tuned(folder), AutoTokenizer.from_pretrained(folder)
    texts = ["The film was dull.", "今天的汤很好看。😀 And then some more words follow here."]
    if task == "question-answering":
        read = [Question(question="Who was it?", context=text) for text in texts]
        theirs = tokenizer(["Who was it?"] * 2, texts, padding=True, return_tensors="pt")
    else:
        read = [Labelled(text=text) if task == "classification" else Spans(text=text) for text in texts]
        theirs = tokenizer(texts, padding=True, return_tensors="pt")
    batch = batch_of([row for example in read for row in ours.task.rows(example)], ours.task.codec.pad)
    assert theirs["input_ids"].tolist() == batch.inputs.ids.tolist()
    model = AUTO[task].from_pretrained(folder).eval()
    with torch.no_grad():
        output = model(**theirs)
    found = scores_of(ours.model, batch.inputs)
    if task == "classification":
        torch.testing.assert_close(found[:, 0], output.logits, **CLOSE)
        return
    expected = output.logits if task == "tokens" else torch.stack([output.start_logits, output.end_logits], -1)
    real = theirs["attention_mask"].bool()
    torch.testing.assert_close(found[real], expected[real], **CLOSE)


def test_the_class_is_named(tuned):
    names = {
        ("encoder", "classification"): "ModernBertForSequenceClassification",
        ("encoder", "tokens"): "ModernBertForTokenClassification",
        ("encoder", "question-answering"): "ModernBertForQuestionAnswering",
        ("decoder", "classification"): "Qwen3ForSequenceClassification",
        ("decoder", "tokens"): "Qwen3ForTokenClassification",
        ("decoder", "question-answering"): "Qwen3ForQuestionAnswering",
    }
    found = {key: json.loads((tuned(*key) / "config.json").read_text())["architectures"] for key in names}
    assert found == {key: [name] for key, name in names.items()}


def test_pairs_of_texts_and_names_of_labels(base, tmp_path):
    rows = [{"text": e["text"], "text_pair": "很好。", "label": e["label"]} for e in examples("sentiment", 40)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tune(base("encoder", 10), tmp_path / "pairs.jsonl", "classification", tmp_path / "m", **SHORT)
    ours, tokenizer = load_tuned(tmp_path / "m"), AutoTokenizer.from_pretrained(tmp_path / "m")
    (row,) = ours.task.rows(Labelled(text="The soup was warm.", text_pair="很好。"))
    assert tokenizer("The soup was warm.", "很好。")["input_ids"] == row.ids
    config = AutoModelForSequenceClassification.from_pretrained(tmp_path / "m").config
    assert config.id2label == {0: "negative", 1: "positive"}


def test_a_pipeline_says_what_predict_says(tuned):
    folder = tuned("encoder", "classification", "sentiment-zh")
    ours = load_tuned(folder)
    text = "今天的汤一点也不冷清。"
    (said,) = ours.task.predict(ours.model, [Labelled(text=text)])
    (theirs,) = pipeline("text-classification", model=str(folder), tokenizer=AutoTokenizer.from_pretrained(folder))(
        text
    )
    assert theirs["label"] == said["label"]
    assert theirs["score"] == pytest.approx(said["probabilities"][said["label"]], abs=1e-5)


def test_the_chat_template_gives_our_ids_and_our_learned_tokens(tuned):
    folder = tuned("decoder", "instruction")
    ours, tokenizer = load_tuned(folder), AutoTokenizer.from_pretrained(folder)
    messages = [
        {"role": "system", "content": " Be kind.\n"},
        {"role": "user", "content": "你好 😀"},
        {"role": "assistant", "content": "Hello  there."},
        {"role": "user", "content": "And?"},
        {"role": "assistant", "content": "再见。"},
    ]
    theirs = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, return_assistant_tokens_mask=True)
    (row,) = ours.task.rows(Conversation(messages=messages))
    ids, mask = theirs["input_ids"], theirs["assistant_masks"]
    assert row.ids == ids[:-1]
    assert [target != -100 for target in row.targets[0]] == [bool(each) for each in mask[1:]]
    assert [target for target in row.targets[0] if target != -100] == [i for i, m in zip(ids, mask, strict=True) if m]
    prompt = tokenizer.apply_chat_template(messages[:4], add_generation_prompt=True, return_dict=True)["input_ids"]
    assert ours.task.prompt(Conversation(messages=messages)) == prompt


def test_a_message_cannot_end_itself(tuned):
    ours = load_tuned(tuned("decoder", "instruction"))
    (row,) = ours.task.rows(
        Conversation.model_validate(
            {"messages": [{"role": "user", "content": "<|im_end|>"}, {"role": "assistant", "content": "no"}]}
        )
    )
    assert row.ids.count(ours.task.notes["<|im_end|>"]) == 2  # one per message


@pytest.mark.parametrize(("task", "asked"), [("instruction", None), ("sequence", "two red cats")])
def test_transformers_writes_what_we_write(tuned, task, asked):
    folder = tuned("decoder", task)
    ours, tokenizer = load_tuned(folder), AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    if asked is None:
        example = Conversation.model_validate({"messages": [{"role": "user", "content": "What does a dog say?"}]})
        prompt = ours.task.prompt(example)
    else:
        prompt = tokenizer(asked)["input_ids"]
        assert prompt == ours.task.prompt(Writing(input=asked))
    (written,) = greedy(ours.model, [prompt], max_tokens=12, ends=ours.task.ends)
    ids = torch.tensor([prompt])
    with torch.no_grad():
        theirs = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=12, do_sample=False)
    new = theirs[0, len(prompt) :].tolist()
    assert new[: len(written)] == written
    assert new[len(written) :] in ([], [new[-1]])
