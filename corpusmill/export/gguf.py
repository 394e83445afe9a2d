"""GGUF: the file format of llama.cpp, written by its `gguf` package.  Only decoders have one, as `qwen3`.

The weights stay in float32.  `llama-quantize` makes smaller files of it.  After writing, the file is read again by
`gguf`, which must give every weight exactly.  The tests also run it: llama.cpp writes the text that we write.

llama.cpp knows a fixed list of ways to cut a text into pieces.  Ours is most like `llama-bpe`.  Two things differ:
llama.cpp cuts before combining marks, which matters for Hindi, Thai and decomposed accents; and it cuts after the `'s`
of `'student`.  For other text, the ids are the same.
"""

import json
import re
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from safetensors.numpy import load_file

from corpusmill.errors import InputError, RunError
from corpusmill.export.card import model_card
from corpusmill.export.folder import ModelFolder
from corpusmill.export.formats import Request, Written
from corpusmill.generate.chat import ChatTemplate

FILE = "model.gguf"
ARCHITECTURE = "qwen3"
PIECES = "llama-bpe"  # llama.cpp's name of the way in which text is cut
MARKS = re.compile(r"\{%-?\s*(?:end)?generation\s*-?%\}")  # tags for training, which llama.cpp does not know


def write(request: Request) -> Written:
    """Write the file, and compare its weights with ours."""
    model = ModelFolder.of(request)
    if model.kind != "decoder":
        raise InputError(
            f"{model.path}: is of the kind '{model.kind or model.architecture}'; only decoders have a GGUF export"
        )
    tokenizer = json.loads((model.path / "tokenizer.json").read_text("utf-8"))
    weights = load_file(model.path / "model.safetensors")
    file = request.out / FILE
    request.progress("writing the file")
    writer = gguf.GGUFWriter(file, ARCHITECTURE)
    _write_shape(writer, model)
    _write_tokenizer(writer, model, tokenizer)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.QWEN3, model.config["num_hidden_layers"])
    named = {str(names.get_name(name, try_suffixes=(".weight",))): weight for name, weight in weights.items()}
    for name, weight in named.items():
        writer.add_tensor(name, np.ascontiguousarray(weight, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    (request.out / "README.md").write_text(model_card(model, "gguf"), "utf-8")
    request.progress("reading it again")
    _compare_weights(file, named)
    return Written()


def _write_shape(writer: Any, model: ModelFolder) -> None:
    config = model.config
    writer.add_name(model.path.resolve().name)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])


def _write_tokenizer(writer: Any, model: ModelFolder, tokenizer: dict[str, Any]) -> None:
    """The vocabulary and its merges.  InputError if it is no byte-level BPE, which is what llama.cpp reads here."""
    if tokenizer["model"]["type"] != "BPE" or (tokenizer.get("decoder") or {}).get("type") != "ByteLevel":
        raise InputError(f"{model.path}: its tokenizer is no byte-level BPE, so it has no GGUF export")
    size = model.config["vocab_size"]
    added = {token["id"]: token for token in tokenizer["added_tokens"]}
    tokens = [f"[UNUSED{id_}]" for id_ in range(size)]
    kinds = [gguf.TokenType.UNUSED] * size
    for token, id_ in tokenizer["model"]["vocab"].items():
        tokens[id_], kinds[id_] = token, gguf.TokenType.NORMAL
    for id_, token in added.items():
        tokens[id_] = token["content"]
        kinds[id_] = gguf.TokenType.CONTROL if token["special"] else gguf.TokenType.USER_DEFINED
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in tokenizer["model"]["merges"]]
    boundary = model.config["eos_token_id"]
    template = ChatTemplate.of(model.path)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PIECES)
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(boundary)
    writer.add_eos_token_id(boundary)
    writer.add_add_bos_token(template is None)  # a chat template says what stands first
    if template is not None:
        writer.add_chat_template(MARKS.sub("", template.source))


def _compare_weights(file: Path, weights: dict[str, Any]) -> None:
    """RunError unless the file has exactly these weights."""
    found = {tensor.name: np.array(tensor.data) for tensor in gguf.GGUFReader(file).tensors}
    if found.keys() != weights.keys() or any(
        not np.array_equal(found[name].reshape(weight.shape), weight) for name, weight in weights.items()
    ):
        raise RunError(f"{file}: has other weights than the model; nothing was exported")
