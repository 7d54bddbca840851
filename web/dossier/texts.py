"""The sentences of the paper that are longer than a label, in both languages."""

from __future__ import annotations

GET = (
    "取得校验程序 guiju_verify.py（随本系统发布，只需 Python 与 cryptography），以及公司另行公布的签名公钥。",
    "Get guiju_verify.py (published with the system; it needs Python and cryptography alone) and the public key "
    "as the company publishes it elsewhere.",
)
RUN = (
    "在任何一台电脑上运行：python guiju_verify.py {number}.pdf --key 公钥",
    "On any computer run: python guiju_verify.py {number}.pdf --key KEY",
)
CHECKS = (
    "程序校验整份文件的签名、每个事件的哈希与前后相接、每个事件在检查点树中的位置，并指出第一个不符之处。",
    "It checks the signature over this whole file, the hash and link of every event and its place in the signed "
    "tree, and names the first thing that is wrong.",
)
TIMES = (
    "时间为北京时间。序号是事件在本案历史中的位置；哈希为前 12 位，全文见内附卷宗。系统自动经过的环节不逐一列出。",
    "Times are Beijing time. Numbers are places in the case's history; hashes are cut to 12 digits, whole in the "
    "embedded dossier. Steps the system passed by itself are not listed one by one.",
)
WITHHELD = ("该环节的内容不对审计公开。", "This entry is not open to auditors.")
LEGEND = (
    "走过的环节与流向为棕色，当前环节为蓝色，未经过为灰色；×n 为经过次数。",
    "Steps and flows taken are brown, current steps blue, the rest grey; ×n is how often.",
)
PROOFS = (
    "每个事件是一棵 RFC 9162 树的一片叶子。检查点由公司的密钥签名；从叶子沿路径算到根，应得检查点所写的根。"
    "全部路径在内附卷宗中，这里列出首尾两条。",
    "Every event is a leaf of an RFC 9162 tree. The checkpoint is signed with the company's key; from a leaf along "
    "its path one must arrive at the root it states. All paths are in the embedded dossier; the first and the last "
    "stand here.",
)
