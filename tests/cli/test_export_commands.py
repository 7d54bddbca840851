"""`guiju export`: one case or a question's cases, whole files or none."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from lxml import etree

from bench.bare import REQUEST, STEPS
from bench.company import ACTOR, company
from engine import SigningKey, indexing
from web.cli import build
from web.cli_text import Tongue

XES = "{http://www.xes-standard.org/}"


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A finished case and an open one; the finished one's id. A key to sign with is set."""
    SigningKey.make("guiju.example/log").save(tmp_path / "key")
    monkeypatch.setenv("GUIJU_SIGNING_KEY", str(tmp_path / "key"))
    with company(tmp_path / "guiju.db") as engine:
        done = engine.start("approval", REQUEST, by=ACTOR)
        engine.start("approval", REQUEST, by=ACTOR)
        for _element, variables in STEPS:
            done = engine.complete(done.tasks[0], variables, by=ACTOR)
        while indexing.catch_up(engine):
            pass
    yield done.instance_id


def export(tmp_path: Path, *arguments: str, language: str = "en") -> Result:
    command = ["export", *arguments, "--database", f"sqlite:///{tmp_path / 'guiju.db'}"]
    return CliRunner().invoke(build(Tongue(language)), command, catch_exceptions=False)


def test_one_case_is_written_in_every_format(case: str, tmp_path: Path) -> None:
    for kind in ("json", "pdf", "xes", "ocel", "csv"):
        path = tmp_path / f"case.{kind}"
        done = export(tmp_path, case, "--format", kind, "-o", str(path))
        assert done.exit_code == 0, done.output
    assert (tmp_path / "case.pdf").read_bytes().startswith(b"%PDF-")
    assert json.loads((tmp_path / "case.json").read_bytes())["case"]["instance"] == case
    assert json.loads((tmp_path / "case.ocel").read_bytes())["events"]
    table = (tmp_path / "case.csv").read_text(encoding="utf-8-sig")
    assert len(list(csv.reader(table.splitlines()))) > 5
    assert len(etree.fromstring((tmp_path / "case.xes").read_bytes()).findall(f"{XES}trace")) == 1


def test_a_question_chooses_the_cases(case: str, tmp_path: Path) -> None:
    def traces(where: str) -> int:
        path = tmp_path / "many.xes"
        assert export(tmp_path, "--where", where, "--format", "xes", "-o", str(path)).exit_code == 0
        return len(etree.fromstring(path.read_bytes()).findall(f"{XES}trace"))

    assert [traces(where) for where in ("", "status=completed", "status=active", "person=nobody")] == [2, 1, 1, 0]


def test_what_makes_no_sense_is_refused_and_leaves_no_file(case: str, tmp_path: Path) -> None:
    path = tmp_path / "nothing"
    wrong = export(tmp_path, "--where", "since=yesterday&value=nonsense", "--format", "csv", "-o", str(path))
    assert wrong.exit_code == 1 and "since: Write the date as" in wrong.output and "value:" in wrong.output
    assert export(tmp_path, "--where", "", "--format", "pdf", "-o", str(path)).exit_code == 2
    assert export(tmp_path).exit_code == 2 and export(tmp_path, case, "--where", "").exit_code == 2
    assert not path.exists() and [each.name for each in tmp_path.glob(".*")] == []
