"""Arrows point one way: cli -> pipelines -> stages -> corpus, schema, errors.  Read from the imports themselves."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corpusmill

ROOT = Path(corpusmill.__file__).parent
STAGES = {"collect", "extract", "filters", "dedup", "tokenize", "train"}
MODULES = sorted(ROOT.rglob("*.py"))


def imports_of(path: Path) -> set[str]:
    """Full names of everything a module imports, wherever in the file."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def package_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else ""


def ours(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imports_of(path) if name.startswith("corpusmill.")}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_arrows_point_one_way(path):
    package, used = package_of(path), ours(path)
    if package in STAGES:
        assert not used & (STAGES - {package}), "stage packages don't import each other"
        assert not used & {"pipelines", "reports", "cli", "api"}
    if package == "reports":
        assert not used & {"pipelines", "cli", "api", "train"}
    if package == "" and path.name not in ("cli.py", "api.py", "__init__.py", "__main__.py"):
        assert not used & (STAGES | {"pipelines", "reports", "cli", "api"}), "the ground stands on nothing"


def test_the_parts_of_extraction_stand_on_the_tables_alone():
    for path in (ROOT / "extract").glob("*/*.py"):
        used = {name.split(".")[2] for name in imports_of(path) if name.startswith("corpusmill.extract.")}
        assert used <= {path.parent.name, "segments"}, path


@pytest.mark.parametrize(("library", "homes"), [("apache_beam", {"pipelines"}), ("torch", {"train"})])
def test_a_heavy_library_has_one_home(library, homes):
    users = {package_of(p) for p in MODULES if any(n.split(".")[0] == library for n in imports_of(p))}
    assert users <= homes


def test_training_imports_neither_beam_nor_duckdb():
    for path in MODULES:
        if package_of(path) == "train":
            assert not {n.split(".")[0] for n in imports_of(path)} & {"apache_beam", "duckdb"}


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(command):
    code = (
        "import sys, contextlib\nsys.argv = ['corpusmill', *sys.argv[1:]]\nfrom corpusmill.cli import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "heavy = {'apache_beam','numba','numpy','pyarrow','duckdb','torch','aiohttp'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code, *command], check=True, capture_output=True)
