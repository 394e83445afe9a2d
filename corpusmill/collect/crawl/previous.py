"""The answers of an earlier crawl, so that pages that have not changed need not be sent again."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from corpusmill.collect.crawl.state import CrawlFolder
from corpusmill.collect.crawl.tables import read_table
from corpusmill.collect.crawl.warc import Earlier
from corpusmill.collect.settings import CrawlSettings
from corpusmill.errors import InputError


def previous_folder(folder: CrawlFolder, settings: CrawlSettings) -> CrawlFolder | None:
    """The folder of the earlier crawl; None if the recipe names none.  InputError if there is no finished crawl."""
    if settings.previous is None:
        return None
    previous = CrawlFolder(folder.path.parent / settings.previous)
    if previous.path == folder.path or previous.summary() is None:
        raise InputError(f"recipe: previous = '{settings.previous}' names no finished crawl; {previous.path} is none")
    return previous


def earlier_answers(folder: CrawlFolder, settings: CrawlSettings, urls: Iterable[str]) -> dict[str, Earlier]:
    """The earlier answers for some URLs: those that were complete, and whose WARC file is still there."""
    previous = previous_folder(folder, settings)
    if previous is None:
        return {}
    wanted, found, there = pa.array(set(urls), pa.string()), {}, {}
    for path in previous.files("validators"):
        table = read_table(path)
        for row in table.filter(pc.is_in(table["url"], wanted)).to_pylist():
            url, file = row.pop("url"), previous.path / row.pop("warc_file")
            if file not in there:
                there[file] = file.is_file()
            if there[file]:
                found[url] = Earlier(**row, warc_file=str(file))
    return found
