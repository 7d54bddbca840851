"""What of BPMN runs here, what is only drawn, and what is refused and why: one table for gate and documentation.

An element or attribute that stands in no row is refused too, by name.
`python -m engine.spiff.elements_page > docs/conformance.md` writes the table down; a test keeps that page up to date.
"""

# ruff: noqa: E501 - tables: one row, one thing

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from engine.spiff.elements_refused import REFUSED, Refusal

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
SPIFF = "http://spiffworkflow.org/bpmn/schema/1.0/core"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DRAWING = frozenset(
    {
        "http://www.omg.org/spec/BPMN/20100524/DI",
        "http://www.omg.org/spec/DD/20100524/DC",
        "http://www.omg.org/spec/DD/20100524/DI",
        "http://www.omg.org/spec/BPMN/non-normative/color/1.0",
        "http://bpmn.io/schema/bpmn/biocolor/1.0",
    }
)
HARMLESS = frozenset({"http://camunda.org/schema/modeler/1.0"})  # only says which program the file was drawn for

RUNS, DRAWN = "runs", "drawn"
Values = tuple[str, ...]  # the values an attribute may have; () is any


@dataclass(frozen=True, kw_only=True)
class Element:
    """One allowed element: its attributes with their allowed values, the elements it may hold, and what it does."""

    name: str
    standing: str
    attributes: Mapping[str, Values]
    children: frozenset[str]
    zh: str
    en: str


def _attributes(text: str) -> dict[str, Values]:
    """`id default gatewayType=A|B` as attribute → allowed values."""
    found = (part.partition("=") for part in ("id name " + text).split())
    return {name: tuple(values.split("|")) if values else () for name, _, values in found}


_FLOW_NODES = (
    "startEvent endEvent boundaryEvent intermediateCatchEvent intermediateThrowEvent userTask manualTask scriptTask "
    "serviceTask businessRuleTask callActivity subProcess exclusiveGateway inclusiveGateway parallelGateway "
    "eventBasedGateway"
)
_PICTURES = "textAnnotation association group dataObject dataObjectReference"
_INSIDE = f"documentation extensionElements {_FLOW_NODES} sequenceFlow {_PICTURES} laneSet"
_NODE = "documentation extensionElements incoming outgoing"
_TASK = f"{_NODE} multiInstanceLoopCharacteristics standardLoopCharacteristics"
_ACTIVITY = "startQuantity=1 completionQuantity=1 isForCompensation=false"
_DIRECTION = "gatewayDirection=Unspecified|Converging|Diverging|Mixed"
_IMPLEMENTATION = f"{_ACTIVITY} implementation=##unspecified|##WebService"

