"""What auditors ask: cases by person, account, step, time, outcome and value; the URL holds the question."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, render_template, request, url_for

from engine import queries
from engine.errors import Invalid
from engine.queries import asked, searching
from engine.queries.asked import Question
from web.current import engine, user
from web.languages import gettext as _
from web.languages import text

bp = Blueprint("audit_search", __name__, url_prefix="/audit")
PLAIN = (
    *("text", "process", "status", "end", "person", "role", "account", "element", "diagram"),
    *("outcome", "since", "until", "longer"),
)
MORE = ("role", "account", "element", "outcome", "end", "longer")  # asked less often: folded away until then
VALUE_FIELDS = 3  # condition fields shown at least
BULK = ("csv", "xes", "ocel")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An option of a select."""

    value: str
    title: str


@bp.get("/")
def page() -> str:
    """The question, and the cases that answer it; the rows alone for the page's own searches."""
    wrong: dict[str, str] = {}
    try:
        question = question_asked()
    except Invalid as error:
        wrong = {name: text(said) for name, said in error.fields.items()}
        question = Question()
    found = None
    if not wrong:
        found = searching.search(engine(), question, actor=user(), cursor=request.args.get("cursor") or None)
    else:
        searching.variable_names(engine(), actor=user())  # refuses whoever does not audit
    values = [said for said in request.args.getlist("value") if said.strip()]
    return render_template(
        "audit_search.html",
        found=found,
        wrong=wrong,
        said={name: request.args.get(name, "") for name in (*PLAIN, "late")},
        more=bool(values or request.args.get("late") or any(request.args.get(name) for name in MORE)),
        values=[*values, *[""] * max(1, VALUE_FIELDS - len(values))][: asked.MOST_VALUES],
        names=searching.variable_names(engine(), actor=user()),
        procedures=_procedures(),
        roles=[Choice(value=role, title=said) for role, said in roles().items()],
        statuses=[Choice(value=status, title=said) for status, said in statuses().items()],
        people=queries.choices(engine(), "people"),
        accounts=queries.choices(engine(), "accounts"),
        ready=ready(),
        bulk=BULK,
        link_to=link_to,
        case_url=case_url,
    )


def question_asked() -> Question:
    """The question of this request's URL. Raises Invalid."""
    return asked.read(request.args, request.args.getlist("value"))


def link_to(endpoint: str = "audit_search.page", **more: Any) -> str:
    """A link to this question: what was asked and nothing else, so that it can be kept and passed on."""
    kept: dict[str, Any] = {name: request.args[name] for name in (*PLAIN, "late") if request.args.get(name)}
    if values := [said for said in request.args.getlist("value") if said.strip()]:
        kept["value"] = values
    return url_for(endpoint, **{**kept, **more})


def case_url(instance_id: str, seq: int | None = None) -> str:
    """The case's replay, at that event."""
    path = f"{url_for('audit_search.page')}{instance_id}"
    return path if seq is None else f"{path}?at={seq}"


def roles() -> dict[str, str]:
    """What somebody can have been to a case."""
    return {
        "started": _("发起"),
        "did": _("办理"),
        "stood in": _("由他人代办"),
        "claimed": _("认领"),
        "transferred": _("转出"),
        "received": _("接收转办"),
        "recused": _("回避"),
        "refused": _("被拒绝"),
    }


def statuses() -> dict[str, str]:
    """How a case can stand."""
    return {"active": _("办理中"), "incident": _("故障"), "completed": _("已结束"), "cancelled": _("已取消")}


def ready() -> list[Choice]:
    """Questions auditors ask often, as plain links."""
    return [
        Choice(value=url_for("audit_search.page", late=1), title=_("有环节超期")),
        Choice(value=url_for("audit_search.page", role="recused"), title=_("有人回避")),
        Choice(value=url_for("audit_search.page", role="refused"), title=_("有人被拒绝")),
        Choice(value=url_for("audit_search.page", role="stood in"), title=_("有人代办")),
        Choice(value=url_for("audit_search.page", outcome="return"), title=_("被退回过")),
        Choice(value=url_for("audit_search.page", status="incident"), title=_("遇到故障")),
    ]


def _procedures() -> list[Choice]:
    found = searching.procedures(engine(), actor=user())
    return [Choice(value=key, title=text(name)) for key, name in found]
