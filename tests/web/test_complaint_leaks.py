"""Whom a complaint is kept from tries every door of the house, with every id in hand, at every stage of the case.

The doors are the routes of the application itself: one that is added tomorrow is tried tomorrow.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import product
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from engine import Engine, queries
from engine.errors import Denied
from processes.complaint import correspondence
from processes.scenario_runner import ScenarioClock, Stage
from web import Config, create_app, sessions

NOW = datetime.fromisoformat("2026-11-09T09:00:00+08:00")
NUMBER, TOLD = "TS-2026-0001", "要求查看手机（告知）"
CATEGORY = "类别辛"
CONTENT = ("机密情节甲", "愿望乙", "证据丙", "消息丁", "计划戊", "事实己", "联系方式庚", "evidence-1", CATEGORY)
BARRED = ("fangchaji", "yepingfeng", "michuangdian")  # the respondent, who takes complaints in, who stands in for them
OTHERS = ("sushujia", "lutuyang", "guanzhanting")  # administrator, designer, the head of another department
TRIED = ("filed", "statement", "watching")  # the stages at which every door is tried
PASSWORD = "walnut-and-brass"
STARTS = ("procedures.start", "casework.enter", "api.start", "api.attach", "login.leave", "api.log_out")
FORM = {"outcome": "done", "text": "x", "to": "fangchaji", "reason": "x", "comment": "x", "case_no": NUMBER}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def opened(stage: Stage) -> Iterator[tuple[Engine, ScenarioClock]]:
    with stage.company(NOW) as (engine, clock):
        with engine.db.bind.begin() as connection:
            row = {"f": "fangchaji", "t": "michuangdian", "s": "*", "a": "2026-11-01", "b": "2026-12-31"}
            connection.execute(sa.text("INSERT INTO delegations VALUES (:f, :t, :s, :a, :b)"), row)
        yield engine, clock


@pytest.fixture
def app(opened: tuple[Engine, ScenarioClock]) -> Flask:
    rate = "100000 per minute"
    config = Config(secret_key="k" * 32, public_url="http://localhost", login_rate=rate, report_rate=rate)
    return create_app(config, engine=opened[0])


def log_in(app: Flask, engine: Engine, who: str) -> FlaskClient:
    sessions.set_password(engine.db, who, PASSWORD)
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    client.post("/login", data={"username": who, "password": PASSWORD, "csrf_token": token[1]})
    assert client.get("/inbox").status_code == 200
    return client


def do(engine: Engine, case: str, element: str, by: str, **variables: Any) -> None:
    for task in queries.inspect(engine, case).open:
        if task.element == element:
            with contextlib.suppress(Denied):
                engine.complete(task.task_id, variables, by=by)
                return
    raise AssertionError(f"{by} has no {element}")


def stages(engine: Engine) -> Iterator[tuple[str, str]]:
    """(stage, case): K03 told with words that must not come out anywhere."""
    evidence = engine.attach(None, "evidence-1.txt", "证据丙".encode(), by=None)
    stated = {
        "channel": "网页",
        "reporter_mode": "保密实名",
        "reporter_contact": "联系方式庚",
        "category": CATEGORY,
        "respondent_scope": "行政部",
        "target": "fangchaji",
        "description": "机密情节甲",
        "wish": "愿望乙",
        "evidence": [evidence],
        "pi_exposed": False,
        "safe_followup": True,
    }
    result, code = correspondence.file(engine, stated, by=None, key="k")
    case, thread = result.instance_id, correspondence.thread_by(engine, code)
    assert thread and result.business_key == NUMBER
    correspondence.write_in(engine, thread, "消息丁", kind="received", key="m")
    yield "filed", case
    do(engine, case, "triage", "liangyigui", outcome="investigate")
    do(engine, case, "assign", "gusunmao", outcome="done")
    do(engine, case, "contain", "zhongxuanguan", outcome="done")
    do(engine, case, "plan", "zhongxuanguan", outcome="done", comment="计划戊")
    do(engine, case, "investigate", "zhongxuanguan", outcome="done", allegations=TOLD, summary="事实己")
    yield "investigated", case
    do(engine, case, "investigate", "jianchigui", outcome="done")
    yield "statement", case
    do(engine, case, "statement", "fangchaji", outcome="given", statement="没有看过")
    do(engine, case, "report", "zhongxuanguan", outcome="done", finding="substantiated", facts=[{"fact": "事实己"}])
    do(engine, case, "legal_check", "liangyigui", outcome="ok")
    yield "voting", case
    for who in ("gusunmao", "qiaodongliang", "liangyigui", "songchuanglian", "ouyangmuwen", "shenshafa"):
        with contextlib.suppress(AssertionError):  # the vote ends once its result cannot change
            do(engine, case, "ballot", who, outcome="approve")
    do(engine, case, "feedback", "liangyigui", outcome="done", message="已核实")
    yield "watching", case


def ids(engine: Engine) -> dict[str, list[str]]:
    """Every id there is in the database, by the name of the route's parameter."""
    wanted = {
        "instance_id": "SELECT instance_id FROM instances",
        "task_id": "SELECT task_id FROM tasks",
        "attachment_id": "SELECT attachment_id FROM attachments",
        "incident_id": "SELECT incident_id FROM incidents",
    }
    with engine.db.read() as connection:
        found = {name: [str(row[0]) for row in connection.execute(sa.text(query))] for name, query in wanted.items()}
    processes, kinds = ["complaint", "identity_access", "group_vote"], ["csv", "xlsx", "xes", "ocel", "json", "pdf"]
    more = {"name": ["complaint", "sanction"], "process": processes, "key": [NUMBER], "kind": kinds}
    more |= {"number": ["1"], "path": ["complaint.bpmn"], "draft_id": ["nothing"]}
    return {**{name: values or ["nothing"] for name, values in found.items()}, **more}


