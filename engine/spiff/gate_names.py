"""Which variables a process can have, and the check of every expression against them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from typing import Any

from engine.spiff.decisions import Decision
from engine.spiff.expressions import Expression, ExpressionError, Script, compile_expression, compile_script
from engine.spiff.gate_model import (
    HUMAN,
    Element,
    Model,
    Process,
    child,
    child_text,
    extension,
    result_variable,
    text_of,
)
from engine.spiff.gate_report import Node
from engine.spiff.gate_shapes import ANY, NUMBER, TEXT, Shape, holds_personal, infer, merged, of_schema, suggestion

ORIGIN = Shape("record", dict.fromkeys(("instance_id", "business_key", "schedule", "period"), TEXT))
ALWAYS = {"initiator": TEXT, "business_key": TEXT, "origin": ORIGIN}
BY_THE_ENGINE = {"by": TEXT, "at": TEXT, "for": TEXT}  # added to every result of a person
DEFAULT_FORM = Shape("record", {"outcome": TEXT, "comment": TEXT, **BY_THE_ENGINE}, required=frozenset({"outcome"}))


class Names:
    """The variables of every process of a bundle. `open` processes may be given variables nobody here declares."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._own: dict[str, dict[str, Shape]] = {}
        self._given: dict[str, frozenset[str]] = {}  # what a process only gets, by its start form or as an input
        self._all: dict[str, dict[str, Shape]] = {}
        self.callers: dict[str, list[Process]] = {}
        for process in model.processes.values():
            for element in process.elements:
                if element.kind == "callActivity":
                    self.callers.setdefault(element.node.get("calledElement") or "", []).append(process)
        for process in model.processes.values():
            self._own[process.id] = self._declared(process)
        for process in model.processes.values():
            self._whole(process, set())

    def of(self, process: Process) -> dict[str, Shape]:
        """Every variable a process may have, with its shape."""
        return self._all.get(process.id, {})

    def open(self, process: Process) -> bool:
        """Whether variables may come from outside that nothing in the bundle declares."""
        if process.inputs is not None or process.id in self.callers:
            return False
        start = process.start
        return start is None or not start.properties.get("form")

    def form_shape(self, element: Element) -> Shape:
        """What a person enters at a user task or start event."""
        named = element.properties.get("form")
        if not named:
            return DEFAULT_FORM if element.kind in HUMAN else Shape("record", {})
        path = self.model.form_path(element.scope.process.id, named)
        shape = of_schema(self.model.forms.get(path)) if path else Shape("record")
        if element.kind in HUMAN and shape.fields is not None:
            return Shape("record", {**shape.fields, **BY_THE_ENGINE}, required=shape.required)
        return shape

    def local(self, element: Element) -> dict[str, Shape]:
        """What is known at one element only: the item of a multi-instance activity, its own and those around it."""
        found: dict[str, Shape] = {}
        at: Element | None = element
        while at is not None:
            multi = at.multi
            if multi is not None:
                item, given = child(multi, "inputDataItem"), child(multi, "outputDataItem")
                names = self.of(at.scope.process)
                source = names.get(child_text(multi, "loopDataInputRef"), ANY)
                for node, shape in ((item, source.item or ANY), (given, ANY)):
                    if node is not None and (node.get("id") or node.get("name")):
                        found.setdefault(node.get("id") or node.get("name") or "", shape)
                if at.kind in HUMAN:
                    found.setdefault(result_variable(at), self.form_shape(at))
                elif at is not element:  # what an instance sets is known inside it, and vanishes with it
                    found = {**dict.fromkeys(self.products(at), ANY), **found}
            at = at.scope.owner
        return found

    def around(self, element: Element) -> dict[str, Shape]:
        """What is known locally where an element stands, but not what it brings itself."""
        return self.local(element.scope.owner) if element.scope.owner is not None else {}

    def products(self, element: Element) -> frozenset[str]:
        """The variables an activity can leave behind."""
        scripts: list[Script] = []
        found = {name for name, _ in self._single(element, scripts)}
        found.update(name for script in scripts for name in script.assigned)
        for scope in element.scope.process.scopes:
            if scope.owner is element:
                for inner in scope.elements.values():
                    found |= self.products(inner)
        called = self.model.processes.get(element.node.get("calledElement") or "")
        if element.kind == "callActivity" and called is not None:
            everything = set(self.of(called)) - self._given[called.id]
            found.update(called.outputs if called.outputs is not None else everything)
        return frozenset(found)

    def brought(self, element: Element) -> frozenset[str]:
        """What an activity's own scripts set, whatever else it leaves behind."""
        scripts: list[Script] = []
        for _ in self._single(element, scripts):
            pass
        return frozenset(name for script in scripts for name in script.assigned)

    def _declared(self, process: Process) -> dict[str, Shape]:
        """What its own start, inputs, tasks, scripts and tables set; calls are added later."""
        names: dict[str, Shape] = dict(ALWAYS)
        start = process.start
        if start is not None:
            names.update(self.form_shape(start).fields or {})
        for name in process.inputs or ():
            names.setdefault(name, ANY)
        scripts: list[Script] = []
        lasting = [element for element in process.elements if not _inside_multi(element)]
        results = [result for element in lasting for result in self._results(element, scripts)]
        for name, shape in results:
            names[name] = merged(names[name], shape) if name in names else shape
        self._assign(names, scripts)
        self._given[process.id] = frozenset(names) - {name for name, _ in results}
        self._given[process.id] -= {name for script in scripts for name in script.assigned}
        return names

    def _results(self, element: Element, scripts: list[Script]) -> Iterable[tuple[str, Shape]]:
        multi = element.multi
        if multi is not None and (collected := child_text(multi, "loopDataOutputRef")):
            item = self.form_shape(element) if element.kind in HUMAN else ANY
            yield collected, Shape("list", item=item)
        else:
            yield from self._single(element, scripts)

    def _single(self, element: Element, scripts: list[Script]) -> Iterable[tuple[str, Shape]]:
        """What one instance of an activity sets."""
        if element.kind in HUMAN:
            yield result_variable(element), self.form_shape(element)
        elif element.kind == "serviceTask" and result_variable(element):
            yield result_variable(element), Shape("record")
        elif element.kind == "scriptTask":
            _keep(child_text(element.node, "script"), scripts)
        elif element.kind == "callActivity":
            _keep(text_of(extension(element.node, "postScript")), scripts)
        elif element.kind == "businessRuleTask":
            decision = self.model.decisions.get(text_of(extension(element.node, "calledDecisionId")))
            if decision is not None:
                yield from of_decision(decision).items()

    def _assign(self, names: dict[str, Shape], scripts: list[Script]) -> None:
        """Shapes of what scripts assign; a second round, because scripts read what others assign."""
        assigned: dict[str, Shape] = {}
        for _ in range(2):
            known = {**names, **assigned}
            for script in scripts:
                for name, shape in _assignments(script.statements, known):
                    assigned[name] = merged(assigned[name], shape) if name in assigned else shape
        for name, shape in assigned.items():
            names[name] = merged(names[name], shape) if name in names else shape

    def _whole(self, process: Process, busy: set[str]) -> dict[str, Shape]:
        """Its own variables, what called processes give back, and what callers hand over. Kept once worked out."""
        if process.id in self._all or process.id in busy:
            return self._all.get(process.id, self._own[process.id])
        busy.add(process.id)
        names = dict(self._own[process.id])
        for element in process.elements:
            called = self.model.processes.get(element.node.get("calledElement") or "")
            if element.kind == "callActivity" and called is not None:
                whole = self._whole(called, busy)
                outputs = set(whole) - self._given[called.id] if called.outputs is None else called.outputs
                given = {name: whole.get(name, ANY) for name in outputs}
                for name, shape in given.items():
                    names[name] = merged(names[name], shape) if name in names else shape
        if process.inputs is None:  # a called process without an ioSpecification gets everything the caller has
            for caller in self.callers.get(process.id, ()):
                for name, shape in self._own[caller.id].items():
                    names.setdefault(name, shape)
                for element in caller.elements:
                    for name in _prepared(element):
                        names.setdefault(name, ANY)
        self._all[process.id] = names
        return names


