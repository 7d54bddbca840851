"""Every page in a real browser: both languages, wide and narrow, under the policy, readable by assistive technology."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import expect

from engine import Engine, queries

Visit = Callable[..., Any]
ACTOR = "taochouti"


def registration(engine: Engine) -> queries.CaseRow:
    """The latest registration that 米床垫 filed."""
    filed = queries.started(engine, actor="michuangdian", limit=100).items
    return next(case for case in filed if case.process == "account_registration")


def addresses(engine: Engine) -> list[str]:
    """A page of every kind that 陶抽屉 may open."""
    task = queries.inbox(engine, actor=ACTOR, tab="claimable").items[0]
    done = queries.done(engine, actor=ACTOR).items[0]
    return [
        "/inbox",
        "/inbox?tab=claimable",
        "/inbox?tab=done",
        "/inbox?tab=started",
        "/notifications",
        "/start",
        "/start/account_registration",
        f"/tasks/{task.task_id}",
        f"/cases/{done.instance_id}",
        "/registers/account",
        "/registers/account/A013",
        "/nothing",
    ]


@pytest.mark.parametrize(
    ("width", "language", "scheme"),
    [(1280, "zh-CN", "light"), (390, "en", "light"), (1280, "en", "dark"), (390, "zh-CN", "dark")],
)
def test_pages_fit_their_width_and_pass_axe(visit: Visit, width: int, language: str, scheme: str) -> None:
    window = visit(width=width, language=language, color_scheme=scheme)
    window.go("/login")
    found = _problems(window.page, "/login")
    window.login(ACTOR)
    for path in addresses(window.site.engine):
        page = window.go(path)
        assert page.get_attribute("html", "lang") == language
        if page.locator("[data-canvas]").count() and width == 1280:
            page.locator("[data-canvas]").first.scroll_into_view_if_needed()
            page.wait_for_selector("[data-shown]", state="attached")
        found += _problems(page, path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        window.check()
    assert found == []


def _problems(page: Any, path: str) -> list[str]:
    violations = Axe().run(page).response["violations"]
    return [f"{path}: {one['id']} {node['html'][:160]}" for one in violations for node in one["nodes"]]


def test_the_diagram_shows_where_the_case_stands_and_whose_viewer_it_is(visit: Visit) -> None:
    window = visit("michuangdian")
    case = registration(window.site.engine)
    page = window.go(f"/cases/{case.instance_id}")
    page.wait_for_selector("[data-shown]")
    assert page.locator(".djs-shape.is-active").count() == 1
    assert page.locator(".djs-connection.is-done").count() >= 3
    mark = page.locator(".bjs-powered-by").first
    box, view = mark.bounding_box(), page.locator("[data-canvas]").first.bounding_box()
    assert box and view and mark.is_visible()
    assert view["x"] <= box["x"] and box["x"] + box["width"] <= view["x"] + view["width"]
    assert view["y"] <= box["y"] and box["y"] + box["height"] <= view["y"] + view["height"]
    on_top = page.evaluate(
        "([x, y]) => Boolean(document.elementFromPoint(x, y)?.closest('.bjs-powered-by'))",
        [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2],
    )
    assert on_top
    page.click("[data-zoom=fit] >> nth=0")
    page.click("[data-zoom=here] >> nth=0")


def test_the_diagram_speaks_the_readers_language(visit: Visit) -> None:
    window = visit("michuangdian", language="en")
    case = registration(window.site.engine)
    page = window.go(f"/cases/{case.instance_id}")
    page.wait_for_selector("[data-shown]")
    labels = " ".join(page.locator("[data-canvas] >> nth=0 >> .djs-label").all_text_contents())
    assert "Department" in labels


def test_on_a_narrow_screen_the_parts_of_a_page_stand_behind_tabs(visit: Visit) -> None:
    window = visit(ACTOR, width=390)
    task = queries.inbox(window.site.engine, actor=ACTOR, tab="claimable").items[0]
    page = window.go(f"/tasks/{task.task_id}")
    assert page.locator("[role=tab]").all_inner_texts() == ["办理", "流程图", "进展"]
    assert page.locator("#doing").is_visible() and not page.locator("#map").is_visible()
    page.click("text=流程图")
    page.wait_for_selector("[data-shown]")
    assert page.locator("#map").is_visible() and not page.locator("#doing").is_visible()
    page.keyboard.press("ArrowRight")
    assert page.locator("#before").is_visible()


def test_a_list_refreshes_itself_without_taking_the_focus(visit: Visit) -> None:
    window = visit(ACTOR)
    window.page.clock.install()
    page = window.go("/inbox?tab=claimable")
    rows = queries.inbox(window.site.engine, actor=ACTOR, tab="claimable").items
    kept, taken = rows[0], rows[1]
    page.focus(f"#task-{kept.task_id}")
    assert poll(page) == 204
    window.site.engine.claim(taken.task_id, by=ACTOR)
    assert poll(page) == 200
    page.wait_for_selector(f"#task-{taken.task_id}", state="detached")
    assert page.evaluate("document.activeElement.id") == f"task-{kept.task_id}"


def poll(page: Any) -> int:
    """Let twenty seconds pass in the browser; the status of the poll they bring."""
    with page.expect_response(lambda answer: "/inbox/rows" in answer.url) as answered:
        page.clock.run_for(20_500)
    return int(answered.value.status)


def test_searching_the_register_narrows_it_as_one_types(visit: Visit) -> None:
    page = visit(ACTOR).go("/registers/account")
    before = page.locator("tbody tr").count()
    page.locator("#search").press_sequentially("小红书")
    expect(page.locator("tbody tr")).not_to_have_count(before)
    assert all("小红书" in row for row in page.locator("tbody tr").all_inner_texts())
    page.select_option("#status", "draft")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_case_prints_as_a_document(visit: Visit) -> None:
    window = visit("michuangdian")
    case = queries.started(window.site.engine, actor="michuangdian").items[-1]
    page = window.go(f"/cases/{case.instance_id}")
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible() and not page.locator("#map").is_visible()
    assert page.locator(".running").is_visible() and case.business_key in page.locator(".running").inner_text()
    assert page.locator("#record").is_visible()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#record details.card:not([open])").count() == 0
