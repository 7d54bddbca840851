"""The page docs/conformance.md, written from the tables the gate itself uses."""

from __future__ import annotations

from collections.abc import Iterable

from engine.spiff.elements import ELEMENTS, EXTENSIONS, PROPERTIES, RUNS
from engine.spiff.elements_refused import REFUSED

_HEAD = """# 支持的 BPMN 元素 · Supported BPMN

<!-- 由程序生成 · generated: python -m engine.spiff.elements_page > docs/conformance.md -->

发布前的检查是一张白名单：下表之外的元素、属性、扩展和属性值一律按名称拒绝，不会被默默忽略。
The deploy gate is a whitelist: any element, attribute, extension or value that is not below is refused by name; nothing
is silently ignored.
"""


def page() -> str:
    """The whole page in Markdown."""
    return "\n".join(
        [
            _HEAD,
            *_elements("## 执行 · Runs", RUNS),
            *_elements("## 只是图形 · Drawn only", "drawn"),
            *_table(
                "## spiffworkflow 扩展 · Extensions",
                ("扩展 Extension", "位置 On", "说明", "Meaning"),
                ((f"`{name}`", _words(where), zh, en) for name, (where, zh, en) in EXTENSIONS.items()),
            ),
            *_table(
                "## 属性 · Properties",
                ("属性 Property", "位置 On", "说明", "Meaning"),
                [
                    ("`name:en`…", "*", "其他语言的名称", "The name in another language"),
                    ("`instructions:en`…", "`userTask`", "其他语言的办理说明", "Instructions in another language"),
                    *((f"`{name}`", _words(where), zh, en) for name, (where, zh, en) in PROPERTIES.items()),
                ],
            ),
            *_table(
                "## 拒绝 · Refused",
                ("元素 Element", "位置 In", "原因", "Reason"),
                ((f"`{row.element}`", f"`{row.parent}`", row.zh, row.en) for row in REFUSED if not row.attribute),
            ),
            *_table(
                "## 拒绝的属性 · Refused attributes",
                ("元素 Element", "属性 Attribute", "原因", "Reason"),
                ((f"`{row.element}`", f"`{row.attribute}`", row.zh, row.en) for row in REFUSED if row.attribute),
            ),
        ]
    )


def _elements(title: str, standing: str) -> list[str]:
    rows = []
    for element in ELEMENTS.values():
        if element.standing == standing:
            attributes = (
                f"`{name}={'|'.join(values)}`".replace("|", "\\|") if values else f"`{name}`"
                for name, values in element.attributes.items()
                if name not in ("id", "name")
            )
            rows.append((f"`{element.name}`", ", ".join(attributes), element.zh, element.en))
    return _table(title, ("元素 Element", "属性 Attributes", "说明", "Meaning"), rows)


def _words(names: Iterable[str]) -> str:
    return ", ".join("任何元素 any" if name == "*" else f"`{name}`" for name in sorted(names))


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [title, "", _line(head), _line(tuple("---" for _ in head))]
    return [*lines, *(_line(row) for row in rows), ""]


def _line(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    print(page(), end="")
