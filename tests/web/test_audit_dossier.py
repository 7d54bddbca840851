"""The PDF an auditor takes away: signed as a whole, with the JSON dossier and the font inside."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from engine import Engine, SigningKey
from engine.errors import Invalid
from engine.models import attachment_uses, attachments, instances, task_access
from engine.spiff.picture import picture
from web import Config, create_app
from web.dossier.contents import Form, Row, Vote, collect
from web.dossier.paper import pdf

Browse = Callable[[str | None], Any]
VERIFIER = Path(__file__).resolve().parents[2] / "verifier" / "guiju_verify.py"
KEY = SigningKey.make("guiju.example/log")


@pytest.fixture
def app(engine: Engine, config: Config, tmp_path: Path) -> Flask:
    """The application with a key to sign with."""
    KEY.save(tmp_path / "key")
    return create_app(replace(config, signing_key=str(tmp_path / "key")), engine=engine)


@pytest.fixture
def case(engine: Engine, loan: Any) -> str:
    """A loan that was agreed to, with markup and a rare character in what was written."""
    (task,) = loan.tasks
    engine.claim(task, by="taochouti")
    engine.complete(task, {"outcome": "agree", "comment": "<b>同意</b> & 𠮷 “x”\n第二行"}, by="taochouti")
    return str(loan.instance_id)


def verify(path: Path, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", str(VERIFIER), str(path), "--key", KEY.public, "--lang", "en", *more]
    return subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=60, check=False)


def streams(content: bytes) -> list[bytes]:
    """What every compressed stream of a PDF holds."""
    found = []
    for raw in re.findall(rb"stream\r?\n(.*?)endstream", content, re.S):
        try:
            found.append(zlib.decompressobj().decompress(raw))
        except zlib.error:
            continue
    return found


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_paper_holds_where_guiju_was_never_installed(
    browse: Browse, case: str, tmp_path: Path, language: str
) -> None:
    answer = browse("jianchigui").get(f"/audit/{case}/dossier.pdf", headers={"Accept-Language": language})
    assert answer.status_code == 200 and answer.data.startswith(b"%PDF-")
    path = tmp_path / "dossier.pdf"
    path.write_bytes(answer.data)
    done = verify(path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything holds" in done.stdout
    (inside,) = [found for found in streams(answer.data) if found.startswith(b'{"format": "guiju-dossier"')]
    assert json.loads(inside)["case"]["instance"] == case
    assert b"/EmbeddedFiles" in answer.data and b"/FontFile2" in answer.data
    assert f"/Lang ({language})".encode() in answer.data


def test_a_paper_with_one_byte_changed_or_cut_is_refused(browse: Browse, case: str, tmp_path: Path) -> None:
    content = browse("jianchigui").get(f"/audit/{case}/dossier.pdf").data
    path = tmp_path / "dossier.pdf"
    middle = len(content) // 2
    flipped = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    for damaged in (flipped, content[: len(content) // 3], content[:-200], content.replace(b"/Title", b"/Tible", 1)):
        assert damaged != content
        path.write_bytes(damaged)
        assert verify(path).returncode == 1


def test_the_json_dossier_is_the_same_evidence(browse: Browse, case: str, tmp_path: Path) -> None:
    path = tmp_path / "dossier.json"
    path.write_bytes(browse("jianchigui").get(f"/audit/{case}/dossier.json").data)
    assert verify(path).returncode == 0


def test_what_auditors_may_not_see_yet_holds_the_dossier_back(
    browse: Browse, engine: Engine, case: str, loan: Any
) -> None:
    reads = {
        "instance_id": case,
        "task_id": loan.tasks[0],
        "principal": "g:keepers",
        "rule": "reads",
        "created_at": "x",
    }
    engine.db.write(lambda c: c.execute(sa.insert(task_access).values(**reads)))
    for kind in ("pdf", "json"):
        answer = browse("jianchigui").get(f"/audit/{case}/dossier.{kind}")
        assert answer.status_code == 409 and "同意" not in answer.text


def test_a_case_with_files_has_a_dossier_that_lists_them(browse: Browse, engine: Engine, case: str) -> None:
    file = {"attachment_id": "f" * 36, "name": "合同.pdf", "type": "application/pdf", "size": 3, "sha256": "0" * 64}
    use = {"instance_id": case, "attachment_id": "f" * 36, "task_id": "", "element": "filed", "at": "x"}
    engine.db.write(lambda c: c.execute(sa.insert(attachments).values(**file, by="michuangdian", at="x")))
    engine.db.write(lambda c: c.execute(sa.insert(attachment_uses).values(**use)))
    answer = browse("jianchigui").get(f"/audit/{case}/dossier.json")
    assert answer.status_code == 200 and answer.get_json()["attachments"][0]["name"] == "合同.pdf"


def test_a_running_case_has_a_dossier_too(browse: Browse, loan: Any) -> None:
    assert browse("jianchigui").get(f"/audit/{loan.instance_id}/dossier.pdf").status_code == 200


@pytest.mark.parametrize("said", ["字" * 9000, "x" * 9000, "行\n" * 1500, "a " * 3000 + "\n" * 500])
def test_no_text_is_too_long_for_the_paper(browse: Browse, engine: Engine, loan: Any, said: str) -> None:
    (task,) = loan.tasks
    engine.claim(task, by="taochouti")
    with contextlib.suppress(Invalid):  # where the form takes less, as much as it takes
        engine.complete(task, {"outcome": "agree", "comment": said}, by="taochouti")
    with engine.db.read() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == loan.instance_id)).one()
        contents = collect(engine, connection, row, language="zh-CN")
    long = Form(title=said, step="x", who=said[:90], at="", seq=1, pairs=[("意见", said), (said[:200], "y")])
    rows = [Row(seq=1, at="", who=said, says=said, said=said, hash="")]
    votes = [Vote(step=said, ballots=[("a", said, said, "b")])]
    contents = replace(contents, title=said, forms=[long], timeline=rows, votes=votes)
    checkpoint = KEY.checkpoint(origin="x", size=1, root=bytes(32), at=engine.now(), after=0).note
    evidence = {"key": KEY.public, "checkpoint": checkpoint, "made": {"by": None}, "events": []}
    assert pdf(contents, json_file=b"{}", evidence=evidence, sha256="0" * 64, at="now").startswith(b"%PDF-")


def test_whoever_does_not_audit_gets_none(browse: Browse, case: str) -> None:
    for who in ("michuangdian", "taochouti", "sushujia"):
        for kind in ("pdf", "json"):
            assert browse(who).get(f"/audit/{case}/dossier.{kind}").status_code == 403
    assert browse("jianchigui").get(f"/audit/{case}/dossier.exe").status_code == 404
    assert browse("jianchigui").get("/audit/no-such-case/dossier.pdf").status_code == 404


def test_without_a_key_the_page_says_what_is_missing(engine: Engine, config: Config, case: str) -> None:
    from tests.web.conftest import Browser

    browser = Browser(create_app(config, engine=engine).test_client())
    browser.login("jianchigui")
    answer = browser.get(f"/audit/{case}/dossier.pdf")
    assert answer.status_code == 409 and "GUIJU_SIGNING_KEY" in answer.text


def test_a_drawing_with_mad_coordinates_is_not_drawn() -> None:
    head = (
        '<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" '
        'xmlns:di="http://www.omg.org/spec/BPMN/20100524/DI" '
        'xmlns:dc="http://www.omg.org/spec/DD/20100524/DC"><process id="p"><task id="t" name="x"/></process>'
    )
    for value in ("NaN", "1e999", "-9e9", "", "abc"):
        shape = f'<di:BPMNShape bpmnElement="t"><dc:Bounds x="{value}" y="1" width="2" height="2"/></di:BPMNShape>'
        assert picture(f"{head}{shape}</definitions>".encode(), file="x.bpmn") is None
    good = '<di:BPMNShape bpmnElement="t"><dc:Bounds x="1" y="1" width="90" height="40"/></di:BPMNShape>'
    found = picture(f"{head}{good}</definitions>".encode(), file="x.bpmn")
    assert found is not None and found.shapes[0].name == "x"
