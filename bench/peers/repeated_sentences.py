"""datatrove's removal of repeated spans of three sentences, in an environment of its own; for `bench/repeats.py`.

    python bench/peers/repeated_sentences.py FOLDER OUT lines|sentences

FOLDER: JSON lines with `id` and `text`.  lines: a sentence is a line; sentences: its own sentences, for English.  The
texts that it leaves go to OUT/kept, and one line of JSON with the processor's seconds to standard output.  No document
is dropped for being short.  Numbers stay as they are.  This file imports nothing of corpusmill.
"""

import json
import resource
import sys
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import SentDedupConfig, SentenceDedupFilter, SentenceDedupSignature, SentenceFindDedups
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.text import TextNormConfig


def main(folder: str, out: Path, unit: str) -> None:
    """Its three steps."""
    config = SentDedupConfig(
        n_sentences=3,
        split_sentences=unit == "sentences",
        only_dedup_in_index=False,
        min_doc_words=0,
        min_num_sentences=0,
        norm_config=TextNormConfig(norm_numbers=False, norm_weekdays=False, norm_monthnames=False),
    )
    reader = JsonlReader(folder)
    hashes, found = str(out / "hashes"), str(out / "found")
    kept = JsonlWriter(str(out / "kept"), compression=None)
    steps = (
        [reader, SentenceDedupSignature(hashes, config=config)],
        [SentenceFindDedups(hashes, found, config=config)],
        [reader, SentenceDedupFilter(found, config=config), kept],
    )
    for number, pipeline in enumerate(steps):
        LocalPipelineExecutor(pipeline, tasks=1, workers=1, logging_dir=str(out / f"logs{number}")).run()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": sum(each.ru_utime + each.ru_stime for each in used)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
