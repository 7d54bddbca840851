"""A case: started, loaded, advanced by one command, asked what it waits for, packed again. The one face of this
package.

Every command runs on a `Context` that answers for everything that differs between two runs; the same answers give the
same bytes. A command that fails leaves the case unusable: drop it and load it again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from SpiffWorkflow.util.task import TaskState

from engine.spiff import codec, determinism
from engine.spiff.codec import FORMAT
from engine.spiff.determinism import Context
from engine.spiff.facts import HumanTask, OperationCall, OperationWait, TimerWait, Trace, Waiting
from engine.spiff.failures import NotOpen, Stalled, bad_value
from engine.spiff.parse import Definitions
from engine.spiff.steps import EndEvent, ServiceTask, UserTask
from engine.spiff.timers import due_at
from engine.spiff.values import NotJson, kept
from engine.spiff.workflow import Root, Token

__all__ = ["FORMAT", "Case", "Context", "HumanTask", "OperationCall", "OperationWait", "TimerWait", "Trace", "Waiting"]


class Case:
    """See the module. `status` is active, completed or cancelled; `end` the last end event reached in the case's
    own process.
    """

    between: ClassVar[Callable[[Case], None] | None] = None  # for tests: called after every step of the engine

    def __init__(self, root: Root, definitions: Definitions) -> None:
        self._root = root
        self._definitions = definitions

    @property
    def status(self) -> str:
        """active, completed or cancelled."""
        return self._root.status

    @property
    def end(self) -> str | None:
        """The last end event reached in the case's own process."""
        return self._root.end

    @property
    def process(self) -> str:
        """The process the case is of."""
        return str(self._root.spec.name)

    # -- made and kept ----------------------------------------------------------------------------------------------
    @classmethod
    def start(cls, definitions: Definitions, process: str, variables: Mapping[str, Any], ctx: Context) -> Case:
        """A new case of `process`, advanced until it waits. Raises ExecutionFailed."""
        specs = definitions.specs
        start = definitions.processes[process].start.id
        case = cls(Root(specs[process], specs, definitions, _kept(variables, start, process)), definitions)
        with determinism.running(ctx):
            case._root.plant()
            case._guarded(case._root.begin)
        return case

    @classmethod
    def load(cls, definitions: Definitions, state: bytes) -> Case:
        """The case that `dump` gave."""
        return cls(codec.unpack(state, definitions), definitions)

    def dump(self, format_: int = codec.FORMAT) -> bytes:
        """The case as bytes: the same case always gives the same ones. Raises ValueError for an unknown format."""
        return codec.pack(self._root, format_)

    # -- commands ---------------------------------------------------------------------------------------------------
    def complete(self, token: str, result: Mapping[str, Any], ctx: Context) -> None:
        """Finish an open user task with its result. Raises NotOpen, ExecutionFailed."""
        task = self._open(token, TaskState.READY)
        spec = task.task_spec
        if not isinstance(spec, UserTask):
            raise NotOpen()
        values = _kept(result, spec.bpmn_id, spec.process)
        with determinism.running(ctx):
            self._guarded(lambda: spec.finish(task, values))

    def fire(self, token: str, ctx: Context) -> None:
        """Let one timer fire that is due by the context's horizon. Raises NotOpen, ExecutionFailed."""
        timer = self._open(token, TaskState.WAITING)
        if "due" not in timer.internal_data or due_at(timer) > ctx.horizon:
            raise NotOpen()
        with determinism.running(ctx):
            self._guarded(lambda: timer.task_spec.fire(timer))

    def finish_operation(self, token: str, result: Mapping[str, Any], ctx: Context) -> None:
        """Give the result of an external operation. Raises NotOpen, ExecutionFailed."""
        waiting = self._open(token, TaskState.STARTED)
        spec = waiting.task_spec
        if not isinstance(spec, ServiceTask):
            raise NotOpen()
        with determinism.running(ctx):
            self._guarded(lambda: spec.finish(waiting, result))

    def withdraw(self, element: str, ctx: Context) -> None:
        """Stop everything and go on from `element` of the case's own process: an end event, or an operation that puts
        things in order before one. Raises NotOpen when the case is over."""
        self._require_active()
        spec = self._root.spec.task_specs.get(element)
        if not isinstance(spec, EndEvent | ServiceTask):
            zh, en = f"「{element}」不是流程的结束事件", f"“{element}” is not an end event of the process"
            raise bad_value(element, self.process, zh, en)
        with determinism.running(ctx):
            self._root.clear(self._root)
            token = Token(self._root, spec, self._root.task_tree)
            self._guarded(lambda: spec._update(token))

    def cancel(self, ctx: Context) -> None:
        """Stop everything. Raises NotOpen when the case is over."""
        self._require_active()
        with determinism.running(ctx):
            self._root.clear(self._root)
            self._root.status = "cancelled"

    # -- questions --------------------------------------------------------------------------------------------------
    def waiting(self) -> Waiting:
        """Everything the case waits for."""
        tasks, timers, operations = [], [], []
        if self._root.status == "active":
            for token in self._root.tokens():
                spec, state = token.task_spec, token._state
                if state == TaskState.READY and spec.manual:
                    tasks.append(_human(token))
                elif state == TaskState.WAITING and "due" in token.internal_data:
                    timers.append(
                        TimerWait(
                            token=token.id,
                            element=spec.bpmn_id,
                            process=spec.process,
                            due=due_at(token),
                            interrupting=bool(spec.interrupting),
                        )
                    )
                elif state == TaskState.STARTED and isinstance(spec, ServiceTask):
                    call = spec.call(token)
                    wait = OperationWait(token=call.token, element=call.element, process=call.process, call=call)
                    operations.append(wait)
        return Waiting(tasks=tuple(tasks), timers=tuple(timers), operations=tuple(operations))

    def variables(self) -> dict[str, Any]:
        """The case's variables as they stand, with those that only a called process at work knows."""
        found: dict[str, Any] = {}
        for process in reversed(self._root.processes()):
            if process.scope is not None:
                found.update(process.scope)
        return found

    def take_trace(self) -> list[Trace]:
        """What happened since this was last asked, in order."""
        trace, self._root.trace = self._root.trace, []
        return trace

    # -- inside -----------------------------------------------------------------------------------------------------
    def _require_active(self) -> None:
        if self._root.status != "active":
            raise NotOpen()

    def _open(self, id: str, state: int) -> Token:
        self._require_active()
        token = self._root.find(id)
        if token is None or token._state != state:
            raise NotOpen()
        return token

    def _guarded(self, first: Callable[[], Any]) -> None:
        """Do `first`, then advance until only people, timers and operations are left."""
        self._root.steps = 0
        try:
            first()
            while self._root.step():
                if Case.between is not None:
                    Case.between(self)
        except RecursionError as error:
            raise self._stalled("recursion") from error
        if self._root.status == "active" and not self._can_move():
            raise self._stalled("a join waits for a token that cannot come")

    def _can_move(self) -> bool:
        for token in self._root.tokens():
            state, spec = token._state, token.task_spec
            if state == TaskState.READY or (state == TaskState.WAITING and "due" in token.internal_data):
                return True
            if state == TaskState.STARTED and isinstance(spec, ServiceTask):
                return True
        return False

    def _stalled(self, reason: str) -> Stalled:
        for token in reversed(list(self._root.tokens())):
            if token._state != TaskState.STARTED:
                return Stalled(element=token.task_spec.bpmn_id, process=token.task_spec.process, reason=reason)
        return Stalled(element="", process=self.process, reason=reason)


def _human(token: Token) -> HumanTask:
    spec = token.task_spec
    local = token.local or {}
    name = spec.container.input_name if spec.container is not None else ""
    return HumanTask(
        token=token.id,
        element=spec.bpmn_id,
        process=spec.process,
        scope=token.workflow.path,
        item=local.get(name) if name else None,
        index=token.internal_data.get("index"),
        data=token.visible() if token.local else dict(token.visible()),
    )


def _kept(variables: Mapping[str, Any], element: str, process: str) -> dict[str, Any]:
    try:
        return kept(variables)
    except NotJson as error:
        zh, en = f"变量「{error.where}」不是 JSON 值：{error.what}", f"“{error.where}” is not JSON: {error.what}"
        raise bad_value(element, process, zh, en) from error
