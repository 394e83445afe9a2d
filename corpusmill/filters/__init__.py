"""Language, signals, rules and personal data."""


def warm_up() -> None:
    """Compile every kernel of the package, or load it from the cache, by running it on a tiny input."""
    import pyarrow as pa

    from corpusmill.filters.pii import mask
    from corpusmill.filters.settings import PiiSettings
    from corpusmill.filters.signals import measure_pages

    pages = pa.table({"doc_id": ["0"], "text": pa.array(["to be"], pa.large_string())})
    measure_pages(pages)
    mask(pages["text"], PiiSettings())
