"""Runs scenarios: a procedure played through by named people on a throw-away demo company with a clock of its own.

Every scenario gets a copy of one prepared SQLite database, so none sees another's cases; time moves only where the file
says so, and everything due in between happens in order.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pysqlite3

import processes
from engine import Database, Engine, migrate, queries
from engine.calendar import Calendar, DurationError
from engine.errors import Conflict, Denied, ExecutionFailed, GateRefused, GuijuError, Invalid, NotFound
from engine.personal import Keyring
from processes.bundle import collect
from processes.complaint.seal import Seal
from processes.scenario_expect import Mismatch, compare_expectation
from processes.scenario_file import DEFAULT_NOW, KINDS, StepFailed, Text, moment, read


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a scenario failed: at step `step` (from 1; 0 = the start, None = the closing expectation)."""

    step: int | None
    what: Text
    expected: Any = None
    actual: Any = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one scenario went. `path` lists the element ids in the order they were entered."""

    file: str
    name: str
    passed: bool
    seconds: float
    path: tuple[str, ...] = ()
    failure: Failure | None = None


class ScenarioClock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was last set to."""
        return self._now

    def set(self, moment: datetime) -> None:
        """Move on to `moment`."""
        self._now = moment.astimezone(UTC)


class Stage:
    """The demo company, prepared once and put back for every scenario. Use as a context manager.

    One database stays open: what its statements cost to compile is paid once, not for every scenario.
    """

    def __init__(self, source: Stage | None = None, change: Callable[[Engine], object] | None = None) -> None:
        """`source`: a stage to begin with instead of loading the company; `change` is made before anything plays."""
        shm = Path("/dev/shm")
        self._folder = tempfile.TemporaryDirectory(
            prefix="guiju-scenario-", dir=shm if shm.is_dir() else None, ignore_cleanup_errors=True
        )
        self._keys: dict[str, str] = (
            source._keys if source else {"seal_key": Seal.new_key(), "personal_key": Keyring.new_key()}
        )
        self._db = Database.open(f"sqlite:///{Path(self._folder.name) / 'demo.db'}")
        self._untouched = pysqlite3.connect(":memory:", check_same_thread=False)
        self._copying = threading.Lock()
        try:
            clock = ScenarioClock(datetime.fromisoformat(DEFAULT_NOW))
            engine = processes.build_engine(self._db, clock=clock, **self._keys)
            if source:
                source._copy_to(self._db)
            else:
                migrate(self._db)
                processes.load_demo(engine)
            if change:
                change(engine)
            with _raw(self._db) as prepared:
                prepared.backup(self._untouched)
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._untouched.close()
        self._db.close()
        self._folder.cleanup()

    @contextmanager
    def company(self, now: datetime) -> Iterator[tuple[Engine, ScenarioClock]]:
        """An engine on the company as it was prepared, its clock at `now`. One at a time."""
        self._copy_to(self._db)
        clock = ScenarioClock(now)
        yield processes.build_engine(self._db, clock=clock, **self._keys), clock

    def _copy_to(self, db: Database) -> None:
        with self._copying, _raw(db) as target:
            self._untouched.backup(target)


@contextmanager
def _raw(db: Database) -> Iterator[Any]:
    connection = db.bind.raw_connection()
    try:
        yield connection.dbapi_connection
    finally:
        connection.close()


def run_file(path: Path, stage: Stage) -> Outcome:
    """Play the scenario at `path`; never raises for what the file or the procedure got wrong."""
    began = time.perf_counter()
    play: _Play | None = None
    name = path.stem
    try:
        scenario = read(path)
        name = str(scenario.get("name") or path.stem)
        with stage.company(moment(scenario.get("now", DEFAULT_NOW))) as (engine, clock):
            if not scenario.get("recurring"):
                engine.schedules = None  # else every scenario would carry the company's patrols along
            play = _Play(engine, clock, scenario, path.parent)
            play.run()
        failure = None
    except StepFailed as error:
        step = play.step if play else 0
        failure = Failure(step=step, what=error.what, expected=error.expected, actual=error.actual)
    except GuijuError as error:
        failure = Failure(step=play.step if play else 0, what=dict(error.message), actual=_details(error))
    return Outcome(
        file=str(path),
        name=name,
        passed=failure is None,
        seconds=time.perf_counter() - began,
        path=play.path if play else (),
        failure=failure,
    )


