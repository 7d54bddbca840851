"""Filing a complaint, and writing to and fro through its mailbox: what the public page and the staff's do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Engine, Result, queries
from engine.errors import Conflict, Denied, NotFound
from engine.moments import stamp
from engine.notes import handlers_of
from processes.complaint import mailbox
from processes.complaint.cleaning import cleaned
from processes.complaint.mailbox import Message
from processes.complaint.seal import Seal
from processes.complaint.tables import instances
from processes.registers.complaint import COMPLAINT

PROCESS = "complaint"
REOPENED_BY_CODE = "end_closed_insufficient"
LEFT_OUT = (
    "reporter_contact",
    "evidence",
    "receipt_code",
    "related_case",
)  # not taken over when a case is taken up again


def seal_of(engine: Engine) -> Seal:
    """The engine's seal."""
    return cast(Seal, engine.sealer)


def file(engine: Engine, values: Mapping[str, Any], *, by: str | None, key: str) -> tuple[Result, str]:
    """Start a complaint and draw its receipt: (the case, 16 digits to be shown once).

    The same `key` again is the same complaint with a new receipt: who saw no answer is not left without one.
    Raises Invalid, Denied, Unavailable.
    """
    code = mailbox.draw()
    hashed = mailbox.hashed_receipt(code)
    seal = seal_of(engine)
    seal.tag(code)  # without a key nothing must be filed
    result = start(engine, values, by=by, key=key)
    engine.db.write(lambda connection: mailbox.keep(seal, connection, result.instance_id, code, hashed))
    return result, code


def start(engine: Engine, values: Mapping[str, Any], *, by: str | None, key: str | None) -> Result:
    """Start a complaint with its files cleaned, without a receipt. Raises Invalid, Denied, Unavailable."""
    return engine.start(PROCESS, {**values, **_cleaned(engine, values, by)}, by=by, key=key)


def _cleaned(engine: Engine, values: Mapping[str, Any], by: str | None) -> dict[str, Any]:
    """The evidence with every file that was handed in as it is put in its clean form. Raises Invalid, Unavailable.

    What strangers bring is clean before it is stored; this is for files that staff uploaded by themselves."""
    ids = values.get("evidence")
    if by is None or not isinstance(ids, list):
        return {}
    kept: list[Any] = []
    for number, attachment_id in enumerate(ids, 1):
        try:
            found = queries.attachment(engine, str(attachment_id), actor=by)
        except (NotFound, Denied):
            kept.append(attachment_id)  # none of theirs: the form says so
            continue
        name, plain = cleaned(found.content, number)
        same = plain == found.content and found.name == name
        kept.append(attachment_id if same else engine.attach(None, name, plain, by=by))
    return {"evidence": kept}


def thread_by(engine: Engine, code: str) -> str | None:
    """The thread a receipt opens, or None; always as slow."""
    with engine.db.read() as connection:
        return mailbox.find(seal_of(engine), connection, code)


def exchanged(engine: Engine, thread_id: str, code: str) -> str | None:
    """A new receipt to be shown once, when `code` came by mail and was good for one opening only; else None."""
    new, seal = mailbox.draw(), seal_of(engine)
    with engine.db.read() as connection:
        if not mailbox.is_once(seal, connection, thread_id, code):
            return None
    hashed = mailbox.hashed_receipt(new)
    done = engine.db.write(lambda connection: mailbox.exchange(seal, connection, thread_id, code, new, hashed))
    return new if done else None


def mark_of(engine: Engine, code: str) -> str | None:
    """The keyed mark of a code, when a receipt with the same mark exists. Quick; says nothing of the code."""
    with engine.db.read() as connection:
        return mailbox.known_mark(seal_of(engine), connection, code)


def state_of(engine: Engine, thread_id: str) -> tuple[str, bool, list[Message]]:
    """(register status, whether a review may be asked for, messages) of a thread, for its reporter."""
    with engine.db.read() as connection:
        row = _case(connection, thread_id)
        messages = mailbox.read(seal_of(engine), connection, thread_id)
    status = queries_status(engine, row.business_key)
    return status, status == "watching", messages


