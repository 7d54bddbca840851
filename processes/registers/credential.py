"""The credential register 凭证台账: when each account's password was changed, by whom, why, and when it is next due.

Key: account number. Holds vault references only, never a password. Earlier changes are in the row's changes.
"""

from __future__ import annotations

CREDENTIAL = "credential"

_TITLES = """
account_id|账号|Account
name|名称|Name
platform|平台|Platform
responsible|账号负责人|Responsible person
status|状态|Status
vault_ref|密码库引用号|Vault reference
rotated_on|更新日期|Rotated on
rotated_by|更新人|Rotated by
reason|原因|Reason
due|应更新日期|Due
next_due|下次更新|Next due
mfa|多因素认证|MFA
late_days|逾期天数|Days late
case_no|案件|Case
"""
TITLES: dict[str, dict[str, str]] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
STATUSES: dict[str, dict[str, str]] = {
    "current": {"zh-CN": "有效", "en": "Current"},
    "due": {"zh-CN": "待更新", "en": "Due"},
    "overdue": {"zh-CN": "逾期", "en": "Overdue"},
    "destroyed": {"zh-CN": "已销毁", "en": "Destroyed"},
}
