"""Pages of rights and personal data; and that whoever only audits changes nothing, over every route there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from engine import Engine, save_directory
from engine.models import history
from engine.models_privacy import audit_scopes

Browse = Callable[[str | None], Any]
THEIR_OWN = {"login.leave", "login.language", "api.log_out"}


def writing(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of every route that is more than a plain read and not open to strangers."""
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            path = rule.rule
            for argument in rule.arguments:
                path = (
                    path.replace(f"<{argument}>", "x")
                    .replace(f"<path:{argument}>", "x")
                    .replace(f"<int:{argument}>", "1")
                )
            if not getattr(view, "is_public", False):
                found.append((rule.endpoint, method, path))
    return found


def test_whoever_only_audits_is_refused_on_every_route_that_writes(app: Flask, browse: Browse, engine: Engine) -> None:
    client = browse("jianchigui").client
    app.config["WTF_CSRF_ENABLED"] = False
    refused = []
    for endpoint, method, path in writing(app):
        if endpoint in THEIR_OWN:
            continue
        answer = client.open(path, method=method, json={} if path.startswith("/api/") else None)
        assert answer.status_code == 403, (endpoint, method, answer.status_code)
        refused.append(endpoint)
    assert len(refused) > 25 and {"procedures.start", "tasks.complete", "api.start", "api.complete"} <= set(refused)
    with engine.db.read() as connection:
        query = sa.select(sa.func.count()).where(history.c.type == "access.refused")
        assert connection.scalar(query) == len(refused), "each refusal is on record"


def test_an_auditor_with_another_duty_works_as_anybody_does(browse: Browse, engine: Engine) -> None:
    engine.db.write(lambda connection: save_directory(connection, members=[("jianchigui", "keepers")]))
    answer = browse("jianchigui").post("/notifications/read")
    assert answer.status_code == 303


def test_an_administrator_sets_and_revokes_a_scope_on_the_page(browse: Browse, engine: Engine) -> None:
    root = browse("sushujia")
    said = {"username": "jianchigui", "processes": "*", "reason": "年审", "expires_at": "2099-12-31"}
    wrong = root.post("/admin/auditors", {**said, "expires_at": "2001-01-01"})
    assert wrong.status_code == 422 and "expires_at-problem" in wrong.text
    assert root.post("/admin/auditors", {**said, "cases_from": "soon"}).status_code == 422
    assert root.post("/admin/auditors", said).status_code == 303
    page = root.get("/admin/auditors").text
    assert "年审" in page and "2099-12-31" in page
    with engine.db.read() as connection:
        scope = connection.scalar(sa.select(audit_scopes.c.scope_id))
    assert root.post(f"/admin/auditors/{scope}/revoke").status_code == 303
    assert browse("jianchigui").get("/audit/readings").status_code == 403, "nothing is left that they may audit"
    assert "已收回" in browse("jianchigui").get("/admin/auditors").text
    assert browse("michuangdian").get("/admin/auditors").status_code == 403


@pytest.mark.parametrize("path", ["/audit/readings", "/audit/erasures"])
@pytest.mark.parametrize("lang", ["zh-CN", "en"])
def test_the_auditors_pages_open_in_both_languages(browse: Browse, path: str, lang: str) -> None:
    auditor = browse("jianchigui")
    auditor.post("/language", {"lang": lang})
    assert auditor.get(path).status_code == 200
