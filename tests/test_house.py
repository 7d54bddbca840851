"""The house itself: the right packages are tested, the lock is complete, and files stay short enough to read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


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


def test_the_lock_names_no_index() -> None:
    assert re.findall(r"https?:|--index|--find-links|@ ", LOCK) == []


def test_no_source_file_is_too_long_to_read_in_one_sitting() -> None:
    folders = ("bench", "engine", "processes", "web", "tests")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in sources}
    assert {path: length for path, length in lengths.items() if length > 400} == {}
    assert len(lengths) > 30
