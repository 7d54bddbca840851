"""The controls K-01…K-12 as data: what every path through a procedure must pass. The deploy gate checks them.

K-09 (no secrets in process data) and K-10 (no timer consents) hold for every procedure and are the gate's own. K-03,
K-11 and K-12 hold at run time as well: an edit changes the approved hash, a case keeps its deployment, and nobody who
is recused or no candidate completes a task.
"""

from __future__ import annotations

from engine import Control, Station

PASSED = frozenset({"passed", "passed_with_conditions"})
VOTE = Station(names=("call:group_vote",), passing=PASSED, result="vote.outcome")
AUTHOR = ("author", "authors", "co_authors", "editors", "initiator")
APPROVALS = (
    VOTE,
    Station(names=("t1_review",), passing=frozenset({"approve", "conditional"}), recuses=AUTHOR),
    Station(names=("legal_review",), passing=frozenset({"ok"}), recuses=AUTHOR),
    Station(names=("urgent",), recuses=AUTHOR),
)
PUBLISHING = ("approved", "call:publish_followup", "operation:content_review.approve")
SANCTION = ("serve", "execute")
DISMISSAL = {"propose.proposed": "DISMISSAL", "proposed": "DISMISSAL", "sanction": "DISMISSAL"}

CONTROLS: tuple[Control, ...] = (
    Control(
        code="K-01",
        process="content_review",
        before=PUBLISHING,
        through=APPROVALS,
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
        through=(VOTE,),
        given={"tier": "T2"},
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
            through=(VOTE,),
            text={
                "zh-CN": "有路径不经管理小组表决（group_vote）通过就到达「{target}」",
                "en": "There is a path to “{target}” without the Management Group having voted for it (group_vote)",
            },
        )
        for process, steps in (
            ("account_registration", ("platform_*", "credential_custody", "activate")),
            ("account_deregistration", ("platform_*", "archive", "revoke", "close")),
        )
    ),
    Control(
        code="K-05",
        process="account_handover",
        before=("update_register", "end_completed"),
        through=(Station(names=("rotate",)),),
        again_after=("confirm_successor",),
        text={
            "zh-CN": "有路径未轮换密码、撤销旧权限就到达「{target}」",
            "en": "There is a path to “{target}” without rotated credentials and revoked access",
        },
    ),
    Control(
        code="K-06",
        process="complaint",
        before=("decide*",),
        through=(Station(names=("statement",), timers=True),),
        text={
            "zh-CN": "有路径未给被投诉人陈述机会就到达「{target}」",
            "en": "There is a path to “{target}” on which the respondent was not heard",
        },
    ),
    *(
        Control(
            code="K-07",
            process="discipline",
            before=SANCTION,
            through=(station,),
            again_after=again,
            text={
                "zh-CN": "有路径未经" + zh + "就到达「{target}」",
                "en": "There is a path to “{target}” without " + en,
            },
        )
        for station, again, zh, en in (
            (
                Station(names=("rule_check",), passing=frozenset({"ok"})),
                (),
                "制度签收核验",
                "the check that the rules were signed for",
            ),
            (Station(names=("statement",), timers=True), (), "被处分人陈述申辩", "the respondent having been heard"),
            (
                Station(names=("legality", "table:sanction_legality")),
                ("propose",),
                "法务合法性闸门",
                "the legality gate",
            ),
        )
    ),
    Control(
        code="K-07",
        process="discipline",
        before=SANCTION,
        through=(Station(names=("union",), timers=True),),
        given=DISMISSAL,
        text={
            "zh-CN": "辞退有路径未事先通知工会就到达「{target}」",
            "en": "A dismissal can reach “{target}” without the union having been told before",
        },
    ),
    Control(
        code="K-08",
        process="discipline",
        before=("execute",),
        through=(Station(names=("appeal",), timers=True),),
        again_after=("serve",),
        text={
            "zh-CN": "有路径不给申诉机会就到达「{target}」",
            "en": "There is a path to “{target}” that leaves no appeal",
        },
    ),
)