_ROWS: tuple[tuple[str, str, str, str, str, str], ...] = (
    (
        "definitions", RUNS, "targetNamespace expressionLanguage typeLanguage exporter exporterVersion",
        "documentation extensionElements process collaboration error category BPMNDiagram",
        "文件的根；表达式一律按本系统的语言书写", "The root of the file; expressions are always in the language of this system",
    ),
    (
        "process", RUNS, "isExecutable=true processType=None|Private|Public isClosed=false",
        f"{_INSIDE} ioSpecification",
        "恰有一个普通开始事件；带 ioSpecification 时只交换其中列出的变量",
        "Has exactly one plain start event; with an ioSpecification only the variables listed there go in and out",
    ),
    (
        "startEvent", RUNS, "isInterrupting=true parallelMultiple=false", f"{_NODE}",
        "普通开始；表单写在属性 form 里", "A plain start; its form is named by the property `form`",
    ),
    (
        "endEvent", RUNS, "", f"{_NODE} terminateEventDefinition errorEventDefinition",
        "普通结束、终止；也可抛错误，但必须有外层的边界事件接住",
        "A plain end or a terminate; also an error, which a boundary event further out must catch",
    ),
    (
        "intermediateCatchEvent", RUNS, "parallelMultiple=false", f"{_NODE} timerEventDefinition",
        "只等待定时", "Waits for a timer only",
    ),
    (
        "intermediateThrowEvent", RUNS, "", _NODE,
        "不带事件定义的里程碑，直接通过", "A milestone without event definition; passes at once",
    ),
    (
        "boundaryEvent", RUNS, "attachedToRef cancelActivity=true|false parallelMultiple=false",
        f"{_NODE} timerEventDefinition errorEventDefinition",
        "定时（中断或不中断）；子流程和调用活动上还可接错误（中断）",
        "A timer, interrupting or not; on subprocesses and call activities also an error, interrupting",
    ),
    (
        "userTask", RUNS, _IMPLEMENTATION, _TASK,
        "由人办理：有表单、已知的组、自己的结果变量", "Done by a person: has a form, a known group and its own result variable",
    ),
    (
        "manualTask", RUNS, _ACTIVITY, _TASK,
        "与用户任务相同，但必须指明表单", "The same as a user task, but it must name a form",
    ),
    (
        "scriptTask", RUNS, f"{_ACTIVITY} scriptFormat=python|text/python|text/x-python|application/python",
        f"{_TASK} script",
        "只能赋值和 if", "Assignments and `if` only",
    ),
    (
        "serviceTask", RUNS, _IMPLEMENTATION, _TASK,
        "按名称调用一个已登记的操作（serviceTaskOperator）", "Calls a known operation by name (serviceTaskOperator)",
    ),
    (
        "businessRuleTask", RUNS, _IMPLEMENTATION, _TASK,
        "计算一个决策表（calledDecisionId）；输出成为同名变量",
        "Evaluates a decision table (calledDecisionId); its outputs become variables of the same names",
    ),
    (
        "callActivity", RUNS, f"{_ACTIVITY} calledElement", _TASK,
        "调用同一批部署里的另一个流程，不得循环调用", "Calls another process of the deployment; calls may not go in a circle",
    ),
    (
        "subProcess", RUNS, f"{_ACTIVITY} triggeredByEvent=false",
        f"{_INSIDE} incoming outgoing multiInstanceLoopCharacteristics standardLoopCharacteristics",
        "嵌入子流程，与外层共用变量", "An embedded subprocess; shares the variables around it",
    ),
    (
        "exclusiveGateway", RUNS, f"default {_DIRECTION}", _NODE,
        "按图中顺序取第一个成立的条件，否则取默认；没有默认时条件必须能证明覆盖一切情形",
        "The first condition that holds, in the order of the file, else the default; without one, the conditions must provably "
        "cover every case",
    ),
    (
        "inclusiveGateway", RUNS, f"default {_DIRECTION}", _NODE,
        "所有成立的条件，否则取默认", "Every condition that holds, else the default",
    ),
    ("parallelGateway", RUNS, _DIRECTION, _NODE, "全部分出，全部等齐", "All flows out; waits for all flows in"),
    (
        "eventBasedGateway", RUNS, f"instantiate=false eventGatewayType=Exclusive {_DIRECTION}", _NODE,
        "其后只能是定时捕获事件，先到者得", "Only timer catch events may follow; the first one wins",
    ),
    (
        "sequenceFlow", RUNS, "sourceRef targetRef", "documentation extensionElements conditionExpression",
        "条件只能写在排他、包容网关的出口上", "Conditions stand only on flows out of exclusive and inclusive gateways",
    ),
    ("conditionExpression", RUNS, "xsi:type=tFormalExpression", "", "条件表达式", "The condition, an expression"),
    ("incoming", RUNS, "", "", "进入的顺序流", "A sequence flow in"),
    ("outgoing", RUNS, "", "", "离开的顺序流", "A sequence flow out"),
    ("script", RUNS, "", "", "脚本正文", "The text of a script"),
    (
        "timerEventDefinition", RUNS, "", "timeDuration timeDate timeCycle",
        "恰有一个时间", "Holds exactly one time",
    ),
    (
        "timeDuration", RUNS, "xsi:type=tFormalExpression", "",
        "2wd、4wh、PT8H、P3D，或给出它们的表达式", "`2wd`, `4wh`, `PT8H`, `P3D`, or an expression that gives one",
    ),
    (
        "timeDate", RUNS, "xsi:type=tFormalExpression", "",
        "ISO 日期时间，或给出它的表达式", "An ISO date and time, or an expression that gives one",
    ),
    (
        "timeCycle", RUNS, "xsi:type=tFormalExpression", "",
        "R3/PT24H：只能用于不中断的边界定时，次数 1 至 100",
        "`R3/PT24H`: only on non-interrupting boundary timers, 1 to 100 times",
    ),
    ("terminateEventDefinition", RUNS, "", "", "结束所在流程的一切", "Ends everything in its process"),
    ("errorEventDefinition", RUNS, "errorRef", "", "按错误代码抛出或接住", "Throws or catches by error code"),
    ("error", RUNS, "errorCode", "", "错误代码", "An error code"),
    (
        "multiInstanceLoopCharacteristics", RUNS, "isSequential=true|false behavior=All",
        "loopDataInputRef loopDataOutputRef inputDataItem outputDataItem loopCardinality completionCondition",
        "并行或依次；输入集合与输入项，或次数；用户任务必须有输出集合",
        "Parallel or sequential; an input collection and item, or a number; a user task needs an output collection",
    ),
    ("loopDataInputRef", RUNS, "", "", "输入集合的变量", "The variable with the input collection"),
    ("loopDataOutputRef", RUNS, "", "", "输出集合的变量", "The variable for the output collection"),
    ("inputDataItem", RUNS, "", "", "一项输入的变量", "The variable with one input"),
    ("outputDataItem", RUNS, "", "", "一项输出的变量", "The variable with one output"),
    ("loopCardinality", RUNS, "xsi:type=tFormalExpression", "", "次数表达式", "How many, an expression"),
    (
        "completionCondition", RUNS, "xsi:type=tFormalExpression", "",
        "提前结束的条件，可读已有的输出集合", "When to stop early; may read the output so far",
    ),
    (
        "standardLoopCharacteristics", RUNS, "loopMaximum testBefore=true|false", "loopCondition",
        "条件成立就再来一次，至多 loopMaximum 次；二者至少有一", "Repeats while the condition holds, at most loopMaximum times; needs one of the two",
    ),
    ("loopCondition", RUNS, "xsi:type=tFormalExpression", "", "重复的条件", "The condition to repeat"),
    (
        "ioSpecification", RUNS, "", "dataInput dataOutput inputSet outputSet",
        "只用于流程：被调用时的输入与输出", "On processes only: what goes in and out when it is called",
    ),
    ("dataInput", RUNS, "", "", "输入变量（id）", "An input variable (its id)"),
    ("dataOutput", RUNS, "", "", "输出变量（id）", "An output variable (its id)"),
    ("inputSet", RUNS, "", "dataInputRefs", "所列输入", "The inputs listed"),
    ("outputSet", RUNS, "", "dataOutputRefs", "所列输出", "The outputs listed"),
    ("dataInputRefs", RUNS, "", "", "输入的 id", "The id of an input"),
    ("dataOutputRefs", RUNS, "", "", "输出的 id", "The id of an output"),
    (
        "laneSet", RUNS, "", "documentation extensionElements lane", "泳道的集合", "The set of lanes",
    ),
    (
        "lane", RUNS, "", "documentation extensionElements flowNodeRef childLaneSet",
        "名称是组的编号或中文名；元素属于最内层的泳道", "Its name is a group's id or Chinese name; the innermost lane of an element counts",
    ),
    ("childLaneSet", RUNS, "", "lane", "泳道里的泳道", "The lanes inside a lane"),
    ("flowNodeRef", RUNS, "", "", "泳道里的元素", "An element of the lane"),
    ("extensionElements", RUNS, "", "", "spiffworkflow 扩展，见下表", "spiffworkflow extensions, see below"),
    ("documentation", DRAWN, "textFormat", "", "说明文字", "A description"),
    (
        "collaboration", DRAWN, "isClosed=false", "documentation extensionElements participant messageFlow",
        "泳池", "Pools",
    ),
    ("participant", DRAWN, "processRef", "documentation extensionElements", "一个泳池", "A pool"),
    (
        "messageFlow", DRAWN, "sourceRef targetRef", "documentation extensionElements",
        "只画在泳池之间，不传递任何东西", "Drawn between pools; carries nothing",
    ),
    ("textAnnotation", DRAWN, "textFormat", "documentation extensionElements text", "注释", "An annotation"),
    ("text", DRAWN, "", "", "注释文字", "The text of an annotation"),
    (
        "association", DRAWN, "sourceRef targetRef associationDirection=None|One|Both",
        "documentation extensionElements", "连到注释或数据对象的虚线", "The dotted line to an annotation or data object",
    ),
    ("group", DRAWN, "categoryValueRef", "documentation extensionElements", "分组框", "A frame around elements"),
    ("category", DRAWN, "", "categoryValue", "分组框的类别", "The category of a frame"),
    ("categoryValue", DRAWN, "value", "", "分组框的文字", "The text of a frame"),
    (
        "dataObject", DRAWN, "isCollection=true|false", "documentation extensionElements",
        "只是图形，不存数据", "A picture; holds no data",
    ),
    (
        "dataObjectReference", DRAWN, "dataObjectRef", "documentation extensionElements",
        "只是图形，用虚线（association）相连", "A picture; connect it with an association",
    ),
)  # fmt: skip

