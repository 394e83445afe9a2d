"""The register of signals: name, type, unit, range, what it is, and who introduced it.  Schema and docs come from here.

Signals are measured in groups, each a stage of its own, so that a change in one measures no other again: the language,
what kernels count in the text, one group for each source whose definitions differ from ours, and one group for each
module of the user's.  The view `signals` joins them.

`LANGUAGE_GROUP` and `TEXT_GROUP` are measured for every page.  A group of `ON_REQUEST` is measured if a rule reads one
of its signals, or if `filters.signals` names it.

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
from corpusmill.filters.characters import SCRIPTS
from corpusmill.filters.profiles import MADE, OF_PAGES

TOP_N_GRAMS = (2, 3, 4)
DUPLICATE_N_GRAMS = (5, 6, 7, 8, 9, 10)


@dataclass(frozen=True, slots=True)
class SignalColumn(schema.Column):
    """A column of the signals table: its unit and range, and the paper, data set or program that introduced it."""

    origin: str
    unit: str = ""
    least: float | None = None
    most: float | None = None

    @property
    def range(self) -> str:
        """The least and the greatest value that it can have; `0 to 1`, `from 0`, or nothing for words."""
        if self.least is None:
            return ""
        return f"from {self.least:g}" if self.most is None else f"{self.least:g} to {self.most:g}"


def _count(name: str, unit: str, origin: str, description: str) -> SignalColumn:
    return SignalColumn(name, pa.int64(), description, origin, unit, 0)


def _share(name: str, unit: str, origin: str, description: str) -> SignalColumn:
    """A part of a whole, from 0 to 1."""
    return SignalColumn(name, pa.float64(), description, origin, f"per {unit}", 0, 1)


def _ratio(name: str, unit: str, origin: str, description: str) -> SignalColumn:
    """One number by another, or a mean."""
    return SignalColumn(name, pa.float64(), description, origin, unit, 0)


def _flag(name: str, origin: str, description: str) -> SignalColumn:
    return SignalColumn(name, pa.bool_(), description, origin, "true or false")


_SCRIPT_NAMES = {
    "indic": "Devanagari, Bengali, Tamil and their sisters",
    "kana": "hiragana and katakana",
    "han": "Chinese characters",
}

SIGNALS = (
    _count("n_chars", "characters", "RefinedWeb", "number of characters (Unicode code points) [ccnet_length]"),
    _count(
        "n_words",
        "words",
        "Gopher",
        "number of words; in scripts without spaces, 2 or 4 letters count as one word [rps_doc_word_count]",
    ),
    _count("n_lines", "lines", "Gopher", "number of lines that are not blank [ccnet_nlines]"),
    _count("n_paragraphs", "paragraphs", "Gopher", "number of paragraphs: lines without a blank line between them"),
    _count(
        "n_sentences",
        "sentences",
        "C4",
        "number of sentences, by the final punctuation of all scripts [rps_doc_num_sentences]",
    ),
    _share("spaceless_share", "letter", "corpusmill", "share of the letters that belong to scripts without spaces"),
    _ratio(
        "mean_word_length",
        "characters per word",
        "Gopher",
        "letters and digits per word; null if mostly spaceless [rps_doc_mean_word_length]",
    ),
    _ratio(
        "symbol_word_ratio",
        "symbols per word",
        "Gopher",
        "number of '#', '...' and '…' per word [rps_doc_symbol_to_word_ratio]",
    ),
    _share(
        "alphabetic_word_share",
        "run",
        "Gopher",
        "share of runs between spaces that hold a letter; null if mostly spaceless [1 - rps_doc_frac_no_alph_words]",
    ),
    _count(
        "stop_word_count", "words", "Gopher", "number of different stop words of the language; null if it has no list"
    ),
    _ratio(
        "stop_word_ratio",
        "stop words per word",
        "RedPajama v2",
        "stop words of the language, per word; null if it has no list [rps_doc_stop_word_fraction]",
    ),
    _share(
        "unique_word_share", "word", "RedPajama v2", "number of different words, per word [rps_doc_frac_unique_words]"
    ),
    _ratio(
        "word_entropy",
        "nats",
        "RedPajama v2",
        "entropy of the distribution of words, in nats [rps_doc_unigram_entropy]",
    ),
    _share(
        "uppercase_word_share",
        "word",
        "RedPajama v2",
        "share of words with upper-case and without lower-case letters [rps_doc_frac_all_caps_words]",
    ),
    _share(
        "bullet_line_share",
        "line",
        "Gopher",
        "share of lines that start with a bullet [rps_lines_start_with_bulletpoint]",
    ),
    _share(
        "ellipsis_line_share",
        "line",
        "Gopher",
        "share of lines that end in an ellipsis [rps_doc_frac_lines_end_with_ellipsis]",
    ),
    _share(
        "terminal_punctuation_line_share",
        "line",
        "C4",
        "share of lines that end a sentence; a quote may follow [rps_lines_ending_with_terminal_punctution_mark]",
    ),
    _share(
        "short_line_share",
        "line",
        "FineWeb",
        "share of lines of at most 30 columns; a wide character has two, a mark has none",
    ),
    _count("long_line_count", "lines", "mC4", "number of lines of at least 200 characters"),
    _ratio("newline_word_ratio", "newlines per word", "FineWeb", "newlines per word"),
    _ratio("mean_line_length", "characters per line", "ChineseWebText", "characters per line"),
    _ratio("mean_line_words", "words per line", "RedPajama v2", "words per line [rps_lines_num_words]"),
    _share(
        "mean_line_uppercase_share",
        "character",
        "RedPajama v2",
        "upper-case letters per character of a line, mean over lines [rps_lines_uppercase_letter_fraction]",
    ),
    _share(
        "mean_line_digit_share",
        "character",
        "RedPajama v2",
        "numerals per character of a line, mean over lines [rps_lines_numerical_chars_fraction]",
    ),
    _share(
        "javascript_line_share",
        "line",
        "C4",
        "share of lines with the word 'javascript' [rps_lines_javascript_counts]",
    ),
    _share("uppercase_line_share", "line", "RefinedWeb", "share of lines that are mainly upper case"),
    _share("numeric_line_share", "line", "RefinedWeb", "share of lines of nothing but numerals"),
    _share("counter_line_share", "line", "RefinedWeb", "share of lines that are a counter, such as '3 likes'"),
    _share("one_word_line_share", "line", "RefinedWeb", "share of lines of one word"),
    _share(
        "boilerplate_line_share",
        "line",
        "RefinedWeb",
        "share of lines of at most 10 words with 'sign in', 'read more' or 'items in cart'",
    ),
    _share(
        "flagged_line_word_share",
        "word",
        "RefinedWeb",
        "share of the words that are in lines of the five kinds before this",
    ),
    _share("duplicate_line_share", "line", "Gopher", "share of lines that occurred earlier in the text"),
    _share(
        "duplicate_line_char_share",
        "character",
        "Gopher",
        "share of the characters of lines that are in lines that occurred earlier",
    ),
    _share("duplicate_paragraph_share", "paragraph", "Gopher", "share of paragraphs that occurred earlier in the text"),
    _share(
        "duplicate_paragraph_char_share",
        "character",
        "Gopher",
        "share of the characters of lines that are in paragraphs that occurred earlier",
    ),
    *(
        _share(
            f"top_{n}_gram_char_share",
            "character",
            "Gopher",
            f"share of word characters in the most frequent {n}-gram [rps_doc_frac_chars_top_{n}gram]",
        )
        for n in TOP_N_GRAMS
    ),
    *(
        _share(
            f"duplicate_{n}_gram_char_share",
            "character",
            "Gopher",
            f"share of word characters in {n}-grams that occurred earlier [rps_doc_frac_chars_dupe_{n}grams]",
        )
        for n in DUPLICATE_N_GRAMS
    ),
    _share("digit_share", "character", "RefinedWeb", "number of digits and other numerals, per character"),
    _share("uppercase_share", "letter", "ROOTS", "share of the letters that are upper case"),
    *(
        _share(
            f"{script}_share", "letter", "corpusmill", f"share of the letters that are {_SCRIPT_NAMES.get(script, of)}"
        )
        for script, of in ((script, script.capitalize()) for script in SCRIPTS)
    ),
    _share("other_script_share", "letter", "corpusmill", "share of the letters that are of other scripts"),
    _share(
        "traditional_share",
        "letter",
        "corpusmill",
        "traditional among the Chinese characters that differ between traditional and simplified Chinese",
    ),
    _share(
        "replacement_char_share",
        "character",
        "corpusmill",
        "signs of a wrong encoding (U+FFFD, C1 controls, UTF-8 read as Latin-1), per character",
    ),
    _count("curly_brace_count", "characters", "C4", "number of '{'"),
    _share("curly_bracket_share", "character", "C4", "number of '{' and '}', per character [rps_doc_curly_bracket]"),
    _flag("lorem_ipsum", "C4", "whether 'lorem ipsum' occurs, in upper or lower case"),
    _ratio(
        "lorem_ipsum_density",
        "occurrences per character",
        "C4",
        "occurrences of 'lorem ipsum', in upper or lower case, per character [rps_doc_lorem_ipsum]",
    ),
)

LANGUAGE_COLUMNS = (
    schema.LANGUAGE,
    schema.Column("language_score", pa.float64(), "probability of the language; null for a text without letters"),
    schema.Column("language_code", pa.string(), "the language by lid.176's code, whatever model names it"),
    schema.Column(
        "languages",
        pa.list_(pa.struct([("label", pa.string()), ("score", pa.float64())])),
        "the three most probable languages, the most probable first",
    ),
    schema.Column(
        "language_script",
        pa.string(),
        "script of most letters (ISO 15924; Hans, Hant: simplified, traditional Chinese)",
    ),
    schema.Column(
        "language_script_agrees", pa.bool_(), "whether a tenth of the letters are of scripts the language is written in"
    ),
    schema.Column(
        "language_shares",
        pa.list_(pa.struct([("label", pa.string()), ("share", pa.float64())])),
        "languages of the paragraphs, by share of the characters; null unless filters.language.by_paragraph is set",
    ),
)


LANGUAGE_GROUP = schema.Table(
    "signals_language", "One row per page: its language. Null for unreadable pages.", (schema.DOC_ID, *LANGUAGE_COLUMNS)
)
TEXT_GROUP = schema.Table(
    "signals_text",
    "One row per page: what is measured in its text. Null for unreadable pages.",
    (schema.DOC_ID, *SIGNALS),
)
DATATROVE_SIGNALS = (
    _count("n_words_datatrove", "words", "datatrove", "number of tokens that are not only punctuation"),
    _ratio("mean_word_length_datatrove", "characters per word", "datatrove", "characters per such token"),
    _ratio("hash_word_ratio_datatrove", "symbols per word", "datatrove", "number of '#' per token"),
    _ratio("ellipsis_word_ratio_datatrove", "symbols per word", "datatrove", "number of '...' and '…' per token"),
    _share("bullet_line_share_datatrove", "line", "datatrove", "share of lines that start with '•' or '-'"),
    _share("ellipsis_line_share_datatrove", "line", "datatrove", "share of lines that end in an ellipsis"),
    _share("alphabetic_word_share_datatrove", "word", "datatrove", "share of tokens that hold a letter"),
    SignalColumn(
        "stop_word_count_datatrove",
        pa.int64(),
        "number of different ones of Gopher's eight stop words, in small letters",
        "datatrove",
        "words",
        0,
        8,
    ),
    _share(
        "duplicate_paragraph_share_datatrove", "paragraph", "datatrove", "share of paragraphs that occurred earlier"
    ),
    _share(
        "duplicate_paragraph_char_share_datatrove",
        "character",
        "datatrove",
        "share of all characters that are in such paragraphs",
    ),
    _share("duplicate_line_share_datatrove", "line", "datatrove", "share of lines that occurred earlier"),
    _share(
        "duplicate_line_char_share_datatrove",
        "character",
        "datatrove",
        "share of all characters that are in such lines",
    ),
    *(
        _ratio(
            f"top_{n}_gram_char_share_datatrove",
            "characters per character",
            "datatrove",
            f"characters of the most frequent {n}-gram times its occurrences, per character; null if there is none",
        )
        for n in TOP_N_GRAMS
    ),
    *(
        _share(
            f"duplicate_{n}_gram_char_share_datatrove",
            "character",
            "datatrove",
            f"share of all characters that are in repeated {n}-grams, from left to right and without overlap",
        )
        for n in DUPLICATE_N_GRAMS
    ),
    _share(
        "terminal_punctuation_line_share_datatrove",
        "line",
        "datatrove",
        "share of lines that are not blank whose last character is final punctuation",
    ),
    _share("short_line_share_datatrove", "line", "datatrove", "share of lines of at most 30 characters"),
    _share(
        "fineweb_duplicate_line_char_share_datatrove",
        "character",
        "datatrove",
        "share of the characters other than newlines that are in lines that occurred earlier",
    ),
    _ratio("newline_word_ratio_datatrove", "newlines per word", "datatrove", "newlines per token"),
    _count(
        "c4_lines_n_sentences_datatrove",
        "sentences",
        "datatrove",
        "number of sentences in the lines that C4's filter keeps",
    ),
    _flag("c4_lines_lorem_ipsum_datatrove", "datatrove", "whether 'lorem ipsum' is in a line that C4's filter reads"),
    _flag("c4_lines_curly_bracket_datatrove", "datatrove", "whether '{' is in a line that C4's filter reads"),
)
C4_SIGNALS = (
    _count("c4_lines_n_sentences_tfds", "sentences", "TFDS", "number of sentences in the lines that C4 keeps"),
    _flag("c4_lines_lorem_ipsum_tfds", "TFDS", "whether 'lorem ipsum' is in a line that C4 reads"),
    _flag("c4_lines_curly_bracket_tfds", "TFDS", "whether '{' is in a line that C4 reads"),
)
CHINESEWEBTEXT_SIGNALS = (
    _ratio(
        "mean_line_length_chinesewebtext",
        "characters per line",
        "ChineseWebText",
        "characters per line; blank lines and newlines count",
    ),
    _share(
        "han_share_chinesewebtext",
        "character",
        "ChineseWebText",
        "share of all characters that are Chinese (U+4E00 to U+9FA5)",
    ),
    _count(
        "traditional_count_chinesewebtext",
        "characters",
        "ChineseWebText",
        "number of characters that only traditional Chinese has",
    ),
    _share(
        "repeated_13_gram_share_chinesewebtext",
        "13-gram",
        "ChineseWebText",
        "share of 13-grams of characters that occur more than once",
    ),
)
ON_REQUEST = {
    name: schema.Table(
        f"signals_{name}",
        f"One row per page: {description}. Only if a rule or `filters.signals` asks for it. Null for unreadable pages.",
        (schema.DOC_ID, *columns),
    )
    for name, description, columns in (
        ("datatrove", "what datatrove's filters measure in English text", DATATROVE_SIGNALS),
        ("c4", "what the program of C4 measures in English text", C4_SIGNALS),
        ("chinesewebtext", "what the program of ChineseWebText measures in Chinese text", CHINESEWEBTEXT_SIGNALS),
    )
}
"""Groups that are measured if they are asked for, by the name that `filters.signals` gives them."""
ON_REQUEST_SIGNALS = (*DATATROVE_SIGNALS, *C4_SIGNALS, *CHINESEWEBTEXT_SIGNALS)
EDIT_COUNTS = tuple(schema.PERSONAL_DATA.values())  # columns of texts that rules may read as signals


def user_group(name: str, signals: Sequence[Signal]) -> schema.Table:
    """The table of a user's signals.  InputError if one has the name of a built-in one."""
    columns = (schema.DOC_ID, *LANGUAGE_COLUMNS, *SIGNALS, *ON_REQUEST_SIGNALS, *EDIT_COUNTS)
    known = {
        "part",
        "text",
        "status",
        "kept_by_rules",
        "dropped_by",
        *MADE,
        *OF_PAGES,
        *(column.name.lower() for column in columns),
    }
    for signal in signals:
        if signal.name.lower() in known:
            raise InputError(f"recipe: signal '{signal.name}' of your module has a built-in one's name; rename it")
    own = [schema.Column(signal.name, signal.type, signal.description) for signal in signals]
    return schema.Table(name, "One row per page: the signals of one of your modules.", (schema.DOC_ID, *own))


def signals_schema(user_signals: Sequence[Signal] = (), edits: Sequence[schema.Column] = ()) -> pa.Schema:
    """What a rule may read: doc_id, the groups' columns, the counts of edits, then the user's signals by name."""
    own = sorted(user_signals, key=lambda signal: signal.name)
    user = user_group("signals_user", own).columns[1:]
    columns = (schema.DOC_ID, *LANGUAGE_COLUMNS, *SIGNALS, *ON_REQUEST_SIGNALS, *EDIT_COUNTS, *edits, *user)
    return pa.schema([(column.name, column.type) for column in columns])
