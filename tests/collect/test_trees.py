import os

import fsspec
import pytest

from corpusmill.collect.reader import read_slice
from corpusmill.collect.slices import Slice
from corpusmill.errors import InputError
from corpusmill.reasons import Status
from tests.collect.sources import a_source
from tests.collect.warcs import SOURCE, content_offsets, mixed


def read(root, kind, *files, max_page_bytes=1000):
    source = a_source(name="s", kind=kind, paths=["*"])
    piece = Slice(name="p", source="s", kind=kind, root=str(root), files=files)
    return list(read_slice(piece, source, max_page_bytes))


def test_whole_files_are_records(tmp_path):
    (tmp_path / "a b.html").write_bytes(b"<p>one")
    (tmp_path / "ü.html").write_bytes(b"")
    one, two = read(tmp_path, "html", "a b.html", "ü.html")
    assert (one.origin_path, one.body, one.media, one.url, one.n_bytes) == ("a b.html", b"<p>one", "html", None, 6)
    assert (two.body, two.status) == (b"", Status.OK)


def test_files_that_cannot_be_read_are_rows(tmp_path):
    (tmp_path / "big.txt").write_bytes(b"x" * 5000)
    (tmp_path / "folder.txt").mkdir()
    big, folder, gone = read(tmp_path, "text", "big.txt", "folder.txt", "gone.txt")
    assert (big.status, big.n_bytes) == (Status.TOO_LARGE, 5000)
    assert (folder.status, folder.metadata["error"]) == (Status.BROKEN_RECORD, os.strerror(21))
    assert (gone.status, gone.metadata["error"]) == (Status.BROKEN_RECORD, os.strerror(2))


@pytest.mark.parametrize("kind", ["warc", "jsonl", "parquet"])
def test_a_container_that_is_gone_is_the_users_to_mend(tmp_path, kind):
    with pytest.raises(InputError, match=r"gone: cannot be read \(No such file or directory\); check the file"):
        read(tmp_path, kind, "gone")


def test_a_remote_warc_is_read_by_ranges():
    data = mixed(packed=True)
    with fsspec.open("memory://bucket/deep/a.warc.gz", "wb") as file:
        file.write(data)
    middle = len(data) // 2
    offsets = []
    for start, end in ((0, middle), (middle, None)):
        piece = Slice(
            name="p", source="s", kind="warc", root="memory://bucket", files=("deep/a.warc.gz",), start=start, end=end
        )
        offsets += [record.offset for record in read_slice(piece, SOURCE)]
    assert offsets == content_offsets(data)


def test_a_link_that_leads_out_of_the_folder_is_not_followed(tmp_path):
    (tmp_path / "secret.txt").write_text("not yours")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/own.txt").write_text("words")
    (tmp_path / "in/link.txt").symlink_to("own.txt")
    (tmp_path / "in/out.txt").symlink_to("../secret.txt")
    link, out = read(tmp_path / "in", "text", "link.txt", "out.txt")
    assert (link.status, link.body) == (Status.OK, b"words")
    assert (out.status, out.body) == (Status.BROKEN_RECORD, None)
    assert "leads out of the source's folder" in out.metadata["error"]
