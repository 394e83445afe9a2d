"""HTML to main text and metadata.

`charset` makes UTF-8 of a page's bytes, `segments` tables of that; `content` decides which blocks of text are main
content, `metadata` reads what the page says of itself, `writing` writes what is kept.  `extractors` puts them together
for the pipeline, `look` for a reader; `others` and `plain` are other ways from a page to text.
"""


def warm_up() -> None:
    """Compile every kernel of this package, or load it from the cache."""
    warm_up_reading()
    warm_up_judging()


def warm_up_reading() -> None:
    """The kernels that read and write pages, by doing so with a tiny one."""
    import numpy as np

    from corpusmill.extract.extractors import extractor
    from corpusmill.extract.segments.segment import segment
    from corpusmill.extract.writing.markdown import markdown_of
    from corpusmill.extract.writing.write import text_of
    from corpusmill.page import Page

    in_pieces = '<template id="B:0"></template><div hidden id="S:0">s’il vous plaît.</div>'
    page = Page(body=f'<html lang="fr"><title>Café</title><p>Un café, {in_pieces}'.encode())
    extractor("resiliparse")(page)
    segments = segment(page.body)
    keep = np.ones(len(segments.blocks), np.bool_)
    text_of(segments, keep)
    markdown_of(segments, keep)


def warm_up_judging() -> None:
    """The kernels that judge pages, which take as long to compile, by judging one without anything."""
    from corpusmill.extract.content.classify import classify, page_kinds
    from corpusmill.extract.content.model import shipped_model
    from corpusmill.extract.segments.tables import no_page

    page, model = no_page(), shipped_model()
    page_kinds(page, classify(page, model), model)
