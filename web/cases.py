"""One case: where it stands, who has it, what happened; its diagram; and taking it back."""

from __future__ import annotations

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from engine import queries
from web import keeping, timeline
from web.current import engine, user
from web.languages import gettext as _
from web.languages import text

bp = Blueprint("cases", __name__, url_prefix="/cases")


@bp.get("/<instance_id>")
def page(instance_id: str) -> str:
    """The case as a page that also prints as a document."""
    case = queries.case(engine(), instance_id, actor=user())
    kept = keeping.of_case(case.process, case.business_key, case.ended_at)
    return render_template("case.html", case=case, lines=timeline.lines(case), kept=kept, keeping=keeping)


@bp.get("/<instance_id>/diagram/<process>")
def diagram(instance_id: str, process: str) -> Response:
    """The diagram for the viewer: XML as deployed, and the ids of what is current and what is done."""
    view = queries.diagram(engine(), instance_id, process, actor=user())
    return jsonify(xml=view.xml.decode(), active=view.active, done=view.done, flows=view.flows, visits=view.visits)


@bp.post("/<instance_id>/withdraw")
def withdraw(instance_id: str) -> Response:
    """Take the case back, as the one who started it."""
    engine().withdraw(instance_id, by=user(), reason=request.form.get("reason", ""))
    flash(_("已撤回"))
    return redirect(url_for("cases.page", instance_id=instance_id), 303)


def diagram_steps(instance_id: str, process: str) -> list[tuple[str, str, int]]:
    """The diagram in words: (name, `active` or `done`, how often) of every named step that was reached."""
    view = queries.diagram(engine(), instance_id, process, actor=user())
    reached = [*[one for one in view.done if one not in view.active], *view.active]
    return [
        (text(view.names[one]), "active" if one in view.active else "done", view.visits.get(one, 1))
        for one in reached
        if text(view.names.get(one))
    ]
