"""A web as data: what every URL answers, in one zip file.  Its bytes are the same in every build.

The zip contains `site.json`, the manifest (every URL with its status, its headers and the name of its body), and
`pages.tar`, the bodies.  The tar is one LZMA stream, because the pages repeat each other on purpose (templates,
mirrors, drafts).  17 MB of pages take 2.4 MB this way, and would take 5.4 MB as single zip entries.  Common tools read
both formats: `unzip -p web.zip pages.tar | tar t` lists the pages.
"""

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

MANIFEST = "site.json"
BODIES = "pages.tar"
OLDEST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the same in every build


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one URL.  `note` says why it is there, if it is not an ordinary page."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    note: str | None = None

    @property
    def location(self) -> str | None:
        """The target of a redirect, as an absolute URL."""
        return self.headers.get("Location")


@dataclass(slots=True)
class Site:
    """The answers of all hosts by URL, and the notes on link targets that have no answer on purpose."""

    answers: dict[str, Answer] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)  # URL prefix -> the reason why there is no answer

    def add(
        self,
        url: str,
        body: bytes | str,
        *,
        status: int = 200,
        content_type: str | None = "text/html; charset=utf-8",
        headers: Mapping[str, str] | None = None,
        note: str | None = None,
    ) -> None:
        """Let `url` answer with `body` (str: as UTF-8); ValueError if it already has an answer."""
        if url in self.answers:
            raise ValueError(f"{url} is added twice")
        typed = {"Content-Type": content_type} if content_type else {}
        payload = body.encode() if isinstance(body, str) else body
        self.answers[url] = Answer(url, status, {**typed, **(headers or {})}, payload, note)

    def redirect(self, url: str, target: str, *, note: str, status: int = 301) -> None:
        """Let `url` redirect to `target`, an absolute URL."""
        body = f'<html><head><title>Moved</title></head><body>Moved <a href="{target}">here</a>.</body></html>\n'
        self.add(url, body, status=status, headers={"Location": target}, note=note)

    @property
    def hosts(self) -> list[str]:
        """Every host name, sorted."""
        return sorted({urlsplit(url).netloc for url in self.answers})

    def save(self, path: Path) -> None:
        """Write the zip."""
        answers = sorted(self.answers.values(), key=lambda answer: answer.url)
        entries = [{**asdict(answer), "body": name} for answer, name in zip(answers, _names(answers), strict=True)]
        manifest = {"answers": entries, "unanswered": dict(sorted(self.unanswered.items()))}
        with zipfile.ZipFile(path, "w") as archive:
            _write(archive, MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False).encode())
            _write(archive, BODIES, _tar(answers))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a zip that `save` wrote, completely into memory."""
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            tar = io.BytesIO(archive.read(BODIES))
        with tarfile.open(fileobj=tar) as members:
            bodies = {member.name: members.extractfile(member) for member in members}
            contents = {name: file.read() for name, file in bodies.items() if file is not None}
        answers = [Answer(**{**entry, "body": contents[entry["body"]]}) for entry in manifest["answers"]]
        return cls({answer.url: answer for answer in answers}, manifest["unanswered"])


def _names(answers: Iterable[Answer]) -> list[str]:
    """A file name in the tar for each answer: host and path, as a browser's "save as" would name it."""
    names = [answer.url.partition("://")[2].replace("?", "@") for answer in answers]
    return [name + "index.html" if name.endswith("/") else name for name in names]


def _tar(answers: Iterable[Answer]) -> bytes:
    buffer = io.BytesIO()
    answers = list(answers)
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for answer, name in zip(answers, _names(answers), strict=True):
            member = tarfile.TarInfo(name)  # its date and owner default to 0
            member.size = len(answer.body)
            tar.addfile(member, io.BytesIO(answer.body))
    return buffer.getvalue()


def _write(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, OLDEST_ZIP_DATE)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content, zipfile.ZIP_LZMA)
