"""Who may audit which cases: limited to procedures and periods, expiring, and never what is kept from the auditor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import orjson
import pytest
import sqlalchemy as sa

from engine import Engine, queries, replay, save_directory, verify
from engine.errors import Denied, Invalid, Unavailable
from engine.models import history, instances, people
from engine.scopes import revoke_scope, scopes, set_scope

LOGGED = '<spiffworkflow:property name="log_reads" value="true"/>'
KEPT = '<spiffworkflow:property name="barred" value="[buddy]"/>'
TITLE = '<spiffworkflow:property name="title" value="about"/>'


@pytest.fixture
def audit(engine: Engine, files: dict[str, bytes]) -> Engine:
    """The small company with two procedures of the same shape, whose reading is logged, and an auditor, `kassa`."""
    xml = files["approval.bpmn"].decode().replace(TITLE, TITLE + LOGGED + KEPT)
    other = {
        name.replace("approval", "second"): content.replace(b'id="approval"', b'id="second"')
        for name, content in {**files, "approval.bpmn": xml.encode()}.items()
    }
    engine.deploy({**files, "approval.bpmn": xml.encode(), **other}, by="root")
    engine.db.write(lambda connection: save_directory(connection, members=[("kassa", "auditor"), ("root", "auditor")]))
    return engine


def start(engine: Engine, process: str = "approval", **more: Any) -> str:
    return engine.start(process, {"amount": 5, "about": "椅子", **more}, by="anna").instance_id


def seen(engine: Engine, actor: str) -> set[str]:
    """Ids of the cases that the condition lets through."""
    with engine.db.read() as connection:
        mine = queries.auditable(connection, actor, engine.now())
        return set(connection.scalars(sa.select(instances.c.instance_id).where(mine)))


def refused(engine: Engine, instance_id: str, actor: str = "kassa") -> str:
    """The code of the refusal, by the audit's door and by the ordinary page's."""
    with pytest.raises(Denied) as caught, queries.audited(engine, instance_id, actor, "replay"):
        pass
    with pytest.raises(Denied):
        queries.case(engine, instance_id, actor=actor)
    return caught.value.code


def events(engine: Engine, chain: str, kind: str) -> list[dict[str, Any]]:

    with engine.db.read() as connection:
        query = sa.select(history.c.body).where(history.c.instance_id == chain, history.c.type == kind)
        return [orjson.loads(body) for body in connection.scalars(query.order_by(history.c.seq))]


def test_an_auditor_without_a_scope_reads_every_case_and_nobody_else_any(audit: Engine) -> None:
    cases = {start(audit), start(audit, "second")}
    assert seen(audit, "kassa") == cases
    assert seen(audit, "chief") == set() and seen(audit, "nobody") == set()
    with pytest.raises(Denied), queries.auditing(audit, "chief", "search"):
        pass
    assert [event["actor"] for event in events(audit, "access", "access.refused")] == ["chief"]


def test_a_scope_limits_to_procedures_and_to_the_period_in_which_cases_started(audit: Engine, clock: Any) -> None:
    early, other = start(audit), start(audit, "second")
    border = clock.now() + timedelta(days=1)
    clock.advance(days=2)
    late = start(audit)
    set_scope(audit, "kassa", processes=["approval"], cases_until=border, by="root", reason="2026 年审")
    assert seen(audit, "kassa") == {early}
    assert refused(audit, late) == "audit_denied" and refused(audit, other) == "audit_denied"
    set_scope(audit, "kassa", cases_from=border, by="root", reason="补充")
    assert seen(audit, "kassa") == {early, late}
    with queries.audited(audit, late, "kassa", "replay") as opened:
        assert opened.row.instance_id == late


def test_a_scope_expires_and_may_be_revoked_and_every_change_is_in_the_history(audit: Engine, clock: Any) -> None:
    case = start(audit)
    [scope] = set_scope(audit, "kassa", expires_at=clock.now() + timedelta(days=3), by="root", reason="年审")
    assert seen(audit, "kassa") == {case}
    clock.advance(days=3)
    assert seen(audit, "kassa") == set() and refused(audit, case) == "audit_expired"
    [again] = set_scope(audit, "kassa", by="root", reason="延长")
    assert seen(audit, "kassa") == {case}
    revoke_scope(audit, again, by="root")
    assert seen(audit, "kassa") == set()
    assert [event["data"]["scope"] for event in events(audit, "access", "scope.set")] == [scope, again]
    assert [event["data"]["scope"] for event in events(audit, "access", "scope.revoked")] == [again]
    assert {each.scope_id for each in scopes(audit, actor="kassa")} == {scope, again}
    assert verify(audit.db).broken == ()


def test_only_an_administrator_sets_scopes_and_never_their_own(audit: Engine) -> None:
    for by, username in (("chief", "kassa"), ("kassa", "kassa"), ("root", "root")):
        with pytest.raises(Denied):
            set_scope(audit, username, by=by, reason="我要看")
    assert len(events(audit, "access", "access.refused")) == 3
    with pytest.raises(Denied):
        scopes(audit, actor="chief")


def test_a_scope_must_make_sense(audit: Engine, clock: Any) -> None:
    day = timedelta(days=1)
    with pytest.raises(Invalid) as caught:
        set_scope(
            audit,
            "anna",
            by="root",
            reason=" ",
            processes=["nothing"],
            cases_from=clock.now(),
            cases_until=clock.now() - day,
            expires_at=clock.now(),
        )
    assert set(caught.value.fields) == {"username", "processes", "cases_until", "expires_at", "reason"}


def test_an_auditor_sees_nothing_of_a_case_that_is_kept_from_them(audit: Engine) -> None:
    case = start(audit, buddy="kassa")
    assert seen(audit, "kassa") == set()
    assert refused(audit, case) == "audit_denied"
    tried = [(each["data"]["tried"], each["actor"]) for each in events(audit, case, "access.refused")]
    assert tried == [("replay", "kassa"), ("open", "kassa")]
    assert replay(audit, case).same and verify(audit.db).broken == ()


def test_the_auditors_connection_cannot_write(audit: Engine) -> None:
    case = start(audit)
    with pytest.raises(Unavailable), queries.audited(audit, case, "kassa", "replay") as opened:
        opened.connection.execute(sa.update(people).values(title="改"))
    with pytest.raises(Unavailable), queries.audited(audit, case, "kassa", "replay") as opened:
        if opened.connection.dialect.name == "sqlite":
            opened.connection.exec_driver_sql("PRAGMA query_only=OFF")
        else:
            opened.connection.exec_driver_sql("SET TRANSACTION READ WRITE")
        opened.connection.execute(sa.delete(people))


def test_on_postgresql_the_auditor_is_a_role_of_their_own_that_reads_no_secret(audit: Engine) -> None:
    with audit.db.audit() as connection:
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1
            return
        assert connection.exec_driver_sql("SELECT current_user").scalar() == "guiju_auditor"
    for table in ("credentials", "web_sessions", "sealed_values", "complaint_messages", "idempotency"):
        with pytest.raises(Unavailable), audit.db.audit() as connection:
            connection.exec_driver_sql(f"SELECT * FROM {table}")


def test_reading_is_written_down_once_in_a_while_and_shown_to_auditors_alone(audit: Engine, clock: Any) -> None:
    case = start(audit)
    for _ in range(3):
        queries.case(audit, case, actor="anna")
    with queries.audited(audit, case, "kassa", "replay"):
        pass
    reads = [(each["actor"], each["data"]) for each in events(audit, case, "case.read")]
    assert reads == [("anna", {"what": "case"}), ("kassa", {"what": "replay"})]
    clock.advance(minutes=11)
    queries.case(audit, case, actor="anna")
    assert len(events(audit, case, "case.read")) == 3
    assert "case.read" not in {entry.type for entry in queries.case(audit, case, actor="anna").timeline}
    assert "case.read" in {entry.type for entry in queries.case(audit, case, actor="kassa").timeline}
    assert replay(audit, case).same and verify(audit.db).broken == ()


def test_a_case_goes_on_after_it_was_read(audit: Engine) -> None:
    case = audit.start("approval", {"amount": 5}, by="anna")
    queries.task(audit, case.tasks[0], actor="boris")
    done = audit.complete(case.tasks[0], {"outcome": "reject"}, by="boris")
    queries.case(audit, case.instance_id, actor="boris")
    assert done.status == "completed" and len(events(audit, case.instance_id, "case.read")) == 2
    assert replay(audit, case.instance_id).same and verify(audit.db).broken == ()


def test_what_is_not_to_be_logged_is_not(engine: Engine) -> None:
    case = engine.start("approval", {"amount": 5}, by="anna").instance_id
    queries.case(engine, case, actor="anna")
    assert events(engine, case, "case.read") == []
