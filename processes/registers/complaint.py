"""The complaint register 投诉台账： what each field and status is called.

Key: number of the case. Nobody is named before a finding, and the respondent only when it is substantiated; the
reporter never.
"""

from __future__ import annotations

COMPLAINT = "complaint"

_TITLES = """
category|类别|Category
channel|渠道|Channel
priority|级别|Priority
disposition|分级处理|Disposition
status|状态|Status
received_on|受理日期|Received on
lead|主办|Lead
second|协办|Second
extended_until|延期至|Extended until
finding|认定|Finding
respondent|被投诉人|Respondent
measures|措施|Measures
decided_by|决定机构|Decided by
resolution_no|决议编号|Resolution no.
decided_on|决定日期|Decided on
fed_back_on|反馈日期|Feedback on
review|复核|Review
watch|报复观察|Retaliation watch
merged_into|并入|Merged into
related_case|关联案件|Related case
transferred_to|移交给|Handed over to
major_event|建议按重大事件评估|Maybe a major event
reported_to|另报|Also reported to
closed_on|结案日期|Closed on
case_no|案件编号|Case
"""
TITLES: dict[str, dict[str, str]] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
STATUSES: dict[str, dict[str, str]] = {
    "received": {"zh-CN": "已受理", "en": "Received"},
    "asking": {"zh-CN": "待补充", "en": "More asked for"},
    "investigating": {"zh-CN": "调查中", "en": "Under investigation"},
    "decided": {"zh-CN": "已认定", "en": "Decided"},
    "watching": {"zh-CN": "观察期", "en": "Watch period"},
    "merged": {"zh-CN": "已并案", "en": "Merged"},
    "transferred": {"zh-CN": "已转办", "en": "Transferred"},
    "closed_insufficient": {"zh-CN": "线索不足，已关闭", "en": "Closed, not enough to go by"},
    "closed": {"zh-CN": "已结案", "en": "Closed"},
}
FINDINGS: dict[str, dict[str, str]] = {
    "substantiated": {"zh-CN": "成立", "en": "Substantiated"},
    "partial": {"zh-CN": "部分成立", "en": "Partly substantiated"},
    "not": {"zh-CN": "不成立", "en": "Not substantiated"},
    "malicious": {"zh-CN": "恶意举报", "en": "Malicious"},
    "referred": {"zh-CN": "移送执行董事", "en": "Referred to the executive director"},
}
