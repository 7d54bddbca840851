"""Why a case could not go on. Each names the element and the process, in both languages, and undoes the whole
command.
"""

from __future__ import annotations

from typing import Any, ClassVar

from engine.errors import Conflict, ExecutionFailed, GuijuError, Text


class NotOpen(Conflict):
    """There is no open task, timer or operation with this token: it is done, cancelled, or not due yet."""

    code = "not_open"
    text: ClassVar[Text] = {
        "zh-CN": "该事项已经办结、取消或尚未到期，请刷新后再试",
        "en": "This is done, cancelled or not yet due; reload and try again",
    }


class StepBudgetExceeded(ExecutionFailed):
    """One command made the case take more steps than allowed: the diagram goes round in circles."""

    code = "step_budget"
    text: ClassVar[Text] = {
        "zh-CN": "流程在环节「{element}」附近反复执行，超过 {limit} 步仍未停下，已撤回本次操作",
        "en": "The case went round near step “{element}” for more than {limit} steps; nothing was saved",
    }


class Stalled(ExecutionFailed):
    """Tokens are left, but nothing that could ever move them."""

    code = "stalled"
    text: ClassVar[Text] = {
        "zh-CN": "流程停在环节「{element}」，没有任何人或定时可以让它继续（{reason}），已撤回本次操作",
        "en": "The case is stuck at step “{element}” and nothing can move it on ({reason}); nothing was saved",
    }


class NoWayOut(ExecutionFailed):
    """No condition of a gateway held, and it has no default."""

    code = "no_way_out"
    text: ClassVar[Text] = {
        "zh-CN": "网关「{element}」的条件都不成立，也没有默认出口",
        "en": "No condition of gateway “{element}” held and it has no default way out",
    }


class ErrorUncaught(ExecutionFailed):
    """An error end event was reached and no boundary event around it catches its code."""

    code = "error_uncaught"
    text: ClassVar[Text] = {
        "zh-CN": "环节「{element}」抛出的错误「{error}」没有边界事件接住",
        "en": "The error “{error}” thrown at step “{element}” is caught by no boundary event",
    }


class EvaluationFailed(ExecutionFailed):
    """An expression, a script or a decision of the element could not be worked out."""

    code = "evaluation_failed"


class BadValue(ExecutionFailed):
    """A value the element needed has the wrong kind: not JSON, not a list, not a time."""

    code = "bad_value"


class ParseFailed(GuijuError):
    """A file of the deployment cannot be turned into an executable process; the gate should have refused it."""

    status = 422
    code = "parse_failed"
    text: ClassVar[Text] = {
        "zh-CN": "文件「{file}」的「{element}」无法执行：{reason}",
        "en": "“{element}” in file “{file}” cannot be executed: {reason}",
    }


def evaluation_failed(element: str, process: str, error: Exception, source: str) -> EvaluationFailed:
    """The failure of evaluating `source` at an element, with the reason in both languages when the error has one."""
    message = getattr(error, "message", None) or {}
    text = {}
    for language, template in EvaluationFailed.text.items():
        reason = message.get(language) or str(error) or type(error).__name__
        text[language] = template.replace("{reason}", f"{reason} [{source.strip()[:200]}]")
    reason = message.get("en") or str(error) or type(error).__name__
    return EvaluationFailed(element=element, process=process, reason=reason, text=text)


def bad_value(element: str, process: str, zh: str, en: str, **args: Any) -> BadValue:
    """A value of the wrong kind, the reason given in both languages."""
    text = {
        "zh-CN": BadValue.text["zh-CN"].replace("{reason}", zh),
        "en": BadValue.text["en"].replace("{reason}", en),
    }
    return BadValue(element=element, process=process, reason=en, text=text, **args)
