"""The proof that a case happened as its history says: as a page, and as lines while it runs."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from flask import Blueprint, render_template, stream_with_context, url_for
from werkzeug.wrappers import Response

from engine import queries
from engine.queries import Line
from web import audit_words, signing
from web.current import config, engine, user
from web.formview import name_of
from web.languages import gettext as _
from web.languages import text

bp = Blueprint("audit_proof", __name__, url_prefix="/audit")


@dataclass(frozen=True, kw_only=True)
class Told:
    """A checked thing in words. `state`: holds, fails or open."""

    kind: str
    state: str
    says: str
    why: str
    seq: int
    last: int
    link: str
    recorded: str
    found: str


@bp.get("/<instance_id>/proof")
def page(instance_id: str) -> str:
    """The whole proof, once it is done; without a script."""
    case = queries.moment(engine(), instance_id, at=None, actor=user()).case
    told = list(_told(instance_id))
    commands = [one for one in told if one.kind == "command"]
    return render_template(
        "audit_proof.html",
        case=case,
        commands=commands,
        checks=[one for one in told if one.kind != "command"],
        failed=next((one for one in told if one.state == "fails"), None),
    )


@bp.get("/<instance_id>/proof/lines")
def lines(instance_id: str) -> Response:
    """The proof as JSON lines, each as soon as it is known."""
    told = _told(instance_id)
    first = next(told)  # a refusal is answered as one, before anything is sent
    sent = (orjson.dumps(one) + b"\n" for one in itertools.chain([first], told))
    return Response(stream_with_context(sent), mimetype="application/x-ndjson", headers={"X-Accel-Buffering": "no"})


def _told(instance_id: str) -> Iterator[Told]:
    key = signing.key_of(config())
    for line in queries.prove(engine(), instance_id, actor=user(), signed=key.signed if key else None):
        yield _words(instance_id, line)


def _words(instance_id: str, line: Line) -> Told:
    state = "open" if line.holds is None else "holds" if line.holds else "fails"
    says = {
        "chain": _("%(n)s 个事件逐一相接，内容与哈希相符", n=line.last),
        "state": _("案件现在的状态就是重新执行的结果"),
        "tree": _("列入已签名的存证"),
    }.get(line.kind)
    if says is None:
        who = name_of("people", line.actor) if line.actor else _("系统")
        says = f"{who} · {audit_words.command(line.command)}"
    return Told(
        kind=line.kind,
        state=state,
        says=says,
        why=text(line.message) if line.message else "",
        seq=line.seq,
        last=line.last,
        link=url_for("audit_case.page", instance_id=instance_id, at=line.bad or line.last),
        recorded=line.recorded,
        found=line.found,
    )
