"""The table of terms is edited like a diagram: checked, deployed as a version, and no running case is judged anew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest

from engine import Engine, queries
from engine.errors import GateRefused, NotFound
from processes import term_rules
from processes.bundle import collect, shipped
from processes.scenario_runner import Stage
from processes.term_rules import NAME, PATH

SCENARIOS = Path(__file__).resolve().parents[2] / "processes" / "content_review" / "scenarios"
NEW = "T900,house_word,block,到店可预约,,本办法,改写\n".encode()


@pytest.fixture
def engine() -> Iterator[Engine]:
    with Stage() as stage, stage.company(datetime.fromisoformat("2026-11-09T09:00:00+08:00")) as (opened, _):
        yield opened


def submit(engine: Engine) -> str:
    variables = json.loads((SCENARIOS / "C02b.json").read_text(encoding="utf-8"))["start"]["variables"]
    return engine.start("content_review", variables, by=variables["author"]).instance_id


def open_steps(engine: Engine, case: str) -> list[str]:
    return [task.element for task in queries.inspect(engine, case).open]


def test_a_new_term_counts_for_new_cases_only(engine: Engine) -> None:
    before = submit(engine)
    versions = engine.deploy({NAME: PATH.read_bytes() + NEW}, by="lutuyang").processes
    assert (versions["content_review"], versions["account_registration"], versions["group_vote"]) == (2, 2, 1)
    after = submit(engine)
    assert open_steps(engine, after) == ["revise"]
    assert [hit["rule"] for hit in queries.inspect(engine, after).variables["prescan"]["hits"]] == ["T900"]
    (task,) = queries.inspect(engine, before).open
    engine.complete(task.task_id, {"outcome": "return", "comment": "改一处"}, by="shenshafa")
    (task,) = queries.inspect(engine, before).open
    engine.complete(task.task_id, {"outcome": "resubmit"}, by="duwenli")
    assert open_steps(engine, before) == ["t1_review"]


def test_a_table_that_could_hang_is_refused_by_line_and_rule(engine: Engine) -> None:
    broken = PATH.read_bytes() + "T900,house_word,block,(最+)+好,,本办法,改写\n".encode()
    with pytest.raises(GateRefused) as refused:
        engine.deploy({NAME: broken}, by="lutuyang")
    (problem,) = refused.value.problems
    assert (problem.file, problem.element, problem.code) == (NAME, "T900", "table")
    assert problem.line == PATH.read_bytes().count(b"\n") + 1


def test_a_table_nobody_reads_is_refused(engine: Engine) -> None:
    with pytest.raises(GateRefused):
        engine.deploy({"prices.csv": b"a,b\n1,2\n"}, by="lutuyang")


def test_the_terms_ship_with_the_diagrams_and_can_be_deployed_alone(tmp_path: Path) -> None:
    assert NAME in shipped()
    (tmp_path / NAME).write_bytes(PATH.read_bytes())
    (tmp_path / "notes.csv").write_text("a,b\n", encoding="utf-8")
    assert list(collect([tmp_path])) == list(collect([tmp_path / NAME])) == [NAME]


def test_a_deployment_from_before_the_table_was_part_of_it_scans_with_the_shipped_terms() -> None:
    rules, digest = term_rules.of({})
    assert rules == term_rules.shipped() and len(digest) == 64


def test_each_scan_says_which_table_it_used(engine: Engine) -> None:
    before = submit(engine)
    engine.deploy({NAME: PATH.read_bytes() + NEW}, by="lutuyang")
    after = submit(engine)
    used = [queries.inspect(engine, case).variables["prescan"]["term_table"] for case in (before, after)]
    assert used == [sha256(PATH.read_bytes()).hexdigest(), sha256(PATH.read_bytes() + NEW).hexdigest()]


def test_a_diagram_that_reads_a_table_nobody_deploys_is_refused(engine: Engine) -> None:
    _, files = queries.deployed(engine)
    lacking = files["content_review.bpmn"].replace(
        b'name="tables" value="term_rules.csv"', b'name="tables" value="no.csv"'
    )
    with pytest.raises(GateRefused) as refused:
        engine.deploy({"content_review.bpmn": lacking}, by="lutuyang")
    assert [(p.file, p.element, p.code) for p in refused.value.problems] == [
        ("content_review.bpmn", "content_review", "table-missing")
    ]


def test_the_terms_come_back_as_the_file_that_was_handed_in(engine: Engine) -> None:
    mine = b"\xef\xbb\xbf" + PATH.read_bytes().replace(b"\n", b"\r\n") + NEW
    engine.deploy({NAME: mine}, by="lutuyang")
    number, files = queries.deployed(engine)
    assert (number, files[NAME]) == (2, mine)
    assert queries.deployed(engine, 1)[1][NAME] == PATH.read_bytes()
    with pytest.raises(NotFound):
        queries.deployed(engine, 9)


def test_a_name_is_refused_by_a_new_term_as_well(engine: Engine) -> None:
    path = SCENARIOS.parents[1] / "account_registration" / "scenarios" / "R01.json"
    started = json.loads(path.read_text(encoding="utf-8"))["start"]
    name = started["variables"]["proposed_name"]
    term = f"T900,insult,block,{name[:4]},,本办法,改写\n".encode()
    engine.deploy({NAME: PATH.read_bytes() + term}, by="lutuyang")
    case = engine.start("account_registration", started["variables"], by=started["by"]).instance_id
    assert open_steps(engine, case) == ["fix"]
