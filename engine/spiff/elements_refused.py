"""What of BPMN is refused, each with its reason. The test of the gate makes one diagram from every row."""

# ruff: noqa: E501 - tables: one row, one thing

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """`element` inside `parent` is refused; or its `attribute` (written `name=value` when only that value is)."""

    element: str
    parent: str
    attribute: str
    zh: str
    en: str


_MESSAGES = ("消息事件留待以后的版本", "Message events are for a later version")
_LATER = ("留待以后的版本", "This is for a later version")
_SIGNAL = ("信号不支持，会被执行库默默忽略", "Signals are not supported: they would be silently ignored")
_LINK = ("链接事件不支持，请直接画顺序流", "Link events are not supported; draw the sequence flow")
_COMPENSATION = ("补偿不支持", "Compensation is not supported")
_ESCALATION = (
    "升级事件不支持，请用不中断的定时边界事件",
    "Escalation events are not supported; use a non-interrupting timer",
)
_CONDITIONAL = ("条件事件不支持，请用网关", "Conditional events are not supported; use a gateway")
_CANCEL = ("取消事件与事务不支持", "Cancel events and transactions are not supported")
_ERROR_START = ("错误不能启动流程", "An error cannot start a process")
_TIMER_START = ("定时启动留待以后的版本", "Starting by a timer is for a later version")
_ROLES = (
    "请用泳道或 candidates、assignee 属性指明办理人",
    "Say who does it by the lane or the properties candidates and assignee",
)
_DATA = (
    "数据关联不支持：变量直接可读；画图请用虚线 association",
    "Data associations are not supported: variables can be read anyway; draw an association",
)
_MULTIPLE = ("多重事件不支持", "Multiple events are not supported")

_EVENTS = "messageEventDefinition signalEventDefinition conditionalEventDefinition"

# (element, parent, reasons)
_ELEMENTS: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("task", "process", ("普通任务什么也不做，请选定类型", "A plain task does nothing; choose a kind")),
    ("sendTask", "process", _MESSAGES),
    ("receiveTask", "process", _MESSAGES),
    ("complexGateway", "process", ("复杂网关不支持", "Complex gateways are not supported")),
    ("transaction", "process", _CANCEL),
    ("adHocSubProcess", "process", ("临时子流程不支持", "Ad-hoc subprocesses are not supported")),
    ("callChoreography", "process", ("编排图不支持", "Choreographies are not supported")),
    ("implicitThrowEvent", "process", ("隐式抛出事件不支持", "Implicit throw events are not supported")),
    ("event", "process", ("请选定事件的类型", "Choose a kind of event")),
    ("dataStoreReference", "process", ("数据存储不支持，请用台账操作", "Data stores are not supported; use a register operation")),
    ("property", "process", ("BPMN property 不支持，请用变量", "BPMN properties are not supported; use variables")),
    ("auditing", "process", ("不支持", "Not supported")),
    ("monitoring", "process", ("不支持", "Not supported")),
    ("resourceRole", "process", _ROLES),
    ("correlationSubscription", "process", _MESSAGES),
    ("supports", "process", ("不支持", "Not supported")),
    *((name, "startEvent", _MESSAGES if name[0] == "m" else _SIGNAL if name[0] == "s" else _CONDITIONAL)
      for name in _EVENTS.split()),
    ("timerEventDefinition", "startEvent", _TIMER_START),
    ("errorEventDefinition", "startEvent", _ERROR_START),
    ("escalationEventDefinition", "startEvent", _ESCALATION),
    ("compensateEventDefinition", "startEvent", _COMPENSATION),
    ("messageEventDefinition", "endEvent", _MESSAGES),
    ("signalEventDefinition", "endEvent", _SIGNAL),
    ("compensateEventDefinition", "endEvent", _COMPENSATION),
    ("escalationEventDefinition", "endEvent", _ESCALATION),
    ("cancelEventDefinition", "endEvent", _CANCEL),
    *((name, "boundaryEvent", _MESSAGES if name[0] == "m" else _SIGNAL if name[0] == "s" else _CONDITIONAL)
      for name in _EVENTS.split()),
    ("escalationEventDefinition", "boundaryEvent", _ESCALATION),
    ("compensateEventDefinition", "boundaryEvent", _COMPENSATION),
    ("cancelEventDefinition", "boundaryEvent", _CANCEL),
    *((name, "intermediateCatchEvent", _MESSAGES if name[0] == "m" else _SIGNAL if name[0] == "s" else _CONDITIONAL)
      for name in _EVENTS.split()),
    ("linkEventDefinition", "intermediateCatchEvent", _LINK),
    ("messageEventDefinition", "intermediateThrowEvent", _MESSAGES),
    ("signalEventDefinition", "intermediateThrowEvent", _SIGNAL),
    ("linkEventDefinition", "intermediateThrowEvent", _LINK),
    ("compensateEventDefinition", "intermediateThrowEvent", _COMPENSATION),
    ("escalationEventDefinition", "intermediateThrowEvent", _ESCALATION),
    ("eventDefinitionRef", "intermediateCatchEvent", ("请把事件定义写在事件里", "Write the definition inside the event")),
    ("dataOutput", "startEvent", _DATA),
    ("dataInputAssociation", "userTask", _DATA),
    ("dataOutputAssociation", "userTask", _DATA),
    ("ioSpecification", "userTask", _DATA),
    ("property", "userTask", ("BPMN property 不支持，请用变量", "BPMN properties are not supported; use variables")),
    ("potentialOwner", "userTask", _ROLES),
    ("humanPerformer", "userTask", _ROLES),
    ("performer", "userTask", _ROLES),
    ("rendering", "userTask", ("请用属性 form 指明表单", "Name the form by the property form")),
    ("complexBehaviorDefinition", "multiInstanceLoopCharacteristics", ("多实例的复杂行为不支持", "Complex behaviour is not supported")),
    ("partitionElement", "lane", ("泳道按名称对应组", "A lane stands for a group by its name")),
    ("dataState", "dataObject", ("数据对象只是图形", "Data objects are only pictures")),
    ("participantMultiplicity", "participant", ("多重泳池不支持", "Pools cannot be multiple")),
    ("correlationKey", "collaboration", _MESSAGES),
    ("conversation", "collaboration", ("会话图不支持", "Conversations are not supported")),
    ("message", "definitions", _MESSAGES),
    ("signal", "definitions", _SIGNAL),
    ("escalation", "definitions", _ESCALATION),
    ("correlationProperty", "definitions", _MESSAGES),
    ("itemDefinition", "definitions", ("数据类型由表单规定", "Forms say what data is")),
    ("dataStore", "definitions", ("数据存储不支持，请用台账操作", "Data stores are not supported; use a register operation")),
    ("import", "definitions", ("不读取其他文件", "No other file is read")),
    ("extension", "definitions", ("不支持扩展声明", "Extension declarations are not supported")),
    ("relationship", "definitions", ("不支持", "Not supported")),
    ("interface", "definitions", ("操作由系统登记", "Operations are registered by the system")),
    ("endPoint", "definitions", ("操作由系统登记", "Operations are registered by the system")),
    ("resource", "definitions", _ROLES),
    ("partnerRole", "definitions", ("不支持", "Not supported")),
    ("partnerEntity", "definitions", ("不支持", "Not supported")),
    ("choreography", "definitions", ("编排图不支持", "Choreographies are not supported")),
    ("globalConversation", "definitions", ("会话图不支持", "Conversations are not supported")),
    ("globalUserTask", "definitions", ("全局任务不支持，请调用流程", "Global tasks are not supported; call a process")),
    ("globalScriptTask", "definitions", ("全局任务不支持，请调用流程", "Global tasks are not supported; call a process")),
    ("globalBusinessRuleTask", "definitions", ("全局任务不支持，请调用流程", "Global tasks are not supported; call a process")),
    ("globalManualTask", "definitions", ("全局任务不支持，请调用流程", "Global tasks are not supported; call a process")),
    ("globalTask", "definitions", ("全局任务不支持，请调用流程", "Global tasks are not supported; call a process")),
    ("messageEventDefinition", "definitions", _MESSAGES),
    ("timerEventDefinition", "definitions", ("请把事件定义写在事件里", "Write the definition inside the event")),
)  # fmt: skip

