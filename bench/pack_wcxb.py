"""Pack the pages of WCXB's development split into one WARC file.  The bytes are the same each time.

    python bench/pack_wcxb.py FOLDER OUT.warc.gz

FOLDER contains `html/ID.html.gz` and `ground-truth/ID.json`.  The URL of a page is the one in its ground truth.  After
one warcinfo record, each page is one response record in its own gzip member, in the order of the ids.
"""

import gzip
import hashlib
import json
import sys
import uuid
from io import BytesIO
from pathlib import Path

from warcio.recordloader import ArcWarcRecord
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

NAME = "wcxb-dev.warc.gz"
WRITTEN_AT = "2026-01-01T00:00:00Z"  # fixed, so that the file is the same each time


def pack(folder: Path, out: Path) -> int:
    """Write the WARC file; returns the number of pages in it."""
    pages = sorted((folder / "html").glob("*.html.gz"))
    with out.open("wb") as file:
        writer = WARCWriter(file, gzip=True)
        info = writer.create_warcinfo_record(NAME, {"software": "pack_wcxb", "format": "WARC File Format 1.0"})
        _identify(info, b"warcinfo")
        writer.write_record(info)
        for page in pages:
            html = gzip.decompress(page.read_bytes())
            truth = json.loads((folder / "ground-truth" / page.name.replace(".html.gz", ".json")).read_bytes())
            writer.write_record(_response(writer, truth["url"], html))
    return len(pages)


def _response(writer: WARCWriter, url: str, html: bytes) -> ArcWarcRecord:
    fields = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(html)))]
    http = StatusAndHeaders("200 OK", fields, protocol="HTTP/1.1")
    record = writer.create_warc_record(url, "response", payload=BytesIO(html), length=len(html), http_headers=http)
    _identify(record, url.encode() + b"\0" + html)
    return record


def _identify(record: ArcWarcRecord, content: bytes) -> None:
    identity = uuid.UUID(bytes=hashlib.blake2b(content, digest_size=16).digest())
    record.rec_headers.replace_header("WARC-Record-ID", f"<{identity.urn}>")
    record.rec_headers.replace_header("WARC-Date", WRITTEN_AT)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(f"{pack(Path(sys.argv[1]), Path(sys.argv[2]))} pages packed into {sys.argv[2]}")
