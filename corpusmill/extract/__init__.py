"""HTML to main text and metadata.

`charset` converts a page's bytes to UTF-8.  `segments` converts UTF-8 to tables.  `content` decides which blocks of
text are main content.  `metadata` reads what the page states about itself.  `writing` writes what is kept.

`extractors` combines these steps for the pipeline, and `inspection` combines them for a person who inspects a page.
`others` and `plain` are other ways from a page to text.
"""


def warm_up() -> None:
    """Compile every kernel of this package, or load it from the cache."""
    warm_up_reading()
    warm_up_judging()


def warm_up_reading() -> None:
    """Compile the kernels that read and write pages.  A very small page is read and written for this."""
    import numpy as np

    from corpusmill.extract.extractors import extractor
    from corpusmill.extract.segments.readable import readable
    from corpusmill.extract.writing.markdown import markdown_of
    from corpusmill.extract.writing.marks import without_marks
    from corpusmill.extract.writing.write import text_of
    from corpusmill.page import Page

    in_pieces = '<template id="B:0"></template><div hidden id="S:0">s’il vous plaît.</div><p>5 min read'
    page = Page(body=f'<html lang="fr"><title>Café</title><p>Un café, {in_pieces}'.encode())
    extractor("resiliparse")(page)
    segments = readable(page.body)
    keep = np.ones(len(segments.blocks), np.bool_)
    shown = without_marks(segments, keep)
    text_of(*shown)
    markdown_of(*shown)


def warm_up_judging() -> None:
    """Compile the kernels that judge pages.  An empty page is judged for this.

    They take as long to compile as the kernels that read and write.
    """
    from corpusmill.extract.content.classify import classify, page_kinds
    from corpusmill.extract.content.model import shipped_model
    from corpusmill.extract.segments.tables import no_page
    from corpusmill.extract.whole import whole

    page, model = no_page(), shipped_model()
    classified = classify(page, model)
    whole(page, classified)
    page_kinds(page, classified, model)
