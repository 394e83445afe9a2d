"""LoRA: only the updates are trained, and the published model has the sums."""

import json

import pytest
import torch
from safetensors.torch import load_file

from corpusmill.errors import InputError
from corpusmill.finetune.examples import Labelled
from corpusmill.finetune.lora import adapt, merged
from corpusmill.finetune.settings import LoraSettings
from corpusmill.finetune.tuned import load_tuned
from corpusmill.train.batch import Inputs
from corpusmill.train.trained import load
from tests.finetune.conftest import tune, value
from tests.train.conftest import weights

FAST = {"optimizer": {"learning_rate": 0.01}}


def test_the_merged_weights_give_the_scores_of_the_adapted_model(base):
    settings = LoraSettings(rank=3, alpha=5)
    model, plain = load(base("decoder", 10)).model, load(base("decoder", 10)).model
    adapt(model, settings, seed=1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name.endswith("lora_B"):
                weight.normal_(generator=torch.Generator().manual_seed(len(name)))
    ids = torch.arange(5, 25)[None]
    arguments = model.prepare(Inputs(ids, torch.zeros_like(ids)))
    with torch.no_grad():
        assert not torch.allclose(plain(*arguments), model(*arguments), atol=1e-2)
        plain.load_state_dict(merged(model.state_dict(), settings))
        torch.testing.assert_close(plain(*arguments), model(*arguments), rtol=1e-4, atol=1e-4)


def test_only_layers_and_the_output_change(base, data, tmp_path):
    kind = "encoder"
    result = tune(
        base(kind), data("classification"), "classification", tmp_path / "m", epochs=6, lora={"rank": 4}, **FAST
    )
    assert value(result, "f1_macro")[0] > value(result, "f1_macro")[1] + 0.1
    before, after = weights(base(kind)), weights(tmp_path / "m")
    changed = {name.split(".")[0 if "layers." not in name else 1] for name in before.keys() & after.keys()
               if not torch.equal(before[name], after[name])}  # fmt: skip
    assert changed <= {"layers", "head"}
    assert "layers" in changed
    adapter = load_file(tmp_path / "m" / "adapter" / "adapter_model.safetensors")
    config = json.loads((tmp_path / "m" / "adapter" / "adapter_config.json").read_text())
    a = next(name for name in adapter if name.endswith("lora_A.weight"))
    thin = adapter[a.replace("lora_A", "lora_B")] @ adapter[a]
    name = a.removeprefix("base_model.model.").replace("lora_A.weight", "weight")
    torch.testing.assert_close(
        after[name] - before[name], thin * config["lora_alpha"] / config["r"], rtol=1e-3, atol=1e-5
    )
    tuned = load_tuned(tmp_path / "m")
    assert (
        tuned.task.predict(tuned.model, [Labelled(text="The soup was awful. Never again.")])[0]["label"] == "negative"
    )


def test_an_lstm_has_nothing_to_adapt(base, data, tmp_path):
    with pytest.raises(InputError, match="no linear layers that LoRA could adapt"):
        tune(base("lstm", 10), data("classification", 60), "classification", tmp_path / "m", lora={})
