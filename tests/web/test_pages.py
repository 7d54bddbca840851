"""What people do at the pages, through forms as a browser sends them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine import Engine, queries
from engine.errors import Unavailable

Browse = Callable[[str | None], Any]
FILLED = {
    "item": "榫卯样件",
    "using_dept": "marketing",
    "kind": "shoot",
    "features": "carry",
    "places": "一号影棚\r\n展厅",
    "reason": "新品短片需要实物",
    "count": "2",
    "careful": "true",
}


def key_of(page: str) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page)
    assert found is not None
    return found[1]


def test_a_case_goes_from_form_to_end_through_the_pages(browse: Browse, engine: Engine) -> None:
    applicant, keeper = browse("michuangdian"), browse("taochouti")
    form = applicant.get("/start/sample_loan").text
    assert "《样品借用申请表》" in form and "说明为什么不能用图片代替" in form
    sent = applicant.post("/start/sample_loan", {**FILLED, "key": key_of(form)})
    assert sent.status_code == 303
    case = applicant.get(sent.location).text
    assert "已提交，编号 YP-2026-0001" in case and "等待样品管理员" in case

    inbox = keeper.get("/inbox?tab=claimable").text
    assert "样品审核：榫卯样件" in inbox and "米床垫发起的样品借用" in inbox and "还剩 4 工作小时" in inbox
    task = re.search(r'href="(/tasks/[^"]+)"', inbox)
    assert task is not None
    assert keeper.post(f"{task[1]}/claim").status_code == 303
    page = keeper.get(task[1]).text
    assert "核对样品是否在库" in page and "一号影棚、展厅" in page and "市场部" in page
    assert page.index("同意") < page.index("不同意")  # the dangerous button is never first
    done = keeper.post(f"{task[1]}/complete", {"outcome": "agree", "comment": "可领", "key": key_of(page)})
    assert done.location == "/inbox"
    assert "「样品审核」已办完" in keeper.get("/inbox").text

    assert "领取样品：榫卯样件" in applicant.get("/inbox").text
    [task_row] = queries.inbox(engine, actor="michuangdian").items
    own = applicant.get(f"/tasks/{task_row.task_id}").text
    assert "可领" in own and "陶抽屉" in own
    applicant.post(f"/tasks/{task_row.task_id}/complete", {"outcome": "done", "key": key_of(own)})
    [case_row] = queries.started(engine, actor="michuangdian").items
    ended = applicant.get(f"/cases/{case_row.instance_id}").text
    assert "已办结" in ended and "案件结束：已借出" in ended


def test_wrong_fields_are_named_beside_them_the_input_kept_and_nothing_saved(browse: Browse, engine: Engine) -> None:
    applicant = browse("michuangdian")
    unticked = {name: value for name, value in FILLED.items() if name != "careful"}
    answer = applicant.post("/start/sample_loan", {**unticked, "count": "许多", "reason": " "})
    assert answer.status_code == 422
    page = answer.text
    assert "有 3 处需要改正，尚未提交" in page
    for name, said in {
        "count": "「件数」须填整数",
        "careful": "「承诺完好归还」须勾选确认",
        "reason": "「理由」尚未填写",
    }.items():
        assert f'<a href="#f-{name}">{said}</a>' in page
        assert re.search(rf'id="f-{name}-wrong">.*{said}', page)
    assert 'value="许多"' in page and 'value="榫卯样件"' in page and "一号影棚\n展厅" in page
    assert queries.started(engine, actor="michuangdian").items == []
    english = applicant.post("/start/sample_loan", {**FILLED, "count": ""}, headers={"Accept-Language": "en"}).text
    assert "“Pieces” is required" in english


def test_a_reload_or_a_double_click_starts_one_case(browse: Browse, engine: Engine) -> None:
    applicant = browse("michuangdian")
    key = key_of(applicant.get("/start/sample_loan").text)
    first, again = (applicant.post("/start/sample_loan", {**FILLED, "key": key}).location for _ in range(2))
    assert first == again
    assert len(queries.started(engine, actor="michuangdian").items) == 1


def test_sending_a_decision_twice_decides_once(browse: Browse, engine: Engine, loan: Any) -> None:
    keeper = browse("taochouti")
    path = f"/tasks/{loan.tasks[0]}"
    key = key_of(keeper.get(path).text)
    for _ in range(2):
        assert keeper.post(f"{path}/complete", {"outcome": "agree", "key": key}).status_code == 303
    assert keeper.post(f"{path}/complete", {"outcome": "agree"}).status_code == 409


def test_a_rejection_without_a_reason_is_asked_for_one_and_the_words_stay(browse: Browse, loan: Any) -> None:
    page = browse("taochouti").post(f"/tasks/{loan.tasks[0]}/complete", {"outcome": "reject", "stock_no": "SM-18"})
    assert page.status_code == 422
    assert "「意见」尚未填写" in page.text and 'value="SM-18"' in page.text


def test_a_draft_is_kept_and_shown_only_to_whoever_does_the_task(browse: Browse, engine: Engine, loan: Any) -> None:
    keeper = browse("taochouti")
    path = f"/tasks/{loan.tasks[0]}"
    keeper.post(f"{path}/claim")
    assert keeper.post(f"{path}/draft", {"comment": "先记一笔"}).status_code == 303
    assert "先记一笔" in keeper.get(path).text
    wrong = keeper.post(f"{path}/complete", {"outcome": "reject", "comment": ""})
    assert wrong.status_code == 422
    assert "先记一笔" in keeper.get(path).text  # a refused form leaves the draft alone
    assert "先记一笔" not in browse("michuangdian").get(f"/cases/{loan.instance_id}").text


def test_a_task_another_took_says_who_has_it(browse: Browse, loan: Any) -> None:
    browse("yepingfeng").post(f"/tasks/{loan.tasks[0]}/claim")
    late = browse("taochouti").post(f"/tasks/{loan.tasks[0]}/claim")
    assert late.status_code == 409
    assert "叶屏风" in late.text and "情况已经变化" in late.text


def test_an_unknown_page_and_an_unknown_task_say_so(browse: Browse) -> None:
    browser = browse("taochouti")
    assert browser.get("/nothing").status_code == 404
    assert "没有这一页" in browser.get("/nothing").text
    assert browser.get("/tasks/00000000-0000-4000-8000-000000000000").status_code == 404


def test_a_lost_database_is_a_page_that_says_try_again(
    browse: Browse, engine: Engine, loan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = browse("taochouti")

    def lost(*_: Any, **__: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(engine, "claim", lost)
    answer = keeper.post(f"/tasks/{loan.tasks[0]}/claim")
    assert answer.status_code == 503 and "稍后重试" in answer.text


def test_an_unforeseen_error_is_a_page_with_a_number(
    browse: Browse, engine: Engine, loan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeper = browse("taochouti")

    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(engine, "claim", broken)
    answer = keeper.post(f"/tasks/{loan.tasks[0]}/claim")
    assert answer.status_code == 500
    assert re.search(r"编号 [0-9a-f]{6}", answer.text) and "secret" not in answer.text


def test_releasing_transferring_and_recusing(browse: Browse, engine: Engine, loan: Any) -> None:
    keeper, path = browse("taochouti"), f"/tasks/{loan.tasks[0]}"
    keeper.post(f"{path}/claim")
    assert keeper.post(f"{path}/release").location == "/inbox?tab=claimable"
    keeper.post(f"{path}/claim")
    assert keeper.post(f"{path}/reassign", {"to": "yepingfeng", "reason": "休假"}).status_code == 303
    other = browse("yepingfeng")
    assert "样品审核：榫卯样件" in other.get("/inbox").text
    assert other.post(f"{path}/recuse", {"reason": "与申请人是亲属"}).status_code == 303
    assert other.get(path).status_code == 403
    assert "与申请人是亲属" not in browse("michuangdian").get(f"/cases/{loan.instance_id}").text


def test_the_initiator_takes_a_case_back(browse: Browse, loan: Any) -> None:
    applicant = browse("michuangdian")
    assert "撤回这个案件" in applicant.get(f"/cases/{loan.instance_id}").text
    applicant.post(f"/cases/{loan.instance_id}/withdraw", {"reason": "不需要了"})
    page = applicant.get(f"/cases/{loan.instance_id}").text
    assert "已撤回" in page and "撤回这个案件" not in page
    assert browse("yepingfeng").get(f"/tasks/{loan.tasks[0]}").status_code == 409


def test_polling_swaps_only_when_something_changed(browse: Browse, engine: Engine, loan: Any) -> None:
    keeper = browse("taochouti")
    page = keeper.get("/inbox?tab=claimable").text
    poll = re.search(r'hx-get="([^"]+)"', page)
    assert poll is not None
    path = poll[1].replace("&amp;", "&")
    assert keeper.get(path).status_code == 204
    engine.claim(loan.tasks[0], by="yepingfeng")
    changed = keeper.get(path)
    assert changed.status_code == 200 and "没有可认领的事" in changed.text and "<html" not in changed.text


def test_long_lists_come_in_pages(browse: Browse, engine: Engine, clock: Any) -> None:
    request = {
        "using_dept": "marketing",
        "kind": "fair",
        "places": ["展厅"],
        "reason": "展会",
        "count": 1,
        "careful": True,
    }
    for number in range(32):
        clock.advance(seconds=1)
        engine.start("sample_loan", {**request, "careful": True, "item": f"样件{number:02}"}, by="michuangdian")
    keeper = browse("taochouti")
    first = keeper.get("/inbox?tab=claimable").text
    assert "样件29" in first and "样件30" not in first
    following = re.search(r'href="(/inbox\?tab=claimable&amp;cursor=[^"]+)"', first)
    assert following is not None
    second = keeper.get(following[1].replace("&amp;", "&")).text
    assert "样件30" in second and "样件31" in second and "样件29" not in second


def test_the_diagram_says_where_the_case_is(browse: Browse, loan: Any) -> None:
    answer = browse("michuangdian").get(f"/cases/{loan.instance_id}/diagram/sample_loan").get_json()
    assert answer["active"] == ["review"] and answer["done"] == ["start"] and answer["flows"] == ["f1"]
    assert answer["xml"].startswith("<?xml")
    page = browse("michuangdian").get(f"/cases/{loan.instance_id}").text
    assert "填写借用申请：已经过" in re.sub(r"</?\w+>", "", page) and "样品审核：正在办理" in re.sub(
        r"</?\w+>", "", page
    )


def test_what_people_write_never_becomes_markup(browse: Browse) -> None:
    applicant = browse("michuangdian")
    sent = applicant.post(
        "/start/sample_loan", {**FILLED, "item": "<script>alert(1)</script>", "reason": '"><img src=x>'}
    )
    page = applicant.get(sent.location).text
    assert "<script>alert" not in page and "<img" not in page and "&lt;script&gt;" in page


def test_administrators_see_incidents_but_no_content(browse: Browse) -> None:
    page = browse("sushujia").get("/admin/incidents")
    assert page.status_code == 200 and "没有故障" in page.text
    assert "仅限系统管理员" in browse("taochouti").get("/admin/incidents").text


def test_retrying_is_for_administrators_and_for_incidents_that_exist(browse: Browse) -> None:
    path = "/admin/incidents/00000000-0000-4000-8000-000000000000/retry"
    assert browse("sushujia").post(path).status_code == 404
    assert browse("taochouti").post(path).status_code in (403, 404)


def test_notifications_are_listed_and_marked_as_read(browse: Browse, engine: Engine, loan: Any) -> None:
    keeper = browse("taochouti")
    assert keeper.get("/notifications").status_code == 200
    assert keeper.post("/notifications/read").location == "/notifications"