ELEMENTS: dict[str, Element] = {
    name: Element(
        name=name,
        standing=standing,
        attributes=_attributes(attributes),
        children=frozenset(children.split()),
        zh=zh,
        en=en,
    )
    for name, standing, attributes, children, zh, en in _ROWS
}

# spiffworkflow extension → (where it may stand, zh, en)
EXTENSIONS: dict[str, tuple[frozenset[str], str, str]] = {
    name: (frozenset(where.split()), zh, en)
    for name, where, zh, en in (
        ("properties", "*", "属性，见下表", "Properties, see below"),
        ("property", "properties", "一个属性（name、value）", "One property (name, value)"),
        ("variableName", "userTask manualTask", "结果变量，默认为元素编号", "The result variable; default: the element's id"),
        ("instructionsForEndUser", "startEvent userTask manualTask", "办理说明（中文）", "Instructions (Chinese)"),
        ("serviceTaskOperator", "serviceTask", "操作（id）和结果变量（resultVariable）", "The operation (id) and resultVariable"),
        ("parameters", "serviceTaskOperator", "操作的参数", "The operation's parameters"),
        ("parameter", "parameters", "一个参数（id、type、value）；value 是表达式", "One parameter (id, type, value); value is an expression"),
        ("calledDecisionId", "businessRuleTask", "决策表的编号", "The id of the decision table"),
        ("preScript", "callActivity", "调用前的脚本，只为这次调用准备输入", "A script before the call, for its inputs only"),
        ("postScript", "callActivity", "返回后的脚本", "A script after the return"),
    )
}  # fmt: skip
EXTENSION_ATTRIBUTES: dict[str, frozenset[str]] = {
    "property": frozenset({"name", "value"}),
    "serviceTaskOperator": frozenset({"id", "resultVariable"}),
    "parameter": frozenset({"id", "type", "value"}),
}

