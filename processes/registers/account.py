"""The account register 账号台账: what each field and status is called, and loading the accounts there already are.

Key: account number (`A013`). A row is never deleted; `responsible_history` tells who answered for it from when to when.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from engine import Registers

ACCOUNT = "account"

_TITLES = """
platform|平台|Platform
account_type|账号类型|Account type
name|名称|Name
platform_uid|平台账号编号|Platform id
subject|认证主体|Certified subject
purpose|用途|Purpose
audience|目标受众|Audience
content_scope|内容范围与更新频率|Content scope and frequency
dept|使用部门|Department
responsible|账号负责人|Responsible person
backup|备份负责人|Backup
authorised_users|获授权使用人|Authorised users
responsible_history|历任负责人|Responsible persons so far
real_name_admin|平台实名管理员|Real-name administrator
third_party|代运营|Operated by a third party
third_party_operator|代运营机构|Agency
features|开通功能|Features
has_payment|绑定支付|Payment bound
followers|粉丝量|Followers
vault_ref|密码库引用号|Vault reference
mfa|多因素认证|MFA
mfa_required|须多因素认证|MFA required
binding_phone_owner|绑定手机归属|Phone owner
binding_email|绑定邮箱|Recovery mailbox
risk|风险级|Risk
incident_12m|近 12 月安全事件|Incident in 12 months
rotation_days|密码更新周期（天）|Rotate every (days)
last_rotation|上次更新密码|Last rotation
rotation_due|下次更新密码|Next rotation
review_months|复核周期（月）|Review every (months)
review_due|下次复核|Next review
cert_expiry|认证到期日|Certification ends
launch_date|计划启用日期|Planned launch
activated_on|启用日期|Activated on
closed_on|注销日期|Closed on
undertaking_signed_by|承诺签署人|Undertaking signed by
undertaking_signed_on|承诺签署日期|Undertaking signed on
evidence|注册凭据|Evidence of registration
conditions|附加条件|Conditions
resolution_no|决议编号|Resolution no.
case_no|注册案件|Registration case
legal_hold|证据保全|Legal hold
posting_locked|停止发布|Posting locked
posting_lock_reason|停止发布的原因|Why posting is locked
posting_lock_case|停止发布的案件|Case that locked posting
suspended_on|冻结日期|Suspended on
suspended_case|冻结案件|Case that suspended it
archive|归档|Archive
name_protection|名称保护|Name protection
name_watch_until|名称抢注留意至|Name watched until
closing_case|注销案件|Closing case
closing_resolution|注销决议|Closing resolution
closing_evidence|注销凭据|Evidence of closing
closing_revoked_by|凭证销毁人|Credentials destroyed by
retain_until|保存至|Keep until
handover_case|最近交接案件|Latest handover
handover_open|在办交接|Handover under way
handover_conditions|交接遗留项|Left over from the handover
temporary_until|临时负责至|Responsible until
hand_back_to|到期交还|Hand back to
leaver_on|知情人离开日|Somebody who knew it left on
rotation_case|最近改密案件|Latest rotation
last_patrol|最近巡查|Latest patrol
patrol_result|巡查结果|Result of the patrol
status|状态|Status
"""
TITLES: dict[str, dict[str, str]] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
STATUSES: dict[str, dict[str, str]] = {
    "draft": {"zh-CN": "未启用", "en": "Not enabled"},
    "active": {"zh-CN": "在用", "en": "Active"},
    "suspended": {"zh-CN": "已冻结", "en": "Suspended"},
    "dormant": {"zh-CN": "停更", "en": "Dormant"},
    "orphaned": {"zh-CN": "无人负责", "en": "Nobody responsible"},
    "closed": {"zh-CN": "已注销", "en": "Closed"},
}
_FLAGS = ("has_payment", "third_party", "incident_12m")


def read(path: Path) -> dict[str, dict[str, Any]]:
    """Accounts from a CSV of the shape of `processes/demo/accounts.csv`, by number."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row.pop("account_id"): _typed(row) for row in csv.DictReader(file)}


def _typed(row: Mapping[str, str]) -> dict[str, Any]:
    fields: dict[str, Any] = {name: value or None for name, value in row.items()}
    fields |= {name: row[name] == "1" for name in _FLAGS}
    fields["followers"] = int(row["followers"] or 0)
    history = [{"responsible": row["responsible"], "from": None, "to": None, "case_no": None}]
    return fields | {"responsible_history": history if row["responsible"] else []}


def load(connection: Connection, accounts: Mapping[str, Mapping[str, Any]], *, now: datetime) -> None:
    """Write accounts that exist already into the register, in nobody's name."""
    registers = Registers(connection, now=now)
    for key, fields in accounts.items():
        registers.put(ACCOUNT, key, fields)


def status_title(status: str, language: str) -> str:
    """A status in words."""
    return STATUSES.get(status, {}).get(language, status)


def unknown_fields(fields: Iterable[str]) -> list[str]:
    """Fields without a title: a test keeps this empty for everything a procedure writes."""
    return [name for name in fields if name not in TITLES]
