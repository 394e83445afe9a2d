"""Speed and memory of a training step: our decoder, nanoGPT's model and HF's Qwen3, with the same shape and rows.

    python bench/train.py [--shape small] [--steps 5] [--repeat 3] [--contenders ours gpt2 qwen3]

    contender    what is timed
    ours         the product's own loop: loader, document masks, guard, AdamW
    ours-muon    the same, with Muon
    gpt2         a GPT-2 as nanoGPT writes it: LayerNorm, GELU, learned positions, weights shared with the output head
    qwen3        Qwen3ForCausalLM of HF transformers

Every contender reads the same rows of random tokens.  Ours attends within documents (200 tokens long on average, with
a long tail); the other two see the whole row.  Layers, width, heads and vocabulary are the same.  GPT-2's MLP has 8
width^2 weights and that of the others 9, so tokens per second are also given times the weights.

Each measurement is a process of its own, and the contenders take turns.  A measurement is the median of `--steps` steps
after two that do not count.  The table has the median of `--repeat` measurements, and the range.  On a CPU it is one
thread and the process's CPU time, so that other processes on the machine change little.  Memory is the most that torch
allocated (GPU), or by how much the process grew after its imports (CPU).  On a GPU: bf16 autocast, torch.compile, and
the share of the GPU's bf16 operations (MFU).  Shapes for a GPU: 124m and 1b.
"""

import argparse
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from corpusmill import schema
from corpusmill.corpus import Corpus
from corpusmill.parts import Made
from corpusmill.reasons import Stage
from corpusmill.tokenize.shards import write_parquet_tokens
from corpusmill.train.job import Job
from corpusmill.train.loop import Training
from corpusmill.train.machine import memory_bytes, peak_flops
from corpusmill.train.ranks import Ranks
from corpusmill.train.settings import TrainSettings
from corpusmill.train.work import Pretraining

DOCUMENT_TOKENS = 200  # on average
WARMUP = 2  # steps that do not count
CONTENDERS = ("ours", "ours-muon", "gpt2", "qwen3")


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What all contenders have in common."""

    layers: int
    width: int
    heads: int
    vocab_size: int
    rows: int
    row_length: int


SHAPES = {
    "tiny": Shape(layers=2, width=64, heads=2, vocab_size=512, rows=4, row_length=64),
    "small": Shape(layers=4, width=256, heads=4, vocab_size=8192, rows=4, row_length=512),
    "wide": Shape(layers=4, width=256, heads=4, vocab_size=50304, rows=4, row_length=512),
    "124m": Shape(layers=12, width=768, heads=12, vocab_size=50304, rows=32, row_length=1024),
    "1b": Shape(layers=18, width=2048, heads=16, vocab_size=50304, rows=8, row_length=2048),
}


def main() -> None:
    """Measure the contenders in turn, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--rows", type=int, help="rows per step, instead of the shape's")
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=["ours", "gpt2", "qwen3"])
    parser.add_argument("--one", choices=CONTENDERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments)))
        return
    found: dict[str, list[dict[str, float]]] = {name: [] for name in arguments.contenders}
    for _ in range(arguments.repeat):
        for name in arguments.contenders:
            command = [sys.executable, __file__, *sys.argv[1:], "--one", name]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                raise SystemExit(f"{name}: {done.stderr}")
            found[name].append(json.loads(done.stdout.splitlines()[-1]))
    show(found)


