"""The law a page cites: instrument, article, what it says, and how sure we are of it. Not legal advice.

`SURE` is said beside every citation, so that nobody takes an unchecked article for a checked one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.errors import Text

SURE: dict[str, Text] = {
    "verified": {"zh-CN": "原文已核", "en": "wording checked"},
    "article_unsure": {"zh-CN": "原文已核，条号待核", "en": "wording checked, article number not"},
    "commentary": {"zh-CN": "据实务评论", "en": "from commentary"},
    "known": {"zh-CN": "未核原文", "en": "wording not checked"},
}


@dataclass(frozen=True, kw_only=True)
class Law:
    """One provision and how it bears on a case."""

    id: str
    instrument: Text
    article: str
    claim: Text
    sure: str


def _law(id_: str, instrument: str, en: str, article: str, claim: str, claim_en: str, sure: str) -> Law:
    return Law(
        id=id_,
        instrument={"zh-CN": instrument, "en": en},
        article=article,
        claim={"zh-CN": claim, "en": claim_en},
        sure=sure,
    )


LAWS: dict[str, Law] = {
    law.id: law
    for law in (
        _law(
            "L01",
            "工资支付暂行规定",
            "Interim Provisions on Payment of Wages",
            "16",
            "赔偿须按劳动合同约定；每月扣除不超过当月工资的 20%，扣后不低于当地最低工资",
            "compensation by the contract; at most 20% of the month's wage, and no less than the minimum wage left",
            "verified",
        ),
        _law(
            "L03",
            "广东省工资支付条例",
            "Guangdong Regulations on Payment of Wages",
            "15",
            "扣赔偿前须书面告知原因及数额",
            "written notice of reason and amount before deducting compensation",
            "verified",
        ),
        _law(
            "L04",
            "广东省劳动保障监察条例",
            "Guangdong Regulations on Labour Inspection",
            "51",
            "（2012 年文本，另一文本为第 50 条）规章含罚款的，责令改正、警告；已罚款逾期不改的，每人 2,000–5,000 元",
            "(2012 text; article 50 in another copy) rules that contain fines: order to correct, warning; fines "
            "imposed and not undone: 2,000–5,000 yuan a person",
            "article_unsure",
        ),
        _law(
            "L05",
            "企业职工奖惩条例",
            "Regulations on Rewards and Punishments of Enterprise Staff",
            "",
            "2008 年废止后用人单位的罚款权没有明文依据，各地裁判不一",
            "since its repeal in 2008 employers have no express power to fine; courts differ",
            "verified",
        ),
        _law(
            "L07",
            "劳动合同法",
            "Labour Contract Law",
            "4",
            "规章须经民主程序并公示或告知，才能作为处理依据",
            "rules need the democratic procedure and must be made known before they can be applied",
            "verified",
        ),
        _law(
            "L08",
            "劳动合同法",
            "Labour Contract Law",
            "35",
            "变更岗位、待遇须协商一致并采用书面形式",
            "changing position or pay needs agreement in writing",
            "verified",
        ),
        _law(
            "L10",
            "劳动合同法",
            "Labour Contract Law",
            "40(2)",
            "不能胜任工作的，经培训或调岗仍不胜任，才可提前 30 日通知或付代通知金解除",
            "unfit for the work even after training or transfer: 30 days' notice or pay in lieu",
            "known",
        ),
        _law(
            "L11",
            "劳动合同法",
            "Labour Contract Law",
            "43",
            "单方解除须事先将理由通知工会，研究工会意见并书面答复",
            "the union is told the reasons before a dismissal; its opinion is considered and answered in writing",
            "known",
        ),
        _law(
            "L13",
            "劳动合同法",
            "Labour Contract Law",
            "48、87",
            "违法解除的，继续履行或支付二倍赔偿金",
            "unlawful dismissal: reinstatement or twice the compensation",
            "known",
        ),
        _law(
            "L16",
            "法释〔2020〕26 号",
            "Judicial Interpretation [2020] No. 26",
            "47",
            "未事先通知工会的解除可被认定违法，起诉前补正的除外",
            "dismissal without notice to the union may be unlawful, unless cured before suit",
            "known",
        ),
        _law(
            "L18",
            "浙江高院劳动争议解答（二）；民法典 564 参照",
            "Zhejiang High Court Answers (2); Civil Code 564 by analogy",
            "",
            "知悉违纪后应及时处理：浙江 5 个月，其他地区多参照一年",
            "decide in time after learning of the breach: 5 months in Zhejiang, a year elsewhere by analogy",
            "commentary",
        ),
        _law(
            "L19",
            "劳动法 88；劳动合同法 79",
            "Labour Law 88; Labour Contract Law 79",
            "",
            "任何组织和个人有权检举、控告违法行为，不得打击报复",
            "anyone may report violations; retaliation is forbidden",
            "known",
        ),
    )
}


def cite(ids: Iterable[str], language: str) -> str:
    """The provisions with article, content and how sure we are, one a line."""
    lines = []
    for each in ids:
        law = LAWS[each]
        sure = SURE[law.sure][language]
        if language == "zh-CN":
            article = f" 第 {law.article} 条" if law.article else ""
            lines.append(f"· {law.instrument['zh-CN']}{article}：{law.claim['zh-CN']}（{sure}，{law.id}）")
        else:
            article = f", art. {law.article.replace('、', ', ')}" if law.article else ""
            lines.append(f"· {law.instrument['en']}{article}: {law.claim['en']} ({sure}, {law.id})")
    return "\n".join(lines)
