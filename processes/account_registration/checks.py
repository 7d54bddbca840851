"""What an application is checked for before anybody reads it: names, duplicates, people, ownership. No store, no clock.

A *finding* is {"field", "severity": "fail" | "warn", "zh", "en"}: one sentence in each language beside its field.
Clauses 四.1.1 and 四.1.2 of 《社交媒体管理办法》.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Any

from engine import Person
from processes.scanner import normalise, scan
from processes.term_rules import TermRule

Finding = dict[str, str]

NAME_FLAGS = frozenset(
    [
        "absolute_term",
        "env_health_claim",
        "personal_info",
        "discloses_secret",
        "competitor",
        "national_symbol",
        "illegal",
        "insult",
        "third_party_ip",
    ]
)
STATE_ORGANS = re.compile(
    r"国务院|中央(?:委员会|军委|政府)|人大|政协|政府|公安|派出所|法院|检察院|监委|纪委|税务局|市场监管|工商局|海关|城管"
    r"|消防(?:局|救援|支队)|教育[局部]|住建|部队|武警|解放军|国家(?:局|总局|级机关)"
)
STATE_WORDS = re.compile(r"中国|中华|国家")
PERSONAL_MAIL = frozenset(
    [
        "qq.com",
        "vip.qq.com",
        "foxmail.com",
        "163.com",
        "126.com",
        "yeah.net",
        "sina.com",
        "sina.cn",
        "sohu.com",
        "139.com",
        "189.cn",
        "wo.cn",
        "aliyun.com",
        "gmail.com",
        "outlook.com",
        "hotmail.com",
        "live.com",
        "yahoo.com",
        "icloud.com",
        "me.com",
    ]
)
LEGAL_FEATURES = {"直播": "live streaming", "橱窗": "a shop window", "支付": "payment"}
PAYMENT_FEATURES = frozenset({"橱窗", "支付"})
NEARLY = 0.85  # share of common characters from which two names look alike
EXTRA = 2  # characters a name may add to another's and still look alike: 样木家居 / 样木家居官博


def finding(field: str, zh: str, en: str, *, severity: str = "fail") -> Finding:
    """A finding; `zh` first, as everywhere."""
    return {"field": field, "severity": severity, "zh": zh, "en": en}


def check_names(names: Iterable[tuple[str, str]], rules: Sequence[TermRule] | None = None) -> list[Finding]:
    """Forbidden words and state organs in (field, name) pairs."""
    found: list[Finding] = []
    for field, name in names:
        plain = normalise(name)
        if organ := STATE_ORGANS.search(plain):
            text = organ.group()
            found.append(
                finding(field, f"「{name}」含国家机关名称「{text}」", f"“{name}” holds a state organ, “{text}”")
            )
        elif word := STATE_WORDS.search(plain):
            text = word.group()
            zh, en = f"「{name}」含「{text}」，平台可能不予通过", f"“{name}” holds “{text}”; the platform may refuse it"
            found.append(finding(field, zh, en, severity="warn"))
        for hit in scan(name, flags=NAME_FLAGS, rules=rules, once=True):
            zh = f"「{name}」含「{hit.text}」（{hit.rule.law}）：{hit.rule.advice}"
            en = f"“{name}” holds “{hit.text}” ({hit.rule.id}, {hit.rule.flag})"
            found.append(finding(field, zh, en, severity="fail" if hit.rule.severity == "block" else "warn"))
    return found


def check_duplicates(
    platform: str,
    names: Iterable[tuple[str, str]],
    accounts: Mapping[str, Mapping[str, Any]],
    applications: Mapping[str, Mapping[str, Any]],
) -> list[Finding]:
    """Same or similar names on the same platform, among accounts (id → row) and open applications (number → row)."""
    here = [(key, str(row["name"]), True) for key, row in accounts.items() if row.get("platform") == platform]
    for key, row in applications.items():
        if row.get("platform") == platform:
            here += [(key, str(name), False) for name in row["names"]]
    found: list[Finding] = []
    for field, name in names:
        for key, other, is_account in here:
            what = ("账号", "account") if is_account else ("在办申请", "open application")
            if normalise(name) == normalise(other):
                zh = f"「{name}」与{what[0]} {key}「{other}」重名"
                found.append(finding(field, zh, f"“{name}” is the name of {what[1]} {key}"))
            elif similar(name, other):
                zh, en = f"「{name}」与{what[0]} {key}「{other}」近似", f"“{name}” resembles {what[1]} {key}, “{other}”"
                found.append(finding(field, zh, en, severity="warn"))
    return found


def similar(one: str, other: str) -> bool:
    """Whether two names on one platform would be taken for each other."""
    short, long = sorted((normalise(one), normalise(other)), key=len)
    if long.startswith(short) and len(long) - len(short) <= EXTRA:
        return True
    return SequenceMatcher(None, short, long).ratio() >= NEARLY


def check_people(
    responsible: str, backup: str | None, real_name_admin: str | None, people: Mapping[str, Person | None], today: date
) -> list[Finding]:
    """Whether those named may hold an account: active, regular, trained, signed; backup is somebody else."""
    found = check_holder("responsible", responsible, people.get(responsible), today)
    if not backup:
        found.append(finding("backup", "须指定备份负责人", "A backup must be named"))
    elif backup == responsible:
        found.append(finding("backup", "备份负责人与负责人不得为同一人", "The backup must be somebody else"))
    else:
        found += check_holder("backup", backup, people.get(backup), today)
    admin = people.get(real_name_admin) if real_name_admin else None
    if real_name_admin and not (admin and admin.active):
        found.append(
            finding("real_name_admin", "平台实名管理员不是在职员工", "The real-name administrator is not active staff")
        )
    return found


def check_holder(field: str, username: str, person: Person | None, today: date) -> list[Finding]:
    """The four conditions of whoever answers for an account."""
    if person is None or not person.active:
        return [finding(field, f"「{username}」不是在职员工", f"“{username}” is not active staff")]
    zh, en = person.names.get("zh-CN", username), person.names.get("en", username)
    found: list[Finding] = []
    if person.employment_type != "regular":
        found.append(finding(field, f"{zh}不是正式员工", f"{en} is not a regular employee"))
    if not person.training_valid:
        found.append(finding(field, f"{zh}没有有效的培训记录", f"{en} has no valid training"))
    if not person.policy_signed_on or date.fromisoformat(person.policy_signed_on) > today:
        found.append(finding(field, f"{zh}尚未签收制度", f"{en} has not signed the policy"))
    return found


def check_ownership(account_type: str, phone_owner: str, email: str, domains: Sequence[str]) -> list[Finding]:
    """Company accounts on company numbers and mailboxes only. `domains`: the company's; empty refuses private mail."""
    found: list[Finding] = []
    kind = account_type.lower()
    if "个人" in kind or "personal" in kind:
        found.append(finding("account_type", "个人号不予受理", "Personal accounts are not accepted"))
    owner = phone_owner.lower()
    if any(word in owner for word in ("个人", "本人", "私人", "personal", "private")):
        found.append(finding("binding_phone_owner", "绑定手机仅限公司号码", "The phone number must be the company's"))
    elif not any(word in owner for word in ("公司", "企业", "company", "corporate")):
        zh, en = "请核对绑定手机是否为公司号码", "Check that the phone number is the company's"
        found.append(finding("binding_phone_owner", zh, en, severity="warn"))
    domain = email.rpartition("@")[2].lower()
    if domain in PERSONAL_MAIL or (domains and domain not in domains):
        found.append(
            finding("binding_email", "绑定邮箱仅限公司域的公共邮箱", "The mailbox must be on the company's domain")
        )
    return found


