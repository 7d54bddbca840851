"""What the decision tables must answer whatever else a designer changes in them: the part of K-02, K-04 and K-07 that
is not drawn. Each line is one question to a table and what must hold of its answer."""

from __future__ import annotations

from typing import Any

from engine import TableControl

_ABOUT = "discloses_secret crisis sensitive_info public_event competitor major_campaign author_is_t1_reviewer"
CONTENT: dict[str, Any] = dict.fromkeys(_ABOUT.split(), False)
LAWFUL: dict[str, Any] = {
    "province": "广东",
    "written_consent": True,
    "union_notified": True,
    "months_since_known": 1,
    "deduction_ratio": 0.1,
    "wage_after": 9000,
    "min_wage": 2500,
    "written_notice": True,
    "contract_clause": True,
}
PROVEN: dict[str, Any] = {
    "protected_speech": False,
    "substantiated": True,
    "rule_acknowledged": True,
    "severity": 4,
    "intentional": True,
    "priors_12m": 3,
    "loss_cny": 100_000,
}


def _must(code: str, table: str, inputs: dict[str, Any], must: str, zh: str, en: str) -> TableControl:
    return TableControl(code=code, table=table, inputs=inputs, must=must, text={"zh-CN": zh, "en": en})


def _tier(name: str, tiers: str, zh: str, en: str) -> TableControl:
    text_zh = f"决策表 content_tier：{zh}的内容没有归入须小组决定的级别"
    text_en = f"The table content_tier: content with {en} does not come before the Group"
    return _must("K-02", "content_tier", CONTENT | {name: True}, f"tier in {tiers}", text_zh, text_en)


def _no(inputs: dict[str, Any], zh: str, en: str) -> TableControl:
    said = f"决策表 sanction_legality：{zh}被判为可以", f"The table sanction_legality lets {en} pass"
    return _must("K-07", "sanction_legality", LAWFUL | inputs, "allowed == False", *said)


TABLES: tuple[TableControl, ...] = (
    _tier("discloses_secret", '["BLOCK"]', "泄露商业秘密", "a trade secret"),
    _tier("crisis", '["T2_URGENT", "T2"]', "危机回应", "an answer to a crisis"),
    _tier("sensitive_info", '["T2"]', "敏感信息", "sensitive information"),
    _tier("public_event", '["T2"]', "借公共事件", "a public event"),
    _tier("competitor", '["T2"]', "涉及竞争对手", "a competitor"),
    _tier("major_campaign", '["T2"]', "重大活动", "a major campaign"),
    _must(
        "K-04",
        "vote_rule",
        {"matter": "registration"},
        "quorum_ratio >= 0.5 and pass_ratio >= 0.5",
        "决策表 vote_rule：注册表决不到半数即可通过",
        "The table vote_rule lets a registration pass with less than half",
    ),
    _must(
        "K-04",
        "vote_rule",
        {"matter": "deregistration"},
        "quorum_ratio >= 0.5 and pass_ratio >= 0.5",
        "决策表 vote_rule：注销表决不到半数即可通过",
        "The table vote_rule lets a deregistration pass with less than half",
    ),
    _must(
        "K-02",
        "vote_rule",
        {"matter": "content"},
        "quorum_ratio >= 0.5 and pass_ratio >= 0.5",
        "决策表 vote_rule：内容表决不到半数即可通过",
        "The table vote_rule lets content pass with less than half",
    ),
    _must(
        "K-07",
        "vote_rule",
        {"matter": "dismissal"},
        'pass_ratio >= 0.666 and base == "eligible"',
        "决策表 vote_rule：辞退不到有表决权者三分之二即可通过",
        "The table vote_rule lets a dismissal pass with less than two thirds of the eligible",
    ),
    _no({"sanction": "FINE"}, "广东的罚款", "a fine in Guangdong"),
    _no(
        {"sanction": "DISMISSAL", "union_notified": False}, "未通知工会的辞退", "a dismissal the union knows nothing of"
    ),
    _no({"sanction": "DEMOTION", "written_consent": False}, "未经本人同意的降职", "a demotion without consent"),
    _no({"sanction": "DEDUCT", "contract_clause": False}, "没有约定的扣款", "a deduction nobody agreed to"),
    _no({"sanction": "DEDUCT", "written_notice": False}, "未书面告知的扣款", "a deduction without written notice"),
    _no(
        {"sanction": "DEDUCT", "deduction_ratio": 0.21},
        "超过月工资 20% 的扣款",
        "a deduction of more than 20% of the wage",
    ),
    _no({"sanction": "DEDUCT", "wage_after": 2499}, "扣后低于最低工资的扣款", "a deduction below the minimum wage"),
    _must(
        "K-07",
        "discipline_range",
        PROVEN | {"protected_speech": True},
        'max_sanction == "NONE"',
        "决策表 discipline_range：受保护言论可以受处分",
        "The table discipline_range allows a sanction for protected speech",
    ),
    _must(
        "K-07",
        "discipline_range",
        PROVEN | {"substantiated": False},
        'max_sanction == "NONE"',
        "决策表 discipline_range：事实不成立可以受处分",
        "The table discipline_range allows a sanction without proof",
    ),
    _must(
        "K-07",
        "discipline_range",
        PROVEN | {"rule_acknowledged": False, "severity": 3},
        'max_sanction in ["NONE", "COACHING"]',
        "决策表 discipline_range：未签收制度可以受处分",
        "The table discipline_range allows a sanction under rules that were never signed for",
    ),
)
