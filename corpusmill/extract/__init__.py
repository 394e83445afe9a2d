"""HTML to main text and metadata."""


def warm_up() -> None:
    """Compile every kernel of this package, or load it from the cache, by extracting a tiny page."""
    from corpusmill.extract.extractors import extractor
    from corpusmill.page import Page

    page = Page(body='<html lang="fr"><title>Café</title><p>Un café, s’il vous plaît.'.encode())
    for extract in (extractor("corpusmill"), extractor("corpusmill", "markdown"), extractor("resiliparse")):
        extract(page)
