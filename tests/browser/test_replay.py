"""The time machine in a real browser: the same picture as the server's, keys, addresses, the proof, and no script."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, expect

from engine import Engine, queries
from engine.queries.picture import picture

Visit = Callable[..., Any]
AUDITOR = "jianchigui"
SOURCE = Path(__file__).parents[2] / "web" / "frontend" / "src" / "picture.js"


def random_marks(rng: random.Random) -> list[dict[str, Any]]:
    """A track nobody would draw: what is entered need not leave, tokens come back, timers outlive their hosts."""
    marks: list[dict[str, Any]] = []
    seq = 0
    for _ in range(rng.randrange(300)):
        seq += rng.randrange(1, 4)
        kind = rng.choices(["in", "out", "stop", "wait", "fire", "end"], [8, 8, 2, 2, 1, 0.1])[0]
        if kind == "end":
            marks.append({"seq": seq, "kind": kind})
            continue
        mark: dict[str, Any] = {"seq": seq, "kind": kind, "view": rng.randrange(3), "element": rng.choice("abcd")}
        mark["token"] = rng.randrange(12)
        if rng.random() < 0.3:
            mark["index"] = rng.randrange(4)
        elif kind == "in" and rng.random() < 0.3:
            mark["instances"] = rng.randrange(5)
        if kind == "out":
            mark["flows"] = rng.sample(["f1", "f2", "f3"], rng.randrange(3))
        if kind == "wait":
            mark.update(due="2026-11-09T09:00:00+00:00", host=rng.randrange(12))
        marks.append(mark)
    return marks


def test_the_browser_draws_the_same_picture_of_every_moment_in_any_order(chromium: Browser) -> None:
    rng = random.Random(20261109)
    asked = []
    for _ in range(60):
        marks = random_marks(rng)
        seqs = list(range(marks[-1]["seq"] + 2 if marks else 2))
        rng.shuffle(seqs)  # backwards and forwards, as a slider goes
        asked.append({"marks": marks, "seqs": seqs})
    page = chromium.new_page()
    source = re.sub(r"^export ", "", SOURCE.read_text(), flags=re.MULTILINE)
    ask = "asked.map(({ marks, seqs }) => { const all = pictures(marks); return seqs.map((seq) => all.at(seq)); })"
    found = json.loads(page.evaluate(f"(asked) => {{ {source}; return JSON.stringify({ask}); }}", asked))
    page.close()
    for one, pictures in zip(asked, found, strict=True):
        for seq, seen in zip(one["seqs"], pictures, strict=True):
            assert seen == json.loads(json.dumps(picture(one["marks"], seq)))


def case_of(engine: Engine) -> tuple[str, int]:
    """The registration that was returned and voted on, and its last event."""
    filed = queries.started(engine, actor="michuangdian", limit=100).items
    ended = [case for case in filed if case.process == "account_registration" and case.ended_at]
    sizes = {case.instance_id: queries.moment(engine, case.instance_id, at=None, actor=AUDITOR).last for case in ended}
    return max(sizes.items(), key=lambda pair: pair[1])


def shown(page: Any) -> int:
    """Which event the page's words are about."""
    found = re.search(r"(\d+) / \d+$|event (\d+) of", page.locator("[data-part=clock]").inner_text().strip())
    assert found is not None
    return int(found[1] or found[2])


