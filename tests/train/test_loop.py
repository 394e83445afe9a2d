"""Training through its one door: exact resume, what is measured, what is refused."""

import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections import Counter

import pyarrow.parquet as pq
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from corpusmill import schema
from corpusmill.corpus import Corpus
from corpusmill.errors import CorruptPartError, InputError, InterruptedRunError, RunError
from corpusmill.mix import write_mix
from corpusmill.reasons import Stage
from corpusmill.recipe import TrainSettings
from corpusmill.train.machine import using_threads
from corpusmill.train.models.decoder import Decoder, ModelConfig
from corpusmill.train.run import train
from tests.train.conftest import (
    KINDS,
    KilledError,
    documents,
    metrics,
    same,
    token_documents,
    weights,
    write_tokenizer,
    write_tokens,
)


@pytest.fixture(scope="module")
def reference(corpus, tmp_path_factory):
    """A model trained without interruption."""
    settings = KINDS["decoder"]
    out = tmp_path_factory.mktemp("models") / "reference"
    return out, train(corpus, settings, out)


def test_a_trained_model(reference):
    out, result = reference
    assert sorted(path.name for path in out.iterdir()) == [
        ".lock", "config.json", "metrics.parquet", "model.safetensors", "plan.json", "receipt.json", "tokenizer.json",
        "tokenizer_config.json",
    ]  # fmt: skip
    assert (result.trained, result.steps, result.tokens) == (True, 12, 12 * 4 * 32)
    assert result.validation_loss < math.log(320)
    config = json.loads((out / "config.json").read_text())
    assert config["architectures"] == ["Qwen3ForCausalLM"]
    Decoder(ModelConfig.from_hf(config)).load_state_dict(weights(out))


@pytest.mark.parametrize("crashes", [[1], [5], [7], [11], [12], [3, 6, 9]])
def test_a_killed_run_ends_with_the_same_weights(corpus, settings, reference, tmp_path, crashes):
    def crash_at(step):
        def progress(report):
            if report.step == step:
                raise KilledError

        return progress

    for step in crashes:
        with pytest.raises(KilledError):
            train(corpus, settings, tmp_path / "model", progress=crash_at(step))
    result = train(corpus, settings, tmp_path / "model")
    assert same(weights(tmp_path / "model"), weights(reference[0]))
    names = ("loss", "validation_loss", "validation_bits_per_byte", "unigram_entropy")
    assert metrics(tmp_path / "model", *names) == metrics(reference[0], *names)
    assert (result.loss, result.tokens) == (reference[1].loss, reference[1].tokens)


def test_a_resumed_training_computes_with_the_threads_of_its_first_run(lines, tmp_path):
    """The gradient of LayerNorm is a sum that the threads share, so it is rounded differently with another number."""
    settings = KINDS["encoder"]

    def crash(report):
        if report.step == 7:
            raise KilledError

    with using_threads(1):
        train(lines, settings, tmp_path / "whole")
        with pytest.raises(KilledError):
            train(lines, settings, tmp_path / "killed", progress=crash)
    with using_threads(3):
        train(lines, settings, tmp_path / "killed")
        assert torch.get_num_threads() == 3
        train(lines, settings, tmp_path / "three")
    assert same(weights(tmp_path / "killed"), weights(tmp_path / "whole"))
    assert not same(weights(tmp_path / "three"), weights(tmp_path / "whole"))


def test_a_finished_model_loses_the_checkpoints_that_a_crash_has_left(corpus, settings, reference, tmp_path):
    shutil.copytree(reference[0], tmp_path / "model")
    (tmp_path / "model" / "checkpoint-00000012").mkdir()
    (tmp_path / "model" / "checkpoint-00000012" / "state.json").write_text("{}")
    (tmp_path / "model" / "best.safetensors").touch()
    assert not train(corpus, settings, tmp_path / "model").trained
    assert {path.name for path in (tmp_path / "model").iterdir()} == {path.name for path in reference[0].iterdir()}


