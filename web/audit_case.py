"""The time machine: a case at any moment, and the proof that it happened so. For auditors."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, jsonify, render_template, request
from werkzeug.wrappers import Response

from engine import queries
from engine.errors import NotFound
from engine.queries.moments import Moment
from web import audit_words
from web.current import engine, user
from web.languages import text

bp = Blueprint("audit_case", __name__, url_prefix="/audit")


@bp.get("/<instance_id>")
def page(instance_id: str) -> str:
    """The case after event `at` (its last one without), the list of what happened narrowed to `who`; `view` is the
    number of a diagram. Each moment has a page of its own, so it needs no script."""
    who = request.args.get("who") or None
    moment = queries.moment(engine(), instance_id, at=_number("at"), actor=user(), who=who)
    view = _number("view")
    shown = view if view is not None and 0 <= view < len(moment.views) else _here(moment)
    return render_template(
        "audit_case.html",
        m=moment,
        who=who,
        view=moment.views[shown],
        steps=steps(moment, shown),
        pinned=view is not None,
        words=audit_words,
    )


@bp.get("/<instance_id>/track")
def track(instance_id: str) -> Response:
    """What the browser plays: marks, diagrams and beats."""
    found = queries.track_of(engine(), instance_id, actor=user())
    views = [
        {"number": view.number, "process": view.process, "name": text(view.name), "parent": view.parent}
        | {"element": view.element, "nth": view.nth, "first": view.first}
        for view in found.views
    ]
    return jsonify(marks=found.marks, views=views, beats=found.beats, last=found.last)


@bp.get("/<instance_id>/diagram/<process>")
def diagram(instance_id: str, process: str) -> Response:
    """A diagram of the case's own deployment, as XML in JSON."""
    return jsonify(xml=queries.drawing(engine(), instance_id, process, actor=user()).decode())


def steps(moment: Moment, view: int) -> list[tuple[str, str, str]]:
    """The diagram in words: (name, `active`, `stopped` or `done`, how often and how far)."""
    seen = moment.picture["views"].get(str(view))
    names = moment.views[view].names
    if seen is None:
        return []
    found = []
    for element, times in seen["visits"].items():
        name = text(names.get(element))
        if not name:
            continue
        state = "active" if element in seen["active"] else "stopped" if element in seen["stopped"] else "done"
        run = seen["instances"].get(element)
        count = f"{run[0]}/{run[1]}" if run else ""
        found.append((name, state, " ".join(part for part in (count, f"×{times}" if times > 1 else "") if part)))
    return found


def _here(moment: Moment) -> int:
    return int(moment.picture["here"][0]) if moment.picture["here"] else 0


def _number(name: str) -> int | None:
    """A number of the address; NotFound when it is none."""
    given: Any = request.args.get(name)
    if given is None or given == "":
        return None
    if not given.lstrip("-").isdecimal() or len(given) > 9:
        words = {"zh-CN": "地址中的「{name}」不是数字", "en": "“{name}” in the address is not a number"}
        raise NotFound("moment_not_found", text=words, name=name)
    return int(given)
