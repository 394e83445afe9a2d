"""Speed of generation: `corpusmill.generate` and transformers' `generate`, with the same weights and prompts.

    python bench/generate.py [--tokens 100] [--repeat 3] [--batches 1 8]

The model is a decoder of 4 layers and 256 numbers per token, with random weights and 8,192 tokens.  transformers reads
its folder as a Qwen3ForCausalLM.  Both continue prompts of 64 tokens by the most likely tokens, and never stop early.

Both run in one process, in turns, on one thread.  The time is the process's CPU time, so that other processes on the
machine change little.  The table has medians, and the range over the rounds.  The texts are compared: they must be the
same.
"""

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModelForCausalLM

from corpusmill.generate.prompts import Prompt
from corpusmill.generate.run import complete
from corpusmill.generate.settings import Sampling
from corpusmill.train.checkpoint import ModelFiles
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.settings import DecoderSettings
from corpusmill.train.trained import Trained, load
from corpusmill.train.vocabulary import Vocabulary

VOCAB_SIZE, PROMPT, ROW_LENGTH = 8192, 64, 512


def main() -> None:
    """Measure both in turns, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8])
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        trained = made(Path(temporary))
        theirs = AutoModelForCausalLM.from_pretrained(temporary).eval()
    print("rows  corpusmill, tokens/s (range)   transformers, tokens/s (range)   ratio")
    for rows in options.batches:
        prompts = np.random.default_rng(rows).integers(1, VOCAB_SIZE, (rows, PROMPT))

        def ours(prompts: np.ndarray = prompts) -> list[str]:
            asked = [Prompt(tuple(ids), frozenset()) for ids in prompts.tolist()]
            how = Sampling(temperature=0, max_tokens=options.tokens)
            return [found.text.strip() for found in complete(trained, asked, how, batch_size=len(asked))]

        def other(prompts: np.ndarray = prompts) -> list[str]:
            ids, n = torch.from_numpy(prompts), options.tokens
            with torch.inference_mode():
                written = theirs.generate(
                    ids, attention_mask=torch.ones_like(ids), max_new_tokens=n, min_new_tokens=n, do_sample=False
                )
            return [trained.tokenizer.decode(row.tolist()).strip() for row in written[:, PROMPT:]]

        assert ours() == other()  # and a warm-up
        seconds = [(timed(ours), timed(other)) for _ in range(options.repeat)]
        speeds = [sorted(rows * options.tokens / each for each in column) for column in zip(*seconds, strict=True)]
        (mine, of_mine), (hf, of_hf) = (
            (statistics.median(each), f"({each[0]:,.0f} to {each[-1]:,.0f})") for each in speeds
        )
        print(f"{rows:4}  {mine:10,.0f} {of_mine:20} {hf:14,.0f} {of_hf:18} {mine / hf:6.2f}")


def timed(call: Callable[[], object]) -> float:
    """The CPU seconds of a call."""
    started = time.process_time()
    call()
    return time.process_time() - started


def made(folder: Path) -> Trained:
    """A decoder with random weights."""
    vocab = {"<|endoftext|>": 0} | {f"w{i}": i for i in range(1, VOCAB_SIZE)}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    special = {"id": 0, "content": "<|endoftext|>", **flags}
    model = {"type": "WordLevel", "vocab": vocab, "unk_token": "w1"}
    definition = json.dumps({"added_tokens": [special], "model": model}).encode()
    shape = ModelConfig.of(DecoderSettings(layers=4, width=256, heads=4, kv_heads=4), VOCAB_SIZE, ROW_LENGTH)
    generator = torch.Generator().manual_seed(1)
    decoder = Decoder(shape, generator)
    for weight in decoder.parameters():
        if weight.ndim == 2:
            torch.nn.init.normal_(weight, std=0.05, generator=generator)
    files = Vocabulary.of(definition, "").files()
    ModelFiles(decoder.config_json(0), files).write(folder, decoder.state_dict())
    return load(folder)


if __name__ == "__main__":
    main()
