"""How long `whatif` takes: a corpus of generated signals, published part by part, asked in a process of its own.

    python -m bench.whatif [PAGES] [FOLDER]

Signals are drawn at random, so that every rule of the default profile drops some pages.  Texts are one word: nothing
reads them.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from corpusmill import schema
from corpusmill.corpus import Corpus
from corpusmill.filters.profiles import active_rules
from corpusmill.filters.register import LANGUAGE_GROUP, SIGNALS, TEXT_GROUP
from corpusmill.filters.rules import judge_pages
from corpusmill.filters.settings import FilterSettings
from corpusmill.parts import Made
from corpusmill.reasons import Stage

PART = 50_000
RECIPE = '[[sources]]\nname = "web"\nkind = "warc"\npaths = ["x"]\n'
USUAL = (  # signals of which most pages have much
    ("mean_word_length", 2.9, 8.0),
    ("alphabetic_word_share", 0.59, 1.0),
    ("stop_word_count", 1, 30),
    ("word_entropy", 3.9, 8.0),
    ("terminal_punctuation_line_share", 0.04, 1.0),
)


def main(pages: int, folder: Path) -> None:
    """Write the corpus unless it is there, and ask three questions."""
    corpus = Corpus(folder / "corpus")
    if not corpus.store.entry("recipe.toml"):
        for number in range(-(-pages // PART)):
            write(corpus, number, min(PART, pages - number * PART))
        corpus.write_text("recipe.toml", RECIPE)
    for change in ([], ["--set", "too_few_words=30"], ["--set", "x=host LIKE 'h1%' AND n_words < 500"]):
        started = time.perf_counter()
        command = [sys.executable, "-m", "corpusmill", "whatif", str(folder / "corpus"), *change]
        answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(f"{time.perf_counter() - started:6.2f} s  {' '.join(change)}\n{answer.splitlines()[1]}")


def write(corpus: Corpus, number: int, rows: int) -> None:
    """One part of every stage that a question reads."""
    rng = np.random.default_rng(number)
    ids = pa.array([f"{number:08x}{row:016x}" for row in rng.permutation(rows)])
    hosts = rng.zipf(1.5, rows) % 5000
    pages = blank(schema.PAGES, rows) | {
        "doc_id": ids,
        "source": pa.array(np.where(rng.random(rows) < 0.7, "web", "news")),
        "url": pa.array([f"http://h{host}.example/{row}" for row, host in enumerate(hosts)]),
        "text": pa.array(["text"] * rows, pa.large_string()),
        "n_bytes": pa.array(rng.integers(1000, 100_000, rows)),
        "status": pa.array(np.where(rng.random(rows) < 0.02, "http_error", "ok")),
    }
    signals = blank(TEXT_GROUP, rows) | {"doc_id": ids}
    for column in SIGNALS:
        signals[column.name] = drawn(column.type, rng, rows)
    for name, low, high in USUAL:
        signals[name] = pa.array(rng.uniform(low, high, rows)).cast(signals[name].type, safe=False)
    signals["n_words"] = pa.array(rng.integers(1, 2000, rows))
    signals["n_chars"] = pa.array(rng.integers(10, 20_000, rows))
    codes = pa.array(rng.choice(["en", "de", "zh", "fr"], rows))
    languages = blank(LANGUAGE_GROUP, rows) | {
        "doc_id": ids,
        "language": codes,
        "language_code": codes,
        "language_score": pa.array(rng.random(rows)),
    }
    texts = blank(schema.TEXTS, rows) | {"doc_id": ids}
    table = pa.table({**languages, **signals, "pii_emails": texts["pii_emails"]})
    verdicts = judge_pages(pages["status"], table, active_rules(FilterSettings()))
    kept = verdicts.filter(verdicts["kept"])["doc_id"]
    tokens = blank(schema.TOKENS, len(kept)) | {
        "doc_id": kept,
        "source": pa.array(["web"] * len(kept)),
        "n_bytes": pa.array(rng.integers(10, 20_000, len(kept))),
        "n_tokens": pa.array(rng.integers(2, 5_000, len(kept)), pa.int32()),
    }
    for stage, columns, kind in (
        (Stage.PAGES, pages, schema.PAGES),
        (Stage.TEXTS, texts, schema.TEXTS),
        (Stage.LANGUAGE_SIGNALS, languages, LANGUAGE_GROUP),
        (Stage.TEXT_SIGNALS, signals, TEXT_GROUP),
        (Stage.VERDICTS, {name: verdicts[name] for name in verdicts.column_names}, schema.VERDICTS),
        (Stage.TOKENS, tokens, schema.TOKENS),
    ):
        data = pa.table(columns, schema=kind.arrow)
        made = Made(table=data, rows_in=data.num_rows, bytes_in=data.nbytes)
        corpus.publish(stage, f"web-{number:04}", made, fingerprint=f"{stage}-{number}", started=time.time())


def blank(table: schema.Table, rows: int) -> dict[str, pa.Array]:
    """Every column null."""
    return {column.name: pa.nulls(rows, column.type) for column in table.columns}


def drawn(kind: pa.DataType, rng: np.random.Generator, rows: int) -> pa.Array:
    """Values of a signal: most of them small, as shares of real pages are."""
    if pa.types.is_boolean(kind):
        return pa.array(rng.random(rows) < 0.01)
    if pa.types.is_integer(kind):
        return pa.array(rng.integers(0, 1000, rows))
    return pa.array(rng.beta(1, 20, rows) * np.where(rng.random(rows) < 0.02, 10, 1))


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        main(count, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(count, Path(temporary))
