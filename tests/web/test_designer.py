"""The designer's desk in the browser's eyes: import, see what changes, compare, submit; nobody else gets near it."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import FileStorage
from werkzeug.test import stream_encode_multipart

import processes
from engine import Database, Engine, queries
from processes.bundle import shipped
from processes.scenario_runner import DEFAULT_NOW, ScenarioClock
from web import Config, create_app
from web.sessions import welcome_demo

FILE = "warning_expiry.bpmn"
CHANGED = shipped()[FILE].replace("警告".encode(), "书面警告".encode(), 1)


@pytest.fixture
def engine(company_db: Database) -> Engine:
    engine = processes.build_engine(company_db, clock=ScenarioClock(datetime.fromisoformat(DEFAULT_NOW)))
    engine.schedules = None
    welcome_demo(company_db, processes.DEMO_PASSWORD)
    return engine


@pytest.fixture
def app(engine: Engine) -> Iterator[Flask]:
    app = create_app(Config(secret_key="k" * 32, demo=True, login_rate="1000 per minute"), engine=engine)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app


@pytest.fixture
def as_(app: Flask) -> Callable[[str], Any]:
    def log_in(username: str) -> Any:
        client = app.test_client()
        answer = client.post("/login", data={"username": username, "password": processes.DEMO_PASSWORD})
        assert answer.status_code == 303
        return client

    return log_in


def made(client: Any, title: str = "到期说明") -> str:
    answer = client.post("/designer", data={"title": title})
    assert answer.status_code == 303
    return str(answer.headers["Location"].rsplit("/", 1)[-1])


def put(client: Any, draft: str, name: str, content: bytes, **more: str) -> Any:
    form: dict[str, Any] = {"files": FileStorage(io.BytesIO(content), filename=name, name="files"), **more}
    stream, _length, boundary = stream_encode_multipart(form, use_tempfile=False)
    kind = f"multipart/form-data; boundary={boundary}"
    return client.post(f"/designer/{draft}/files", data=stream.read(), content_type=kind)


def compared(app: Flask, client: Any, draft: str) -> str:
    """The page once what was asked for is worked out."""
    client.post(f"/designer/{draft}/assess")
    while (working := app.extensions["guiju_assessing"].get(draft)) is not None and not working.finished:
        client.get(f"/designer/{draft}/assessment")
    return str(client.get(f"/designer/{draft}").text)


def test_a_change_goes_from_the_file_to_a_new_version_with_a_second_signature(
    app: Flask, engine: Engine, as_: Callable[[str], Any]
) -> None:
    lu, mo = as_("lutuyang"), as_("modouxian")
    draft = made(lu)
    assert put(lu, draft, FILE, CHANGED).status_code == 303
    page = lu.get(f"/designer/{draft}").text
    assert FILE in page and "书面警告" in page and "没有问题" in page and "提交，请第二设计员复核" not in page
    assert "提交，请第二设计员复核" in compared(app, lu, draft)
    answer = lu.post(f"/designer/{draft}/submit", data={"title": "到期说明", "reason": "写清楚"})
    assert answer.status_code == 303
    [row] = queries.inbox(engine, actor="modouxian", tab="claimable").items
    page = mo.get(f"/tasks/{row.task_id}").text
    assert "写清楚" in page and FILE in page
    engine.claim(row.task_id, by="modouxian")
    assert mo.post(f"/tasks/{row.task_id}/complete", data={"outcome": "approve"}).status_code == 303
    assert "已发布" in lu.get(f"/designer/{draft}").text
    assert "第 2 版" in lu.get("/designer").text


def test_rolling_back_makes_a_draft_that_goes_the_same_way(engine: Engine, as_: Callable[[str], Any]) -> None:
    lu = as_("lutuyang")
    engine.deploy({FILE: CHANGED}, by="lutuyang")
    answer = lu.post("/designer/rollback/1")
    assert answer.status_code == 303
    page = lu.get(answer.headers["Location"]).text
    assert FILE in page and "书面警告" in page
    assert lu.post("/designer/rollback/2").status_code == 404 and lu.post("/designer/rollback/9").status_code == 404


def test_every_file_comes_out_as_it_went_in(as_: Callable[[str], Any]) -> None:
    lu = as_("lutuyang")
    draft = made(lu)
    put(lu, draft, FILE, CHANGED)
    answer = lu.get(f"/designer/{draft}/files/{FILE}")
    assert answer.data == CHANGED and "attachment" in answer.headers["Content-Disposition"]
    assert lu.get(f"/designer/{draft}/files/{FILE}?before=1").data == shipped()[FILE]
    archive = zipfile.ZipFile(io.BytesIO(lu.get(f"/designer/{draft}/all.zip").data))
    assert archive.read(FILE) == CHANGED and set(archive.namelist()) == set(shipped())


def test_a_form_lands_beside_its_procedure_and_can_be_taken_back(as_: Callable[[str], Any]) -> None:
    lu = as_("lutuyang")
    draft = made(lu)
    assert put(lu, draft, "ballot.json", b"{}", process="group_vote", kind="forms").status_code == 303
    page = lu.get(f"/designer/{draft}").text
    assert "group_vote/forms/ballot.json" in page and "没有问题" not in page
    lu.post(f"/designer/{draft}/give-up", data={"path": "group_vote/forms/ballot.json"})
    assert "与现行版本没有差别" in lu.get(f"/designer/{draft}").text


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.exe", b"x"),
        ("a.json", b"{}"),
        ("../../etc/passwd.bpmn", b"<x"),
        ("a\u202e.bpmn", b"<x/>"),
        ("a.bpmn", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"),
        ("a.bpmn", b"\x00\xff"),
        ("a.bpmn", b"<a>" * 20_000),
        ("big.bpmn", b" " * 2_100_000),
    ],
)
def test_bad_files_are_refused_or_named_by_the_check_and_the_draft_is_kept(
    as_: Callable[[str], Any], name: str, content: bytes
) -> None:
    lu = as_("lutuyang")
    draft = made(lu)
    put(lu, draft, FILE, CHANGED)
    answer = put(lu, draft, name, content)
    assert answer.status_code in (303, 422)
    page = lu.get(f"/designer/{draft}").text
    assert FILE in page and "书面警告" in page
    assert answer.status_code == 422 or "没有问题" not in page


@pytest.mark.parametrize("who", ["michuangdian", "sushujia", "jianchigui", "liangyigui"])
def test_nobody_but_designers_sees_or_does_anything_here(as_: Callable[[str], Any], who: str) -> None:
    draft = made(as_("lutuyang"))
    other = as_(who)
    for path in (
        "/designer",
        f"/designer/{draft}",
        f"/designer/{draft}/all.zip",
        f"/designer/{draft}/files/{FILE}",
        f"/designer/files/1/{FILE}",
        f"/designer/{draft}/assessment",
    ):
        assert other.get(path).status_code == 403, path
    for path in ("files", "remove", "give-up", "fork", "drop", "bring-up", "assess", "submit"):
        data = {"files": (io.BytesIO(b"x"), FILE)} if path == "files" else {"path": FILE, "title": "x", "reason": "x"}
        assert other.post(f"/designer/{draft}/{path}", data=data).status_code == 403, path
    assert other.post("/designer", data={"title": "x"}).status_code == 403
    assert other.post("/designer/rollback/1").status_code == 403
    assert "与现行版本没有差别" in as_("lutuyang").get(f"/designer/{draft}").text


def test_a_draft_behind_the_newest_version_is_brought_up_or_decided_for(
    engine: Engine, as_: Callable[[str], Any]
) -> None:
    lu = as_("lutuyang")
    draft, other = made(lu), made(lu, "另一份")
    put(lu, draft, FILE, CHANGED)
    put(lu, other, FILE, CHANGED + b"<!-- x -->")
    engine.deploy({FILE: CHANGED}, by="lutuyang")
    assert "已有新版本发布" in lu.get(f"/designer/{draft}").text
    assert lu.post(f"/designer/{draft}/bring-up").status_code == 303
    answer = lu.post(f"/designer/{other}/bring-up")
    assert answer.status_code == 409 and FILE in answer.text
    assert lu.post(f"/designer/{other}/bring-up", data={"ours": "1"}).status_code == 303


def test_who_imports_over_something_newer_is_told_whose_it_is(as_: Callable[[str], Any]) -> None:
    lu, mo = as_("lutuyang"), as_("modouxian")
    draft = made(lu)
    assert 'name="rev" value="0"' in mo.get(f"/designer/{draft}").text
    assert put(lu, draft, FILE, CHANGED, rev="0").status_code == 303
    answer = put(mo, draft, FILE, CHANGED + b"<!-- x -->", rev="0")
    assert answer.status_code == 409 and "另存为一份新草稿" in answer.text
    assert lu.get(f"/designer/{draft}/files/{FILE}").data == CHANGED


def test_a_fork_and_a_dropped_draft(as_: Callable[[str], Any]) -> None:
    lu, mo = as_("lutuyang"), as_("modouxian")
    draft = made(lu)
    put(lu, draft, FILE, CHANGED)
    forked = mo.post(f"/designer/{draft}/fork").headers["Location"]
    assert "书面警告" in mo.get(forked).text and re.search("另存", mo.get(forked).text)
    assert lu.post(f"/designer/{draft}/drop").status_code == 303
    assert put(lu, draft, FILE, CHANGED).status_code == 409