def doors(app: Flask, engine: Engine) -> Iterator[tuple[str, str, str]]:
    """(method, path, endpoint) of every route with every id."""
    known = ids(engine)
    for rule in app.url_map.iter_rules():
        if rule.endpoint in STARTS or rule.endpoint.startswith(("static", "intake", "health", "login")):
            continue
        names = sorted(rule.arguments)
        for values in product(*(known.get(name, [*known["instance_id"], NUMBER]) for name in names)):
            with app.test_request_context():
                path = app.url_map.bind("localhost").build(rule.endpoint, dict(zip(names, values, strict=True)))
            for method in sorted((rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}):
                yield method, path, rule.endpoint


def answers(app: Flask, engine: Engine, who: str) -> Iterator[tuple[str, str]]:
    """(door, all that it answers: status line, headers, body) for one person."""
    client = log_in(app, engine, who)
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/inbox").text)
    assert token
    more = [("GET", f"/inbox?tab={tab}", "tab") for tab in ("mine", "claimable", "done", "started", "cc", "copied")]
    more += [("GET", f"/registers/complaint?q={word}", "find") for word in ("机密", "TS-2026", "fangchaji")]
    more += [("GET", f"/audit/?q={word}", "find") for word in ("机密", "TS-2026", "fangchaji")]
    own = {row.task_id for row in queries.inbox(engine, actor=who, tab="mine").items}  # theirs to do: not a leak
    for method, path, endpoint in [*doors(app, engine), *more]:
        if method != "GET" and own & set(path.split("/")):
            continue
        if method == "GET":
            answer = client.get(path)
        elif endpoint.startswith("api."):
            answer = client.open(path, method=method, json={**FORM, "variables": FORM})
        else:
            answer = client.open(path, method=method, data={**FORM, "csrf_token": token[1]})
        said = f"{answer.status} {answer.headers} {answer.get_data().decode('utf-8', 'replace')}"
        answer.close()
        yield f"{method} {path} ({endpoint}) as {who}", said


