"""What the system does itself in a vote: the roll, the reminder, the count, the tally with its resolution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine import OperationContext, Operations
from processes.group_vote import minutes, voting
from processes.organisation import CHAIR, DEPUTY

GROUP = "mgmt_group"
operations = Operations()


def _members(ctx: OperationContext, group: str) -> list[str]:
    found = ctx.directory.group(group)
    return list(found.members) if found else []


@operations.local(
    "group_vote.open",
    parameters=(
        [
            "matter",
            "subject",
            "recused",
            "endorser",
            "quorum_ratio",
            "pass_ratio",
            "base",
            "deadline_workdays",
            "legal_block",
            "tie",
        ]
    ),
    required=("recused", "quorum_ratio", "pass_ratio", "base", "deadline_workdays", "legal_block", "tie"),
    title={"zh-CN": "冻结名单、计算法定人数", "en": "Freeze the roll and reckon the quorum"},
)
def open_vote(
    ctx: OperationContext,
    *,
    recused: Sequence[str | None] | None,
    matter: str | None = None,
    subject: str | None = None,
    endorser: str | None = None,
    **rule: Any,
) -> dict[str, Any]:
    """The roll (`voting.open_roll`) with its `rule`, who may name substitutes, and from when it may close early.

    A member who endorsed as department head votes with disclosure, unless the setting `endorser_may_vote` is off (X01).
    Recused members are told that they are, and nothing more.
    """
    out = [name for name in recused or () if name]
    if endorser and not ctx.setting("endorser_may_vote", True):
        out.append(endorser)
    members = _members(ctx, GROUP)
    chairs = [*_members(ctx, CHAIR), *_members(ctx, DEPUTY)]
    roll = voting.open_roll(members=members, recused=out, presiders=chairs, endorser=endorser, matter=matter)
    grace = str(ctx.setting("vote_early_close_after", "1wd"))
    base = len(roll["eligible"])
    namers = [name for name in reversed(chairs) if name not in out]
    told = [name for name in members if name in out]
    ctx.notify(
        told, {"zh-CN": "管理小组有一项表决，你已回避", "en": "The Group votes on a matter you are recused from"}
    )
    return roll | {
        "rule": rule,
        "base": base,
        "quorum": voting.quorum_needed(rule, base),
        "short": base < voting.fewest(rule),
        "substituted": not namers,
        "namer": namers[0] if namers else None,
        "opened_at": ctx.now.isoformat(),
        "early_close_from": ctx.calendar.add(ctx.now, grace).isoformat(),
    }


@operations.local(
    "group_vote.seat",
    parameters=("roll", "names"),
    required=("roll",),
    title={"zh-CN": "补足表决名单", "en": "Seat substitutes"},
)
def seat(ctx: OperationContext, *, roll: Mapping[str, Any], names: Sequence[str] | None = None) -> dict[str, Any]:
    """The roll with those named who are department heads at work and neither members nor recused (X14)."""
    heads = {unit.head for unit in ctx.directory.departments() if unit.head}
    able = [name for name in names or () if name in heads and (who := ctx.directory.person(name)) and who.active]
    seated = voting.seat(roll, able)
    base = len(seated["eligible"]) - len(seated["self_recused"])
    rule = roll["rule"]
    return seated | {
        "base": base,
        "quorum": voting.quorum_needed(rule, base),
        "short": base < voting.fewest(rule),
        "refused": [name for name in names or () if name not in seated["substitutes"]],
    }


@operations.local(
    "group_vote.remind",
    parameters=("subject", "roll", "ballots"),
    required=("roll",),
    title={"zh-CN": "提醒尚未投票的成员", "en": "Remind members who have not voted"},
)
def remind(
    ctx: OperationContext,
    *,
    roll: Mapping[str, Any],
    subject: str | None = None,
    ballots: Sequence[Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Tell whoever has not voted that the vote closes in a working day."""
    cast = voting.merge(roll, ballots)
    pending = [name for name in roll["eligible"] if name not in cast]
    text = {
        "zh-CN": f"「{subject}」的表决还有一个工作日到期，尚未收到你的票",
        "en": f"The vote on “{subject}” closes in a working day and your ballot is missing",
    }
    return {"told": ctx.notify(pending, text)}


@operations.local(
    "group_vote.count",
    parameters=("roll", "ballots"),
    required=("roll",),
    title={"zh-CN": "清点选票", "en": "Count the ballots"},
)
def count(
    ctx: OperationContext, *, roll: Mapping[str, Any], ballots: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """The roll with this round's ballots added: quorum, who is left to vote, who recused themselves."""
    return voting.count(roll, roll["rule"], ballots)


@operations.local(
    "group_vote.tally",
    parameters=["matter", "subject", "roll", "legal_outcome", "legal_conditions", "in_person", "casting"],
    required=("roll",),
    title={"zh-CN": "计票、平票、法务阻断", "en": "Tally, tie, legal block"},
)
def tally(
    ctx: OperationContext,
    *,
    roll: Mapping[str, Any],
    matter: str | None = None,
    subject: str | None = None,
    legal_outcome: str | None = None,
    legal_conditions: Sequence[str | None] | None = None,
    in_person: Mapping[str, Any] | None = None,
    casting: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The vote's record (`minutes.record`): outcome, counts, conditions, reasons, resolution number, minutes.

    Outcome "tie" means that the presider's casting vote is still needed; it gets no number yet.
    """
    rule = roll["rule"]
    outcome = voting.result(roll, rule, legal_outcome=legal_outcome, casting=casting)
    if in_person is not None and not (rule["legal_block"] and legal_outcome == "illegal"):
        outcome = str(in_person["outcome"])
    if outcome == "tie":
        return {"outcome": outcome}
    year = ctx.calendar.today(ctx.now).year
    return minutes.record(
        outcome=outcome,
        matter=matter,
        subject=subject or "",
        roll=roll,
        number=f"JY-{year}-{ctx.next_number(f'resolution {year}'):04d}",
        decided_at=ctx.now.isoformat(),
        names={name: _names(ctx, name) for name in [*roll["eligible"], *roll["members"], *roll["recused"]]},
        legal=legal_outcome,
        legal_conditions=[text for text in legal_conditions or () if text],
        meeting=in_person,
        casting=casting,
    )


@operations.local(
    "group_vote.refer",
    parameters=("matter", "subject", "roll"),
    required=("roll",),
    title={"zh-CN": "移送执行董事", "en": "Refer to the executive director"},
)
def refer(
    ctx: OperationContext, *, roll: Mapping[str, Any], matter: str | None = None, subject: str | None = None
) -> dict[str, Any]:
    """A record that nothing passed: too few may vote even with substitutes, so the executive director decides (X14)."""
    text = {
        "zh-CN": "补足后有表决权者仍不足三人，未表决，移送公司执行董事决定",
        "en": "Even with substitutes fewer than three may vote; not voted on, referred to the executive director",
    }
    ctx.notify([CHAIR, DEPUTY], {lang: f"{subject}: {words}" for lang, words in text.items()})
    return {
        "outcome": "not_passed",
        "referred": True,
        "matter": matter,
        "told": text,
        "conditions": [],
        "reasons": [],
        "resolution_no": None,
        "minutes": text,
        "decided_at": ctx.now.isoformat(),
    }


def _names(ctx: OperationContext, username: str) -> dict[str, str]:
    person = ctx.directory.person(username)
    return dict(person.names) if person else {"zh-CN": username, "en": username}
