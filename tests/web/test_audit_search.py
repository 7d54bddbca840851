"""The auditor's questions on a page and as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree

from engine import Engine, indexing

Browse = Callable[[str | None], Any]
XES = "{http://www.xes-standard.org/}"


@pytest.fixture
def audited(engine: Engine, loan: Any, browse: Browse) -> Any:
    """The auditor at a page, with a reviewed loan to look for."""
    (task,) = loan.tasks
    engine.claim(task, by="taochouti")
    engine.complete(task, {"outcome": "agree", "comment": '=HYPERLINK("http://evil.example")'}, by="taochouti")
    while indexing.catch_up(engine):
        pass
    return browse("jianchigui")


def test_the_auditor_asks_and_the_address_holds_the_question(audited: Any, loan: Any) -> None:
    page = audited.get("/audit/?person=taochouti&role=did&outcome=agree&value=count+%3D+2").text
    assert f"/audit/{loan.instance_id}?at=" in page and 'value="count = 2"' in page
    assert "export.csv?person=taochouti&amp;role=did&amp;outcome=agree&amp;value=count+%3D+2" in page
    assert "没有符合条件的案件" in audited.get("/audit/?person=luyaoyi&role=did").text


def test_a_question_with_a_mistake_says_where(audited: Any) -> None:
    page = audited.get("/audit/?since=yesterday&value=nonsense")
    assert page.status_code == 200 and "日期写作" in page.text and "变量条件写作" in page.text
    assert audited.get("/audit/export.csv?since=yesterday").status_code == 422
    assert audited.get("/audit/export.exe").status_code == 404


@pytest.mark.parametrize("query", ["text=%00", "value=%3Cscript%3E+%3D+1", "cursor=%00+x", "person=" + "x" * 5000])
def test_absurd_questions_get_a_page(audited: Any, query: str) -> None:
    page = audited.get(f"/audit/?{query}")
    assert page.status_code == 200 and "<script>" not in page.text.split("</head>")[1]


def test_nobody_but_auditors_sees_or_takes_anything(audited: Any, browse: Browse, loan: Any) -> None:
    for who in ("michuangdian", "taochouti", "sushujia"):
        for path in ("", "export.csv", "export.xes", f"{loan.instance_id}/export.ocel"):
            assert browse(who).get(f"/audit/{path}").status_code == 403


def test_a_table_runs_nothing_in_a_spreadsheet(audited: Any) -> None:
    answer = audited.get("/audit/export.csv")
    rows = list(csv.DictReader(io.StringIO(answer.data.decode("utf-8-sig"))))
    done = [row for row in rows if row["type"] == "task.completed"]
    assert done[0]["by"] == "taochouti" and done[0]["comment"] == '\'=HYPERLINK("http://evil.example")'
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


def test_one_case_and_many_are_given_as_event_logs(audited: Any, loan: Any) -> None:
    for path in ("export", f"{loan.instance_id}/export"):
        log = etree.fromstring(audited.get(f"/audit/{path}.xes").data)
        (trace,) = log.findall(f"{XES}trace")
        steps = {event.find(f"{XES}string[@key='concept:name']").get("value") for event in trace.findall(f"{XES}event")}
        assert len(steps) > 1
        found = json.loads(audited.get(f"/audit/{path}.ocel").data)
        assert f"case:{loan.instance_id}" in {each["id"] for each in found["objects"]}


def test_the_way_to_the_audit_is_shown_to_auditors_alone(audited: Any, browse: Browse) -> None:
    assert 'href="/audit/"' in audited.get("/inbox").text
    assert 'href="/audit/"' not in browse("taochouti").get("/inbox").text