def queries_status(engine: Engine, number: str | None) -> str:
    """The status of a complaint in the register."""
    return str(queries.register_rows_of(engine, COMPLAINT).get(number or "", {}).get("status", "received"))


def write_in(engine: Engine, thread_id: str, text: str, *, kind: str, key: str) -> bool:
    """Take a message from the reporter and tell whoever handles the case (of a merged one, the other case).

    A complaint that was closed for want of an answer is taken up again by it. False when it was not taken.
    """
    seal, at = seal_of(engine), stamp(engine.now())

    def work(connection: Connection) -> bool:
        return mailbox.receive(seal, connection, thread_id, text, kind=kind, at=at, key=key)

    if not text.strip() or not engine.db.write(work):
        return False
    with engine.db.read() as connection:
        case = _case(connection, thread_id)
    target = case.instance_id
    if case.end == REOPENED_BY_CODE:
        target = _take_up_again(engine, thread_id, case, key)
    elif (other := _merged_into(engine, case.business_key)) is not None:
        target = other
    tell = {"zh-CN": "举报人有新消息，请在往来消息中查看", "en": "The reporter has written; see the messages"}
    engine.note(target, "message.received", by=None, tell=tell, thread=thread_id, kind=kind)
    return True


def write_out(engine: Engine, instance_id: str, text: str, *, by: str) -> None:
    """Leave a message for the reporter. Raises Denied, NotFound, Conflict."""
    require_correspondent(engine, instance_id, by)

    def work(connection: Connection) -> str:
        thread = mailbox.thread_of(connection, instance_id)
        if thread is None:
            raise Conflict("no_mailbox", text={"zh-CN": "本案没有信箱", "en": "This case has no mailbox"})
        mailbox.send(connection, thread, text.strip()[: mailbox.LONGEST], stamp(engine.now()))
        return thread

    thread = engine.db.write(work)
    engine.note(instance_id, "message.sent", by=by, thread=thread)


def letters(engine: Engine, instance_id: str, *, actor: str) -> tuple[list[Message], bool]:
    """(messages of a case with its reporter, whether the actor may write) for whoever may read the case."""
    view = queries.case(engine, instance_id, actor=actor)
    if view.process != PROCESS:
        raise NotFound(id=instance_id)
    with engine.db.read() as connection:
        thread = mailbox.thread_of(connection, instance_id)
        found = mailbox.read(seal_of(engine), connection, thread) if thread else []
    return found, _corresponds(engine, view, actor)


def require_correspondent(engine: Engine, instance_id: str, actor: str) -> None:
    """Raise Denied unless the actor handles the case: reading it, as auditors do, is not enough to write."""
    view = queries.case(engine, instance_id, actor=actor)
    if view.process != PROCESS or not _corresponds(engine, view, actor):
        raise Denied(
            "not_handler", text={"zh-CN": "只有承办人可以给举报人写消息", "en": "Only who handles it may write"}
        )


def _corresponds(engine: Engine, view: queries.CaseView, actor: str) -> bool:
    with engine.db.read() as connection:
        handlers = handlers_of(connection, view.instance_id)
    return actor in handlers or any(entry.by and entry.by.username == actor for entry in view.decided)


def _case(connection: Connection, thread_id: str) -> Any:
    instance_id = mailbox.case_of(connection, thread_id)
    return connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).one()


def _merged_into(engine: Engine, number: str | None) -> str | None:
    row = queries.register_rows_of(engine, COMPLAINT).get(number or "", {})
    other = row.get("merged_into")
    return queries.instance_of(engine, other) if other else None


def _take_up_again(engine: Engine, thread_id: str, case: Any, key: str) -> str:
    """Start the complaint anew with what was stated then, and give it the mailbox."""
    seen = queries.inspect(engine, case.instance_id)
    schema = queries.start_form(engine, PROCESS, actor=None).schema or {}
    names = [name for name in schema.get("properties", {}) if name not in LEFT_OUT]
    values = {name: seen.variables[name] for name in names if seen.variables.get(name) is not None}
    values["related_case"] = case.business_key
    result = engine.start(PROCESS, values, by=None, key=f"reopen {thread_id} {key}")
    engine.db.write(lambda connection: mailbox.move(connection, thread_id, result.instance_id))
    return result.instance_id
