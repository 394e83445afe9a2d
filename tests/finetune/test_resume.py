"""A tuning that was killed ends with the same weights and figures; one that is done does nothing."""

import json

import pyarrow.parquet as pq
import pytest
import torch

from corpusmill.errors import InputError
from corpusmill.finetune.run import finetune
from corpusmill.finetune.settings import settings_of
from corpusmill.finetune.tuned import load_tuned
from corpusmill.finetune.work import Order
from corpusmill.loader import Position
from tests.finetune.conftest import tune, value, write_examples
from tests.train.conftest import KilledError, same, weights

SETTINGS = {
    "epochs": 2, "rows_per_step": 8, "checkpoint_every": 4, "dropout": 0.1, "optimizer": {"learning_rate": 0.003},
}  # fmt: skip
JOBS = {
    "classification": ("encoder", {}),
    "classification, LoRA": ("decoder", {"lora": {"rank": 4, "dropout": 0.1}, "rows_per_pass": 4}),
    "sequence": ("encoder-decoder", {"max_new_tokens": 8}),
}


@pytest.mark.parametrize("name", JOBS)
def test_a_killed_run_ends_with_the_same_weights_and_figures(base, data, tmp_path, name):
    kind, more = JOBS[name]
    task = name.partition(",")[0]
    settings = settings_of(task, {**SETTINGS, **more})
    whole = finetune(base(kind, 10), data(task, 60), settings, tmp_path / "whole", device="cpu")
    for crash in (2, 9):

        def progress(_, report, crash=crash):
            if report.step == crash:
                raise KilledError

        with pytest.raises(KilledError):
            finetune(base(kind, 10), data(task, 60), settings, tmp_path / "m", device="cpu", progress=progress)
    result = finetune(base(kind, 10), data(task, 60), settings, tmp_path / "m", device="cpu")
    assert same(weights(result.model), weights(whole.model))
    assert result.figures == whole.figures
    assert not list(result.model.glob("checkpoint-*")) + list(result.model.glob("*.tmp"))
    again = finetune(base(kind, 10), data(task, 60), settings, tmp_path / "m", device="cpu", progress=progress)
    assert (again.trained, again.figures) == (False, result.figures)


def test_other_data_or_settings_or_the_base_itself_are_refused(base, data, tmp_path):
    tune(base("encoder", 10), data("classification", 60), "classification", tmp_path / "m", steps=2)
    with pytest.raises(InputError, match=r"holds a model of other .* \(seed = 1\)"):
        tune(base("encoder", 10), data("classification", 60), "classification", tmp_path / "m", steps=2, seed=2)
    with pytest.raises(InputError, match="choose another --out"):
        tune(base("encoder", 10), data("sentiment-zh", 60), "classification", tmp_path / "m", steps=2)
    with pytest.raises(InputError, match="is the folder of the model that is tuned"):
        tune(base("encoder", 10), data("classification", 60), "classification", base("encoder", 10), steps=2)


def test_figures_are_measured_again_if_only_the_test_examples_change(base, data, tmp_path):
    settings = settings_of("classification", {"steps": 3})
    first, second = data("classification", 30), data("classification", 40)
    model, out = base("encoder", 10), tmp_path / "m"
    one = finetune(model, data("classification", 60), settings, out, test=first, device="cpu")
    two = finetune(model, data("classification", 60), settings, out, test=second, device="cpu")
    assert (one.trained, two.trained) == (True, False)
    assert [next(f.n for f in r.figures if f.metric == "accuracy") for r in (one, two)] == [30, 40]


def test_the_weights_with_the_lowest_validation_loss_are_kept(base, data, tmp_path):
    """A high learning rate spoils the model after its best step; patience ends training."""
    result = tune(
        base("encoder", 10), data("classification", 60), "classification", tmp_path / "m",
        epochs=30, patience=2, rows_per_step=8, optimizer={"learning_rate": 0.02}, schedule={"warmup_share": 0.0},
    )  # fmt: skip
    rows = pq.read_table(tmp_path / "m" / "metrics.parquet", filters=[("metric", "=", "validation_loss")]).to_pylist()
    losses = [row["value"] for row in rows]
    assert result.validation_loss == min(losses)
    assert losses.index(min(losses)) == len(losses) - 3  # two validations later it ended
    assert result.steps == rows[-1]["step"] < 30 * 6


def test_folds(base, data, tmp_path):
    settings = settings_of("classification", {"epochs": 2, "optimizer": {"learning_rate": 0.003}})
    args = base("encoder", 10), data("classification", 90), settings, tmp_path / "m"
    result = finetune(*args, folds=3, device="cpu")
    each = [value(result, "accuracy", part=f"fold {i}")[0] for i in (1, 2, 3)]
    (mean,) = [f for f in result.figures if (f.metric, f.part) == ("accuracy", "folds")]
    assert mean.value == pytest.approx(sum(each) / 3)
    assert mean.deviation == pytest.approx(torch.tensor(each, dtype=torch.float64).std().item())
    assert mean.n == 90
    confusion = [f.value for f in result.figures if (f.metric, f.part) == ("confusion", "folds")]
    assert sum(confusion) == 90
    assert finetune(*args, folds=3, device="cpu").figures == result.figures
    left = {path.name for path in (tmp_path / "m" / "folds" / "1").iterdir()}
    assert left == {"metrics.parquet", "finetune_metrics.parquet", "measured.json", "plan.json", "receipt.json"}


def test_folds_of_too_few_texts(base, tmp_path):
    rows = [{"text": "a" if i < 9 else "b", "label": str(i % 2)} for i in range(10)]
    settings = settings_of("classification", {"validation_share": 0, "test_share": 0})
    data = write_examples(tmp_path / "few.jsonl", rows)
    for folds, says in ((3, "has too few different examples for 3 folds"), (11, "folds cannot be made of 10")):
        with pytest.raises(InputError, match=says):
            finetune(base("encoder", 10), data, settings, tmp_path / "n", folds=folds, device="cpu")


def test_the_order_of_rows_is_that_of_its_epoch_for_any_number_of_ranks():
    order, at = Order(7, seed=3), Position()
    taken = []
    for _ in range(7):
        whole = order.take(at, 4)[:, 0].tolist()
        parts = [order.take(at, 4, rank=rank, ranks=2)[:, 0].tolist() for rank in (0, 1)]
        assert parts[0] + parts[1] == whole
        taken += whole
        at = order.advance(at, 4)
    assert [sorted(taken[i : i + 7]) for i in range(0, 28, 7)] == [list(range(7))] * 4
    assert taken[:7] != taken[7:14]
    assert at == Position(4, 0)


def test_notes_that_are_damaged(base, data, tmp_path):
    tune(base("encoder", 10), data("classification", 60), "classification", tmp_path / "m", steps=1)
    notes = json.loads((tmp_path / "m" / "finetune.json").read_text())
    (tmp_path / "m" / "finetune.json").write_text(json.dumps(notes)[:-20])
    with pytest.raises(InputError, match=r"finetune\.json is damaged"):
        load_tuned(tmp_path / "m")
    with pytest.raises(InputError, match="has no task yet; tune this model first"):
        load_tuned(base("encoder", 10))
    with pytest.raises(InputError, match="is no model"):
        load_tuned(tmp_path)
