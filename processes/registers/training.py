"""The training register 培训签收台账: who took which course, signed which version of the policy, until when it holds.

Key: username. One row a person; earlier years are in the row's changes and in `history`.
"""

from __future__ import annotations

TRAINING = "training"
VALID_DAYS = 365
POLICY_VERSION = "2026-01"  # setting `policy_version` says otherwise
COURSE = {"zh-CN": "社交媒体使用规范", "en": "Conduct on social media"}

_TITLES = """
person|人员|Person
department|部门|Department
status|状态|Status
course|课程|Course
score|得分|Score
completed_on|完成日期|Completed on
valid_until|有效期至|Valid until
policy_version|签收的制度版本|Version signed
signed_on|签收日期|Signed on
reason|原因|Reason
refused_on|未签收登记日期|Refusal recorded on
refusal|未签收的理由|Why unsigned
overdue_since|逾期自|Overdue since
history|历次签收|Earlier ones
case_no|案件|Case
"""
TITLES: dict[str, dict[str, str]] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
STATUSES: dict[str, dict[str, str]] = {
    "pending": {"zh-CN": "待完成", "en": "To do"},
    "signed": {"zh-CN": "已签收", "en": "Signed"},
    "overdue": {"zh-CN": "逾期", "en": "Overdue"},
    "refused": {"zh-CN": "未签收", "en": "Unsigned"},
}