# (element, attribute or attribute=value, reasons)
_ATTRIBUTES: tuple[tuple[str, str, tuple[str, str]], ...] = (
    ("process", "isExecutable=false", ("流程须可执行（isExecutable）", "The process must be executable (isExecutable)")),
    ("process", "isClosed=true", ("不支持", "Not supported")),
    ("process", "definitionalCollaborationRef", ("不支持", "Not supported")),
    ("startEvent", "parallelMultiple=true", _MULTIPLE),
    ("startEvent", "isInterrupting=false", ("事件子流程不支持", "Event subprocesses are not supported")),
    ("boundaryEvent", "parallelMultiple=true", _MULTIPLE),
    ("intermediateCatchEvent", "parallelMultiple=true", _MULTIPLE),
    ("subProcess", "triggeredByEvent=true", ("事件子流程不支持", "Event subprocesses are not supported")),
    ("userTask", "isForCompensation=true", _COMPENSATION),
    ("userTask", "startQuantity=2", ("令牌数只能是 1", "The quantity of tokens must be 1")),
    ("userTask", "completionQuantity=2", ("令牌数只能是 1", "The quantity of tokens must be 1")),
    ("userTask", "default", ("任务上的条件分支不支持，请用网关", "Conditions on a task's flows are not supported; use a gateway")),
    ("userTask", "implementation=other", ("不支持其他实现", "No other implementation is supported")),
    ("serviceTask", "operationRef", ("请用 serviceTaskOperator 指明操作", "Name the operation by serviceTaskOperator")),
    ("scriptTask", "scriptFormat=javascript", ("脚本只有一种语言", "There is one script language only")),
    ("eventBasedGateway", "instantiate=true", _LATER),
    ("eventBasedGateway", "eventGatewayType=Parallel", _LATER),
    ("sequenceFlow", "isImmediate", ("不支持", "Not supported")),
    ("multiInstanceLoopCharacteristics", "behavior=One", ("不支持", "Not supported")),
    ("multiInstanceLoopCharacteristics", "noneBehaviorEventRef", ("不支持", "Not supported")),
    ("multiInstanceLoopCharacteristics", "oneBehaviorEventRef", ("不支持", "Not supported")),
    ("conditionExpression", "language", ("表达式只有一种语言", "There is one expression language only")),
    ("timeDuration", "evaluatesToTypeRef", ("不支持", "Not supported")),
    ("dataInput", "itemSubjectRef", ("数据类型由表单规定", "Forms say what data is")),
    ("dataObject", "itemSubjectRef", ("数据类型由表单规定", "Forms say what data is")),
    ("lane", "partitionElementRef", ("泳道按名称对应组", "A lane stands for a group by its name")),
    ("messageFlow", "messageRef", _MESSAGES),
    ("error", "structureRef", ("不支持", "Not supported")),
)  # fmt: skip

REFUSED: tuple[Refusal, ...] = (
    *(Refusal(element=name, parent=parent, attribute="", zh=zh, en=en) for name, parent, (zh, en) in _ELEMENTS),
    *(Refusal(element=name, parent="", attribute=what, zh=zh, en=en) for name, what, (zh, en) in _ATTRIBUTES),
)
