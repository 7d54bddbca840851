"""A change goes live: the draft is examined and locked, and what two or four people agreed on is deployed, exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import OperationContext, Operations, drafts
from engine.deployment import deploy as make_deployment
from engine.deployment import digest_of
from engine.difference import Change, FileDifference, difference
from engine.errors import Conflict, GateRefused
from processes.design import words
from processes.design.assessment import assessment_of
from processes.design.weight import touched

Record = Mapping[str, Any]
operations = Operations()
LINES = 120  # of the summary; the desk shows everything
SIGNING = ("admin", "legal")  # the departments whose heads sign, each for itself


@operations.local(
    "diagram_change.examine",
    parameters=("draft",),
    required=("draft",),
    title={"zh-CN": "核对草稿", "en": "Examine the draft"},
)
def examine(ctx: OperationContext, *, draft: str) -> dict[str, Any]:
    """{"allowed", "problem", "digest", "base", "authors", "signers", "files", "summary"}: locks the draft.

    `authors` are all who saved anything in it: none of them reviews or signs. `signers`: the heads of Administration
    and Legal where they sign too (X16). Refused are an empty draft, one that lies over an older deployment, one without
    a green assessment of exactly these files, and one that somebody would have to sign who is not there.
    """
    held = drafts.settle(ctx.connection, draft, "submitted", case=ctx.instance_id)
    files = drafts.files(ctx.connection, held)
    base = drafts.base_of(ctx.connection, held)
    authors = sorted({held.by, ctx.by or held.by, *(each.by for each in drafts.revisions(ctx.connection, draft))})
    changes = difference(base, files)
    assessed = assessment_of(ctx.connection, files)
    signers = _signers(ctx) if touched(changes) else []
    problem = None
    if not changes:
        problem = {"zh-CN": "草稿与现行版本没有差别", "en": "The draft says nothing new"}
    elif held.base != drafts.newest(ctx.connection):
        problem = {
            "zh-CN": "草稿之后已有新版本发布；请先更新草稿",
            "en": "Something was deployed after this draft was made; bring it up to date first",
        }
    elif assessed is None:
        problem = {"zh-CN": "草稿未经检查与比较", "en": "The draft was not checked and compared"}
    elif not assessed.green:
        problem = {"zh-CN": "检查有问题或场景未通过", "en": "There are problems, or scenarios that fail"}
    elif signers and len({*signers} - {*authors}) < len(SIGNING):
        problem = {
            "zh-CN": "行政部、法务部负责人空缺或参与了改动，无人可以双签",
            "en": "The heads of Administration and Legal are missing or changed it themselves: nobody can sign",
        }
    return {
        "allowed": problem is None,
        "problem": problem,
        "digest": digest_of(files),
        "base": held.base,
        "authors": authors,
        "signers": signers,
        "files": [{"path": each.path, "kind": each.kind, "changes": len(each.changes)} for each in changes],
        "summary": _summary(changes),
    }


@operations.local(
    "diagram_change.deploy",
    parameters=("draft", "examined"),
    required=("draft", "examined"),
    title={"zh-CN": "发布新版本", "en": "Deploy"},
)
def deploy(ctx: OperationContext, *, draft: str, examined: Record) -> dict[str, Any]:
    """{"number", "processes", "problem"}: `number` None when the files are no longer what was agreed on, something else
    was deployed meanwhile, or the gate refuses them now."""
    import processes  # which imports this module

    held = drafts.get(ctx.connection, draft)
    files = drafts.files(ctx.connection, held)
    if digest_of(files) != examined["digest"] or held.base != drafts.newest(ctx.connection):
        text = {"zh-CN": "审批期间已有其他版本发布", "en": "Something else was deployed meanwhile"}
        return {"number": None, "processes": {}, "problem": text}
    agreed = [
        {"by": result["by"], "at": result["at"], "step": step}
        for step in ("second_review", "sign")
        for result in ctx.completed(step)
        if result.get("outcome") == "approve"
    ]
    said = {"case": ctx.instance_id, "business_key": ctx.business_key, "draft": draft, "agreed": agreed}
    try:
        made = make_deployment(
            ctx.connection,
            files,
            by=ctx.initiator or held.by,
            now=ctx.now,
            house=processes.house(),
            alone=True,
            said=said,
        )
    except GateRefused as refused:
        return {"number": None, "processes": {}, "problem": dict(refused.message)}
    drafts.settle(ctx.connection, draft, "deployed")
    text = {"zh-CN": f"已发布第 {made.number} 版", "en": f"Deployed as number {made.number}"}
    ctx.notify([person for person in {ctx.initiator, *examined["authors"]} if person], text)
    return {"number": made.number, "processes": made.processes, "problem": None}


@operations.local(
    "diagram_change.reopen",
    parameters=("draft", "reason"),
    required=("draft",),
    title={"zh-CN": "退回草稿", "en": "Reopen the draft"},
)
def reopen(ctx: OperationContext, *, draft: str, reason: Record | None = None) -> dict[str, Any]:
    """{"reason"}: unlocks the draft and tells its designer."""
    try:
        held = drafts.settle(ctx.connection, draft, "open")
    except Conflict:
        held = drafts.get(ctx.connection, draft)
    why = reason or {"zh-CN": "未获同意", "en": "it was not agreed to"}
    text = {"zh-CN": f"{ctx.business_key} 未发布：{why['zh-CN']}", "en": f"{ctx.business_key}: {why['en']}"}
    ctx.notify(sorted({held.by, ctx.initiator or held.by}), text)
    return {"reason": why}


def _signers(ctx: OperationContext) -> list[str]:
    heads = [unit.head for name in SIGNING if (unit := ctx.directory.department(name)) and unit.head]
    return [head for head in heads if (person := ctx.directory.person(head)) and person.active]


def _summary(changes: Sequence[FileDifference]) -> dict[str, str]:
    """The changes by file, as lines that whoever signs and the history can read."""
    lines: dict[str, list[str]] = {"zh-CN": [], "en": []}
    for lang, found in lines.items():
        for file in changes:
            found.append(f"{words.kind_name(file.kind)[lang]} {file.path}")
            if file.kind == "changed":
                found += [f"· {_line(change, lang)}" for change in file.changes if change.kind != "moved"]
            moved = sum(change.kind == "moved" for change in file.changes)
            found += [f"· {words.kind_name('moved')[lang]} × {moved}"] if moved else []
    return {lang: "\n".join(_bounded(found, lang)) for lang, found in lines.items()}


def _line(change: Change, lang: str) -> str:
    """One change: what, which property, from what to what."""
    said = f"{words.type_name(change.type)[lang]} {change.element}".strip()
    if not change.what:
        return f"{words.kind_name(change.kind)[lang]} {said}"
    before, after = (_short(each) for each in (change.before, change.after))
    return f"{said} · {words.property_name(change.what)[lang]}: {before} → {after}"


def _short(value: str | None) -> str:
    return "—" if value is None else value if len(value) <= 120 else value[:120] + "…"


def _bounded(lines: list[str], lang: str) -> list[str]:
    if len(lines) <= LINES:
        return lines
    more = len(lines) - LINES
    return [*lines[:LINES], f"……另有 {more} 行" if lang == "zh-CN" else f"… and {more} more lines"]
