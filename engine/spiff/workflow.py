"""Tokens and the processes they move through: the library's `Task` and `BpmnWorkflow`, kept flat.

The library keeps every finished task, predicts future ones and walks that tree after each completion. Here a token
that has gone on is removed and nothing is predicted, so a process holds its active tokens and nothing else: scans are
flat, loops leave nothing behind, and what is stored stays small however long a case runs.

The tree that is left says who stops whom: under the root stand the active tokens, under a multi-instance activity its
instances, under an activity its waiting boundary timers, under an event-based gateway its events.

Variables belong to a process (or a called one), not to a token: parallel branches write into the same variables, so a
join has nothing to merge and loses nothing. An instance of a multi-instance activity has variables of its own on top.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from SpiffWorkflow.bpmn.util.subworkflow import BpmnBaseWorkflow, BpmnSubWorkflow
from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
from SpiffWorkflow.task import Task
from SpiffWorkflow.util.task import TaskState

from engine.spiff import determinism
from engine.spiff.facts import Trace
from engine.spiff.failures import Stalled, StepBudgetExceeded
from engine.spiff.scripting import Engine

ROOT = ""  # the id of every root token; all others have the text of a UUID
STEP_BUDGET = 2_000
CALL_DEPTH = 50
ACTIVE = TaskState.WAITING | TaskState.READY | TaskState.STARTED


class Token(Task):
    """A place where a process stands. `source`: the element it came from; `local`: variables of this instance alone."""

    def __init__(
        self,
        workflow: Any,
        spec: Any,
        parent: Token | None = None,
        state: int = TaskState.FUTURE,
        id: str | None = None,
        source: str | None = None,
        local: dict[str, Any] | None = None,
    ) -> None:
        self.id: str = str(determinism.context().new_id()) if id is None else id
        self.workflow = workflow
        self.task_spec = spec
        self._state = state
        self._parent: str | None = None
        self._children: list[str] = []
        self.internal_data: dict[str, Any] = {}
        self.source = source
        self.local = local
        self.triggered = False
        self.thread_id = 0
        self.last_state_change = 0.0
        workflow.tasks[self.id] = self
        if parent is not None:
            self._parent = parent.id
            parent._children.append(self.id)

    def _set_state(self, value: int) -> None:
        self._state = value

    def _add_child(self, task_spec: Any, state: int = TaskState.MAYBE) -> Token:
        return Token(self.workflow, task_spec, self, state)

    @property
    def data(self) -> dict[str, Any]:
        """The variables this token sees. Not to be changed in place."""
        return self.visible()

    def visible(self) -> dict[str, Any]:
        """The variables this token sees. Not to be changed in place."""
        outer: dict[str, Any] = self.workflow.visible()
        return {**outer, **self.local} if self.local else outer

    def write(self, variables: Mapping[str, Any]) -> None:
        """Set variables: this instance's own when it has some, else the process's."""
        if self.local is not None:
            self.local = {**self.local, **variables}
        else:
            self.workflow.write(variables)

    def move_up(self) -> None:
        """Stand beside the parent instead of below it: what happens to the parent no longer concerns this token."""
        parent = self.parent
        parent._children.remove(self.id)
        above = parent.parent
        self._parent = above.id
        above._children.append(self.id)

    def remove(self) -> None:
        """Take this token away; it must have no children left."""
        parent = self.parent
        if parent is not None:
            parent._children.remove(self.id)
        del self.workflow.tasks[self.id]


class Process(BpmnBaseWorkflow):
    """What the case's own process and the called ones share."""

    host: Token | None
    scope: dict[str, Any] | None  # None: an embedded subprocess, whose variables are its host's
    written: set[str]  # names written since the process was called
    path: tuple[str, ...]
    top_workflow: Any

    def plant(self) -> Token:
        """Make the root token. It is never stored: it stands for the process itself."""
        self.task_tree = Token(self, self.spec.start, None, TaskState.COMPLETED, ROOT)
        return self.task_tree

    def begin(self) -> None:
        """Put a token on the start event."""
        for spec in self.spec.start.outputs:
            token = Token(self, spec, self.task_tree)
            spec._update(token)

    def visible(self) -> dict[str, Any]:
        """The variables seen in this process."""
        if self.scope is not None:
            return self.scope
        assert self.host is not None
        return self.host.visible()

    def write(self, variables: Mapping[str, Any]) -> None:
        """Set variables of this process."""
        if self.scope is None:
            assert self.host is not None
            self.host.write(variables)
        else:
            self.scope.update(variables)
            self.written.update(variables)

    def log(self, kind: str, token: Token, **data: Any) -> None:
        """Note that something happened at a token."""
        spec = token.task_spec
        self.top_workflow.trace.append(Trace(kind, spec.bpmn_id, spec.process, token.id, self.path, data))

    def is_completed(self) -> bool:
        """Whether no token is left."""
        return len(self.tasks) == 1

    def get_next_task(self, first_task: Any = None, **criteria: Any) -> Token | None:
        """The first token that meets the library's criteria, by a flat scan."""
        return next(iter(self.get_tasks(first_task, **criteria)), None)

    def get_tasks(self, first_task: Any = None, state: int = TaskState.ANY_MASK, **criteria: Any) -> list[Token]:
        """Tokens that meet the library's criteria (`state`, `spec_name`, `manual`), by a flat scan."""
        return [
            token
            for token in self.tasks.values()
            if token._state & state and all(_meets(token, name, value) for name, value in criteria.items())
        ]

    def update_waiting_tasks(self) -> None:
        """Nothing: what waits is woken by what it waits for."""


