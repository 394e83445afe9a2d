"""A trained model, read from its folder: the weights, the tokenizer, and what config.json says."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor

from corpusmill.errors import InputError, said
from corpusmill.train.batch import Model
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.models.encoder import Encoder
from corpusmill.train.models.encoder_decoder import EncoderDecoder
from corpusmill.train.models.lstm import Lstm
from corpusmill.train.settings import EncoderDecoderSettings, LstmSettings


@dataclass(frozen=True, slots=True)
class Trained:
    """A model that is ready to be used."""

    folder: Path
    kind: str  # decoder, encoder, encoder-decoder or lstm
    model: Model  # in evaluation mode, on `device`
    tokenizer: Tokenizer  # reads special tokens in a text as text
    boundary: int  # the token that begins and ends documents
    row_length: int  # tokens of a training row, the longest text that the model has seen
    device: torch.device

    def encode(self, text: str) -> list[int]:
        """The ids of a text, without special tokens.  A code point that is no character becomes `?`."""
        whole = text.encode("utf-8", "replace").decode()
        return list(self.tokenizer.encode(whole, add_special_tokens=False).ids)


Weights: TypeAlias = dict[str, Tensor]
Empty: TypeAlias = Callable[[dict[str, Any], Weights], tuple[str, Model, Weights]]


def empty(config: dict[str, Any], weights: Weights) -> tuple[str, Model, Weights]:
    """The kind of a model, the model with weights that are still to be replaced, and these."""
    kind, model = _empty(config, weights)
    return kind, model, weights


def load(folder: str | Path, device: str = "cpu", *, empty: Empty = empty) -> Trained:
    """The model in a folder with model.safetensors, config.json and tokenizer.json; a checkpoint is one.

    `empty` makes the model from config.json; by default a pretrained one.  InputError if there is none, if its files
    are damaged or do not fit each other, or if torch has no such device.
    """
    folder, place = Path(folder), _usable(device)
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        tokenizer = Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
        weights = load_file(folder / "model.safetensors")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise InputError(
            f"{folder}: is not a trained model, it has no {Path(error.filename or 'weights').name}"
        ) from None
    except MemoryError:
        raise
    except Exception as error:  # from JSON, the tokenizer or the reader of weights, each of which has its own errors
        raise InputError(
            f"{folder}: its files are damaged, or no model of ours: {said(error).splitlines()[0]}"
        ) from error
    tokenizer.encode_special_tokens = True
    try:
        kind, model, weights = empty(config, weights)
        model.load_state_dict(weights)
        boundary, row_length = int(config["eos_token_id"]), int(config["max_position_embeddings"])
    except (RuntimeError, ValueError, KeyError, TypeError, ArithmeticError, AttributeError) as error:
        raise InputError(
            f"{folder}: config.json and the weights do not fit each other: {said(error).splitlines()[0]}"
        ) from error
    return Trained(folder, kind, model.to(place).eval(), tokenizer, boundary, row_length, place)


def _usable(device: str) -> torch.device:
    """The device with this name; InputError if torch cannot use it here."""
    try:
        return torch.empty(0, device=device).device
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch was built without it
        raise InputError(f"device '{device}' cannot be used here: {str(error).splitlines()[0]}") from None


def _empty(config: dict[str, Any], weights: dict[str, Tensor]) -> tuple[str, Model]:
    """The kind of the model, and the model with weights that are still to be replaced."""
    if task := config.get("corpusmill_task"):
        raise InputError(f"this model is tuned for {task}; use it with 'corpusmill predict'")
    size, length = config["vocab_size"], config["max_position_embeddings"]
    match config["model_type"]:
        case "qwen3":
            return "decoder", Decoder(ModelConfig.from_hf(config))
        case "modernbert":
            classes = weights["order.weight"].shape[0] if "order.weight" in weights else 0
            return "encoder", Encoder(Encoder.settings_from(config), size, length, classes)
        case "corpusmill-lstm":
            lstm = Lstm(LstmSettings.model_validate(config["settings"]), size, length)
            lstm.scale = float(config.get("embedding_scale", 1.0))  # models of earlier versions have none
            return "lstm", lstm
        case "corpusmill-encoder-decoder":
            settings = EncoderDecoderSettings.model_validate(config["settings"])
            return "encoder-decoder", EncoderDecoder(settings, size, length)
        case other:
            raise ValueError(f"'{other}' is no model_type of ours")