class Checker:
    """Checks the expressions of one process and says what is wrong at the element."""

    def __init__(self, names: Names, process: Process) -> None:
        self.names, self.process = names, process
        self.report = process.report
        self._open = names.open(process)
        self._known = names.of(process)
        self._house = names.model.house

    def expression(
        self,
        source: str,
        node: Node,
        what: str,
        *,
        element: Element | None = None,
        directory: bool = False,
        extra: Mapping[str, Shape] | None = None,
        carries: bool = False,
    ) -> Expression | None:
        """Check one expression; `what` says which (`condition`, `assignee`). None when it cannot be read.
        `carries`: its value is only passed on, so it may be personal data."""
        try:
            expression = compile_expression(source)
        except ExpressionError as error:
            self._bad(error, node, what)
            return None
        known = {**self._known, **(self.names.local(element) if element else {}), **(extra or {})}
        self._check(expression.names, expression.calls, known, node, what, directory=directory)
        shape = infer(
            expression.tree,
            known,
            lambda code, zh, en: self.report.problem(node, code, f"{what}：{zh}", f"{what}: {en}"),
        )
        if not carries and holds_personal(shape):
            self._personal(source, node, what)
        return expression

    def script(self, source: str, node: Node, what: str, *, extra: Mapping[str, Shape] | None = None) -> Script | None:
        """Check one script."""
        try:
            script = compile_script(source)
        except ExpressionError as error:
            self._bad(error, node, what)
            return None
        known = {**self._known, **(extra or {})}
        for name in script.assigned:
            known.setdefault(name, ANY)
        self._check(script.names, script.calls, known, node, what, directory=False)
        for statement in script.statements:
            for part in ast.walk(statement):
                if isinstance(part, (ast.Assign, ast.If)):
                    value = part.value if isinstance(part, ast.Assign) else part.test
                    shape = infer(
                        value,
                        known,
                        lambda code, zh, en: self.report.problem(node, code, f"{what}：{zh}", f"{what}: {en}"),
                    )
                    if isinstance(part, ast.If) and holds_personal(shape):
                        self._personal(ast.unparse(value), node, what)
        for name in sorted(script.assigned & set(ALWAYS)):
            self.report.problem(
                node, "name-reserved", f"{what}：不能给「{name}」赋值", f"{what}: “{name}” cannot be assigned"
            )
        return script

    def decision(self, decision: Decision, element: Element) -> None:
        """Whether the variables a table reads are there."""
        known = {**self._known, **self.names.local(element)}
        self._check(decision.names, frozenset(), known, element.node, decision.id, directory=False)
        for name in sorted(decision.names):
            if holds_personal(known.get(name, ANY)):
                self._personal(name, element.node, decision.id)

    def _personal(self, source: str, node: Node, what: str) -> None:
        self.report.problem(
            node,
            "personal-read",
            f"{what}：「{source[:60]}」是个人信息，已加密，只能原样交给操作",
            f"{what}: “{source[:60]}” is personal data and sealed: it can only be passed to an operation",
        )

    def _bad(self, error: ExpressionError, node: Node, what: str) -> None:
        place = f"{error.line}:{error.column}"
        zh, en = error.message["zh-CN"], error.message["en"]
        self.report.problem(node, f"expression-{error.code}", f"{what}（{place}）：{zh}", f"{what} ({place}): {en}")

    def _check(
        self,
        names: frozenset[str],
        calls: frozenset[str],
        known: Mapping[str, Any],
        node: Node,
        what: str,
        *,
        directory: bool,
    ) -> None:
        for name in sorted(names - set(known)):
            zh, en = suggestion(name, known)
            if not en and name in self._house.groups:
                zh, en = "；组的编号要加引号", "; a group's id needs quotes"
            tell = self.report.note if self._open else self.report.problem
            tell(
                node, "name-unknown", f"{what}：没有变量「{name}」{zh}", f"{what}: nothing sets a variable “{name}”{en}"
            )
        for name in sorted(calls - self._house.functions):
            if name in self._house.directory_functions:
                if not directory:
                    self.report.problem(
                        node,
                        "name-function",
                        f"{what}：函数「{name}」只能用于办理人、回避、标题和查看人",
                        f"{what}: the function “{name}” is for assignees, recusal, titles and viewers only",
                    )
                continue
            zh, en = suggestion(name, self._house.functions | (self._house.directory_functions if directory else set()))
            self.report.problem(
                node, "name-function", f"{what}：没有函数「{name}」{zh}", f"{what}: there is no function “{name}”{en}"
            )


