"""Bodies that are no honest form or JSON: answered with a sentence in the reader's language, never with a fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from engine import Engine, queries
from processes.scenario_runner import Stage
from tests.processes.content_driving import submission
from web.app import create_app
from web.config import Config

START = "/api/v1/processes/content_review/instances"
PASSWORD = "guiju"
HEAD, TAIL = b'{"variables": ', b"}"


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    with Stage() as prepared:
        yield prepared


@pytest.fixture
def company(stage: Stage) -> Iterator[Engine]:
    with stage.company(datetime.fromisoformat("2026-11-09T09:00:00+08:00")) as (engine, _):
        yield engine


@pytest.fixture
def author(company: Engine) -> Any:
    config = Config(secret_key="k" * 32, login_rate="1000 per minute", trusted_hosts=("localhost", "127.0.0.1"))
    from web import sessions

    sessions.welcome_demo(company.db, PASSWORD)
    app: Flask = create_app(config, engine=company)
    client = app.test_client()
    assert client.post("/api/v1/session", json={"username": "hanzhuomian", "password": PASSWORD}).status_code == 200
    return client


def with_text(text: str) -> bytes:
    return json.dumps({"variables": {**submission(), "body": text}}).encode()


BODIES: dict[str, tuple[bytes, int]] = {
    "a lone surrogate": (with_text("茶\ud800几"), 400),
    "a lone surrogate as a name": (HEAD + b'{"\\udc00": 1}' + TAIL, 400),
    "a right-to-left override": (with_text("\u202e茶几"), 422),
    "NUL": (with_text("茶\x00几"), 422),
    "ten thousand and one characters": (with_text("名" * 10_001), 422),
    "a number of four hundred digits": (HEAD + b'{"title": ' + b"9" * 400 + b"}" + TAIL, 422),
    "not a number": (HEAD + b'{"title": NaN}' + TAIL, 400),
    "brackets without end": (HEAD + b"[" * 200_000, 400),
    "records without end": (HEAD + b'{"a":' * 100_000, 400),
    "no JSON at all": (b"\xff\xfe\x00", 400),
    "broken UTF-8": (HEAD + b'{"title": "\xc3\x28"}' + TAIL, 400),
    "a list": (b"[1]", 400),
    "a million values": (HEAD + b'{"hosts": [' + b'"x",' * 200_000 + b'"x"]}' + TAIL, 422),
}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("what", BODIES)
def test_a_bad_body_is_refused_in_the_readers_language(author: Any, company: Engine, what: str, language: str) -> None:
    body, status = BODIES[what]
    headers = {"Content-Type": "application/json", "Accept-Language": language}
    answer = author.post(START, data=body, headers=headers)
    assert answer.status_code == status, answer.text[:300]
    assert answer.mimetype == "application/problem+json"
    said = answer.get_json()
    chinese = any("一" <= char <= "鿿" for char in said["title"] + str(said.get("detail", "")))
    assert chinese is (language == "zh-CN"), said
    assert queries.started(company, actor="hanzhuomian").items == []


FORM_PARTS: dict[str, dict[str, Any]] = {
    "ten thousand characters of a name": {"title": "名" * 10_000},
    "a right-to-left override": {"title": "\u202e名"},
    "NUL": {"body": "茶\x00几"},
    "bytes that are no UTF-8": {"title": b"\xff\xfe\xfd"},
    "rows without end": {f"media_notes.{number}.shows": "x" for number in range(500)},
}


@pytest.mark.parametrize("what", FORM_PARTS)
def test_a_bad_page_form_comes_back_with_what_is_wrong(author: Any, company: Engine, what: str) -> None:
    page = author.get("/start/content_review").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    given = {"title": "标题", "body": "正文", "account_ids": "A005", "content_type": "knowledge"}
    more = {"planned_publish_at": "2026-11-20T18:00", "self_check": ["合法", "真实", "准确", "合规", "品牌"]}
    answer = author.post(
        "/start/content_review",
        data={**given, **more, **FORM_PARTS[what], "csrf_token": token},
        headers={"Accept-Language": "zh-CN"},
    )
    if what == "bytes that are no UTF-8":  # kept as the sign for an unreadable character, never as raw bytes
        assert answer.status_code in (303, 422)
        return
    assert answer.status_code in (413, 422), answer.status_code
    assert queries.started(company, actor="hanzhuomian").items == []


def test_a_page_with_ten_thousand_fields_is_refused(author: Any, company: Engine) -> None:
    body = "&".join(f"a{number}=1" for number in range(10_000))
    answer = author.post("/start/content_review", data=body, content_type="application/x-www-form-urlencoded")
    assert answer.status_code in (400, 413, 422)
    assert queries.started(company, actor="hanzhuomian").items == []
