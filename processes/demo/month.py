"""The month the demo company has had: which case began when, how far it has come, and what people did in those that the
company itself started.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

from processes.demo.cases import CASES, Step
from processes.demo.stories import LOCAL, Action, Days, Story, Told, following, told
from processes.duties import FIRST_PATROL

REGISTRATION = "account_registration"
PATROLLED_FROM, LATEST = 24, 5  # working days ago
LEAD = 20  # calendar days from filing to the planned launch

CONTENT = (
    Told(scenario="content_review/C23", ago=25, pace="0.6wh"),
    Told(scenario="content_review/C01", ago=22, at="09:10", pace="1.2wh"),
    Told(scenario="content_review/C02b", ago=21, at="10:05", pace="1.6wh"),
    Told(scenario="content_review/C11", ago=19, at="20:30", pace="PT4M"),
    Told(scenario="content_review/C04", ago=18, at="09:30", pace="1.1wh"),
    Told(scenario="content_review/C07", ago=17, at="09:40", pace="1.1wh"),
    Told(scenario="content_review/C08", ago=15, at="10:20", pace="0.8wh"),
    Told(scenario="content_review/C05", ago=14, at="11:00"),
    Told(scenario="content_review/C14", ago=13, at="09:50"),
    Told(scenario="content_review/C10", ago=12, at="10:10", pace="0.8wh"),
    Told(scenario="content_review/C19", ago=11, at="09:15", pace="2wh"),
    Told(scenario="content_review/C22", ago=10, at="14:05"),
    Told(scenario="content_review/t1_rejects", ago=9, at="10:40", entered={"title": "到店即送床头柜"}),
    Told(scenario="content_review/C13", ago=8, at="09:10", pace="1.3wh"),
    Told(scenario="content_review/C25", ago=7, at="10:00", pace="2wh"),
    Told(scenario="content_review/C20", ago=6, weekday=4),
    Told(scenario="content_review/C17", ago=5, at="09:05", pace="1.2wh"),
    Told(scenario="content_review/C16", ago=4, at="09:05", pace="0.9wh"),
    Told(scenario="content_review/C03", ago=2, at="09:25", pace="1.5wh", entered={"title": "儿童房环保专题"}),
    Told(
        scenario="content_review/escalated_is_never_lowered",
        ago=2,
        at="10:15",
        pace="2wh",
        stop="ballot",
        entered={"title": "样木全屋定制年终价目", "planned_publish_at": "2026-11-12T18:00"},
    ),
    Told(scenario="content_review/legal_raises_the_tier", ago=1, at="09:35", pace="2wh", stop="legal_review"),
    Told(
        scenario="content_review/two_accounts",
        ago=1,
        at="15:20",
        stop="t1_review",
        entered={"title": "岁末焕新床垫海报", "planned_publish_at": "2026-11-12T18:00"},
    ),
    Told(
        scenario="content_review/deputy_after_eight_hours",
        ago=3,
        at="16:00",
        stop="t1_review",
        entered={"title": "门店周末试躺活动", "planned_publish_at": "2026-11-16T18:00"},
    ),
)
ACCOUNTS = (
    Told(scenario="account_deregistration/D01", ago=19, at="09:40", pace="1.2wh"),
    Told(scenario="account_deregistration/D03", ago=9, at="10:30", pace="1.2wh"),
    Told(scenario="account_deregistration/D04", ago=11, at="14:10", pace="1.2wh", stop="notice"),
    Told(scenario="account_handover/H01", ago=15, at="10:00", pace="2wh"),
    Told(scenario="account_handover/H03", ago=7, at="09:45", pace="2wh"),
    Told(scenario="account_handover/H04", ago=4, at="11:05", pace="1.5wh", stop="leftover"),
)
COMPLAINTS = (
    Told(scenario="complaint/K06", ago=20, at="13:40"),
    Told(scenario="complaint/K01", ago=18, at="14:20", pace="2.5wh"),
    Told(scenario="complaint/K09", ago=16, at="09:55", entered={"merge_into": "K01"}),
    Told(scenario="complaint/K03", ago=15, at="16:30", pace="3wh"),
    Told(scenario="complaint/K04", ago=13, at="10:15", pace="3wh"),
    Told(scenario="complaint/K07", ago=11, at="09:10", pace="1.2wh"),
    Told(scenario="complaint/K10", ago=8, at="11:20"),
    Told(scenario="complaint/chair", ago=3, at="09:10", pace="1.5wh", stop="statement"),
    Told(scenario="complaint/vote_returns_then_rejects", ago=5, at="09:40", pace="2wh", stop="investigate"),
    Told(scenario="complaint/answered_goes_back_to_triage", ago=5, at="10:45", pace="3wh"),
    Told(scenario="complaint/named_person_counts_more", ago=2, at="15:40", stop="triage"),
    Told(scenario="complaint/statement_not_given", ago=1, at="16:40", stop="triage"),
    Told(scenario="complaint/unknown_scope", ago=4, at="09:00", stop="triage"),
)
DISCIPLINE = (
    Told(scenario="discipline/S07", ago=17, at="10:30", pace="3wh"),
    Told(scenario="discipline/S01", ago=16, at="09:30", pace="3wh"),
    Told(scenario="discipline/S04", ago=14, at="10:50", pace="2wh"),
    Told(scenario="discipline/S06", ago=12, at="14:30", pace="3wh"),
    Told(scenario="discipline/appeal_reduces", ago=10, at="09:20", pace="2wh", stop="appeal_review"),
    Told(scenario="discipline/S03", ago=5, at="09:30", pace="3wh", stop="ballot"),
    Told(scenario="discipline/head_is_respondent", ago=3, at="11:00", pace="3wh", stop="approve"),
    Told(
        scenario="discipline/responsible_persons",
        ago=3,
        at="09:05",
        pace="2wh",
        stop="propose",
        entered={"case_source": "M03"},
    ),
    Told(scenario="discipline/S09", ago=2, at="09:05", pace="2wh", stop="union"),
    Told(scenario="discipline/left_the_company", ago=6, at="15:00"),
)
DUTIES = (
    Told(scenario="interaction/I03", ago=12, at="09:30", pace="0.2wh"),
    Told(scenario="interaction/I04", ago=6, at="10:00", pace="0.2wh"),
    Told(scenario="interaction/viral_complaint_escalates", ago=5, at="11:10", pace="0.2wh"),
    Told(scenario="interaction/I01", ago=2, at="14:00", pace="0.5wh"),
    Told(scenario="interaction/late_first_reply", ago=1, at="14:30", stop="reply"),
    Told(scenario="official_monitor/M03", ago=13, at="10:00", pace="2wh"),
    Told(scenario="official_monitor/M02", ago=8, at="10:00", pace="1wh"),
    Told(scenario="official_monitor/improvement_late", ago=6, at="16:00", pace="1wh"),
    Told(scenario="takedown/taken_down", ago=20, at="10:30", pace="0.3wh"),
    Told(scenario="takedown/kept", ago=9, at="15:00", pace="0.5wh"),
    Told(scenario="takedown/platform_takes_it_down", ago=1, at="16:20", pace="0.3wh", stop="assess"),
    Told(scenario="training_signoff/refused", ago=7, at="09:30", pace="3wh"),
    Told(
        scenario="training_signoff/overdue",
        ago=3,
        at="14:20",
        stop="course",
        entered={"person": "modouxian", "reason": "annual"},
    ),
    Told(
        scenario="training_signoff/overdue",
        ago=1,
        at="11:30",
        stop="course",
        entered={"person": "kongjuchi", "reason": "annual"},
    ),
    Told(
        scenario="training_signoff/overdue",
        ago=2,
        at="10:00",
        stop="course",
        entered={"person": "lutuyang", "reason": "annual"},
    ),
)

ROTATED = {"outcome": "done", "mfa_rebound": True, "sessions_ended": True}
SEEN = {"outcome": "ok", "reply_rate": 96, "logins_reviewed": True}
# Process, words of the title, steps: cases that the clock or another case starts.
FOLLOWING: tuple[tuple[str, str, tuple[Step, ...]], ...] = (
    (
        "training_signoff",
        "何脚凳",
        (
            (23, "15:00", "hejiaodeng", "course", {"outcome": "done", "score": 85}),
            (
                22,
                "09:30",
                "hejiaodeng",
                "sign_off",
                {"outcome": "signed", "read": True, "disclaimer": True, "confidential": True},
            ),
        ),
    ),
    (
        "credential_rotation",
        "样木家居招聘",
        ((24, "11:00", "jinguimian", "rotate", {**ROTATED, "vault_ref": "vault://accounts/weibo-jobs"}),),
    ),
    (
        "credential_rotation",
        "样木家居官方",
        ((8, "15:30", "luyaoyi", "rotate", {**ROTATED, "vault_ref": "vault://accounts/douyin-main"}),),
    ),
    (
        "takedown",
        "经投诉调查认定",
        (
            (
                15,
                "15:10",
                "baixiangmu",
                "preserve",
                {"outcome": "done", "method": "screenshot", "page_text": "全文已存"},
            ),
            (15, "16:10", "liangyigui", "assess", {"outcome": "takedown", "comment": "未标广告，四.2.2"}),
            (15, "16:40", "taotaideng", "remove", {"outcome": "done"}),
            (15, "17:20", "baixiangmu", "verify_removal", {"outcome": "confirmed"}),
        ),
    ),
)


def stories(days: Days) -> list[Story]:
    """Everything that is played, in no particular order."""
    tales = [told(each, days) for group in (CONTENT, ACCOUNTS, COMPLAINTS, DISCIPLINE, DUTIES) for each in group]
    return [*_registrations(days), *tales, *(following(*each, days) for each in FOLLOWING), *_patrols(days)]


def _registrations(days: Days) -> Iterator[Story]:
    for case in CASES:
        actions = []
        for ago, at, who, element, given in case.steps:
            moment = datetime.combine(days.ago(ago), time.fromisoformat(at), LOCAL)
            entered = given
            if element == "start":
                launch = (moment.date() + timedelta(days=LEAD)).isoformat()
                entered = {name: value for name, value in case.form.items() if value is not None}
                entered["launch_date"] = launch
            actions.append(Action(at=moment.astimezone(UTC), who=who, element=element, entered=entered))
        yield Story(name=f"registration {case.form['proposed_name']}", process=REGISTRATION, actions=actions)


def _patrols(days: Days) -> Iterator[Story]:
    """The weekly patrols that the clock starts: all inspected the day after, but the latest."""
    for ago in range(PATROLLED_FROM, 0, -1):
        day = days.ago(ago)
        if day.isocalendar().week != days.ago(ago + 1).isocalendar().week:
            week = f"{day.isocalendar().year}-W{day.isocalendar().week:02d}"
            at = datetime.combine(day, time(15, 30), LOCAL).astimezone(UTC)
            if ago > LATEST and day >= FIRST_PATROL:
                seen = Action(at=at, who="baixiangmu", element="inspect", entered=SEEN, all=True)
                yield Story(name=f"patrol {week}", process="official_monitor", actions=[seen], follows=week)
