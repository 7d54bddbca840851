"""The picture of a moment: tokens, attempts, instances, timers, called processes."""

from __future__ import annotations

from typing import Any

import pytest

from engine.queries.picture import picture
from engine.queries.track import lay


def event(seq: int, kind: str, element: str, token: str, **data: Any) -> tuple[int, dict[str, Any]]:
    process = data.pop("process", "main")
    return seq, {"type": f"element.{kind}", "element": element, "data": {"token": token, "process": process, **data}}


def called_twice(process: str, element: str) -> bool:
    return (process, element) == ("main", "vote")


def test_every_call_of_a_process_has_a_view_of_its_own() -> None:
    events = [
        event(1, "entered", "vote", "t1"),
        event(2, "entered", "ballot", "t2", process="voting", scope=["t1"]),
        event(3, "left", "ballot", "t2", process="voting", scope=["t1"], flows=["f"]),
        event(4, "left", "vote", "t1", flows=["again"]),
        event(5, "entered", "vote", "t3"),
        event(6, "entered", "ballot", "t4", process="voting", scope=["t3"]),
    ]
    track = lay(events, "main", called_twice)
    assert [(view.process, view.parent, view.element, view.nth) for view in track.views] == [
        ("main", None, None, 1),
        ("voting", 0, "vote", 1),
        ("voting", 0, "vote", 2),
    ]
    seen = picture(track.marks, 6)["views"]
    assert seen["0"]["visits"] == {"vote": 2} and seen["0"]["active"] == {"vote": 1}
    assert seen["1"]["active"] == {} and seen["1"]["done"] == ["ballot"]
    assert seen["2"]["active"] == {"ballot": 1} and seen["2"]["visits"] == {"ballot": 1}


def test_an_embedded_subprocess_is_drawn_where_it_stands() -> None:
    events = [event(1, "entered", "box", "t1"), event(2, "entered", "inside", "t2", scope=["t1"])]
    track = lay(events, "main", called_twice)
    assert len(track.views) == 1 and picture(track.marks, 2)["views"]["0"]["active"] == {"box": 1, "inside": 1}


def test_a_multi_instance_step_counts_once_and_says_how_far_it_is() -> None:
    events = [
        event(1, "entered", "ballot", "t0", instances=3),
        *[event(2 + place, "entered", "ballot", f"i{place}", index=place) for place in range(3)],
        event(5, "left", "ballot", "i1", index=1),
        event(6, "left", "ballot", "i0", index=0),
        event(7, "cancelled", "ballot", "i2", index=2),
        event(8, "left", "ballot", "t0", flows=["on"]),
    ]
    marks = lay(events, "main", called_twice).marks
    assert picture(marks, 4)["views"]["0"]["active"] == {"ballot": 3}
    halfway = picture(marks, 5)["views"]["0"]
    assert halfway["instances"] == {"ballot": [1, 3]} and halfway["active"] == {"ballot": 2}
    assert halfway["visits"] == {"ballot": 1} and halfway["done"] == []
    over = picture(marks, 8)["views"]["0"]
    assert over["done"] == ["ballot"] and over["active"] == {} and over["flows"] == {"on": 1}


def test_a_timer_goes_with_the_activity_it_waits_beside() -> None:
    scheduled = {"type": "timer.scheduled", "element": "late", "data": {"token": "w", "process": "main", "host": "t1"}}
    scheduled["data"]["due"] = "2026-11-12T01:00:00+00:00"  # type: ignore[index]
    events = [event(1, "entered", "ask", "t1"), (2, scheduled), event(3, "left", "ask", "t1", flows=[])]
    marks = lay(events, "main", called_twice).marks
    assert picture(marks, 2)["views"]["0"]["waits"] == {"late": "2026-11-12T01:00:00+00:00"}
    assert picture(marks, 3)["views"]["0"]["waits"] == {}


@pytest.mark.parametrize("damage", [{}, {"data": None}, {"data": {"token": 3}}, {"data": {"token": "x", "scope": 1}}])
def test_a_damaged_event_is_passed_over(damage: dict[str, Any]) -> None:
    bad = {"type": "element.entered", "element": "a", **damage}
    track = lay([(1, bad), event(2, "entered", "b", "t1")], "main", called_twice)
    assert picture(track.marks, 2)["views"]["0"]["active"] == {"b": 1}
