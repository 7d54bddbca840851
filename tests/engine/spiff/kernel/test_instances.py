"""Multi-instance activities: who votes, when it is enough, and what stays when a timer stops it."""

from __future__ import annotations

from tests.engine.spiff.kernel.driving import ROLL, Play


def voting(**variables: object) -> Play:
    return Play("vote", reload="command", question="?", **variables)


def test_every_member_of_the_collection_gets_a_task_of_their_own() -> None:
    tasks = voting().case.waiting().tasks
    assert [task.item for task in tasks] == ROLL
    assert [task.index for task in tasks] == list(range(7))
    assert {task.element for task in tasks} == {"ballot"}


def test_ballots_are_collected_in_the_order_they_are_cast() -> None:
    play = voting()
    for task in reversed(play.case.waiting().tasks[2:4]):
        play.complete(task.token, {"outcome": "reject", "by": task.item})
    assert [ballot["by"] for ballot in play.case.variables()["ballots"]] == [ROLL[3], ROLL[2]]


def test_the_completion_condition_sees_the_collection_and_stops_the_rest() -> None:
    play = voting()
    for _ in range(3):
        play.do("ballot", "approve")
    assert play.open() == ["ballot"] * 4
    play.do("ballot", "approve")
    assert (play.case.status, play.case.variables()["result"]) == ("completed", "passed")
    assert len([trace for trace in play.told("cancelled") if trace.element == "ballot"]) == 3


def test_ballots_already_cast_count_when_time_is_up() -> None:
    play = voting().do("ballot", "approve").do("ballot", "reject").fire("closing")
    variables = play.case.variables()
    assert len(variables["ballots"]) == 2
    assert (variables["yes"], variables["result"]) == (1, "failed")
    assert play.case.status == "completed"


def test_a_reminder_repeats_as_often_as_its_cycle_says_and_stops_nothing() -> None:
    play = voting()
    first = next(timer for timer in play.case.waiting().timers if timer.element == "nudge")
    play.fire("nudge")
    second = next(timer for timer in play.case.waiting().timers if timer.element == "nudge")
    assert (second.due - first.due).total_seconds() == 24 * 3600
    play.fire("nudge")
    assert [timer.element for timer in play.case.waiting().timers] == ["closing"]
    assert play.open() == ["ballot"] * 7
    assert play.visited().count("remind") == 2


def test_nobody_on_the_roll_means_nobody_is_asked() -> None:
    play = voting(roll=[])
    assert (play.case.status, play.case.variables()["ballots"]) == ("completed", [])


def test_a_collection_may_be_run_again() -> None:
    play = voting(ballots=[{"outcome": "approve"}] * 9)
    assert play.case.variables()["ballots"] == []
    assert play.open() == ["ballot"] * 7


def test_one_after_the_other_and_enough_when_one_rejects() -> None:
    play = Play("sequential", reload="command").do("name_them").do("review", "agree")
    (second,) = play.case.waiting().tasks
    assert (second.item, second.index) == (ROLL[1], 1)
    play.do("review", "reject")
    assert [review["outcome"] for review in play.case.variables()["reviews"]] == ["agree", "reject"]
    assert play.open() == ["parts"]


def test_a_record_gives_a_record() -> None:
    play = Play("sequential", reload="command").do("name_them").do("review", "reject")
    assert [task.item for task in play.case.waiting().tasks] == [10]
    play.do("parts", "a").do("parts", "b")
    answers = play.case.variables()["answers"]
    assert {name: answer["outcome"] for name, answer in answers.items()} == {"desk": "a", "chair": "b"}


def test_a_number_of_instances_and_a_script_in_each() -> None:
    play = Play("sequential").do("name_them").do("review", "reject").do("parts").do("parts").do("twice").do("twice")
    variables = play.case.variables()
    assert [each["outcome"] for each in variables["signatures"]] == ["agree", "agree"]
    assert variables["seen_all"] == [11, 21, 31]
    assert variables["none_of"] == []
    assert play.case.status == "completed"


def test_what_belongs_to_an_instance_is_gone_with_it() -> None:
    play = Play("sequential").do("name_them").do("review", "reject").do("parts").do("parts").do("twice").do("twice")
    assert {"who", "verdict", "price", "answer", "seen", "x"} & set(play.case.variables()) == set()


def test_several_called_processes_at_once_keep_their_votes_apart() -> None:
    play = Play("many", reload="command").do("plan")
    tasks = play.case.waiting().tasks
    assert [(task.element, task.item) for task in tasks] == [("ballot", name) for name in ROLL[:5]]
    assert len({task.scope for task in tasks}) == 2
    for task in tasks[2:]:
        if task.token in {each.token for each in play.case.waiting().tasks}:
            play.complete(task.token, {"outcome": "approve"})
    for task in tasks[:2]:
        play.complete(task.token, {"outcome": "reject"})
    assert play.case.variables()["results"] == ["passed", "failed"]


def test_subprocesses_per_instance_have_variables_of_their_own() -> None:
    play = Play("many", reload="command", boards=[]).do("plan")
    tasks = play.case.waiting().tasks
    assert [task.data["unit"] for task in tasks] == ["东区", "西区"]
    play.complete(tasks[1].token, {"outcome": "好"})
    assert play.case.variables()["reports"] == ["西区：好"]
    assert "visit" not in play.case.variables()
    play.complete(tasks[0].token, {"outcome": "差"})
    variables = play.case.variables()
    assert variables["reports"] == ["西区：好", "东区：差"]
    assert [each["to"] for each in variables["receipts"]] == ["东区", "西区"]


def test_external_operations_one_after_the_other() -> None:
    play = Play("many", reload="command", boards=[], units=["甲", "乙"]).do("plan").do("visit").do("visit")
    assert [wait.call.parameters for wait in play.case.waiting().operations] == [{"text": "甲"}]
    play.answer("ask_out", n=1).answer("ask_out", n=2)
    assert play.case.variables()["answers"] == [{"n": 1}, {"n": 2}]


def test_a_timer_on_the_whole_stops_every_instance_and_keeps_what_is_done() -> None:
    play = Play("many", reload="command", boards=[]).do("plan").do("visit", "好").fire("units_late")
    assert play.open() == ["last"]
    assert play.case.variables()["reports"] == ["东区：好"]
    assert {"each_unit", "visit"} <= {trace.element for trace in play.told("cancelled")}
