"""What datatrove's four filters say of texts, in a process of its own: `bench/conformance.py` and `bench/filters.py`.

    python bench/peers/datatrove_filters.py TEXTS DECISIONS     JSON lines: {"text"} -> {FILTER: reason or null}
    python bench/peers/datatrove_filters.py TEXTS --time        seconds of processor time of each filter

This file imports nothing of corpusmill.
"""

import json
import sys
import time
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
)
from datatrove.utils.text import split_into_words

FILTERS = {
    "gopher_quality": GopherQualityFilter,
    "gopher_repetition": GopherRepetitionFilter,
    "c4": C4QualityFilter,
    "fineweb": FineWebQualityFilter,
}


def reason(judge: object, text: str) -> str | None:
    """Why a filter drops a text; None if it keeps it; what it raises, if it does."""
    try:
        answer = judge.filter(  # type: ignore[attr-defined]
            Document(text=text, id="0")
        )
    except Exception as error:  # noqa: BLE001 - a filter that fails on a text is a finding
        return f"raises {type(error).__name__}"
    if answer is True:
        return None
    return answer[1] if isinstance(answer, tuple) else "dropped"


def main(source: str, target: str) -> None:
    """Judge every text with every filter."""
    texts = [json.loads(line)["text"] for line in Path(source).read_text("utf-8").splitlines()]
    judges = {name: kind() for name, kind in FILTERS.items()}
    if target == "--time":
        split_into_words("a warm-up")
        for name, judge in judges.items():
            started = time.process_time()
            for text in texts:
                reason(judge, text)
            print(json.dumps({"filter": name, "seconds": time.process_time() - started}), flush=True)
        return
    with Path(target).open("w", encoding="utf-8") as file:
        for text in texts:
            answers = {name: reason(judge, text) for name, judge in judges.items()}
            answers["n_tokens"] = len(split_into_words(text))
            file.write(json.dumps(answers) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