@dataclass
class _Play:
    engine: Engine
    clock: ScenarioClock
    scenario: Mapping[str, Any]
    folder: Path
    step: int | None = 0
    path: tuple[str, ...] = ()
    instance: str = ""
    calendar: Calendar = field(default_factory=Calendar)

    def run(self) -> None:
        """Deploy the scenario's own diagrams, start, do the steps, and look at how it ended."""
        if diagrams := self.scenario.get("diagrams"):
            self.engine.deploy(collect([self.folder / name for name in diagrams]), by="scenario")
        start = self.scenario.get("start", {})
        result = self.engine.start(self.scenario["process"], start.get("variables", {}), by=start.get("by"))
        self.instance = result.instance_id
        try:
            self._settle()
            for number, step in enumerate(self.scenario.get("steps", ()), 1):
                self.step = number
                self._do(step)
                self._settle()
            self.step = None
            self._expect(self.scenario.get("expect", {}))
        finally:
            self.path = queries.inspect(self.engine, self.instance).path

    def _do(self, step: Mapping[str, Any]) -> None:
        kind = next(kind for kind in KINDS if kind in step)
        value, by = step[kind], step.get("by", "")
        if kind == "complete":
            task = self._own_task(value, by)
            self.engine.complete(task, step.get("variables", {}), by=by)
        elif kind == "claim":
            self._own_task(value, by, claiming=True)
        elif kind == "denied":
            self._denied(value, by, step.get("variables", {}))
        elif kind == "withdraw":
            self.engine.withdraw(self.instance, by=by, reason=step.get("reason", ""))
        elif kind == "after":
            try:
                self._move(self.calendar.add(self.clock.now(), value))
            except DurationError as error:
                raise StepFailed(f"「{value}」不是时长", str(error)) from error
        elif kind == "until":
            self._move(moment(value))
        else:
            self._expect(value)

    def _own_task(self, element: str, by: str, *, claiming: bool = False) -> str:
        """The one open task of `element` that `by` may do, claimed for them when nobody has it."""
        mine, claimable = self._listed(element, by, "mine"), self._listed(element, by, "claimable")
        if claimable and (claiming or not mine):
            self.engine.claim(claimable[0], by=by)
            return claimable[0]
        if mine:
            return mine[0]
        raise StepFailed(
            f"「{by}」没有可办的「{element}」任务",
            f"“{by}” has no task “{element}” to do",
            expected={"open_to": by, "element": element},
            actual={"open": self._open_counts()},
        )

    def _listed(self, element: str, by: str, tab: str) -> list[str]:
        """Ids of this case's open tasks of `element` in a tab of the actor's inbox."""
        found: list[str] = []
        cursor: str | None = None
        while True:
            page = queries.inbox(self.engine, actor=by, tab=tab, cursor=cursor, limit=100)
            found += [row.task_id for row in page.items if row.instance_id == self.instance and row.element == element]
            cursor = page.next
            if cursor is None:
                return found

    def _denied(self, element: str, by: str, variables: Mapping[str, Any]) -> None:
        """`by` can neither list, open, claim nor complete any open task of `element`."""
        tasks = [task.task_id for task in queries.inspect(self.engine, self.instance).open if task.element == element]
        if not tasks:
            raise StepFailed(
                f"没有未办的「{element}」任务可供核验",
                f"No open task “{element}” to be denied",
                expected={"open": {element: "at least 1"}},
                actual={"open": self._open_counts()},
            )
        allowed = [f"list:{tab}" for tab in ("mine", "claimable") if self._listed(element, by, tab)]
        for task in tasks:
            attempts: dict[str, Callable[[], object]] = {
                "open": partial(queries.task, self.engine, task, actor=by),
                "claim": partial(self.engine.claim, task, by=by),
                "complete": partial(self.engine.complete, task, variables, by=by),
            }
            for verb, attempt in attempts.items():
                try:
                    attempt()
                except (Denied, NotFound):
                    continue
                except Conflict:
                    if verb != "open":  # somebody else has it: refused as well
                        continue
                except Invalid:
                    pass  # got as far as the form: nobody stopped them
                allowed.append(verb)
        if allowed:
            raise StepFailed(
                f"「{by}」本应无权接触「{element}」",
                f"“{by}” should have been denied “{element}”",
                expected={"denied": ["list", "open", "claim", "complete"]},
                actual={"allowed": sorted(set(allowed))},
            )

    def _expect(self, expectation: Mapping[str, Any]) -> None:
        seen = queries.inspect(self.engine, self.instance)
        registers = {name: queries.register_rows_of(self.engine, name) for name in expectation.get("register", {})}
        mismatches: list[Mismatch] = compare_expectation(expectation, seen, registers)
        if mismatches:
            names = "、".join(mismatch.name for mismatch in mismatches)
            raise StepFailed(
                f"与预期不符：{names}",
                f"Not as expected: {', '.join(mismatch.name for mismatch in mismatches)}",
                expected={mismatch.name: mismatch.expected for mismatch in mismatches},
                actual={mismatch.name: mismatch.actual for mismatch in mismatches},
            )

    def _settle(self) -> None:
        """Do what is due now, such as external operations."""
        self._move(self.clock.now())

    def _move(self, target: datetime) -> None:
        """Let time pass until `target`; everything due on the way happens at its own moment, in order."""
        self.engine.refresh_schedules()
        while (due := self.engine.next_due()) is not None and due <= target:
            self.clock.set(max(due, self.clock.now()))
            if not self.engine.tick():
                break
        self.clock.set(max(target, self.clock.now()))

    def _open_counts(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for task in queries.inspect(self.engine, self.instance).open:
            counts[task.element] = counts.get(task.element, 0) + 1
        return counts


def _details(error: GuijuError) -> Any:
    """What an engine error knows beyond its sentence."""
    if isinstance(error, Invalid):
        return error.fields
    if isinstance(error, GateRefused):
        return [{"file": p.file, "line": p.line, "element": p.element, "code": p.code} for p in error.problems]
    if isinstance(error, ExecutionFailed):
        return {"code": error.code, "element": error.element, "process": error.process, "reason": error.reason}
    return {"code": error.code}
