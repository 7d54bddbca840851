"""Timers fire when told, once, from anywhere inside a case, and stop what they should stop."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.spiff.case import Case
from engine.spiff.failures import NotOpen
from engine.spiff.timers import literal
from tests.engine.spiff.kernel.driving import NOW, Answers, Play, corpus


def due(play: Play, element: str) -> timedelta:
    return next(timer.due - play.now for timer in play.case.waiting().timers if timer.element == element)


def test_durations_dates_and_worked_out_times_all_come_due() -> None:
    play = Play("timers", reload="command").do("when", date="2026-03-01")
    assert due(play, "rest") == timedelta(hours=8)
    play.fire("rest")
    assert play.case.waiting().timers[0].due.isoformat() == "2026-03-01T00:00:00+00:00"
    play.fire("until")
    assert play.case.waiting().timers[0].due.isoformat() == "2026-02-01T01:00:00+00:00"
    play.fire("fixed")
    assert due(play, "reckoned") == timedelta(days=10)


def test_of_two_timers_behind_an_event_gateway_the_first_to_fire_wins() -> None:
    for chosen, other in (("soon", "later"), ("later", "soon")):
        play = Play("timers", reload="command").do("when", date="2026-03-01")
        for element in ("rest", "until", "fixed", "reckoned"):
            play.fire(element)
        assert {timer.element for timer in play.case.waiting().timers} == {"soon", "later"}
        assert (due(play, "soon"), due(play, "later")) == (timedelta(hours=1), timedelta(days=30))
        play.fire(chosen)
        assert play.open() == [f"was_{chosen}"]
        assert play.case.waiting().timers == ()
        assert other not in play.visited()


def test_a_timer_does_not_fire_before_its_time() -> None:
    play = Play("approval").do("apply")
    (timer,) = play.case.waiting().timers
    with pytest.raises(NotOpen):
        play.case.fire(timer.token, Answers(1, timer.due - timedelta(seconds=1)))
    play.case.fire(timer.token, Answers(1, timer.due))
    assert play.case.end == "end_late"


def test_a_timer_fires_once() -> None:
    play = Play("caller").do("propose")
    (timer,) = [timer for timer in play.case.waiting().timers if timer.element == "watch"]
    play.fire("watch")
    assert play.open().count("look_in") == 1
    with pytest.raises(NotOpen):
        play.case.fire(timer.token, Answers(9, timer.due))


def test_an_interrupting_timer_cancels_the_task_it_stands_on() -> None:
    play = Play("approval").do("apply").fire("late")
    assert (play.case.status, play.case.end) == ("completed", "end_late")
    assert [trace.element for trace in play.told("cancelled")] == ["head"]
    assert [trace.element for trace in play.told("timer_fired")] == ["late"]


def test_doing_the_task_in_time_drops_its_timer_without_a_word() -> None:
    play = Play("approval").do("apply").do("head")
    assert play.case.waiting().timers == ()
    assert play.told("cancelled") == []


def test_a_timer_on_a_call_stops_everything_the_call_began() -> None:
    play = Play("caller", reload="command").do("propose").do("ballot", "approve").fire("nudge").fire("expired")
    assert sorted(play.open()) == ["prepare", "prepare_no"]
    assert {timer.element for timer in play.case.waiting().timers} == set()
    assert {trace.element for trace in play.told("cancelled")} == {"decide", "ballot"}
    assert "ballots" not in play.case.variables()


def test_what_a_timer_set_going_beside_a_call_outlives_the_call() -> None:
    play = Play("caller", reload="command").do("propose").fire("watch").fire("expired")
    assert sorted(play.open()) == ["look_in", "prepare", "prepare_no"]


def test_timers_inside_a_called_process_fire_after_loading() -> None:
    play = Play("caller", reload="command").do("propose")
    assert {timer.element: timer.interrupting for timer in play.case.waiting().timers} == {
        "expired": True,
        "watch": False,
        "closing": True,
        "nudge": False,
    }
    play.do("ballot", "approve").fire("closing")
    assert play.case.variables()["verdict"] == {"result": "failed", "votes": 1}


def test_timers_on_a_subprocess_reach_into_nested_ones() -> None:
    play = Play("subprocess", reload="command").do("before").do("draft", "go").fire("work_watch").fire("work_late")
    assert play.open() == ["rescue"]
    assert {trace.element for trace in play.told("cancelled")} == {"work", "side", "check", "proof"}
    assert "end_watch" in play.visited()


def test_a_cycle_counts_from_its_own_last_time_not_from_when_it_was_noticed() -> None:
    play = Play("vote")
    (first,) = [timer for timer in play.case.waiting().timers if timer.element == "nudge"]
    play.case.fire(first.token, Answers(1, first.due + timedelta(days=2)))
    (second,) = [timer for timer in play.case.waiting().timers if timer.element == "nudge"]
    assert second.due == first.due + timedelta(days=1)
    assert second.token == first.token


def test_every_timer_says_when_it_was_set_and_when_it_fired() -> None:
    play = Play("approval").do("apply").fire("late")
    [set_], [fired] = play.told("timer_scheduled"), play.told("timer_fired")
    [head] = [trace.token for trace in play.told("entered") if trace.element == "head"]
    due = (NOW + timedelta(days=3)).isoformat()
    assert set_.data == {"due": due, "host": head} and fired.data == {"due": due}


def test_a_timer_starts_when_its_activity_does() -> None:
    case = Case.start(corpus(), "approval", {}, Answers(0))
    later = NOW + timedelta(days=7)
    case.complete(case.waiting().tasks[0].token, {"outcome": "x"}, Answers(1, later))
    assert case.waiting().timers[0].due == later + timedelta(days=3)


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("3wd", "3wd"),
        (" 4wh ", "4wh"),
        ('"P3D"', "P3D"),
        ("'PT8H30M'", "PT8H30M"),
        ("P1Y2M", "P1Y2M"),
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01T09:00:00+08:00", "2026-01-01T09:00:00+08:00"),
        ("R3/PT24H", "R3/PT24H"),
        ("R/2wd", "R/2wd"),
        ("P", None),
        ("PT", None),
        ("Proposal.due", None),
        ('"P" + days + "D"', None),
        ("due_date", None),
        ("'P3D' + 'x'", None),
    ],
)
def test_written_times_are_told_from_expressions(text: str, time: str | None) -> None:
    assert literal(text) == time