# property → (where it may stand, zh, en); `name:<language>` may stand anywhere
PROPERTIES: dict[str, tuple[frozenset[str], str, str]] = {
    name: (frozenset(where.split()), zh, en)
    for name, where, zh, en in (
        ("title", "process", "表达式：事项的标题", "Expression: the case's subject"),
        ("business_key", "process", "编号格式，如 ZC-{yyyy}-{nnnn}", "Pattern of the case number, as ZC-{yyyy}-{nnnn}"),
        ("viewers", "process", "表达式：还可查看的人和组", "Expression: who else may read the case"),
        ("barred", "process", "表达式：整个案件对谁隐去", "Expression: whom the whole case is kept from"),
        ("log_reads", "process", "true：每次查阅都写入案件历史", "true: every reading is written into the case's history"),
        ("starters", "process", "表达式：可发起的人和组", "Expression: who may start it"),
        ("tables", "process", "其操作读取的表（.csv），逗号分隔", "The tables (.csv) its operations read, comma separated"),
        ("withdraw_to", "process", "撤回后到达的结束事件，或其前的系统操作", "The end event of a withdrawn case, or the operation before it"),
        ("withdraw_until", "process", "完成后不可再撤回的元素", "Elements after which it cannot be withdrawn"),
        ("form", "startEvent userTask manualTask", "表单", "The form"),
        ("candidates", "userTask manualTask", "表达式：可办理的组和人", "Expression: groups and people who may do it"),
        ("assignee", "userTask manualTask", "表达式：办理人", "Expression: who is to do it"),
        ("recuse", "userTask manualTask", "表达式：回避的人", "Expression: who may neither see nor do it"),
        ("due", "userTask manualTask", "期限：2wd、4wh、PT8H，或给出它们的表达式", "Time allowed: `2wd`, `4wh`, `PT8H`, or an expression"),
        ("remind", "userTask manualTask", "开启后何时提醒，逗号分隔", "When to remind after opening, comma separated"),
        ("apart", "userTask manualTask", "true：办理人只看到本任务，不受 barred 限制", "true: its performer sees this task alone, `barred` or not"),
        ("visible_to", "userTask manualTask", "表达式：谁可看所填内容", "Expression: who may read what was entered"),
    )
}  # fmt: skip
_TRANSLATED = re.compile(r"(name|instructions):[a-z]{2}(-[A-Z]{2})?\Z")


def property_allowed(name: str, element: str) -> bool:
    """Whether a property may stand on an element."""
    if _TRANSLATED.match(name):
        return name.startswith("name:") or element in ("startEvent", "userTask", "manualTask")
    return name in PROPERTIES and element in PROPERTIES[name][0]


def refusal(name: str, parent: str) -> Refusal | None:
    """Why element `name` is refused inside `parent`, if a row says so."""
    rows = [row for row in REFUSED if row.element == name and not row.attribute]
    return next((row for row in rows if row.parent == parent), rows[0] if rows else None)


def refused_attribute(name: str, attribute: str) -> Refusal | None:
    """Why an attribute (or its value) is refused on element `name`, if a row says so."""
    rows = [row for row in REFUSED if row.attribute.partition("=")[0] == attribute]
    return next((row for row in rows if row.element == name), None)
