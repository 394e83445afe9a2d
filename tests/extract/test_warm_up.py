import importlib
import pkgutil

from corpusmill import extract
from corpusmill.extract.extractors import extractor
from corpusmill.page import Page

PAGES = [
    b"",
    b"text",
    b"<p>One.<p>Two.",
    "<title>Été</title><table><tr><td>Café<td>thé</table><ul><li>Un</ul><pre>a\nb</pre>".encode("cp1252"),
    b'<p>One. <template id="B:0"></template><div hidden id="S:0">Two.</div>',
    b'<script type="application/ld+json">{"@type": "Article", "articleBody": "One."}</script><article><h1>One.</h1>',
]


def compiled():
    """The signatures that each kernel is compiled for, or loaded from the cache."""
    names = [found.name for found in pkgutil.walk_packages(extract.__path__, "corpusmill.extract.")]
    modules = [importlib.import_module(name) for name in names]
    kernels = {id(value): value for module in modules for value in vars(module).values()}
    found = [value for value in kernels.values() if hasattr(value, "signatures")]
    return {f"{kernel.__module__}.{kernel.__name__}": list(kernel.signatures) for kernel in found}


def test_after_warm_up_no_page_compiles_anything():
    extract.warm_up()
    before = compiled()
    assert before["corpusmill.extract.segments.segment.segment_page"]
    assert before["corpusmill.extract.content.classify._judge"]
    assert before["corpusmill.extract.whole._whole"]
    assert before["corpusmill.extract.writing.marks._find"]
    assert before["corpusmill.extract.writing.marks._cut"]
    assert before["corpusmill.extract.writing.notices._find"]
    for extracted in (extractor("corpusmill"), extractor("corpusmill", "markdown"), extractor("resiliparse")):
        for body in PAGES:
            extracted(Page(body=body))
    assert compiled() == before
