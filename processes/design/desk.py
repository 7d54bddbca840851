"""The designer's desk: drafts by people who may design, one transaction each.

Every call looks up in its own transaction whether the actor is a designer; a designer reads no case (X17), and nothing
here runs or changes one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine import Engine, Problem, drafts
from engine.deployment import latest, latest_number, read_files
from engine.difference import FileDifference, difference
from engine.drafts import Draft, Holder
from engine.errors import Denied, Invalid, NotFound
from engine.identity import require_active
from engine.models import deployments
from processes.design.assessment import Assessment, assessment_of, gate
from processes.design.weight import touched

T = TypeVar("T")
DESIGNERS = "process_designer"
SHOWN = 50  # deployments


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentRow:
    """A deployment: its number, who made it and when."""

    number: int
    by: str
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Overview:
    """What lies on the desk: drafts that are open or submitted, deployments (newest first), process → version."""

    drafts: list[Draft]
    deployments: list[DeploymentRow]
    processes: dict[str, int]
    files: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class DraftView:
    """A draft: what it changes, what the gate says, what was worked out for exactly these files (None: nothing yet),
    who has a file open, and whether something newer was deployed meanwhile (`behind`)."""

    draft: Draft
    changes: list[FileDifference]
    problems: list[Problem]
    notes: list[Problem]
    assessment: Assessment | None
    signs: list[tuple[str, str]]
    holders: dict[str, Holder]
    behind: bool
    files: list[str]
    processes: list[str]


@dataclass(frozen=True, slots=True)
class Desk:
    """The desk of `actor`. Everything raises Denied to whoever is no designer."""

    engine: Engine
    actor: str

    # -- to look at ---------------------------------------------------------------------------------------------------
    def overview(self) -> Overview:
        """What there is."""
        with self.engine.db.read() as connection:
            self._require(connection)
            newest = latest_number(connection)
            query = sa.select(deployments).order_by(deployments.c.number.desc()).limit(SHOWN)
            rows = [DeploymentRow(number=row.number, by=row.by, at=row.at) for row in connection.execute(query)]
            return Overview(
                drafts=[*drafts.listed(connection), *drafts.listed(connection, status="submitted")],
                deployments=rows,
                processes={row.process: row.version for row in latest(connection)},
                files=sorted(read_files(connection, newest)) if newest else [],
            )

    def view(self, draft_id: str) -> DraftView:
        """One draft. Raises NotFound."""
        with self.engine.db.read() as connection:
            self._require(connection)
            draft = drafts.get(connection, draft_id)
            base, files = drafts.base_of(connection, draft), drafts.files(connection, draft)
            changes, found = difference(base, files), gate(self.engine, connection, files)
            return DraftView(
                draft=draft,
                changes=changes,
                problems=[each for each in found if each.severity == "problem"],
                notes=[
                    each for each in found if each.severity != "problem" and base.get(each.file) != files[each.file]
                ],
                assessment=assessment_of(connection, files),
                signs=touched(changes),
                holders=drafts.holders(connection, draft_id, now=self.engine.now()),
                behind=draft.base != latest_number(connection),
                files=sorted(files),
                processes=sorted(path.removesuffix(".bpmn") for path in files if path.endswith(".bpmn")),
            )

    def file(self, draft_id: str, path: str, *, before: bool = False) -> bytes:
        """A file as the draft has it, or as its base had it. Raises NotFound."""
        with self.engine.db.read() as connection:
            self._require(connection)
            draft = drafts.get(connection, draft_id)
            return _picked(drafts.base_of(connection, draft) if before else drafts.files(connection, draft), path)

    def deployed(self, number: int, path: str) -> bytes:
        """A file of a deployment. Raises NotFound."""
        with self.engine.db.read() as connection:
            self._require(connection)
            return _picked(read_files(connection, number), path)

    # -- to do --------------------------------------------------------------------------------------------------------
    def make(self, title: str) -> Draft:
        """A new draft over the newest deployment."""
        return self._do(lambda connection: drafts.make(connection, title=title, by=self.actor, now=self.engine.now()))

    def put(self, draft_id: str, given: Mapping[str, bytes | None], *, rev: int | None = None) -> int:
        """Save files into a draft; None takes a file out. Raises Conflict, Invalid, NotFound."""
        now = self.engine.now()
        return self._do(lambda connection: drafts.save(connection, draft_id, given, by=self.actor, rev=rev, now=now))

    def give_up(self, draft_id: str, path: str) -> int:
        """Have a file as in the base again."""

        def work(connection: Connection) -> int:
            base = drafts.base_of(connection, drafts.get(connection, draft_id))
            given = {path: base.get(path)}
            return drafts.save(connection, draft_id, given, by=self.actor, rev=None, now=self.engine.now())

        return self._do(work)

    def fork(self, draft_id: str, title: str) -> Draft:
        """A draft of one's own with what this one holds."""
        now = self.engine.now()
        return self._do(lambda connection: drafts.fork(connection, draft_id, title=title, by=self.actor, now=now))

    def drop(self, draft_id: str) -> Draft:
        """Give an open draft up; its saves stay in the database."""
        return self._do(lambda connection: drafts.settle(connection, draft_id, "dropped"))

    def bring_up(self, draft_id: str, *, ours: bool = False) -> list[str]:
        """Lay the draft over the newest deployment; return what both changed, and then nothing happened unless `ours`
        says that the draft's is meant."""

        def work(connection: Connection) -> list[str]:
            _, both = drafts.brought_up(connection, draft_id, by=self.actor, now=self.engine.now())
            if both and ours:
                drafts.decide_for_ours(connection, draft_id, now=self.engine.now())
                return []
            return both

        return self._do(work)

    def roll_back(self, number: int) -> Draft:
        """A draft that says what deployment `number` said, to go through the same procedure. Raises NotFound."""

        def work(connection: Connection) -> Draft:
            newest = latest_number(connection) or 0
            if not 1 <= number < newest:
                raise NotFound("deployment_not_found", text={"zh-CN": "没有这一版发布", "en": "No such deployment"})
            old, now = read_files(connection, number), read_files(connection, newest)
            title, at = f"回滚到第 {number} 版 · Back to {number}", self.engine.now()
            made = drafts.make(connection, title=title, by=self.actor, now=at)
            given = {path: old.get(path) for path in sorted({*old, *now}) if old.get(path) != now.get(path)}
            drafts.save(connection, made.draft_id, given, by=self.actor, rev=0, now=at)
            return drafts.get(connection, made.draft_id)

        return self._do(work)

    def require(self) -> None:
        """Raise Denied unless the actor is a designer."""
        with self.engine.db.read() as connection:
            self._require(connection)

    def _do(self, work: Callable[[Connection], T]) -> T:
        def checked(connection: Connection) -> T:
            self._require(connection)
            return work(connection)

        return self.engine.db.write(checked)

    def _require(self, connection: Connection) -> None:
        who = require_active(connection, self.actor, self.engine.now())
        if f"g:{DESIGNERS}" not in who.own:
            raise Denied(
                "designers_only", text={"zh-CN": "该页面仅限流程设计员", "en": "This is for process designers"}
            )


def path_of(name: str, process: str, kind: str) -> str:
    """Where an uploaded file belongs: diagrams and tables at the top, JSON among a procedure's forms or scenarios.
    Raises Invalid."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    if base.endswith((".bpmn", ".dmn", ".csv")):
        return base
    if base.endswith(".json") and process and kind in ("forms", "scenarios"):
        return f"{process}/{kind}/{base}"
    text = {
        "zh-CN": f"「{base[:80]}」不能导入：只接受 .bpmn、.dmn、.csv，以及归属某个流程的 .json",
        "en": f"“{base[:80]}” cannot be imported: .bpmn, .dmn, .csv, and .json that belongs to a procedure",
    }
    raise Invalid({"files": text})


def _picked(files: Mapping[str, Any], path: str) -> bytes:
    if path not in files:
        raise NotFound(
            "file_not_found", text={"zh-CN": "没有文件「{path}」", "en": "There is no file “{path}”"}, path=path
        )
    return bytes(files[path])
