"""Files handed in with forms: stored in the database, tied to the case by the form, read by whoever reads the entry."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import orjson
import pytest

from engine import Engine, queries, verify
from engine.attachments import CAP, clean_name
from engine.errors import Conflict, Denied, Invalid, NotFound
from engine.filetypes import type_of
from engine.replay import replay

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 2000  # over one chunk
FILES = {
    "type": "array",
    "items": {"type": "string"},
    "x-widget": "attachments",
    "title": {"zh-CN": "附件", "en": "Files"},
}


@pytest.fixture
def bare(engine: Engine, files: dict[str, bytes]) -> Engine:
    """The small company with its own forms, which have no field of files."""
    form = json.loads(files["approval/forms/decision.json"])
    del form["properties"]["files"]
    engine.deploy({**files, "approval/forms/decision.json": json.dumps(form).encode()}, by="root")
    return engine


@pytest.fixture
def engine(engine: Engine, files: dict[str, bytes]) -> Engine:
    """The small company, its request and its decision with a field of files."""
    for name in ("request", "decision"):
        form = json.loads(files[f"approval/forms/{name}.json"])
        form["properties"]["files"] = FILES
        files[f"approval/forms/{name}.json"] = json.dumps(form).encode()
    engine.deploy(files, by="root")
    return engine


def body_of(engine: Engine, instance_id: str, kind: str) -> dict[str, Any]:
    with engine.db.read() as connection:
        query = f"select body from history where instance_id = '{instance_id}' and type = '{kind}' order by seq desc"
        found = connection.exec_driver_sql(query).first()
        assert found is not None
        data: dict[str, Any] = orjson.loads(bytes(found[0]))["data"]
        return data


def test_a_file_is_handed_in_with_the_start_form_and_again_by_a_task(engine: Engine) -> None:
    mine = engine.attach(None, "报价.pdf", PDF, by="anna")
    case = engine.start("approval", {"amount": 5, "files": [mine], "buddy": "bella"}, by="anna")
    [task] = case.tasks
    theirs = engine.attach(task, "note.txt", "意见".encode(), by="boris")
    engine.complete(task, {"outcome": "agree", "files": [theirs, mine]}, by="boris")
    [first] = body_of(engine, case.instance_id, "instance.started")["attachments"]
    sha256 = hashlib.sha256(PDF).hexdigest()
    assert first == {"id": mine, "name": "报价.pdf", "sha256": sha256, "size": len(PDF), "type": "application/pdf"}
    noted = body_of(engine, case.instance_id, "task.completed")["attachments"]
    assert [(item["name"], item["type"]) for item in noted] == [
        ("note.txt", "text/plain"),
        ("报价.pdf", "application/pdf"),
    ]
    for actor in ("anna", "boris", "bella"):
        assert queries.attachment(engine, mine, actor=actor).content == PDF
    assert set(queries.attachments_of(engine, case.instance_id, actor="anna")) == {mine, theirs}
    assert queries.inspect(engine, case.instance_id).variables["review"]["files"] == [theirs, mine]
    assert verify(engine.db).broken == () and replay(engine, case.instance_id).same


def test_any_task_takes_files_whatever_its_form(bare: Engine) -> None:
    """The form of this company's decision has no field for files."""
    case = bare.start("approval", {"amount": 5}, by="anna")
    [task] = case.tasks
    schema = queries.task(bare, task, actor="boris").schema
    assert schema["properties"]["attachments"]["x-widget"] == "attachments"
    theirs = bare.attach(task, "note.txt", "意见".encode(), by="boris")
    bare.complete(task, {"outcome": "agree", "attachments": [theirs]}, by="boris")
    assert queries.attachment(bare, theirs, actor="anna").content == "意见".encode()
    [noted] = body_of(bare, case.instance_id, "task.completed")["attachments"]
    assert noted["sha256"] == hashlib.sha256("意见".encode()).hexdigest()
    [entry] = queries.case(bare, case.instance_id, actor="anna").decided
    assert entry.values["attachments"] == [theirs]
    assert replay(bare, case.instance_id).same


