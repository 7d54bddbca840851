"""Reports for auditors: who decided about what, whether terms are kept, where cases wait; each figure leads to its
cases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, render_template, request, url_for

from engine.errors import Invalid
from engine.queries import asked, measures, searching, segregation
from engine.queries.measures import Period, Spot
from engine.spiff.picture import Picture, picture
from processes.oversight import APPROVALS, RETURNED_OFTEN, RETURNS
from web.current import engine, user
from web.languages import gettext as _
from web.languages import language, text

bp = Blueprint("audit_reports", __name__, url_prefix="/audit/reports")
WARMEST = 5  # shades
BY = ("visits", "mean", "p90")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A step on the heat map: where it is drawn, how warm (0 to WARMEST), what it says, where it leads."""

    spot: Spot
    warmth: int
    said: str
    url: str


@bp.get("/segregation")
def who() -> str:
    """Separation of duties: approvals of one's own, stand-ins, pairs, returns, recusals, refusals, terms missed."""
    period, wrong = _period()
    found = segregation.segregation(
        engine(), actor=user(), period=period, approvals=APPROVALS, returns=RETURNS, often=RETURNED_OFTEN
    )
    return render_template("audit_segregation.html", found=found, often=RETURNED_OFTEN, **_common(wrong))


@bp.get("/sla")
def sla() -> str:
    """Terms kept and missed by procedure and step, with how long steps take."""
    period, wrong = _period()
    rows = measures.levels(engine(), actor=user(), period=period)
    groups: dict[str, list[measures.Level]] = {}
    for row in rows:
        groups.setdefault(text(row.process_name), []).append(row)
    return render_template("audit_sla.html", groups=groups, bar=bar, **_common(wrong))


@bp.get("/heat")
def heat_first() -> str:
    """The heat map of the first procedure: the page offers the others."""
    found = searching.procedures(engine(), actor=user())
    return heat(found[0][0]) if found else render_template("audit_heat.html", view=None, **_common({}))


@bp.get("/heat/<process>")
def heat(process: str) -> str:
    """Where cases pass and wait, drawn on the diagram, with a table of the same beside it."""
    period, wrong = _period()
    by = request.args.get("by", "p90")
    by = by if by in BY else "p90"
    view = measures.heat(engine(), process, actor=user(), period=period)
    drawing = picture(view.xml, file=process, language=language())
    return render_template(
        "audit_heat.html",
        view=view,
        by=by,
        places=_places(view.spots, by, process),
        drawing=drawing,
        outline=outline,
        lines=lines_of,
        box=_box(drawing),
        procedures=[(key, text(name)) for key, name in searching.procedures(engine(), actor=user())],
        kinds={"visits": _("次数"), "mean": _("平均"), "p90": _("九成以内")},
        **_common(wrong),
    )


def _common(wrong: dict[str, str]) -> dict[str, Any]:
    said = {name: request.args.get(name, "") for name in ("since", "until")}
    return {"said": said, "wrong": wrong, "asking": asking, "hours": hours}


def _period() -> tuple[Period, dict[str, str]]:
    """The period of the URL; the whole time, and what is wrong, when it makes no sense."""
    try:
        question = asked.read({name: request.args.get(name, "") for name in ("since", "until")})
    except Invalid as error:
        return Period(), {name: text(said) for name, said in error.fields.items()}
    return Period(since=question.since, until=question.until), {}


def asking(**question: Any) -> str:
    """A link to the cases behind a figure, within the period of the report."""
    days = {name: request.args[name] for name in ("since", "until") if _day(request.args.get(name, ""))}
    return url_for("audit_search.page", **{**days, **question})


def _day(said: str) -> bool:
    try:
        date.fromisoformat(said)
    except ValueError:
        return False
    return True


def hours(value: float | None) -> str:
    """Working hours as people read them."""
    if value is None:
        return "—"
    return f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def bar(level: measures.Level) -> tuple[float, float]:
    """Widths in percent of what was in time and what was late."""
    whole = level.within + level.late
    return (100 * level.within / whole, 100 * level.late / whole) if whole else (0.0, 0.0)


def _places(spots: list[Spot], by: str, process: str) -> dict[str, Place]:
    values = {spot.element: (spot.visits if by == "visits" else getattr(spot, by) or 0.0) for spot in spots}
    most = max(values.values(), default=0.0)
    return {spot.element: _place(spot, values[spot.element] / most if most else 0.0, by, process) for spot in spots}


def _place(spot: Spot, share: float, by: str, process: str) -> Place:
    figures = {"visits": spot.visits, "mean": hours(spot.mean), "p90": hours(spot.p90)}
    return Place(
        spot=spot,
        warmth=max(1, round(WARMEST * share)) if share else 0,
        said=_("%(visits)s 次，平均 %(mean)s，九成在 %(p90)s 工作小时以内", **figures),
        url=_leads(spot, by, process),
    )


def _leads(spot: Spot, by: str, process: str) -> str:
    """To every case that came here; from the p90 map to those that took longer than nine in ten."""
    slow = {"longer": f"{spot.p90:.4g}"} if by == "p90" and spot.p90 and spot.done >= 10 else {}
    return asking(element=spot.element, diagram=process, **slow)


def _box(drawing: Picture | None) -> str:
    return "" if drawing is None else " ".join(f"{value:.0f}" for value in drawing.box)


def outline(points: tuple[tuple[float, float], ...]) -> str:
    """A line's points as SVG wants them."""
    return " ".join(f"{x:.0f},{y:.0f}" for x, y in points)


def lines_of(name: str, width: float) -> list[str]:
    """A name in at most three lines of about that many pixels: Han characters are as wide as they are high."""
    room, found, line, used = max(width - 6, 30.0) / 14, list[str](), "", 0.0
    for word in _pieces(name):
        size = sum(1.0 if ord(char) > 0x2E7F else 0.56 for char in word)
        if line and used + size > room:
            found.append(line.strip())
            line, used = "", 0.0
        line, used = line + word, used + size
    if line.strip():
        found.append(line.strip())
    return found if len(found) <= 3 else [*found[:2], found[2] + "…"]


def _pieces(name: str) -> list[str]:
    found, latin = list[str](), ""
    for char in name:
        if ord(char) > 0x2E7F or char == " ":
            found += [latin, char] if latin else [char]
            latin = ""
        else:
            latin += char
    return [*found, latin] if latin else found
