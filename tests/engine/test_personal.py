"""Personal data: sealed when a command is taken, opened for those who may read, gone with its key."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Database, Engine, House, Operations, check, queries, replay, verify
from engine.errors import GateRefused, GuijuError, Invalid, Unavailable
from engine.models import attachments, history, incidents, metadata
from engine.models_privacy import subject_keys
from engine.personal import Keyring, boxed, is_box, rewrap

SECRET = "当事人自述身体状况的一段话"
LATER = "审核时写下的另一段隐私内容"
FILE = b"%PDF-1.4\n% \xe5\xbd\x93\xe4\xba\x8b\xe4\xba\xba\xe8\xaf\x8a\xe6\x96\xad\xe4\xb9\xa6 1 0 obj\nendobj\n%%EOF\n"
NAME = "张三诊断书.pdf"


def marked(files: dict[str, bytes], **about: str) -> dict[str, bytes]:
    """The approval with `about` and the reviewer's comment personal, and files with the request."""
    request = json.loads(files["approval/forms/request.json"])
    request["properties"]["about"]["x-personal"] = about.get("about", "buddy")
    request["properties"]["proof"] = {
        "type": "array",
        "items": {"type": "string"},
        "title": {"zh-CN": "附件", "en": "Files"},
        "x-widget": "attachments",
        "x-personal": "case",
    }
    decision = json.loads(files["approval/forms/decision.json"])
    decision["properties"]["comment"] = {**decision["properties"]["comment"], "x-personal": "case"}
    xml = files["approval.bpmn"].decode().replace('<spiffworkflow:property name="title" value="about"/>', "")
    return {
        "approval.bpmn": xml.encode(),
        "approval/forms/request.json": json.dumps(request).encode(),
        "approval/forms/decision.json": json.dumps(decision).encode(),
    }


@pytest.fixture
def private(engine: Engine, files: dict[str, bytes]) -> Engine:
    engine.personal = Keyring(Keyring.new_key())
    engine.deploy(marked(files), by="root")
    return engine


def start(engine: Engine, **more: Any) -> Any:
    return engine.start("approval", {"amount": 5, "about": SECRET, "buddy": "chief", **more}, by="anna")


def everything(db: Database) -> str:
    """Every row of every table as text, bytes read as text where they can be."""
    found = []
    with db.read() as connection:
        for name in sa.inspect(connection).get_table_names():
            for row in connection.execute(sa.text(f'SELECT * FROM "{name}"')):
                for value in row:
                    plain = bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, memoryview)) else value
                    found.append(json.dumps(plain, ensure_ascii=False, default=str))
    return "\n".join(found)


def leaks(db: Database) -> list[str]:
    text = everything(db)
    assert metadata.tables and "approval" in text
    escaped = json.dumps(SECRET)[1:-1]
    return [word for word in (SECRET, LATER, NAME, "诊断书", escaped) if word in text]


def test_nothing_of_a_personal_field_is_in_the_database_in_plain_and_readers_see_it(private: Engine) -> None:
    made = private.attach(None, NAME, FILE, by="anna")
    case = start(private, proof=[made])
    [task] = case.tasks
    assert queries.case(private, case.instance_id, actor="anna").start.values["about"] == SECRET
    private.save_draft(task, {"comment": LATER}, by="boris")
    assert queries.task(private, task, actor="boris").draft == {"comment": LATER}
    private.complete(task, {"outcome": "reject", "comment": LATER}, by="boris")
    [decided] = queries.case(private, case.instance_id, actor="anna").decided
    assert decided.values["comment"] == LATER
    shown = queries.attachment(private, made, actor="anna")
    assert (shown.name, shown.content) == (NAME, FILE)
    assert queries.inspect(private, case.instance_id).variables["about"] == SECRET
    assert leaks(private.db) == []
    assert replay(private, case.instance_id).same and verify(private.db).broken == ()


def test_each_person_in_each_case_has_a_key_and_a_box_opens_nowhere_else(private: Engine) -> None:
    first, second = start(private), start(private, buddy="boris")
    private.complete(first.tasks[0], {"outcome": "reject", "comment": LATER}, by="boris")
    with private.db.read() as connection:
        rows = connection.execute(sa.select(subject_keys.c.instance_id, subject_keys.c.subject)).all()
        assert sorted(map(tuple, rows)) == sorted(
            [(first.instance_id, "chief"), (first.instance_id, "case"), (second.instance_id, "boris")]
        )
    one, other = (replay(private, each.instance_id).variables["about"] for each in (first, second))
    assert is_box(one) and is_box(other) and one["box"] != other["box"]
    with private.db.read() as connection:
        from engine.personal import reveal

        assert reveal(private.personal, connection, [one, {"a": other}]) == [SECRET, {"a": SECRET}]
        for swapped in (
            {**one, "box": other["box"]},
            {**one, "field": "comment"},
            {**one, "box": "?"},
            {**one, "box": "AAAA"},
            {**one, "personal": other["personal"]},
        ):
            with pytest.raises(Unavailable):
                reveal(private.personal, connection, swapped)


def test_who_has_no_key_can_neither_keep_nor_open_personal_data(private: Engine) -> None:
    case = start(private)
    private.personal = Keyring("")
    with pytest.raises(Unavailable) as caught:
        start(private)
    assert caught.value.code == "personal_key_missing"
    with pytest.raises(Unavailable):
        queries.case(private, case.instance_id, actor="anna")
    assert replay(private, case.instance_id).same, "re-execution needs no key"


