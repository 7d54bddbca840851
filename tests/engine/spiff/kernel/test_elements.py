"""What each element does, seen through the case alone."""

from __future__ import annotations

from engine.spiff.case import OperationCall
from tests.engine.spiff.kernel.driving import ROLL, Answers, Play


def test_the_default_flow_is_taken_when_no_condition_holds() -> None:
    play = Play("approval").do("apply").do("head", "reject")
    assert play.open() == ["apply"]
    play.do("apply").do("head", "agree")
    assert play.open() == ["finance"]


def test_a_user_task_writes_under_its_result_variable_only() -> None:
    before = Play("approval").case.variables()
    after = Play("approval").do("apply", comment="好").case.variables()
    assert after == {**before, "application": {"outcome": "agree", "by": "gusunmao", "comment": "好"}}


def test_a_script_and_a_local_operation_run_without_a_person() -> None:
    play = Play("approval").do("apply").do("head").do("finance", amount=60)
    variables = play.case.variables()
    assert (variables["total"], variables["level"]) == (120, "high")
    assert variables["number"] == {"of": "numbers.next", "kind": "ZC", "year": 2026}
    (operation,) = play.told("operation")
    assert operation.data["parameters"] == {"kind": "ZC", "year": 2026}
    (script,) = play.told("script")
    assert script.data == {"assigned": {"total": 120, "level": "high"}}
    assert play.open() == ["board"]


def test_a_flow_taken_is_named() -> None:
    play = Play("approval").do("apply").do("head", "reject")
    (left,) = [trace for trace in play.told("left") if trace.element == "head_ok"]
    assert left.data["flows"] == ["head_no"]


def test_an_external_operation_waits_for_its_result() -> None:
    play = Play("parallel")
    (wait,) = play.case.waiting().operations
    assert (wait.call.name, wait.call.parameters) == ("scan.external", {"text": "沙发新品"})
    play.answer("scan", hits=0)
    assert play.case.variables()["scanned"] == {"hits": 0}
    assert play.case.waiting().operations == ()


def test_a_decision_writes_its_outputs_and_says_which_rule_matched() -> None:
    play = Play("decision").do("describe", audience=1000)
    assert play.open() == ["t2"]
    assert (play.case.variables()["tier"], play.case.variables()["days"]) == ("T2", 5)
    (decision,) = play.told("decision")
    assert decision.data["rules"] == [1]
    assert decision.data["outputs"] == {"tier": "T2", "days": 5}
    assert len(decision.data["sha"]) == 64


def test_a_case_ends_in_the_end_event_it_reached() -> None:
    play = Play("decision").do("describe", audience=3).do("t1")
    assert (play.case.status, play.case.end) == ("completed", "end_t1")
    assert play.told("ended")[-1].data == {"end": "end_t1"}
    assert play.case.waiting().tasks == ()


def test_a_terminate_end_stops_everything_even_in_called_processes() -> None:
    play = Play("terminate")
    assert play.open() == ["go_on", "stop", "apply"]
    play.do("stop")
    assert (play.case.status, play.case.end) == ("completed", "end_stop")
    assert {trace.element for trace in play.told("cancelled")} == {"go_on", "long", "apply"}


def test_a_terminate_end_inside_a_subprocess_stops_only_the_subprocess() -> None:
    play = Play("subprocess").do("before").do("draft", "stop").do("proof")
    assert "wrap" not in play.open()
    assert play.open() == ["after"]
    assert "side" in {trace.element for trace in play.told("cancelled")}


def test_an_embedded_subprocess_shares_the_variables_around_it() -> None:
    play = Play("subprocess").do("before").do("draft", "go")
    assert play.case.variables()["draft"]["outcome"] == "go"
    scopes = {task.element: task.scope for task in play.case.waiting().tasks}
    assert [len(scopes[name]) for name in ("side", "proof")] == [1, 2]
    assert scopes["proof"][0] == scopes["side"][0]


def test_lanes_pictures_and_manual_tasks_do_no_harm() -> None:
    play = Play("lanes").do("write").do("stamp").do("sign")
    assert play.case.status == "completed"
    assert play.visited() == ["start", "write", "box", "b_start", "stamp", "b_end", "sign", "end"]


