"""A difference in words: what kind of thing changed, and which of its properties, in the reader's language."""

from __future__ import annotations

from engine.errors import Text

TYPES: dict[str, Text] = {
    "userTask": {"zh-CN": "用户任务", "en": "User task"},
    "serviceTask": {"zh-CN": "操作", "en": "Operation"},
    "scriptTask": {"zh-CN": "赋值", "en": "Script"},
    "businessRuleTask": {"zh-CN": "决策", "en": "Decision"},
    "callActivity": {"zh-CN": "调用流程", "en": "Called procedure"},
    "subProcess": {"zh-CN": "子流程", "en": "Subprocess"},
    "exclusiveGateway": {"zh-CN": "分支", "en": "Exclusive gateway"},
    "inclusiveGateway": {"zh-CN": "包容分支", "en": "Inclusive gateway"},
    "parallelGateway": {"zh-CN": "并行", "en": "Parallel gateway"},
    "eventBasedGateway": {"zh-CN": "事件分支", "en": "Event gateway"},
    "startEvent": {"zh-CN": "开始", "en": "Start"},
    "endEvent": {"zh-CN": "结束", "en": "End"},
    "boundaryEvent": {"zh-CN": "边界事件", "en": "Boundary event"},
    "intermediateCatchEvent": {"zh-CN": "等待", "en": "Catching event"},
    "intermediateThrowEvent": {"zh-CN": "中间事件", "en": "Throwing event"},
    "sequenceFlow": {"zh-CN": "连线", "en": "Sequence flow"},
    "lane": {"zh-CN": "泳道", "en": "Lane"},
    "process": {"zh-CN": "流程", "en": "Process"},
    "rule": {"zh-CN": "规则", "en": "Rule"},
    "input": {"zh-CN": "输入列", "en": "Input"},
    "output": {"zh-CN": "输出列", "en": "Output"},
    "decision": {"zh-CN": "决策表", "en": "Decision"},
    "decisionTable": {"zh-CN": "决策表", "en": "Decision table"},
    "field": {"zh-CN": "字段", "en": "Field"},
    "form": {"zh-CN": "表单", "en": "Form"},
    "line": {"zh-CN": "行", "en": "Line"},
    "shape": {"zh-CN": "图形", "en": "Shape"},
    "edge": {"zh-CN": "连线图形", "en": "Drawn line"},
}
KINDS: dict[str, Text] = {
    "added": {"zh-CN": "新增", "en": "Added"},
    "removed": {"zh-CN": "删除", "en": "Removed"},
    "changed": {"zh-CN": "修改", "en": "Changed"},
    "moved": {"zh-CN": "仅移动位置", "en": "Moved in the drawing"},
}
PROPERTIES: dict[str, Text] = {
    "name": {"zh-CN": "名称", "en": "Name"},
    "lane": {"zh-CN": "泳道", "en": "Lane"},
    "in": {"zh-CN": "所在流程", "en": "Stands in"},
    "sourceRef": {"zh-CN": "起点", "en": "From"},
    "targetRef": {"zh-CN": "终点", "en": "To"},
    "default": {"zh-CN": "默认连线", "en": "Default flow"},
    "conditionExpression": {"zh-CN": "条件", "en": "Condition"},
    "operation": {"zh-CN": "操作", "en": "Operation"},
    "resultVariable": {"zh-CN": "结果变量", "en": "Result variable"},
    "calledDecisionId": {"zh-CN": "决策表", "en": "Decision table"},
    "calledElement": {"zh-CN": "调用的流程", "en": "Called procedure"},
    "script": {"zh-CN": "赋值", "en": "Script"},
    "documentation": {"zh-CN": "说明", "en": "Documentation"},
    "instructionsForEndUser": {"zh-CN": "办理说明", "en": "Instructions"},
    "order": {"zh-CN": "次序", "en": "Order"},
    "property:form": {"zh-CN": "表单", "en": "Form"},
    "property:candidates": {"zh-CN": "可办理人", "en": "Candidates"},
    "property:assignee": {"zh-CN": "指定办理人", "en": "Assignee"},
    "property:recuse": {"zh-CN": "回避", "en": "Recused"},
    "property:due": {"zh-CN": "时限", "en": "Due"},
    "property:remind": {"zh-CN": "催办", "en": "Reminders"},
    "property:name:en": {"zh-CN": "英文名称", "en": "English name"},
    "timerEventDefinition/timeDuration": {"zh-CN": "时长", "en": "Duration"},
    "timerEventDefinition/timeDate": {"zh-CN": "时刻", "en": "Moment"},
    "timerEventDefinition/timeCycle": {"zh-CN": "周期", "en": "Cycle"},
}
_PREFIXES: dict[str, Text] = {
    "property:": {"zh-CN": "属性 {name}", "en": "Property {name}"},
    "parameter:": {"zh-CN": "参数 {name}", "en": "Parameter {name}"},
    "input:": {"zh-CN": "条件「{name}」", "en": "Input “{name}”"},
    "output:": {"zh-CN": "结果「{name}」", "en": "Output “{name}”"},
    "annotation:": {"zh-CN": "备注「{name}」", "en": "Annotation “{name}”"},
}


def type_name(name: str) -> Text:
    """The kind of thing."""
    return TYPES.get(name, {"zh-CN": name, "en": name})


def kind_name(kind: str) -> Text:
    """What happened to it."""
    return KINDS.get(kind, {"zh-CN": kind, "en": kind})


def property_name(what: str) -> Text:
    """Which of its properties."""
    if what in PROPERTIES:
        return PROPERTIES[what]
    for prefix, words in _PREFIXES.items():
        if what.startswith(prefix):
            return {lang: text.replace("{name}", what.removeprefix(prefix)) for lang, text in words.items()}
    return {"zh-CN": what, "en": what}
