"""An administrator's pages: cases by their number, suspended, resumed, cancelled; never what they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from engine import Engine, queries
from engine.errors import Denied
from engine.models import case_barred

Browse = Callable[[str | None], Any]
CONTENT = ("榫卯样件", "新品短片需要实物", "michuangdian", "米床垫", "陆摇椅")


def status(engine: Engine, loan: Any) -> tuple[str, bool]:
    row = queries.administered_case(engine, loan.instance_id, actor="sushujia")
    return row.status, row.suspended


def told(engine: Engine, username: str) -> list[str]:
    return [one["text"]["zh-CN"] for one in queries.told(engine, actor=username)]


def test_cases_are_listed_by_number_without_their_content(browse: Browse, engine: Engine, loan: Any) -> None:
    browser = browse("sushujia")
    for path in ("/admin/cases", f"/admin/cases/{loan.instance_id}"):
        page = browser.get(path)
        assert page.status_code == 200 and (loan.business_key or loan.instance_id) in page.text
        main = page.text[page.text.index("<main") : page.text.index("</main>")]
        assert not [word for word in CONTENT if word in main]


def test_a_number_finds_its_case_and_no_other(browse: Browse, engine: Engine, loan: Any) -> None:
    number = loan.business_key or loan.instance_id
    page = browse("sushujia").get(f"/admin/cases?search={number}").text
    assert page.count(f"/admin/cases/{loan.instance_id}") == 1
    for nothing in ("%", "_", "XX-9", "' or 1=1 --"):
        assert "没有这样的案件" in browse("sushujia").get("/admin/cases", query_string={"search": nothing}).text


def test_suspending_stops_the_case_and_says_so_to_those_concerned(browse: Browse, engine: Engine, loan: Any) -> None:
    browser = browse("sushujia")
    path = f"/admin/cases/{loan.instance_id}"
    assert browser.post(f"{path}/suspend", {"reason": " "}).status_code == 422
    assert status(engine, loan) == ("active", False)
    assert browser.post(f"{path}/suspend", {"reason": "核查重复"}).status_code == 303
    assert status(engine, loan) == ("active", True)
    assert any("核查重复" in text for text in told(engine, "michuangdian"))
    assert any("核查重复" in text for text in told(engine, "taochouti"))
    assert not any("核查重复" in text for text in told(engine, "luyaoyi")), "who is recused is told nothing"
    assert browse("taochouti").post(f"/tasks/{loan.tasks[0]}/claim").status_code == 409
    assert "恢复案件" in browser.get(path).text
    assert browser.post(f"{path}/resume").status_code == 303
    assert status(engine, loan) == ("active", False)
    assert browse("taochouti").post(f"/tasks/{loan.tasks[0]}/claim").status_code == 303


@pytest.mark.parametrize("suspended", [False, True])
def test_cancelling_needs_a_reason_and_the_number(browse: Browse, engine: Engine, loan: Any, suspended: bool) -> None:
    browser, path = browse("sushujia"), f"/admin/cases/{loan.instance_id}"
    number = loan.business_key or loan.instance_id
    if suspended:
        engine.suspend(loan.instance_id, by="sushujia", reason="核查")
    for data in ({"number": number}, {"reason": "误建"}, {"reason": "误建", "number": "other"}):
        answer = browser.post(f"{path}/cancel", data)
        assert answer.status_code == 422 and "aria-invalid" in answer.text
    assert status(engine, loan)[0] == "active"
    assert browser.post(f"{path}/cancel", {"reason": "误建", "number": number}).status_code == 303
    assert status(engine, loan) == ("cancelled", False)
    assert "没有可办的操作" in browser.get(path).text
    assert any("误建" in text for text in told(engine, "taochouti"))
    assert browser.post(f"{path}/resume").status_code == 409


def test_a_case_kept_from_an_administrator_is_not_theirs_to_see_or_stop(
    browse: Browse, engine: Engine, loan: Any
) -> None:
    engine.db.write(
        lambda connection: connection.execute(
            case_barred.insert().values(instance_id=loan.instance_id, username="sushujia")
        )
    )
    browser = browse("sushujia")
    assert loan.instance_id not in browser.get("/admin/cases").text
    assert browser.get(f"/admin/cases/{loan.instance_id}").status_code == 404
    answer = browser.post(f"/admin/cases/{loan.instance_id}/cancel", {"reason": "x", "number": loan.instance_id})
    assert answer.status_code == 404


def test_nobody_else_administers(engine: Engine, loan: Any) -> None:
    for who in ("taochouti", "jianchigui", "michuangdian"):
        with pytest.raises(Denied):
            queries.administered(engine, actor=who)
        with pytest.raises(Denied):
            engine.suspend(loan.instance_id, by=who, reason="x")