def test_nobody_it_is_kept_from_learns_of_it_by_any_door(app: Flask, opened: tuple[Engine, ScenarioClock]) -> None:
    engine = opened[0]
    leaks: list[str] = []
    for name, _case in stages(engine):
        for who in BARRED if name in TRIED else ():
            for door, said in answers(app, engine, who):
                words = CONTENT if NUMBER in door else (*CONTENT, NUMBER)  # what was asked for may be said back
                leaks += [f"{name}: {door}: {word}" for word in words if word in said]
                if TOLD in said and not (who in ("fangchaji",) and name in ("statement", "voting", "watching")):
                    leaks.append(f"{name}: {door}: what the respondent alone is told")
    assert not leaks, "\n".join(leaks)


def test_who_has_no_part_in_it_reads_nothing_of_it(app: Flask, opened: tuple[Engine, ScenarioClock]) -> None:
    engine = opened[0]
    leaks: list[str] = []
    for name, _case in stages(engine):
        for who in OTHERS if name in TRIED else ():
            for door, said in answers(app, engine, who):
                leaks += [f"{name}: {door}: {word}" for word in (*CONTENT, TOLD) if word in said]
    assert not leaks, "\n".join(leaks)


def test_a_stranger_with_every_id_learns_nothing(app: Flask, opened: tuple[Engine, ScenarioClock]) -> None:
    engine, client = opened[0], app.test_client()
    for _name, _case in stages(engine):
        for method, path, _endpoint in doors(app, engine):
            answer = client.open(path, method=method)
            said = answer.get_data().decode("utf-8", "replace") + str(answer.headers)
            answer.close()
            assert not [word for word in (*CONTENT, TOLD) if word in said], (method, path)
            assert NUMBER not in said or NUMBER in path, (method, path)


def test_nothing_of_a_report_stays_in_a_cache_a_log_or_the_metrics(
    app: Flask,
    opened: tuple[Engine, ScenarioClock],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    engine = opened[0]
    cases = [case for _name, case in zip(range(1), stages(engine), strict=False)]
    reader = log_in(app, engine, "liangyigui")
    page = reader.get(f"/cases/{cases[0][1]}")
    assert "机密情节甲" in page.text and page.headers["Cache-Control"] == "no-store"
    for attachment in ids(engine)["attachment_id"]:
        answer = reader.get(f"/attachments/{attachment}")
        assert answer.status_code == 200 and answer.headers["Cache-Control"] == "no-store"
    stranger = app.test_client()
    where = {"REMOTE_ADDR": "203.0.113.9", "HTTP_USER_AGENT": "Tell-tale/1.0"}
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get("/report", environ_base=where).text)
    assert token
    file = (io.BytesIO("证据丙".encode()), "我的工位.txt")
    sent = {"respondent_scope": "行政部", "reporter_mode": "匿名", "category": "其他", "target": "x", "evidence": file}
    rest = {"description": "机密情节甲", "pi_exposed": "false", "safe_followup": "true", "csrf_token": token[1]}
    filed = stranger.post("/report/send", data={**sent, **rest}, environ_base=where)
    code = "".join(re.findall(r"<span>(\d{4})</span>", filed.text))
    opened_box = stranger.post("/report/receipt", data={"code": code, "csrf_token": token[1]}, environ_base=where)
    assert opened_box.status_code == 200
    for answer in (filed, opened_box):
        assert answer.headers["Cache-Control"] == "no-store" and code not in str(answer.headers)
        assert "guiju" not in answer.headers.get("Set-Cookie", "") or "HttpOnly" in answer.headers["Set-Cookie"]
    metrics = app.test_client().get("/metrics").text
    heard = caplog.text + "".join(capfd.readouterr()) + metrics
    for word in ("203.0.113.9", "Tell-tale", code, "我的工位", *CONTENT):
        assert word not in heard, word