def _meets(token: Token, name: str, value: Any) -> bool:
    if name == "spec_name":
        return bool(token.task_spec.name == value)
    if name == "manual":
        return bool(token.task_spec.manual == value)
    raise TypeError(f"unknown criterion {name}")


class Called(Process, BpmnSubWorkflow):
    """A called process or an embedded subprocess, at work for its host token."""

    def __init__(self, spec: Any, host: Token, scope: dict[str, Any] | None, written: set[str] | None = None) -> None:
        self.host = host
        self.scope = scope
        self.written = set() if written is None else written
        self.parent_task_id = host.id
        self.top_workflow = host.workflow.top_workflow
        self.correlations: dict[str, Any] = {}
        self.depth = host.workflow.depth + 1
        self.path = (*host.workflow.path, host.id)
        BpmnBaseWorkflow.__init__(self, spec, deserializing=True)

    @property
    def parent_workflow(self) -> Any:
        assert self.host is not None
        return self.host.workflow


class Root(Process, BpmnWorkflow):
    """The case's own process, with all those it called."""

    def __init__(self, spec: Any, specs: Mapping[str, Any], definitions: Any, scope: dict[str, Any]) -> None:
        self.host = None
        self.scope = scope
        self.written = set()
        self.path = ()
        self.definitions = definitions
        self.status = "active"
        self.end: str | None = None
        self.trace: list[Trace] = []
        self.steps = 0
        BpmnWorkflow.__init__(self, spec, specs, script_engine=ENGINE, deserializing=True)

    # -- called processes -------------------------------------------------------------------------------------------
    def open(self, host: Token, name: str, scope: dict[str, Any] | None) -> Called:
        """Begin the process `name` for `host`."""
        if host.workflow.depth >= CALL_DEPTH:
            spec = host.task_spec
            raise Stalled("too_deep", element=spec.bpmn_id, process=spec.process, reason=f"{CALL_DEPTH} calls deep")
        called = Called(self.subprocess_specs[name], host, scope)
        self.subprocesses[host.id] = called
        called.plant()
        called.begin()
        return called

    def processes(self) -> list[Any]:
        """This process and the called ones, callers first."""
        return [self, *self.subprocesses.values()] if self.subprocesses else [self]

    def tokens(self) -> Iterator[Token]:
        """Every token but the roots, oldest first in each process, callers first."""
        for process in self.processes():
            for token in process.tasks.values():
                if token._parent is not None:
                    yield token

    def find(self, id: str) -> Token | None:
        """The token with this id."""
        found = (process.tasks[id] for process in self.processes() if id != ROOT and id in process.tasks)
        return next(found, None)

    # -- moving -----------------------------------------------------------------------------------------------------
    def spend(self, token: Token) -> None:
        """Count a step of this command. Raises StepBudgetExceeded."""
        self.steps += 1
        if self.steps > STEP_BUDGET:
            spec = token.task_spec
            raise StepBudgetExceeded(element=spec.bpmn_id, process=spec.process, limit=STEP_BUDGET)

    def step(self) -> bool:
        """Let the first ready token of the engine's own go on; False when all is at rest.

        Which token is first follows from the state alone, so saving and loading in between changes nothing.
        """
        if self.status != "active":
            return False
        waiting = []
        for process in self.processes():
            for token in process.tasks.values():
                state = token._state
                if state == TaskState.READY:
                    if not token.task_spec.manual:
                        self.spend(token)
                        token.run()
                        return True
                elif state == TaskState.WAITING and token.task_spec.gathers:
                    waiting.append(token)
        return any(token.task_spec.release(token) for token in waiting)

    def _do_engine_steps(self, will_complete_task: Any = None, did_complete_task: Any = None) -> bool:
        moved = False
        while self.step():
            moved = True
        return moved

    def refresh_timers(self) -> None:
        """Nothing: a timer fires when the case is told so, never by looking at a clock."""

    def settle(self, process: Any, last: Token) -> None:
        """End `process` when `last` was its last token."""
        if len(process.tasks) > 1:
            return
        process.completed = True
        process.log("ended", last, end=last.task_spec.bpmn_id)
        if process is self:
            self.status = "completed"
            return
        host = process.host
        del self.subprocesses[host.id]
        host.task_spec.returned(host, process)

    # -- stopping ---------------------------------------------------------------------------------------------------
    def discard(self, token: Token) -> None:
        """Stop a token with everything below it: instances, timers, called processes."""
        stack = [token]
        below: list[Token] = []
        while stack:
            each = stack.pop()
            below.append(each)
            if each.task_spec.seen(each):
                each.workflow.log("cancelled", each)
            called = self.subprocesses.get(each.id)
            if called is not None:
                stack.extend(reversed([called.tasks[id] for id in called.task_tree._children]))
            stack.extend(reversed(each.children))
        for each in reversed(below):
            each._set_state(TaskState.CANCELLED)
            self.subprocesses.pop(each.id, None)
            each.remove()

    def clear(self, process: Any) -> None:
        """Stop every token of a process."""
        for token in process.task_tree.children:
            self.discard(token)


ENGINE = Engine()
