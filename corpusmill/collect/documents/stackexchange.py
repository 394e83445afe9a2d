"""Dumps of Stack Exchange: `Posts.xml`, where each thread is one record, its answers by their scores.

The posts of a thread stand anywhere in the file.  So the file is read once to note where each post is, in a temporary
SQLite file that sorts on the disk, and then thread by thread at these places.  Memory does not grow with the file.

Each post is a line with one element, and is read by expat on its own.  `offset` is the first byte of the question's
line, and the metadata give the offset of every answer.  Among equal scores the accepted answer comes first, then the
older one.  Other kinds of posts (wikis of tags, and so on) are counted.
"""

import re
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from io import BufferedReader
from itertools import groupby
from pathlib import Path
from typing import BinaryIO
from xml.etree import ElementTree

from corpusmill.collect.files import CHUNK
from corpusmill.collect.lines import inflated
from corpusmill.collect.records import Record, utc
from corpusmill.reasons import Status

QUESTION, ANSWER = 1, 2
_ATTRIBUTE = re.compile(rb'\s(Id|PostTypeId|ParentId|Score|AcceptedAnswerId)="(-?\d{1,18})"')
_LICENCE = re.compile(r"CC[ -]BY[ -]SA[ -](\d\.\d)")
_OTHER_FILE = re.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(comments|users|votes|badges|tags|postlinks|posthistory)\s*/?>",
    re.IGNORECASE,
)
HEAD = 1 << 10  # bytes
BATCH = 20_000
CUT_OFF = "the file is cut off: it has no </posts>"
Place = tuple[int, int, int, int, int]  # question, 0 or 1 for an answer, minus the score, offset, bytes


