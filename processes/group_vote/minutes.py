"""The record of a vote and its minutes in both languages.

The minutes tell who was entitled, who was recused and what the reasons were, not who voted how: ballots stay with the
members until the vote closes and with auditors afterwards, and the applicant may read this record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from processes.group_vote.voting import AGAINST, BALLOTS, FOR, deciding_vote

OUTCOMES = {
    "passed": {"zh-CN": "通过", "en": "passed"},
    "passed_with_conditions": {"zh-CN": "附条件通过", "en": "passed with conditions"},
    "convert": {"zh-CN": "不予注销，改为交接", "en": "not closed, handed over instead"},
    "returned": {"zh-CN": "退回修改", "en": "returned for changes"},
    "not_passed": {"zh-CN": "未通过", "en": "not passed"},
    "no_quorum": {"zh-CN": "未达法定人数", "en": "no quorum"},
}


def record(
    *,
    outcome: str,
    matter: str | None,
    subject: str,
    roll: Mapping[str, Any],
    number: str,
    decided_at: str,
    names: Mapping[str, Mapping[str, str]],
    legal: str | None,
    legal_conditions: Sequence[str],
    meeting: Mapping[str, Any] | None,
    casting: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Everything a case keeps of a vote. `names` gives both names of everybody on the roll."""
    counts = _counts(roll, meeting)
    conditions = _conditions(outcome, roll, legal_conditions, meeting)
    reasons = _reasons(outcome, roll, meeting, casting, blocked=legal == "illegal")
    tied = counts["for"] == counts["against"] > 0 and meeting is None and legal != "illegal"
    vote: dict[str, Any] = {
        "outcome": outcome,
        "matter": matter,
        "resolution_no": number,
        "counts": counts,
        "eligible": roll["base"],
        "present": len(meeting["attended"]) if meeting and meeting.get("attended") else roll["present"],
        "quorum": roll["quorum"],
        "presider": roll["presider"],
        "tie_broken": bool(tied and deciding_vote(roll, casting)),
        "disclosed": roll["endorser"],
        "mode": "meeting" if meeting else "ballot",
        "conditions": conditions,
        "reasons": reasons,
        "decided_at": decided_at,
    }
    vote["minutes"] = {lang: _minutes(lang, subject, vote, roll, names) for lang in ("zh-CN", "en")}
    vote["told"] = _told(vote)
    return vote


def _counts(roll: Mapping[str, Any], meeting: Mapping[str, Any] | None) -> dict[str, int]:
    given = [ballot["outcome"] for ballot in roll["cast"]]
    counts = {kind: given.count(kind) for kind in BALLOTS}
    if meeting:
        counts |= {
            kind: int(meeting[kind]) for kind in ("approve", "reject", "abstain") if meeting.get(kind) is not None
        }
    counts["for"] = sum(counts[kind] for kind in FOR)
    counts["against"] = sum(counts[kind] for kind in AGAINST)
    return counts


def _conditions(
    outcome: str, roll: Mapping[str, Any], legal: Sequence[str], meeting: Mapping[str, Any] | None
) -> list[str]:
    """What must be kept to, Legal's conditions and the members'; nothing unless it passed with conditions."""
    if outcome != "passed_with_conditions":
        return []
    asked = [ballot.get("comment") for ballot in roll["cast"] if ballot["outcome"] == "conditional"]
    if meeting:
        asked += meeting.get("conditions") or [meeting.get("comment")]
    return list(dict.fromkeys(text for text in [*legal, *asked] if text))


def _reasons(
    outcome: str,
    roll: Mapping[str, Any],
    meeting: Mapping[str, Any] | None,
    casting: Mapping[str, Any] | None,
    *,
    blocked: bool,
) -> list[str]:
    """Why it did not pass, without names."""
    if outcome in ("passed", "passed_with_conditions"):
        return []
    given = [ballot.get("comment") for ballot in roll["cast"] if ballot["outcome"] in AGAINST]
    given += [source.get("comment") for source in (meeting, casting) if source]
    if blocked:
        given.insert(0, "法务意见认定违法")
    return list(dict.fromkeys(text for text in given if text))


def _told(vote: Mapping[str, Any]) -> dict[str, str]:
    """One sentence for whoever reads the result: outcome, votes, and the reasons or conditions."""
    yes, no, outcome = vote["counts"]["for"], vote["counts"]["against"], OUTCOMES[vote["outcome"]]
    more = vote["reasons"] or vote["conditions"]
    return {
        "zh-CN": f"管理小组表决{outcome['zh-CN']}（{yes} 票赞成，{no} 票反对）"
        + (f"：{'；'.join(more)}" if more else ""),
        "en": f"The Group's vote: {outcome['en']} ({yes} for, {no} against)" + (f": {'; '.join(more)}" if more else ""),
    }


def _minutes(
    lang: str,
    subject: str,
    vote: Mapping[str, Any],
    roll: Mapping[str, Any],
    names: Mapping[str, Mapping[str, str]],
) -> str:
    zh = lang == "zh-CN"

    def people(usernames: Sequence[str]) -> str:
        listed = [names[name].get(lang, name) for name in usernames]
        return ("、" if zh else ", ").join(listed) or ("无" if zh else "none")

    recused = [name for name in roll["members"] if name in roll["recused"]]
    yes, some, no, none = (vote["counts"][kind] for kind in ("for", "conditional", "against", "abstain"))
    outcome = OUTCOMES[vote["outcome"]][lang]
    lines: list[tuple[str, str]]
    if zh:
        lines = [
            ("决议", f"{vote['resolution_no']}，{subject}"),
            ("有表决权", people(roll["eligible"])),
            ("回避", people([*recused, *roll["self_recused"]])),
            ("主持", people([roll["presider"]] if roll["presider"] else [])),
            ("出席", f"{vote['present']} 人，法定人数 {vote['quorum']} 人"),
            (
                "票数",
                f"赞成 {yes}（附条件 {some}），反对 {no}，弃权 {none}",
            ),
            ("结果", outcome + ("，平票由主持人决定" if vote["tie_broken"] else "")),
        ]
    else:
        lines = [
            ("Resolution", f"{vote['resolution_no']}, {subject}"),
            ("Entitled to vote", people(roll["eligible"])),
            ("Recused", people([*recused, *roll["self_recused"]])),
            ("Presiding", people([roll["presider"]] if roll["presider"] else [])),
            ("Present", f"{vote['present']}, quorum {vote['quorum']}"),
            (
                "Votes",
                f"for {yes} ({some} with conditions), against {no}, abstained {none}",
            ),
            ("Result", outcome + (", the presider breaking a tie" if vote["tie_broken"] else "")),
        ]
    if vote["disclosed"]:
        lines.append(("披露" if zh else "Disclosed", _disclosure(lang, people([vote["disclosed"]]))))
    for title, several in ((("条件", "Conditions"), vote["conditions"]), (("理由", "Reasons"), vote["reasons"])):
        if several:
            lines.append((title[0] if zh else title[1], ("；" if zh else "; ").join(several)))
    return "\n".join(f"{title}{'：' if zh else ': '}{text}" for title, text in lines)


def _disclosure(lang: str, who: str) -> str:
    return f"{who}已作为部门负责人背书" if lang == "zh-CN" else f"{who} endorsed it as department head"
