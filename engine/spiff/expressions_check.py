"""What an expression may be written with: the whitelist of syntax, checked before anything is built from it.

`parse` turns source text into a checked syntax tree or raises `ExpressionError`. Nothing is ever evaluated here.
Everything not listed in `EXPRESSIONS`, `OPERATORS` or `STATEMENTS` is refused by its class, so syntax added to Python
later is refused too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import ClassVar

from engine.errors import GuijuError, Text

EXPRESSION_LENGTH = 2_000  # characters
SCRIPT_LENGTH = 10_000
EXPRESSION_NODES = 400
SCRIPT_NODES = 2_000
DEPTH = 30
LITERAL_TEXT = 1_000  # characters of one string literal
LITERAL_NUMBER = 10**18
LOOPS = 3  # `for` clauses in one expression

BUILTINS = frozenset(
    {"len", "min", "max", "sum", "abs", "round", "any", "all", "sorted", "str", "int", "float", "bool"}
)
METHODS = frozenset(
    {"upper", "lower", "strip", "startswith", "endswith", "split", "join", "get", "keys", "values", "items"}
)
KEYWORDS = {"sorted": frozenset({"reverse"}), "min": frozenset({"default"}), "max": frozenset({"default"})}

EXPRESSIONS: tuple[type[ast.AST], ...] = (
    ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Slice, ast.Call, ast.keyword, ast.BoolOp, ast.UnaryOp,
    ast.BinOp, ast.Compare, ast.IfExp, ast.List, ast.Tuple, ast.Dict, ast.ListComp, ast.GeneratorExp, ast.DictComp,
    ast.comprehension,
)  # fmt: skip
OPERATORS: tuple[type[ast.AST], ...] = (
    ast.Load, ast.Store, ast.And, ast.Or, ast.Not, ast.USub, ast.UAdd, ast.Add, ast.Sub, ast.Mult, ast.Div,
    ast.FloorDiv, ast.Mod, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot,
)  # fmt: skip
STATEMENTS: tuple[type[ast.AST], ...] = (ast.Assign, ast.If, ast.Pass)

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_QUOTED = re.compile(r'"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|#[^\n]*')
_ESCAPE = re.compile(r"\\(?:[\\'\"nt]|u[0-9a-fA-F]{4})|(\\)")
_INVISIBLE = re.compile(
    r"[\x00-\x08\x0b\x0c\x0d-\x1f\x7f-\x9f\u00ad\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)


class ExpressionError(GuijuError):
    """A text is not an expression (or script) of the allowed kind. `line` counts from 1, `column` too."""

    status = 422
    code = "expression"
    text: ClassVar[Text] = {"zh-CN": "表达式有误", "en": "The expression is not valid"}

    def __init__(self, code: str, text: Text, *, line: int = 1, column: int = 1) -> None:
        self.line, self.column = line, column
        super().__init__(code, text=text, line=line, column=column)


def parse_expression(source: str) -> ast.expr:
    """The checked tree of one expression; line breaks inside it are allowed. Raises `ExpressionError`."""
    source = source.replace("\r\n", "\n").strip(" \t\n")
    _check_text(source, EXPRESSION_LENGTH)
    spans = "\n" in source  # parentheses let an expression span lines; they add no line of their own
    tree = _parse(f"({source}\n)" if spans else source, "eval")
    assert isinstance(tree, ast.Expression)
    _check_tree(tree.body, EXPRESSION_NODES)
    return tree.body


def parse_script(source: str) -> list[ast.stmt]:
    """The checked statements of one script. Raises `ExpressionError`."""
    source = _dedent(source)
    _check_text(source, SCRIPT_LENGTH)
    tree = _parse(source, "exec")
    assert isinstance(tree, ast.Module)
    for statement in tree.body:
        _check_tree(statement, SCRIPT_NODES)
    if sum(1 for _ in _walk(tree)) > SCRIPT_NODES:
        raise refuse("too_big", tree, "脚本太长", "The script is too long")
    return tree.body


def is_name(name: str) -> bool:
    """Whether `name` can name a variable or a field: letters, digits and underscores, beginning with a letter."""
    return bool(_NAME.match(name)) and "__" not in name and name not in BUILTINS


def refuse(code: str, node: ast.AST, zh: str, en: str) -> ExpressionError:
    """The error for `node`, at its place."""
    line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0) + 1
    return ExpressionError(code, {"zh-CN": zh, "en": en}, line=line, column=column)


def _dedent(source: str) -> str:
    lines = [line.rstrip(" ") for line in source.replace("\r\n", "\n").expandtabs(4).split("\n")]
    filled = [line for line in lines if line]
    margin = min((len(line) - len(line.lstrip(" ")) for line in filled), default=0)
    return "\n".join(line[margin:] for line in lines).strip("\n")


def _check_text(source: str, limit: int) -> None:
    """Refuse what can be refused before parsing: length, invisible characters, identifiers that only look alike."""
    if not source:
        raise ExpressionError("empty", {"zh-CN": "表达式为空", "en": "The expression is empty"})
    if len(source) > limit:
        raise ExpressionError(
            "too_big",
            {"zh-CN": f"表达式超过 {limit} 个字符", "en": f"The expression is longer than {limit} characters"},
        )
    hidden = _INVISIBLE.search(source)
    if hidden:
        line, column = _place(source, hidden.start())
        text = {"zh-CN": "含有不可见字符", "en": "There is an invisible character"}
        raise ExpressionError("unicode", text, line=line, column=column)
    if '"""' in source or "'''" in source:
        raise ExpressionError("not_allowed", {"zh-CN": "不允许三引号", "en": "Triple quotes are not allowed"})
    for match in _ESCAPE.finditer(source):
        if match.group(1):
            line, column = _place(source, match.start())
            text = {"zh-CN": "不允许这个转义字符", "en": "This escape is not allowed"}
            raise ExpressionError("not_allowed", text, line=line, column=column)
    if "${" in source or "#{" in source:
        text = {"zh-CN": "请直接写表达式，不要写 ${…}", "en": "Write the expression itself, without ${…}"}
        raise ExpressionError("syntax", text)
    bare = _QUOTED.sub(lambda found: " " * len(found.group()), source)
    for index, char in enumerate(bare):
        if not char.isascii():
            line, column = _place(source, index)
            text = {
                "zh-CN": f"引号之外只能用英文字母和半角符号，这里是「{char}」",
                "en": f"Outside quotes only ASCII letters and signs are allowed; here is “{char}”",
            }
            raise ExpressionError("unicode", text, line=line, column=column)


