"""How a case begins: who may, the start form, the number it gets, the first advance."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

import orjson
from sqlalchemy.engine import Connection

from engine import deployment, history, taking
from engine.command import Row, Unit
from engine.errors import Denied, Invalid, Unavailable
from engine.identity import ANYONE, LOCAL, OUTSIDER, Directory, Standing, standing
from engine.operations import next_number
from engine.personal import boxed
from engine.spiff.case import Case
from engine.spiff.parse import ProcessInfo

if TYPE_CHECKING:
    from engine.runtime import Engine

VARIABLES_CAP = 200_000  # bytes of JSON a case may start with when it has no start form


class Sealer(Protocol):
    """Keeps what a start form's `x-sealed` fields hold, apart from the case."""

    def seal(self, connection: Connection, instance_id: str, name: str, value: Any) -> str:
        """Store the value and return the reference that the case keeps in its place."""


def begin(
    engine: Engine,
    connection: Connection,
    process: str,
    variables: Mapping[str, Any],
    *,
    by: str | None,
    origin: Mapping[str, Any] | None = None,
) -> Unit:
    """Start a case of the newest version. With an `origin` (another case, a schedule) it is the engine that starts it
    in the name of `by`: nobody is asked whether they may, and the case knows where it comes from.

    1. Who may start. 2. Number the case. 3. Validate the start form. 4. Create and advance. 5. Write.
    """
    definition = deployment.latest_of(connection, process)
    definitions = engine.shelf.get(definition.number, connection)
    info = definitions.processes[process]
    who = standing(connection, by, engine.now()) if by is not None else None
    if origin is None and not may_start(engine, info, Directory(connection), who):
        raise Denied("start_denied", text={"zh-CN": "没有权限发起该流程", "en": "You may not start this procedure"})
    row = Row(
        instance_id=str(UUID(bytes=os.urandom(16), version=4)),
        process=process,
        version=definition.version,
        deployment=definition.number,
        business_key=business_key(engine, connection, info),
        title="",
        initiator=by,
        status="active",
        suspended=False,
        end=None,
        rev=0,
        seq=0,
        head=history.FIRST,
        state=b"",
    )
    unit = Unit(engine, connection, row, name="start", by=by)
    given = start_variables(unit, info, variables, origin)
    pinned: dict[str, Any] = {"process": process, "version": definition.version, "deployment": definition.number}
    given = unit.given(**pinned, variables=given)["variables"]
    files = taking.hand_in(unit, "", info.start.id)
    unit.say("instance.started", **pinned, **files)
    unit.case = Case.start(definitions, process, given, unit.context)
    unit.finish(new=True)
    return unit


def may_start(engine: Engine, info: ProcessInfo, directory: Directory, who: Standing | None) -> bool:
    """Whether `who` (None: an outsider) may start the process: its `starters`, else its start event's lane, else all
    staff.

    A lane that names no group restricts nobody.
    """
    named: list[str]
    if source := info.properties.get("starters"):
        from engine.spiff.expressions import compile_expression

        functions = {**engine.functions, **engine.directory_functions(directory)}
        value = compile_expression(source).evaluate({}, functions)
        if value == "none" or value == []:
            return False
        if value == ANYONE or (isinstance(value, list) and ANYONE in value):
            return who is None or who.active
        if who is None:
            return value == OUTSIDER or (isinstance(value, list) and OUTSIDER in value)
        named = directory.principals(value)
    else:
        lane = info.start.lane
        named = directory.principals(lane) if lane and directory.group_id(lane) else ["g:employee"]
    return who is not None and who.active and bool(who.own & set(named))


def business_key(engine: Engine, connection: Connection, info: ProcessInfo) -> str | None:
    """The case's number from the process's pattern, `ZC-{yyyy}-{nnnn}`: the counter starts anew each year."""
    pattern = info.properties.get("business_key")
    if not pattern:
        return None
    year = engine.now().astimezone(LOCAL).strftime("%Y")
    number = next_number(connection, f"{pattern} {year}")
    return pattern.replace("{yyyy}", year).replace("{nnnn}", f"{number:04d}")


def start_variables(
    unit: Unit, info: ProcessInfo, variables: Mapping[str, Any], origin: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The case's first variables: the start form's fields as validated, its automatic ones, `initiator`,
    `business_key`. With an `origin`, that too, and what the form does not know is taken over as it is."""
    always: dict[str, Any] = {"initiator": unit.by, "business_key": unit.row.business_key}
    if origin is not None:
        always["origin"] = dict(origin)
    form = info.start.form
    if form is None:
        plain = orjson.dumps(dict(variables))
        if origin is None and boxed(variables):
            raise Invalid({"": {"zh-CN": "含有不能填写的内容", "en": "Holds what nobody can enter"}})
        if len(plain) > VARIABLES_CAP:
            text = {"zh-CN": "内容过大", "en": "Too large"}
            raise Invalid({"": text})
        loaded: dict[str, Any] = orjson.loads(plain)
        return {**loaded, **always}
    schema = unit.definitions.forms[form]
    properties = schema.get("properties", {})
    if origin is not None:
        always = {**{name: value for name, value in variables.items() if name not in properties}, **always}
        variables = {name: value for name, value in variables.items() if name in properties}
    values = taking.form_values(unit, schema, variables, trusted=origin is not None)
    for name in [name for name in values if properties[name].get("x-sealed")]:
        if unit.engine.sealer is None:
            raise Unavailable(
                "seal_key_missing",
                text={
                    "zh-CN": "系统未配置封存密钥（GUIJU_SEAL_KEY），不能保存身份信息",
                    "en": "No sealing key (GUIJU_SEAL_KEY) is set, so no identity can be kept",
                },
            )
        values[name] = unit.engine.sealer.seal(unit.connection, unit.row.instance_id, name, values[name])
    automatic = {
        "initiator": unit.by,
        "business_key": unit.row.business_key,
        "today": unit.now.astimezone(LOCAL).date().isoformat(),
    }
    for name, field in properties.items():
        if field.get("x-auto") in automatic:
            values[name] = automatic[field["x-auto"]]
    return {**values, **always}
