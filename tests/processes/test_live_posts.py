"""The weekly patrol compares what stands online with what was approved."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from engine import Engine, queries
from engine.errors import Invalid
from processes.official_monitor.live_posts import address, of_the_week, unreviewed
from tests.processes.content_driving import do, open_cases, prefilled, settle, submit


def row(url: str, status: str = "published", **post: Any) -> dict[str, Any]:
    return {"title": "新品", "status": status, "posts": {"A1": {"url": url, "at": "2026-11-05T10:00:00+08:00", **post}}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://www.example.com/p/1/", "http://example.com/p/1", True),
        ("https://EXAMPLE.com/p/1#top", "https://example.com/p/1", True),
        ("https://example.com/p?id=1", "https://example.com/p?id=2", False),
        ("https://example.com/P/1", "https://example.com/p/1", False),
    ],
)
def test_links_are_compared_by_what_makes_a_difference(one: str, other: str, same: bool) -> None:
    assert (address(one) == address(other)) is same


@pytest.mark.parametrize("status", ["taken_down", "not_ratified", "voided", "expired"])
def test_a_post_whose_approval_counts_no_more_is_unreviewed(status: str) -> None:
    url = "https://example.com/p/1"
    assert unreviewed({"N1": row(url)}, "A1", [url, url]) == []
    assert unreviewed({"N1": row(url, status)}, "A1", [url]) == [url]
    assert unreviewed({"N1": row(url)}, "A2", [url]) == [url]


def test_the_week_is_listed_with_what_was_never_compared() -> None:
    rows = {
        "N1": row("https://example.com/1", compared="unchecked"),
        "N2": row("https://example.com/2", compared="match"),
    }
    lines = of_the_week(rows, "A1", date(2026, 11, 9))
    assert len(lines) == 2 and any("未比对" in line for line in lines)
    assert of_the_week(rows, "A1", date(2026, 11, 20)) == []


def test_a_post_without_an_approval_is_found_whatever_the_inspector_concludes(engine: Engine) -> None:
    case = submit(engine)
    do(engine, case, "t1_review", "shenshafa", outcome="approve")
    do(engine, case, "publish", "hanzhuomian", outcome="done", url="https://example.com/ok")
    number = queries.inspect(engine, case).variables["business_key"]
    patrol = engine.start("official_monitor", {"account_ids": ["A005"]}, by="baixiangmu").instance_id
    shown = prefilled(engine, patrol, "inspect", "baixiangmu")
    assert number in shown["approved"][0] and "未比对" in shown["approved"][0]
    with pytest.raises(Invalid):
        do(engine, patrol, "inspect", "baixiangmu", outcome="ok", live_urls=["javascript:alert(1)"])
    urls = ["https://www.example.com/ok/", "https://example.com/shadow"]
    do(engine, patrol, "inspect", "baixiangmu", outcome="ok", live_urls=urls)
    settle(engine)
    takedowns = [row for row in queries.register_rows_of(engine, "takedown").values() if row["account_id"] == "A005"]
    assert [(row["reason"], row["url"]) for row in takedowns] == [("unreviewed", "https://example.com/shadow")]
    (lead,) = queries.register_rows_of(engine, "complaint").values()
    assert lead["category"] == "程序违规"
    result = queries.register_rows_of(engine, "account")["A005"]["patrol_result"]
    assert (result["outcome"], result["kinds"]) == ("finding", ["unreviewed_post"])
    assert open_cases(engine, "takedown", "baixiangmu")
