"""LoRA (arXiv 2106.09685): the matrices of layers stay as they are, and the product of two thin ones is added to each.

Trained are these thin matrices and the output layer of a task.  The published model has the sums, so it is a model like
others.  The thin matrices are also published by themselves, in the format of the library peft.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from safetensors.torch import save_file
from torch import Tensor, nn

from corpusmill.errors import InputError
from corpusmill.finetune.settings import LoraSettings
from corpusmill.train.batch import Model

A, B = ".lora_A", ".lora_B"
FOLDER = "adapter"
OUTPUTS = ("classifier", "score", "qa_outputs", "head")
TASK_TYPES = {"classification": "SEQ_CLS", "tokens": "TOKEN_CLS", "question-answering": "QUESTION_ANS"}


class LoraLinear(nn.Module):
    """A linear layer that stays as it is, and its update."""

    def __init__(self, layer: nn.Linear, settings: LoraSettings, random: torch.Generator) -> None:
        super().__init__()
        self.weight, self.bias = layer.weight, layer.bias
        inputs, outputs, rank = layer.in_features, layer.out_features, settings.rank
        self.lora_A = nn.Parameter(torch.randn(rank, inputs, generator=random) * inputs**-0.5)
        self.lora_B = nn.Parameter(torch.zeros(outputs, rank))
        self.dropout, self.scale = nn.Dropout(settings.dropout), settings.alpha / rank

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) -> (..., outputs)."""
        update = F.linear(F.linear(self.dropout(x), self.lora_A), self.lora_B)
        return F.linear(x, self.weight, self.bias) + self.scale * update


def adapt(model: Model, settings: LoraSettings, seed: int) -> None:
    """Replace the linear layers of all layers; only their updates and the output layer of the task are trained.

    InputError if the model has no such layers.
    """
    random = torch.Generator().manual_seed(seed)
    found = [name for name, part in model.named_modules() if isinstance(part, nn.Linear) and "layers." in name]
    if not found:
        raise InputError("this model has no linear layers that LoRA could adapt; remove the table [finetune.lora]")
    for name, weight in model.named_parameters():
        weight.requires_grad_(name.split(".")[0] in OUTPUTS)
    for name in found:
        outer, _, last = name.rpartition(".")
        layer = model.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        setattr(model.get_submodule(outer), last, LoraLinear(layer, settings, random))


def merged(weights: Mapping[str, Tensor], settings: LoraSettings) -> dict[str, Tensor]:
    """The weights with the updates added, and without the thin matrices."""
    scale, out = settings.alpha / settings.rank, {}
    for name, weight in weights.items():
        if name.endswith((A, B)):
            continue
        module = name.removesuffix(".weight")
        update = scale * (weights[module + B] @ weights[module + A]) if module + A in weights else 0
        out[name] = weight + update
    return out


def write_adapter(folder: Path, weights: Mapping[str, Tensor], settings: LoraSettings, task: str, base: str) -> None:
    """Write FOLDER/adapter: what was trained, in the format of peft."""
    thin = {name: weight for name, weight in weights.items() if name.endswith((A, B))}
    whole = sorted({name.split(".")[0] for name in weights} & set(OUTPUTS))
    saved = {f"base_model.model.{name}.weight": weight for name, weight in thin.items()}
    saved |= {f"base_model.model.{name}": w for name, w in weights.items() if name.split(".")[0] in whole}
    config: dict[str, Any] = {
        "peft_type": "LORA",
        "task_type": TASK_TYPES.get(task, "CAUSAL_LM"),
        "base_model_name_or_path": base,
        "r": settings.rank,
        "lora_alpha": settings.alpha,
        "lora_dropout": settings.dropout,
        "bias": "none",
        "target_modules": sorted({name.rsplit(".", 2)[-2] for name in thin}),
        "modules_to_save": whole or None,
        "inference_mode": True,
    }
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    (place / "adapter_config.json").write_text(json.dumps(config, indent=1), "utf-8")
    save_file(saved, place / "adapter_model.safetensors", metadata={"format": "pt"})
