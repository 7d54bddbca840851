"""Diagrams turned into specs: the library's parser, told to build our own steps.

Differences from the library: flows keep the order they have in the file (not that of the picture); a boundary event
hangs on its activity instead of between a split and a join; the names the library adds to every process cannot
collide with an element's id.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from typing import Any

from lxml import etree
from SpiffWorkflow.bpmn.parser import event_parsers, task_parsers
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.util import full_tag
from SpiffWorkflow.bpmn.specs.bpmn_process_spec import BpmnProcessSpec
from SpiffWorkflow.bpmn.specs.bpmn_task_spec import BpmnIoSpecification
from SpiffWorkflow.bpmn.specs.control import BpmnStartTask, SimpleBpmnTask
from SpiffWorkflow.bpmn.specs.data_spec import TaskDataReference
from SpiffWorkflow.bpmn.specs.event_definitions.item_aware_event import ErrorEventDefinition
from SpiffWorkflow.specs import WorkflowSpec
from SpiffWorkflow.spiff.parser import task_spec as spiff_parsers
from SpiffWorkflow.spiff.parser.event_parsers import SpiffEventDefinitionParser
from SpiffWorkflow.spiff.parser.process import SpiffBpmnParser, SpiffProcessParser

from engine.spiff import activities, gateways, steps, timers

START, END = "#start", "#end"  # not XML names, so no element can have them


class ProcessSpec(BpmnProcessSpec):
    """A process without the library's own start, join and end names."""

    def __init__(self, name: str, description: str, filename: str) -> None:
        WorkflowSpec.__init__(self, name=name, filename=filename)
        self.description = description
        self.svg = None
        self.io_specification = None
        self.data_objects: dict[str, Any] = {}
        self.data_stores: dict[str, Any] = {}
        self.correlation_keys: dict[str, Any] = {}
        self.bpmn_start_events: list[Any] = []
        self.start = BpmnStartTask(self, START)
        self.end = SimpleBpmnTask(self, END)


class OurProcessParser(SpiffProcessParser):
    """Makes our process specs; data objects are pictures only."""

    def create_spec(self) -> ProcessSpec:
        return ProcessSpec(self.bpmn_id, self.get_name(), self.filename)

    def _index_process_nodes(self) -> None:
        super()._index_process_nodes()
        own = self.node.iterchildren(f"{{{self.nsmap['bpmn']}}}*")  # an extension may use the id of an element
        self.nodes_by_id = {node.get("id"): node for node in own if node.get("id")}

    def add_tasks(self) -> None:
        """Parse what comes last first, so that the library's recursion stays shallow in long diagrams."""
        for node in self._last_first():
            self.parse_node(node)
        super().add_tasks()

    def _last_first(self) -> list[Any]:
        order: list[Any] = []
        known: set[str] = set()
        stack = [(node, False) for node in self.xpath("./bpmn:startEvent")]
        while stack:
            node, left = stack.pop()
            id = node.get("id")
            if left:
                order.append(node)
            elif id not in known:
                known.add(id)
                stack.append((node, True))
                flows = self.get_outgoing_sequence_flows(id)
                targets = [self.get_node_by_id(flow.get("targetRef")) for flow in flows]
                stack.extend((each, False) for each in (*targets, *self.get_boundary_events(id)) if each is not None)
        return order

    def parse_io_spec(self) -> Any:
        found: dict[str, list[Any]] = {}
        for kind in ("dataInput", "dataOutput"):
            nodes = self.xpath(f"./bpmn:ioSpecification/bpmn:{kind}")
            found[kind] = [self.create_data_spec(node, TaskDataReference) for node in nodes]
        return BpmnIoSpecification(found["dataInput"], found["dataOutput"])


class Wired(TaskParser):
    """How every one of our elements is connected."""

    PARALLEL_MI_CLASS = activities.ParallelInstances
    SEQUENTIAL_MI_CLASS = activities.SequentialInstances
    STANDARD_LOOP_CLASS = activities.Loop

    def get_position(self, node: Any = None) -> dict[str, float]:
        return {"x": 0.0, "y": 0.0}  # the order of the file counts, not that of the picture

    def parse_extensions(self, node: Any = None) -> dict[str, str]:
        """The texts of the extensions; what has parts of its own is read where it is needed."""
        found = (self.node if node is None else node).xpath("./*[local-name()='extensionElements']/*")
        return {etree.QName(each).localname: each.text for each in found if each.text and isinstance(each.tag, str)}

    def parse_incoming_data_references(self) -> list[Any]:
        return []

    def parse_outgoing_data_references(self) -> list[Any]:
        return []

    def _add_boundary_event(self, children: list[Any]) -> Any:
        for node in children:
            event = self.process_parser.parse_node(node)
            self.task.boundary_names.append(event.name)
        return self.task

    def _copy_task_attrs(self, original: Any, loop_characteristics: Any = None) -> None:
        TaskParser._copy_task_attrs(self, original)

    def connect_outgoing(self, outgoing_task: Any, sequence_flow_node: Any, is_default: bool) -> None:
        super().connect_outgoing(outgoing_task, sequence_flow_node, is_default)
        self.task.flow_ids.append(sequence_flow_node.get("id") or "")


class TaskElement(Wired, spiff_parsers.SpiffTaskParser):
    """A task without anything special to parse."""


class UserTaskElement(Wired, spiff_parsers.UserTaskParser):
    """A user task."""

    def create_task(self) -> Any:
        variable = self.parse_extensions().get("variableName")
        return self.spec_class(self.spec, self.bpmn_id, variable=variable, **self.bpmn_attributes)


