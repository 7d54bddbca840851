"""The house itself: the right packages are tested, the lock is complete, and files stay short enough to read."""

from __future__ import annotations

import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def sources(*folders: str) -> list[Path]:
    return [path for name in folders for path in (ROOT / name).rglob("*.py") if "node_modules" not in path.parts]


def pinned() -> list[str]:
    project = PROJECT["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["dev"]]


@pytest.mark.parametrize("package", ["engine", "processes", "web"])
def test_the_package_under_test_is_the_one_in_this_repository(package: str) -> None:
    module = __import__(package)
    assert module.__file__ is not None
    assert Path(module.__file__).parent == ROOT / package


def test_every_direct_dependency_is_pinned_exactly() -> None:
    assert [line for line in pinned() if not re.fullmatch(r"[a-z0-9-]+(\[[a-z,-]+\])?==[0-9][0-9a-z.]*", line)] == []


def test_the_lock_holds_every_pin_with_hashes() -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,-]+\])?==(\S+) \\$", LOCK, re.MULTILINE))
    wanted = {re.sub(r"\[.*?\]", "", name): version for name, version in (line.split("==") for line in pinned())}
    assert {name: locked.get(name) for name in wanted} == wanted
    entries = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_what_is_imported_is_what_is_pinned() -> None:
    modules = importlib.metadata.packages_distributions()
    ours = {"bench", "docs", "engine", "processes", "tests", "verifier", "web", "hatchling"}
    wanted: set[str] = set()
    for path in sources("bench", "docs", "engine", "processes", "tests", "web"):
        for name in re.findall(r"^\s*(?:from|import) ([A-Za-z_]\w*)", path.read_text(encoding="utf-8"), re.MULTILINE):
            if name not in ours and name not in sys.stdlib_module_names:
                wanted.update(re.sub(r"[-_.]+", "-", found).lower() for found in modules.get(name, ()))
    named = {re.sub(r"\[.*?\]", "", line.split("==")[0]) for line in pinned()}
    # used without being imported: tools, type stubs, a driver SQLAlchemy loads, data, what jsonschema finds by itself
    tools = {"import-linter", "lxml-stubs", "mypy", "ruff", "types-jsonschema"}
    behind = {"psycopg", "rfc3339-validator", "rfc3986-validator", "tzdata"}
    assert wanted - named == set()
    assert named - wanted == tools | behind


def test_the_lock_names_no_index() -> None:
    assert re.findall(r"https?:|--index|--find-links|@ ", LOCK) == []


def test_no_source_file_is_too_long_to_read_in_one_sitting() -> None:
    paths = sources("bench", "docs", "engine", "processes", "web", "tests")
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in paths}
    assert {path: length for path, length in lengths.items() if length > 400} == {}
    assert len(lengths) > 30
