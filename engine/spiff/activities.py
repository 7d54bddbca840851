"""Activities that hold others: called processes, embedded subprocesses, multi-instance activities and loops."""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from typing import Any

from SpiffWorkflow.spiff.specs import defaults as spiff
from SpiffWorkflow.util.task import TaskState

from engine.spiff import scripting
from engine.spiff.expressions import Script, compile_expression, compile_script
from engine.spiff.failures import bad_value
from engine.spiff.steps import Step
from engine.spiff.workflow import Called, Token


def embedded(process: str, subprocess: str) -> str:
    """The name of an embedded subprocess's spec: ids are unique in a file only."""
    return f"{process}/{subprocess}"


class Holder(Step):
    """What embedded subprocesses and call activities share."""

    spec: str  # the process inside

    def _update_hook(self, token: Token) -> bool:
        self.begin(token, None)
        return False

    def begin(self, token: Token, scope: dict[str, Any] | None) -> None:
        """Start the process inside, with variables of its own (`scope`) or none."""
        top = token.workflow.top_workflow
        top.spend(token)
        token._set_state(TaskState.STARTED)
        top.open(token, self.spec, scope)
        self.open_boundaries(token)

    def returned(self, token: Token, called: Called) -> None:
        """The process inside has ended."""
        token._ready()


class SubProcess(Holder, spiff.SubWorkflowTask):
    """An embedded subprocess: elements of its own, the variables of its surroundings."""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        self.spec = embedded(process, self.bpmn_id)


class CallActivity(Holder, spiff.CallActivity):
    """A called process with variables of its own.

    In go the inputs the called process declares (missing ones as None), or everything when it declares nothing; out
    come its declared outputs, or whatever it wrote. A preScript adds or renames inputs for this call alone; a
    postScript runs over the caller's variables once the outputs are there, and what it assigns stays.
    """

    before: Script | None = None
    after: Script | None = None

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        if self.spec not in definitions.specs:
            raise ValueError(f"there is no process {self.spec}")
        self.before = compile_script(self.prescript) if self.prescript else None
        self.after = compile_script(self.postscript) if self.postscript else None

    def _update_hook(self, token: Token) -> bool:
        given = token.visible()
        if self.before is not None:
            given = {**given, **scripting.run(token, self.before, given)}
        declared = token.workflow.top_workflow.subprocess_specs[self.spec].io_specification
        if declared is None:
            scope = dict(given)
        else:
            scope = {each.bpmn_id: given.get(each.bpmn_id) for each in declared.data_inputs}
        self.begin(token, scope)
        return False

    def returned(self, token: Token, called: Called) -> None:
        """Take over what the called process gives back."""
        scope = called.visible()
        declared = called.spec.io_specification
        if declared is None:
            given = {name: scope[name] for name in sorted(called.written)}
        else:
            given = {each.bpmn_id: scope.get(each.bpmn_id) for each in declared.data_outputs}
        token.write(given)
        if self.after is not None:
            token.write(scripting.run(token, self.after, token.visible()))
        token._ready()


class Repeated(Step):
    """What multi-instance activities and loops share. The instances stand below the container's token."""

    task_spec: str  # the library's name of the spec inside
    output_name = ""
    input_name = ""

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        self.inner = self._wf_spec.task_specs[self.task_spec]
        self.inner.container = self

    def spawn(self, token: Token, index: int, local: dict[str, Any] | None) -> None:
        """Put a token on one instance."""
        token.workflow.top_workflow.spend(token)
        instance = Token(token.workflow, self.inner, token, local=local)
        instance.internal_data["index"] = index
        self.inner._update(instance)

    def instances(self, token: Token) -> list[Token]:
        """The instances still at work."""
        return [child for child in token.children if child.task_spec is self.inner]

    def note_entered(self, token: Token) -> None:
        """Said once the number of instances is known."""

    def instance_done(self, token: Token, instance: Token) -> None:
        """One instance has finished."""
        raise NotImplementedError