def show(found: dict[str, list[dict[str, float]]]) -> None:
    """Print a line per contender, and the ratios to the first one's median."""
    first = statistics.median(each["tokens_per_second"] for each in next(iter(found.values())))
    print("            tokens/s (range)            ratio   weights   10^9 weights x tokens/s    memory    loss")
    for name, runs in found.items():
        speeds = sorted(each["tokens_per_second"] for each in runs)
        speed, memory = statistics.median(speeds), statistics.median(each["memory_bytes"] for each in runs)
        weights, mfu = runs[0]["weights"], runs[0].get("mfu")
        print(
            f"{name:10} {speed:9,.0f} ({speeds[0]:,.0f} to {speeds[-1]:,.0f}){'':6}{speed / first:6.2f}"
            f"{weights / 1e6:8.1f} M{weights * speed / 1e9:18,.1f}{memory / 1e6:15,.0f} MB{runs[0]['loss']:8.3f}"
            + (f"   MFU {statistics.median(each['mfu'] for each in runs):.1%}" if mfu else "")
        )


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """The figures of one contender in this process."""
    shape = SHAPES[arguments.shape]
    if arguments.rows:
        shape = replace(shape, rows=arguments.rows)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    clock = time.perf_counter if device.type == "cuda" else time.process_time
    torch.set_num_threads(1)
    torch.manual_seed(1)
    importlib.import_module("torch._dynamo")  # optimizers import it
    importlib.import_module("transformers.models.qwen3.modeling_qwen3")
    before = 0 if device.type == "cuda" else psutil.Process().memory_info().rss
    with tempfile.TemporaryDirectory() as temporary:
        training = ours(Path(temporary), shape, "muon" if arguments.one == "ours-muon" else "adamw", device)
        if arguments.one.startswith("ours"):
            model, step = training.model, training.update
        else:
            rows = training.work.rows
            model = (gpt2 if arguments.one == "gpt2" else qwen3)(shape)
            n = (WARMUP + arguments.steps) * shape.rows
            ids = torch.from_numpy(rows.take(training.position, n)).view(-1, shape.rows, shape.row_length + 1)
            del training
            step = plain_step(model.to(device), iter(ids.to(device)))
        seconds, losses = [], []
        for _ in range(WARMUP + arguments.steps):
            started = clock()
            losses.append(step())
            seconds.append(clock() - started)
    speed = shape.rows * shape.row_length / statistics.median(seconds[WARMUP:])
    weights = sum(p.numel() for p in model.parameters())
    figures = {"tokens_per_second": speed, "weights": weights, "loss": losses[-1]}
    figures["memory_bytes"] = memory_bytes(device) - before
    if peak := peak_flops(device):
        attention = 6.0 * shape.layers * shape.width * shape.row_length
        looked_up = shape.row_length * shape.width if arguments.one == "gpt2" else 0
        figures["mfu"] = (6.0 * (weights - looked_up) + attention) * speed / peak
    return figures


def ours(folder: Path, shape: Shape, optimizer: str, device: torch.device) -> Training:
    """The product's training on a corpus of random tokens."""
    tokens(folder, shape)
    settings = TrainSettings.model_validate({
        "row_length": shape.row_length, "rows_per_step": shape.rows, "validation_rows": 1,
        "model": {"layers": shape.layers, "width": shape.width, "heads": shape.heads, "kv_heads": shape.heads},
        "optimizer": {"kind": optimizer},
    })  # fmt: skip
    job = Job.of(folder, settings, folder / "model")
    return Training(job, Pretraining(job), 1000, Ranks(device))


def tokens(folder: Path, shape: Shape) -> None:
    """A corpus with token parts of random documents, whose lengths have a long tail."""
    rng, size = np.random.default_rng(1), shape.vocab_size
    corpus = Corpus(folder)
    vocab = {"<|endoftext|>": 0} | {f"w{i}": i for i in range(1, size)}
    special = {"id": 0, "content": "<|endoftext|>", "special": True}
    definition = json.dumps({"added_tokens": [special], "model": {"type": "WordLevel", "vocab": vocab}})
    corpus.publish_file(
        Stage.TOKENIZER, "tokenizer.json", definition.encode(), fingerprint="-", started=time.time(), rows_in=0,
        bytes_in=0, counts={},
    )  # fmt: skip
    n = 40 * shape.rows * shape.row_length // DOCUMENT_TOKENS
    lengths = np.maximum(rng.lognormal(np.log(DOCUMENT_TOKENS) - 0.5, 1.0, n).astype(np.int32), 1)
    ids = np.minimum(rng.zipf(1.3, int(lengths.sum())), size - 1).astype(np.uint16 if size <= 65536 else np.uint32)
    table = pa.table({
        "doc_id": [f"{i:024x}" for i in range(n)], "source": ["random"] * n,
        "language": ["en"] * n, "split": ["train"] * n,
        "n_bytes": pa.array(4 * lengths, pa.int64()), "n_tokens": pa.array(lengths, pa.int32()),
        "ids": pa.ListArray.from_arrays(
            np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32), pa.array(ids),
            type=schema.TOKENS.arrow.field("ids").type,
        ),
    }, schema=schema.TOKENS.arrow)  # fmt: skip
    made = Made(table=table, rows_in=n, bytes_in=table.nbytes)
    corpus.publish(Stage.TOKENS, "part", made, fingerprint="-", started=time.time(), write=write_parquet_tokens)


