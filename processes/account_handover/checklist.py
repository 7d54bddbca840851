"""The 18 items of 《社交媒体账号交接清单》: what they are called, how the list stands, what is left over. Pure.

An item's state is what the incoming person stated last, else, once differences were made good, handed over, else what
the outgoing person stated. Items nobody stated are the incoming person's to confirm with “all correct”.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.errors import Text

_TITLES = """
i01|登录凭证|Vault entry
i02|密码重置|Password reset
i03|多因素换绑|MFA rebound
i04|绑定手机、邮箱、实名管理员|Phone, mail, real-name admin
i05|子账号、代运营及接口授权|Sub-accounts, API grants
i06|认证资料与年审日期|Certification and renewal
i07|待审、待发、定时内容|Pending and scheduled content
i08|草稿与素材库|Drafts, assets
i09|版权、肖像、字体音乐授权|IP and portrait releases
i10|未结评论、私信、客诉|Open interactions
i11|在履行抽奖、活动承诺|Running promises
i12|达人、代理、投放合同|Contracts
i13|投放、钱包余额与对账|Balances
i14|粉丝群及群主权限|Groups
i15|数据报表口径与历史数据|Data and reports
i16|违规、申诉、平台处罚记录|Platform penalties
i17|话术库、危机联系人|Templates, crisis contacts
i18|风险与未尽事项|Risks and leftovers
"""
ITEMS: dict[str, Text] = {
    key: {"zh-CN": zh, "en": en} for key, zh, en in (line.split("|") for line in _TITLES.strip().splitlines())
}
BALANCE = "i13"  # a difference here is for Finance to reconcile

Record = Mapping[str, Any]


def item(key: str, prepare: Record, check: Record, resolve: Record) -> str | None:
    """ "handed", "missing", "na", or None when nobody stated it."""
    if check.get(key):
        return str(check[key])
    return "handed" if resolve.get("outcome") == "fixed" and prepare.get(key) == "missing" else prepare.get(key)


def state(prepare: Record, check: Record, resolve: Record) -> dict[str, Any]:
    """{"missing", "open", "balance", "summary"}: item keys, whether Finance must reconcile, one sentence."""
    now = {key: item(key, prepare, check, resolve) for key in ITEMS}
    missing = [key for key, value in now.items() if value == "missing"]
    unstated = [key for key, value in now.items() if value is None]
    counts = {"handed": 0, "missing": 0, "na": 0} | {value: list(now.values()).count(value) for value in now.values()}
    zh = f"已移交 {counts['handed']} 项，缺失 {len(missing)} 项，不适用 {counts['na']} 项，未填 {len(unstated)} 项"
    en = f"{counts['handed']} handed over, {len(missing)} missing, {counts['na']} n.a., {len(unstated)} not stated"
    if missing:
        zh += f"；缺失：{'、'.join(ITEMS[key]['zh-CN'] for key in missing)}"
        en += f"; missing: {', '.join(ITEMS[key]['en'] for key in missing)}"
    return {
        "missing": missing,
        "open": unstated,
        "balance": BALANCE in missing and check.get("outcome") == "dispute",
        "summary": {"zh-CN": zh, "en": en},
    }


def leftovers(
    listed: Record, prepare: Record, check: Record, resolve: Record, *, due: str, period: str
) -> list[dict[str, Any]]:
    """Each missing item with its remark and date; a difference that names no item is one leftover of its own."""
    found = [
        {
            "item": key,
            "title": ITEMS[key],
            "remark": check.get(f"{key}_remark") or prepare.get(f"{key}_remark"),
            "due": due,
            "period": period,
        }
        for key in listed.get("missing") or ()
    ]
    if not found:
        words = resolve.get("comment") or resolve.get("done") or check.get("comment")
        found = [{"item": "i18", "title": ITEMS["i18"], "remark": words, "due": due, "period": period}]
    return found


def sentence(texts: Sequence[Text]) -> Text | None:
    """Several findings as one sentence, or None."""
    if not texts:
        return None
    return {"zh-CN": "；".join(each["zh-CN"] for each in texts), "en": "; ".join(each["en"] for each in texts)}
