"""The benches of training follow the product: each runs on a tiny case, and what they count is checked."""

import argparse
import importlib.util
import math
from pathlib import Path

import pytest
import torch

from corpusmill.train.job import Job
from corpusmill.train.machine import using_threads
from corpusmill.train.work import Pretraining
from tests.train.conftest import GROUPED, SHAPE, small

BENCH = Path(__file__).parents[2] / "bench"


def bench(name):
    spec = importlib.util.spec_from_file_location(f"bench_{name}", BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _same_threads_afterwards():
    with using_threads(None):
        yield


def test_every_contender_takes_steps():
    module = bench("train")
    for name in module.CONTENDERS:
        found = module.measure(argparse.Namespace(shape="tiny", rows=None, steps=1, one=name))
        assert found["tokens_per_second"] > 0
        assert 1 < found["loss"] < 2 * math.log(512), name


@pytest.mark.parametrize(
    "model",
    [GROUPED, {"kind": "lstm", "width": 32}, GROUPED | {"tied_embeddings": False}],
    ids=["tied", "lstm", "untied"],
)
def test_operations_are_those_of_the_models_formula_without_attention(lines, model):
    module = bench("baselines")
    settings = small(model=model, optimizer={"kind": "adamw"})
    work = Pretraining(Job.of(lines, settings, Path()))
    batch = work.objective.batch(work.rows.take(module.Position(), 4), [(row,) for row in range(4)], training=True)
    made = work.new_model()
    pairs = sum(int(mask.sum()) * layers for mask, layers in module.masks(made, made.prepare(batch.inputs)))
    expected = made.flops_per_token(0) * 4 * 32 + 12.0 * 32 * pairs
    assert module.operations(work, settings) == expected
    assert (pairs > 0) == (model != {"kind": "lstm", "width": 32})


def test_muon_and_the_masks_of_an_encoder_count(lines):
    module = bench("baselines")
    masked = {"kind": "encoder", "window": 4, "global_every": 2}
    with_muon, without = (small(model=SHAPE | masked, optimizer={"kind": kind}) for kind in ("muon", "adamw"))
    work = Pretraining(Job.of(lines, with_muon, Path()))
    products = sum(5 * (4.0 * a * a * b + 2.0 * a**3) for a, b in [(32, 96), (32, 32), (32, 96), (32, 48)] * 2)
    assert module.operations(work, with_muon) - module.operations(work, without) == products
    batch = work.objective.batch(work.rows.take(module.Position(), 4), [(row,) for row in range(4)], training=True)
    wide, narrow = module.masks(work.new_model(), work.new_model().prepare(batch.inputs))
    assert (wide[1], narrow[1]) == (1, 1)
    assert torch.all(narrow[0] <= wide[0])
    assert int(narrow[0].sum()) < int(wide[0].sum())
