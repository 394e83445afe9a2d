"""Run one extractor over a list of pages in a separate process.  `bench/extraction.py` starts it with a peer's Python.

    python bench/peers/worker.py PEER PAGES

PAGES is a file of JSON lines with `id`, `path` (HTML, gzipped if it ends in .gz) and `language`.  Standard output gets
READY, then one JSON line per page: `id`, `text`, `seconds` of processor time, `error`.

Before the first measurement, pages are read and a very small page is extracted.  So no import and no compilation is
counted.  Every peer starts from bytes.  Peers that need text get it from `decode`, within the measured time.  If a peer
returns HTML, resiliparse converts it to text, also within the measured time.

A page that takes longer than TIMEOUT_S ends the process; the watchdog also stops native code.  The caller finds the
page by what is missing in the output.

This file imports corpusmill only for the peer `corpusmill`, so that it also runs without corpusmill.
"""

import contextlib
import faulthandler
import gzip
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

TIMEOUT_S = 60
READY = "ready"
TINY = b"<html><head><title>A page</title></head><body><h1>A page</h1><p>Of few words, in one sentence.</body></html>"
Extract = Callable[[bytes, str], str]  # (page, language code) -> main text

JUSTEXT_NAMES = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fr": "French", "gu": "Gujarati",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian", "is": "Icelandic",
    "it": "Italian", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nl": "Dutch", "no": "Norwegian_Bokmal",
    "pl": "Polish", "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "sw": "Swahili", "tr": "Turkish",
    "uk": "Ukrainian", "vi": "Vietnamese",
}  # fmt: skip


def decode(page: bytes) -> str:
    """The text, as UTF-8 if valid, else as resiliparse detects it (meta elements first, as in HTML5)."""
    try:
        return page.decode("utf-8-sig")
    except UnicodeDecodeError:
        from resiliparse.parse.encoding import bytes_to_str, detect_encoding

        return bytes_to_str(page, detect_encoding(page, html5_compatible=True) or "utf-8", errors="replace")


def from_html(html: str | None) -> str:
    """The whole text of a cleaned document, one line per block."""
    from resiliparse.extract.html2text import extract_plain_text

    return extract_plain_text(html) if html else ""


def corpusmill() -> Extract:
    """All steps: bytes to text and metadata, with the shipped model."""
    from corpusmill.extract import warm_up
    from corpusmill.extract.extractors import extractor
    from corpusmill.page import Page

    warm_up()
    extract = extractor("corpusmill")
    return lambda page, _: extract(Page(body=page, url="http://example.com/")).text


def corpusmill_text() -> Extract:
    """Bytes to text, without the metadata."""
    from corpusmill.extract import warm_up
    from corpusmill.extract.charset.encoding import to_utf8
    from corpusmill.extract.content.classify import classify
    from corpusmill.extract.content.model import shipped_model
    from corpusmill.extract.segments.segment import segment
    from corpusmill.extract.writing.write import text_of

    warm_up()
    model = shipped_model()

    def extract(page: bytes, _: str) -> str:
        segments = segment(to_utf8(page).data)
        return text_of(segments, classify(segments, model).keep)

    return extract


def resiliparse() -> Extract:
    """Main content by resiliparse's rules."""
    from resiliparse.extract.html2text import extract_plain_text

    return lambda page, _: extract_plain_text(decode(page), main_content=True)


def everything() -> Extract:
    """No extraction: the whole text of the page, as a baseline."""
    from resiliparse.extract.html2text import extract_plain_text

    return lambda page, _: extract_plain_text(decode(page), main_content=False)


def trafilatura(**options: bool) -> Extract:
    """The call in its documentation, or one of its modes."""
    from trafilatura import extract

    return lambda page, _: extract(page, **options) or ""


def rs_trafilatura() -> Extract:
    """The version in Rust, with a classifier of page types."""
    from rs_trafilatura import extract_bytes

    return lambda page, _: extract_bytes(page).main_content or ""


def trafilaturacore() -> Extract:
    """Its own rules, in Python."""
    from trafilaturacore import clean

    return lambda page, _: from_html(clean(page, max_input_bytes=1 << 30).html)


def readability_lxml() -> Extract:
    """Arc90's readability."""
    from readability import Document

    return lambda page, _: from_html(Document(decode(page)).summary())


def readabilipy() -> Extract:
    """Its version in Python, for machines without Node."""
    from readabilipy import simple_json_from_html_string

    def extract(page: bytes, _: str) -> str:
        article = simple_json_from_html_string(decode(page), use_readability=False)
        return "\n".join(part["text"] for part in article["plain_text"] or [])

    return extract


def go_readability() -> Extract:
    """Mozilla's rules, in Go."""
    from pygoreadability import from_string

    return lambda page, _: from_string(decode(page), "http://example.com/").content_text or ""


def fast_readability() -> Extract:
    """Mozilla's rules, in Python."""
    from fast_readability import extract_content

    return lambda page, _: from_html(extract_content(decode(page))["content"])


def breadability() -> Extract:
    """Another version of readability."""
    from breadability.readable import Article

    return lambda page, _: from_html(Article(decode(page), url="http://example.com/").readable)