@pytest.mark.parametrize(
    ("width", "language", "scheme"),
    [(1280, "zh-CN", "light"), (390, "en", "light"), (1280, "en", "dark"), (390, "zh-CN", "dark")],
)
def test_the_time_machine_fits_and_passes_axe(visit: Visit, width: int, language: str, scheme: str) -> None:
    window = visit(AUDITOR, width=width, language=language, color_scheme=scheme)
    case, last = case_of(window.site.engine)
    for path in (f"/audit/{case}?at={last // 2}", f"/audit/{case}/proof"):
        page = window.go(path)
        if "proof" not in path:
            page.wait_for_selector("[data-replay][data-shown]")
        results = Axe().run(page)
        assert [one["id"] for one in results.response["violations"]] == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_keys_move_the_moment_and_every_moment_has_an_address(visit: Visit) -> None:
    window = visit(AUDITOR)
    case, last = case_of(window.site.engine)
    page = window.go(f"/audit/{case}?at=10")
    page.wait_for_selector("[data-replay][data-shown]")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**at=11")
    expect(page.locator("[data-part=clock]")).to_contain_text("11 /")
    page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function("Number(new URL(location.href).searchParams.get('at')) > 11")
    page.keyboard.press("End")
    page.wait_for_url(f"**at={last}")
    expect(page.locator("[data-part=clock]")).to_contain_text(f"{last} / {last}")
    page.keyboard.press("Home")
    page.wait_for_url("**at=1")
    page.go_back()
    page.wait_for_url(f"**at={last}")
    expect(page.locator("[data-part=clock]")).to_contain_text(f"{last} / {last}")
    live = page.locator("[data-live]")
    expect(live).not_to_be_empty()


def test_playing_moves_on_and_stops_where_it_is_told(visit: Visit) -> None:
    window = visit(AUDITOR, reduced_motion="reduce")
    case, last = case_of(window.site.engine)
    page = window.go(f"/audit/{case}?at=1")
    page.wait_for_selector("[data-replay][data-shown]")
    page.select_option("[data-speed]", "100")
    page.keyboard.press("Tab")
    page.locator("h1").click()
    page.keyboard.press(" ")
    page.wait_for_url(f"**at={last}")
    expect(page.locator("[data-part=clock]")).to_contain_text(f"{last} / {last}")
    assert page.locator("circle.flying").count() == 0
    active = page.locator(".drawing:not([hidden]) .is-active")
    expect(active).to_have_count(0)


def test_a_called_vote_is_drilled_into_and_its_ballots_are_counted(visit: Visit) -> None:
    window = visit(AUDITOR)
    engine = window.site.engine
    case, _ = case_of(engine)
    track = queries.track_of(engine, case, actor=AUDITOR)
    voting = next(view for view in track.views if view.process == "group_vote")
    votes = [
        mark["seq"]
        for mark in track.marks
        if mark.get("view") == voting.number and mark["kind"] == "out" and "index" in mark
    ]
    page = window.go(f"/audit/{case}?at={votes[1]}")
    page.wait_for_selector("[data-replay][data-shown]")
    expect(page.locator(".drawing:not([hidden]) .badge.run")).to_have_text(re.compile(r"^2/\d$"))
    page.locator("[data-view-link='0']").click()
    expect(page.locator(".drawing:not([hidden]) [data-element-id=validate].is-done")).to_have_count(1)
    page.locator(".drawing:not([hidden]) button.into").first.click()
    expect(page.locator(".drawing:not([hidden]) .badge.run")).to_have_count(1)


def test_the_proof_shows_each_command_as_it_is_executed_again(visit: Visit) -> None:
    window = visit(AUDITOR)
    case, _ = case_of(window.site.engine)
    page = window.go(f"/audit/{case}")
    page.click("[data-prove]")
    expect(page.locator("[data-proof-verdict]")).to_contain_text("条命令全部相符")
    commands = queries.moment(window.site.engine, case, at=None, actor=AUDITOR).number[1]
    expect(page.locator("[data-proof-commands] li.holds")).to_have_count(commands)
    expect(page.locator("[data-proof-checks] li.fails")).to_have_count(0)


def test_without_a_script_links_lead_through_the_case(visit: Visit) -> None:
    window = visit(width=390, java_script_enabled=False)
    window.login(AUDITOR)
    case, last = case_of(window.site.engine)
    page = window.go(f"/audit/{case}?at=20")
    assert shown(page) == 20
    page.click("[data-go='21']")
    assert shown(page) == 21
    page.click("[rel=next]")
    assert shown(page) > 21
    page.click("[data-go=last]")
    assert shown(page) == last
    page.click("details.inwords summary")
    expect(page.locator("details.inwords li").first).to_be_visible()
    page.click("a.prove")
    expect(page.locator(".commands li.holds").first).to_be_visible()
