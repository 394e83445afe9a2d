"""The process that runs PDFium: files come in through its standard input, answers go out in JSON."""

import json
import os
import sys
from typing import Any


def main() -> None:
    """Read files until the input ends: eight bytes of length, the content.  An answer has the same form."""
    max_bytes, max_pages, max_memory = map(int, sys.argv[1:4])
    _limit_memory(max_memory)
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the library must not write into the answers
    while len(size := source.read(8)) == 8:
        content = source.read(int.from_bytes(size, "little"))
        answer = json.dumps(_read(content, max_bytes, max_pages)).encode("ascii")
        target.write(len(answer).to_bytes(8, "little") + answer)
        target.flush()


def _limit_memory(n: int) -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (n, n))
    except (ImportError, ValueError, OSError):  # not on this system
        pass


def _read(content: bytes, max_bytes: int, max_pages: int) -> dict[str, Any]:
    import pypdfium2
    from pypdfium2 import PdfiumError

    try:
        document = pypdfium2.PdfDocument(content)
    except PdfiumError as error:
        # PDFium keeps the error of the file before, if it has none for this one
        is_locked = "password" in str(error).lower() and b"/Encrypt" in content
        return {"error": "the file needs a password" if is_locked else "the file is damaged, or no PDF"}
    try:
        n_pages = len(document)
        if n_pages > max_pages:
            return {"error": f"the file has more than {max_pages:,} pages"}
        pages: list[str] = []
        size = 0
        for number in range(n_pages):
            try:
                page = document[number]
                text = page.get_textpage().get_text_bounded()
                page.close()
            except PdfiumError:
                text = ""  # a damaged page; the others are read
            pages.append(text)
            size += len(text.encode("utf-8", "replace"))
            if size > max_bytes:
                return {"pages": pages[:1], "metadata": {}, "is_too_large": True}
        return {"pages": pages, "metadata": document.get_metadata_dict(skip_empty=True), "is_too_large": False}
    except PdfiumError:
        return {"error": "the file is damaged"}
    finally:
        document.close()
