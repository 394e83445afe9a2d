"""Encoding and training of tokenizers: corpusmill's beside HF tokenizers, tiktoken, tokie and gigatoken.

    python bench/tokenization.py ../shared/data [--megabytes 8] [--vocab-size 32768] [--rounds 3] [--split gpt-4o]
    python bench/tokenization.py ../shared/data --cores 2
    python bench/tokenization.py ../shared/data --battery 1000000

(The name is not tokenize.py, because that would hide Python's own module from every script in this folder.)

The first form trains with HF and with corpusmill on one sample, and encodes texts of four kinds with every library, in
turns.  It prints MB per second of CPU time, of the first pass over the texts and of the best later pass, and for how
many texts the ids equal HF's.  Libraries that are not installed are left out; tokie is none of corpusmill's own:
install it in an environment of its own, with corpusmill.

The second form encodes with that many processes and prints MB per second of elapsed time.

The battery compares the ids of all libraries that corpusmill would use with HF's, for real and generated strings, with
every split pattern.  It ends with status 1 if one differs.

The texts, from the folder of development data (its README names sources and licences):

    English   the Python Enhancement Proposals (peps.tar.xz) and pages of WCXB (wcxb-dev)
    German    the two German versions of the Declaration of Human Rights (udhr2.zip), with their sentences in many
              orders, since there is no more: what a library remembers helps it more than on other texts
    Chinese   news pages (daniel-dev) and the two Chinese versions of the declaration
    code      the standard library of this Python, which is not in the folder
"""

import argparse
import itertools
import json
import multiprocessing
import random
import re
import sys
import sysconfig
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, pre_tokenizers, trainers

from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.engines import Engine, Ids
from corpusmill.tokenize.patterns import PATTERNS
from corpusmill.tokenize.settings import TokenizerSettings
from corpusmill.tokenize.train import new_tokenizer, special_tokens, train_tokenizer

Encode = Callable[[str], Any]
SAMPLE_MB = 2  # of texts that HF encodes, too


def declarations(data: Path, *names: str) -> list[str]:
    """Texts of the Universal Declaration of Human Rights; of all languages without names."""
    with zipfile.ZipFile(data / "udhr2.zip") as archive:
        chosen = [f"udhr2/{name}.txt" for name in names] or [n for n in archive.namelist() if n.endswith(".txt")]
        return [archive.read(name).decode("utf-8", "replace") for name in chosen]


def english(data: Path) -> list[str]:
    """Technical English, and the main content of web pages."""
    with tarfile.open(data / "peps.tar.xz") as archive:
        files = [archive.extractfile(member) for member in archive.getmembers() if member.isfile()]
        peps = [file.read().decode() for file in files if file is not None]
    pages = [json.loads(path.read_text("utf-8")) for path in sorted((data / "wcxb-dev/ground-truth").glob("*.json"))]
    texts = [*peps, *(page["ground_truth"].get("main_content") or "" for page in pages)]
    return random.Random(1).sample(texts, len(texts))


def german(data: Path) -> list[str]:
    """Sentences of the declaration in many orders."""
    sentences = re.split(r"(?<=\.)\s+", "\n".join(declarations(data, "deu", "deu_1901")))
    draw = random.Random(1)
    return [" ".join(draw.sample(sentences, 40)) for _ in range(1000)]


def chinese(data: Path) -> list[str]:
    """News, and the declaration."""
    pages = [json.loads(line) for line in (data / "daniel-dev/index.jsonl").read_text("utf-8").splitlines()]
    news = [data / f"daniel-dev/{page['id']}.txt" for page in pages if page["language"] == "Chinese"]
    return [*(path.read_text("utf-8", "replace") for path in news), *declarations(data, "cmn_hans", "cmn_hant")]


def code(_: Path) -> list[str]:
    """Python."""
    library = Path(sysconfig.get_paths()["stdlib"])
    return [path.read_bytes().decode("utf-8", "replace") for path in sorted(library.glob("*.py"))]


KINDS = {"English": english, "German": german, "Chinese": chinese, "code": code}


def some(texts: list[str], megabytes: float) -> list[str]:
    """The first texts, about so many megabytes of them."""
    total = itertools.accumulate(len(text.encode()) for text in texts)
    return [text for text, size in zip(texts, total, strict=True) if size <= megabytes * 1e6] or texts[:1]


