"""Every error the engine raises, each with a code, the ids it is about, and a sentence in both languages.

The sentence says what happened and what to do. `web` maps `status` to HTTP; nothing else interprets the classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

Text = dict[str, str]  # {"zh-CN": …, "en": …}


class GuijuError(Exception):
    """Base of every error. `code` is stable, `args_` are the ids named in `message` ({"zh-CN", "en"})."""

    status = 500
    code = "error"
    text: ClassVar[Text] = {"zh-CN": "系统出错，请稍后重试", "en": "Something went wrong; try again later"}

    def __init__(self, code: str | None = None, *, text: Text | None = None, **args: Any) -> None:
        self.code = code or type(self).code
        self.args_ = args
        template = text or type(self).text
        self.message: Text = {lang: _fill(sentence, args) for lang, sentence in template.items()}
        super().__init__(f"{self.code}: {self.message['en']}")


class NotFound(GuijuError):
    """The thing does not exist, or the actor may not know that it does."""

    status = 404
    code = "not_found"
    text: ClassVar[Text] = {"zh-CN": "没有找到「{id}」", "en": "“{id}” was not found"}


class Denied(GuijuError):
    """The actor may not do this. `recused` says that the reason is recusal, so a page may say just that."""

    status = 403
    code = "denied"
    text: ClassVar[Text] = {"zh-CN": "没有权限进行此操作", "en": "You are not permitted to do this"}

    def __init__(
        self, code: str | None = None, *, recused: bool = False, text: Text | None = None, **args: Any
    ) -> None:
        if recused and text is None:
            code = code or "recused"
            text = {"zh-CN": "你已回避该事项", "en": "You are recused from this matter"}
        self.recused = recused
        super().__init__(code, text=text, **args)


class Conflict(GuijuError):
    """The thing changed meanwhile: a task is done, claimed by another, or its case has ended."""

    status = 409
    code = "conflict"
    text: ClassVar[Text] = {
        "zh-CN": "该事项已发生变化，请刷新后再试",
        "en": "This has changed meanwhile; reload and try again",
    }


class Invalid(GuijuError):
    """A form was filled in wrongly. `fields` maps field key to a sentence in both languages."""

    status = 422
    code = "invalid"
    text: ClassVar[Text] = {"zh-CN": "有 {count} 处需要改正", "en": "{count} entries need correcting"}

    def __init__(self, fields: Mapping[str, Text], *, text: Text | None = None) -> None:
        self.fields: dict[str, Text] = dict(fields)
        super().__init__(text=text, count=len(self.fields))


class GateRefused(GuijuError):
    """A deployment was refused. `problems` is the gate's whole list; nothing was stored."""

    status = 422
    code = "gate_refused"
    text: ClassVar[Text] = {
        "zh-CN": "检查发现 {count} 个问题，未发布",
        "en": "The check found {count} problems; nothing was deployed",
    }

    def __init__(self, problems: Sequence[Any]) -> None:
        self.problems = list(problems)
        super().__init__(count=len(self.problems))


class ExecutionFailed(GuijuError):
    """A diagram could not go on at `element`: the command is rolled back and becomes an incident."""

    status = 500
    code = "execution_failed"
    text: ClassVar[Text] = {
        "zh-CN": "流程在环节「{element}」无法继续：{reason}。本次操作未保存",
        "en": "The case cannot go on at step “{element}”: {reason}. Nothing was saved",
    }

    def __init__(
        self, code: str | None = None, *, element: str, process: str = "", reason: str = "", **args: Any
    ) -> None:
        self.element, self.process, self.reason = element, process, reason
        super().__init__(code, element=element, process=process, reason=reason, **args)


class Unavailable(GuijuError):
    """The store cannot take the command now (lost database, full disk, overload). Nothing was done."""

    status = 503
    code = "unavailable"
    text: ClassVar[Text] = {
        "zh-CN": "系统暂时无法保存，操作未执行，请稍后重试",
        "en": "The system cannot save right now; nothing was done. Try again",
    }


def _fill(sentence: str, args: Mapping[str, Any]) -> str:
    """Fill `{name}` places; a missing one stays visible rather than raising while an error is being reported."""
    for name, value in args.items():
        sentence = sentence.replace("{" + name + "}", str(value))
    return sentence
