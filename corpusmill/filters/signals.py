"""Every page's signals: one row per page, one column per signal, measured once, also for pages that rules will drop.

The signals are listed in `corpusmill.filters.register`.  One that has no meaning for a page is null, and null never
drops a page: mean word length in Chinese, stop words in a language without a list, any share of nothing.

Kernels count; what is divided by what is said here, in numpy.  Cost on web pages in English, one core of a busy
machine (bench/filters.py): the text group 60 MB/s, of which counts and n-grams take 44 % and 41 %; language
identification 40,000 documents/s.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.arrow import Utf8Column
from corpusmill.errors import InputError
from corpusmill.extensions import USER_COLUMNS, Signal, name_of, raised
from corpusmill.filters import shape as s
from corpusmill.filters.batches import batches, ratio
from corpusmill.filters.characters import CHARACTERS_PER_WORD, CLUSTER, IDEOGRAPH, OTHER_SCRIPT, SCRIPTS
from corpusmill.filters.chinesewebtext import measure_chinesewebtext
from corpusmill.filters.datatrove import measure_c4, measure_datatrove
from corpusmill.filters.language import Model, identify
from corpusmill.filters.register import (
    DUPLICATE_N_GRAMS,
    LANGUAGE_GROUP,
    ON_REQUEST,
    TEXT_GROUP,
    TOP_N_GRAMS,
    signals_schema,
    user_group,
)
from corpusmill.filters.repetition import measure_n_grams, measure_repeats
from corpusmill.filters.shape import count_lorem_ipsum, measure_shape
from corpusmill.filters.stop_words import count_stop_words
from corpusmill.schema import Table

__all__ = [
    "measure_languages",
    "measure_on_request",
    "measure_own",
    "measure_pages",
    "measure_text",
    "measure_texts",
    "signals_schema",
]


def measure_pages(pages: pa.Table, user_signals: Sequence[Signal] = ()) -> pa.Table:
    """All signals of n pages: n rows in the same order; null where a page has no text.

    Reads the columns doc_id and text, and for the user's signals those of USER_COLUMNS that are there.
    """
    language = measure_languages(pages)
    groups = [language, measure_texts(pages, language["language_code"])]
    if user_signals:
        own = sorted(user_signals, key=lambda signal: signal.name)
        groups.append(measure_own(pages, user_group("signals_user", own), own))
    columns = {name: group[name] for group in groups for name in group.column_names}
    return pa.table(columns)


def measure_languages(pages: pa.Table, model: Model | None = None, *, by_paragraph: bool = False) -> pa.Table:
    """The group `signals_language` of n pages, from the columns doc_id and text; lid.176 without another model."""
    languages = identify(pages["text"], model, by_paragraph=by_paragraph)
    columns = {"doc_id": pages["doc_id"], **{name: languages[name] for name in languages.column_names}}
    return LANGUAGE_GROUP.filled(columns)


def measure_texts(pages: pa.Table, languages: pa.Array | pa.ChunkedArray) -> pa.Table:
    """The group `signals_text` of n pages, from the columns doc_id and text; languages: codes of the pages (n)."""
    text = pages["text"].combine_chunks()
    if isinstance(languages, pa.ChunkedArray):
        languages = languages.combine_chunks()
    measured = measure_text(text, languages)
    columns = {
        "doc_id": pages["doc_id"],
        **{name: measured[name] for name in measured.column_names},
    }
    return TEXT_GROUP.filled(columns)


def measure_on_request(name: str, pages: pa.Table) -> pa.Table:
    """The group of `register.ON_REQUEST` of that name, of n pages, from the columns doc_id and text."""
    measured = ON_REQUEST_KERNELS[name](pages["text"].combine_chunks())
    return ON_REQUEST[name].filled({"doc_id": pages["doc_id"], **measured})


ON_REQUEST_KERNELS = {"datatrove": measure_datatrove, "c4": measure_c4, "chinesewebtext": measure_chinesewebtext}


def measure_own(pages: pa.Table, group: Table, signals: Sequence[Signal]) -> pa.Table:
    """A group of the user's signals of n pages, of which those of USER_COLUMNS that are there are read."""
    columns = {"doc_id": pages["doc_id"], **{signal.name: _user_column(signal, pages) for signal in signals}}
    return group.filled(columns)


def measure_text(text: pa.Array, languages: pa.Array) -> pa.Table:
    """The signals that kernels measure, of n texts whose languages are known; null where the text is null."""
    column = Utf8Column.of(text)
    tables = [
        _measure(column.data, column.offsets[start : end + 1], languages[start:end])
        for start, end in batches(column.offsets)
    ]
    measured = pa.concat_tables(tables).combine_chunks()
    readable = text.is_valid()
    return pa.table({name: pc.if_else(readable, measured[name], None) for name in measured.column_names})


