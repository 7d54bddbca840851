"""Decision tables (DMN 1.3, as dmn-js writes them), evaluated by our own expressions.

Hit policies: FIRST; UNIQUE (two matching rules are an error); COLLECT (a list per output, empty when nothing matches).
Any other policy is refused. Outside COLLECT no match is an error: a table that may not match ends with a rule of empty
cells.

A cell holds a test of its column's input, which it may call `?`:

- empty or `-`: always true · `"x"`, `5`, `True`: the input equals it · `"x" or "y"`, `"x", "y"`: equals one of them
- `>= 5`, `!= "x"`, `in ["x", "y"]`, `not "x"` · any condition with `?`: `"map" in ?`, `1 <= ? and ? < limit`

A missing input (None) never satisfies a test it cannot be compared in: `> 5` does not match, and does not fail. Other
variables can be read as well. Outputs are expressions, usually literals; an empty one gives None.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.errors import GuijuError, Text
from engine.spiff.decisions_read import INPUT, ReadDecision, ReadRule, read_decision
from engine.spiff.expressions import EvaluationError
from engine.spiff.gate_report import Problem, Report
from engine.spiff.gate_xml import XmlRefused, read_xml


class DecisionInvalid(GuijuError):
    """A file is not a decision table that can be evaluated. `problems` is the whole list."""

    status = 422
    code = "decision_invalid"
    text: ClassVar[Text] = {
        "zh-CN": "决策表「{file}」有误：{reason}",
        "en": "The decision table “{file}” is not valid: {reason}",
    }

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.problems = problems
        template = type(self).text
        reasons = {lang: problems[0].message[lang] if problems else "" for lang in template}
        super().__init__(text={lang: template[lang].replace("{reason}", reasons[lang]) for lang in template}, file=file)


class DecisionUnmatched(GuijuError):
    """No rule of the table matched the inputs."""

    code = "decision_unmatched"
    text: ClassVar[Text] = {
        "zh-CN": "决策表「{table}」没有一行符合输入",
        "en": "No rule of the decision table “{table}” matches the inputs",
    }


class DecisionAmbiguous(GuijuError):
    """Several rules of a UNIQUE table matched."""

    code = "decision_ambiguous"
    text: ClassVar[Text] = {
        "zh-CN": "决策表「{table}」要求唯一，却有多行符合输入：{rules}",
        "en": "Several rules of the decision table “{table}” match, but it allows one: {rules}",
    }


@dataclass(frozen=True, kw_only=True)
class DecisionResult:
    """`outputs` by name; `rules` that matched, counted from 1; `inputs` by their expression."""

    outputs: dict[str, Any]
    rules: list[int]
    inputs: dict[str, Any]


class Decision:
    """One decision table. `names` are the variables it reads, `outputs` its output names, `sha256` its file's hash."""

    def __init__(self, read: ReadDecision, sha256: str) -> None:
        self.id = read.id
        self.name = read.name
        self.hit_policy = read.hit_policy
        self.outputs = tuple(output.name for output in read.outputs)
        self.names = read.names
        self.calls = read.calls
        self.sha256 = sha256
        self._read = read

    def evaluate(self, variables: Mapping[str, Any]) -> DecisionResult:
        """Raises DecisionUnmatched, DecisionAmbiguous, or EvaluationError naming the rule."""
        values = [column.expression.evaluate(variables) for column in self._read.inputs]
        matched: list[ReadRule] = []
        scope = dict(variables)
        for rule in self._read.rules:
            if self._matches(rule, values, scope):
                matched.append(rule)
                if self.hit_policy == "FIRST":
                    break
        numbers = [rule.number for rule in matched]
        if self.hit_policy == "UNIQUE" and len(matched) > 1:
            raise DecisionAmbiguous(table=self.id, rules=", ".join(map(str, numbers)))
        if not matched and self.hit_policy != "COLLECT":
            raise DecisionUnmatched(table=self.id)
        rows = [[cell.evaluate(variables) if cell else None for cell in rule.outputs] for rule in matched]
        columns: list[Any] = [[row[place] for row in rows] for place in range(len(self.outputs))]
        if self.hit_policy != "COLLECT":
            columns = rows[0]
        inputs = {column.expression.source: value for column, value in zip(self._read.inputs, values, strict=True)}
        return DecisionResult(outputs=dict(zip(self.outputs, columns, strict=True)), rules=numbers, inputs=inputs)

    def constants(self) -> dict[str, list[Any] | None]:
        """Per output the literals its cells give, or None when one of them has to be worked out."""
        found: dict[str, list[Any] | None] = {}
        for place, name in enumerate(self.outputs):
            cells = [rule.outputs[place] for rule in self._read.rules]
            trees = [cell.tree if cell else ast.Constant(value=None) for cell in cells]
            literal = all(isinstance(tree, ast.Constant) for tree in trees)
            found[name] = [tree.value for tree in trees if isinstance(tree, ast.Constant)] if literal else None
        return found

    def _matches(self, rule: ReadRule, values: list[Any], scope: dict[str, Any]) -> bool:
        for place, test in rule.tests:
            value = scope[INPUT] = values[place]
            try:
                if not test.evaluate(scope):
                    return False
            except EvaluationError as error:
                if value is None:
                    return False
                zh, en = error.message["zh-CN"], error.message["en"]
                raise EvaluationError(
                    "cell",
                    f"决策表「{self.id}」第 {rule.number} 行第 {place + 1} 列：{zh}",
                    f"Decision table “{self.id}”, rule {rule.number}, column {place + 1}: {en}",
                ) from None
        return True


def parse_decision(xml: bytes, file: str) -> Decision:
    """The decision table in `xml`. Raises DecisionInvalid with every problem found."""
    report = Report(file)
    try:
        root = read_xml(xml)
    except XmlRefused as error:
        problem = Problem(file=file, line=error.line, element="", code=error.code, message=error.message)
        raise DecisionInvalid(file, [problem]) from None
    read = read_decision(root, report)
    if read is None or report.problems:
        raise DecisionInvalid(file, report.problems)
    return Decision(read, hashlib.sha256(xml).hexdigest())
