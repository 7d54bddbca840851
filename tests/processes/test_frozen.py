"""The past stays as it was: frozen cases of every procedure run again, and a kernel that alters them is found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from engine.context import Seeded
from engine.spiff import activities, codec, decisions, gateways, steps, timers
from processes import FUNCTIONS
from processes.bundle import shipped
from processes.frozen import Frozen, cases, main, run_again

FOLDER = Path(__file__).parents[1] / "frozen"
PROCESSES = Path(__file__).parents[2] / "processes"
FROZEN = {case.name: case for case in cases(FOLDER)}
Patch = Callable[[pytest.MonkeyPatch], None]


def bodies(case: Frozen) -> list[dict[str, Any]]:
    return [orjson.loads(body) for body in case.events]


@pytest.mark.parametrize("name", FROZEN)
def test_a_frozen_case_runs_again_to_the_same_states(name: str) -> None:
    case = FROZEN[name]
    rerun = run_again(FOLDER, case, FUNCTIONS)
    assert rerun.difference is None, rerun.difference
    saved = [body["seq"] for body in bodies(case) if body["type"] == "state.saved"]
    assert rerun.reached == saved[-1] and rerun.case is not None and rerun.case.status != "active"


def test_every_procedure_has_a_frozen_case() -> None:
    entered = {
        body["data"].get("process")
        for case in FROZEN.values()
        for body in bodies(case)
        if body["type"] == "element.entered"
    }
    assert {Path(path).stem for path in shipped() if path.endswith(".bpmn")} - entered == set()


def test_every_format_of_states_has_a_frozen_case() -> None:
    assert {case.codec for case in FROZEN.values()} == set(codec.FORMATS)
    assert codec.FORMAT in codec.FORMATS


def test_loops_in_the_frozen_past_made_new_attempts_and_erased_nothing() -> None:
    """A step that was entered twice has both tasks, both results, under ids of their own (returns of K01, K03)."""
    again = 0
    for case in FROZEN.values():
        tasks: dict[str, list[str]] = {}
        done = set()
        for body in bodies(case):
            if body["type"] == "task.created":
                tasks.setdefault(body["element"], []).append(body["data"]["task"])
            elif body["type"] == "task.completed":
                assert body["data"]["task"] not in done
                done.add(body["data"]["task"])
        for ids in tasks.values():
            assert len(ids) == len(set(ids))
            again += len([task for task in ids if task in done]) > 1
    assert again > 10


def altered_codec(patch: pytest.MonkeyPatch) -> None:
    pack = codec.pack
    patch.setattr(codec, "pack", lambda root, format_=1: pack(root, format_) + b"\0")


def altered_ids(patch: pytest.MonkeyPatch) -> None:
    draw = Seeded.new_id

    def skipping(self: Seeded) -> Any:
        draw(self)
        return draw(self)

    patch.setattr(Seeded, "new_id", skipping)


def altered_flows(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(gateways.ExclusiveGateway, "ways_on", lambda self, token: [self.ways[-1]])


def altered_results(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(steps.ServiceTask, "take", lambda self, token, result: None)


def altered_tables(patch: pytest.MonkeyPatch) -> None:
    evaluate = decisions.Decision.evaluate

    def last_rule(self: Any, variables: Any) -> Any:
        found = evaluate(self, variables)
        return decisions.DecisionResult(outputs=found.outputs, rules=[len(self._read.rules) + 1], inputs=found.inputs)

    patch.setattr(decisions.Decision, "evaluate", last_rule)


def altered_collections(patch: pytest.MonkeyPatch) -> None:
    collect = activities.Instances._collect

    def first(self: Any, token: Any, index: int, value: Any) -> None:
        collect(self, token, index, value)
        given = token.visible().get(self.output)
        if isinstance(given, list) and len(given) > 1:
            token.write({self.output: [given[-1], *given[:-1]]})

    patch.setattr(activities.Instances, "_collect", first)


def altered_timers(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(timers.BoundaryEvent, "watch", lambda self, host: None)


def altered_order(patch: pytest.MonkeyPatch) -> None:
    """Nothing but the order in which variables are kept in the state."""
    variables = codec._variables
    patch.setattr(codec, "_variables", lambda process: [dict(reversed((variables(process)[0] or {}).items())), [], []])


ALTERED: list[Patch] = [
    altered_codec, altered_ids, altered_flows, altered_results, altered_tables, altered_collections, altered_timers,
    altered_order,
]  # fmt: skip


@pytest.mark.parametrize("alter", ALTERED, ids=lambda alter: alter.__name__)
def test_a_kernel_that_alters_the_past_is_found(alter: Patch, monkeypatch: pytest.MonkeyPatch) -> None:
    case = FROZEN["complaint.K01"]
    assert run_again(FOLDER, case, FUNCTIONS).difference is None
    alter(monkeypatch)
    difference = run_again(FOLDER, case, FUNCTIONS).difference
    assert difference is not None and 1 <= difference.seq <= len(case.events)


def test_a_pure_function_that_answers_otherwise_is_found() -> None:
    changed = {**FUNCTIONS, "vote_decided": lambda *given: True}
    differing = [name for name, case in FROZEN.items() if run_again(FOLDER, case, changed).difference]
    assert differing


def test_the_maker_freezes_what_a_scenario_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path, [PROCESSES / "identity_access" / "scenarios" / "no_such_complaint.json"])
    assert "ok" in capsys.readouterr().out
    [case] = cases(tmp_path)
    assert (case.name, case.codec) == ("identity_access.no_such_complaint", codec.FORMAT)
    assert run_again(tmp_path, case, FUNCTIONS).difference is None
