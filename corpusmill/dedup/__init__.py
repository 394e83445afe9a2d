"""Exact and near-duplicate removal: sketch, group, verify.

    from corpusmill.dedup.local import find_twins
    from corpusmill.dedup.sketch import sketch_documents

    sketches = sketch_documents(doc_ids, texts, settings)                   # Arrow arrays in, one table per part out
    twins = find_twins([sketches], [np.ones(len(texts), bool)], settings)   # in one process, without a runner

The pipeline runs the functions that `find_twins` runs, with a shuffle between them.
"""


def warm_up() -> None:
    """Compile every kernel of this package, or load it from the cache: 5.7 s or 0.7 s on one core."""
    import numpy as np
    import pyarrow as pa

    from corpusmill.dedup.local import find_twins
    from corpusmill.dedup.settings import DedupSettings
    from corpusmill.dedup.sketch import sketch_documents

    settings = DedupSettings()
    texts = pa.array(
        ["one two three four five six", "one two three four five six", "one two three four five six!", None]
    )
    doc_ids = pa.array([f"{row:024x}" for row in range(len(texts))])
    find_twins([sketch_documents(doc_ids, texts, settings)], [np.ones(len(texts), bool)], settings)