def test_a_called_process_sees_its_declared_inputs_only_and_gives_its_outputs() -> None:
    play = Play("caller").do("propose", title="开设抖音账号")
    ballot = next(task for task in play.case.waiting().tasks if task.element == "ballot")
    assert set(ballot.data) == {"roll", "question", "open", "ballots", "voter"}
    assert ballot.data["question"] == "开设抖音账号"
    assert ballot.process == "vote"
    for _ in range(3):
        play.do("ballot", "approve")
    variables = play.case.variables()
    assert variables["verdict"] == {"result": "passed", "votes": 3}
    assert variables["yes"] == 3
    assert variables["roll"] == ROLL  # what the preScript named was for the call alone
    assert "question" not in variables


def test_a_missing_input_becomes_none() -> None:
    play = Play("caller").do("propose")
    ballot = next(task for task in play.case.waiting().tasks if task.element == "ballot")
    assert ballot.data["question"] is None


def test_a_process_without_declarations_takes_everything_and_gives_back_what_it_wrote() -> None:
    play = Play("whole", beside="before the call").do("first").do("greet")
    assert play.case.variables()["greetings"] == 1
    play.do("beside", note="while the other one is called")
    assert play.open() == ["greet"]
    play.do("greet")
    variables = play.case.variables()
    assert variables["greetings"] == 2
    assert variables["beside"]["note"] == "while the other one is called"


def test_a_milestone_is_passed() -> None:
    play = Play("timers").do("when", date="2026-03-01")
    for element in ("rest", "until", "fixed", "reckoned", "soon"):
        play.fire(element)
    play.do("was_soon")
    assert play.visited()[-2:] == ["milestone", "end"]


def test_a_loop_goes_on_while_its_condition_holds_and_no_further_than_its_maximum() -> None:
    play = Play("loops")
    for _ in range(3):
        play.do("ask", "again")
        assert play.open() == ["ask"]
    play.do("ask", "again")
    assert play.open() == ["turn"]
    assert play.case.variables()["n"] == 5
    again = Play("loops").do("ask", "agree")
    assert again.open() == ["turn"]


def test_a_loop_asked_before_its_first_round_may_not_run_at_all() -> None:
    play = Play("loops", n=9).do("ask", "agree")
    assert play.case.variables()["n"] == 9
    for _ in range(3):
        play.do("turn")
    assert play.case.variables()["turns"] == 3
    assert play.open() == ["last"]


def test_withdrawing_stops_everything_and_ends_where_it_is_told() -> None:
    play = Play("caller").do("propose", title="x").do("ballot", "approve")
    play.case.withdraw("terminated", play._context())
    play._after()
    assert (play.case.status, play.case.end) == ("completed", "terminated")
    assert {trace.element for trace in play.told("cancelled")} == {"decide", "ballot", "prepare"}
    assert play.case.waiting().tasks == play.case.waiting().timers == ()


def test_a_cancelled_case_waits_for_nothing() -> None:
    play = Play("many").do("plan")
    play.case.cancel(play._context())
    play._after()
    assert (play.case.status, play.case.end) == ("cancelled", None)
    assert play.case.waiting().tasks == ()
    assert len(play.case.dump()) < 600


def test_an_operation_that_changes_what_it_is_given_changes_nothing_else() -> None:
    class Meddling(Answers):
        def operation(self, call: OperationCall) -> dict[str, object] | None:
            for value in call.parameters.values():
                if isinstance(value, list):
                    value.clear()
            return {"done": True}

    play = Play("vote", roll=ROLL[:2])
    nudge = next(timer for timer in play.case.waiting().timers if timer.element == "nudge")
    play.case.fire(nudge.token, Meddling(1, nudge.due))
    assert play.case.variables()["roll"] == ROLL[:2]
    (operation,) = [trace for trace in play.case.take_trace() if trace.kind == "operation"]
    assert operation.data["parameters"] == {"to": ROLL[:2]}
