"""How each element moves tokens: the library's task specs with our own way of entering and leaving.

`_update` is called once on a fresh token; what it returns decides whether the token is ready at once. A ready token
of the engine's own is run by `Root.step`; leaving puts tokens on the flows chosen by `ways_on` and takes the old one
away.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from typing import Any, NamedTuple

from SpiffWorkflow.bpmn.specs import defaults as bpmn
from SpiffWorkflow.bpmn.specs.event_definitions import NoneEventDefinition, TerminateEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import ErrorEventDefinition
from SpiffWorkflow.spiff.specs import defaults as spiff

from engine.spiff import determinism, scripting
from engine.spiff.expressions import Expression, compile_expression, compile_script
from engine.spiff.facts import OperationCall
from engine.spiff.failures import ErrorUncaught, evaluation_failed
from engine.spiff.values import kept
from engine.spiff.workflow import Token


class Way(NamedTuple):
    """A sequence flow out of an element. `condition` is None on the default or only flow."""

    target: Any
    flow: str
    condition: Expression | None


class Step:
    """What all our specs do. `container` is the multi-instance or loop spec around this one, if any."""

    # given by the library's classes
    name: str
    bpmn_id: str
    manual: bool
    _wf_spec: Any
    _inputs: list[str]
    _outputs: list[str]

    joins = False  # lets tokens wait for each other
    gathers = False  # waits for other tokens, and is asked when all is at rest (inclusive joins)

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.process = ""
        self.container: Any = None
        self.boundary_names: list[str] = []
        self.boundaries: list[Any] = []
        self.flow_ids: list[str] = []
        self.ways: list[Way] = []

    def prepare(self, process: str, definitions: Any) -> None:
        """Finish the spec once the whole diagram is parsed: compile texts, resolve names."""
        specs = self._wf_spec.task_specs
        self.process = process
        self.boundaries = [specs[name] for name in self.boundary_names]
        flows = self.flow_ids or [""] * len(self._outputs)
        self.ways = [Way(specs[name], flow, None) for name, flow in zip(self._outputs, flows, strict=True)]

    # -- entering ---------------------------------------------------------------------------------------------------
    def _update(self, token: Token) -> None:
        self.note_entered(token)
        if self._update_hook(token):
            token._ready()

    def note_entered(self, token: Token) -> None:
        """Say that a token came."""
        if "index" in token.internal_data:
            token.workflow.log("entered", token, index=token.internal_data["index"])
        else:
            token.workflow.log("entered", token)

    def _update_hook(self, token: Token) -> bool:
        return True

    def _on_ready(self, token: Token) -> None:
        if self.manual:
            self.open_boundaries(token)

    def open_boundaries(self, token: Token) -> None:
        """Start the timers attached to this element."""
        for boundary in self.boundaries:
            boundary.watch(token)

    # -- running and leaving ----------------------------------------------------------------------------------------
    def _run(self, token: Token) -> bool | None:
        return self._run_hook(token)

    def _run_hook(self, token: Token) -> bool | None:
        return True

    def ways_on(self, token: Token) -> list[Way]:
        """The flows that get a token now."""
        return self.ways

    def _on_complete(self, token: Token) -> None:
        workflow, top = token.workflow, token.workflow.top_workflow
        for child in token.children:  # timers that need not fire any more
            top.discard(child)
        if self.container is not None:
            workflow.log("left", token, index=token.internal_data["index"])
            parent = token.parent
            token.remove()
            self.container.instance_done(parent, token)
            return
        ways = self.ways_on(token)
        workflow.log("left", token, flows=[way.flow for way in ways if way.flow])
        parent = token.parent
        token.remove()
        fresh = [Token(workflow, way.target, parent, source=self.name) for way in ways]
        for each in fresh:
            each.task_spec._update(each)
        top.settle(workflow, token)

    def seen(self, token: Token) -> bool:
        """Whether stopping this token is worth telling."""
        return True


class Passing(Step, spiff.NoneTask):
    """A task or event at which nothing happens."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.manual = False


class StartEvent(Step, bpmn.StartEvent):
    """The one plain start of a process."""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        if not isinstance(self.event_definition, NoneEventDefinition):
            raise ValueError("only a plain start event can be executed")


class MilestoneEvent(Step, bpmn.IntermediateThrowEvent):
    """An intermediate throw event without a definition: a mark on the way."""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        if not isinstance(self.event_definition, NoneEventDefinition):
            raise ValueError("throwing intermediate events cannot be executed")


