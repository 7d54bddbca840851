"""Doing the work: by keyboard alone, and without any script."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from engine import queries

Visit = Callable[..., Any]


def tab_to(page: Page, wanted: str, *, most: int = 80) -> None:
    """Press Tab until the focused element's own words or name match."""
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "(() => { const e = document.activeElement; return e.getAttribute('aria-label') || e.innerText || ''; })()"
        )
        if re.search(wanted, told):
            return
    raise AssertionError(f"Tab never reached {wanted}")


def test_claiming_and_completing_takes_no_mouse(visit: Visit) -> None:
    window = visit("taochouti")
    task = next(
        one
        for one in queries.inbox(window.site.engine, actor="taochouti", tab="claimable").items
        if one.element == "admin_precheck"
    )
    page = window.go("/inbox?tab=claimable")
    page.focus("body")
    tab_to(page, "^跳到正文")
    tab_to(page, f"^认领「材料预审」 {re.escape(task.title)}")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*")
    tab_to(page, "^齐全")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox")
    expect(page.locator("[role=status]")).to_contain_text("「材料预审」已办完")
    assert queries.done(window.site.engine, actor="taochouti").items[0].task_id == task.task_id


def test_pressing_enter_in_a_field_decides_nothing(visit: Visit) -> None:
    window = visit("taochouti")
    task = next(
        one
        for one in queries.inbox(window.site.engine, actor="taochouti", tab="claimable").items
        if one.element == "platform_register"
    )
    page = window.go(f"/tasks/{task.task_id}")
    field = page.locator("form.paper input[name]:not([type=hidden])").first
    field.fill("wx-0001")
    field.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("草稿已保存")
    assert queries.task(window.site.engine, task.task_id, actor="taochouti").status == "open"


def test_a_refused_form_puts_the_focus_on_what_is_wrong(visit: Visit) -> None:
    page = visit("michuangdian").go("/start/account_registration")
    page.click("text=提交申请")
    expect(page.locator("[role=alert]")).to_be_focused()
    page.locator("[role=alert] a").first.press("Enter")
    assert page.evaluate("location.hash").startswith("#f-")


def test_everything_works_with_scripts_switched_off(visit: Visit) -> None:
    window = visit("michuangdian", java_script_enabled=False)
    page = window.go("/start")
    page.click("text=账号注册审批")
    values = {
        "proposed_name": "样木试验台",
        "alt_names": "样木试验间\n样木小台",
        "purpose": "新品试验短片，与现有账号内容不同",
        "audience": "装修人群",
        "content_scope": "每周一条短视频",
        "binding_email": "media@yangmu.example",
        "risk_self_assessment": "评论区或有投诉，专人每日处理",
        "launch_date": "2026-12-20",
    }
    for name, value in values.items():
        page.fill(f"[name={name}]", value)
    chosen = {
        "using_dept": "marketing",
        "platform": "抖音",
        "responsible": "luyaoyi",
        "backup": "taotaideng",
        "real_name_admin": "taochouti",
    }
    for name, value in chosen.items():
        page.select_option(f"[name={name}]", value)
    page.fill("[name=account_type]", "企业号（蓝V）")
    page.fill("[name=binding_phone_owner]", "公司SIM")
    page.check("[name=interactive_features] >> nth=0")
    page.check("[name=undertaking]")
    page.click("text=提交申请")
    expect(page.locator("[role=status]")).to_contain_text("已提交，编号 ZC-2026-")
    case = queries.started(window.site.engine, actor="michuangdian").items[0]

    head = visit("shenshafa", java_script_enabled=False)
    page = head.go("/inbox")
    page.click(f"text=使用部门确认：{case.title}")
    expect(page.locator("body")).to_contain_text("样木试验台")
    page.click("button[name=outcome][value=agree]")
    expect(page.locator("[role=status]")).to_contain_text("「使用部门确认」已办完")
    assert queries.case(head.site.engine, case.instance_id, actor="michuangdian").tasks[0].element == "admin_precheck"
