"""A case as bytes: what cannot be worked out again, in a fixed order, so that the same case always gives the same
bytes.

msgpack of `[format, status, end, [process, …]]`, callers first; a process is `[spec, host, variables, same, written,
[token, …]]`: `host` is `[process number, token number]` of the activity it works for, `same` the names whose values
are those its host sees (stored once), `variables` is None for an embedded subprocess. A token is `[id, spec, state,
parent, source, local, internal]`, its tail cut off where it is empty; `parent` is the number of the token it stands
below, 0 for the process itself. Specs are never stored: they belong to the deployment. Finished tokens are not there
to be stored.

A format that was ever in use is still written: re-execution of an old case packs it as it was packed then and compares
hashes. Each has cases in `tests/frozen`.
"""

from __future__ import annotations

from typing import Any

import msgpack  # type: ignore[import-untyped]

from engine.spiff.workflow import Called, Process, Root, Token

FORMAT = 1  # what new states are written in
FORMATS = (1,)  # what can be written and read
_FULL: list[Any] = [None, "", 0, 0, None, None, {}]


def pack(root: Root, format_: int = FORMAT) -> bytes:
    """The case as bytes. Raises ValueError when the format is unknown."""
    if format_ not in FORMATS:
        raise ValueError(f"state of unknown format {format_}")
    places: dict[str | None, list[int]] = {}
    rows = []
    for number, process in enumerate(root.processes()):
        tokens = []
        for place, token in enumerate(process.tasks.values()):
            places[token.id] = [number, place]
            if place:
                tokens.append(_token(token, places[token._parent][1]))
        host = None if process.host is None else places[process.host.id]
        rows.append([process.spec.name, host, *_variables(process), tokens])
    packed: bytes = msgpack.packb([format_, root.status, root.end, rows])
    return packed


def _token(token: Token, parent: int) -> list[Any]:
    row = [
        bytes.fromhex(token.id.replace("-", "")),
        token.task_spec.name,
        token._state,
        parent,
        token.source if token.task_spec.joins else None,
        token.local,
        token.internal_data,
    ]
    while row[-1] == _FULL[len(row) - 1]:
        row.pop()
    return row


def _variables(process: Process) -> list[Any]:
    """Own variables, names of those that are as the host sees them, and names written since the call."""
    if process.scope is None:
        return [None, [], []]
    variables = dict(sorted(process.scope.items()))  # the order in which they were set is not part of the case
    if process.host is None:
        return [variables, [], []]
    outer = process.host.visible()
    same = [name for name, value in variables.items() if name in outer and _equal(value, outer[name])]
    for name in same:
        del variables[name]
    return [variables, same, sorted(process.written)]


def _equal(one: Any, other: Any) -> bool:
    return one is other or (one == other and msgpack.packb(one) == msgpack.packb(other))


def unpack(packed: bytes, definitions: Any) -> Root:
    """The case again, on the specs of its own deployment."""
    format_, status, end, rows = msgpack.unpackb(packed)
    if format_ not in FORMATS:
        raise ValueError(f"state of unknown format {format_}")
    specs = definitions.specs
    root: Root | None = None
    processes: list[Any] = []
    tokens: list[list[Token]] = []
    for name, host, variables, same, written, packed_tokens in rows:
        if root is None:
            root = Root(specs[name], specs, definitions, variables)
            root.status, root.end = status, end
            process: Any = root
        else:
            caller = tokens[host[0]][host[1]]
            if variables is not None:
                outer = caller.visible()
                variables = {**variables, **{each: outer[each] for each in same}}
            process = Called(specs[name], caller, variables, set(written))
            root.subprocesses[caller.id] = process
        processes.append(process)
        tokens.append(_tokens(process, packed_tokens))
    assert root is not None
    return root


def _tokens(process: Any, rows: list[list[Any]]) -> list[Token]:
    found = [process.plant()]
    specs = process.spec.task_specs
    for row in rows:
        id, name, state, parent, source, local, internal = row + _FULL[len(row) :]
        token = Token(process, specs[name], found[parent], state, _id(id), source, local)
        if internal:
            token.internal_data = internal
        found.append(token)
    return found


def _id(packed: bytes) -> str:
    text = packed.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
