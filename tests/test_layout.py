"""The house rules that no other tool checks: public names, who owns which import, where things may live."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import entry_points, packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("archer", "cinemill_native", "encoder", "mezzfs", "pipelines", "vmaf")
LIBRARIES = tuple(
    name for name in PACKAGES if name != "pipelines"
)  # pipelines is wiring, reached by entry points
SOURCES = [
    path
    for folder in (*LIBRARIES, "pipelines")
    for path in sorted((ROOT / ("native" if folder == "cinemill_native" else ".") / folder).rglob("*.py"))
]
INITS = [path for path in SOURCES if path.name == "__init__.py"]
HOMES = {
    "subprocess": ("archer/process.py", "mezzfs/mount/"),
    "ray": ("archer/executors/ray.py",),
    "fastapi": ("archer/api/",),
    "uvicorn": ("archer/api/",),
    **dict.fromkeys(
        ("starlette", "pydantic", "limits", "prometheus_client", "standardwebhooks"), ("archer/api/",)
    ),
    "httpx": ("archer/api/", "archer/client/"),
    "mfusepy": ("mezzfs/mount/",),
    "boto3": ("mezzfs/stores/s3.py",),
    "s3fs": ("mezzfs/stores/s3.py",),
}
"""Module -> the only places that may import it (ARCHITECTURE: each lives in the one place named)."""
HEAVY = ("av", "numpy", "pyarrow", "sqlalchemy", "rich", "fsspec", "jinja2")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def module_name(init: Path) -> str:
    return ".".join(init.parent.relative_to(ROOT).parts).removeprefix("native.")


def declared_names(init: Path) -> tuple[list[str], list[str] | None]:
    """Names that a package re-exports (`import Y as Y`) or defines, and its `__all__`."""
    tree = ast.parse(init.read_text())
    own = (node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef))
    exported, listed = [name for name in own if not name.startswith("_")], None
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            exported += [alias.name for alias in node.names if alias.asname == alias.name]
        elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            listed = ast.literal_eval(node.value)
    return exported, listed


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


def function_lengths(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("package", PACKAGES)
def test_no_other_distribution_owns_our_package(package: str) -> None:
    """Pip overwrites another distribution's folder of the same name without a word."""
    owners = set(packages_distributions().get(package, []))
    assert owners <= {"cinemill"}, (
        f"{package}/ also belongs to {owners - {'cinemill'}}: uninstall that, reinstall us"
    )


def test_packages_are_ours_and_nothing_else_is_installed() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())
    installed = {Path(name).name for name in config["tool"]["scikit-build"]["wheel"]["packages"]}
    assert installed == set(PACKAGES)
    for name in PACKAGES:
        origin = importlib.import_module(name).__file__
        assert origin is not None
        assert Path(origin).is_relative_to(ROOT) or "site-packages" in origin


def test_nothing_importable_at_the_root_but_the_packages() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/*.py")} - {"tests", "benchmarks"}
    assert folders <= set(PACKAGES)
    assert not list(ROOT.glob("*.py"))


@pytest.mark.parametrize("init", INITS, ids=relative)
def test_a_package_says_what_it_is(init: Path) -> None:
    assert ast.get_docstring(ast.parse(init.read_text())), "wanted a docstring"


@pytest.mark.parametrize("init", INITS, ids=relative)
def test_all_is_sorted_and_equals_reality(init: Path) -> None:
    exported, listed = declared_names(init)
    if listed is None:
        assert not exported, "there are public names, but there is no __all__"
        return
    assert listed == sorted(listed)
    assert sorted(exported) == listed, "public names and __all__ differ"
    module = importlib.import_module(module_name(init))
    missing = [name for name in listed if not hasattr(module, name)]
    assert not missing


@pytest.mark.parametrize("package", LIBRARIES)
def test_a_library_has_a_public_surface_and_an_example(package: str) -> None:
    folder = ROOT / "native" / package if package == "cinemill_native" else ROOT / package
    _, listed = declared_names(folder / "__init__.py")
    assert listed, f"{package} has no __all__"
    docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text()), clean=False) or ""
    assert re.search(rf"^ *(import|from) {package}\b", docstring, re.MULTILINE), (
        "wanted an example in the docstring"
    )


def test_help_is_quick_because_it_imports_little() -> None:
    code = f"""
import sys
from pipelines.cli.main import main
try:
    main(["--help"])
except SystemExit as end:
    assert not end.code, end.code
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "encode" in done.stdout
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_guarded_modules_are_imported_only_at_home(path: Path) -> None:
    for name in imports(path):
        homes = HOMES.get(name.partition(".")[0], ("",))
        assert relative(path).startswith(homes), f"{name} belongs to {' or '.join(homes)}"


def test_layers_are_kept() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_functions_and_files_stay_short(path: Path) -> None:
    """Good and bad code differ in the tail: think again past 45 lines of function, 600 of file."""
    long = [(name, lines) for name, lines in function_lengths(path) if lines > 45]
    assert not long
    assert len(path.read_text().splitlines()) <= 600


@pytest.mark.parametrize("group", ["cinemill.stages", "cinemill.executors"])
def test_entry_points_load_and_carry_their_own_name(group: str) -> None:
    found = [point for point in entry_points(group=group) if point.dist and point.dist.name == "cinemill"]
    assert found
    for point in found:
        assert point.load().name == point.name


def test_tests_have_no_packages_and_unique_names() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_decisions_are_numbered_and_say_what_was_given_up() -> None:
    pages = sorted((ROOT / "docs" / "adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        headings = [line for line in page.read_text().splitlines() if line.startswith("## ")]
        assert headings == ["## Context", "## Decision", "## What we gave up"], page.name


def test_changelog_fragments_have_a_known_kind() -> None:
    kinds = "added|changed|deprecated|removed|fixed|security"
    for path in (ROOT / "changelog.d").iterdir():
        assert path.name == "README.md" or re.fullmatch(rf"\d+(-\w+)?\.({kinds})\.md", path.name), path.name
