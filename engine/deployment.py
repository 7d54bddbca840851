"""Deployments: the gate, then one immutable, numbered snapshot of every file, stored by SHA-256.

A deployment holds the whole house (all diagrams, tables and forms), so what one file says of another never changes
under a case: files not given are taken over from the deployment before. A process gets a new version when its
*closure* changed: its own diagram, forms and tables and those of every process and decision it calls. A case keeps its
deployment for ever.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import history
from engine.db import Database
from engine.errors import GateRefused, NotFound
from engine.models import definitions as definition_table
from engine.models import deployment_files, deployments, groups, people, resources
from engine.moments import stamp
from engine.prepared import Prepared
from engine.spiff.gate import House, Problem, check
from engine.spiff.parse import Definitions, is_scenario, parse, tables_of

_LATEST_OF = Prepared(
    sa.select(definition_table)
    .where(definition_table.c.process == sa.bindparam("process"))
    .order_by(definition_table.c.version.desc())
)
KEPT = 32  # parsed deployments kept in memory
_PARSED: OrderedDict[str, Definitions] = OrderedDict()  # by content: engines over copies of one database share them
_PARSING = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """What was deployed: its number, the SHA-256 over all its files, the version of every process, the gate's notes."""

    number: int
    sha256: str
    processes: dict[str, int]
    notes: tuple[Problem, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """One version of one process and the deployment that holds it."""

    process: str
    version: int
    number: int
    sha256: str


class Shelf:
    """Parsed deployments, shared by all threads, most recently used last."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, Definitions] = OrderedDict()

    def get(self, number: int, connection: Connection | None = None) -> Definitions:
        """The definitions of deployment `number`, parsed at most once while kept."""
        with self._lock:
            if number in self._kept:
                self._kept.move_to_end(number)
                return self._kept[number]
        if connection is None:
            with self._db.read() as connection:
                files = read_files(connection, number)
        else:
            files = read_files(connection, number)
        parsed = _parsed(files)
        with self._lock:
            self._kept.setdefault(number, parsed)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return self._kept.get(number, parsed)


def deploy(
    connection: Connection,
    files: Mapping[str, bytes],
    *,
    by: str,
    now: datetime,
    house: House,
    alone: bool = False,
    said: Mapping[str, Any] | None = None,
) -> Deployment:
    """Check and store. Raises GateRefused with every problem and stores nothing. `alone`: these files are all there
    are, what is not among them is gone; `said` goes into the history beside them (who agreed, in which case).

    1. Lay the given files over those of the newest deployment. 2. Ask the gate about the whole. 3. Same files as
    before: answer with that deployment. 4. Store new contents, the list of files, and a version for each process whose
    closure changed.
    """
    newest = latest_number(connection)
    whole = {**(read_files(connection, newest) if newest and not alone else {}), **files}
    found = check(whole, with_groups(connection, house))
    if problems := [problem for problem in found if problem.severity == "problem"]:
        raise GateRefused(problems)
    notes = tuple(problem for problem in found if problem.severity == "note")
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in sorted(whole.items())}
    overall = digest_of(whole)
    if (
        newest
        and (same := connection.scalar(sa.select(deployments.c.sha256).where(deployments.c.number == newest)))
        == overall
    ):
        return Deployment(number=newest, sha256=same, processes=versions_of(connection), notes=notes)
    number = (newest or 0) + 1
    connection.execute(sa.insert(deployments).values(number=number, sha256=overall, at=stamp(now), by=by))
    for path, digest in digests.items():
        if connection.execute(sa.select(resources.c.sha256).where(resources.c.sha256 == digest)).first() is None:
            connection.execute(sa.insert(resources).values(sha256=digest, content=whole[path]))
        connection.execute(sa.insert(deployment_files).values(number=number, path=path, sha256=digest))
    parsed = parse(whole)
    before = {row.process: row for row in latest(connection)}
    for process in sorted(parsed.processes):
        closure = closure_digest(parsed, process, digests)
        known = before.get(process)
        if known is None or known.sha256 != closure:
            version = known.version + 1 if known else 1
            row = {"process": process, "version": version, "number": number, "sha256": closure}
            connection.execute(sa.insert(definition_table).values(**row))
    result = Deployment(number=number, sha256=overall, processes=versions_of(connection), notes=notes)
    data = {"number": number, "sha256": overall, "files": digests, "processes": result.processes, **(said or {})}
    event = history.Event(type="deployment.made", actor=by, data=data)
    history.append_unowned(connection, history.DEPLOYMENTS, [event], at=stamp(now))
    return result


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over every file's path and content."""
    lines = (f"{path}\0{hashlib.sha256(content).hexdigest()}\n" for path, content in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def with_groups(connection: Connection, house: House) -> House:
    """The house with the groups and the people that the database knows."""
    known = {row.id: row.names.get("zh-CN", row.id) for row in connection.execute(sa.select(groups))}
    staff = frozenset(connection.scalars(sa.select(people.c.username)))
    return replace(house, groups={**house.groups, **known}, people=staff)


def closure_digest(parsed: Definitions, process: str, digests: Mapping[str, str]) -> str:
    """SHA-256 over the files that decide how `process` runs."""
    paths = closure_paths(parsed, process, digests)
    return hashlib.sha256("".join(f"{path}\0{digests[path]}\n" for path in sorted(paths)).encode()).hexdigest()


def closure_paths(parsed: Definitions, process: str, digests: Mapping[str, str]) -> set[str]:
    """The files that decide how `process` runs, those of called processes and decisions included."""
    seen: set[str] = set()
    paths: set[str] = set()

    def visit(name: str) -> None:
        if name in seen:
            return
        seen.add(name)
        if decision := parsed.decisions.get(name):
            paths.update(path for path, digest in digests.items() if digest == decision.sha256)
        if info := parsed.processes.get(name):
            paths.add(info.file)
            paths.update(path for path in digests if path.startswith(f"{name}/") and not is_scenario(path))
            paths.update(path for path in tables_of(info.properties) if path in digests)
            for element in info.elements.values():
                if element.called:
                    visit(element.called)

    visit(process)
    return paths


def latest_number(connection: Connection) -> int | None:
    """The newest deployment's number, or None."""
    newest: int | None = connection.scalar(sa.select(sa.func.max(deployments.c.number)))
    return newest


def _parsed(files: Mapping[str, bytes]) -> Definitions:
    """The definitions of these files, parsed at most once in this process while kept: they never change."""
    key = digest_of(files)
    with _PARSING:
        found = _PARSED.pop(key, None) or parse(files)
        _PARSED[key] = found
        while len(_PARSED) > KEPT:
            _PARSED.popitem(last=False)
    return found


def read_files(connection: Connection, number: int) -> dict[str, bytes]:
    """Every file of a deployment, path → content."""
    query = sa.select(deployment_files.c.path, resources.c.content).join(
        resources, resources.c.sha256 == deployment_files.c.sha256
    )
    rows = connection.execute(query.where(deployment_files.c.number == number).order_by(deployment_files.c.path))
    return {row.path: bytes(row.content) for row in rows}


def latest(connection: Connection) -> list[Definition]:
    """The newest version of every process, by process id."""
    newest = sa.select(definition_table.c.process, sa.func.max(definition_table.c.version).label("version"))
    newest_versions = newest.group_by(definition_table.c.process).subquery()
    query = sa.select(definition_table).join(
        newest_versions,
        sa.and_(
            definition_table.c.process == newest_versions.c.process,
            definition_table.c.version == newest_versions.c.version,
        ),
    )
    return [Definition(**row._mapping) for row in connection.execute(query.order_by(definition_table.c.process))]


def latest_of(connection: Connection, process: str) -> Definition:
    """The newest version of one process. Raises NotFound."""
    row = _LATEST_OF.run(connection, process=process).first()
    if row is None:
        raise NotFound(
            "process_not_found",
            text={"zh-CN": "没有已发布的流程「{id}」", "en": "No deployed procedure is called “{id}”"},
            id=process,
        )
    return Definition(**row._asdict())


def versions_of(connection: Connection) -> dict[str, int]:
    """Process id → newest version."""
    return {row.process: row.version for row in latest(connection)}