def test_a_finished_model_is_not_trained_again_nor_torch_imported(corpus, settings, reference):
    out, result = reference
    script = (
        "import sys; from corpusmill.train.run import train; from corpusmill.recipe import TrainSettings\n"
        "settings = TrainSettings.model_validate_json(sys.argv[2])\n"
        "result = train(sys.argv[1], settings, sys.argv[3])\n"
        "assert not {'torch', 'duckdb', 'apache_beam'} & set(sys.modules), sys.modules.keys()\n"
        "print(result.trained, result.validation_loss)"
    )
    command = [sys.executable, "-c", script, str(corpus), settings.model_dump_json(), str(out)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", repr(result.validation_loss)]
    repeated = train(corpus, settings.model_copy(update={"checkpoint_every": 1}), out)  # changes no result
    assert (repeated.trained, repeated.loss) == (False, result.loss)


def test_another_model_is_never_replaced(corpus, settings, reference, tmp_path):
    with pytest.raises(
        InputError, match=r"holds a model of other tokens or settings \(seed = 1\); choose another --out"
    ):
        train(corpus, settings.model_copy(update={"seed": 2}), reference[0])
    write_tokens(tmp_path, [documents(70)])
    with pytest.raises(InputError, match="holds a model of other tokens or settings;"):
        train(tmp_path, settings, reference[0])


@pytest.mark.parametrize(
    ("name", "content"),
    [("model.safetensors", "of a friend"), ("receipt.json", "{}"), ("recipe.toml", ""), ("checkpoint-00000004/a", "")],
)
def test_files_of_something_else_are_never_replaced(corpus, settings, tmp_path, name, content):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=rf"has not written \({name.split('/')[0]}\); choose another --out"):
        train(corpus, settings, tmp_path)
    assert (tmp_path / name).read_text() == content
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_may_have_files_that_training_does_not_write(corpus, settings, tmp_path):
    (tmp_path / "train.log").write_text("")
    assert train(corpus, settings.model_copy(update={"steps": 1}), tmp_path).trained


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: 10000 bytes."),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        MemoryError(),
    ],
)
def test_a_full_memory_is_one_sentence(corpus, settings, tmp_path, error):
    def fill(report):
        raise error

    with pytest.raises(RunError, match=r"memory is too small .* lower rows_per_pass"):
        train(corpus, settings, tmp_path / "model", progress=fill)


def test_another_error_of_torch_stays_as_it_is(corpus, settings, tmp_path):
    def fail(report):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        train(corpus, settings, tmp_path / "model", progress=fail)


def test_seeds_and_steps_matter(corpus, settings, reference, tmp_path):
    train(corpus, settings.model_copy(update={"seed": 2}), tmp_path / "seed")
    assert not same(weights(tmp_path / "seed"), weights(reference[0]))
    assert train(corpus, settings, tmp_path / "steps", steps=3).steps == 3
    with pytest.raises(InputError, match="0 steps cannot be trained"):
        train(corpus, settings, tmp_path / "none", steps=0)


def test_a_training_that_diverges_says_so(corpus, settings, tmp_path):
    wild = TrainSettings(**settings.model_dump(exclude={"optimizer", "schedule"}), learning_rate=1e30, warmup_share=0)
    with pytest.raises(
        InputError,
        match=r"1\d of 12 steps were skipped, because .*: training diverged; lower the learning rates in",
    ):
        train(corpus, wild, tmp_path / "model")


def test_a_part_without_a_receipt_does_not_exist(tmp_path, settings):
    write_tokens(tmp_path, [documents(70), documents(70, first=70)])
    Corpus(tmp_path).withdraw(Stage.TOKENS, "part-1")
    train(tmp_path, settings, tmp_path / "a")
    (tmp_path / "tokens" / "part-1.parquet").unlink()
    assert not train(tmp_path, settings, tmp_path / "a").trained


def test_metrics(reference, corpus):
    out, result = reference
    table = pq.read_table(out / "metrics.parquet")
    assert table.schema == schema.METRICS.arrow
    assert [step for step, *_ in metrics(out, "loss")] == [10, 12]
    assert [step for step, *_ in metrics(out, "validation_loss")] == [0, 6, 12]
    per_byte = metrics(out, "validation_bits_per_byte")
    assert [source for _, _, source, _ in per_byte] == [None, "en", "zh"] * 3
    assert result.validation_bits_per_byte == per_byte[-3][3]
    assert max(row["seconds"] for row in table.to_pylist()) <= result.seconds + 0.001


def test_unigram_entropy_is_that_of_the_training_tokens(reference, corpus):
    rows = token_documents(corpus)
    counts = Counter(id_ for row in rows if row["split"] == "train" for id_ in [0, *row["ids"]])
    total = sum(counts.values())
    entropy = -sum(n / total * math.log2(n / total) for n in counts.values())
    few_rows = 0.002  # a group counts as often as its rows come, and its last row is filled up
    assert reference[1].unigram_entropy_bits == pytest.approx(entropy, rel=few_rows)
    assert reference[1].unigram_entropy == pytest.approx(entropy * math.log(2), rel=few_rows)


