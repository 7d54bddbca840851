"""What variables can hold, as far as forms, tables and scripts tell: enough to find a misspelt field or value."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

Complain = Callable[[str, str, str], None]  # (code, zh, en)


@dataclass(frozen=True)
class Shape:
    """`kind` is any, record, list, text, number, boolean, or personal: sealed, only to be passed on. A record with
    `fields` None may have any field."""

    kind: str = "any"
    fields: Mapping[str, Shape] | None = None
    item: Shape | None = None
    values: frozenset[Any] | None = None  # of an enumeration
    required: frozenset[str] = field(default_factory=frozenset)  # fields a record always has


ANY = Shape()
TEXT = Shape("text")
NUMBER = Shape("number")
BOOLEAN = Shape("boolean")
PERSONAL = Shape("personal")
_KINDS = {"string": TEXT, "integer": NUMBER, "number": NUMBER, "boolean": BOOLEAN}
_NAMES = {
    "record": ("记录", "a record"),
    "list": ("列表", "a list"),
    "text": ("文字", "a text"),
    "number": ("数字", "a number"),
    "boolean": ("是/否", "a yes/no value"),
    "personal": ("个人信息", "personal data"),
}


def of_schema(schema: Any) -> Shape:
    """The shape of the values a JSON Schema lets through."""
    if not isinstance(schema, dict):
        return ANY
    kind = schema.get("type")
    if "x-personal" in schema and schema.get("x-widget") != "attachments":  # of files the form keeps ids only
        return PERSONAL
    if kind == "object" or "properties" in schema:
        properties = schema.get("properties")
        if not isinstance(properties, dict):
            return Shape("record")
        required = schema.get("required")
        names = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        return Shape(
            "record", {str(name): of_schema(part) for name, part in properties.items()}, required=frozenset(names)
        )
    if kind == "array":
        return Shape("list", item=of_schema(schema.get("items")))
    shape = _KINDS.get(kind, ANY) if isinstance(kind, str) else ANY
    values = schema.get("enum")
    if isinstance(values, list) and values and all(isinstance(value, (str, int, float)) for value in values):
        return Shape(shape.kind, values=frozenset(values))
    return shape


def merged(a: Shape, b: Shape) -> Shape:
    """What holds of both."""
    if a == b:
        return a
    if PERSONAL in (a, b):
        return PERSONAL
    if a.kind != b.kind:
        return ANY
    if a.kind == "record" and a.fields is not None and b.fields is not None:
        fields = {name: merged(a.fields.get(name, ANY), b.fields.get(name, ANY)) for name in [*a.fields, *b.fields]}
        return Shape("record", fields, required=a.required & b.required)
    if a.values is not None and b.values is not None:
        return Shape(a.kind, values=a.values | b.values)
    return Shape(a.kind)


def infer(node: ast.expr, names: Mapping[str, Shape], complain: Complain) -> Shape:
    """The shape of an expression's value; fields and values that cannot be there are complained about."""
    return _Reader(names, complain).read(node)


def suggestion(name: Any, known: Any) -> tuple[str, str]:
    """`,是否为「…」？` when something known is spelt much alike."""
    choices = [str(each)[:60] for each in known] if len(known) <= 300 else []  # comparing them all takes time
    close = get_close_matches(str(name)[:60], choices, n=1)
    return (f"，是否为「{close[0]}」？", f"; did you mean “{close[0]}”?") if close else ("", "")


