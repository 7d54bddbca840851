"""What the public page says of the choices of a complaint, in both languages."""

from __future__ import annotations

from engine.errors import Text

SCOPES: dict[str, Text] = {  # value → title; the order is that of the page
    "其他员工": {"zh-CN": "公司员工", "en": "An employee"},
    "官方账号": {"zh-CN": "公司的官方账号", "en": "An official account of the company"},
    "行政部": {"zh-CN": "行政部", "en": "Administration"},
    "法务部": {"zh-CN": "法务部", "en": "Legal"},
    "市场部负责人": {"zh-CN": "市场部负责人", "en": "The head of Marketing"},
    "小组成员": {"zh-CN": "社交媒体管理小组成员", "en": "A member of the Management Group"},
    "组长": {"zh-CN": "管理小组组长", "en": "The chair of the Management Group"},
    "副组长": {"zh-CN": "管理小组副组长", "en": "The deputy chair of the Management Group"},
    "公司外部": {"zh-CN": "公司以外的人或单位", "en": "Somebody outside the company"},
    "不清楚": {"zh-CN": "不清楚", "en": "Not sure"},
}
CATEGORIES: dict[str, Text] = {
    "未标广告": {"zh-CN": "未标广告", "en": "Advertising not marked as such"},
    "虚假或不实信息": {"zh-CN": "虚假或不实信息", "en": "False or inaccurate information"},
    "泄露客户信息": {"zh-CN": "泄露客户信息", "en": "Customer information exposed"},
    "泄露公司信息": {"zh-CN": "泄露公司信息", "en": "Company information leaked"},
    "诽谤同事": {"zh-CN": "诽谤同事", "en": "Defamation of a colleague"},
    "打击报复/滥用检查": {"zh-CN": "打击报复、滥用检查", "en": "Retaliation or abuse of inspections"},
    "程序违规": {"zh-CN": "程序违规", "en": "Procedure not kept"},
    "账号转借或密码管理": {"zh-CN": "账号转借、密码管理", "en": "Account lending, passwords"},
    "不当言论": {"zh-CN": "不当言论", "en": "Improper remarks"},
    "纠纷": {"zh-CN": "纠纷", "en": "A dispute"},
    "产品安全": {"zh-CN": "产品安全", "en": "Product safety"},
    "其他": {"zh-CN": "其他", "en": "Something else"},
}
