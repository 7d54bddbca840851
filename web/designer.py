"""The designer's desk: drafts, what they change, what they would do, and how they go live with a second signature."""

from __future__ import annotations

import io
import threading
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from flask import Blueprint, Flask, Response, current_app, flash, redirect, render_template, request, send_file, url_for

from engine.errors import Conflict, GuijuError, Invalid, Text
from engine.identity import LOCAL
from processes.design import assess, words
from processes.design.desk import Desk, path_of
from web.current import engine, user
from web.languages import gettext as _

bp = Blueprint("designer", __name__, url_prefix="/designer")
TYPES = {".bpmn": "application/xml", ".dmn": "application/xml", ".json": "application/json", ".csv": "text/csv"}


@dataclass
class Working:
    """An assessment at work on this node: its stage, how far it is, and the error that ended it, if one did."""

    stage: str = "gate"
    done: int = 0
    total: int = 1
    error: Text | None = None
    finished: bool = False


def install(app: Flask) -> None:
    """Remember what is being worked out on this node."""
    app.extensions["guiju_assessing"] = {}


def desk() -> Desk:
    """The desk of whoever is asking."""
    return Desk(engine(), user())


@bp.get("")
def page() -> str:
    """What lies on the desk."""
    return render_template("designer.html", desk=desk().overview())


@bp.post("")
def make() -> Any:
    """A new draft."""
    try:
        made = desk().make(request.form.get("title", ""))
    except Invalid as error:
        return render_template("designer.html", desk=desk().overview(), problem=error.fields.get("title")), 422
    return redirect(url_for("designer.draft", draft_id=made.draft_id), 303)


@bp.post("/rollback/<int:number>")
def roll_back(number: int) -> Any:
    """A draft that says what an earlier deployment said."""
    made = desk().roll_back(number)
    return redirect(url_for("designer.draft", draft_id=made.draft_id), 303)


@bp.get("/files/<int:number>/<path:path>")
def deployed(number: int, path: str) -> Response:
    """A file of a deployment, as a standard file."""
    return _file(desk().deployed(number, path), path)


@bp.get("/<draft_id>")
def draft(draft_id: str) -> str:
    """A draft and everything about it."""
    return _page(draft_id)


@bp.post("/<draft_id>/files")
def put(draft_id: str) -> Any:
    """Import files into the draft."""
    given: dict[str, bytes | None] = {}
    try:
        for file in request.files.getlist("files"):
            if file.filename:
                place = path_of(file.filename, request.form.get("process", ""), request.form.get("kind", ""))
                given[place] = file.read()
        if not given:
            raise Invalid({"files": {"zh-CN": "请选择文件", "en": "Choose a file"}})
        seen = request.form.get("rev", "")
        desk().put(draft_id, given, rev=int(seen) if seen.isdecimal() else None)
    except (Invalid, Conflict) as error:
        return _page(draft_id, error), error.status
    finally:
        for file in request.files.getlist("files"):
            file.close()
    flash(_("已导入 %(n)s 个文件", n=len(given)))
    return redirect(url_for("designer.draft", draft_id=draft_id), 303)


@bp.get("/<draft_id>/files/<path:path>")
def file(draft_id: str, path: str) -> Response:
    """A file of the draft, or with `?before=1` of its base."""
    return _file(desk().file(draft_id, path, before=bool(request.args.get("before"))), path)


@bp.get("/<draft_id>/all.zip")
def everything(draft_id: str) -> Response:
    """Every file of the draft in one archive, as other modelers open them."""
    view, packed = desk().view(draft_id), io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in view.files:
            archive.writestr(path, desk().file(draft_id, path))
    packed.seek(0)
    return send_file(packed, mimetype="application/zip", as_attachment=True, download_name="guiju-draft.zip")


@bp.post("/<draft_id>/remove")
def remove(draft_id: str) -> Any:
    """Take a file out."""
    return _doing(draft_id, lambda: desk().put(draft_id, {request.form.get("path", ""): None}))


@bp.post("/<draft_id>/give-up")
def give_up(draft_id: str) -> Any:
    """Have a file as in the base again."""
    return _doing(draft_id, lambda: desk().give_up(draft_id, request.form.get("path", "")))


