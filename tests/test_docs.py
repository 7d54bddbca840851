"""What the documents promise is what there is."""

from __future__ import annotations

import re
from pathlib import Path

from docs import build as reference_builder

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_the_reference_is_what_the_code_says_now() -> None:
    assert read(reference_builder.TARGET) == reference_builder.reference(), "run make docs"


def test_every_environment_variable_is_in_the_operator_guide() -> None:
    sources = [path for package in ("engine", "processes", "web") for path in (ROOT / package).rglob("*.py")]
    used = {name for path in sources for name in re.findall(r"\bGUIJU_[A-Z_]+[A-Z]\b", read(path))}
    documented = set(re.findall(r"`(GUIJU_[A-Z_]+)`", read(DOCS / "operators.md")))
    assert used == documented


def test_every_property_the_engine_reads_is_in_the_designer_guide() -> None:
    guide = read(DOCS / "designers.md")
    sources = "".join(read(path) for path in (ROOT / "engine").rglob("*.py"))
    used = set(re.findall(r'properties\.get\("([a-z_]+)"', sources)) | set(re.findall(r"\"(x-[a-z-]+)\"", sources))
    assert {name for name in used if f"`{name}`" not in guide} == set()


def test_links_between_documents_lead_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "bench").glob("*.md")]
    dead = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", read(page))
        if not (page.parent / link).exists()
    ]
    assert dead == []


def test_decisions_are_one_page_each_with_context_decision_and_consequences() -> None:
    for page in (DOCS / "adr").glob("*.md"):
        text = read(page)
        assert [word for word in ("**Context.**", "**Decision.**", "**Consequences.**") if word not in text] == [], (
            page.name
        )
        assert len(text.splitlines()) < 60, page.name
