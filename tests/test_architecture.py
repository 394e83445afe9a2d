"""Arrows point one way, read from the imports themselves.

cli -> api -> serve -> evaluate, ablate, export -> pipelines, reports -> stages -> recipe, finetune -> generate
-> packages of the stages -> the ground
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import corpusmill

ROOT = Path(corpusmill.__file__).parent
PACKAGES = {"collect", "extract", "filters", "dedup", "tokenize", "train", "vectors"}  # of the stages
ABOVE = (  # in layers, the lowest first
    *("generate", "recipe", "finetune", "stages", "pipelines", "reports", "evaluate", "ablate", "export", "serve"),
    *("api", "cli"),
)
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
    if package in PACKAGES:
        assert not used & (PACKAGES - {package}), "stage packages don't import each other"
        assert not used & set(ABOVE)
        return
    layer = package or path.stem
    if layer in ABOVE:
        assert not used & set(ABOVE[ABOVE.index(layer) + 1 :])
        if layer in ("pipelines", "reports"):
            assert not used & ({"pipelines", "reports"} - {layer}), "these two know nothing of each other"
        if layer == "reports":
            assert not used & {"train", "finetune"}
        if layer in ("stages", "pipelines"):
            assert "finetune" not in used
    elif path.name not in ("__init__.py", "__main__.py"):
        assert not used & (PACKAGES | set(ABOVE)), "the ground stands on nothing"


def test_the_recipe_knows_settings_and_formats_and_no_work():
    used = {name for name in imports_of(ROOT / "recipe.py") if name.split(".")[1:2] and name.split(".")[1] in PACKAGES}
    assert {name.split(".")[2] for name in used} <= {"settings", "formats"}


def test_the_parts_of_extraction_stand_on_the_tables_alone():
    for path in (ROOT / "extract").glob("*/*.py"):
        used = {name.split(".")[2] for name in imports_of(path) if name.startswith("corpusmill.extract.")}
        assert used <= {path.parent.name, "segments"}, path


HOMES = [("apache_beam", {"pipelines"}), ("torch", {"train", "generate", "finetune", "evaluate", "export", "loader"})]


@pytest.mark.parametrize(("library", "homes"), HOMES)
def test_a_heavy_library_has_one_home(library, homes):
    users = {package_of(p) for p in MODULES if any(n.split(".")[0] == library for n in imports_of(p))}
    assert users <= homes


def dotted(path: Path) -> str:
    """The name with which a module is imported."""
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def used_modules(path: Path) -> set[str]:
    """What a module imports.  `from package import module` uses the module, not the package."""
    used = imports_of(path)
    return used - {name.rpartition(".")[0] for name in used if (ROOT.parent / f"{name.replace('.', '/')}.py").exists()}


def test_no_package_imports_in_a_circle():
    for package in (PACKAGES | {*ABOVE}) - {"collect", "extract", "recipe", "api", "cli"}:
        found = (ROOT / package).glob("**/*.py" if package in ("train", "finetune") else "*.py")
        modules = {dotted(path): path for path in found}
        imports = {name: used_modules(path) & modules.keys() - {name} for name, path in modules.items()}
        while leaves := {name for name, used in imports.items() if not used & imports.keys()}:
            imports = {name: used for name, used in imports.items() if name not in leaves}
        assert not imports, f"{package}: {imports}"


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