@bp.post("/<draft_id>/fork")
def fork(draft_id: str) -> Any:
    """Go on alone in a draft of one's own."""
    title = desk().view(draft_id).draft.title[:180]
    made = desk().fork(draft_id, _("%(title)s（另存）", title=title))
    return redirect(url_for("designer.draft", draft_id=made.draft_id), 303)


@bp.post("/<draft_id>/drop")
def drop(draft_id: str) -> Any:
    """Give the draft up."""
    desk().drop(draft_id)
    flash(_("草稿已放弃"))
    return redirect(url_for("designer.page"), 303)


@bp.post("/<draft_id>/bring-up")
def bring_up(draft_id: str) -> Any:
    """Lay the draft over the newest deployment."""
    both = desk().bring_up(draft_id, ours=request.form.get("ours") == "1")
    if both:
        text = {
            "zh-CN": "新版本也改了这些文件：" + "、".join(both),
            "en": "The newer deployment changed these too: " + ", ".join(both),
        }
        return _page(draft_id, Conflict("both_changed", text=text), both=both), 409
    flash(_("草稿已更新到最新版本之上"))
    return redirect(url_for("designer.draft", draft_id=draft_id), 303)


@bp.post("/<draft_id>/assess")
def start_assessing(draft_id: str) -> Any:
    """Work out what the draft would do, beside other requests."""
    desk().view(draft_id)
    known = _assessing()
    if draft_id not in known or known[draft_id].finished:
        known[draft_id] = Working()
        served = engine()
        threading.Thread(target=_work, args=(served, draft_id, known[draft_id]), daemon=True).start()
    return redirect(url_for("designer.draft", draft_id=draft_id) + "#assessment", 303)


@bp.get("/<draft_id>/assessment")
def assessment(draft_id: str) -> str:
    """The part of the page that shows it, asked for again while it is being worked out."""
    view = desk().view(draft_id)
    return render_template("designer_assessment.html", view=view, working=_assessing().get(draft_id))


@bp.post("/<draft_id>/submit")
def submit(draft_id: str) -> Any:
    """Start the change procedure."""
    desk().require()
    values: dict[str, Any] = {"draft": draft_id}
    values |= {name: request.form.get(name, "").strip() for name in ("title", "reason")}
    if when := request.form.get("effective_at", "").strip():
        try:
            values["effective_at"] = datetime.fromisoformat(when).replace(tzinfo=LOCAL).isoformat()
        except ValueError:
            values["effective_at"] = when[:40]
    try:
        result = engine().start("diagram_change", values, by=user(), key=request.form.get("key") or None)
    except (Invalid, Conflict) as error:
        return _page(draft_id, error, given=request.form.to_dict()), error.status
    flash(_("已提交，编号 %(number)s", number=result.business_key or "—"))
    return redirect(url_for("cases.page", instance_id=result.instance_id), 303)


def _doing(draft_id: str, work: Any) -> Any:
    try:
        work()
    except (Invalid, Conflict) as error:
        return _page(draft_id, error), error.status
    return redirect(url_for("designer.draft", draft_id=draft_id), 303)


def _page(draft_id: str, error: GuijuError | None = None, **more: Any) -> str:
    return render_template(
        "designer_draft.html",
        view=desk().view(draft_id),
        working=_assessing().get(draft_id),
        error=error,
        fields=error.fields if isinstance(error, Invalid) else {},
        words=words,
        **{"both": [], "given": {}, **more},
    )


def _assessing() -> dict[str, Working]:
    return cast("dict[str, Working]", current_app.extensions["guiju_assessing"])


def _work(served: Any, draft_id: str, working: Working) -> None:
    def tell(stage: str, done: int, total: int) -> None:
        working.stage, working.done, working.total = stage, done, total

    try:
        assess(served, draft_id, progress=tell)
    except GuijuError as error:
        working.error = error.message
    except Exception:
        working.error = {"zh-CN": "比较没有完成，请重试", "en": "It could not be worked out; try again"}
        raise
    finally:
        working.finished = True


def _file(content: bytes, path: str) -> Response:
    kind = next((mime for ending, mime in TYPES.items() if path.endswith(ending)), "application/octet-stream")
    name = path.rsplit("/", 1)[-1]
    return send_file(io.BytesIO(content), mimetype=kind, as_attachment=True, download_name=name)