def plain_step(model: nn.Module, batches: Iterator[Tensor]) -> Callable[[], float]:
    """A step of a plain loop, with AdamW, as the peers' own scripts have it."""
    device = next(model.parameters()).device
    cuda = device.type == "cuda"
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    run = torch.compile(model) if cuda else model

    def autocast() -> AbstractContextManager[object]:
        return torch.autocast("cuda", torch.bfloat16) if cuda else nullcontext()

    def step() -> float:
        rows = next(batches)
        with autocast():
            loss = run(rows[:, :-1], rows[:, 1:])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    return step


class Gpt2Layer(nn.Module):
    """A block of GPT-2."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.c_fc, self.mlp_proj = nn.Linear(width, 4 * width, bias=False), nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(rows, tokens, width) -> the same shape."""
        rows, n, width = x.shape
        q, k, v = (
            each.view(rows, n, self.heads, -1).transpose(1, 2) for each in self.c_attn(self.ln_1(x)).split(width, 2)
        )
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.c_proj(seen.transpose(1, 2).reshape(rows, n, width))
        return x + self.mlp_proj(F.gelu(self.c_fc(self.ln_2(x))))


class Gpt2(nn.Module):
    """GPT-2 without biases and dropout, as nanoGPT trains it."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.wte = nn.Embedding(shape.vocab_size, shape.width)
        self.wpe = nn.Embedding(shape.row_length, shape.width)
        self.layers = nn.ModuleList(Gpt2Layer(shape.width, shape.heads) for _ in range(shape.layers))
        self.ln_f = nn.LayerNorm(shape.width, bias=False)
        for parameter in self.parameters():
            if parameter.ndim == 2:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of the targets."""
        x = self.wte(ids) + self.wpe(torch.arange(ids.shape[1], device=ids.device))
        for layer in self.layers:
            x = layer(x)
        scores = F.linear(self.ln_f(x), self.wte.weight)
        return F.cross_entropy(scores.view(-1, scores.shape[-1]), targets.reshape(-1))


def gpt2(shape: Shape) -> nn.Module:
    """NanoGPT's model."""
    return Gpt2(shape)


class Qwen3(nn.Module):
    """HF's Qwen3, with its own loss."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        from transformers import Qwen3Config, Qwen3ForCausalLM

        self.model = Qwen3ForCausalLM(
            Qwen3Config(
                vocab_size=shape.vocab_size,
                hidden_size=shape.width,
                intermediate_size=3 * shape.width,
                num_hidden_layers=shape.layers,
                num_attention_heads=shape.heads,
                num_key_value_heads=shape.heads,
                head_dim=shape.width // shape.heads,
                max_position_embeddings=shape.row_length,
                tie_word_embeddings=True,
                use_cache=False,
                attn_implementation="sdpa",
            )
        )

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        """The mean loss of the targets, which are shifted already."""
        loss: Tensor = self.model(ids, labels=ids, shift_labels=targets.contiguous()).loss
        return loss


def qwen3(shape: Shape) -> nn.Module:
    """HF's model."""
    return Qwen3(shape)


if __name__ == "__main__":
    main()
