"""Every page's signals: one row per page, one column per signal, measured once, also for pages that rules will drop.

The signals are listed in `corpusmill.filters.register`.  One that has no meaning for a page is null, and null never
drops a page: mean word length in Chinese, stop words in a language without a list, any share of nothing.

Kernels count; what is divided by what is said here, in numpy.  Cost on 20 KB documents in English, one core
(bench/signals.py): kernels 77-85 MB/s, language identification 7,000 documents/s, masking .1-.2 GB/s.  A cold compile
of all kernels takes 5 seconds.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError, said
from corpusmill.extensions import Signal, name_of
from corpusmill.filters import shape as s
from corpusmill.filters.characters import CHARACTERS_PER_WORD, CLUSTER, IDEOGRAPH
from corpusmill.filters.language import identify
from corpusmill.filters.register import (
    DUPLICATE_N_GRAMS,
    LANGUAGE_GROUP,
    TEXT_GROUP,
    TOP_N_GRAMS,
    signals_schema,
    user_group,
)
from corpusmill.filters.repetition import measure_n_grams, measure_repeats
from corpusmill.filters.shape import measure_shape
from corpusmill.filters.stop_words import count_stop_words
from corpusmill.schema import Table

__all__ = ["measure_languages", "measure_own", "measure_pages", "measure_text", "measure_texts", "signals_schema"]

BATCH_BYTES = 1 << 20  # of text at a time, so that its units, lines and paragraphs stay in the processor's cache

USER_COLUMNS = ("doc_id", "url", "title", "text", "html_lang", "metadata", "n_bytes")
"""Columns of pages that a user's signal may read; the signals of a page depend on nothing else."""

Counts = npt.NDArray[np.int64]


def measure_pages(pages: pa.Table, user_signals: Sequence[Signal] = ()) -> pa.Table:
    """All signals of n pages: n rows in the same order; null where a page has no text.

    Reads the columns doc_id and text, and for the user's signals those of USER_COLUMNS that are there.
    """
    language = measure_languages(pages)
    groups = [language, measure_texts(pages, language["language"])]
    if user_signals:
        own = sorted(user_signals, key=lambda signal: signal.name)
        groups.append(measure_own(pages, user_group("signals_user", own), own))
    columns = {name: group[name] for group in groups for name in group.column_names}
    return pa.table(columns)


def measure_languages(pages: pa.Table) -> pa.Table:
    """The group `signals_language` of n pages, from the columns doc_id and text."""
    languages, scores = identify(pages["text"].combine_chunks())
    columns = {"doc_id": pages["doc_id"], "language": languages, "language_score": scores}
    return pa.table(columns, schema=LANGUAGE_GROUP.arrow).combine_chunks()