@dataclass(slots=True)
class ThreadReader:
    """The threads of one file, in the order of the questions' numbers; `others` counts other kinds of posts."""

    file: BinaryIO
    path: str
    site: str | None  # URL of the site, for the URLs of questions
    max_page_bytes: int
    others: Counter[str]
    _file: BufferedReader = field(init=False)

    def __post_init__(self) -> None:
        self._file = inflated(self.file, "Posts.xml")

    def __iter__(self) -> Iterator[Record]:
        if (error := other_file(self._file)) is not None:
            yield Record.broken(self.path, 0, error)
            return
        with tempfile.TemporaryDirectory(prefix="corpusmill-threads-") as folder:
            database = sqlite3.connect(str(Path(folder) / "posts"), isolation_level=None)
            try:
                yield from self._read(database)
            finally:
                database.close()

    def _read(self, database: sqlite3.Connection) -> Iterator[Record]:
        database.execute("PRAGMA journal_mode=OFF")
        database.execute("PRAGMA synchronous=OFF")
        database.execute(
            "CREATE TABLE post (question INTEGER, answer INTEGER, score INTEGER, at INTEGER, size INTEGER)"
        )
        broken: list[Record] = []
        batch: list[Place] = []
        database.execute("BEGIN")
        for place in self._places(broken):
            batch.append(place)
            if len(batch) == BATCH:
                database.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?)", batch)
                batch.clear()
            yield from broken
            broken.clear()
        database.executemany("INSERT INTO post VALUES (?, ?, ?, ?, ?)", batch)
        database.execute("COMMIT")
        yield from broken
        rows = database.execute("SELECT * FROM post ORDER BY question, answer, score, at")
        for _, posts in groupby(rows, key=lambda row: row[0]):
            yield self._thread(list(posts))

    def _places(self, broken: list[Record]) -> Iterator[Place]:
        """Where each question and answer is; records for lines that are no post go to `broken`."""
        longest = 8 * self.max_page_bytes + CHUNK
        at, last = 0, b""
        file = self._file
        file.seek(0)
        while line := file.readline(longest):
            size = len(line)
            if size == longest and not line.endswith(b"\n"):
                while (rest := file.readline(CHUNK)) and not rest.endswith(b"\n"):
                    size += len(rest)
                size += len(rest)
                broken.append(Record(origin_path=self.path, offset=at, status=Status.TOO_LARGE, n_bytes=size))
            elif (stripped := line.strip()).startswith(b"<row"):
                said = {name: int(value) for name, value in _ATTRIBUTE.findall(stripped)}
                kind, number = said.get(b"PostTypeId"), said.get(b"Id")
                if not stripped.endswith(b"/>") or kind is None or number is None:
                    broken.append(Record.broken(self.path, at, "the row cannot be read"))
                elif kind == QUESTION:
                    yield number, 0, 0, at, size
                elif kind == ANSWER and b"ParentId" in said:
                    yield said[b"ParentId"], 1, -said.get(b"Score", 0), at, size
                else:
                    self.others[f"post of type {kind}"] += 1
            elif stripped:
                last = stripped
                if not stripped.lstrip(b"\xef\xbb\xbf").startswith((b"<?xml", b"<posts", b"</posts")):
                    broken.append(Record.broken(self.path, at, "this line is no post of a dump of Stack Exchange"))
            at += size
        if not last.startswith(b"</posts"):
            error = CUT_OFF if at else "the file is empty"
            broken.append(Record.broken(self.path, at, error))

    def _thread(self, places: list[Place]) -> Record:
        posts: list[tuple[Place, dict[str, str]]] = []
        n_unreadable = size = 0
        for place in places:
            size += place[4]
            if size > 8 * self.max_page_bytes:
                return Record(origin_path=self.path, offset=places[0][3], status=Status.TOO_LARGE, n_bytes=size)
            self._file.seek(place[3])
            try:
                posts.append((place, ElementTree.fromstring(self._file.read(place[4])).attrib))  # no doctype
            except ElementTree.ParseError:
                n_unreadable += 1
        if not posts:
            return Record.broken(self.path, places[0][3], "the XML of the post cannot be read")
        question = posts[0][1] if posts[0][0][1] == 0 else None
        accepted = question.get("AcceptedAnswerId") if question is not None else None
        answers = posts[question is not None :]
        answers.sort(key=lambda post: (post[0][2], post[1].get("Id") != accepted, _number(post[1].get("Id"))))
        bodies = [post.get("Body", "") for post in ([question] if question is not None else [])]
        bodies += [post.get("Body", "") for _, post in answers]
        body = "\n<hr>\n".join(f"<div>{each}</div>" for each in bodies).encode("utf-8", "replace")
        return self._record(places[0], question, answers, body, n_unreadable)

    def _record(
        self,
        place: Place,
        question: dict[str, str] | None,
        answers: list[tuple[Place, dict[str, str]]],
        body: bytes,
        n_unreadable: int,
    ) -> Record:
        said = question or {}
        accepted = said.get("AcceptedAnswerId")
        metadata = {
            "question_id": place[0],
            "score": _number(said.get("Score")) if question is not None else None,
            "tags": _tags(said.get("Tags")),
            "answers": [
                {
                    "id": _number(post.get("Id")),
                    "score": _number(post.get("Score")),
                    "offset": its[3],
                    **({"accepted": True} if accepted is not None and post.get("Id") == accepted else {}),
                }
                for its, post in answers
            ],
            "question_is_missing": True if question is None else None,
            "unreadable_posts": n_unreadable or None,
        }
        first = question if question is not None else answers[0][1]
        return Record(
            origin_path=self.path,
            offset=place[3],
            url=f"{self.site.rstrip('/')}/questions/{place[0]}" if self.site else None,
            fetched_at=_time(first.get("CreationDate")),
            charset="utf-8",
            media="content",
            body=b"<!doctype html><body>" + body,
            title=said.get("Title"),
            licence=_licence(first.get("ContentLicense")),
            metadata={name: value for name, value in metadata.items() if value is not None},
            n_bytes=len(body),
        )


def other_file(file: BinaryIO) -> str | None:
    """What is said if a file of a dump is not its Posts.xml; None if it is, or is something else."""
    file.seek(0)
    found = _OTHER_FILE.search(file.read(HEAD))
    if found is None:
        return None
    return f"it holds the {found[1].decode().lower()} of a dump; name its Posts.xml, which has questions and answers"


def _number(text: str | None) -> int:
    try:
        return int(text or 0)
    except ValueError:
        return 0


def _tags(text: str | None) -> list[str] | None:
    """`<a><b>` or `|a|b|`, as older and newer dumps write tags."""
    return re.findall(r"[^<>|]+", text) if text else None


def _licence(text: str | None) -> str | None:
    match = _LICENCE.search(text) if text else None
    return f"CC-BY-SA-{match[1]}" if match else None


def _time(text: str | None) -> datetime | None:
    try:
        return utc(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None
