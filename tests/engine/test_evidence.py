"""History that cannot be changed unnoticed, and many people at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from engine import Engine, queries, replay, verify
from engine.errors import Conflict, Denied, Unavailable
from tests.engine.steps import drop_guards, events, refused, review_of


def test_history_can_neither_be_changed_nor_deleted_nor_replaced(engine: Engine) -> None:
    instance, _ = review_of(engine)
    attempts = [
        f"update history set body = body where instance_id = '{instance}' and seq = 2",
        f"delete from history where instance_id = '{instance}'",
    ]
    if engine.db.sqlite:
        attempts.append(
            f"insert or replace into history select * from history where instance_id = '{instance}' and seq = 2"
        )
    for attempt in attempts:
        with pytest.raises((Unavailable, IntegrityError)):
            engine.db.write(lambda connection, attempt=attempt: connection.exec_driver_sql(attempt))
    assert verify(engine.db).broken == ()


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("hash", "update history set body = body || ' ' where seq = 3 and instance_id = '{i}'"),
        ("missing", "delete from history where seq = 3 and instance_id = '{i}'"),
        (
            "head",
            "delete from history where instance_id = '{i}' and seq = "
            "(select seq from instances where instance_id = '{i}')",
        ),
        ("row", "update history set type = 'task.cancelled' where seq = 3 and instance_id = '{i}'"),
        ("state", "update instances set state = state || ' ' where instance_id = '{i}'"),
        ("empty", "delete from history where instance_id = '{i}'"),
    ],
)
def test_verification_names_the_first_event_that_was_tampered_with(engine: Engine, code: str, statement: str) -> None:
    instance, _ = review_of(engine)
    other, _ = review_of(engine)
    if not engine.db.sqlite:
        statement = statement.replace("body || ' '", "body || '\\x20'::bytea").replace(
            "state || ' '", "state || '\\x20'::bytea"
        )
    else:
        statement = statement.replace("body || ' '", "cast(body || ' ' as blob)").replace(
            "state || ' '", "state || x'20'"
        )

    def tamper(connection: Any) -> None:
        drop_guards(connection)
        connection.exec_driver_sql(statement.replace("{i}", instance))

    engine.db.write(tamper)
    [broken] = verify(engine.db).broken
    assert (broken.instance_id, broken.code) == (instance, code)
    assert broken.instance_id != other


def test_fifty_people_completing_at_once_lose_nothing(engine: Engine) -> None:
    cases = [review_of(engine) for _ in range(10)]
    errors: list[BaseException] = []

    def complete(task: str, by: str) -> None:
        try:
            engine.complete(task, {"outcome": "agree"}, by=by)
        except Conflict:
            pass
        except Denied:
            pass
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=complete, args=(task, by))
        for _, task in cases
        for by in ("boris", "bella", "boris", "bella", "bella")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(queries.inbox(engine, actor="kassa").items) == 10
    assert verify(engine.db).broken == ()
    for instance, _ in cases:
        done = [data for kind, _, data in events(engine, instance) if kind == "task.completed"]
        assert len(done) == 1 and replay(engine, instance).same


def test_a_refused_look_is_written_down(engine: Engine) -> None:
    instance, task = review_of(engine)
    refused(lambda: queries.task(engine, task, actor="kassa"))
    refused(lambda: queries.case(engine, instance, actor="kassa"))
    looks = [(actor, data["tried"]) for kind, actor, data in events(engine, instance) if kind == "access.refused"]
    assert looks == [("kassa", "open"), ("kassa", "open")]
    assert verify(engine.db).broken == () and replay(engine, instance).same