class Instances(Repeated):
    """One instance per element of a collection (list, or record: then the output is a record too), or as many as a
    number says.

    What an instance gives is appended to the output collection as soon as it is done, so it stays there whatever
    happens to the others. The completion condition is asked after each one and sees that collection.
    """

    sequential = False
    cardinality: str | None  # these are the library's
    data_input: Any
    data_output: Any
    input_item: Any
    output_item: Any
    condition: str | None

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        source = str(self.cardinality if self.data_input is None else self.data_input.bpmn_id).strip()
        self.collection = compile_expression(source)
        self.until = compile_expression(self.condition) if self.condition else None
        self.input_name = _name(self.input_item)
        self.output_name = _name(self.output_item)
        self.output = self.data_output.bpmn_id.strip() if self.data_output is not None else ""
        self.in_place = self.data_input is not None and self.output == source

    def _update_hook(self, token: Token) -> bool:
        items = self._items(token)
        token.workflow.log("entered", token, instances=len(items))
        state = token.internal_data
        state["left"] = len(items)
        if self.output and not self.in_place:
            keyed = bool(items) and items[0][0] is not None
            token.write({self.output: {} if keyed else []})
        if not items:
            return True
        token._set_state(TaskState.STARTED)
        if self.sequential:
            state["todo"] = [list(each) for each in items[1:]]
            items = items[:1]
        for index, (key, item) in enumerate(items):
            self._begin(token, index, key, item)
        self.open_boundaries(token)
        return False

    def _items(self, token: Token) -> list[tuple[str | None, Any]]:
        value = scripting.evaluate(token, self.collection)
        if isinstance(value, dict):
            return list(value.items())
        if isinstance(value, (list, tuple)):
            return [(None, item) for item in value]
        if self.data_input is None and isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return [(None, index) for index in range(value)]
        what = self.collection.source
        zh, en = f"「{what}」不是列表或次数", f"“{what}” is neither a list nor a count"
        raise bad_value(self.bpmn_id, self.process, zh, en)

    def _begin(self, token: Token, index: int, key: str | None, item: Any) -> None:
        local = {self.input_name: item} if self.input_name else {}
        self.spawn(token, index, local)
        if key is not None:  # needed once the instance is done
            token.internal_data.setdefault("keys", {})[str(index)] = key

    def instance_done(self, token: Token, instance: Token) -> None:
        """Keep what the instance gave; end when the condition holds or none is left, else begin the next."""
        state, index = token.internal_data, instance.internal_data["index"]
        local = instance.local or {}
        if self.output:
            name = self.output_name or self.inner_variable()
            self._collect(token, index, local.get(name))
        else:
            token.write({name: value for name, value in local.items() if name != self.input_name})
        state["left"] -= 1
        if self.until is not None and scripting.evaluate(token, self.until):
            for other in self.instances(token):
                token.workflow.top_workflow.discard(other)
            token._ready()
        elif state["left"] == 0:
            token._ready()
        elif self.sequential:
            key, item = state["todo"].pop(0)
            self._begin(token, index + 1, key, item)

    def inner_variable(self) -> str:
        """Where an instance leaves its result when the diagram names no output item."""
        return getattr(self.inner, "variable", None) or getattr(self.inner, "result_variable", None) or self.bpmn_id

    def _collect(self, token: Token, index: int, value: Any) -> None:
        given = token.visible().get(self.output)
        key = token.internal_data.get("keys", {}).get(str(index))
        if key is not None:
            token.write({self.output: {**(given if isinstance(given, dict) else {}), key: value}})
            return
        items = list(given) if isinstance(given, list) else []
        if self.in_place and index < len(items):
            items[index] = value
        else:
            items.append(value)
        token.write({self.output: items})


class ParallelInstances(Instances, spiff.ParallelMultiInstanceTask):
    """All instances at once."""


class SequentialInstances(Instances, spiff.SequentialMultiInstanceTask):
    """One instance after the other."""

    sequential = True


class Loop(Repeated, spiff.StandardLoopTask):
    """Again and again while the condition holds (asked after each round, or before the first one too), at most
    `loopMaximum` times.
    """

    def prepare(self, process: str, definitions: Any) -> None:
        super().prepare(process, definitions)
        self.again = compile_expression(self.condition) if self.condition else None

    def _update_hook(self, token: Token) -> bool:
        token.workflow.log("entered", token)
        if self.test_before and not self._go_on(token, 0):
            return True
        token._set_state(TaskState.STARTED)
        self.spawn(token, 0, None)
        self.open_boundaries(token)
        return False

    def _go_on(self, token: Token, rounds: int) -> bool:
        if self.maximum is not None and rounds >= self.maximum:
            return False
        return self.again is None or bool(scripting.evaluate(token, self.again))

    def instance_done(self, token: Token, instance: Token) -> None:
        """One round is done."""
        rounds = instance.internal_data["index"] + 1
        if self._go_on(token, rounds):
            self.spawn(token, rounds, None)
        else:
            token._ready()


def _name(item: Any) -> str:
    return "" if item is None else str(item.bpmn_id or item.bpmn_name or "")
