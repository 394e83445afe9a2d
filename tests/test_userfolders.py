"""The folder for what can be made again, on machines where the usual one is not to be had."""

import tempfile
from pathlib import Path

import pytest

from corpusmill import userfolders


@pytest.fixture
def bare(monkeypatch, tmp_path):
    """Neither a home nor a cache folder, and a temporary folder of the test's own."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "temporary"))
    userfolders.cache_base.cache_clear()
    yield tmp_path
    userfolders.cache_base.cache_clear()


def test_without_a_home_it_is_a_temporary_folder_of_the_users_own(bare):
    folder = userfolders.cache_base()
    assert folder.parent == bare / "temporary"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_what_the_environment_names_comes_first(bare, monkeypatch):
    monkeypatch.setenv("HOME", str(bare / "home"))
    assert userfolders.cache_base() == bare / "home/.cache/corpusmill"
    userfolders.cache_base.cache_clear()
    monkeypatch.setenv("XDG_CACHE_HOME", str(bare / "cache"))
    assert userfolders.cache_base() == bare / "cache/corpusmill"


def test_where_nothing_can_be_written_it_says_what_to_do(bare, monkeypatch):
    (bare / "file").touch()
    monkeypatch.setenv("HOME", str(bare / "file"))
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(bare / "file"))
    with pytest.raises(OSError, match="set XDG_CACHE_HOME"):
        userfolders.cache_base()


def test_a_folder_of_someone_else_is_not_used(bare, monkeypatch):
    theirs = bare / "theirs"
    monkeypatch.setenv("XDG_CACHE_HOME", str(theirs))
    (theirs / "corpusmill").mkdir(parents=True)
    monkeypatch.setattr(userfolders.os, "getuid", lambda: Path(theirs).stat().st_uid + 1)
    with pytest.raises(OSError, match="no writable folder"):
        userfolders.cache_base()