def test_validation_against_each_document_scored_alone(tmp_path, settings):
    """Documents shorter than a row, so few that all are measured: scored one by one, without rows or masks."""
    table = documents(40, validation_every=5)
    tokens = write_tokens(tmp_path, [table])["part-0"].to_pylist()
    wide = settings.model_copy(update={"row_length": 512, "rows_per_step": 1, "steps": 2})
    result = train(tmp_path, wide, tmp_path / "model")
    model = Decoder(ModelConfig.from_hf(json.loads((tmp_path / "model" / "config.json").read_text())))
    model.load_state_dict(weights(tmp_path / "model"))
    held_out = [row for row in tokens if row["split"] == "validation"]
    assert sum(row["n_tokens"] + 1 for row in held_out) < 512
    bits = {"en": 0.0, "zh": 0.0}
    for row in held_out:
        with torch.no_grad():
            scores, targets = model(torch.tensor([[0, *row["ids"][:-1]]]))[0], torch.tensor(row["ids"])
            bits[row["source"]] += F.cross_entropy(scores, targets, reduction="sum").item() / math.log(2)
    size = {name: sum(row["n_bytes"] for row in held_out if row["source"] == name) for name in bits}
    measured = {source: value for step, _, source, value in metrics(tmp_path / "model", "validation_bits_per_byte")}
    assert measured["en"] == pytest.approx(bits["en"] / size["en"], rel=1e-4)
    assert measured["zh"] == pytest.approx(bits["zh"] / size["zh"], rel=1e-4)
    assert result.validation_bits_per_byte == pytest.approx(sum(bits.values()) / sum(size.values()), rel=1e-4)


def test_the_loss_falls_below_the_unigram_entropy(corpus, settings, tmp_path):
    result = train(corpus, settings, tmp_path / "model", steps=80)
    assert result.validation_loss < 0.6 * result.unigram_entropy
    assert result.validation_loss < 0.6 * result.unigram_validation_loss


def test_without_validation_documents(tmp_path, settings):
    write_tokens(tmp_path, [documents(60, validation_every=0)])
    reports = []
    result = train(tmp_path, settings, tmp_path / "model", progress=reports.append)
    assert (result.validation_loss, result.validation_bits_per_byte, result.unigram_validation_loss) == (None,) * 3
    assert [report.step for report in reports] == list(range(1, 13))
    assert all(report.validation_loss is None for report in reports)


def test_a_corpus_without_training_documents_or_with_few(tmp_path, settings):
    write_tokens(tmp_path, [documents(9, validation_every=1)])
    with pytest.raises(InputError, match="its training tokens fill only 0 rows of 32 tokens, and one step takes 4"):
        train(tmp_path, settings, tmp_path / "model")
    write_tokens(tmp_path, [documents(2, first=1)])
    with pytest.raises(InputError, match=r"fill only \d rows .* lower train\.rows_per_step or train\.row_length"):
        train(tmp_path, settings.model_copy(update={"rows_per_step": 64}), tmp_path / "model")


def test_no_tokens_no_tokenizer(tmp_path, settings, corpus):
    with pytest.raises(InputError, match="has no tokens to train on; make them with 'corpusmill run'"):
        train(tmp_path, settings, tmp_path / "model")
    write_tokens(tmp_path, [documents(20)])
    tokenizer = tmp_path / "tokenizer" / "tokenizer.json"
    definition = json.loads(tokenizer.read_text())
    definition["added_tokens"] = []
    write_tokenizer(Corpus(tmp_path), json.dumps(definition))
    with pytest.raises(InputError, match="has no special token to stand between documents"):
        train(tmp_path, settings, tmp_path / "model")
    tokenizer.write_bytes(tokenizer.read_bytes()[:-1] + b" ")
    with pytest.raises(CorruptPartError, match=r"tokenizer\.json is damaged"):
        train(tmp_path, settings, tmp_path / "model")
    tokenizer.unlink()
    with pytest.raises(CorruptPartError, match="tokenizer/tokenizer is missing"):
        train(tmp_path, settings, tmp_path / "model")


def test_changed_weights_are_another_training(corpus, settings, tmp_path):
    folder = shutil.copytree(corpus, tmp_path / "corpus")
    train(folder, settings, tmp_path / "model")
    assert not train(folder, settings, tmp_path / "model").trained
    write_mix(Corpus(folder), {"zh": 2.0, "en": 1.0})
    with pytest.raises(InputError, match="holds a model of other tokens or settings"):
        train(folder, settings, tmp_path / "model")


