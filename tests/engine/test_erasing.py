"""Destroying keys: what is gone, what stays, and what forbids it; on both databases."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, Signer, SigningKey, erasing, queries, replay, verify
from engine.dossier import dossier_bytes
from engine.errors import Conflict
from engine.models import history, incidents, tasks
from engine.models_privacy import legal_holds
from engine.moments import stamp
from engine.personal import Erased, Keyring

VERIFIER = Path(__file__).resolve().parents[2] / "verifier" / "guiju_verify.py"
SECRET = "当事人自述身体状况的一段话"


@pytest.fixture
def private(engine: Engine, files: dict[str, bytes]) -> Engine:
    """The approval whose `about` is about the buddy and whose comments and files are the case's."""
    request, decision = (json.loads(files[f"approval/forms/{name}.json"]) for name in ("request", "decision"))
    request["properties"]["about"]["x-personal"] = "buddy"
    proof = {"type": "array", "items": {"type": "string"}, "title": {"zh-CN": "附件", "en": "Files"}}
    request["properties"]["proof"] = {**proof, "x-widget": "attachments", "x-personal": "case"}
    decision["properties"]["comment"] = {**decision["properties"]["comment"], "x-personal": "case"}
    xml = files["approval.bpmn"].decode().replace('<spiffworkflow:property name="title" value="about"/>', "")
    engine.personal = Keyring(Keyring.new_key())
    forms = {"request": request, "decision": decision}
    changed = {f"approval/forms/{name}.json": json.dumps(form).encode() for name, form in forms.items()}
    engine.deploy({"approval.bpmn": xml.encode(), **changed}, by="root")
    return engine


def case(engine: Engine) -> tuple[str, str]:
    """(instance, file): a rejected request about `chief`, with a file and a comment."""
    made = engine.attach(None, "证明.txt", b"plain words of a private paper", by="anna")
    begun = engine.start("approval", {"amount": 1, "about": SECRET, "buddy": "chief", "proof": [made]}, by="anna")
    engine.save_draft(begun.tasks[0], {"comment": SECRET}, by="boris")
    engine.complete(begun.tasks[0], {"outcome": "reject", "comment": SECRET}, by="boris")
    return begun.instance_id, made


def erase(engine: Engine, instance: str, subject: str | None = None, **changed: Any) -> int:
    said = {"rule": "T04", "reason": "期满", "requested_by": "anna", "approved_by": ["bella"], "request": "r"}
    at = stamp(engine.now())
    return engine.db.write(
        lambda connection: erasing.erase(
            connection, instance, subject=subject, by="bella", at=at, **{**said, **changed}
        )
    )


def test_one_persons_data_goes_and_the_rest_stays(private: Engine) -> None:
    instance, made = case(private)
    assert erase(private, instance, "chief") == 1
    seen = queries.case(private, instance, actor="anna")
    assert seen.start is not None
    assert seen.start.values["about"]["erased"] == {
        "at": stamp(private.now()),
        "rule": "T04",
        "by": ["bella"],
        "reason": "期满",
        "request": "r",
    }
    assert seen.decided[0].values["comment"] == SECRET
    assert queries.attachment(private, made, actor="anna").content == b"plain words of a private paper"
    assert replay(private, instance).same and verify(private.db).broken == ()


def test_everything_personal_goes_and_hashes_still_agree(private: Engine) -> None:
    instance, made = case(private)
    with private.db.read() as connection:
        query = sa.select(history.c.body, history.c.hash).where(history.c.instance_id == instance)
        before = {hashlib.sha256(bytes(row.body)).digest() == bytes(row.hash) for row in connection.execute(query)}
    assert before == {True}
    assert erase(private, instance) == 2 and erase(private, instance) == 0
    with pytest.raises(Erased):
        queries.attachment(private, made, actor="anna")
    with private.db.read() as connection:
        assert connection.scalars(sa.select(tasks.c.draft).where(tasks.c.draft.is_not(None))).all() == []
        assert connection.scalars(sa.select(incidents.c.command).where(incidents.c.command.is_not(None))).all() == []
    assert "erased" in queries.inspect(private, instance).variables["about"]
    assert replay(private, instance).same and verify(private.db).broken == ()


def test_a_dossier_of_what_was_erased_still_verifies_where_guiju_is_not_installed(
    private: Engine, tmp_path: Path
) -> None:
    key, instance = SigningKey.make("guiju.example/log"), case(private)[0]
    signer = Signer(private, key)
    signer.run()
    erase(private, instance)
    signer.run()
    made = tmp_path / "dossier.json"
    made.write_bytes(dossier_bytes(private, instance, key=key, by="auditor"))
    assert SECRET.encode() not in made.read_bytes()
    command = [sys.executable, "-I", str(VERIFIER), str(made), "--key", key.public, "--lang", "en"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0 and "everything holds" in done.stdout, done.stdout + done.stderr


def test_a_hold_on_the_case_or_the_person_forbids_it(private: Engine) -> None:
    instance, _ = case(private)
    for on in ({"instance_id": instance}, {"username": "chief"}):
        row = {"hold_id": str(on), "reason": "仲裁", "set_by": "root", "set_at": stamp(private.now())}
        row["hold_id"] = hashlib.md5(str(on).encode()).hexdigest()
        private.db.write(lambda c, row=row, on=on: c.execute(sa.insert(legal_holds).values(**row, **on)) and None)
        with pytest.raises(Conflict):
            erase(private, instance)
        lifted = sa.update(legal_holds).values(lifted_at=stamp(private.now()))
        private.db.write(lambda c, lifted=lifted: c.execute(lifted) and None)
    assert erase(private, instance) == 2


def test_nobody_erases_alone(private: Engine) -> None:
    instance, _ = case(private)
    with pytest.raises(Conflict):
        erase(private, instance, approved_by=["anna"])
    with pytest.raises(Conflict):
        erase(private, instance, approved_by=[])
