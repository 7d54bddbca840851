"""Tokens for the API: whose they are, what they may do, how long, and that they are never kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from engine import Engine, set_status
from web import bearer, sessions

Browse = Callable[[str | None], Any]
PASSWORD = "walnut-and-brass"  # as the company's in conftest


def make(browser: Any, *scopes: str, days: str = "30", name: str = "报表程序", password: str = PASSWORD) -> Any:
    data = {"name": name, "scopes": list(scopes), "days": days, "password": password}
    return browser.post("/tokens", data=data)


def secret_of(answer: Any) -> str:
    [found] = set(re.findall(r"guiju_[\w-]+", answer.text))
    return str(found)


def call(app: Flask, method: str, path: str, secret: str, **more: Any) -> Any:
    return app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {secret}"}, **more)


def test_a_token_reads_as_its_owner(app: Flask, browse: Browse, loan: Any) -> None:
    secret = secret_of(make(browse("taochouti"), "read"))
    answer = call(app, "GET", "/api/v1/tasks?tab=claimable", secret)
    assert answer.status_code == 200
    assert [item["task_id"] for item in answer.get_json()["items"]] == [loan.tasks[0]]
    assert call(app, "GET", f"/api/v1/tasks/{loan.tasks[0]}", secret).status_code == 200


def test_a_token_may_do_no_more_than_it_says(app: Flask, browse: Browse, loan: Any) -> None:
    reads = secret_of(make(browse("taochouti"), "read"))
    refused = call(app, "POST", f"/api/v1/tasks/{loan.tasks[0]}/claim", reads, json={})
    assert refused.status_code == 403 and refused.get_json()["code"] == "token_scope"
    works = secret_of(make(browse("taochouti"), "tasks"))
    assert call(app, "GET", f"/api/v1/tasks/{loan.tasks[0]}", works).get_json()["code"] == "token_scope"
    assert call(app, "POST", f"/api/v1/tasks/{loan.tasks[0]}/claim", works, json={}).status_code == 200


def test_a_token_may_do_no_more_than_its_owner(app: Flask, browse: Browse, loan: Any) -> None:
    secret = secret_of(make(browse("luyaoyi"), "read", "tasks", "start"))
    answer = call(app, "GET", f"/api/v1/tasks/{loan.tasks[0]}", secret)
    assert answer.status_code == 403 and answer.get_json()["recused"] is True


def test_every_route_of_the_api_says_what_a_token_must_be_allowed(app: Flask) -> None:
    from web.api.endpoint import declared

    silent = {one.name for one in declared if not one.public and not one.scope}
    assert silent == {"log_out"}, "only what belongs to a person's session"
    assert {one.scope for one in declared if one.scope} == set(bearer.SCOPES)


def test_a_revoked_token_opens_nothing(app: Flask, browse: Browse) -> None:
    browser = browse("taochouti")
    secret = secret_of(make(browser, "read"))
    page = browser.get("/tokens").text
    assert "报表程序" in page and secret not in page
    [path] = set(re.findall(r"/tokens/[\w-]+/revoke", page))
    assert browser.post(path).status_code == 303
    assert call(app, "GET", "/api/v1/tasks", secret).status_code == 401
    assert "已撤销" in browser.get("/tokens").text


def test_nobody_revokes_anothers_token(app: Flask, browse: Browse) -> None:
    browser = browse("taochouti")
    secret = secret_of(make(browser, "read"))
    [path] = set(re.findall(r"/tokens/[\w-]+/revoke", browser.get("/tokens").text))
    assert browse("sushujia").post(path).status_code == 404
    assert call(app, "GET", "/api/v1/tasks", secret).status_code == 200
    assert "报表程序" not in browse("sushujia").get("/tokens").text


def test_a_token_ends_on_its_day(app: Flask, browse: Browse, clock: Any) -> None:
    secret = secret_of(make(browse("taochouti"), "read", days="7"))
    clock.at += timedelta(days=7, seconds=-1)
    assert call(app, "GET", "/api/v1/tasks", secret).status_code == 200
    clock.at += timedelta(seconds=1)
    assert call(app, "GET", "/api/v1/tasks", secret).status_code == 401


def test_only_a_hash_is_kept_and_the_last_use_is_seen(app: Flask, browse: Browse, engine: Engine) -> None:
    browser = browse("taochouti")
    assert "从未使用" in make(browser, "read").text
    secret = secret_of(make(browser, "read", name="另一个"))
    call(app, "GET", "/api/v1/tasks", secret)
    with engine.db.read() as connection:
        rows = connection.execute(sa.text("SELECT * FROM api_tokens")).all()
    assert secret not in str(rows) and secret.removeprefix(bearer.PREFIX) not in str(rows)
    assert sorted(row.last_used_at is None for row in rows) == [False, True]


@pytest.mark.parametrize(
    "header", ["Bearer guiju_none", "Bearer ", "Basic dGFv", "guiju_x", "Bearer guiju_" + "x" * 500]
)
def test_a_wrong_token_is_not_helped_by_a_cookie(browse: Browse, header: str) -> None:
    client = browse("taochouti").client
    assert client.get("/api/v1/tasks").status_code == 200
    assert client.get("/api/v1/tasks", headers={"Authorization": header}).status_code == 401


def test_a_token_opens_no_page_and_makes_no_other_token(app: Flask, browse: Browse) -> None:
    secret = secret_of(make(browse("taochouti"), "read", "tasks", "start"))
    assert call(app, "GET", "/inbox", secret).status_code == 303
    assert call(app, "GET", "/tokens", secret).status_code == 303
    answer = call(app, "DELETE", "/api/v1/session", secret)
    assert answer.status_code == 403 and answer.get_json()["code"] == "token_scope"


def test_the_password_is_asked_for_again(browse: Browse) -> None:
    answer = make(browse("taochouti"), "read", password="wrong")
    assert answer.status_code == 422 and "密码不对" in answer.text and "guiju_" not in answer.text


@pytest.mark.parametrize(
    ("changed", "said"),
    [({"name": " "}, "请写明用途"), ({"days": "3650"}, "请选择有效期"), ({"name": "a\u202eb"}, "请写明用途")],
)
def test_what_is_wrong_is_said_beside_its_field(browse: Browse, changed: dict[str, str], said: str) -> None:
    answer = make(browse("taochouti"), "read", **changed)
    assert answer.status_code == 422 and said in answer.text
    assert make(browse("taochouti"), "everything").status_code == 422
    assert make(browse("taochouti")).status_code == 422


def test_there_is_an_end_to_how_many(browse: Browse, engine: Engine) -> None:
    for number in range(bearer.MOST):
        bearer.issue(engine.db, "taochouti", name=str(number), scopes=["read"], days=7, now=engine.now())
    assert make(browse("taochouti"), "read").status_code == 409


def test_whoever_leaves_or_gets_a_new_password_has_no_token_left(app: Flask, browse: Browse, engine: Engine) -> None:
    secret = secret_of(make(browse("taochouti"), "read"))
    sessions.set_password(engine.db, "taochouti", "another-walnut")
    assert call(app, "GET", "/api/v1/tasks", secret).status_code == 401
    other = bearer.issue(engine.db, "yepingfeng", name="x", scopes=["read"], days=7, now=engine.now())
    assert call(app, "GET", "/api/v1/tasks", other).status_code == 200
    engine.db.write(lambda connection: set_status(connection, "yepingfeng", "left 2026-11-09"))
    assert call(app, "GET", "/api/v1/tasks", other).status_code == 401


def test_the_document_tells_of_both_ways_in(app: Flask) -> None:
    document = app.test_client().get("/api/v1/openapi.json").get_json()
    assert set(document["components"]["securitySchemes"]) == {"session", "token"}
    assert document["paths"]["/api/v1/tasks"]["get"]["security"] == [{"session": []}, {"token": ["read"]}]
