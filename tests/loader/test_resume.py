"""A training loop goes on exactly where it stopped, with any number of ranks and workers.

`python -m tests.loader.kills` kills real processes for longer.
"""

import itertools
import random
import threading

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from corpusmill.errors import InputError
from corpusmill.loader import Steps, open_rows
from corpusmill.loader import rows as rows_module
from corpusmill.loader.dataset import StepDataset
from tests.loader.kills import battery, corpus_in


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return corpus_in(tmp_path_factory.mktemp("corpus"))


def steps_of(corpus, rank=0, ranks=1, state=None):
    rows = open_rows(corpus, row_length=16, seed=7, window_tokens=2000)
    return Steps(rows, rows_per_step=12, rank=rank, ranks=ranks, state=state)


def batches(steps, workers, n):
    """The first batches of a loader; `steps` as it is, or as its workers make them."""
    loader = DataLoader(StepDataset(steps), batch_size=None, num_workers=workers, timeout=60 if workers else 0)
    return [batch.numpy() for batch in itertools.islice(loader, n)]


def test_twenty_stops_with_changing_ranks_and_workers(corpus):
    """In one process: what each rank sees between two stops, and only the state goes on."""
    draw, state, done = random.Random(5), None, 0
    whole = steps_of(corpus)
    for stop in range(20):
        ranks, n = draw.randint(1, 4), draw.randint(1, 60)
        workers = 2 if stop % 7 == 3 else 0  # processes take time
        of_ranks = [batches(steps_of(corpus, rank, ranks, state), workers, n) for rank in range(ranks)]
        for number, shares in enumerate(zip(*of_ranks, strict=True)):
            assert np.array_equal(np.concatenate(shares), whole.step(done + number))
        state = steps_of(corpus, 0, ranks, state).state(n).as_json()
        done += n
    assert state["epoch"] > 2


def test_a_loop_that_is_killed_sees_the_rows_of_the_uninterrupted_one(tmp_path):
    battery(tmp_path, kills=2, seed=3, steps=90)


def test_workers_that_are_forked_while_a_thread_reads_ahead_do_not_wait_for_it(corpus, monkeypatch):
    """A lock that a thread of the parent holds is never released in the worker: this has hung."""
    begun, end, packed = threading.Event(), threading.Event(), rows_module.Packed

    def slowly(*arguments, **options):
        if threading.current_thread() is thread:
            begun.set()
            assert end.wait(120)
        return packed(*arguments, **options)

    monkeypatch.setattr(rows_module, "Packed", slowly)
    thread = threading.Thread(target=lambda: steps_of(corpus).step(0))
    thread.start()
    try:
        assert begun.wait(60)
        found = batches(steps_of(corpus), 2, 3)
    finally:
        end.set()
        thread.join(60)
    whole = steps_of(corpus)
    assert all(np.array_equal(batch, whole.step(number)) for number, batch in enumerate(found))


@pytest.mark.filterwarnings("ignore:'set_vital' is deprecated:UserWarning")  # in torchdata 0.11
@pytest.mark.parametrize("workers", [0, 2])
def test_the_stateful_loader_of_torchdata_goes_on(corpus, workers):
    def loader():
        return StatefulDataLoader(
            StepDataset(steps_of(corpus)), batch_size=None, num_workers=workers, timeout=60 if workers else 0
        )

    first = loader()
    seen = list(itertools.islice(first, 5))
    state = first.state_dict()
    del first
    second = loader()
    second.load_state_dict(state)
    seen += itertools.islice(second, 4)
    whole = steps_of(corpus)
    assert all(np.array_equal(batch.numpy(), whole.step(number)) for number, batch in enumerate(seen))
    assert len(seen) == 9


def test_a_dataset_ends_and_refuses_other_rows(corpus):
    dataset = StepDataset(steps_of(corpus), n_steps=3)
    made = list(dataset)
    assert len(made) == 3
    assert made[0].dtype == torch.int64
    state = dataset.state_dict()
    other = open_rows(corpus, row_length=16, seed=8)
    with pytest.raises(InputError, match="the state belongs to other rows"):
        StepDataset(Steps(other, rows_per_step=12)).load_state_dict(state)
