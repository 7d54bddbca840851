"""Timers and the events that wait for them: when they are due is asked of the command, and they fire when the case
is told so.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from SpiffWorkflow.bpmn.specs import defaults as bpmn
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import ErrorEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.util.task import TaskState

from engine.spiff import determinism, scripting
from engine.spiff.expressions import Expression, compile_expression
from engine.spiff.failures import bad_value
from engine.spiff.steps import Step
from engine.spiff.workflow import Token

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LITERAL = re.compile(
    r"\d+(\.\d+)?w[dh]|P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"
    r"|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?(Z|[+-]\d\d:?\d\d)?|R\d*/.+"
)
CYCLE = re.compile(r"R(\d*)/(?:(\d{4}-[^/]+)/)?([^/]+)")
QUOTED = re.compile(r"""(["'])([^"'\\]*)\1""")


def literal(text: str) -> str | None:
    """The time written in a diagram when it is written out (quoted or not); None when it is an expression giving
    one.
    """
    text = text.strip()
    if quoted := QUOTED.fullmatch(text):
        text = quoted.group(2).strip()
    return text if LITERAL.fullmatch(text) else None


class Timer(TimerEventDefinition):
    """A time of a diagram: a duration, a date, or a cycle `R3/PT24H`."""

    def __init__(self, name: str, text: str, **named: Any) -> None:
        super().__init__(name, text, **named)
        self.written = literal(text)
        self.worked_out: Expression | None = None if self.written else compile_expression(text)

    def schedule(self, token: Token) -> None:
        """Ask when the timer is due, and keep the answer with the token."""
        value = self.written if self.worked_out is None else scripting.evaluate(token, self.worked_out)
        state, now = token.internal_data, determinism.context().now
        spec = token.task_spec
        if not isinstance(value, str):
            zh, en = f"定时「{self.expression}」没有给出时间", f"timer “{self.expression}” gave no time"
            raise bad_value(spec.bpmn_id, spec.process, zh, en)
        cycle = CYCLE.fullmatch(value)
        if cycle is None:
            self._set(token, self._due(token, value, now))
            return
        state["every"] = cycle.group(3)
        state["more"] = int(cycle.group(1)) - 1 if cycle.group(1) else -1
        self._set(token, self._due(token, cycle.group(2) or cycle.group(3), now))

    def again(self, token: Token) -> bool:
        """Set the next time of a cycle, counted from the last one; False when there is none."""
        state = token.internal_data
        if not state.get("more"):
            return False
        state["more"] = max(state["more"] - 1, -1)
        self._set(token, self._due(token, state["every"], due_at(token)))
        return True

    def _due(self, token: Token, value: str, start: datetime) -> datetime:
        spec = token.task_spec
        due = determinism.context().due(spec.bpmn_id, value, start)
        if due.tzinfo is None:
            raise bad_value(spec.bpmn_id, spec.process, f"时间「{value}」没有时区", f"time “{value}” has no time zone")
        return due.astimezone(UTC)

    def _set(self, token: Token, due: datetime) -> None:
        token.internal_data["due"] = (due - EPOCH) // timedelta(microseconds=1)
        parent = token.parent
        watched = {} if parent._parent is None else {"host": parent.id}  # the activity or gateway it waits beside
        token.workflow.log("timer_scheduled", token, due=due.isoformat(), **watched)


def due_at(token: Token) -> datetime:
    """When the timer at this token is due."""
    return EPOCH + timedelta(microseconds=token.internal_data["due"])


class TimerEvent(Step, bpmn.IntermediateCatchEvent):
    """Waits for a time on its way, or below an event-based gateway as one of several."""

    interrupting = False

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        if not isinstance(self.event_definition, Timer):
            raise ValueError("an intermediate event can only wait for a timer")

    def _update_hook(self, token: Token) -> bool:
        token._set_state(TaskState.WAITING)
        self.event_definition.schedule(token)
        return False

    def watch(self, gateway: Token) -> None:
        """Begin to wait for the gateway."""
        token = Token(gateway.workflow, self, gateway, TaskState.WAITING)
        self.event_definition.schedule(token)

    def fire(self, token: Token) -> None:
        """The time has come."""
        token.workflow.log("timer_fired", token, due=due_at(token).isoformat())
        gateway = token.parent
        if isinstance(gateway.task_spec, EventGateway):
            flows = [way.flow for way in gateway.task_spec.ways if way.target is self]
            token.workflow.log("left", gateway, flows=flows)
            token.move_up()
            gateway._set_state(TaskState.COMPLETED)
            token.workflow.top_workflow.discard(gateway)
            self.note_entered(token)
        token._ready()

    def seen(self, token: Token) -> bool:
        return not isinstance(token.parent.task_spec, EventGateway)


class EventGateway(Step, bpmn.EventBasedGateway):
    """Waits for several timers; the first one goes on, the others are dropped."""

    def connect(self, child: Any) -> None:
        self._outputs.append(child.name)  # the library would move the events into the gateway and mix their values up
        child._connect_notify(self)

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        if not all(isinstance(way.target, TimerEvent) and len(way.target._inputs) == 1 for way in self.ways):
            raise ValueError("an event-based gateway may lead to timer events of its own only")

    def _update_hook(self, token: Token) -> bool:
        token._set_state(TaskState.STARTED)
        for way in self.ways:
            way.target.watch(token)
        return False

    def seen(self, token: Token) -> bool:
        return bool(token._state != TaskState.COMPLETED)


class BoundaryEvent(Step, bpmn.BoundaryEvent):
    """A timer or an error attached to an activity."""

    timer: Timer | None
    error: str | None

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        definition = self.event_definition
        self.timer = definition if isinstance(definition, Timer) else None
        self.catching = isinstance(definition, ErrorEventDefinition)
        self.error = definition.code if self.catching else None
        self.interrupting = self.cancel_activity
        if self.timer is None and not self.catching:
            raise ValueError("a boundary event can only be a timer or an error")

    def catches_error(self, code: str | None) -> bool:
        """Whether this event catches errors with this code; one without a code catches all."""
        return self.catching and self.error in (None, code)

    def watch(self, host: Token) -> None:
        """The activity has started: set the timer."""
        if self.timer is not None:
            token = Token(host.workflow, self, host, TaskState.WAITING)
            self.timer.schedule(token)

    def fire(self, token: Token) -> None:
        """The time has come: stop the activity, or let a token go on beside it."""
        workflow, host = token.workflow, token.parent
        workflow.log("timer_fired", token, due=due_at(token).isoformat())
        if self.interrupting:
            token.move_up()
            workflow.top_workflow.discard(host)
        elif self.timer is not None and token.internal_data.get("more"):
            beside = Token(workflow, self, host.parent)
            self.note_entered(beside)
            beside._ready()
            self.timer.again(token)
            return
        else:
            token.move_up()
        self.note_entered(token)
        token._ready()

    def take_over(self, host: Token) -> None:
        """An error inside the activity: stop it and go on here."""
        token = Token(host.workflow, self, host.parent)
        host.workflow.top_workflow.discard(host)
        self.note_entered(token)
        token._ready()

    def seen(self, token: Token) -> bool:
        return bool(token._state != TaskState.WAITING)
