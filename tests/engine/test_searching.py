"""Auditors find cases by what happened in them; what they may not see they cannot find either."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, indexing
from engine.errors import Denied, Invalid
from engine.facts import leaves, typed
from engine.models import instances, memberships
from engine.models_audit import case_facts, step_times
from engine.queries import asked, searching
from engine.queries.asked import Question, Value

Clocked = Any


@pytest.fixture
def ask(engine: Engine) -> Callable[..., list[str | None]]:
    """Numbers of the cases that answer a question, newest first, with the index brought up to date."""
    engine.db.write(lambda c: c.execute(sa.insert(memberships).values(username="chief", group_id="auditor")))

    def found(*values: str, **parts: str) -> list[str | None]:
        while indexing.catch_up(engine):
            pass
        question = asked.read(parts, values)
        return [hit.case.instance_id for hit in searching.search(engine, question, actor="chief").page.items]

    return found


def start(engine: Engine, amount: int = 5, **more: Any) -> Any:
    return engine.start("approval", {"amount": amount, **more}, by="anna")


def decide(engine: Engine, case: Any, by: str, outcome: str, **more: Any) -> Any:
    (task,) = case.tasks
    engine.claim(task, by=by)
    return engine.complete(task, {"outcome": outcome, **more}, by=by)


def test_cases_are_found_by_person_step_outcome_value_and_title(engine: Engine, ask: Any) -> None:
    agreed, refused = start(engine, 7), start(engine, 900)
    decide(engine, agreed, "boris", "agree")
    decide(engine, refused, "bella", "reject", comment="too dear")
    first, second = agreed.instance_id, refused.instance_id
    assert set(ask()) == {first, second}
    assert ask(person="boris") == [first] and ask(person="boris", role="started") == []
    assert ask(person="anna", role="started", outcome="reject") == [second]
    assert ask(element="review", outcome="agree") == [first] and ask(element="pay") == [first]
    assert ask(end="end_rejected") == [second] and ask(status="completed") == [second]
    assert ask("amount = 7") == [first] and ask('amount = "7"') == [] and ask("amount > 7") == [second]
    assert ask("review.comment ~ DEAR") == [second] and ask("review.comment = too dear", "amount >= 900") == [second]
    assert ask("nothing = 1") == [] and ask(process="approval", text="no such title") == []


def test_a_hit_leads_to_the_moment_it_became_true(engine: Engine, ask: Any) -> None:
    case = start(engine)
    decide(engine, case, "boris", "agree")
    ask()
    (hit,) = searching.search(engine, Question(outcome="agree"), actor="chief").page.items
    with engine.db.read() as connection:
        query = sa.select(case_facts.c.seq).where(case_facts.c.kind == "outcome", case_facts.c.name == "*")
        assert hit.seq == connection.scalar(query)


def test_pages_follow_each_other_without_gaps(engine: Engine, ask: Any) -> None:
    cases = {start(engine).instance_id for _ in range(7)}
    ask()
    seen, cursor = list[str](), None
    while True:
        page = searching.search(engine, Question(), actor="chief", cursor=cursor, limit=3).page
        seen += [hit.case.instance_id for hit in page.items]
        if (cursor := page.next) is None:
            break
    assert len(seen) == 7 and set(seen) == cases
    assert {hit.case.instance_id for hit in searching.every(engine, Question(), actor="chief", limit=2)} == cases


def test_days_are_local_and_inclusive(engine: Engine, clock: Clocked, ask: Any) -> None:
    case = start(engine)
    day = clock.now().astimezone(asked.LOCAL).date().isoformat()
    assert ask(since=day, until=day) == [case.instance_id]
    assert ask(until="2001-01-01") == []


def test_what_auditors_may_not_see_they_cannot_find(engine: Engine, ask: Any) -> None:
    case = start(engine)
    after = decide(engine, case, "boris", "agree")  # `pay` is shown to the bosses alone
    (task,) = after.tasks
    engine.complete(task, {"outcome": "paid", "comment": "by cheque"}, by="kassa")
    assert ask(outcome="paid") == [] and ask("pay.comment ~ cheque") == []
    assert ask(person="kassa") == [case.instance_id]
    with engine.db.read() as connection:
        assert connection.scalar(sa.select(step_times.c.outcome).where(step_times.c.element == "pay")) is None


def test_only_auditors_may_ask(engine: Engine) -> None:
    for ask in (searching.search, searching.every):
        with pytest.raises(Denied):
            ask(engine, Question(), actor="anna")  # type: ignore[operator]


def test_a_rebuilt_index_is_the_index_that_was_kept(engine: Engine, clock: Clocked, ask: Any) -> None:
    def everything() -> list[Any]:
        with engine.db.read() as connection:
            facts = connection.execute(sa.select(case_facts).order_by(*case_facts.primary_key.columns)).all()
            times = connection.execute(sa.select(step_times).order_by(*step_times.primary_key.columns)).all()
            return [*map(tuple, facts), *map(tuple, times)]

    case = start(engine)
    ask()
    clock.advance(hours=30)
    engine.tick()
    ask()
    decide(engine, case, "boris", "agree")
    ask()
    kept = everything()
    assert len(kept) > 30
    assert indexing.rebuild(engine) == 1
    assert everything() == kept


def test_the_index_knows_when_it_is_behind(engine: Engine, ask: Any) -> None:
    ask()
    start(engine)
    assert searching.search(engine, Question(), actor="chief").behind == 1
    ask()
    with engine.db.read() as connection:
        assert indexing.behind(connection) == 0
        assert connection.execute(sa.select(instances).where(instances.c.indexed_seq < instances.c.seq)).all() == []


@pytest.mark.parametrize(
    ("parts", "values", "wrong"),
    [
        ({"since": "yesterday"}, (), {"since"}),
        ({"until": "0000-99-99"}, (), {"until"}),
        ({"status": "odd", "role": "boss"}, (), {"status", "role"}),
        ({"longer": "NaN"}, (), {"longer"}),
        ({"longer": "-3"}, (), {"longer"}),
        ({}, ("no sign at all",), {"value"}),
        ({}, ("amount > many",), {"value"}),
        ({}, ("a = 1",) * 9, {"value"}),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_part_by_part(
    parts: dict[str, str], values: tuple[str, ...], wrong: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        asked.read(parts, values)
    assert set(refused.value.fields) == wrong


@pytest.mark.parametrize("said", ["%", "_", "a\x00b", "'; DROP TABLE history; --", "[" * 5000, "1e999", "😀" * 300])
def test_no_text_breaks_the_search(engine: Engine, ask: Any, said: str) -> None:
    start(engine)
    assert ask(text=said) == [] and ask(f"amount = {said}") == [] and ask(f"amount ~ {said}", person=said) == []
    searching.search(engine, Question(), actor="chief", cursor=said)


def test_conditions_are_read_with_their_sign_and_days_with_theirs() -> None:
    question = asked.read({"since": "2026-11-09"}, ["vote.counts.for>=5", "platform = 抖音", "note ~ a = b"])
    assert question.since == date(2026, 11, 9)
    assert question.values == (
        Value(name="vote.counts.for", sign=">=", said="5"),
        Value(name="platform", sign="=", said="抖音"),
        Value(name="note", sign="~", said="a = b"),
    )
    assert (
        asked.meant("5") == ["n:5", "s:5"]
        and asked.meant('"5"') == ["s:5"]
        and asked.meant("true") == ["b:true", "s:true"]
    )


def test_personal_values_and_tombstones_are_never_read_into_the_index() -> None:
    sealed = {"name": {"personal": "anna", "box": "…"}, "gone": {"erased": {"at": "…"}}, "kept": [{"a": 1}, {"a": 2}]}
    assert list(leaves("form", sealed)) == [("form.kept.a", 1), ("form.kept.a", 2)]
    assert [typed(each) for each in (None, True, 1, 1.0, "1\x00")] == ["z:", "b:true", "n:1", "n:1", "s:1"]
