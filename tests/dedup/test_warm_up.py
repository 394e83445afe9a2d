import numpy as np
import pyarrow as pa

from corpusmill import dedup
from corpusmill.dedup import group, local, sketch, verify
from corpusmill.recipe import DedupSettings


def compiled():
    """The signatures that each kernel is compiled for; none where it came from the cache as a part of another."""
    found = {name: value for module in (group, sketch, verify) for name, value in vars(module).items()}
    return {name: list(value.signatures) for name, value in found.items() if hasattr(value, "signatures")}


def test_after_warm_up_no_input_of_any_shape_compiles_anything():
    dedup.warm_up()
    before = compiled()
    assert before["_sketch"]
    assert all(len(signatures) <= 1 for signatures in before.values())
    settings = DedupSettings(ngram=2, bands=3, rows=2)
    columns = [
        pa.array([], pa.string()),
        pa.array([None, None], pa.string()),
        pa.array(["", "!"], pa.large_string()),
        pa.array(["one two", "x", "one two"], pa.large_string())[1:],
        pa.chunked_array([["one two"], ["one two three"], []]),
    ]
    for text in columns:
        doc_ids = pa.array([f"{row:024x}" for row in range(len(text))], pa.string())
        table = sketch.sketch_documents(doc_ids, text, settings)
        local.find_twins([table, table[:0]], [np.ones(len(table), bool), np.ones(0, bool)], settings)
    assert compiled() == before