def test_a_form_with_a_field_of_its_own_gets_no_second(engine: Engine) -> None:
    [task] = engine.start("approval", {"amount": 5}, by="anna").tasks
    fields = queries.task(engine, task, actor="boris").schema["properties"]
    assert [name for name, field in fields.items() if field.get("x-widget") == "attachments"] == ["files"]


def test_who_may_not_read_the_case_gets_no_file_and_the_attempt_is_noted(engine: Engine) -> None:
    mine = engine.attach(None, "a.pdf", PDF, by="anna")
    with pytest.raises(NotFound):  # not handed in: nobody else learns that it exists
        queries.attachment(engine, mine, actor="boris")
    assert set(queries.attachment_rows(engine, [mine], actor="anna")) == {mine}
    assert queries.attachment_rows(engine, [mine], actor="boris") == {}
    case = engine.start("approval", {"amount": 5, "files": [mine]}, by="anna")
    with pytest.raises(Denied):
        queries.attachment(engine, mine, actor="standin")
    assert body_of(engine, case.instance_id, "access.refused")["tried"] == "attachment"
    with pytest.raises(Denied):
        queries.attachments_of(engine, case.instance_id, actor="standin")
    with pytest.raises(NotFound):
        queries.attachment(engine, "nothing", actor="anna")


def test_a_sealed_entry_seals_its_files(engine: Engine, files: dict[str, bytes]) -> None:
    sealed = files["approval.bpmn"].replace(
        b'<spiffworkflow:property name="due" value="4wh"/>',
        b'<spiffworkflow:property name="visible_to" value="[&quot;bosses&quot;]"/>',
    )
    engine.deploy({**files, "approval.bpmn": sealed}, by="root")
    case = engine.start("approval", {"amount": 5, "buddy": "bella"}, by="anna")
    theirs = engine.attach(case.tasks[0], "b.pdf", PDF, by="boris")
    engine.complete(case.tasks[0], {"outcome": "agree", "files": [theirs]}, by="boris")
    with pytest.raises(Denied):
        queries.attachment(engine, theirs, actor="anna")
    assert queries.attachments_of(engine, case.instance_id, actor="anna") == {}
    assert queries.attachment(engine, theirs, actor="bella").size == len(PDF)


def test_a_form_takes_only_ones_own_files(engine: Engine) -> None:
    case = engine.start("approval", {"amount": 5}, by="anna")
    annas = engine.attach(None, "a.txt", b"a", by="anna")
    for wrong in (annas, "nothing"):
        with pytest.raises(Invalid) as refused:
            engine.complete(case.tasks[0], {"outcome": "agree", "files": [wrong]}, by="boris")
        assert list(refused.value.fields) == ["files"]
    other = engine.start("approval", {"amount": 5, "files": [annas]}, by="anna")
    with pytest.raises(Invalid):  # it belongs to that case now
        engine.start("approval", {"amount": 5, "files": [annas]}, by="anna")
    engine.complete(other.tasks[0], {"outcome": "agree", "files": [annas]}, by="boris")


def test_only_who_may_do_the_task_uploads_for_it(engine: Engine) -> None:
    case = engine.start("approval", {"amount": 5}, by="anna")
    for actor in ("anna", "kassa", "gone"):
        with pytest.raises(Denied):
            engine.attach(case.tasks[0], "a.txt", b"a", by=actor)
    with pytest.raises(Denied):
        engine.attach(None, "a.txt", b"a", by="gone")


def test_what_is_too_large_empty_or_a_program_is_refused_and_nothing_kept(engine: Engine) -> None:
    for content in (b"", b"\0" * (CAP + 1), b"MZ\x90\0", b"\x7fELF\2", b"#!/bin/sh\n"):
        with pytest.raises(Invalid):
            engine.attach(None, "a.pdf", content, by="anna")
    with engine.db.read() as connection:
        for table in ("attachments", "attachment_chunks"):
            assert connection.exec_driver_sql(f"select count(*) from {table}").scalar() == 0


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(name, content)
    return buffer.getvalue()


