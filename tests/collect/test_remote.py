"""Sources by URL: web servers with and without ranges, sizes and listings, archives, and what cannot be had."""

import base64
import gzip
import json
import threading
import zipfile
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpusmill.collect.files import location
from corpusmill.collect.reader import read_slice
from corpusmill.collect.remote import Address, joined
from corpusmill.errors import InputError, RunError
from tests.collect.sources import a_source
from tests.collect.test_plan import slices_of


class _Folder(SimpleHTTPRequestHandler):
    """Serves a folder as `python -m http.server` does: listings, sizes, no ranges."""

    sizes = True
    password: str | None = None

    def send_head(self):
        if self.password is not None:
            wanted = "Basic " + base64.b64encode(f"user:{self.password}".encode()).decode()
            if self.headers.get("Authorization") != wanted:
                self.send_error(401)
                return None
        return super().send_head()

    def send_header(self, name, value):
        if self.sizes or name.lower() not in ("content-length", "last-modified"):
            super().send_header(name, value)

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    fsspec.filesystem("http").invalidate_cache()


@contextmanager
def serving(folder, **changes):
    handler = type("Handler", (_Folder,), changes)
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: handler(*args, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "www"
    (folder / "sub").mkdir(parents=True)
    rows = [json.dumps({"text": f"row {i} " + "x" * 90}) for i in range(200)]
    (folder / "a.jsonl").write_text("\n".join(rows[:100]))
    (folder / "sub/b.jsonl").write_text("\n".join(rows[100:]))
    (folder / "a.jsonl.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes()))
    pq.write_table(pa.table({"text": rows[:100]}), folder / "a.parquet", row_group_size=10)
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.write(folder / "a.jsonl", "a.jsonl")
        archive.write(folder / "sub/b.jsonl", "in/b.jsonl")
    return folder


def read(tmp_path, pattern, kind="jsonl", slice_bytes=4096):
    slices = slices_of(tmp_path, kind=kind, paths=[pattern], slice_bytes=slice_bytes)
    source = a_source(name="web", kind=kind, paths=[pattern])
    return slices, [record.text for piece in slices for record in read_slice(piece, source)]


@pytest.mark.parametrize("sizes", [True, False])
@pytest.mark.parametrize(
    ("pattern", "kind", "files", "n"),
    [
        ("http://{}/a.jsonl", "jsonl", {"a.jsonl"}, 100),
        ("http://{}/a.jsonl?raw=true", "jsonl", {"a.jsonl"}, 100),
        ("http://{}/a.jsonl.gz?sig=a/b", "jsonl", {"a.jsonl.gz"}, 100),
        ("http://{}/*.jsonl", "jsonl", {"a.jsonl"}, 100),
        ("http://{}/**/*.jsonl", "jsonl", {"a.jsonl", "sub/b.jsonl"}, 200),
        ("http://{}/sub", "jsonl", {"b.jsonl"}, 100),
        ("http://{}/a.parquet", "parquet", {"a.parquet"}, 100),
        ("zip://*.jsonl::http://{}/a.zip", "jsonl", {"a.jsonl"}, 100),
        ("zip://**/*.jsonl::http://{}/a.zip", "jsonl", {"a.jsonl", "in/b.jsonl"}, 200),
        ("zip://in/b.jsonl::http://{}/a.zip", "jsonl", {"b.jsonl"}, 100),
        ("zip://in/b.jsonl::www/a.zip", "jsonl", {"b.jsonl"}, 100),  # relative to the recipe
        ("simplecache::http://{}/*.jsonl", "jsonl", {"a.jsonl"}, 100),
        ("simplecache::zip://in/*::http://{}/a.zip", "jsonl", {"b.jsonl"}, 100),
    ],
)
def test_every_record_is_read_though_the_server_gives_no_ranges(tmp_path, folder, pattern, kind, files, n, sizes):
    with serving(folder, sizes=sizes) as host:
        slices, texts = read(tmp_path, pattern.format(host), kind)
        assert {name for piece in slices for name in piece.files} == files
        assert len(texts) == len(set(texts)) == n
        if not pattern.startswith("simplecache::http"):  # such files are on this machine when they are read
            assert {piece.end for piece in slices} == {None}


def test_the_same_files_have_the_same_names_and_stamps_wherever_they_are_asked_for(tmp_path, folder):
    with serving(folder) as host:
        patterns = ("http://{}/*.jsonl", "http://{}/a.jsonl", "http://{}/a.jsonl?token=1", "http://u:p@{}/a.jsonl")
        slices = [slices_of(tmp_path, paths=[pattern.format(host)]) for pattern in patterns]
    assert len({(piece.name, piece.files, piece.stamp) for (piece,) in slices}) == 1


def test_a_query_that_says_which_file_is_meant_is_a_part_of_its_path(tmp_path, folder):
    with serving(folder) as host:
        (one,) = slices_of(tmp_path, kind="html", paths=[f"http://{host}/a.zip?id=1"])
        (two,) = slices_of(tmp_path, kind="html", paths=[f"http://{host}/a.zip?id=2"])
    assert (one.files, two.files) == (("a.zip?id=1",), ("a.zip?id=2",))


def test_the_users_name_and_password_are_sent(tmp_path, folder):
    with serving(folder, password="pw") as host:
        assert len(read(tmp_path, f"http://user:pw@{host}/*.jsonl")[1]) == 100
        assert len(read(tmp_path, f"zip://a.jsonl::http://user:pw@{host}/a.zip")[1]) == 100
        for pattern in (f"http://user:wrong@{host}/*.jsonl", f"zip://a.jsonl::http://user:wrong@{host}/a.zip"):
            with pytest.raises(InputError, match=r"user:\*\*\*@.*: (cannot be listed|no file)") as caught:
                read(tmp_path, pattern)
            assert "wrong" not in str(caught.value)


def test_a_failure_while_reading_is_no_damage_of_the_file(tmp_path, folder):
    with serving(folder) as host:
        (piece,) = slices_of(tmp_path, kind="parquet", paths=[f"http://{host}/a.parquet"], slice_bytes=1 << 20)
    source = a_source(name="web", kind="parquet", paths=["x"])
    with pytest.raises(RunError, match="cannot be read"):
        list(read_slice(piece, source))


@pytest.mark.parametrize(
    "pattern",
    ["hf://datasets/no-such/set/*", "gs://bucket/x", "nope://x/y", "data://x", "zip://x::http://127.0.0.1:1/a.zip",
     "http://127.0.0.1:1/a.jsonl", "http://127.0.0.1:1/*.jsonl", "zip://x::nope.zip", "http://127.0.0.1:99999/x", "://x",
     "a::b://c"],
)  # fmt: skip
def test_what_cannot_be_had_is_one_short_sentence(tmp_path, pattern, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(InputError) as caught:
        slices_of(tmp_path, paths=[pattern])
    assert pattern.split("::")[0] in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://h/a/b", ("https://h/a/b", "", "")),
        ("https://h/a?x=/y::z", ("https://h/a", "?x=/y", "::z")),
        ("s3://bucket/what?.jsonl", ("s3://bucket/what?.jsonl", "", "")),
        ("zip://a?b::https://h/a.zip?c", ("zip://a?b", "", "::https://h/a.zip?c")),
        ("simplecache::https://h/a?b", ("simplecache::https://h/a", "?b", "")),
        ("http://[::1]:80/a", ("http://[::1]:80/a", "", "")),
    ],
)
def test_parts_of_addresses(url, parts):
    assert Address.of(url) == parts
    assert "".join(Address.of(url)) == url


def test_files_below_folders():
    assert joined("https://h/a?sig=1", "b.jsonl") == "https://h/a/b.jsonl?sig=1"
    assert joined("zip://::https://h/a.zip", "in/b") == "zip://in/b::https://h/a.zip"
    assert joined("zip://in::https://h/a.zip", "b") == "zip://in/b::https://h/a.zip"
    assert location("/", "a") == "/a"
