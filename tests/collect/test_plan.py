"""The plan: what a slice's name and extent depend on, and what they do not."""

import json
import os
import random
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import fsspec
import pytest

from corpusmill.collect.plan import plan
from corpusmill.collect.slices import Slice
from corpusmill.errors import InputError
from corpusmill.recipe import RunSettings
from tests.collect.sources import a_source


def slices_of(folder, *, kind="jsonl", paths=("in/*",), slice_bytes=4096, limit=None, corpus=None):
    source = a_source(name="web", kind=kind, paths=list(paths))
    settings = RunSettings(slice_bytes=slice_bytes, limit=limit)
    return plan([source], settings, folder=folder, corpus=corpus or folder / "corpus")


def write(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(random.Random(path.name).randbytes(size))


def test_large_files_are_cut_into_equal_ranges_that_cover_them(tmp_path):
    write(tmp_path / "in/a.jsonl", 10_000)
    ranges = [(s.start, s.end) for s in slices_of(tmp_path)]
    assert ranges == [(0, 3333), (3333, 6666), (6666, 10_000)]


def test_compressed_lines_are_one_slice(tmp_path):
    write(tmp_path / "in/a.jsonl.gz", 10_000)
    (only,) = slices_of(tmp_path)
    assert (only.start, only.end) == (0, None)


def test_an_empty_file_is_a_slice_too(tmp_path):
    write(tmp_path / "in/a.jsonl", 0)
    assert len(slices_of(tmp_path)) == 1


def test_names_depend_neither_on_the_place_nor_on_other_files(tmp_path):
    for root in ("one", "two/deeper"):
        write(tmp_path / root / "in/a.jsonl", 9000)
    write(tmp_path / "two/deeper/in/0-before.jsonl", 100)
    one = {(s.name, s.files, s.start) for s in slices_of(tmp_path / "one")}
    two = {(s.name, s.files, s.start) for s in slices_of(tmp_path / "two/deeper")}
    assert one < two


def test_a_folder_a_pattern_and_a_file_name_the_same_record_alike(tmp_path):
    write(tmp_path / "in/a.jsonl", 100)
    names = {
        tuple((s.name, s.files) for s in slices_of(tmp_path, paths=[p])) for p in ("in", "in/*.jsonl", "in/a.jsonl")
    }
    assert len(names) == 1


def test_an_absolute_pattern_names_files_as_a_relative_one_does(tmp_path):
    write(tmp_path / "in/a.jsonl", 100)
    (relative,), (absolute,) = slices_of(tmp_path), slices_of(tmp_path, paths=[f"{tmp_path}/in/*"])
    assert (relative.root, relative.files) == (absolute.root, absolute.files)


def test_a_name_with_wildcard_characters_is_taken_literally_if_it_exists(tmp_path):
    write(tmp_path / "in/a[1].jsonl", 100)
    (only,) = slices_of(tmp_path, paths=["in/a[1].jsonl"])
    assert (only.root, only.files) == (str(tmp_path / "in"), ("a[1].jsonl",))


@pytest.mark.parametrize("n", [1, 40, 400])
def test_buckets_of_a_tree_hold_every_file_once_and_a_new_file_touches_one(tmp_path, n):
    for i in range(n):
        write(tmp_path / f"in/{i % 7}/{i}.html", 150)
    before = {s.name: s for s in slices_of(tmp_path, kind="html", paths=["in"])}
    files = [f for s in before.values() for f in s.files]
    assert sorted(files) == sorted(f"{i % 7}/{i}.html" for i in range(n))
    write(tmp_path / "in/new.html", 10)
    after = {s.name: s for s in slices_of(tmp_path, kind="html", paths=["in"])}
    changed = [part for part, piece in after.items() if before.get(part) != piece]
    assert len(changed) <= 2  # one bucket, or the two that it was split into


def test_a_stamp_follows_size_and_times_also_one_that_was_set_back(tmp_path):
    path = tmp_path / "in/a.jsonl"
    write(path, 100)
    (first,) = slices_of(tmp_path)
    assert slices_of(tmp_path) == [first]
    times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    path.write_bytes(b"x" * 100)
    os.utime(path, ns=times)
    (second,) = slices_of(tmp_path)
    assert replace(second, stamp=first.stamp) == first
    assert second.stamp != first.stamp


def test_the_plan_reads_nothing(tmp_path, monkeypatch):
    with (tmp_path / "large.jsonl").open("wb") as file:
        file.truncate(1 << 40)
    monkeypatch.setattr(Path, "open", None)
    slices = slices_of(tmp_path, paths=["large.jsonl"], slice_bytes=1 << 32)
    assert len(slices) == 256


def test_names_of_any_script_have_a_stem_and_long_digests(tmp_path):
    for name in ("新闻.2024.jsonl", "a-b_c.jsonl", "--.jsonl"):
        write(tmp_path / "in" / name, 10)
    names = [s.name for s in slices_of(tmp_path)]
    assert [re.sub("-[0-9a-f]{16}-0000$", "", name) for name in names] == ["web-a-b-c", "web-file", "web-新闻"]


def test_a_slice_survives_json(tmp_path):
    write(tmp_path / "in/a.jsonl", 10_000)
    for piece in slices_of(tmp_path, limit=2):
        assert Slice.from_json(json.loads(json.dumps(piece.to_json()))) == piece


def test_a_limit_is_spread_over_the_slices(tmp_path):
    write(tmp_path / "in/a.jsonl", 10_000)
    assert [s.limit for s in slices_of(tmp_path, limit=5)] == [2, 2, 1]
    assert [s.limit for s in slices_of(tmp_path, limit=1)] == [1]


def test_remote_files_are_planned_through_fsspec(tmp_path):
    fs = fsspec.filesystem("memory")
    fs.pipe_file("/bucket/in/a.jsonl", b"{}\n" * 3000)
    try:
        slices = slices_of(tmp_path, paths=["memory://bucket/in/*.jsonl"])
        assert {s.files for s in slices} == {("a.jsonl",)}
        with fsspec.open(f"{slices[0].root}/{slices[0].files[0]}") as file:
            assert len(file.read()) == 9000
    finally:
        fs.rm("/bucket", recursive=True)


def test_nothing_found_and_two_files_of_one_name_are_the_users_to_mend(tmp_path):
    with pytest.raises(InputError, match="no file matches 'in/\\*'"):
        slices_of(tmp_path)
    write(tmp_path / "in/a.jsonl", 10)
    write(tmp_path / "more/a.jsonl", 10)
    with pytest.raises(InputError, match=r"both hold a file 'a\.jsonl'"):
        slices_of(tmp_path, paths=["in/*", "more/*"])


def test_a_recipe_s_folder_may_have_a_name_that_looks_like_a_pattern(tmp_path):
    folder = tmp_path / "[a]*? b"
    write(folder / "in/x.jsonl", 10)
    write(tmp_path / "a/in/other.jsonl", 10)
    assert [s.files for s in slices_of(folder, paths=["in/*.jsonl"])] == [("x.jsonl",)]


def test_the_corpus_is_not_its_own_input(tmp_path):
    write(tmp_path / "in/a.jsonl", 10)
    write(tmp_path / "in/corpus/raw/b.jsonl", 10)
    for paths in (["in"], ["in/**/*.jsonl"]):
        assert [s.files for s in slices_of(tmp_path, paths=paths, corpus=tmp_path / "in/corpus")] == [("a.jsonl",)]


def test_names_that_are_no_text_are_files_like_others(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/\xff\xfe.jsonl", "wb") as file:  # noqa: PTH123  # bytes
        file.write(b"{}\n")
    (piece,) = slices_of(tmp_path)
    assert os.fsencode(piece.files[0]) == b"\xff\xfe.jsonl"
    assert Slice.from_json(json.loads(json.dumps(piece.to_json()))) == piece


class _Served(BaseHTTPRequestHandler):
    changes: ClassVar[dict[str, str]] = {}  # what the server says of its file besides its size

    def do_GET(self):
        self.send_response(200)
        for name, value in {"Content-Length": "3", **self.changes}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(b"{}\n")

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("name", ["ETag", "Last-Modified"])
def test_a_file_on_a_web_server_is_the_same_as_long_as_the_server_says_so(tmp_path, name, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Served)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/a.jsonl"

    def stamp(changes):
        monkeypatch.setattr(_Served, "changes", changes)
        fsspec.filesystem("http").invalidate_cache()
        (piece,) = slices_of(tmp_path, paths=[url])
        assert f"{piece.root}/{piece.files[0]}" == url
        return piece.stamp

    try:
        first = stamp({name: "Sun, 01 Nov 2026 00:00:00 GMT"})
        assert stamp({name: "Sun, 01 Nov 2026 00:00:00 GMT"}) == first
        assert stamp({name: "Mon, 02 Nov 2026 00:00:00 GMT"}) != first
        assert stamp({}) != stamp({})  # nothing is known: it is read again
    finally:
        server.shutdown()
        server.server_close()


def names_of(folder, **options):
    return sorted(file for piece in slices_of(folder, **options) for file in piece.files)


def test_links_to_folders_are_followed_once(tmp_path):
    write(tmp_path / "in/own.jsonl", 10)
    write(tmp_path / "elsewhere/deep/other.jsonl", 10)
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere/deep/back").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/round").symlink_to(tmp_path / "in")
    for paths in (["in"], ["in/**/*.jsonl"]):
        assert names_of(tmp_path, paths=paths) == ["link/deep/other.jsonl", "own.jsonl"]


def test_hidden_files_are_left_alone_in_folders_as_in_patterns(tmp_path):
    for name in ("a.md", ".ipynb_checkpoints/a-checkpoint.md", ".b.md", "c/.d/e.md"):
        write(tmp_path / "in" / name, 10)
    for paths in (["in"], ["in/**/*.md"]):
        assert names_of(tmp_path, kind="markdown", paths=paths) == ["a.md"]
    assert names_of(tmp_path, kind="markdown", paths=["in/.b.md"]) == [".b.md"]


def test_a_folder_that_cannot_be_listed_is_an_error(tmp_path, monkeypatch):
    write(tmp_path / "in/open/a.jsonl", 10)
    write(tmp_path / "in/closed/b.jsonl", 10)
    scandir = os.scandir

    def refused(folder):
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refused)
    with pytest.raises(InputError, match=r"in/closed: cannot be listed \(Permission denied\); make it readable"):
        slices_of(tmp_path, paths=["in"])