def test_devices(corpus, settings, tmp_path):
    with pytest.raises(InputError, match="unknown device 'tpu'; allowed: cuda, cpu"):
        train(corpus, settings, tmp_path / "model", device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="device 'cuda' was asked for"):
            train(corpus, settings, tmp_path / "model", device="cuda")


def test_a_time_limit_becomes_a_number_of_steps_that_resuming_keeps(corpus, settings, tmp_path):
    limited = settings.model_copy(update={"steps": 100_000, "max_seconds": 1.0})

    def crash(report):
        raise KilledError

    with pytest.raises(KilledError):
        train(corpus, limited, tmp_path / "model", progress=crash)
    steps = json.loads((tmp_path / "model" / "plan.json").read_text())["steps"]
    assert 1 <= steps < 10_000
    short = {**json.loads((tmp_path / "model" / "plan.json").read_text()), "steps": 7}
    (tmp_path / "model" / "plan.json").write_text(json.dumps(short))
    assert train(corpus, limited, tmp_path / "model").steps == 7
    assert train(corpus, limited, tmp_path / "model").trained is False


def test_a_full_disk_is_one_sentence_and_can_be_resumed(corpus, settings, reference, tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(RunError, match=r"no space left to write .* it goes on where it stopped"):
            train(corpus, settings, tmp_path / "model")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    train(corpus, settings, tmp_path / "model")
    assert same(weights(tmp_path / "model"), weights(reference[0]))


@pytest.fixture(scope="module")
def stopped(corpus, reference, tmp_path_factory):
    """A model whose training was killed after its first checkpoint."""
    settings = KINDS["decoder"]
    out = tmp_path_factory.mktemp("models") / "stopped"

    def crash(report):
        if report.step == 7:
            raise KilledError

    with pytest.raises(KilledError):
        train(corpus, settings, out, progress=crash)
    return out


@pytest.mark.parametrize("name", ["model.safetensors", "optimizers.safetensors", "state.json", "metrics.parquet"])
@pytest.mark.parametrize("damage", ["cut off", "gone", "another"])
def test_a_damaged_checkpoint_is_one_sentence(corpus, settings, stopped, tmp_path, name, damage):
    shutil.copytree(stopped, tmp_path / "model")
    (checkpoint,) = (tmp_path / "model").glob("checkpoint-*")
    path = checkpoint / name
    match damage:
        case "cut off":
            os.truncate(path, path.stat().st_size // 2)
        case "gone":
            path.unlink()
        case "another":
            path.write_text("{}")
    with pytest.raises(RunError, match=f"{checkpoint}: is damaged .* delete it"):
        train(corpus, settings, tmp_path / "model")
    shutil.rmtree(checkpoint)
    assert train(corpus, settings, tmp_path / "model").steps == 12


@pytest.mark.parametrize("name", ["plan.json", "receipt.json"])
@pytest.mark.parametrize("content", ["{}", "[]", "null", "not json", '{"fingerprint": 1}'])
def test_a_file_of_another_form_counts_as_none(corpus, settings, reference, tmp_path, name, content):
    shutil.copytree(reference[0], tmp_path / "model")
    (tmp_path / "model" / name).write_text(content)
    assert train(corpus, settings, tmp_path / "model").trained is (name == "receipt.json")
    assert same(weights(tmp_path / "model"), weights(reference[0]))


def test_one_run_at_a_time(corpus, settings, tmp_path):
    from corpusmill.corpus import Corpus

    with Corpus(tmp_path / "model").lock(), pytest.raises(InputError, match="wait until it ends"):
        train(corpus, settings, tmp_path / "model")


def test_an_interrupted_training_saves_and_says_how_to_go_on(corpus, tmp_path):
    """The steps after that have the bytes of a training without interruption."""
    settings = KINDS["decoder"].model_copy(update={"validation_rows": 1})
    train(corpus, settings, tmp_path / "whole")

    def interrupt(report):
        if report.step == 4:
            signal.raise_signal(signal.SIGINT)  # to this thread, so that it is noted at once

    with pytest.raises(
        InterruptedRunError, match=r"interrupted by SIGINT after step 4 of 12, which is saved; the same"
    ):
        train(corpus, settings, tmp_path / "cut", progress=interrupt)
    steps = []
    train(corpus, settings, tmp_path / "cut", progress=lambda report: steps.append(report.step))
    assert steps[0] == 5
    names = ["model.safetensors", "config.json"]
    assert [(tmp_path / "cut" / n).read_bytes() for n in names] == [
        (tmp_path / "whole" / n).read_bytes() for n in names
    ]