def _place(source: str, index: int) -> tuple[int, int]:
    return source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index)


def _parse(source: str, mode: str) -> ast.AST:
    try:
        return ast.parse(source, mode=mode)  # builds a tree only: nothing is compiled to code or run
    except SyntaxError as error:
        text = {"zh-CN": "写法有误，无法理解", "en": "This cannot be understood (syntax)"}
        raise ExpressionError("syntax", text, line=error.lineno or 1, column=error.offset or 1) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError("too_deep", {"zh-CN": "嵌套太深", "en": "Nested too deeply"}) from None


def _walk(root: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    """Every node with its depth, without recursion: a deep tree must not exhaust the stack of the check itself."""
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack.extend((child, depth + 1) for child in ast.iter_child_nodes(node))


def _check_tree(root: ast.AST, limit: int) -> None:
    allowed = EXPRESSIONS + OPERATORS + STATEMENTS
    loops = 0
    called: set[int] = set()
    nodes: list[ast.AST] = []
    for node, depth in _walk(root):
        if type(node) not in allowed:
            kind = type(node).__name__
            raise refuse("not_allowed", node, f"不允许这种写法（{kind}）", f"This is not allowed ({kind})")
        if depth > DEPTH:
            raise refuse("too_deep", node, "嵌套太深", "Nested too deeply")
        nodes.append(node)
        if len(nodes) > limit:
            raise refuse("too_big", node, "表达式太长", "The expression is too long")
        loops += isinstance(node, ast.comprehension)
        if isinstance(node, ast.Call):
            called.add(id(node.func))
    if loops > LOOPS * (1 if limit == EXPRESSION_NODES else 10):
        raise refuse("too_big", root, "循环太多", "Too many loops")
    for node in nodes:
        _check_node(node, called)


def _check_node(node: ast.AST, called: set[int]) -> None:
    match node:
        case ast.Constant():
            _check_constant(node)
        case ast.Name():
            _check_name(node, node.id, called=id(node) in called)
        case ast.Attribute(attr=attr):
            _check_field(node, attr, called=id(node) in called)
        case ast.Call():
            _check_call(node)
        case ast.BinOp(left=ast.Constant(value=str()), op=ast.Mod()):
            raise refuse("not_allowed", node, "不允许用 % 拼接文字", "Formatting text with % is not allowed")
        case ast.Compare():
            for op, right in zip(node.ops, node.comparators, strict=True):
                if isinstance(op, (ast.Is, ast.IsNot)) and not _is_singleton(right):
                    raise refuse(
                        "not_allowed", node, "is 只能与 None 比较，请用 ==", "`is` compares with None only; use =="
                    )
        case ast.comprehension():
            _check_comprehension(node)
        case ast.Dict(keys=keys):
            if None in keys:
                raise refuse("not_allowed", node, "不允许 ** 展开", "Unpacking with ** is not allowed")
        case ast.Subscript(slice=ast.Tuple()):
            raise refuse("not_allowed", node, "方括号中只能有一个位置", "There may be only one position in brackets")
        case ast.Slice(step=step):
            if step is not None:
                raise refuse("not_allowed", node, "切片不允许步长", "A slice may not have a step")
        case ast.Assign():
            _check_assign(node)
        case _:
            pass


def _is_singleton(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))