def test_a_file_that_two_patterns_name_is_read_once(tmp_path):
    write(tmp_path / "in/a.jsonl", 10)
    write(tmp_path / "in/sub/b.jsonl", 10)
    paths = ["in/a.jsonl", "in/*.jsonl", "in", "in/sub", f"file://{tmp_path}/in/a.jsonl", f"file://{tmp_path}/in"]
    assert names_of(tmp_path, paths=paths) == ["a.jsonl", "sub/b.jsonl"]


def test_two_dots_behind_a_link_are_where_it_leads(tmp_path):
    write(tmp_path / "real/sub/x", 10)
    write(tmp_path / "real/b.jsonl", 20)
    write(tmp_path / "b.jsonl", 10)
    (tmp_path / "link").symlink_to("real/sub")
    for path in ("link/../b.jsonl", "link/../*.jsonl"):
        (piece,) = slices_of(tmp_path, paths=[path])
        assert (piece.root, piece.files) == (str(tmp_path / "real"), ("b.jsonl",))
    (piece,) = slices_of(tmp_path / "real", paths=["../b.jsonl"])
    assert (piece.root, piece.files) == (str(tmp_path), ("b.jsonl",))
    with pytest.raises(InputError, match=r"'\.\.' cannot stand after a wildcard"):
        slices_of(tmp_path, paths=["r*/../b.jsonl"])


def test_what_was_looked_for_is_said(tmp_path):
    write(tmp_path / "in/a.json", 10)
    with pytest.raises(InputError, match=r"looked for files that end in \.jsonl, .* in .*/in\)"):
        slices_of(tmp_path, paths=["in"])
    with pytest.raises(InputError, match="'~nobody-of-this-name/x': this user or home folder does not exist"):
        slices_of(tmp_path, paths=["~nobody-of-this-name/x"])
