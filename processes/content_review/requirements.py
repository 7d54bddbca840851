"""The codes of the table `content_requirements` in words: what is asked for, which law, how sure we are of it.

The confidence is that of the legal notes: seen in the text of the law, known but not looked up, or unsure.
"""

from __future__ import annotations

from dataclasses import dataclass

_SURE = {
    "seen": ("条文已核对", "wording checked"),
    "known": ("条号凭记忆，待核对", "article from memory"),
    "unsure": ("条号不确定", "article unsure"),
    "policy": ("本办法", "this policy"),
}


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """One requirement; `law` names instrument and article."""

    code: str
    zh: str
    en: str
    law: str
    sure: str

    @property
    def sure_zh(self) -> str:
        """How sure we are, in Chinese."""
        return _SURE[self.sure][0]

    @property
    def sure_en(self) -> str:
        """How sure we are, in English."""
        return _SURE[self.sure][1]


_ROWS = """
BASE_CHECKLIST|五项审核|Five-point review|四.2.2|policy
FIX_TERM|删除或改写绝对化用语，豁免须写明理由|Remove superlatives, or give the reason|广告法 9(3)|seen
EVIDENCE_TEST_REPORT|环保、健康宣称附检验报告|A test report for such claims|广告法 4、28；反不正当竞争法 9|seen
PRICE_BASIS|写明被比较价格的依据与时间|The basis and date of the compared price|明码标价和禁止价格欺诈规定|unsure
MARK_AD|显著标明「广告」|Marked 广告 where it is seen|广告法 14；互联网广告管理办法 9|seen
MARK_AI|标识 AI 生成|Labelled as AI-generated|人工智能生成合成内容标识办法 10|unsure
PI_CONSENT_OR_MASK|取得单独同意或去标识化|Separate consent, or de-identified|个人信息保护法 13、25、29|known
PORTRAIT_RELEASE|肖像授权|Portrait releases|民法典 1019；广告法 33|known
IP_LICENCE|作品、商标、音乐、字体授权|Licences for works, marks, music and fonts|著作权法|known
NO_DISPARAGEMENT|不得贬低竞争对手|No disparagement of competitors|广告法 13；反不正当竞争法 12|known
PRIZE_RULES_CAP_50K|公示抽奖规则，最高奖不超过 5 万元|Rules published, no prize above 50,000 yuan|反不正当竞争法 11|seen
CITE_SOURCE|标明数据出处、范围与有效期|Source, scope and validity of data|广告法 11|known
MAP_APPROVAL_NO|使用标准地图并标审图号|A standard map with its approval number|地图管理条例 15、49|seen
NO_NATIONAL_SYMBOL|不得使用国家象征|No national symbols|广告法 9(1)|seen
NO_ENDORSER_UNDER_10|不得使用不满十周岁的代言人|No endorser under ten|广告法 38|known
NON_DISCRIMINATION|招聘条件不得歧视|No discrimination in job posts|就业促进法 3、27；妇女权益保障法|known
LIVE_SCRIPT_AND_MONITOR|提交直播脚本、违禁词表与场控名单|Script, banned words, monitors|直播电商监督管理办法|unsure
"""
REQUIREMENTS: dict[str, Requirement] = {
    code: Requirement(code=code, zh=zh, en=en, law=law, sure=sure)
    for code, zh, en, law, sure in (line.split("|") for line in _ROWS.strip().splitlines())
}
