"""Where compiled kernels are kept."""

import os
import re
import subprocess
import sys
from pathlib import Path

import corpusmill

PROBE = "from corpusmill.kernels import cache_folder; print(cache_folder())"


def folder(**environment: str) -> Path:
    clean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    ran = subprocess.run([sys.executable, "-c", PROBE], env=clean | environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return Path(ran.stdout.strip())


def test_kernels_are_cached_in_the_users_folder_and_not_beside_the_source(tmp_path):
    found = folder(HOME=str(tmp_path))
    assert found.parent == tmp_path / ".cache" / "corpusmill"
    assert folder(XDG_CACHE_HOME=str(tmp_path / "xdg")).parent == tmp_path / "xdg" / "corpusmill"
    assert folder(NUMBA_CACHE_DIR=str(tmp_path)) == tmp_path


def test_without_a_home_that_can_be_written_the_cache_is_temporary(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    found = folder(HOME=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert found.parent == tmp_path / f"corpusmill-{os.getuid()}"


KERNEL = re.compile(r"import (?:\w+, )*kernel\n")


def test_only_packages_that_are_known_to_hold_kernels_do():
    from corpusmill.kernels import HOMES, WARM_UPS

    root = Path(corpusmill.__file__).parent
    users = {p.relative_to(root).parts[0] for p in root.rglob("*.py") if KERNEL.search(p.read_text("utf-8"))}
    assert users == set(HOMES) == {package for group in WARM_UPS for package, _ in group}