def reasons_for_legal(features: Iterable[str], third_party: str | None, *, new_platform: bool) -> list[dict[str, str]]:
    """Why Legal must give an opinion: a third party, live, shop or payment, a platform new to the company."""
    reasons: list[dict[str, str]] = []
    if third_party:
        reasons.append({"zh": f"第三方代运营：{third_party}", "en": f"operated by a third party: {third_party}"})
    for feature in features:
        if feature in LEGAL_FEATURES:
            reasons.append({"zh": f"开通{feature}", "en": LEGAL_FEATURES[feature]})
    if new_platform:
        reasons.append({"zh": "公司首次使用该平台", "en": "a platform new to the company"})
    return reasons


def summary(findings: Sequence[Finding], reasons: Sequence[Mapping[str, str]]) -> dict[str, str] | None:
    """Findings and reasons for a legal opinion as people read them, a line each; None when there is nothing to say."""
    zh = [("不合格：" if each["severity"] == "fail" else "提示：") + each["zh"] for each in findings]
    en = [("Fails: " if each["severity"] == "fail" else "Note: ") + each["en"] for each in findings]
    if reasons:
        zh.append("须法务意见：" + "；".join(each["zh"] for each in reasons))
        en.append("Needs a legal opinion: " + "; ".join(each["en"] for each in reasons))
    return {"zh-CN": "\n".join(zh), "en": "\n".join(en)} if zh else None


def verdict(findings: Iterable[Finding]) -> str:
    """ "fail" when anything fails, else "warn", else "ok"."""
    severities = {each["severity"] for each in findings}
    return "fail" if "fail" in severities else "warn" if "warn" in severities else "ok"
