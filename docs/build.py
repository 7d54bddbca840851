"""Writes docs/reference.md from the code: commands, errors, event types. `make docs`; a test keeps it current."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import click

from engine.history import EVENT_TYPES
from web.cli import build
from web.cli_text import Tongue

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "reference.md"


def reference() -> str:
    """The whole document."""
    parts = [
        "# 参考 · Reference",
        "本页由 `make docs` 从代码生成，请勿手改。This page is made from the code by `make docs`; do not edit it.",
        "## 命令 · Commands",
        "退出码：0 完成；1 否（有问题、场景失败、链断裂、操作被拒绝）；2 用法错误。"
        "Exit status: 0 done; 1 no (a problem, a failed scenario, a broken chain, a refusal); 2 wrong usage.",
        *commands(),
        "## 错误 · Errors",
        "页面用读者的语言显示；API 以 `application/problem+json` 返回，`code` 不变。"
        "Pages show them in the reader's language; the API answers `application/problem+json`, where `code` is stable.",
        table(("code", "zh-CN", "en"), sorted(errors().items())),
        "## 历史事件 · History events",
        table(("type", "zh-CN", "en"), [(name, (text["zh-CN"], text["en"])) for name, text in EVENT_TYPES.items()]),
    ]
    return "\n\n".join(parts) + "\n"


def commands() -> Iterator[str]:
    """A section for each command: what it does in both languages, its help in English."""
    chinese, english = build(Tongue("zh-CN")), build(Tongue("en"))
    for name in sorted(english.commands):
        command = english.commands[name]
        said = (chinese.commands[name].help or "").split("\n")[0]
        context = click.Context(command, info_name=f"guiju {name}", max_content_width=100, terminal_width=100)
        yield f"### guiju {name}\n\n{said}\n\n```text\n{command.get_help(context)}\n```"


def errors() -> dict[str, tuple[str, str]]:
    """Code → sentences, from every error class and every error raised with a sentence of its own."""
    found: dict[str, tuple[str, str]] = {}
    for package in ("engine", "processes", "web"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                for code, text in [*raised(tree), *declared(tree)]:
                    found[code] = text
    return found


def raised(tree: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """Calls such as `Denied("initiator_only", text={…})`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            keywords = {keyword.arg: keyword.value for keyword in node.keywords}
            code = node.args[0] if node.args else keywords.get("code")
            text = texts(keywords.get("text"))
            if isinstance(code, ast.Constant) and isinstance(code.value, str) and text:
                yield code.value, text


def declared(tree: ast.AST) -> Iterator[tuple[str, tuple[str, str]]]:
    """Classes with `code` and `text` of their own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            values: dict[str, ast.expr] = {}
            for line in node.body:
                target = line.targets[0] if isinstance(line, ast.Assign) else getattr(line, "target", None)
                value = getattr(line, "value", None)
                if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                    values[target.id] = value
            code, text = values.get("code"), texts(values.get("text"))
            if isinstance(code, ast.Constant) and text:
                yield str(code.value), text


def texts(node: ast.expr | None) -> tuple[str, str] | None:
    """The two sentences of a {"zh-CN", "en"} literal."""
    if not isinstance(node, ast.Dict):
        return None
    pairs = zip(node.keys, node.values, strict=True)
    known = {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant)
    }
    return (str(known["zh-CN"]), str(known["en"])) if {"zh-CN", "en"} <= known.keys() else None


def table(head: tuple[str, str, str], rows: list[tuple[str, tuple[str, str]]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(head), " | ".join("---" for _ in head)]
    lines += [f"`{name}` | {zh.replace('|', '/')} | {en.replace('|', '/')}" for name, (zh, en) in rows]
    return "\n".join(f"| {line} |" for line in lines)


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
