"""The content register 内容台账： what was submitted, decided and published; the interactions; the takedowns.

`content`: key is the number of the submission (`NR-2026-0001`). The approved text and its SHA-256 stay with the row,
and `versions` tells what became of each version. A row appears with the first decision and is never deleted.
"""

from __future__ import annotations

CONTENT, INTERACTION, TAKEDOWN = "content", "interaction", "takedown"
CONTENT_TEXT = "content_text"  # the submissions that held a text, by its fingerprint; nobody reads it

_TITLES = """
title|标题|Title
account_ids|拟发账号|Accounts
content_type|类型|Type
authors|作者|Authors
tier|级别|Tier
flags|风险标记|Flags
requirement|合规要求|Requirements
status|状态|Status
status_reason|说明|Reason
version|版本|Version
versions|各版本|Versions
sha256|批准版本 SHA-256|SHA-256 of the approved version
body_sha256|正文 SHA-256|SHA-256 of its text
body|批准的正文|Approved text
approved_by|批准人|Approved by
approved_at|批准时间|Approved at
conditions|附加条件|Conditions
resolution_no|决议编号|Resolution no.
planned_at|计划发布时间|Planned time
valid_until|批准有效至|Approval valid until
ratified|追认|Ratified
ratification_no|追认决议|Ratifying resolution
posts|发布记录|Posts
published_at|发布时间|Published at
published_by|发布人|Published by
url|链接|URL
compared|与批准比对|Compared
effects|效果|Effects
case_no|案件|Case
account_id|账号|Account
content_no|送审编号|Submission
kind|类别|Kind
viral|高传播|Spreading fast
text|内容|What was said
link|链接|Link
owner|责任组|Owner
phrase|话术编号|Phrase
owners|责任人|Owners
first_reply_minutes|首次响应（分钟）|First reply (minutes)
resolve_hours|办结（小时）|Resolve (hours)
reply|回复|Reply
replied_by|回复人|Replied by
replied_at|回复时间|Replied at
checked_by|核对人|Checked by
escalate_to|升级对象|Escalates to
received_at|登记时间|Recorded at
reason|事由|Reason
description|情况说明|What is wrong
decision|决定|Decision
decided_by|决定人|Decided by
basis|理由与依据|Reasons
removed_by|执行人|Carried out by
removed_at|执行时间|Carried out at
verified_by|核实人|Verified by
corrected_text|更正后的文本|Corrected text
evidence|证据|Evidence
"""
TITLES: dict[str, dict[str, str]] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
STATUSES: dict[str, dict[str, str]] = {
    "returned": {"zh-CN": "已退回", "en": "Returned"},
    "blocked": {"zh-CN": "涉密退回", "en": "Returned, holds a secret"},
    "approved": {"zh-CN": "已批准待发布", "en": "Approved"},
    "voided": {"zh-CN": "批准作废", "en": "Approval void"},
    "published": {"zh-CN": "已发布", "en": "Published"},
    "rejected": {"zh-CN": "已驳回", "en": "Rejected"},
    "withdrawn": {"zh-CN": "已撤回", "en": "Withdrawn"},
    "expired": {"zh-CN": "到点未批或逾期", "en": "Expired"},
    "not_ratified": {"zh-CN": "未获追认", "en": "Not ratified"},
    "taken_down": {"zh-CN": "已下架", "en": "Taken down"},
    "corrected": {"zh-CN": "已更正", "en": "Corrected"},
    "open": {"zh-CN": "处理中", "en": "Open"},
    "resolved": {"zh-CN": "已办结", "en": "Resolved"},
    "escalated": {"zh-CN": "已升级", "en": "Escalated"},
    "kept": {"zh-CN": "保留", "en": "Kept"},
}
TIERS: dict[str, dict[str, str]] = {
    "T1": {"zh-CN": "一般", "en": "General"},
    "T1_ALT": {"zh-CN": "一般（替补审核）", "en": "General, by the alternate"},
    "T2": {"zh-CN": "重要或敏感", "en": "Important or sensitive"},
    "T2_URGENT": {"zh-CN": "紧急", "en": "Urgent"},
    "BLOCK": {"zh-CN": "涉密，拦截", "en": "Secret, blocked"},
}
