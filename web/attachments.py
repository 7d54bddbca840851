"""Files with forms: taken in with the form that names them, sent as downloads, never shown in place."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, request, send_file
from werkzeug.wrappers import Response

from engine import queries
from engine.attachments import CAP
from engine.errors import Invalid, Text
from web.current import engine, user

bp = Blueprint("attachments", __name__, url_prefix="/attachments")
AT_ONCE = 6  # files of full size that one form may bring
FORMS = ("tasks.complete", "tasks.draft", "procedures.start", "casework.enter", "intake.send", "designer.put")
ENCODED = "api.attach"  # one file as base64


def install(app: Flask) -> None:
    """Let the forms that bring files be larger than other requests. Before anything reads a body."""

    @app.before_request
    def _make_room() -> None:
        if request.endpoint in FORMS and request.mimetype == "multipart/form-data":
            request.max_content_length = AT_ONCE * CAP
        elif request.endpoint == ENCODED:
            request.max_content_length = CAP * 4 // 3 + 10_000


@bp.get("/<attachment_id>")
def download(attachment_id: str) -> Response:
    """The file, as it was handed in."""
    found = queries.attachment(engine(), attachment_id, actor=user())
    content = io.BytesIO(found.content)
    sent = send_file(content, mimetype=found.type, as_attachment=True, download_name=found.name, etag=False)
    sent.headers["Cache-Control"] = "no-store"  # what only its reader may see stays on no disk
    return sent


def take_in(schema: Mapping[str, Any] | None, values: dict[str, Any], task_id: str | None) -> dict[str, Any]:
    """The values with the ids of the files that came with the form. Raises Invalid naming the field; what was stored
    before that stays with whoever sent it, and is named again when the form comes back."""
    problems: dict[str, Text] = {}
    for name, field in (schema or {}).get("properties", {}).items():
        if field.get("x-widget") != "attachments" or "x-auto" in field:
            continue
        kept = list(values.get(name) or [])
        for file in request.files.getlist(name):
            if not file.filename:
                continue
            with file.stream as stream:
                content = stream.read(CAP + 1)
            try:
                kept.append(engine().attach(task_id, file.filename, content, by=user()))
            except Invalid as error:
                short, said = file.filename[-60:], error.message
                problems[name] = {"zh-CN": f"「{short}」{said['zh-CN']}", "en": f"“{short}”: {said['en']}"}
        if kept:
            values[name] = kept
    if problems:
        raise Invalid(problems)
    return values
