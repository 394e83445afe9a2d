"""Encoding speed: HF tokenizers against corpusmill's encoder, one core, same vocabulary, same ids.

    python bench/encode.py peps.tar.xz [--vocab-size 8192] [--megabytes 4]

Reads the text files of a tar archive (or of a folder), trains a vocabulary on them, then encodes them with both, each
three times and the best counts.  Fails unless the ids are the same.
"""

import argparse
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tokenizers import Tokenizer

from corpusmill.recipe import TokenizerSettings
from corpusmill.tokenize.encode import Encoder
from corpusmill.tokenize.train import train_tokenizer


def files(path: Path) -> Iterator[bytes]:
    """The contents of the files in an archive or folder, by name."""
    if path.is_dir():
        yield from (file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file())
        return
    with tarfile.open(path) as archive:
        for member in sorted(archive.getmembers(), key=lambda m: m.name):
            data = archive.extractfile(member)
            if data is not None:
                yield data.read()


def texts(path: Path, n_bytes: int) -> list[str]:
    """UTF-8 texts, at most so many bytes of them."""
    taken: list[str] = []
    for data in files(path):
        if n_bytes < len(data):
            continue
        try:
            taken.append(data.decode())
        except UnicodeDecodeError:
            continue
        n_bytes -= len(data)
    return taken


def best(encode: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs."""
    seconds = []
    for _ in range(3):
        started = time.perf_counter()
        encode()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def main() -> None:
    """Print MB/s of both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("path", type=Path)
    parser.add_argument("--vocab-size", type=int, default=8192)
    parser.add_argument("--megabytes", type=float, default=4)
    options = parser.parse_args()
    sample = texts(options.path, int(options.megabytes * 1e6))
    size = sum(len(text.encode()) for text in sample) / 1e6
    started = time.perf_counter()
    definition = train_tokenizer(sample, TokenizerSettings(vocab_size=options.vocab_size))
    print(f"{len(sample)} texts, {size:.2f} MB; trained in {time.perf_counter() - started:.2f} s")
    encoder, hf = Encoder(definition), Tokenizer.from_str(definition)
    hf.encode_special_tokens = True
    assert all(encoder.encode(text).tolist() == hf.encode(text).ids for text in sample), "the ids differ"
    n_tokens = sum(len(encoder.encode(text)) for text in sample)
    print(f"{n_tokens} tokens, {size * 1e6 / n_tokens:.2f} bytes a token, the same from both")
    print(f"HF tokenizers        {size / best(lambda: [hf.encode(text) for text in sample]):6.1f} MB/s")
    speed = size / best(lambda: [encoder.encode(text) for text in sample])
    print(f"corpusmill, {encoder.engine:8} {speed:6.1f} MB/s")


if __name__ == "__main__":
    main()
