"""The tokens of a corpus for other programs: each is read back as its format is documented, or by its own library.

HF datasets is among the tools of tests.  nanoGPT and llm.c are scripts.  The libraries of MosaicML and Megatron bring
many packages, which change what is installed; `bench/exports.py` reads the files with them.
"""

import json
import struct

import datasets
import numpy as np
import pytest

from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.export import llmc, mds
from corpusmill.export.formats import export
from tests.loader.conftest import BOUNDARY, documents, write


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Three parts; every fourth document is for validation; one part is empty."""
    folder, rng = tmp_path_factory.mktemp("corpus"), np.random.default_rng(1)
    splits, start, tables = ("train", "train", "train", "validation"), 1, {}
    for name, n in (("a", 30), ("b", 0), ("c", 41)):
        sizes = rng.integers(0, 30, n)
        tables[name] = documents(name, sizes, start=start, splits=splits, language=["en", None][start % 2])
        start += int(sizes.sum())
    return write(folder, tables)


def small(corpus, tmp_path):
    """The same corpus with a vocabulary of 16 bits."""
    tables = {name: corpus.read("tokens", name) for name in corpus.parts("tokens")}
    return write(tmp_path / "small", tables, vocab_size=5000)


def of_split(corpus, split):
    rows = [row for part in corpus.parts("tokens") for row in corpus.read("tokens", part).to_pylist()]
    return [row for row in rows if row["split"] == split]


def test_nanogpt(corpus, tmp_path):
    made = small(corpus, tmp_path)
    result = export(made.folder, "nanogpt", tmp_path / "out")
    for split, name in (("train", "train.bin"), ("validation", "val.bin")):
        ids = np.memmap(tmp_path / "out" / name, dtype=np.uint16, mode="r")  # as its train.py does
        assert ids.tolist() == [id for row in of_split(made, split) for id in (*row["ids"], BOUNDARY)]
    told = json.loads((tmp_path / "out/corpus.json").read_text())
    assert told["splits"]["train"]["documents"] == len(of_split(made, "train"))
    assert {figure.metric: figure.value for figure in result.figures}["validation_tokens"] == sum(
        row["n_tokens"] for row in of_split(made, "validation")
    )
    assert Corpus(tmp_path / "out").read_json("corpus.json")["vocab_size"] == 5000
    with pytest.raises(InputError, match="nanoGPT holds ids of 16 bits, and the vocabulary has 100,000 entries"):
        export(corpus.folder, "nanogpt", tmp_path / "large")
    assert not (tmp_path / "large").exists()


@pytest.mark.parametrize("is_small", [True, False])
def test_llmc(corpus, tmp_path, monkeypatch, is_small):
    """As its dataloader reads a file: it checks magic number, version and size."""
    made = small(corpus, tmp_path) if is_small else corpus
    monkeypatch.setattr(llmc, "SHARD_TOKENS", 100)
    export(made.folder, "llmc", tmp_path / "out")
    magic, version, dtype = (20240520, 1, np.uint16) if is_small else (20240801, 7, np.uint32)
    for split, name in (("train", "train"), ("validation", "val")):
        found = []
        for path in sorted((tmp_path / "out").glob(f"tokens_{name}_*.bin")):
            header = np.frombuffer(path.read_bytes()[:1024], np.int32)
            ids = np.frombuffer(path.read_bytes()[1024:], dtype)
            assert header[:3].tolist() == [magic, version, len(ids)]
            found.append(ids)
        assert [len(ids) for ids in found[:-1]] == [100] * (len(found) - 1)
        wanted = [id for row in of_split(made, split) for id in (BOUNDARY, *row["ids"])]
        assert np.concatenate(found).tolist() == wanted


@pytest.mark.parametrize("is_small", [True, False])
def test_megatron(corpus, tmp_path, is_small):
    made = small(corpus, tmp_path) if is_small else corpus
    export(made.folder, "megatron", tmp_path / "out")
    for split in ("train", "validation"):
        index = (tmp_path / f"out/tokens_{split}.idx").read_bytes()
        assert index[:9] == b"MMIDIDX\x00\x00"
        version, code, n, n_bounds = struct.unpack_from("<QBQQ", index, 9)
        dtype = {8: np.uint16, 4: np.int32}[code]
        assert (version, dtype) == (1, np.uint16 if is_small else np.int32)
        lengths = np.frombuffer(index, np.int32, n, 34)
        places = np.frombuffer(index, np.int64, n, 34 + 4 * n)
        bounds = np.frombuffer(index, np.int64, n_bounds, 34 + 12 * n)
        assert len(index) == 34 + 12 * n + 8 * n_bounds
        assert bounds.tolist() == list(range(n + 1))
        data = (tmp_path / f"out/tokens_{split}.bin").read_bytes()
        found = [np.frombuffer(data, dtype, k, at).tolist() for k, at in zip(lengths, places, strict=True)]
        assert found == [[*row["ids"], BOUNDARY] for row in of_split(made, split)]


def test_mds(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(mds, "SHARD_BYTES", 11_000)
    export(corpus.folder, "mds", tmp_path / "out")
    for split in ("train", "validation"):
        index, found = json.loads((tmp_path / f"out/{split}/index.json").read_text()), []
        for shard in index["shards"]:
            data = (tmp_path / "out" / split / shard["raw_data"]["basename"]).read_bytes()
            assert len(data) == shard["raw_data"]["bytes"] <= 11_000
            n = int.from_bytes(data[:4], "little")
            places = np.frombuffer(data, np.uint32, n + 1, 4)
            assert n == shard["samples"]
            assert json.loads(data[8 + 4 * n : places[0]])["column_names"] == ["doc_id", "language", "source", "tokens"]
            assert places[-1] == len(data)
            for begin in places[:-1]:
                sizes, at = np.frombuffer(data, np.uint32, 4, begin), begin + 16
                values = []
                for size in sizes.tolist():
                    values.append(data[at : at + size])
                    at += size
                found.append(values)
        assert [
            (v[0].decode(), v[1].decode(), v[2].decode(), np.frombuffer(v[3], np.uint32).tolist()) for v in found
        ] == [(row["doc_id"], row["language"] or "", row["source"], row["ids"]) for row in of_split(corpus, split)]
        assert split == "validation" or len(index["shards"]) > 1


def test_hf_datasets(corpus, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    export(corpus.folder, "hf", tmp_path / "out")
    found = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    for split in ("train", "validation"):
        wanted = [{key: value for key, value in row.items() if key != "split"} for row in of_split(corpus, split)]
        assert found[split].to_list() == wanted


def test_hf_datasets_reads_the_shards_themselves(corpus, tmp_path):
    files = str(corpus.folder / "tokens/*.parquet")
    found = datasets.load_dataset("parquet", data_files=files, cache_dir=str(tmp_path), split="train")
    assert [row["doc_id"] for row in found if row["split"] == "train"] == [
        row["doc_id"] for row in of_split(corpus, "train")
    ]
    streamed = datasets.load_dataset("parquet", data_files=files, split="train", streaming=True)
    assert list(streamed) == found.to_list()


def test_what_cannot_be_exported(corpus, tmp_path):
    with pytest.raises(
        InputError, match="there is no format 'gguf' for a corpus; there are hf, nanogpt, llmc, megatron"
    ):
        export(corpus.folder, "gguf", tmp_path / "out")
    (tmp_path / "tokens").mkdir()
    with pytest.raises(InputError, match="has no tokens to export"):
        export(tmp_path, "mds", tmp_path / "out")
