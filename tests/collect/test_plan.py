"""The plan: what a slice's name and extent depend on, and what they do not."""

import random
from pathlib import Path

import fsspec
import pytest

from corpusmill.collect.plan import plan
from corpusmill.corpus import Corpus
from corpusmill.errors import InputError
from corpusmill.recipe import RunSettings, Source


def slices_of(folder, *, kind="jsonl", paths=("in/*",), slice_bytes=4096, limit=None, corpus=None):
    source = Source(name="web", kind=kind, paths=list(paths))
    settings = RunSettings(slice_bytes=slice_bytes, limit=limit)
    return plan([source], settings, folder=folder, corpus=Corpus(corpus or folder / "corpus"))


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
    one = {(s.part, s.files, s.start, s.identity) for s in slices_of(tmp_path / "one")}
    two = {(s.part, s.files, s.start, s.identity) for s in slices_of(tmp_path / "two/deeper")}
    assert one < two


def test_a_folder_a_pattern_and_a_file_name_the_same_record_alike(tmp_path):
    write(tmp_path / "in/a.jsonl", 100)
    names = {
        tuple((s.part, s.files) for s in slices_of(tmp_path, paths=[p])) for p in ("in", "in/*.jsonl", "in/a.jsonl")
    }
    assert len(names) == 1


def test_a_name_with_wildcard_characters_is_taken_literally_if_it_exists(tmp_path):
    write(tmp_path / "in/a[1].jsonl", 100)
    (only,) = slices_of(tmp_path, paths=["in/a[1].jsonl"])
    assert (only.root, only.files) == (str(tmp_path / "in"), ("a[1].jsonl",))


@pytest.mark.parametrize("n", [1, 40, 400])
def test_buckets_of_a_tree_hold_every_file_once_and_a_new_file_touches_one(tmp_path, n):
    for i in range(n):
        write(tmp_path / f"in/{i % 7}/{i}.html", 150)
    before = {s.part: s for s in slices_of(tmp_path, kind="html", paths=["in"])}
    files = [f for s in before.values() for f in s.files]
    assert sorted(files) == sorted(f"{i % 7}/{i}.html" for i in range(n))
    write(tmp_path / "in/new.html", 10)
    after = {s.part: s for s in slices_of(tmp_path, kind="html", paths=["in"])}
    changed = [part for part, piece in after.items() if before.get(part) != piece]
    assert len(changed) <= 2  # one bucket, or the two that it was split into


def test_identity_follows_content_and_not_time(tmp_path):
    write(tmp_path / "in/a.jsonl", 100)
    (first,) = slices_of(tmp_path)
    (tmp_path / "in/a.jsonl").touch()
    (second,) = slices_of(tmp_path)
    assert second == first
    (tmp_path / "in/a.jsonl").write_bytes(b"x" * 100)
    (third,) = slices_of(tmp_path)
    assert third.identity != first.identity


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