def _check_constant(node: ast.Constant) -> None:
    value = node.value
    if isinstance(value, str):
        fits = len(value) <= LITERAL_TEXT
    elif isinstance(value, bool) or value is None:
        fits = True
    elif isinstance(value, (int, float)):
        fits = abs(value) <= LITERAL_NUMBER
    else:
        kind = type(value).__name__
        raise refuse("literal", node, f"不允许这种常量（{kind}）", f"This literal is not allowed ({kind})")
    if not fits:
        raise refuse("literal", node, "常量太大", "The literal is too large")


def _check_name(node: ast.AST, name: str, *, called: bool) -> None:
    if called:
        if name.startswith("_") or "__" in name:
            raise refuse("name", node, f"不允许的名称「{name}」", f"The name “{name}” is not allowed")
        return
    if name in BUILTINS:
        raise refuse("call", node, f"函数「{name}」必须带括号调用", f"The function “{name}” must be called")
    if not is_name(name):
        raise refuse("name", node, f"不允许的名称「{name}」", f"The name “{name}” is not allowed")


def _check_field(node: ast.AST, name: str, *, called: bool) -> None:
    if name.startswith("_") or "__" in name:
        raise refuse("attribute", node, f"不允许的字段「{name}」", f"The field “{name}” is not allowed")
    if called and name not in METHODS:
        raise refuse("call", node, f"没有「{name}」这个方法", f"There is no method “{name}”")
    # A field may well be called `count` or `items`; read without a call it is only ever a key of a record.


def _check_call(node: ast.Call) -> None:
    if not isinstance(node.func, (ast.Name, ast.Attribute)):
        raise refuse("call", node, "只能按名称调用函数", "A function can only be called by its name")
    allowed = KEYWORDS.get(node.func.id, frozenset()) if isinstance(node.func, ast.Name) else frozenset()
    for keyword in node.keywords:
        if keyword.arg not in allowed:
            raise refuse("call", node, "不允许按名称传参数", "Keyword arguments are not allowed here")
    if len(node.args) > 20:
        raise refuse("call", node, "参数太多", "Too many arguments")


def _check_comprehension(node: ast.comprehension) -> None:
    if node.is_async:
        raise refuse("not_allowed", node.target, "不允许 async", "`async` is not allowed")
    targets = node.target.elts if isinstance(node.target, ast.Tuple) else [node.target]
    for target in targets:
        if not isinstance(target, ast.Name):
            raise refuse("not_allowed", node.target, "循环变量只能是名称", "A loop variable must be a plain name")


def _check_assign(node: ast.Assign) -> None:
    target = node.targets[0]
    plain = isinstance(target, ast.Name) or (isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name))
    if len(node.targets) != 1 or not plain:
        raise refuse(
            "not_allowed",
            node,
            "只能给变量或变量的字段赋值",
            "Only a variable or a field of a variable can be assigned",
        )
