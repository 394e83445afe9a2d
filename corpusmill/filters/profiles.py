"""Profiles: named sets of rules.  `default` is for any language and keeps technical writing; docs/signals.md reasons.

Its thresholds start from Gopher's (arXiv:2112.11446, A1.1) and FineWeb's (arXiv:2406.17557) and differ where pages that
are good were lost, measured on the reviewed main text of 1,349 web pages (WCXB), 680 Python Enhancement Proposals and
the Universal Declaration of Human Rights in 387 languages.
"""

from corpusmill.filters.settings import Rule

SURE = "language_score >= 0.65"
"""Where a language's own rules apply: below it the language is a guess, most often at one that lid.176 doesn't know."""

_SYLLABLES = "'ko', 'bo'"  # words are counted in syllables, or a letter is one
_COMPOUNDS = "'ml', 'ta', 'te', 'kn', 'si', 'ka'"  # words grow long by what is joined to them
_NO_FULL_STOP = "'th', 'lo'"  # a sentence ends with a space

_DEFAULT = (
    Rule(name="too_few_words", signal="n_words", comparison="<", threshold=50),
    Rule(name="too_many_words", signal="n_words", comparison=">", threshold=100_000),
    Rule(
        name="short_words",
        signal="mean_word_length",
        comparison="<",
        threshold=3,
        where=f"{SURE} AND language NOT IN ({_SYLLABLES})",
    ),
    Rule(
        name="long_words",
        signal="mean_word_length",
        comparison=">",
        threshold=10,
        where=f"{SURE} AND language NOT IN ({_COMPOUNDS})",
    ),
    Rule(name="endless_words", signal="mean_word_length", comparison=">", threshold=20),
    Rule(name="symbols", signal="symbol_word_ratio", comparison=">", threshold=0.1),
    Rule(name="no_letters", signal="alphabetic_word_share", comparison="<", threshold=0.6),
    Rule(name="no_stop_words", signal="stop_word_count", comparison="<", threshold=2, where=SURE),
    Rule(name="few_different_words", signal="word_entropy", comparison="<", threshold=4, where="n_words >= 200"),
    Rule(name="bullets", signal="bullet_line_share", comparison=">", threshold=0.9),
    Rule(name="ellipses", signal="ellipsis_line_share", comparison=">", threshold=0.3),
    Rule(
        name="no_full_stops",
        signal="terminal_punctuation_line_share",
        comparison="<",
        threshold=0.05,
        where=f"language NOT IN ({_NO_FULL_STOP})",
    ),
    Rule(name="short_lines", signal="short_line_share", comparison=">", threshold=0.9),
    Rule(name="newlines", signal="newline_word_ratio", comparison=">", threshold=0.5),
    Rule(
        name="duplicate_lines",
        signal="duplicate_line_share",
        comparison=">",
        threshold=0.3,
        where="duplicate_line_char_share > 0.15",
    ),
    Rule(name="duplicate_line_characters", signal="duplicate_line_char_share", comparison=">", threshold=0.2),
    Rule(
        name="duplicate_paragraphs",
        signal="duplicate_paragraph_share",
        comparison=">",
        threshold=0.3,
        where="duplicate_paragraph_char_share > 0.15",
    ),
    Rule(name="duplicate_paragraph_characters", signal="duplicate_paragraph_char_share", comparison=">", threshold=0.2),
    *(
        Rule(name=f"top_{n}_gram", signal=f"top_{n}_gram_char_share", comparison=">", threshold=threshold)
        for n, threshold in ((2, 0.20), (3, 0.18), (4, 0.16))
    ),
    *(
        Rule(name=f"duplicate_{n}_grams", signal=f"duplicate_{n}_gram_char_share", comparison=">", threshold=threshold)
        for n, threshold in ((5, 0.25), (6, 0.24), (7, 0.23), (8, 0.22), (9, 0.21), (10, 0.20))
    ),
    Rule(name="wrong_charset", signal="replacement_char_share", comparison=">", threshold=0.01),
    Rule(name="lorem_ipsum", when="lorem_ipsum", where="n_words < 1000"),
)

PROFILES: dict[str, tuple[Rule, ...]] = {"default": _DEFAULT, "none": ()}
"""The rules of each profile, in the order in which the first one that drops a page is put on record."""
