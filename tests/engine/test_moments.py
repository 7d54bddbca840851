"""A case as it was at any moment, for auditors, on both databases."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from engine import Engine, queries, save_directory
from engine.errors import Denied, NotFound
from engine.queries.recorded import Recorded, beats
from tests.engine.steps import drop_guards, review_of


@pytest.fixture
def audited(engine: Engine) -> tuple[Engine, str]:
    """A case that was claimed, agreed to by 甲 and waits to be paid; anna audits."""

    def work(connection: Any) -> None:
        person = {"username": "audra", "names": {"zh-CN": "奥", "en": "Audra"}}
        save_directory(connection, persons=[person], members=[("audra", "auditor")])

    engine.db.write(work)
    instance, review = review_of(engine)
    with pytest.raises(Denied):
        engine.complete(review, {"outcome": "agree"}, by="kassa")
    engine.claim(review, by="boris")
    engine.complete(review, {"outcome": "agree", "comment": "好"}, by="boris")
    return engine, instance


def at(engine: Engine, instance: str, seq: int | None = None, who: str | None = None) -> queries.Moment:
    return queries.moment(engine, instance, at=seq, actor="audra", who=who)


def seq_of(engine: Engine, instance: str, kind: str) -> int:
    with engine.db.read() as connection:
        rows = connection.exec_driver_sql(
            f"select seq, body from history where instance_id = '{instance}' order by seq"
        )
        return next(int(seq) for seq, body in rows if orjson.loads(bytes(body))["type"] == kind)


def test_what_was_open_and_who_held_it_is_told_as_it_was(audited: tuple[Engine, str]) -> None:
    engine, instance = audited
    offered = at(engine, instance, seq_of(engine, instance, "task.created"))
    assert [(task.element, task.holder) for task in offered.tasks] == [("review", None)]
    assert offered.tasks[0].recused == [{"zh-CN": "anna", "en": "anna"}] and offered.tasks[0].due is not None
    claimed = at(engine, instance, seq_of(engine, instance, "task.claimed"))
    assert claimed.tasks[0].holder is not None and claimed.tasks[0].holder.username == "boris"
    assert [task.element for task in at(engine, instance).tasks] == ["pay"]


def test_variables_are_those_of_the_moment_with_who_changed_them(audited: tuple[Engine, str]) -> None:
    engine, instance = audited
    completed = seq_of(engine, instance, "task.completed")
    assert "review" not in {variable.name for variable in at(engine, instance, completed).variables}
    now = at(engine, instance)
    changed = {variable.name: variable for variable in now.changed}
    assert set(changed) == {"review", "entered"}
    assert changed["review"].value["comment"] == "好" and changed["review"].fresh
    assert changed["review"].by is not None and changed["review"].by.username == "boris"
    assert (changed["review"].element, changed["entered"].element) == ("review", "enter")
    amount = next(variable for variable in now.variables if variable.name == "amount")
    assert amount.value == 5 and amount.by is not None and amount.by.username == "anna" and amount.part is not None


def test_forms_are_shown_as_filled_in_and_refusals_as_refused(audited: tuple[Engine, str]) -> None:
    engine, instance = audited
    [form] = [one for one in at(engine, instance).happened if one.entry.type == "task.completed"]
    assert form.values == {"outcome": "agree", "comment": "好"} and form.schema is not None
    refused = at(engine, instance, seq_of(engine, instance, "access.refused"))
    assert refused.beat.lead.entry.type == "access.refused"
    assert refused.beat.lead.entry.actor is not None and refused.beat.lead.entry.actor.username == "kassa"


def test_the_list_of_one_person_holds_what_is_about_them(audited: tuple[Engine, str]) -> None:
    engine, instance = audited
    found = at(engine, instance, who="boris")
    assert [beat.lead.entry.type for beat in found.beats] == ["task.claimed", "task.completed"]
    assert found.before == found.beats[0].last and found.after is None
    assert (found.people[0][0].username, found.people[0][1]) == ("boris", 2)


def test_the_picture_moves_with_the_moment(audited: tuple[Engine, str]) -> None:
    engine, instance = audited
    first = at(engine, instance, seq_of(engine, instance, "task.created")).picture["views"]["0"]
    assert first["active"] == {"review": 1} and list(first["waits"]) == ["overdue"]
    now = at(engine, instance).picture["views"]["0"]
    assert now["active"] == {"pay": 1} and now["waits"] == {} and now["flows"]["f3"] == 1
    track = queries.track_of(engine, instance, actor="audra")
    assert track.beats[-1][1] == track.last and track.marks[-1]["element"] == "pay"


@pytest.mark.parametrize("seq", [0, -3, 10_000])
def test_a_moment_that_does_not_exist_is_not_found(audited: tuple[Engine, str], seq: int) -> None:
    with pytest.raises(NotFound) as refused:
        at(*audited, seq)
    assert refused.value.code == "moment_not_found"


@pytest.mark.parametrize("who", ["boris", "root", "anna", "gone"])
def test_nobody_but_auditors_sees_moments(audited: tuple[Engine, str], who: str) -> None:
    engine, instance = audited
    asked: list[Any] = [
        lambda: queries.moment(engine, instance, at=None, actor=who),
        lambda: queries.track_of(engine, instance, actor=who),
        lambda: queries.drawing(engine, instance, "approval", actor=who),
        lambda: list(queries.prove(engine, instance, actor=who)),
    ]
    for ask in asked:
        with pytest.raises(Denied):
            ask()


def test_events_stand_together_by_command_and_alone_without_one() -> None:
    events = [
        Recorded(seq=1, type="command", body={"data": {"command": "claim"}}),
        Recorded(seq=2, type="state.saved", body={"data": {}}),
        Recorded(seq=3, type="case.read", body={"data": {}, "actor": "audra"}),
        Recorded(seq=4, type="command", body={"data": {"command": "complete"}}),
        Recorded(seq=5, type="task.completed", body={"data": {"result": {"by": "a", "for": "b"}}, "actor": "a"}),
        Recorded(seq=6, type="state.saved", body={"data": {}}),
    ]
    found = beats(events)
    assert [(beat.first, beat.last, beat.command) for beat in found] == [
        (1, 2, "claim"),
        (3, 3, ""),
        (4, 6, "complete"),
    ]
    assert found[2].lead.type == "task.completed" and found[2].actors == {"a", "b"}


@pytest.mark.parametrize(
    ("code", "bad", "statement"),
    [
        ("hash", 4, "update history set body = '{b}' where seq = 4 and instance_id = '{i}'"),
        ("missing", 5, "delete from history where seq = 5 and instance_id = '{i}'"),
        ("missing", 1, "delete from history where seq = 1 and instance_id = '{i}'"),
        ("hash", 6, "update history set hash = '{b}' where seq = 6 and instance_id = '{i}'"),
        ("row", 3, "update history set type = 'task.cancelled' where seq = 3 and instance_id = '{i}'"),
    ],
)
def test_a_damaged_history_names_its_first_bad_event_and_shows_the_rest(
    audited: tuple[Engine, str], code: str, bad: int, statement: str
) -> None:
    engine, instance = audited
    last = at(engine, instance).last

    def damage(connection: Any) -> None:
        drop_guards(connection)
        rubbish = "x" * 32
        connection.exec_driver_sql(statement.replace("{i}", instance).replace("{b}", rubbish))

    engine.db.write(damage)
    for seq in (1, bad, last):
        shown = at(engine, instance, seq)
        assert shown.fault is not None and (shown.fault.seq, shown.fault.code) == (bad, code)
        assert shown.beats and [task.element for task in at(engine, instance, last).tasks] == ["pay"]
    assert (at(engine, instance, bad).event is None) == (code == "missing")
    lines = list(queries.prove(engine, instance, actor="audra"))
    assert lines[0].kind == "chain" and lines[0].holds is False and lines[0].bad == bad


def test_the_proof_of_an_untouched_case_holds_line_by_line(audited: tuple[Engine, str]) -> None:
    engine, instance = audited
    lines = list(queries.prove(engine, instance, actor="audra"))
    assert [line.kind for line in lines] == ["chain", "command", "command", "command", "command", "state", "tree"]
    assert [line.holds for line in lines] == [True] * 6 + [None]
    assert [line.command for line in lines[1:5]] == ["start", "note", "claim", "complete"]


def test_variables_of_a_history_without_changes_are_worked_out_again(
    audited: tuple[Engine, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, instance = audited
    told = {variable.name: (variable.value, variable.seq) for variable in at(engine, instance).variables}
    from engine.queries import recorded as module

    event_of = module._event

    def as_before(*given: Any) -> Recorded:
        event = event_of(*given)
        event.data.pop("changes", None)
        return event

    monkeypatch.setattr(module, "_event", as_before)
    assert {variable.name: (variable.value, variable.seq) for variable in at(engine, instance).variables} == told
