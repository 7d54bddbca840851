"""The JSON API, as a script uses it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from flask import Flask

from engine import Engine, queries

Browse = Callable[[str | None], Any]
REQUEST: dict[str, Any] = {
    "item": "榫卯样件",
    "using_dept": "marketing",
    "kind": "shoot",
    "places": ["展厅"],
    "reason": "拍摄",
    "count": 1,
    "careful": True,
}
API = "/api/v1"


def logged_in(app: Flask, username: str) -> Any:
    client = app.test_client()
    answer = client.post(f"{API}/session", json={"username": username, "password": "walnut-and-brass"})
    assert answer.status_code == 200 and answer.get_json() == {"username": username}
    return client


def test_five_requests_carry_a_case_through(app: Flask) -> None:
    applicant, keeper = logged_in(app, "michuangdian"), logged_in(app, "taochouti")
    started = applicant.post(f"{API}/processes/sample_loan/instances", json={"variables": REQUEST})
    assert started.status_code == 201
    assert started.get_json()["business_key"] == "YP-2026-0001"
    [offered] = keeper.get(f"{API}/tasks?tab=claimable").get_json()["items"]
    assert offered["title"] == "榫卯样件" and offered["name"] == {"zh-CN": "样品审核", "en": "Review the loan"}
    opened = keeper.get(f"{API}/tasks/{offered['task_id']}").get_json()
    assert set(opened["may"]) >= {"claim", "complete"} and opened["start"]["values"]["item"] == "榫卯样件"
    done = keeper.post(
        f"{API}/tasks/{offered['task_id']}/complete", json={"variables": {"outcome": "agree"}}
    ).get_json()
    own = done["tasks"][0]
    ended = applicant.post(f"{API}/tasks/{own}/complete", json={"variables": {"outcome": "done"}}).get_json()
    assert (ended["status"], ended["end"]) == ("completed", "end_lent")
    assert applicant.get(f"{API}/instances/{ended['instance_id']}").get_json()["status"] == "completed"
    assert applicant.get(f"{API}/instances").get_json()["items"][0]["status"] == "completed"


def test_a_repeated_key_answers_as_the_first_time(app: Flask, engine: Engine) -> None:
    client = logged_in(app, "michuangdian")
    sent = {"json": {"variables": REQUEST}, "headers": {"Idempotency-Key": "one"}}
    first, again = (client.post(f"{API}/processes/sample_loan/instances", **sent) for _ in range(2))
    assert first.get_json() == again.get_json() and again.status_code == 201
    assert len(queries.started(engine, actor="michuangdian").items) == 1
    reused = client.post(
        f"{API}/tasks/{first.get_json()['tasks'][0]}/complete", json={}, headers={"Idempotency-Key": "x" * 201}
    )
    assert reused.status_code == 400


def test_errors_are_problem_documents_in_both_languages(app: Flask, loan: Any) -> None:
    client = logged_in(app, "taochouti")
    wrong = client.post(f"{API}/tasks/{loan.tasks[0]}/complete", json={"variables": {"outcome": "reject", "x": 1}})
    assert wrong.status_code == 422 and wrong.content_type == "application/problem+json"
    body = wrong.get_json()
    assert body["fields"]["comment"]["texts"] == {"zh-CN": "「意见」尚未填写", "en": "“Comment” is required"}
    assert set(body["fields"]) == {"comment", "x"} and body["status"] == 422
    missing = client.get(f"{API}/tasks/00000000-0000-4000-8000-000000000000").get_json()
    assert missing["status"] == 404
    assert client.get(f"{API}/nothing").content_type == "application/problem+json"
    assert app.test_client().get(f"{API}/tasks").status_code == 401


def test_a_body_that_is_not_what_was_asked_for_is_refused(app: Flask, loan: Any) -> None:
    client = logged_in(app, "taochouti")
    path = f"{API}/tasks/{loan.tasks[0]}/complete"
    for body in ("{", "[]", '{"variables": 3}', '{"surplus": 1}', '{"variables": {"a": NaN}}'):
        answer = client.post(path, data=body, content_type="application/json")
        assert answer.status_code == 400 and answer.get_json()["code"] == "bad_body"


def test_every_verb_has_its_address(app: Flask, loan: Any) -> None:
    client, path = logged_in(app, "taochouti"), f"{API}/tasks/{loan.tasks[0]}"
    assert client.post(f"{path}/claim", json={}).status_code == 200
    assert client.post(f"{path}/draft", json={"variables": {"comment": "草"}}).status_code == 204
    assert client.get(path).get_json()["draft"] == {"comment": "草"}
    assert client.post(f"{path}/release", json={}).status_code == 200
    client.post(f"{path}/claim", json={})
    assert client.post(f"{path}/reassign", json={"to": "yepingfeng"}).status_code == 200
    assert logged_in(app, "yepingfeng").post(f"{path}/recuse", json={"reason": "亲属"}).status_code == 200
    owner = logged_in(app, "michuangdian")
    assert owner.post(f"{API}/instances/{loan.instance_id}/withdraw", json={}).status_code == 200
    assert client.delete(f"{API}/session").status_code == 204
    assert client.get(f"{API}/tasks").status_code == 401


def test_the_document_describes_every_route_there_is(app: Flask) -> None:
    document = app.test_client().get(f"{API}/openapi.json").get_json()
    assert document["openapi"] == "3.1.0"
    described = {(path, method.upper()) for path, verbs in document["paths"].items() for method in verbs}
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(API)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == served
    refs = set(re.findall(r'"#/components/schemas/(\w+)"', str(document).replace("'", '"')))
    assert refs and refs <= set(document["components"]["schemas"])
    start = document["paths"][f"{API}/processes/{{process}}/instances"]["post"]
    assert {"Idempotency-Key"} <= {one["name"] for one in start["parameters"]}
    assert {"201", "422", "409"} <= set(start["responses"])