def measure_texts(pages: pa.Table, languages: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The group `signals_text` of n pages, from the columns doc_id and text; languages: of the pages (n)."""
    text = pages["text"].combine_chunks()
    if isinstance(languages, pa.ChunkedArray):
        languages = languages.combine_chunks()
    measured = measure_text(text, languages)
    columns = {
        "doc_id": pages["doc_id"],
        **{name: measured[name] for name in measured.column_names},
        "lorem_ipsum": pc.match_substring(text, "lorem ipsum", ignore_case=True),
    }
    wanted = TEXT_GROUP.arrow
    return pa.table([columns[name] for name in wanted.names], schema=wanted).combine_chunks()


def measure_own(pages: pa.Table, group: Table, signals: Sequence[Signal]) -> pa.Table:
    """A group of the user's signals of n pages, of which those of USER_COLUMNS that are there are read."""
    columns = {"doc_id": pages["doc_id"], **{signal.name: _user_column(signal, pages) for signal in signals}}
    wanted = group.arrow
    return pa.table([columns[name] for name in wanted.names], schema=wanted).combine_chunks()


def measure_text(text: pa.Array, languages: pa.Array) -> pa.Table:
    """The signals that kernels measure, of n texts whose languages are known; null where the text is null."""
    column = Utf8Column.of(text)
    tables = [
        _measure(column.data, column.offsets[start : end + 1], languages[start:end])
        for start, end in _batches(column.offsets)
    ]
    measured = pa.concat_tables(tables).combine_chunks()
    readable = text.is_valid()
    return pa.table({name: pc.if_else(readable, measured[name], None) for name in measured.column_names})


def _batches(offsets: npt.NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of rows with BATCH_BYTES of text, or with one row; one empty range if there are none."""
    start, n = 0, len(offsets) - 1
    while start < n or n == 0:
        end = int(np.searchsorted(offsets, offsets[start] + BATCH_BYTES, "right")) - 1
        end = min(max(end, start + 1), n)
        yield start, end
        if n == 0:
            return
        start = end


def _measure(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], languages: pa.Array) -> pa.Table:
    shape = measure_shape(data, offsets)
    count = shape.counts.T
    ideographs, clusters, letters = count[s.IDEOGRAPHS], count[s.CLUSTERS], count[s.LETTERS]
    spaceless = 2 * (ideographs + clusters) > letters
    per_ideograph, per_cluster = CHARACTERS_PER_WORD[IDEOGRAPH], CHARACTERS_PER_WORD[CLUSTER]
    n_words = count[s.WORDS] - (-ideographs // per_ideograph) - (-clusters // per_cluster)  # rounded up
    strides = np.where(spaceless, np.where(ideographs >= clusters, per_ideograph, per_cluster), 1)

    n_grams = measure_n_grams(shape.units, strides)
    duplicate_lines, duplicate_line_characters = measure_repeats(shape.lines)
    duplicate_paragraphs, duplicate_paragraph_characters = measure_repeats(shape.paragraphs)
    n_lines, n_paragraphs = count[s.LINES], np.diff(shape.paragraphs.ends, prepend=0)
    chunks = count[s.WORDS] + count[s.SYMBOL_CHUNKS]
    no_words = np.zeros_like(n_words)
    columns: dict[str, Any] = {
        "n_chars": count[s.CHARACTERS],
        "n_words": n_words,
        "n_lines": n_lines,
        "n_paragraphs": n_paragraphs,
        "n_sentences": count[s.SENTENCES],
        "spaceless_share": _ratio(ideographs + clusters, letters),
        "mean_word_length": _ratio(count[s.WORD_CHARACTERS], np.where(spaceless, no_words, count[s.WORDS])),
        "symbol_word_ratio": _ratio(count[s.HASHES] + count[s.ELLIPSES], n_words),
        "alphabetic_word_share": _ratio(count[s.ALPHABETIC_WORDS], np.where(spaceless, no_words, chunks)),
        "stop_word_count": count_stop_words(shape.units, languages),
        "unique_word_share": _ratio(n_grams.distinct, n_grams.windows),
        "word_entropy": pa.array(n_grams.entropy, mask=n_grams.windows == 0),
        "bullet_line_share": _ratio(count[s.BULLET_LINES], n_lines),
        "ellipsis_line_share": _ratio(count[s.ELLIPSIS_LINES], n_lines),
        "terminal_punctuation_line_share": _ratio(count[s.TERMINAL_LINES], n_lines),
        "short_line_share": _ratio(count[s.SHORT_LINES], n_lines),
        "newline_word_ratio": _ratio(count[s.NEWLINES], n_words),
        "duplicate_line_share": _ratio(duplicate_lines, n_lines),
        "duplicate_line_char_share": _ratio(duplicate_line_characters, count[s.LINE_CHARACTERS]),
        "duplicate_paragraph_share": _ratio(duplicate_paragraphs, n_paragraphs),
        "duplicate_paragraph_char_share": _ratio(duplicate_paragraph_characters, count[s.LINE_CHARACTERS]),
        "digit_share": _ratio(count[s.NUMBERS], count[s.CHARACTERS]),
        "uppercase_share": _ratio(count[s.UPPERCASES], letters),
        "replacement_char_share": _ratio(count[s.GARBLED], count[s.CHARACTERS]),
        "curly_brace_count": count[s.CURLY_BRACES],
    }
    for i, n in enumerate(TOP_N_GRAMS):
        columns[f"top_{n}_gram_char_share"] = _ratio(n_grams.top[:, i], n_grams.characters)
    for i, n in enumerate(DUPLICATE_N_GRAMS):
        columns[f"duplicate_{n}_gram_char_share"] = _ratio(n_grams.duplicate[:, i], n_grams.characters)
    return pa.table(columns)


def _ratio(part: Counts, whole: Counts) -> pa.Array:
    """Part by whole as float64, null where the whole is 0."""
    empty = whole == 0
    return pa.array(part / np.where(empty, 1, whole), mask=empty)


def _user_column(signal: Signal, pages: pa.Table) -> pa.Array:
    """The user's signal of n pages, checked; null where a page has no text."""
    where = f"signal '{signal.name}' ({name_of(signal.function)}, {pages.num_rows} pages)"
    try:
        values: Any = signal.function(pages.select([c for c in USER_COLUMNS if c in pages.column_names]))
        if isinstance(values, pa.ChunkedArray):
            values = values.combine_chunks()
        elif not isinstance(values, pa.Array):
            values = pa.array(values)
        values = values.cast(signal.type)
    except (Exception, SystemExit) as error:  # whatever the user's code raises is the user's to see
        raise InputError(f"{where} fails: {said(error)}") from error
    if len(values) != pages.num_rows:
        raise InputError(f"{where} returns {len(values)} values; it must return one for each page")
    known = pages["text"].is_valid().combine_chunks()
    if pa.types.is_floating(signal.type):  # 0 / 0 of a page without text: SQL takes NaN for larger than any threshold
        known = pc.and_(known, pc.fill_null(pc.invert(pc.is_nan(values)), True))
    return pc.if_else(known, values, pa.scalar(None, signal.type))