class _Reader:
    def __init__(self, names: Mapping[str, Shape], complain: Complain) -> None:
        self._names = dict(names)
        self._complain = complain

    def read(self, node: ast.expr) -> Shape:
        match node:
            case ast.Name(id=name):
                return self._names.get(name, ANY)
            case ast.Constant(value=value):
                return _constant(value)
            case ast.Attribute(value=inner, attr=name):
                return self._field(self.read(inner), name)
            case ast.Subscript(value=inner, slice=ast.Constant(value=str(name))):
                return self._field(self.read(inner), name)
            case ast.Subscript(value=inner):
                shape = self.read(inner)
                self._inside(node)
                return (shape if isinstance(node.slice, ast.Slice) else shape.item) or ANY
            case ast.Compare():
                self._compare(node)
                return BOOLEAN
            case ast.IfExp():
                self._use(node.test)
                return merged(self.read(node.body), self.read(node.orelse))
            case ast.ListComp() | ast.GeneratorExp() | ast.DictComp():
                return self._loop(node)
            case ast.List() | ast.Tuple():
                shapes = [self.read(part) for part in node.elts]
                item = shapes[0] if shapes else ANY
                for shape in shapes[1:]:
                    item = merged(item, shape)
                return Shape("list", item=item)
            case ast.Call():
                return self._call(node)
            case ast.UnaryOp(op=ast.Not()):
                self._inside(node)
                return BOOLEAN
            case _:
                self._inside(node)
                return ANY

    def _inside(self, node: ast.AST) -> None:
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self._use(part)

    def _use(self, node: ast.expr) -> Shape:
        """Read a part whose value matters here: personal data has none."""
        shape = self.read(node)
        if holds_personal(shape):
            source = ast.unparse(node)[:60]
            self._complain(
                "personal-read",
                f"「{source}」是个人信息，已加密，表达式不能读取，只能原样交给操作",
                f"“{source}” is personal data and sealed: expressions cannot read it, only pass it to an operation",
            )
        return shape

    def _call(self, node: ast.Call) -> Shape:
        if isinstance(node.func, ast.Attribute):
            self.read(node.func.value)  # a method, not a field
        for part in [*node.args, *(keyword.value for keyword in node.keywords)]:
            self._use(part)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        return {"len": NUMBER, "sum": NUMBER, "str": TEXT, "any": BOOLEAN, "all": BOOLEAN, "bool": BOOLEAN}.get(
            name, ANY
        )

    def _field(self, shape: Shape, name: str) -> Shape:
        if shape.kind in ("any", "record"):
            if shape.fields is None:
                return ANY
            if name not in shape.fields:
                zh, en = suggestion(name, shape.fields)
                self._complain("field-unknown", f"没有字段「{name}」{zh}", f"There is no field “{name}”{en}")
            return shape.fields.get(name, ANY)
        zh, en = _NAMES[shape.kind]
        self._complain("field-unknown", f"{zh}没有字段「{name}」", f"“{name}” is asked of {en}, which has no fields")
        return ANY

    def _loop(self, node: ast.ListComp | ast.GeneratorExp | ast.DictComp) -> Shape:
        outer = dict(self._names)
        for clause in node.generators:
            shape = self.read(clause.iter)
            if shape.kind == "personal":
                self._use(clause.iter)
            if isinstance(clause.target, ast.Name):
                self._names[clause.target.id] = shape.item or ANY
            else:
                for target in ast.walk(clause.target):
                    if isinstance(target, ast.Name):
                        self._names[target.id] = ANY
            for test in clause.ifs:
                self._use(test)
        if isinstance(node, ast.DictComp):
            self.read(node.key)
            self.read(node.value)
            item = None
        else:
            item = self.read(node.elt)
        self._names = outer
        return Shape("record") if item is None else Shape("list", item=item)

    def _compare(self, node: ast.Compare) -> None:
        sides = [node.left, *node.comparators]
        none = any(isinstance(side, ast.Constant) and side.value is None for side in sides)
        shapes = [self.read(side) if none else self._use(side) for side in sides]  # whether it is there may be asked
        for place, op in enumerate(node.ops):
            left, right = sides[place], sides[place + 1]
            if isinstance(op, (ast.Eq, ast.NotEq)):
                self._fits(shapes[place], right)
                self._fits(shapes[place + 1], left)
            elif isinstance(op, (ast.In, ast.NotIn)):
                if isinstance(right, (ast.List, ast.Tuple)):
                    for part in right.elts:
                        self._fits(shapes[place], part)
                elif shapes[place + 1].kind == "list":
                    self._fits(shapes[place + 1].item or ANY, left)

    def _fits(self, shape: Shape, node: ast.expr) -> None:
        """Whether a value of `shape` can ever equal the literal `node`."""
        if not isinstance(node, ast.Constant) or node.value is None or shape.kind == "any":
            return
        value: Any = node.value
        if shape.values is not None:
            if value not in shape.values:
                zh, en = suggestion(value, shape.values)
                self._complain(
                    "value-unknown", f"「{value}」不在可选值之中{zh}", f"“{value}” is not among the possible values{en}"
                )
        elif _constant(value).kind != shape.kind:
            zh, en = _NAMES[shape.kind]
            self._complain("value-unknown", f"{zh}不会等于「{value}」", f"{en.capitalize()} never equals “{value}”")


def holds_personal(shape: Shape) -> bool:
    """Whether a value is sealed, or a list of sealed ones. A record that holds some is passed on as a whole."""
    return shape.kind == "personal" or (shape.item is not None and shape.item.kind == "personal")


def _constant(value: Any) -> Shape:
    match value:
        case bool():
            return BOOLEAN
        case int() | float():
            return NUMBER
        case str():
            return TEXT
    return ANY
