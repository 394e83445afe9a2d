"""PDF files with text, by PDFium in a process of its own: one record per file.

PDFium is a large C library that reads files from anywhere.  A file that makes it crash, run without end or take all
memory ends this process, and is a row with a reason.  The next file gets a new one.

The text of a page has the order in which the file draws it, which follows columns in most files.  Then lines become
paragraphs (`paragraphs.py`).  A file whose pages have no letters is on record as having no text: it holds pictures of
pages.
"""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import IO, Any

from corpusmill.collect.documents.paragraphs import document_text
from corpusmill.collect.records import DamageError, Record, utc
from corpusmill.errors import InputError
from corpusmill.reasons import Status

MAX_SECONDS = 120  # per file; a book of 1,000 pages takes 5
MAX_MEMORY = 4 << 30
MAX_PAGES = 20_000
LETTERS_PER_PAGE = 2  # on average; scanned pages have none, or a stamp
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([+-])(\d\d)'?(\d\d)?)?")
_PROGRAM = "from corpusmill.collect.documents.pdf_process import main; main()"


def require_pdfium() -> None:
    """InputError if pypdfium2 is not installed."""
    try:
        import pypdfium2  # noqa: F401
    except ImportError:
        raise InputError(
            "kind 'pdf' needs pypdfium2, which is not installed: pip install 'corpusmill[documents]'"
        ) from None


class PdfText:
    """Reads files one after another, in a process that is started anew after it failed."""

    def __init__(self, max_seconds: float = MAX_SECONDS) -> None:
        self._max_seconds = max_seconds
        self._process: subprocess.Popen[bytes] | None = None

    def documents(self, path: str, content: bytes, max_page_bytes: int) -> Iterator[Record]:
        """The document in a file."""
        if b"%PDF-" not in content[:1024]:
            raise DamageError("it is no PDF file: it does not begin with %PDF")
        answer = self._ask(content, max_page_bytes)
        if "error" in answer:
            raise DamageError(answer["error"])
        pages: list[str] = answer["pages"]
        text = document_text(pages)
        n_letters = sum(character.isalpha() for character in text)
        has_text = n_letters > LETTERS_PER_PAGE * len(pages)
        said: dict[str, str] = answer["metadata"]
        metadata = {"pages": len(pages), "author": said.get("Author"), "subject": said.get("Subject")}
        status = Status.OK if has_text else Status.NO_TEXT_LAYER
        status = Status.TOO_LARGE if answer["is_too_large"] else status
        yield Record(
            origin_path=path,
            offset=0,
            status=status,
            fetched_at=_time(said.get("ModDate") or said.get("CreationDate")),
            content_type="application/pdf",
            text=text if status is Status.OK else None,
            title=said.get("Title"),
            metadata={name: value for name, value in metadata.items() if value},
            n_bytes=len(text.encode("utf-8", "replace")),
        )

    def _ask(self, content: bytes, max_page_bytes: int) -> dict[str, Any]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _PROGRAM, str(max_page_bytes), str(MAX_PAGES), str(MAX_MEMORY)],
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = _Deadline(process, self._max_seconds)
        try:
            process.stdin.write(len(content).to_bytes(8, "little") + content)
            process.stdin.flush()
            answer = _answer(process.stdout)
        except OSError:  # it ended while it was given the file
            answer = None
        finally:
            timer.cancel()
        if answer is None:
            self.close()
            if timer.is_over:
                raise DamageError(f"the file takes more than {self._max_seconds:g} s to read")
            raise DamageError("the PDF library fails at the file, or needs too much memory")
        return answer

    def close(self) -> None:
        """End the process."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()
            for pipe in (process.stdin, process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            process.wait()


class _Deadline:
    """Kills a process at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]", seconds: float) -> None:
        self.is_over = False
        self._process = process
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        self.is_over = True
        self._process.kill()

    def cancel(self) -> None:
        self._timer.cancel()


def _answer(pipe: IO[bytes]) -> dict[str, Any] | None:
    size = pipe.read(8)
    if len(size) < 8:
        return None
    content = pipe.read(int.from_bytes(size, "little"))
    try:
        answer = json.loads(content)
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _time(text: str | None) -> datetime | None:
    """The moment of a date in PDF's own form: D:20240501123000+02'00'."""
    match = _DATE.match(text or "")
    if match is None:
        return None
    year, month, day, hour, minute, second, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)) * (-1 if sign == "-" else 1)
    try:
        zone = timezone(offset)
        return utc(
            datetime(
                int(year),
                int(month or 1),
                int(day or 1),
                int(hour or 0),
                int(minute or 0),
                int(second or 0),
                tzinfo=zone,
            )
        )
    except ValueError:
        return None
