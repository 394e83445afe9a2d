"""HTML to main text and metadata."""


def warm_up() -> None:
    """Compile every kernel of this package, or load it from the cache."""
    warm_up_reading()
    warm_up_judging()


def warm_up_reading() -> None:
    """The kernels that read and write pages, by doing so with a tiny one."""
    import numpy as np

    from corpusmill.extract.extractors import extractor
    from corpusmill.extract.markdown import markdown_of
    from corpusmill.extract.segment import segment
    from corpusmill.extract.write import text_of
    from corpusmill.page import Page

    page = Page(body='<html lang="fr"><title>Café</title><p>Un café, s’il vous plaît.'.encode())
    extractor("resiliparse")(page)
    segments = segment(page.body)
    keep = np.ones(len(segments.blocks), np.bool_)
    text_of(segments, keep)
    markdown_of(segments, keep)


def warm_up_judging() -> None:
    """The kernels that judge pages, which take as long to compile, by judging one without anything."""
    from corpusmill.extract.classify import classify, page_kinds
    from corpusmill.extract.model import shipped_model
    from corpusmill.extract.tables import no_page

    page, model = no_page(), shipped_model()
    page_kinds(page, classify(page, model), model)
