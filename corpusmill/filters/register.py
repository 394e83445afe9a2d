"""The register of signals: name, type, what it is, and who introduced it.  The docs' table is made from here.

Signals are measured in groups, each a stage of its own, so that a change in one measures no other again: the language,
what kernels count in the text, and one group for each module of the user's.  The view `signals` joins them.

What the words mean (word, line, paragraph, sentence) is in `corpusmill.filters.shape`; *mostly spaceless* is a page
whose letters belong by more than half to scripts written without spaces.  A name in brackets is RedPajama v2's for the
same thing, its details aside.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from corpusmill import schema
from corpusmill.errors import InputError
from corpusmill.extensions import Signal

TOP_N_GRAMS = (2, 3, 4)
DUPLICATE_N_GRAMS = (5, 6, 7, 8, 9, 10)


@dataclass(frozen=True, slots=True)
class SignalColumn(schema.Column):
    """A column of the signals table, and the paper or data set that introduced the signal."""

    origin: str


def _count(name: str, origin: str, description: str) -> SignalColumn:
    return SignalColumn(name, pa.int64(), description, origin)


def _share(name: str, origin: str, description: str) -> SignalColumn:
    return SignalColumn(name, pa.float64(), description, origin)


SIGNALS = (
    _count("n_chars", "RefinedWeb", "number of characters (Unicode code points)"),
    _count("n_words", "Gopher", "number of words; in scripts without spaces, 2 or 4 letters count as one word"),
    _count("n_lines", "Gopher", "number of lines that are not blank"),
    _count("n_paragraphs", "Gopher", "number of paragraphs: lines without a blank line between them"),
    _count("n_sentences", "C4", "number of sentences, by the final punctuation of all scripts [rps_doc_num_sentences]"),
    _share("spaceless_share", "corpusmill", "share of the letters that belong to scripts without spaces"),
    _share(
        "mean_word_length", "Gopher", "letters and digits per word; null if mostly spaceless [rps_doc_mean_word_length]"
    ),
    _share("symbol_word_ratio", "Gopher", "number of '#', '...' and '…' per word [rps_doc_symbol_to_word_ratio]"),
    _share(
        "alphabetic_word_share",
        "Gopher",
        "share of runs between spaces that hold a letter; null if mostly spaceless",
    ),
    _count("stop_word_count", "Gopher", "number of different stop words of the language; null if it has no list"),
    _share("unique_word_share", "RedPajama v2", "number of different words, per word [rps_doc_frac_unique_words]"),
    _share("word_entropy", "RedPajama v2", "entropy of the distribution of words, in nats [rps_doc_unigram_entropy]"),
    _share("bullet_line_share", "Gopher", "share of lines that start with a bullet"),
    _share(
        "ellipsis_line_share", "Gopher", "share of lines that end in an ellipsis [rps_doc_frac_lines_end_with_ellipsis]"
    ),
    _share(
        "terminal_punctuation_line_share",
        "C4",
        "share of lines that end with final punctuation; a closing quote may follow",
    ),
    _share(
        "short_line_share", "FineWeb", "share of lines of at most 30 columns; a wide character has two, a mark has none"
    ),
    _share("newline_word_ratio", "FineWeb", "newlines per word"),
    _share("duplicate_line_share", "Gopher", "share of lines that occurred earlier in the text"),
    _share(
        "duplicate_line_char_share",
        "Gopher",
        "share of the characters of lines that are in lines that occurred earlier",
    ),
    _share("duplicate_paragraph_share", "Gopher", "share of paragraphs that occurred earlier in the text"),
    _share(
        "duplicate_paragraph_char_share",
        "Gopher",
        "share of the characters of lines that are in paragraphs that occurred earlier",
    ),
    *(
        _share(
            f"top_{n}_gram_char_share",
            "Gopher",
            f"share of word characters in the most frequent {n}-gram [rps_doc_frac_chars_top_{n}gram]",
        )
        for n in TOP_N_GRAMS
    ),
    *(
        _share(
            f"duplicate_{n}_gram_char_share",
            "Gopher",
            f"share of word characters in {n}-grams that occurred earlier [rps_doc_frac_chars_dupe_{n}grams]",
        )
        for n in DUPLICATE_N_GRAMS
    ),
    _share("digit_share", "RefinedWeb", "number of digits and other numerals, per character"),
    _share("uppercase_share", "ROOTS", "share of the letters that are upper case"),
    _share(
        "replacement_char_share",
        "corpusmill",
        "signs of a wrong encoding (U+FFFD, C1 controls, UTF-8 read as Latin-1), per character",
    ),
    _count("curly_brace_count", "C4", "number of '{' [rps_doc_curly_bracket counts '{' and '}', per character]"),
    SignalColumn(
        "lorem_ipsum", pa.bool_(), "whether 'lorem ipsum' occurs, in upper or lower case [rps_doc_lorem_ipsum]", "C4"
    ),
)

LANGUAGE_COLUMNS = (
    schema.LANGUAGE,
    schema.Column("language_score", pa.float64(), "probability of the language; null for a text without letters"),
)


LANGUAGE_GROUP = schema.Table(
    "signals_language", "One row per page: its language. Null for unreadable pages.", (schema.DOC_ID, *LANGUAGE_COLUMNS)
)
TEXT_GROUP = schema.Table(
    "signals_text",
    "One row per page: what is measured in its text. Null for unreadable pages.",
    (schema.DOC_ID, *SIGNALS),
)
EDIT_COUNTS = (schema.EMAILS, schema.IP_ADDRESSES)  # columns of texts that rules may read as signals


def user_group(name: str, signals: Sequence[Signal]) -> schema.Table:
    """The table of a user's signals.  InputError if one has the name of a built-in one."""
    columns = (schema.DOC_ID, *LANGUAGE_COLUMNS, *SIGNALS, *EDIT_COUNTS)
    known = {"part", "text", *(column.name.lower() for column in columns)}
    for signal in signals:
        if signal.name.lower() in known:
            raise InputError(f"recipe: signal '{signal.name}' of your module has a built-in one's name; rename it")
    own = [schema.Column(signal.name, signal.type, signal.description) for signal in signals]
    return schema.Table(name, "One row per page: the signals of one of your modules.", (schema.DOC_ID, *own))


def signals_schema(user_signals: Sequence[Signal] = (), edits: Sequence[schema.Column] = ()) -> pa.Schema:
    """What a rule may read: doc_id, the groups' columns, the counts of edits, then the user's signals by name."""
    own = sorted(user_signals, key=lambda signal: signal.name)
    user = user_group("signals_user", own).columns[1:]
    columns = (schema.DOC_ID, *LANGUAGE_COLUMNS, *SIGNALS, *EDIT_COUNTS, *edits, *user)
    return pa.schema([(column.name, column.type) for column in columns])
