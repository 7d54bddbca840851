"""The script engine given to the library: it knows our expressions and scripts, and nothing that could reach
`eval` or `exec`.
"""

# mypy: disallow-subclassing-any=False
from __future__ import annotations

from typing import Any

from SpiffWorkflow.bpmn.script_engine import PythonScriptEngine

from engine.errors import GuijuError
from engine.spiff import determinism
from engine.spiff.expressions import EvaluationError, Expression, Script, compile_expression, compile_script
from engine.spiff.failures import bad_value, evaluation_failed
from engine.spiff.values import NotJson, kept


class Engine(PythonScriptEngine):
    """Evaluates by `engine.spiff.expressions` alone; used where the library asks a script engine by itself."""

    def __init__(self) -> None:
        self.environment = None

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        return evaluate(task, compile_expression(expression))

    def execute(self, task: Any, script: str, external_context: Any = None) -> bool:
        task.write(run(task, compile_script(script), task.visible()))
        return True

    def call_service(self, task: Any, **named: Any) -> Any:
        raise NotImplementedError("operations are called by the service task itself")


def evaluate(token: Any, expression: Expression) -> Any:
    """The value of an expression over what `token` sees. Raises EvaluationFailed naming its element."""
    try:
        return expression.evaluate(token.visible(), determinism.context().functions)
    except Exception as error:
        if isinstance(error, GuijuError) and not isinstance(error, EvaluationError):
            raise
        raise evaluation_failed(token.task_spec.bpmn_id, token.task_spec.process, error, expression.source) from error


def run(token: Any, script: Script, variables: dict[str, Any]) -> dict[str, Any]:
    """What a script assigns over `variables`. Raises EvaluationFailed or BadValue naming the element of `token`."""
    try:
        assigned = script.run(variables, determinism.context().functions)
    except Exception as error:
        if isinstance(error, GuijuError) and not isinstance(error, EvaluationError):
            raise
        raise evaluation_failed(token.task_spec.bpmn_id, token.task_spec.process, error, script.source) from error
    return checked(token, assigned)


def checked(token: Any, variables: Any) -> dict[str, Any]:
    """The variables, copied. Raises BadValue naming the element of `token` unless they are JSON."""
    try:
        return kept(variables)
    except NotJson as error:
        spec = token.task_spec
        zh, en = (
            f"变量「{error.where}」不是 JSON 值：{error.what}",
            f"variable “{error.where}” is not JSON: {error.what}",
        )
        raise bad_value(spec.bpmn_id, spec.process, zh, en) from error