def test_a_zip_bomb_is_refused_without_being_unpacked() -> None:
    assert type_of(archive(**{"a.txt": b"hello"})) == "application/zip"
    assert type_of(archive(**{"word/document.xml": b"<a/>"})).endswith("wordprocessingml.document")
    bombs = (archive(zeros=bytes(30_000_000)), archive(**{"inner.zip": archive(a=b"a")}), b"PK\x03\x04 damaged")
    for bomb in bombs:
        with pytest.raises(Invalid):
            type_of(bomb)


def test_an_archive_that_lies_about_its_size_is_unpacked_and_found_out() -> None:
    bomb = bytearray(archive(zeros=bytes(30_000_000)))
    told = (30_000_000).to_bytes(4, "little")
    assert bomb.count(told) >= 1
    lying = bytes(bomb).replace(told, (1_000).to_bytes(4, "little"))
    with pytest.raises(Invalid):
        type_of(lying)


def test_an_archive_that_holds_itself_comes_to_an_end() -> None:
    held = archive(**{"word/document.xml": b"<a/>"})
    for _ in range(5):
        held = archive(**{"word/document.xml": b"<a/>", "word/embeddings/inner.docx": held})
    with pytest.raises(Invalid):
        type_of(held)


def test_documents_may_be_packed_but_no_archive_in_disguise() -> None:
    document = archive(**{"word/document.xml": b"<a/>"})
    assert type_of(archive(**{"合同.docx": document, "照片.png": b"\x89PNG\r\n\x1a\n"})) == "application/zip"
    for disguised in (archive(a=b"a"), b"\x1f\x8b\x08 gzip", b"7z\xbc\xaf\x27\x1c"):
        with pytest.raises(Invalid):
            type_of(archive(**{"photo.png": disguised}))


@pytest.mark.parametrize("start", [b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07\0"])
def test_archives_that_cannot_be_looked_into_are_refused(start: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        type_of(start + b"rest")
    assert "ZIP" in refused.value.message["zh-CN"]


def test_an_archive_with_a_password_is_refused() -> None:
    locked = bytearray(archive(**{"a.txt": b"hello"}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        place = locked.index(mark) + (6 if mark == b"PK\x03\x04" else 8)
        locked[place] |= 1
    with pytest.raises(Invalid) as refused:
        type_of(bytes(locked))
    assert "密码" in refused.value.message["zh-CN"]


def test_the_type_is_found_from_the_content_not_the_name() -> None:
    assert type_of(b"\x89PNG\r\n\x1a\n rest") == "image/png"
    assert type_of(b"\xff\xd8\xff rest") == "image/jpeg"
    assert type_of(b"<html>") == "text/plain"
    assert type_of(b"\xff\xfe\x01") == "application/octet-stream"


def test_a_files_name_keeps_no_folder_control_character_or_turned_text() -> None:
    assert clean_name("../../etc/passwd") == "passwd"
    assert clean_name("C:\\temp\\合同.pdf") == "合同.pdf"
    assert clean_name("inv\u202efdp.exe\0\r\n") == "invfdp.exe"
    assert clean_name("..") == "file"
    long = clean_name("长" * 500 + ".pdf")
    assert len(long) <= 150 and long.endswith(".pdf")


def test_files_never_handed_in_are_swept_away_and_limited(engine: Engine, clock: Any) -> None:
    kept = engine.attach(None, "a.txt", b"a", by="anna")
    engine.start("approval", {"amount": 5, "files": [kept]}, by="anna")
    for _ in range(50):
        engine.attach(None, "b.txt", b"b", by="anna")
    with pytest.raises(Conflict):
        engine.attach(None, "b.txt", b"b", by="anna")
    assert engine.sweep_attachments() == 0
    clock.advance(days=8)
    assert engine.sweep_attachments() == 50
    assert queries.attachment(engine, kept, actor="anna").content == b"a"
