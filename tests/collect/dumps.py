"""Small dumps of MediaWiki, written as its exporter writes them."""

import bz2
from xml.sax.saxutils import escape

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="de">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <dbname>dewiki</dbname>
    <base>https://de.wikipedia.org/wiki/Wikipedia:Hauptseite</base>
    <generator>MediaWiki 1.44.0</generator>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">Diskussion</namespace>
      <namespace key="6" case="first-letter">Datei</namespace>
      <namespace key="14" case="first-letter">Kategorie</namespace>
    </namespaces>
  </siteinfo>
"""
END = "</mediawiki>\n"


def revision(text, number=1, model="wikitext"):
    return f"""    <revision>
      <id>{number}</id>
      <timestamp>2024-05-{number % 28 + 1:02}T12:30:00Z</timestamp>
      <contributor><username>Somebody</username><id>7</id></contributor>
      <model>{model}</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text.encode())}" xml:space="preserve">{escape(text)}</text>
    </revision>
"""


def page(number, text, title=None, namespace=0, redirect=None, revisions=None, model="wikitext"):
    to = f'    <redirect title="{escape(redirect)}" />\n' if redirect else ""
    return (
        f"  <page>\n    <title>{escape(title or f'Seite {number}')}</title>\n    <ns>{namespace}</ns>\n"
        f"    <id>{number}</id>\n{to}{revisions or revision(text, number, model)}  </page>\n"
    )


def pages(n):
    return [page(i, f"'''Seite {i}''' <b>über</b> & [[Ziel|Wörter]] 語 " + "x" * (i * 7 % 90)) for i in range(1, n + 1)]


def plain(pages):
    return "".join([HEAD, *pages, END]).encode()


def multistream(pages, per_stream=10):
    """As Wikipedia's: the head, pages by the hundred, and the end in streams of their own."""
    groups = ["".join(pages[i : i + per_stream]) for i in range(0, len(pages), per_stream)]
    return b"".join(bz2.compress(group.encode()) for group in [HEAD, *groups, END])


def any_streams(pages, n_bytes=997):
    """As `pbzip2` writes: streams that are cut anywhere."""
    xml = plain(pages)
    return b"".join(bz2.compress(xml[i : i + n_bytes]) for i in range(0, len(xml), n_bytes))