class EndEvent(Step, bpmn.EndEvent):
    """An end: of this token, of the whole process (terminate), or with an error that the surroundings may catch."""

    def ways_on(self, token: Token) -> list[Way]:
        return []

    def prepare(self, process: str, definitions: Any) -> None:
        self._outputs = []  # the library joins all ends; a token that ends is simply gone
        super().prepare(process, definitions)
        known = (NoneEventDefinition, TerminateEventDefinition, ErrorEventDefinition)
        if not isinstance(self.event_definition, known):
            raise ValueError("this kind of end event cannot be executed")

    def _on_complete(self, token: Token) -> None:
        workflow, top = token.workflow, token.workflow.top_workflow
        if isinstance(self.event_definition, ErrorEventDefinition):
            self._throw(token)
            return
        if workflow is top:
            top.end = self.bpmn_id
        if isinstance(self.event_definition, TerminateEventDefinition):
            for other in workflow.task_tree.children:
                if other is not token:
                    top.discard(other)
        super()._on_complete(token)

    def _throw(self, token: Token) -> None:
        """Hand the error to the nearest activity around that catches it; everything inside that activity stops."""
        code = self.event_definition.code
        token.workflow.log("error", token, code=code)
        token.workflow.log("left", token, flows=[])
        workflow = token.workflow
        token.remove()
        while workflow.host is not None:
            host = workflow.host
            if host.task_spec.container is not None:  # an instance: the events stand on the activity as a whole
                host = host.parent
            for boundary in sorted(host.task_spec.boundaries, key=lambda each: each.error is None):
                if boundary.catches_error(code):
                    boundary.take_over(host)
                    return
            workflow = host.workflow
        raise ErrorUncaught(element=self.bpmn_id, process=self.process, error=code)


class UserTask(Step, spiff.UserTask):
    """A person does it; the result goes into one variable, inside a multi-instance task into its output item."""

    def finish(self, token: Token, result: dict[str, Any]) -> None:
        """Write the result and go on."""
        name = self.variable or self.bpmn_id
        if self.container is not None and self.container.output_name:
            name = self.container.output_name
        token.write({name: result})
        token.run()


class ScriptTask(Step, spiff.ScriptTask):
    """Assignments and `if`."""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        self.code = compile_script(self.script or "")

    def _run_hook(self, token: Token) -> bool:
        assigned = scripting.run(token, self.code, token.visible())
        token.write(assigned)
        token.workflow.log("script", token, assigned=assigned)
        return True


class RuleTask(Step, spiff.ScriptTask):
    """A decision table; its outputs become variables of the same names."""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        if self.script not in definitions.decisions:
            raise ValueError(f"there is no decision {self.script}")
        self.decision = definitions.decisions[self.script]

    def _run_hook(self, token: Token) -> bool:
        try:
            found = self.decision.evaluate(token.visible())
        except Exception as error:
            raise evaluation_failed(self.bpmn_id, self.process, error, self.script) from error
        outputs = scripting.checked(token, found.outputs)
        token.write(outputs)
        matched = {"rules": list(found.rules), "inputs": scripting.checked(token, found.inputs), "outputs": outputs}
        token.workflow.log("decision", token, table=self.script, sha=self.decision.sha256, **matched)
        return True


class ServiceTask(Step, spiff.ServiceTask):
    """An operation. Local ones answer at once; an external one leaves the token waiting for `finish`."""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        self.inputs_of_call = {name: compile_expression(text) for name, text in self.operation_params.items()}

    def call(self, token: Token) -> OperationCall:
        """The call as it was made: parameters are worked out once and kept while it waits. The callee gets a copy."""
        return OperationCall(
            name=self.operation_name,
            parameters=kept(token.internal_data["parameters"]),
            element=self.bpmn_id,
            process=self.process,
            token=token.id,
        )

    def _run_hook(self, token: Token) -> bool | None:
        values = {name: scripting.evaluate(token, text) for name, text in self.inputs_of_call.items()}
        token.internal_data["parameters"] = scripting.checked(token, values)
        call = self.call(token)
        external = {"name": call.name, "parameters": token.internal_data["parameters"], "external": True}
        result = determinism.context().operation(call)
        if result is None:
            token.workflow.log("operation", token, **external)
            self.open_boundaries(token)
            return None
        self.take(token, result)
        return True

    def take(self, token: Token, result: Any) -> None:
        """Keep an operation's result."""
        values = scripting.checked(token, result)
        if self.result_variable:
            token.write({self.result_variable: values})
        parameters = token.internal_data["parameters"]
        token.workflow.log("operation", token, name=self.operation_name, parameters=parameters, result=values)

    def finish(self, token: Token, result: Any) -> None:
        """The result of an external operation has come."""
        self.take(token, result)
        token.complete()
