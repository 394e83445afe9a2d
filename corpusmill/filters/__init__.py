"""Language, signals, rules, edits and personal data."""


def warm_up() -> None:
    """Compile every kernel of the package, or load it from the cache, by running it on a tiny input."""
    warm_up_measuring()
    warm_up_masking()
    warm_up_on_request()


def warm_up_measuring() -> None:
    """The same for the kernels of signals that every run measures."""
    import pyarrow as pa

    from corpusmill.filters.signals import measure_pages

    measure_pages(pa.table({"doc_id": ["0"], "text": pa.array(["to be"], pa.large_string())}))


def warm_up_masking() -> None:
    """The same for the kernels of masking, which take as long as all others together."""
    import pyarrow as pa

    from corpusmill.filters.pii import mask
    from corpusmill.filters.settings import PiiSettings

    mask(pa.array(["to be"], pa.large_string()), PiiSettings())


def warm_up_on_request() -> None:
    """The same for the kernels that only some recipes use: edits, lists, n-grams, contamination, repeated text."""
    import pyarrow as pa

    from corpusmill.arrow import Utf8Column
    from corpusmill.filters.contamination import Item, evaluation, find_spans
    from corpusmill.filters.edits import warm_up as warm_up_edits
    from corpusmill.filters.language import identify
    from corpusmill.filters.ngrams import perplexities, train_ngrams
    from corpusmill.filters.repeats.units import units_of
    from corpusmill.filters.url_lists import are_listed, read_url_list
    from corpusmill.filters.word_lists import count_words, tree_of

    text = pa.array(["to be"], pa.large_string())
    identify(text, by_paragraph=True)
    warm_up_edits()
    perplexities(train_ngrams(["to be to be"]).tables(), text)
    count_words(tree_of(["to be"]), text)
    are_listed(read_url_list(b"example.org", "warm-up"), pa.array(["http://example.org/"]))
    for kind in ("line", "sentences", "substring"):
        units_of(Utf8Column.of(text), kind, 10, fold_numbers=True)
    find_spans(evaluation([Item("set", "0", ("to be or not to be that is",))], 2), text, 0.0)