def of_decision(decision: Decision) -> dict[str, Shape]:
    """The outputs of a table as variables; when every cell is a literal, the values it can have."""
    found: dict[str, Shape] = {}
    for name, values in decision.constants().items():
        if values is None:
            shape = ANY
        elif values and all(isinstance(value, str) for value in values):
            shape = Shape("text", values=frozenset(values))
        else:
            shape = NUMBER if values and all(type(value) in (int, float) for value in values) else ANY
        found[name] = Shape("list", item=shape) if decision.hit_policy == "COLLECT" else shape
    return found


def _inside_multi(element: Element) -> bool:
    owner = element.scope.owner
    return owner is not None and (owner.multi is not None or _inside_multi(owner))


def _keep(source: str, scripts: list[Script]) -> None:
    try:
        scripts.append(compile_script(source))
    except ExpressionError:
        return  # said where the script is checked


def _prepared(element: Element) -> frozenset[str]:
    scripts: list[Script] = []
    if element.kind == "callActivity":
        _keep(text_of(extension(element.node, "preScript")), scripts)
    return scripts[0].assigned if scripts else frozenset()


def _assignments(statements: list[ast.stmt], known: Mapping[str, Shape]) -> Iterable[tuple[str, Shape]]:
    for statement in statements:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=None)):
                yield name, known.get(name, ANY)  # clearing says nothing about what it is otherwise
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                yield name, infer(value, known, lambda code, zh, en: None)
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=name))]):
                yield name, Shape("record")
            case ast.If(body=body, orelse=orelse):
                yield from _assignments([*body, *orelse], known)
