"""Every model with its objective, through the one door: it learns, and its figures are right."""

import json
import struct

import pyarrow.parquet as pq
import pytest

from corpusmill.train.run import train
from tests.train.conftest import KINDS, metrics


@pytest.fixture(scope="module")
def trained(lines, tmp_path_factory):
    """The folder of a model of each kind, trained without interruption when it is first asked for."""
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = tmp_path_factory.mktemp("models") / "model"
            train(lines, KINDS[kind], made[kind])
        return made[kind]

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns(lines, trained, kind):
    losses = [value for _, _, source, value in metrics(trained(kind), "validation_loss") if source is None]
    assert len(losses) == 3
    assert losses[-1] < losses[0] - 0.3


@pytest.mark.parametrize("kind", ["encoder", "encoder-decoder"])
def test_the_loss_is_measured_by_source_where_bits_per_byte_cannot_be(trained, kind):
    last = {source: value for step, _, source, value in metrics(trained(kind), "validation_loss") if step == 12}
    assert set(last) == {None, "en", "zh"}
    assert not metrics(trained(kind), "validation_bits_per_byte")


def test_the_order_of_lines_is_validated(trained):
    kind = "encoder, sentence-order"
    assert [step for step, *_ in metrics(trained(kind), "validation_order_loss")] == [0, 6, 12]
    assert metrics(trained(kind), "validation_order_loss")[0][3] == pytest.approx(0.6931, abs=1e-3)  # log 2


def test_tokens_that_an_objective_adds_are_in_the_tokenizer(trained):
    config = json.loads((trained("encoder-decoder") / "config.json").read_text())
    tokenizer = json.loads((trained("encoder-decoder") / "tokenizer.json").read_text())
    assert config["vocab_size"] == 420
    added = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    assert (added["<extra_id_0>"], added["<extra_id_99>"]) == (320, 419)


def test_tensorboards_files_have_every_metric(lines, tmp_path):
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.record_writer import masked_crc32c

    settings = KINDS["encoder"].model_copy(update={"tensorboard": True})
    train(lines, settings, tmp_path / "model")
    (file,) = (tmp_path / "model" / "tensorboard").iterdir()
    data, at, found = file.read_bytes(), 0, []
    while at < len(data):  # the format of TFRecord: length, checksum, content, checksum
        (size,) = struct.unpack_from("<Q", data, at)
        content = data[at + 12 : at + 12 + size]
        assert struct.unpack_from("<I", data, at + 12 + size) == (masked_crc32c(content),)
        event = Event.FromString(content)
        found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
        at += 16 + size
    rows = pq.read_table(tmp_path / "model" / "metrics.parquet").to_pylist()
    tags = [(row["step"], "/".join(filter(None, (row["metric"], row["source"])))) for row in rows]
    assert [(step, tag) for step, tag, _ in found] == tags
    assert [value for *_, value in found] == pytest.approx([row["value"] for row in rows], rel=1e-5)
