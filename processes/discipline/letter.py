"""The written decision: what the letter says, heading by heading, in both languages' data.

A served decision must give facts, clause and version, evidence, reasons, that the statement was heard, the measure with
its effect, the instalments, and how to appeal. `letter_pdf` makes the Chinese letter of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processes.discipline import ladder

Section = tuple[dict[str, str], dict[str, str]]  # (heading, text), each in both languages


def sections(facts: Mapping[str, Any]) -> list[Section]:
    """What the letter says, heading by heading. `facts` holds plain values; texts people wrote are the same in both."""

    def same(value: Any) -> dict[str, str]:
        words = "；".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "")
        return {"zh-CN": words, "en": words}

    sanction = ladder.TITLES[facts["sanction"]]
    effect = _effect(facts)
    found: list[Section] = [
        ({"zh-CN": "事实", "en": "Facts"}, same(facts["facts"])),
        (
            {"zh-CN": "违反条款（行为时有效版本）", "en": "Clauses, in the version in force at the time"},
            _clauses(facts),
        ),
        ({"zh-CN": "证据", "en": "Evidence"}, same(facts.get("evidence") or "见案卷")),
        ({"zh-CN": "陈述申辩", "en": "Statement"}, _heard(facts)),
        ({"zh-CN": "理由", "en": "Reasons"}, same(facts.get("reasons") or facts["facts"])),
        ({"zh-CN": "决定", "en": "Decision"}, {lang: f"{sanction[lang]}{effect[lang]}" for lang in ("zh-CN", "en")}),
        ({"zh-CN": "依据", "en": "Basis"}, same(facts.get("basis"))),
    ]
    if facts.get("plan_text", {}).get("zh-CN"):
        found.append(({"zh-CN": "赔偿与分期", "en": "Compensation in instalments"}, dict(facts["plan_text"])))
    found.append(
        (
            {"zh-CN": "申诉", "en": "Appeal"},
            {
                "zh-CN": "自送达之日起 7 日内可向公司申诉，由未参与原决定的人复核，不得加重；也可依法申请劳动仲裁。",
                "en": "An appeal may be filed within 7 days of service; people who had no part in the decision review "
                "it and cannot increase it. Labour arbitration remains open.",
            },
        )
    )
    return found


def _clauses(facts: Mapping[str, Any]) -> dict[str, str]:
    listed = facts["clauses"]
    words = "；".join(map(str, listed)) if isinstance(listed, list | tuple) else str(listed or "")
    version = facts.get("policy_version")
    if not version:
        return {"zh-CN": words, "en": words}
    return {
        "zh-CN": f"{words}（《社交媒体管理办法》{version} 版）",
        "en": f"{words} (Social Media Policy, version {version})",
    }


def _heard(facts: Mapping[str, Any]) -> dict[str, str]:
    heard = {
        "given": ("已听取本人陈述申辩", "The employee's statement was heard"),
        "hearing": ("已应本人要求举行听证", "A hearing was held at the employee's request"),
        "waived": ("本人已书面放弃陈述申辩", "The employee waived the statement in writing"),
        "silent": ("已给予陈述申辩期限，期满未陈述", "Time for a statement was given and ran out unused"),
    }
    zh, en = heard[facts.get("heard") or "silent"]
    said = str(facts.get("statement") or "")
    return {"zh-CN": f"{zh}{'：' + said if said else ''}", "en": f"{en}{': ' + said if said else ''}"}


def _effect(facts: Mapping[str, Any]) -> dict[str, str]:
    if facts["sanction"] == "WARNING":
        return {"zh-CN": "，自生效起 12 个月后失效", "en": ", which expires 12 months after taking effect"}
    if facts["sanction"] == "COACHING":
        return {"zh-CN": "（不属处分）", "en": " (not a sanction)"}
    return {"zh-CN": "", "en": ""}


def text(facts: Mapping[str, Any]) -> dict[str, str]:
    """The whole letter as plain text in both languages."""
    return {
        lang: "\n".join(
            [heading[lang] + ("：" if lang == "zh-CN" else ": ") + said[lang] for heading, said in sections(facts)]
        )
        for lang in ("zh-CN", "en")
    }
