"""Several processes train the model that one process trains; they end if one of them is lost."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
import torch
import torch.distributed as dist

from corpusmill.recipe import load_training
from corpusmill.train import ranks as ranks_module
from corpusmill.train.ranks import Ranks
from corpusmill.train.run import train
from tests.train.conftest import GROUPED, LONGER, SHAPE, KilledError, metrics, small, weights
from tests.train.together import together

SGD = {"optimizer": {"kind": "sgd", "learning_rate": 0.05, "max_gradient_norm": 1.0}}  # small errors stay small
UNUSED = """
from corpusmill.train.objectives.causal import Causal


class WithoutOutputHead(Causal):
    predicts_every_token = False

    def losses(self, model, arguments, targets, training):
        return (model.hidden(*arguments)[..., 0].flatten() * (targets[0].flatten() % 3 - 1.0),)
"""
KINDS = {
    "decoder": small(model=GROUPED, **SGD),
    "untied, passes": small(model=GROUPED | {"tied_embeddings": False}, rows_per_pass=1, **SGD),
    "recomputed": small(model=GROUPED, recompute=True, **SGD),
    "encoder, order": small(model=SHAPE | {"kind": "encoder"}, objective={"order": "sentence-order"}, **LONGER, **SGD),
    "encoder-decoder": small(model=GROUPED | {"kind": "encoder-decoder"}, **SGD),
    "lstm": small(model={"kind": "lstm", "width": 32, "attention": True}, **SGD),
    "muon": small(model=GROUPED),
    "adamw": small(model=GROUPED, optimizer={"kind": "adamw"}),
}
ROUGH = {"muon": 2e-3, "adamw": 2e-4}  # the one rounds to bfloat16, the other divides by the gradient's own size
FIGURES = ("loss", "gradient_norm", "validation_loss", "validation_order_loss", "validation_bits_per_byte")


@pytest.fixture(scope="module")
def kinds(tmp_path_factory):
    """The settings of each kind, and of an objective that does not use the output head."""
    path = tmp_path_factory.mktemp("own") / "unused.py"
    path.write_text(UNUSED)
    own = {"kind": "own", "path": str(path)}
    slow = {"optimizer": {**SGD["optimizer"], "learning_rate": 0.005}}  # its loss has no lower bound
    return KINDS | {"own": small(model=GROUPED | {"tied_embeddings": False}, objective=own, **slow)}


@pytest.fixture(scope="module")
def alone(lines, kinds, tmp_path_factory):
    """Models that one process trains."""
    folder = tmp_path_factory.mktemp("alone")
    for kind, settings in kinds.items():
        train(lines, settings, folder / kind)
    return folder


def train_all(rank, corpus, settings, folder):
    dist.init_process_group("gloo")
    for kind, each in settings.items():
        train(corpus, each, folder / kind, device="cpu")
    dist.destroy_process_group()


def assert_same(one, other, tolerance):
    """The figures and the weights of two models."""
    ours, theirs = metrics(one, *FIGURES), metrics(other, *FIGURES)
    assert [row[:3] for row in ours] == [row[:3] for row in theirs]
    assert [row[3] for row in ours] == pytest.approx([row[3] for row in theirs], rel=tolerance)
    ours, theirs = weights(one), weights(other)
    assert ours.keys() == theirs.keys()
    if tolerance <= 1e-4:
        for name, tensor in ours.items():
            torch.testing.assert_close(tensor, theirs[name], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sharding", ["replicate", "shard"])
def test_two_ranks_train_the_model_of_one(lines, kinds, alone, tmp_path, sharding):
    """Masks and spans depend on the row, not on the process; targets are unequal in number."""
    settings = {kind: each.model_copy(update={"sharding": sharding}) for kind, each in kinds.items()}
    assert together(train_all, lines, settings, tmp_path) == ["", ""]
    for kind in kinds:
        assert_same(tmp_path / kind, alone / kind, ROUGH.get(kind, 1e-4))


def stop_at(step):
    def progress(report):
        if report.step == step:
            raise KilledError

    return progress


def train_until(rank, corpus, settings, out, step):
    with pytest.raises(KilledError):
        train(corpus, settings, out, device="cpu", progress=stop_at(step))


@pytest.mark.parametrize("sharding", ["replicate", "shard"])
def test_a_training_goes_on_with_another_number_of_ranks(lines, alone, tmp_path, sharding):
    settings = KINDS["decoder"].model_copy(update={"checkpoint_every": 2, "sharding": sharding})
    train_until(0, lines, settings, tmp_path / "model", 5)
    assert together(train_until, lines, settings, tmp_path / "model", 9) == ["", ""]
    assert [path.name for path in (tmp_path / "model").glob("checkpoint-*")] == ["checkpoint-00000008"]
    train(lines, settings, tmp_path / "model")
    assert_same(tmp_path / "model", alone / "decoder", 1e-4)


def interrupted(rank, corpus, settings, out):
    """Only one of the processes gets the signal."""

    def progress(report):
        if report.step == 4 and rank == 1:
            signal.raise_signal(signal.SIGTERM)  # to this thread, so that it is noted at once

    train(corpus, settings, out, device="cpu", progress=progress)


@pytest.mark.parametrize("sharding", ["replicate", "shard"])
def test_a_signal_to_one_rank_stops_all_after_the_same_step(lines, alone, tmp_path, sharding):
    settings = KINDS["decoder"].model_copy(update={"sharding": sharding})
    errors = together(interrupted, lines, settings, tmp_path / "model")
    assert [
        f"interrupted by {name} after step 4 of 12" in error
        for name, error in zip(("another process", "SIGTERM"), errors, strict=True)
    ] == [True, True], errors
    train(lines, settings, tmp_path / "model")
    assert_same(tmp_path / "model", alone / "decoder", 1e-4)


def train_with_a_silent_rank(rank, corpus, settings, out):
    ranks_module.TIMEOUT = timedelta(seconds=5)

    def progress(report):
        if report.step == 3 and rank == 1:
            time.sleep(15)

    train(corpus, settings, out, device="cpu", progress=progress)


def test_a_rank_that_does_not_answer_is_an_error_and_no_hanging(lines, tmp_path):
    errors = together(train_with_a_silent_rank, lines, KINDS["decoder"], tmp_path / "model")
    assert all("RunError" in error for error in errors), errors
    assert "process 0 has lost the others that train with it: one has ended, or did not answer for 5 s" in errors[0]


def train_and_die(rank, corpus, settings, out):
    def progress(report):
        if report.step == 3 and rank == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    train(corpus, settings, out, device="cpu", progress=progress)


@pytest.mark.parametrize("sharding", ["replicate", "shard"])
def test_a_rank_that_dies_ends_the_others_with_an_error(lines, tmp_path, sharding):
    settings = KINDS["decoder"].model_copy(update={"sharding": sharding})
    errors = together(train_and_die, lines, settings, tmp_path / "model")
    assert "RunError: process 0 has lost the others that train with it: one has ended" in errors[0]
    assert errors[1] == "died"


def train_in_own_folders(rank, corpus, settings, folder):
    train(corpus, settings, folder / f"rank {rank}", device="cpu")


def test_ranks_need_a_shared_folder(lines, tmp_path):
    train_until(0, lines, KINDS["decoder"], tmp_path / "rank 0", 6)
    errors = together(train_in_own_folders, lines, KINDS["decoder"], tmp_path)
    assert "the processes do not see the same checkpoint; they need a shared folder" in errors[1]


RECIPE = """
[[sources]]
name = "en"
kind = "jsonl"
paths = ["a.jsonl"]
"""


def test_torchrun_ends_when_a_process_is_killed_and_one_process_goes_on(lines, alone, tmp_path):
    """The command of the docs."""
    (lines / "recipe.toml").write_text(RECIPE)
    (tmp_path / "train.toml").write_text(
        "[train]\nrow_length = 32\nrows_per_step = 4\nsteps = 12\ncheckpoint_every = 1\nvalidate_every = 6\n"
        "validation_rows = 8\n[train.model]\nlayers = 2\nwidth = 32\nheads = 2\nkv_heads = 1\n"
        '[train.optimizer]\nkind = "sgd"\nlearning_rate = 0.05\nmax_gradient_norm = 1.0\n'
    )
    arguments = ["train", str(lines), "--config", str(tmp_path / "train.toml"), "--out", str(tmp_path / "model")]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    (tmp_path / "kill.py").write_text(KILLED_WORKER)
    ended = subprocess.run(
        [*torchrun, str(tmp_path / "kill.py"), *arguments],
        capture_output=True, text=True, env=environment, timeout=300, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "Signal 9 (SIGKILL)" in ended.stderr
    assert list((tmp_path / "model").glob("checkpoint-*"))
    assert ended.stdout == ""
    train(lines, load_training(tmp_path / "train.toml"), tmp_path / "model")
    assert_same(tmp_path / "model", alone / "decoder", 1e-4)


KILLED_WORKER = """
import os, signal, sys
from corpusmill.cli import main
from corpusmill.train import run

really = run.train


def train(*arguments, progress, **options):
    def last(report):
        progress(report)
        if report.step == 5 and os.environ["RANK"] == "1":
            os.kill(os.getpid(), signal.SIGKILL)

    return really(*arguments, progress=last, **options)


run.train = train
main()
"""


def test_large_models_are_sharded_on_gpus_only(monkeypatch):
    class Gpu:
        total_memory = 16 * 1000 * 2

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Gpu)
    small_one, large_one = torch.nn.Linear(999, 1), torch.nn.Linear(1000, 1)
    cpu, gpu = Ranks(torch.device("cpu"), 0, 2), Ranks(torch.device("cuda"), 0, 2)
    assert [gpu.shards(model, "auto") for model in (small_one, large_one)] == [False, True]
    assert not cpu.shards(large_one, "auto")
    assert cpu.shards(small_one, "shard")
    assert not gpu.shards(large_one, "replicate")
    assert not Ranks(torch.device("cuda")).shards(large_one, "shard")  # one process alone
