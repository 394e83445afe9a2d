"""A folder for HF transformers: weights, config, tokenizer, settings of generation, and a model card.

Our decoder is a Qwen3ForCausalLM and our encoder a ModernBertForMaskedLM, so their weights are copied as they are.  The
encoder's head for the order of lines is left out, because ModernBERT has none.  The tokenizer is changed in two ways:

- It puts the boundary before a text, as in training.
- The encoder's `[MASK]` is a token also in a text, and takes the space before it, as in `corpusmill fill`.

The encoder-decoder and the LSTM have no counterpart in transformers, so they are refused.  A fine-tuned model has the
name of its class in config.json.  Its files are copied as they are.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from corpusmill.errors import InputError, RunError, said
from corpusmill.export.card import model_card
from corpusmill.export.figures import Figure
from corpusmill.export.folder import ModelFolder
from corpusmill.export.formats import Request, Written
from corpusmill.export.probe import largest_difference
from corpusmill.train.trained import load
from corpusmill.train.vocabulary import MASK

COPIED = (
    "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "generation_config.json",
    "chat_template.jinja", "special_tokens_map.json",
)  # fmt: skip
PAD = "<|pad|>"
ORDER = "order."  # the encoder's head that transformers does not have


def write(request: Request) -> Written:
    """Write the folder, and compare its scores in transformers with ours."""
    model = ModelFolder.of(request)
    if model.kind in ("encoder-decoder", "lstm"):
        raise InputError(
            f"{model.path}: transformers has no class for our {model.kind}, so it could not load the model"
        )
    request.progress("copying the model")
    write_files(model, request.out)
    (request.out / "README.md").write_text(model_card(model, "hf"), "utf-8")
    request.progress("loading it with transformers")
    theirs = _load(model.architecture, request.out)
    if model.kind is None:
        return Written()
    request.progress("comparing the scores with those of transformers")
    difference = largest_difference(load(model.path), lambda ids: _scores(theirs, ids), "transformers")
    return Written((Figure("largest_difference", difference),))


def write_files(model: ModelFolder, out: Path) -> None:
    """The files of the folder, without the card."""
    for name in COPIED:
        if (model.path / name).exists():
            shutil.copyfile(model.path / name, out / name)
    if model.kind is None:
        return
    if model.kind == "encoder":
        weights = load_file(out / "model.safetensors")
        kept = {name: weight for name, weight in weights.items() if not name.startswith(ORDER)}
        save_file(kept, out / "model.safetensors", metadata={"format": "pt"})
    write_tokenizer(model, out)
    if model.kind == "decoder" and not (out / "generation_config.json").exists():
        _write_json(out / "generation_config.json", generation_config(model, out))


def write_tokenizer(model: ModelFolder, out: Path) -> None:
    """The tokenizer that reads a text as a document of its own."""
    tokenizer = json.loads((model.path / "tokenizer.json").read_text("utf-8"))
    config = json.loads((model.path / "tokenizer_config.json").read_text("utf-8"))
    boundary = config["bos_token"]
    chats = "chat_template" in config or (model.path / "chat_template.jinja").exists()  # it says what stands first
    if tokenizer["post_processor"] is None and not chats:
        tokenizer["post_processor"] = _boundary_first(boundary, model.config["bos_token_id"])
    config |= {"model_max_length": model.config["max_position_embeddings"]}
    names = {token["content"] for token in tokenizer["added_tokens"]}
    config.setdefault("pad_token", PAD if PAD in names else boundary)
    if model.kind == "decoder":
        config["padding_side"] = "left"
    if model.kind == "encoder" and MASK in names:
        config["split_special_tokens"] = False
        for token in tokenizer["added_tokens"]:
            token["lstrip"] |= token["content"] == MASK
    _write_json(out / "tokenizer.json", tokenizer)
    _write_json(out / "tokenizer_config.json", config)


def _boundary_first(boundary: str, id_: int) -> dict[str, Any]:
    """A post-processor that puts the boundary before every text."""
    token, text = {"SpecialToken": {"id": boundary, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}
    other = {"Sequence": {"id": "B", "type_id": 0}}
    special = {boundary: {"id": boundary, "ids": [id_], "tokens": [boundary]}}
    return {
        "type": "TemplateProcessing", "single": [token, text], "pair": [token, text, token, other],
        "special_tokens": special,
    }  # fmt: skip


def generation_config(model: ModelFolder, out: Path) -> dict[str, Any]:
    """The settings with which transformers generates: those of `corpusmill generate`."""
    tokenizer = json.loads((out / "tokenizer.json").read_text("utf-8"))
    pad = json.loads((out / "tokenizer_config.json").read_text("utf-8"))["pad_token"]
    ids = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    boundary = model.config["eos_token_id"]
    return {
        "bos_token_id": boundary, "eos_token_id": boundary, "pad_token_id": ids[pad],
        "do_sample": True, "temperature": 0.8, "top_p": 0.95, "top_k": 0,
    }  # fmt: skip


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False), "utf-8")


def _load(architecture: str, folder: Path) -> Any:
    """The model in transformers.  RunError if it cannot load every weight."""
    kind = getattr(transformers, architecture, None)
    if kind is None:
        raise InputError(f"transformers {transformers.__version__} has no class '{architecture}'")
    try:
        with quiet_transformers():
            model, info = kind.from_pretrained(
                folder, dtype=torch.float32, local_files_only=True, output_loading_info=True
            )
    except Exception as error:  # transformers has no base class of errors
        raise RunError(f"transformers cannot load the model: {said(error).splitlines()[0]}") from error
    if wrong := [*info["missing_keys"], *info["unexpected_keys"], *info["mismatched_keys"]]:
        raise RunError(f"transformers does not load all weights: {', '.join(map(str, wrong[:5]))}")
    return model.eval()


@torch.inference_mode()
def _scores(model: Any, ids: Tensor) -> Tensor:
    scores: Tensor = model(ids).logits
    return scores


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No messages and no progress bars of transformers."""
    logging: Any = transformers.utils.logging
    before, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
