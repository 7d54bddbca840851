"""DMN text to a table of checked expressions, naming every problem on the way."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from engine.spiff.expressions import Expression, ExpressionError, compile_expression, is_name
from engine.spiff.gate_report import Node, Report

DMN = "https://www.omg.org/spec/DMN/20191111/MODEL/"
DRAWING = frozenset(
    {
        "https://www.omg.org/spec/DMN/20191111/DMNDI/",
        "http://www.omg.org/spec/DMN/20180521/DC/",
        "http://www.omg.org/spec/DMN/20180521/DI/",
        "http://bpmn.io/schema/dmn/biodi/1.0",
        "http://bpmn.io/schema/dmn/biodi/2.0",
    }
)
HARMLESS = frozenset({"http://camunda.org/schema/modeler/1.0"})  # says which program drew it
INPUT = "the_input"  # what `?` is called inside a cell
POLICIES = ("FIRST", "UNIQUE", "COLLECT")
RULES = 1_000
_NUMBERS = (int, float)
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": _NUMBERS,
    "integer": (int,),
    "long": (int,),
    "double": _NUMBERS,
}

# element → (attributes, children); everything else in the DMN namespace is refused by name
ALLOWED: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    name: (frozenset(attributes.split()), frozenset(children.split()))
    for name, attributes, children in (
        ("definitions", "id name namespace exporter exporterVersion", "decision inputData textAnnotation association"),
        ("decision", "id name", "description variable informationRequirement decisionTable"),
        ("inputData", "id name", "description variable"),
        ("variable", "id name typeRef", ""),
        ("informationRequirement", "id", "requiredInput"),
        ("requiredInput", "href", ""),
        ("textAnnotation", "id textFormat", "text"),
        ("association", "id associationDirection", "sourceRef targetRef"),
        ("sourceRef", "href", ""),
        ("targetRef", "href", ""),
        ("decisionTable", "id hitPolicy preferredOrientation outputLabel", "input output annotation rule"),
        ("input", "id label", "inputExpression inputValues"),
        ("inputExpression", "id typeRef", "text"),
        ("inputValues", "id", "text"),
        ("output", "id label name typeRef", "outputValues"),
        ("outputValues", "id", "text"),
        ("annotation", "id name", ""),
        ("rule", "id", "description inputEntry outputEntry annotationEntry"),
        ("inputEntry", "id", "text"),
        ("outputEntry", "id", "text"),
        ("annotationEntry", "", "text"),
        ("description", "", ""),
        ("text", "", ""),
    )
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """An input column: its expression and the kind of value it declares."""

    expression: Expression
    type_name: str


@dataclass(frozen=True, kw_only=True)
class Output:
    """An output column."""

    name: str
    type_name: str


@dataclass(frozen=True, kw_only=True)
class ReadRule:
    """`tests`: (input column, test) for the cells that are not empty; `outputs`: an expression or None per column."""

    number: int
    tests: tuple[tuple[int, Expression], ...]
    outputs: tuple[Expression | None, ...]


@dataclass(frozen=True, kw_only=True)
class ReadDecision:
    """A decision table as read."""

    id: str
    name: str
    hit_policy: str
    inputs: tuple[Column, ...]
    outputs: tuple[Output, ...]
    rules: tuple[ReadRule, ...]
    names: frozenset[str] = field(default_factory=frozenset)
    calls: frozenset[str] = field(default_factory=frozenset)


def read_decision(root: Node, report: Report) -> ReadDecision | None:
    """The one decision table below `root`; what is wrong goes to `report`."""
    if root.tag != f"{{{DMN}}}definitions":
        report.problem(
            root, "dmn-version", "须为 DMN 1.3 文件（definitions）", "This must be a DMN 1.3 file (definitions)"
        )
        return None
    _check_whitelist(root, report)
    decisions = _children(root, "decision")
    if len(decisions) != 1:
        report.problem(
            root, "dmn-one", "每个文件须恰有一个决策（decision）", "Each file must hold exactly one decision"
        )
        return None
    decision = decisions[0]
    tables = _children(decision, "decisionTable")
    if len(tables) != 1:
        report.problem(
            decision, "dmn-table", "决策须恰有一个决策表", "The decision must hold exactly one decision table"
        )
        return None
    name = decision.get("id", "")
    if not is_name(name):
        report.problem(
            decision,
            "id-form",
            f"决策编号「{name}」须由英文字母、数字和下划线组成",
            f"“{name}” cannot be a decision's id",
        )
    return _read_table(decision, tables[0], report)


def split_name(name: str) -> tuple[str, str]:
    """`{namespace}local` as (namespace, local)."""
    space, closed, local = name[1:].partition("}") if name.startswith("{") else ("", "", "")
    return (space, local) if closed else ("", name)


def _check_whitelist(root: Node, report: Report) -> None:
    for node in root.iter():
        if not isinstance(node.tag, str):
            continue
        space, local = split_name(node.tag)
        if space in DRAWING:
            continue
        parent = node.getparent()
        above = parent.tag.rpartition("}")[2] if parent is not None else ""
        if space != DMN or local not in ALLOWED or (above and local not in ALLOWED.get(above, ((), ()))[1]):
            report.problem(
                node, "dmn-element", f"决策表中不支持元素「{local}」", f"The element “{local}” is not supported"
            )
            continue
        for attribute in node.attrib:
            space, plain = split_name(str(attribute))
            known = space in DRAWING or space in HARMLESS or (not space and plain in ALLOWED[local][0])
            if not known and not (plain == "schemaLocation" and space.endswith("XMLSchema-instance")):
                report.problem(
                    node, "dmn-attribute", f"「{local}」不支持属性「{plain}」", f"“{local}” has no attribute “{plain}”"
                )


def _read_table(decision: Node, table: Node, report: Report) -> ReadDecision | None:
    policy = table.get("hitPolicy", "UNIQUE")
    if policy not in POLICIES:
        report.problem(
            table, "dmn-policy", f"不支持命中策略「{policy}」", f"The hit policy “{policy}” is not supported"
        )
    names: set[str] = set()
    calls: set[str] = set()
    inputs = [_read_input(node, report) for node in _children(table, "input")]
    outputs = [
        Output(name=node.get("name", ""), type_name=node.get("typeRef", "")) for node in _children(table, "output")
    ]
    _check_outputs(table, outputs, report)
    nodes = _children(table, "rule")
    if not nodes or len(nodes) > RULES:
        report.problem(table, "dmn-rules", f"规则须有 1 至 {RULES} 行", f"There must be 1 to {RULES} rules")
        nodes = nodes[:RULES]
    rules = [_read_rule(number, node, inputs, outputs, report) for number, node in enumerate(nodes, start=1)]
    for expression in [
        *(column.expression for column in inputs if column),
        *(test for rule in rules for _, test in rule.tests),
        *(cell for rule in rules for cell in rule.outputs if cell),
    ]:
        names |= expression.names
        calls |= expression.calls
    _check_calls(table, calls, report)
    return ReadDecision(
        id=decision.get("id", ""),
        name=decision.get("name", "") or decision.get("id", ""),
        hit_policy=policy,
        inputs=tuple(column for column in inputs if column),
        outputs=tuple(outputs),
        rules=tuple(rules),
        names=frozenset(names - {INPUT}),
        calls=frozenset(calls),
    )


def _check_outputs(table: Node, outputs: list[Output], report: Report) -> None:
    names = [output.name for output in outputs]
    if not outputs:
        report.problem(table, "dmn-output", "决策表没有输出列", "The table has no output column")
    for name in names:
        if not is_name(name) or names.count(name) > 1:
            report.problem(
                table,
                "dmn-output",
                f"输出列名称「{name}」无效或重复",
                f"The output name “{name}” is not valid or not unique",
            )


def _check_calls(table: Node, calls: set[str], report: Report) -> None:
    if calls:
        several = ", ".join(sorted(calls))
        report.problem(
            table, "name-function", f"决策表中没有函数：{several}", f"There are no such functions in a table: {several}"
        )


def _read_input(node: Node, report: Report) -> Column | None:
    expressions = _children(node, "inputExpression")
    source = _text(expressions[0]) if expressions else ""
    expression = _compile(node, source, report)
    if expression is None:
        return None
    return Column(expression=expression, type_name=expressions[0].get("typeRef", ""))


def _read_rule(number: int, node: Node, inputs: list[Column | None], outputs: list[Output], report: Report) -> ReadRule:
    tests: list[tuple[int, Expression]] = []
    cells = _children(node, "inputEntry")
    results = _children(node, "outputEntry")
    if len(cells) != len(inputs) or len(results) != len(outputs):
        report.problem(
            node, "dmn-cells", f"第 {number} 行的单元格数与列数不符", f"Rule {number} has not one cell per column"
        )
    for place, cell in enumerate(cells):
        text = _text(cell)
        if text not in ("", "-"):
            test = _compile_cell(cell, text, report)
            if test is not None:
                tests.append((place, test))
    values = []
    for place, cell in enumerate(results):
        value = _compile(cell, _text(cell), report) if _text(cell) else None
        values.append(value)
        if value is not None and place < len(outputs):
            _check_type(cell, value, outputs[place].type_name, report)
    return ReadRule(number=number, tests=tuple(tests), outputs=tuple(values))


def _check_type(node: Node, value: Expression, type_name: str, report: Report) -> None:
    wanted = _TYPES.get(type_name)
    if wanted is None or not isinstance(value.tree, ast.Constant) or value.tree.value is None:
        return
    constant = value.tree.value
    if not isinstance(constant, wanted) or (isinstance(constant, bool) and bool not in wanted):
        report.problem(
            node,
            "dmn-type",
            f"输出「{value.source}」不是 {type_name}",
            f"The output {value.source} is not a {type_name}",
        )


def _compile(node: Node, source: str, report: Report) -> Expression | None:
    try:
        return compile_expression(source)
    except ExpressionError as error:
        zh, en = error.message["zh-CN"], error.message["en"]
        report.problem(node, f"expression-{error.code}", f"「{source}」：{zh}", f"“{source}”: {en}")
        return None


def _compile_cell(node: Node, text: str, report: Report) -> Expression | None:
    try:
        return compile_expression(cell_test(text))
    except ExpressionError as error:
        zh, en = error.message["zh-CN"], error.message["en"]
        report.problem(node, f"expression-{error.code}", f"单元格「{text}」：{zh}", f"Cell “{text}”: {en}")
        return None


_QUOTED = re.compile(r'("(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\')')
_COMPARES = re.compile(r"(==|!=|<=|>=|<|>|in\b|not\s+in\b)")
_NOT = re.compile(r"not\b\s*(.+)", re.DOTALL)


def cell_test(text: str) -> str:
    """The condition over `the_input` that a cell stands for. Raises ExpressionError."""
    text = text.strip()
    pieces = _QUOTED.split(text)
    if any("?" in piece for piece in pieces[::2]):
        return "".join(piece if index % 2 else piece.replace("?", INPUT) for index, piece in enumerate(pieces))
    if _COMPARES.match(text):
        return f"{INPUT} {text}"
    negated = _NOT.match(text)
    if negated:
        return f"not ({cell_test(negated.group(1))})"
    tree = compile_expression(text).tree
    if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.Or):
        return " or ".join(f"({_equals(text, part)})" for part in tree.values)
    if isinstance(tree, ast.Tuple):
        return " or ".join(f"({_equals(text, part)})" for part in tree.elts)
    return _equals(text, tree)


def _equals(text: str, part: ast.expr) -> str:
    if isinstance(part, ast.Constant) and (part.value is None or isinstance(part.value, bool)):
        return f"{INPUT} is {part.value}"  # so that 1 does not pass for True
    if isinstance(part, (ast.Constant, ast.Name, ast.Attribute, ast.UnaryOp, ast.BinOp)):
        return f"{INPUT} == ({ast.get_source_segment(text, part)})"
    raise ExpressionError(
        "cell",
        {
            "zh-CN": "看不出如何与输入比较，请用 ? 表示输入，如 ? in [1, 2]",
            "en": "It is not clear how to compare this; write ? for the input, as in ? in [1, 2]",
        },
    )


def _children(node: Node, local: str) -> list[Node]:
    return node.findall(f"{{{DMN}}}{local}")


def _text(node: Node) -> str:
    found = node.find(f"{{{DMN}}}text")
    return (found.text or "").strip() if found is not None else ""
