"""The controls K-01…K-08 as data: what every path through a procedure must pass. The deploy gate checks them.

A station counts by what it does, not by its name: who is asked, who is kept out, how long, with which parameters; and
what a control guards may be done by no other procedure. `tables` holds what the decision tables must answer for all
this to mean anything. K-09 (no secrets in process data) and K-10 (no timer consents) hold for every procedure and are
the gate's own. K-03, K-11 and K-12 hold at run time as well: an edit changes the approved hash, a case keeps its
deployment, and nobody who is recused or no candidate completes a task.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine import Control, Station, TableControl
from processes.control_tables import TABLES

PASSED = frozenset({"passed", "passed_with_conditions"})
AUTHOR = ("author", "authors", "co_authors", "editors", "initiator")
APPLICANT = ("applicant", "initiator", "responsible")


def vote(matter: str, *kept_out: str) -> Station:
    """A vote of the Management Group on that matter, without the people these variables hold."""
    return Station(
        names=("call:group_vote",),
        passing=PASSED,
        result="vote.outcome",
        recuses=kept_out,
        parameters={"matter": f'"{matter}"'},
    )


CONTENT_VOTE = vote("content", *AUTHOR)
APPROVALS = (
    CONTENT_VOTE,
    Station(names=("t1_review",), passing=frozenset({"approve", "conditional"}), recuses=AUTHOR),
    Station(names=("legal_review",), passing=frozenset({"ok"}), recuses=AUTHOR),
    Station(names=("urgent",), passing=frozenset({"approve"}), recuses=AUTHOR),
)
PUBLISHING = ("approved", "call:publish_followup", "operation:content_review.freeze")
LETTER = ("operation:discipline.letter", "operation:discipline.served", "operation:discipline.record")
SANCTION = ("serve", "execute", *LETTER)
DISMISSAL = {"propose.proposed": "DISMISSAL", "proposed": "DISMISSAL", "sanction": "DISMISSAL"}
TABLE = Station(names=("table:sanction_legality",))
LAWFUL = Station(
    names=("operation:discipline.explain",),
    passing=frozenset({False}),
    result="verdict.blocked",
    parameters={name: name for name in ("check", "allowed", "action", "deduct_allowed", "deduct_action")},
)
UNION = Station(names=("union",), timers=True, least="1wd", asks=("union", "工会"))


def _sanction(
    zh: str,
    en: str,
    *through: Station,
    again: tuple[str, ...] = (),
    given: Mapping[str, str] | None = None,
    only: tuple[str, ...] = (),
) -> Control:
    return Control(
        code="K-07",
        process="discipline",
        before=SANCTION,
        through=through,
        again_after=again,
        given=given or {},
        given_by=("propose",),
        only=only,
        text={
            "zh-CN": zh + "就到达「{target}」",
            "en": en.replace("reach", "reach “{target}”"),
        },
    )


CONTROLS: tuple[Control | TableControl, ...] = (
    Control(
        code="K-01",
        process="content_review",
        before=PUBLISHING,
        through=APPROVALS,
        only=PUBLISHING[1:],
        text={
            "zh-CN": "有路径未经作者以外的人批准就到达「{target}」",
            "en": "There is a path to “{target}” without the approval of anybody but the author",
        },
    ),
    Control(
        code="K-01",
        process="publish_followup",
        closed=True,
        text={
            "zh-CN": '发布流程可由人直接发起，从而绕过审核；请把 starters 设为 "none"',
            "en": 'People could start publishing by hand, around the review; set starters to "none"',
        },
    ),
    Control(
        code="K-02",
        process="content_review",
        before=PUBLISHING,
        through=(CONTENT_VOTE,),
        given={"tier": "T2"},
        given_by=("table:content_tier",),
        text={
            "zh-CN": "T2 内容有路径不经管理小组表决就到达「{target}」",
            "en": "T2 content can reach “{target}” without a vote of the Management Group",
        },
    ),
    Control(
        code="K-03",
        process="content_review",
        before=PUBLISHING,
        through=APPROVALS,
        again_after=("revise",),
        text={
            "zh-CN": "内容修改之后有路径不经重新批准就到达「{target}」",
            "en": "After an edit there is a path to “{target}” without a new approval",
        },
    ),
    *(
        Control(
            code="K-04",
            process=process,
            before=steps,
            through=(vote(matter, *APPLICANT),),
            only=tuple(step for step in steps if step.startswith("operation:")),
            text={
                "zh-CN": "有路径不经管理小组表决（group_vote）通过就到达「{target}」",
                "en": "There is a path to “{target}” without the Management Group having voted for it (group_vote)",
            },
        )
        for process, matter, steps in (
            (
                "account_registration",
                "registration",
                (
                    "platform_*",
                    "credential_custody",
                    "activate",
                    "operation:account_registration.register_draft",
                    "operation:account_registration.activate",
                ),
            ),
            (
                "account_deregistration",
                "deregistration",
                (
                    "platform_*",
                    "archive",
                    "revoke",
                    "close",
                    "operation:account_deregistration.announce",
                    "operation:account_deregistration.record_archive",
                    "operation:account_deregistration.close",
                ),
            ),
        )
    ),
    Control(
        code="K-04",
        process="group_vote",
        before=("operation:group_vote.tally",),
        through=(
            Station(names=("operation:group_vote.count",), parameters={"roll": "roll", "ballots": "ballots"}),
            Station(names=("meeting",)),
        ),
        only=("operation:group_vote.tally", "operation:group_vote.count", "operation:group_vote.refer"),
        text={
            "zh-CN": "有路径不清点选票、不登记会议结果就到达「{target}」",
            "en": "There is a path to “{target}” on which neither ballots nor a meeting are counted",
        },
    ),
    Control(
        code="K-04",
        process="group_vote",
        before=("operation:group_vote.count",),
        through=(Station(names=("ballot",), timers=True),),
        text={
            "zh-CN": "有路径未请成员投票就到达「{target}」",
            "en": "There is a path to “{target}” on which the members were not asked to vote",
        },
    ),
    Control(
        code="K-05",
        process="account_handover",
        before=("operation:account_handover.update_register", "end_completed"),
        through=(Station(names=("rotate",), passing=frozenset({"done"}), asks=("vault_admin", "密码库管理员")),),
        again_after=("confirm_successor",),
        only=("operation:account_handover.update_register",),
        text={
            "zh-CN": "有路径未轮换密码、撤销旧权限就到达「{target}」",
            "en": "There is a path to “{target}” without rotated credentials and revoked access",
        },
    ),
    Control(
        code="K-06",
        process="complaint",
        before=("decide*", "operation:complaint.conclude"),
        through=(Station(names=("statement",), timers=True, least="3wd", asks=("respondent",)),),
        only=("operation:complaint.conclude",),
        text={
            "zh-CN": "有路径未给被投诉人陈述机会就到达「{target}」",
            "en": "There is a path to “{target}” on which the respondent was not heard",
        },
    ),
    _sanction(
        "有路径未经制度签收核验",
        "A path can reach without the check that the rules were signed for",
        Station(names=("rule_check",), passing=frozenset({"ok"}), asks=("legal_reviewer", "legal_head", "法务审核")),
        only=LETTER,
    ),
    _sanction(
        "有路径未经被处分人陈述申辩",
        "A path can reach without the respondent having been heard",
        Station(names=("statement",), timers=True, least="3wd", asks=("respondent",)),
    ),
    _sanction("有路径未经法务合法性闸门", "A path can reach without the legality gate", TABLE, again=("propose",)),
    _sanction(
        "有路径在合法性闸门不通过时",
        "A path can reach although the legality gate said no",
        LAWFUL,
        again=("propose",),
    ),
    _sanction(
        "辞退有路径未事先通知工会",
        "A dismissal can reach without the union having been told before",
        UNION,
        given=DISMISSAL,
    ),
    _sanction(
        "辞退有路径在通知工会之后未再过合法性闸门",
        "A dismissal can reach without the legality gate once more after the union",
        LAWFUL,
        again=("union",),
        given=DISMISSAL,
    ),
    Control(
        code="K-08",
        process="discipline",
        before=("execute", "operation:discipline.record"),
        through=(Station(names=("appeal",), timers=True, least="P7D", asks=("respondent",)),),
        again_after=("serve",),
        text={
            "zh-CN": "有路径不给申诉机会就到达「{target}」",
            "en": "There is a path to “{target}” that leaves no appeal",
        },
    ),
    *TABLES,
)
