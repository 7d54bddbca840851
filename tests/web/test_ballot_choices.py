"""Buttons that depend on the case: a handover instead of a closing is offered where the Group may decide on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask import Flask

from web import formview

FORMS = Path(__file__).resolve().parents[2] / "processes" / "group_vote" / "forms"


@pytest.mark.parametrize("form", ["ballot", "meeting"])
def test_a_handover_is_offered_only_where_it_may_be_chosen(app: Flask, form: str) -> None:
    schema = json.loads((FORMS / f"{form}.json").read_text(encoding="utf-8"))
    with app.test_request_context():
        plain = {each.value for each in formview.outcomes(schema, {})}
        closing = {each.value for each in formview.outcomes(schema, {"choice": "可以不注销，改为交接"})}
    assert "convert" not in plain and closing - plain == {"convert"}