def test_the_wrapping_key_can_be_changed_without_touching_the_data(private: Engine) -> None:
    old, new = Keyring.new_key(), Keyring.new_key()
    private.personal = Keyring(old)
    case = start(private)
    private.personal = both = Keyring(f"{new},{old}")
    assert queries.case(private, case.instance_id, actor="anna").start.values["about"] == SECRET
    assert private.db.write(lambda connection: rewrap(both, connection)) == 1
    assert private.db.write(lambda connection: rewrap(both, connection)) == 0
    private.personal = Keyring(new)
    assert queries.case(private, case.instance_id, actor="anna").start.values["about"] == SECRET
    with pytest.raises(GuijuError):
        Keyring("c2hvcnQ=")


def test_nobody_can_hand_in_a_box_of_another_case(private: Engine) -> None:
    box = replay(private, start(private).instance_id).variables["about"]
    for variables in ({"about": box}, {"about": "x", "amount": box}, {"proof": [box]}):
        with pytest.raises(Invalid):
            private.start("approval", {"amount": 5, **variables}, by="bella")


def test_a_command_that_failed_keeps_what_was_entered_sealed_and_can_be_tried_again(
    private: Engine, files: dict[str, bytes], mail: Any
) -> None:
    xml = marked(files)["approval.bpmn"].decode().replace('review.outcome == "agree"', "review.outcome + 1 == 2")
    private.deploy({"approval.bpmn": xml.encode()}, by="root")
    case = start(private)
    with pytest.raises(GuijuError):
        private.complete(case.tasks[0], {"outcome": "agree", "comment": LATER}, by="boris")
    with private.db.read() as connection:
        [command] = connection.scalars(sa.select(incidents.c.command)).all()
        [incident] = connection.scalars(sa.select(incidents.c.incident_id)).all()
    assert is_box(json.loads(bytes(command))["variables"]) and leaks(private.db) == []
    with pytest.raises(GuijuError) as caught:
        private.retry(incident, by="root")
    assert caught.value.code != "invalid", "the same values are tried again"


EXPRESSIONS = {
    'about == "x"': True,
    "len(about) > 3": True,
    "review.comment != None": False,
    "review.comment + amount": True,
    '"a" if review.comment else "b"': True,
    "[each for each in about]": True,
}


@pytest.mark.parametrize(("source", "refused"), EXPRESSIONS.items())
def test_expressions_may_not_read_personal_fields(
    source: str, refused: bool, private: Engine, files: dict[str, bytes]
) -> None:
    old, new = 'review.outcome == "agree"', source if "!=" in source else f"({source}) == 1"
    escaped = new.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    xml = marked(files)["approval.bpmn"].decode().replace(old, escaped)
    bundle = {**marked(files), "approval.bpmn": xml.encode()}
    house = House(groups={}, operations=Operations().infos, functions=frozenset(), directory_functions=frozenset())
    found = [problem for problem in check(bundle, house) if problem.code == "personal-read"]
    assert bool(found) == refused, source
    if refused:
        assert {problem.element for problem in found} == {"f3"} and "个人信息" in found[0].message["zh-CN"]


@pytest.mark.parametrize(
    "change",
    [
        ('name="viewers" value="[buddy]"', 'name="viewers" value="about"'),
        ('<spiffworkflow:property name="withdraw_to"', '<spiffworkflow:property name="title" value="about"/>'
         '<spiffworkflow:property name="withdraw_to"'),
    ],
)  # fmt: skip
def test_titles_and_readers_may_not_come_from_personal_fields(
    change: tuple[str, str], private: Engine, files: dict[str, bytes]
) -> None:
    xml = marked(files)["approval.bpmn"].decode().replace(*change)
    with pytest.raises(GateRefused) as caught:
        private.deploy({"approval.bpmn": xml.encode()}, by="root")
    assert {problem.code for problem in caught.value.problems} == {"personal-read"}


def test_an_operation_gets_the_box_and_passes_it_on(private: Engine, files: dict[str, bytes]) -> None:
    xml = marked(files)["approval.bpmn"].decode().replace('value="amount"/>', 'value="about"/>')
    private.deploy({"approval.bpmn": xml.encode()}, by="root")
    case = start(private)
    private.complete(case.tasks[0], {"outcome": "agree"}, by="boris")
    row = queries.register_row(private, "payment", "SP-2026-0001", actor="chief")
    assert row.data["amount"] == SECRET and row.changes[0].changes["amount"]["to"] == SECRET
    assert leaks(private.db) == [] and boxed(replay(private, case.instance_id).variables["entered"])
    assert verify(private.db).broken == ()


def test_the_hash_of_a_personal_file_is_that_of_what_is_stored(private: Engine) -> None:
    import hashlib

    made = private.attach(None, NAME, FILE, by="anna")
    case = start(private, proof=[made])
    with private.db.read() as connection:
        row = connection.execute(sa.select(attachments)).one()
        from engine.attachments import content_of

        stored = content_of(connection, made)
        body = connection.scalars(
            sa.select(history.c.body).where(
                history.c.instance_id == case.instance_id, history.c.type == "instance.started"
            )
        ).one()
    assert FILE not in stored and row.sha256 == hashlib.sha256(stored).hexdigest()
    assert json.loads(bytes(body))["data"]["attachments"][0]["sha256"] == row.sha256


def test_what_is_not_personal_stays_as_it_was(engine: Engine) -> None:
    case = engine.start("approval", {"amount": 5, "about": SECRET}, by="anna")
    assert replay(engine, case.instance_id).variables["about"] == SECRET and SECRET in everything(engine.db)