def justext() -> Extract:
    """Paragraphs by length, link density and stop words.  If it has no stop words for the language, none are used."""
    import justext

    def extract(page: bytes, language: str) -> str:
        name = JUSTEXT_NAMES.get(language)
        words = justext.get_stoplist(name) if name else frozenset()
        limits = {} if name else {"stopwords_low": 0, "stopwords_high": 0}
        return "\n".join(p.text for p in justext.justext(decode(page), words, **limits) if not p.is_boilerplate)

    return extract


def newspaper4k() -> Extract:
    """Newspaper articles.  If it does not know the language, English is used."""
    import newspaper

    known = {code for code, _ in newspaper.valid_languages()}

    def extract(page: bytes, language: str) -> str:
        code = language if language in known else "en"
        article = newspaper.Article("http://example.com/", language=code, fetch_images=False)
        article.download(input_html=decode(page))
        article.parse()
        return article.text

    return extract


def goose3() -> Extract:
    """Newspaper articles, with the stop words of the language."""
    from goose3 import Goose
    from goose3.text import StopWordsArabic, StopWordsChinese, StopWordsJapanese, StopWordsKorean

    own = {"ar": StopWordsArabic, "zh": StopWordsChinese, "ja": StopWordsJapanese, "ko": StopWordsKorean}
    readers: dict[str, Goose] = {}

    def extract(page: bytes, language: str) -> str:
        if language not in readers:
            options = {"enable_image_fetching": False, "use_meta_language": language == "en"}
            if language != "en":
                options["target_language"] = language
            if language in own:
                options["stopwords_class"] = own[language]
            readers[language] = Goose(options)
        return readers[language].extract(raw_html=decode(page)).cleaned_text

    return extract


def boilerpy3() -> Extract:
    """Boilerpipe's ArticleExtractor."""
    from boilerpy3.extractors import ArticleExtractor

    reader = ArticleExtractor(raise_on_failure=False)
    return lambda page, _: reader.get_content(decode(page))


def news_please() -> Extract:
    """The best answer of several extractors."""
    from newsplease import NewsPlease

    return lambda page, _: NewsPlease.from_html(decode(page), url=None, fetch_images=False).maintext or ""


def magic_html() -> Extract:
    """Its extractor for all kinds of pages."""
    from magic_html import GeneralExtractor

    reader = GeneralExtractor()
    return lambda page, _: from_html(reader.extract(decode(page), base_url="http://example.com/")["html"])


def gne() -> Extract:
    """Density of text and punctuation; made for Chinese news."""
    from gne import GeneralNewsExtractor

    reader = GeneralNewsExtractor()
    return lambda page, _: reader.extract(decode(page))["content"]


def article_extractor() -> Extract:
    """Readability's rules over a parser in Python."""
    from article_extractor import extract_article

    return lambda page, _: from_html(extract_article(page, url="http://example.com/").content)


PEERS: dict[str, Callable[[], Extract]] = {
    "corpusmill": corpusmill,
    "corpusmill, text only": corpusmill_text,
    "resiliparse": resiliparse,
    "trafilatura": trafilatura,
    "trafilatura, fast": lambda: trafilatura(fast=True),
    "trafilatura, favor_recall": lambda: trafilatura(favor_recall=True),
    "rs-trafilatura": rs_trafilatura,
    "trafilaturacore": trafilaturacore,
    "readability-lxml": readability_lxml,
    "go-readability": go_readability,
    "fast-readability": fast_readability,
    "readabilipy": readabilipy,
    "breadability": breadability,
    "article-extractor": article_extractor,
    "magic-html": magic_html,
    "jusText": justext,
    "boilerpy3": boilerpy3,
    "newspaper4k": newspaper4k,
    "goose3": goose3,
    "news-please": news_please,
    "gne": gne,
    "all text of the page": everything,
}


@contextlib.contextmanager
def watchdog() -> Iterator[None]:
    """End the process, with native code, if the content of the block takes longer than TIMEOUT_S."""
    faulthandler.dump_traceback_later(TIMEOUT_S, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def attempt(extract: Extract, page: bytes, language: str) -> dict[str, str | float | None]:
    """Text and time of one page.  An exception of the peer is a result."""
    error = None
    with watchdog():
        started = time.process_time()
        try:
            text = extract(page, language)
        except Exception as fault:  # noqa: BLE001 - which exceptions a peer raises is among what is measured
            text, error = "", f"{type(fault).__name__}: {fault}"[:200]
        seconds = time.process_time() - started
    return {"text": text, "seconds": seconds, "error": error}


def main(peer: str, list_file: Path) -> None:
    """Extract every page of the list."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    results = os.fdopen(os.dup(1), "w", encoding="utf-8", errors="replace")
    os.dup2(2, 1)  # output of a peer must not mix with the results
    listed = [json.loads(line) for line in list_file.read_text().splitlines()]
    pages = []
    for row in listed:
        path = Path(row["path"])
        pages.append(gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes())
    extract = PEERS[peer]()
    attempt(extract, TINY, "en")
    print(READY, file=results, flush=True)
    for row, page in zip(listed, pages, strict=True):
        result = attempt(extract, page, row["language"])
        print(json.dumps({"id": row["id"], **result}), file=results, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in PEERS:
        sys.exit(f"{__doc__}\npeers: {', '.join(PEERS)}")
    main(sys.argv[1], Path(sys.argv[2]))
