"""Files that come with a report, on the public page and where staff enter one: cleaned, and named so that they tell
nothing."""

from __future__ import annotations

from flask import request

from engine.attachments import CAP
from engine.errors import Invalid
from processes.complaint.cleaning import cleaned
from web.current import engine

FILES = 5  # a report may bring


def taken_in(by: str | None) -> list[str]:
    """The ids of the files that came with the report, kept in the name of `by`. Raises Invalid, Unavailable."""
    found = [file for file in request.files.getlist("evidence") if file.filename]
    if len(found) > FILES:
        raise Invalid(
            {"evidence": {"zh-CN": f"「证据」最多 {FILES} 个文件", "en": f"“Evidence” takes {FILES} files at most"}}
        )
    kept = []
    for number, file in enumerate(found, 1):
        with file.stream as stream:
            content = stream.read(CAP + 1)
        try:
            name, plain = cleaned(content, number)
            kept.append(engine().attach(None, name, plain, by=by))
        except Invalid as error:
            said = error.message
            named = {
                "zh-CN": f"「证据」第 {number} 个文件{said['zh-CN']}",
                "en": f"“Evidence”, file {number}: {said['en']}",
            }
            raise Invalid({"evidence": named}) from error
    return kept