def size_of(texts: list[str]) -> float:
    """Megabytes of UTF-8."""
    return sum(len(text.encode()) for text in texts) / 1e6


def trained_by_hf(texts: list[str], settings: TokenizerSettings) -> str:
    """tokenizer.json, trained by HF."""
    tokenizer = new_tokenizer(settings)
    trainer = trainers.BpeTrainer(
        vocab_size=settings.vocab_size,
        min_frequency=settings.min_frequency,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        special_tokens=special_tokens(settings),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return str(tokenizer.to_str(pretty=True))


def trained_by_gigatoken(texts: list[str], settings: TokenizerSettings) -> int:
    """Number of merges; it knows the pattern of GPT-2 only, and no least frequency."""
    import gigatoken

    separator = "\x00\x01separator\x01\x00"
    joined = separator.join(texts).encode()
    _, merges = gigatoken.train_bpe(joined, settings.vocab_size, special_tokens(settings), separator=separator.encode())
    return len(merges)


def train(texts: list[str], settings: TokenizerSettings) -> str:
    """Train with both, print seconds, and return corpusmill's tokenizer.json."""
    train_tokenizer(texts[:1], settings)  # compile
    seconds: dict[str, tuple[float, float]] = {}
    made: dict[str, Any] = {}
    trainers_: list[tuple[str, Callable[[list[str], TokenizerSettings], Any]]] = [
        ("corpusmill", train_tokenizer),
        ("HF", trained_by_hf),
    ]
    if settings.split == "gpt-2":
        trainers_.append(("gigatoken", trained_by_gigatoken))
    for name, function in trainers_:
        began, cpu = time.perf_counter(), time.process_time()
        made[name] = function(texts, settings)
        seconds[name] = time.process_time() - cpu, time.perf_counter() - began
    print(f"training on {size_of(texts):.1f} MB, {settings.vocab_size} entries, pattern {settings.split}")
    for name, (cpu, wall) in seconds.items():
        print(f"  {name:12} {cpu:6.1f} s of CPU, {wall:6.1f} s elapsed, {seconds['HF'][0] / cpu:.1f} times HF")
    print(f"  the same tokenizer.json: {made['corpusmill'] == made['HF']}")
    return str(made["corpusmill"])


def libraries(definition: str) -> dict[str, Encode]:
    """Functions that encode, by library."""
    hf = Tokenizer.from_str(definition)
    hf.encode_special_tokens = True
    found: dict[str, Encode] = {"HF": lambda text: hf.encode(text, add_special_tokens=False).ids}
    found |= {engine.name: engine.encode for engine in list(Encoder(definition).engines())[:-1]}
    if find_spec("tokie"):
        import tokie

        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "tokenizer.json"
            path.write_text(definition, "utf-8")
            other = tokie.Tokenizer.from_json(str(path))
        found["tokie"] = lambda text: other.encode(text, add_special_tokens=False).ids
    found["corpusmill"] = Encoder(definition).encode
    return found


def encode(texts: dict[str, list[str]], definition: str, rounds: int) -> None:
    """Print a table: MB per second of CPU time, first pass and best later pass, and equal texts."""
    encoders = libraries(definition)
    for kind, all_texts in texts.items():
        sample = some(all_texts, SAMPLE_MB)
        expected = [encoders["HF"](text) for text in sample]
        speeds: dict[str, list[float]] = {name: [] for name in encoders}
        equal = {}
        for name, function in encoders.items():
            mine = sample if name == "HF" else all_texts
            for _ in range(1 if name == "HF" else rounds):
                began = time.process_time()
                made = [function(text) for text in mine]
                speeds[name].append(size_of(mine) / max(time.process_time() - began, 1e-6))
            equal[name] = sum(np.array_equal(a, b) for a, b in zip(expected, made, strict=False))
        print(f"{kind}: {len(all_texts)} texts, {size_of(all_texts):.1f} MB; HF encodes {len(sample)} of them")
        for name, found in speeds.items():
            later = max(found[1:], default=found[0])
            print(
                f"  {name:12} first {found[0]:6.1f}  later {later:6.1f} MB/s, {equal[name]} of {len(sample)} equal HF's"
            )


def _encode_all(task: tuple[str, list[str]]) -> int:
    encoder = Encoder(task[0])
    return sum(len(encoder.encode(text)) for text in task[1])


def on_cores(texts: dict[str, list[str]], definition: str, cores: int) -> None:
    """MB per second with several processes, of elapsed time."""
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        pool.map(_encode_all, [(definition, ["warm up"])] * cores, chunksize=1)
        for kind, some_texts in texts.items():
            for n in (1, cores):
                began = time.perf_counter()
                pool.map(_encode_all, [(definition, some_texts[i::n]) for i in range(n)], chunksize=1)
                speed = size_of(some_texts) / (time.perf_counter() - began)
                print(f"{kind}: {n} process{'es' if n > 1 else ''} {speed:.0f} MB/s elapsed, with loading")


ALPHABET = "abAB é\n\r\t'ſsKldtREve12٣-._<|>/中文かなกี่हि한국어\u0301\u200d\u00a0\u3000ß🙂\u2028\u0085ǅʰ\u00b2"


def strings(texts: list[str], n: int) -> Iterator[str]:
    """Pieces of real texts, characters of one alphabet that patterns cut at, any characters, and mixtures."""
    draw = random.Random(1)
    planes = [(0, 0x80), (0x80, 0x800), (0x800, 0xD800), (0xE000, 0x20000), (0x20000, 0x110000)]
    for number in range(n):
        match number % 4:
            case 0:
                text = draw.choice(texts)
                start = draw.randrange(max(1, len(text) - 60))
                yield text[start : start + draw.randrange(1, 120)]
            case 1:
                yield "".join(draw.choices(ALPHABET, k=draw.randrange(1, 40)))
            case 2:
                yield "".join(chr(draw.randrange(*draw.choice(planes))) for _ in range(draw.randrange(1, 30)))
            case 3:
                text = draw.choice(texts)
                start = draw.randrange(max(1, len(text) - 30))
                yield text[start : start + 30] + "".join(draw.choices(ALPHABET, k=5)) + text[start + 30 : start + 40]


def _same(engine: Engine, text: str, expected: Ids) -> bool:
    try:
        return bool(np.array_equal(engine.encode(text), expected))
    except ValueError:  # it leaves the text to HF
        return True


def battery(texts: list[str], n: int) -> int:
    """The number of strings on which a library differs from HF; each pattern and model gets an equal share of them."""
    kinds: list[dict[str, Any]] = [{"split": split} for split in PATTERNS]
    kinds += [{"digits": 2}, {"model": "bpe-characters"}, {"special_tokens_in_text": True}]
    generated, wrong = strings(texts, n), 0
    for kind in kinds:
        settings = TokenizerSettings(vocab_size=8000, **kind)
        in_text = settings.special_tokens_in_text
        encoder = Encoder(train_tokenizer(texts[::9], settings), special_tokens_in_text=in_text)
        *fast, slow = encoder.engines()
        differences, done = 0, 0
        for text in itertools.islice(generated, n // len(kinds) + 1):
            expected, done = slow.encode(text), done + 1
            wrong_ones = [engine.name for engine in fast if not _same(engine, text, expected)]
            differences += bool(wrong_ones)
            if wrong_ones:
                print(f"  {', '.join(wrong_ones)}: {text!a}")
        print(
            f"{kind}: {', '.join(engine.name for engine in fast)}: {differences} of {done:,} strings differ from HF",
            flush=True,
        )
        wrong += differences
    return wrong


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--megabytes", type=float, default=8, help="of each kind of text, at most")
    parser.add_argument("--vocab-size", type=int, default=32_768)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--split", choices=list(PATTERNS), default="gpt-4o")
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--battery", type=int, default=0, help="number of strings")
    options = parser.parse_args()
    texts = {kind: some(function(options.data), options.megabytes) for kind, function in KINDS.items()}
    if options.battery:
        found = [*itertools.chain.from_iterable(t[:300] for t in texts.values()), *declarations(options.data)]
        return battery(found, options.battery) > 0
    settings = TokenizerSettings(vocab_size=options.vocab_size, split=options.split)
    sample = [*itertools.chain.from_iterable(texts.values()), *declarations(options.data)]
    if options.cores > 1:
        on_cores(texts, train_tokenizer(sample, settings), options.cores)
    else:
        encode(texts, train(sample, settings), options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