def _measure(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], languages: pa.Array) -> pa.Table:
    shape = measure_shape(data, offsets)
    count = shape.counts.T
    ideographs, clusters, letters = count[s.IDEOGRAPHS], count[s.CLUSTERS], count[s.LETTERS]
    spaceless = 2 * (ideographs + clusters) > letters
    per_ideograph, per_cluster = CHARACTERS_PER_WORD[IDEOGRAPH], CHARACTERS_PER_WORD[CLUSTER]
    n_words = count[s.WORDS] - (-ideographs // per_ideograph) - (-clusters // per_cluster)  # rounded up
    strides = np.where(spaceless, np.where(ideographs >= clusters, per_ideograph, per_cluster), 1)

    n_grams = measure_n_grams(shape.units, strides)
    lorem_ipsum = count_lorem_ipsum(data, offsets)
    duplicate_lines, duplicate_line_characters = measure_repeats(shape.lines)
    duplicate_paragraphs, duplicate_paragraph_characters = measure_repeats(shape.paragraphs)
    n_lines, n_paragraphs = count[s.LINES], np.diff(shape.paragraphs.ends, prepend=0)
    stop_words = count_stop_words(shape, languages)
    chunks = count[s.WORDS] + count[s.SYMBOL_CHUNKS]
    no_words = np.zeros_like(n_words)
    columns: dict[str, Any] = {
        "n_chars": count[s.CHARACTERS],
        "n_words": n_words,
        "n_lines": n_lines,
        "n_paragraphs": n_paragraphs,
        "n_sentences": count[s.SENTENCES],
        "spaceless_share": ratio(ideographs + clusters, letters),
        "mean_word_length": ratio(count[s.WORD_CHARACTERS], np.where(spaceless, no_words, count[s.WORDS])),
        "symbol_word_ratio": ratio(count[s.HASHES] + count[s.ELLIPSES], n_words),
        "alphabetic_word_share": ratio(count[s.ALPHABETIC_WORDS], np.where(spaceless, no_words, chunks)),
        "stop_word_count": stop_words.different,
        "stop_word_ratio": ratio(stop_words.occurrences, np.where(stop_words.known, n_words, no_words)),
        "unique_word_share": ratio(n_grams.distinct, n_grams.windows),
        "word_entropy": pa.array(n_grams.entropy, mask=n_grams.windows == 0),
        "bullet_line_share": ratio(count[s.BULLET_LINES], n_lines),
        "ellipsis_line_share": ratio(count[s.ELLIPSIS_LINES], n_lines),
        "terminal_punctuation_line_share": ratio(count[s.TERMINAL_LINES], n_lines),
        "short_line_share": ratio(count[s.SHORT_LINES], n_lines),
        "newline_word_ratio": ratio(count[s.NEWLINES], n_words),
        "duplicate_line_share": ratio(duplicate_lines, n_lines),
        "duplicate_line_char_share": ratio(duplicate_line_characters, count[s.LINE_CHARACTERS]),
        "duplicate_paragraph_share": ratio(duplicate_paragraphs, n_paragraphs),
        "duplicate_paragraph_char_share": ratio(duplicate_paragraph_characters, count[s.LINE_CHARACTERS]),
        "digit_share": ratio(count[s.NUMBERS], count[s.CHARACTERS]),
        "uppercase_share": ratio(count[s.UPPERCASES], letters),
        "replacement_char_share": ratio(count[s.GARBLED], count[s.CHARACTERS]),
        "curly_brace_count": count[s.CURLY_BRACES],
        "curly_bracket_share": ratio(count[s.CURLY_BRACES] + count[s.CLOSING_BRACES], count[s.CHARACTERS]),
        "uppercase_word_share": ratio(count[s.UPPERCASE_WORDS], np.where(spaceless, no_words, count[s.WORDS])),
        "long_line_count": count[s.LONG_LINES],
        "mean_line_length": ratio(count[s.LINE_CHARACTERS], n_lines),
        "mean_line_words": ratio(count[s.LINE_WORDS], n_lines),
        "mean_line_uppercase_share": ratio(shape.line_sums[:, s.UPPERCASE_SUM], n_lines),
        "mean_line_digit_share": ratio(shape.line_sums[:, s.NUMBER_SUM], n_lines),
        "javascript_line_share": ratio(count[s.JAVASCRIPT_LINES], n_lines),
        "uppercase_line_share": ratio(count[s.UPPERCASE_LINES], n_lines),
        "numeric_line_share": ratio(count[s.NUMERIC_LINES], n_lines),
        "counter_line_share": ratio(count[s.COUNTER_LINES], n_lines),
        "one_word_line_share": ratio(count[s.ONE_WORD_LINES], n_lines),
        "boilerplate_line_share": ratio(count[s.BOILERPLATE_LINES], n_lines),
        "flagged_line_word_share": ratio(count[s.FLAGGED_LINE_WORDS], count[s.LINE_WORDS]),
        "traditional_share": ratio(count[s.TRADITIONALS], count[s.TRADITIONALS] + count[s.SIMPLIFIEDS]),
        "other_script_share": ratio(count[s.SCRIPTS + OTHER_SCRIPT], letters),
        "lorem_ipsum": lorem_ipsum > 0,
        "lorem_ipsum_density": ratio(lorem_ipsum, count[s.CHARACTERS]),
    }
    for number, script in enumerate(SCRIPTS, 1):
        columns[f"{script}_share"] = ratio(count[s.SCRIPTS + number], letters)
    for i, n in enumerate(TOP_N_GRAMS):
        columns[f"top_{n}_gram_char_share"] = ratio(n_grams.top[:, i], n_grams.characters)
    for i, n in enumerate(DUPLICATE_N_GRAMS):
        columns[f"duplicate_{n}_gram_char_share"] = ratio(n_grams.duplicate[:, i], n_grams.characters)
    return pa.table(columns)


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
        raise InputError(f"{where} fails: {raised(error)}") from error
    if len(values) != pages.num_rows:
        raise InputError(f"{where} returns {len(values)} values; it must return one for each page")
    known = pages["text"].is_valid().combine_chunks()
    if pa.types.is_floating(signal.type):  # 0 / 0 of a page without text: SQL takes NaN for larger than any threshold
        known = pc.and_(known, pc.fill_null(pc.invert(pc.is_nan(values)), True))
    return pc.if_else(known, values, pa.scalar(None, signal.type))