class ScriptElement(Wired, spiff_parsers.ScriptTaskParser):
    """A script task."""


class RuleElement(Wired, spiff_parsers.BusinessRuleTaskParser):
    """A business rule task: the decision's id stands where a script's text would."""

    def create_task(self) -> Any:
        decision = (self.parse_extensions().get("calledDecisionId") or "").strip()
        return self.spec_class(self.spec, self.bpmn_id, decision, **self.bpmn_attributes)


class ServiceElement(Wired, spiff_parsers.ServiceTaskParser):
    """A service task with an operator."""

    def create_task(self) -> Any:
        found = self.xpath("./bpmn:extensionElements/*[local-name()='serviceTaskOperator']")
        if not found:
            self.raise_validation_exception("a service task needs an operator")
        parameters = found[0].xpath(".//*[local-name()='parameter']")
        return self.spec_class(
            self.spec,
            self.bpmn_id,
            operation_name=found[0].get("id"),
            operation_params={each.get("id"): each.get("value") or "None" for each in parameters},
            result_variable=found[0].get("resultVariable"),
            **self.bpmn_attributes,
        )


class CallElement(Wired, spiff_parsers.CallActivityParser):
    """A call activity."""


class SubProcessElement(Wired, spiff_parsers.SubWorkflowParser):
    """An embedded subprocess."""


class ConditionalElement(Wired, task_parsers.ConditionalGatewayParser):
    """A gateway whose flows have conditions."""


class GatewayElement(Wired, task_parsers.GatewayParser):
    """A gateway without conditions."""


class EventElement(Wired, SpiffEventDefinitionParser):
    """An event; timers are our own, errors are known by their code alone."""

    def parse_timer_event(self, event: Any) -> Any:
        for kind in ("timeDate", "timeDuration", "timeCycle"):
            found = event.xpath(f"./*[local-name()='{kind}']")
            if found and (found[0].text or "").strip():
                return timers.Timer(self.bpmn_id, found[0].text)
        return self.raise_validation_exception("a timer needs a time")

    def parse_error_event(self, error_event: Any) -> Any:
        reference = error_event.get("errorRef")
        if not reference:
            return ErrorEventDefinition("error", None)
        declared = self.process_parser.parser.errors.get(reference)
        if declared is None:
            self.raise_validation_exception(f"error {reference} is not declared")
        return ErrorEventDefinition(reference, declared["error_code"] or declared["name"] or reference)


class StartElement(EventElement, event_parsers.StartEventParser):
    """A start event."""

    def create_task(self) -> Any:
        return event_parsers.StartEventParser.create_task(self)

    def handles_multiple_outgoing(self) -> bool:
        return False


class EndElement(EventElement, event_parsers.EndEventParser):
    """An end event."""

    def create_task(self) -> Any:
        return event_parsers.EndEventParser.create_task(self)


class CatchElement(EventElement, event_parsers.IntermediateCatchEventParser):
    """An intermediate catch event."""

    def create_task(self) -> Any:
        return event_parsers.IntermediateCatchEventParser.create_task(self)


class ThrowElement(EventElement, event_parsers.IntermediateThrowEventParser):
    """An intermediate throw event."""

    def create_task(self) -> Any:
        return event_parsers.IntermediateThrowEventParser.create_task(self)


class BoundaryElement(EventElement, event_parsers.BoundaryEventParser):
    """A boundary event."""

    def create_task(self) -> Any:
        return event_parsers.BoundaryEventParser.create_task(self)


class EventGatewayElement(EventElement, event_parsers.EventBasedGatewayParser):
    """An event-based gateway."""

    def create_task(self) -> Any:
        return event_parsers.EventBasedGatewayParser.create_task(self)

    def handles_multiple_outgoing(self) -> bool:
        return True


class DiagramParser(SpiffBpmnParser):
    """The library's parser for our elements; it knows no other."""

    PROCESS_PARSER_CLASS = OurProcessParser
    PARSER_CLASSES: dict[str, tuple[type[Any], type[Any]]] = {  # noqa: RUF012
        full_tag("startEvent"): (StartElement, steps.StartEvent),
        full_tag("endEvent"): (EndElement, steps.EndEvent),
        full_tag("task"): (TaskElement, steps.Passing),
        full_tag("userTask"): (UserTaskElement, steps.UserTask),
        full_tag("manualTask"): (UserTaskElement, steps.UserTask),
        full_tag("scriptTask"): (ScriptElement, steps.ScriptTask),
        full_tag("serviceTask"): (ServiceElement, steps.ServiceTask),
        full_tag("businessRuleTask"): (RuleElement, steps.RuleTask),
        full_tag("callActivity"): (CallElement, activities.CallActivity),
        full_tag("subProcess"): (SubProcessElement, activities.SubProcess),
        full_tag("exclusiveGateway"): (ConditionalElement, gateways.ExclusiveGateway),
        full_tag("inclusiveGateway"): (ConditionalElement, gateways.InclusiveGateway),
        full_tag("parallelGateway"): (GatewayElement, gateways.ParallelGateway),
        full_tag("eventBasedGateway"): (EventGatewayElement, timers.EventGateway),
        full_tag("intermediateCatchEvent"): (CatchElement, timers.TimerEvent),
        full_tag("intermediateThrowEvent"): (ThrowElement, steps.MilestoneEvent),
        full_tag("boundaryEvent"): (BoundaryElement, timers.BoundaryEvent),
    }
    OVERRIDE_PARSER_CLASSES: dict[str, Any] = {}  # noqa: RUF012

    def _add_data_stores(self, bpmn: Any) -> None:
        """Data stores are pictures only."""
