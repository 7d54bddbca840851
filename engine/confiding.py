"""Personal fields at the command boundary: what a form marks `x-personal` leaves it only as a box.

`x-personal` says whom a field is about: `case`, or the name of a field or variable that holds a username. Files of
such a field are encrypted where they lie; their hash is then that of the ciphertext, so it says nothing of the content
and still holds when the key is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from engine import attachments, forms
from engine.personal import CASE
from engine.safes import encrypt_file

if TYPE_CHECKING:
    from engine.command import Unit

COMMAND = "command"


def confide(unit: Unit, schema: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The form's values with every personal one sealed; its personal files are noted, for `confide_files`."""
    for name, field in schema.get("properties", {}).items():
        about = field.get("x-personal")
        if about is None or values.get(name) is None:
            continue
        subject = _subject(unit, values, str(about))
        if field.get("x-widget") == "attachments":
            unit.confided.update(dict.fromkeys(map(str, values[name]), subject))
        else:
            values[name] = unit.subjects.seal(subject, name, values[name])
    return values


def confide_draft(unit: Unit, schema: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """What may be kept of a half-filled form, sealed; its files wait until it is handed in."""
    values = confide(unit, schema, forms.draft(schema, variables))
    unit.confided.clear()
    return values


def confide_command(unit: Unit, schema: Mapping[str, Any] | None, command: Mapping[str, Any]) -> dict[str, Any]:
    """A command as an incident keeps it: what was entered as one box where the form has personal fields."""
    fields = (schema or {}).get("properties", {}).values()
    if "variables" not in command or not any("x-personal" in field for field in fields):
        return dict(command)
    return {**command, "variables": unit.subjects.seal(CASE, COMMAND, command["variables"])}


def confide_files(unit: Unit) -> None:
    """Encrypt the personal files of the form just handed in, and let the history say what became of them."""
    if not unit.confided:
        return
    said = {item["id"]: item for item in unit.attached}
    for attachment_id, subject in unit.confided.items():
        encrypt_file(unit.connection, unit.subjects, attachment_id, subject)
        said[attachment_id] = attachments.describe(unit.connection, attachment_id)
    unit.attached = list(said.values())
    unit.confided.clear()


def _subject(unit: Unit, values: Mapping[str, Any], about: str) -> str:
    if about == CASE:
        return CASE
    named = values.get(about)
    if named is None and unit.row.state:
        named = unit.case.variables().get(about)
    return named if isinstance(named, str) and unit.directory.person(named) is not None else CASE
