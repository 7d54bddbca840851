"""The sanction register 处分台账: what each field and status is called, and which warnings count.

Key: number of the case. A row is never deleted: a revoked decision keeps its row and drops out of what counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

SANCTION = "sanction"
ISSUED, EFFECTIVE, EXPIRED, REVOKED, SETTLED = "issued", "effective", "expired", "revoked", "settled"

_TITLES = """
respondent|员工|Employee
dept|部门|Department
case_no|案件|Case
decision_no|决定书文号|Decision no.
case_source|来源|Source
clauses|违反条款|Clauses
policy_version|制度版本|Version of the rules
severity|情节|Severity
sanction|处分|Measure
basis|依据|Basis
reasons|事实、依据、理由|Facts, grounds, reasons
approved_by|批准人|Approved by
resolution_no|决议编号|Resolution no.
decided_on|决定日期|Decided on
served|送达方式|Served by
served_on|送达日期|Served on
appeal_until|申诉截止|Appeal until
appeal|申诉结果|Appeal
revoked_on|撤销日期|Revoked on
executed_on|执行日期|Carried out on
compensation_cny|赔偿额（元）|Compensation (yuan)
instalments|分期|Instalments
responsible_persons|相关责任人|Responsible persons
letter|决定书文件|Letter
warning_expires|警告失效日|Warning expires
status|状态|Status
"""
TITLES: dict[str, dict[str, str]] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
PURGED = (  # what a revoked decision no longer says: a row that stays says that it was revoked, not what it held
    "clauses",
    "policy_version",
    "severity",
    "sanction",
    "basis",
    "reasons",
    "compensation_cny",
    "instalments",
    "responsible_persons",
    "letter",
    "warning_expires",
)
STATUSES: dict[str, dict[str, str]] = {
    ISSUED: {"zh-CN": "已决定，待生效", "en": "Decided, not yet in effect"},
    EFFECTIVE: {"zh-CN": "有效", "en": "In effect"},
    EXPIRED: {"zh-CN": "已失效", "en": "Expired"},
    REVOKED: {"zh-CN": "已撤销", "en": "Revoked"},
    SETTLED: {"zh-CN": "已谈话，不属处分", "en": "Coached, no sanction"},
}
MEASURES: dict[str, dict[str, str]] = {
    "NONE": {"zh-CN": "不处分", "en": "No sanction"},
    "COACHING": {"zh-CN": "谈话提醒", "en": "Coaching talk"},
    "WARNING": {"zh-CN": "书面警告", "en": "Written warning"},
    "DEMOTION": {"zh-CN": "降职", "en": "Demotion"},
    "DISMISSAL": {"zh-CN": "辞退", "en": "Dismissal"},
    "FINE": {"zh-CN": "罚款", "en": "Fine"},
}
WORDS: dict[str, dict[str, dict[str, str]]] = {
    "sanction": MEASURES,
    "served": {
        "signed": {"zh-CN": "本人签收", "en": "Signed by the employee"},
        "witnessed": {"zh-CN": "见证送达", "en": "Witnessed"},
        "mailed": {"zh-CN": "邮寄", "en": "By post"},
        "announced": {"zh-CN": "公告", "en": "By public notice"},
    },
    "appeal": {
        "none": {"zh-CN": "未申诉", "en": "None"},
        "uphold": {"zh-CN": "维持", "en": "Upheld"},
        "reduce": {"zh-CN": "降低", "en": "Reduced"},
        "revoke": {"zh-CN": "撤销", "en": "Revoked"},
    },
}


def effective(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """The rows that count: decided, past appeal, neither revoked nor expired. Appraisals read these alone (P18)."""
    return {key: row for key, row in rows.items() if row.get("status") == EFFECTIVE}


def effective_warnings(
    rows: Mapping[str, Mapping[str, Any]], respondent: str, today: date
) -> dict[str, Mapping[str, Any]]:
    """Somebody's written warnings that have not run out on `today`, whether or not the clock has marked them yet."""
    return {
        key: row
        for key, row in effective(rows).items()
        if row.get("respondent") == respondent
        and row.get("sanction") == "WARNING"
        and str(row.get("warning_expires") or "9999") > today.isoformat()
    }


def status_title(status: str, language: str) -> str:
    """A status in words."""
    return STATUSES.get(status, {}).get(language, status)


def unknown_fields(fields: Iterable[str]) -> list[str]:
    """Fields without a title: a test keeps this empty for everything a procedure writes."""
    return [name for name in fields if name not in TITLES]
