"""The state of the evidence, and what an auditor needs to check it elsewhere."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Response, render_template, send_file

import verifier
from engine.errors import NotFound
from engine.queries import signing as evidence
from web.current import config, engine, user
from web.signing import key_of

bp = Blueprint("audit_checkpoints", __name__, url_prefix="/audit")
COMMAND = "python3 guiju_verify.py dossier.json --key guiju.pub"
VERIFIER = Path(verifier.__file__).parent / "guiju_verify.py"


@bp.get("/checkpoints")
def page() -> str:
    """The newest checkpoint, how far behind it is, where it is published, and how to verify."""
    key = key_of(config())
    state = evidence.signed(engine(), actor=user())
    return render_template("audit_checkpoints.html", state=state, key=key.public if key else None, command=COMMAND)


@bp.get("/checkpoints/newest")
def newest() -> Response:
    """The newest checkpoint as it was signed."""
    state = evidence.signed(engine(), actor=user())
    if state.newest is None:
        raise _nothing()
    return _text(state.newest.note, f"{state.newest.size}.checkpoint")


@bp.get("/verifier")
def verifier_file() -> Response:
    """The stand-alone verifier."""
    return send_file(VERIFIER, mimetype="text/x-python", as_attachment=True, download_name="guiju_verify.py")


@bp.get("/key")
def public_key() -> Response:
    """The public key that checkpoints and dossiers are verified with."""
    key = key_of(config())
    if key is None:
        raise _nothing()
    return _text(f"{key.public}\n", "guiju.pub")


def _text(content: str, name: str) -> Response:
    answer = Response(content, content_type="text/plain; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def _nothing() -> NotFound:
    return NotFound(
        "not_signed",
        text={"zh-CN": "尚无存证：没有设置签名密钥", "en": "There is no evidence yet: no signing key is set"},
    )
