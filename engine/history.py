"""The only writer of history: append-only events, each carrying the hash of the one before it in its instance.

An event's `body` is canonical JSON (sorted keys, UTF-8) and holds everything, its own place in the chain included:
`{"instance", "seq", "prev", "type", "at", "actor", "element", "data"}`; `hash` is SHA-256 over the body's bytes. The
tables' guards (migrations) refuse UPDATE and DELETE. Verification lives in `evidence`, which shares no code with this
module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.models import history, tree_runs
from engine.prepared import Prepared

FIRST = bytes(32)  # what the first event of a chain names as the one before it
DEPLOYMENTS = "deployments"  # the chain of what concerns no single instance
ACCESS = "access"  # the chain of rights: scopes of auditors, legal holds, refusals that concern no case

EVENT_TYPES: dict[str, dict[str, str]] = {
    "command": {"zh-CN": "提交命令", "en": "Command given"},
    "state.saved": {"zh-CN": "保存状态", "en": "State saved"},
    "instance.started": {"zh-CN": "案件发起", "en": "Case started"},
    "instance.ended": {"zh-CN": "案件结束", "en": "Case ended"},
    "instance.suspended": {"zh-CN": "案件挂起", "en": "Case suspended"},
    "instance.resumed": {"zh-CN": "案件恢复", "en": "Case resumed"},
    "task.created": {"zh-CN": "任务产生", "en": "Task created"},
    "task.claimed": {"zh-CN": "认领", "en": "Claimed"},
    "task.released": {"zh-CN": "退领", "en": "Released"},
    "task.completed": {"zh-CN": "办理完成", "en": "Completed"},
    "task.cancelled": {"zh-CN": "任务取消", "en": "Task cancelled"},
    "task.reassigned": {"zh-CN": "转办", "en": "Transferred"},
    "task.recused": {"zh-CN": "申请回避", "en": "Recused"},
    "task.escalated": {"zh-CN": "升级", "en": "Escalated"},
    "task.reminded": {"zh-CN": "提醒", "en": "Reminded"},
    "element.entered": {"zh-CN": "进入环节", "en": "Step entered"},
    "element.left": {"zh-CN": "离开环节", "en": "Step left"},
    "element.cancelled": {"zh-CN": "环节取消", "en": "Step cancelled"},
    "timer.scheduled": {"zh-CN": "计时开始", "en": "Timer scheduled"},
    "timer.fired": {"zh-CN": "计时到期", "en": "Timer fired"},
    "operation.called": {"zh-CN": "执行操作", "en": "Operation called"},
    "operation.queued": {"zh-CN": "外部操作排队", "en": "External operation queued"},
    "decision.evaluated": {"zh-CN": "查询决策表", "en": "Decision evaluated"},
    "script.run": {"zh-CN": "变量赋值", "en": "Variables assigned"},
    "attachment.made": {"zh-CN": "生成附件", "en": "File made"},
    "case.queued": {"zh-CN": "安排另一案件", "en": "Another case queued"},
    "case.started": {"zh-CN": "发起另一案件", "en": "Another case started"},
    "tasks.queued": {"zh-CN": "安排转办", "en": "Transfers queued"},
    "case.barred": {"zh-CN": "确定不得接触案件的人", "en": "Settled whom the case is kept from"},
    "identity.opened": {"zh-CN": "查看封存的身份", "en": "Sealed identity opened"},
    "message.received": {"zh-CN": "收到举报人消息", "en": "Message from the reporter"},
    "message.sent": {"zh-CN": "发给举报人消息", "en": "Message to the reporter"},
    "register.changed": {"zh-CN": "台账变更", "en": "Register changed"},
    "access.refused": {"zh-CN": "访问被拒绝", "en": "Access refused"},
    "case.read": {"zh-CN": "查阅案件", "en": "Case read"},
    "scope.set": {"zh-CN": "设定审计范围", "en": "Scope of an audit set"},
    "scope.revoked": {"zh-CN": "收回审计范围", "en": "Scope of an audit revoked"},
    "hold.set": {"zh-CN": "设定法律保全", "en": "Legal hold set"},
    "hold.lifted": {"zh-CN": "解除法律保全", "en": "Legal hold lifted"},
    "personal.erased": {"zh-CN": "销毁个人信息", "en": "Personal data erased"},
    "incident.raised": {"zh-CN": "出现异常", "en": "Incident raised"},
    "incident.resolved": {"zh-CN": "异常已处理", "en": "Incident resolved"},
    "job.failed": {"zh-CN": "作业失败，稍后重试", "en": "Job failed, will be retried"},
    "deployment.made": {"zh-CN": "流程发布", "en": "Deployment made"},
}


_INSERT = Prepared(sa.insert(history), columns=("instance_id", "seq", "type", "body", "hash"))
_RUN = Prepared(sa.insert(tree_runs), columns=("instance_id", "first", "last"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened. `type` is a key of EVENT_TYPES, `data` holds JSON only."""

    type: str
    actor: str | None = None
    element: str | None = None
    data: dict[str, Any] = field(default_factory=dict)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no spaces: the same value is the same bytes."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def append(
    connection: Connection, instance_id: str, events: Iterable[Event], *, at: str, seq: int, head: bytes
) -> tuple[int, bytes]:
    """Append `events` after event `seq` whose hash is `head`, and tell the signer where to find them; return the new
    last seq and its hash. Two statements."""
    rows, before = [], seq
    for event in events:
        seq += 1
        body = canonical(
            {
                "instance": instance_id,
                "seq": seq,
                "prev": head.hex(),
                "type": event.type,
                "at": at,
                "actor": event.actor,
                "element": event.element,
                "data": event.data,
            }
        )
        head = hashlib.sha256(body).digest()
        rows.append({"instance_id": instance_id, "seq": seq, "type": event.type, "body": body, "hash": head})
    if rows:
        _INSERT.run_many(connection, rows)
        _RUN.run(connection, instance_id=instance_id, first=before + 1, last=seq)
    return seq, head


def append_unowned(connection: Connection, chain: str, events: Iterable[Event], *, at: str) -> None:
    """Append to a chain that belongs to no instance (deployments): its head is read from the chain itself."""
    last = connection.execute(
        sa.select(history.c.seq, history.c.hash)
        .where(history.c.instance_id == chain)
        .order_by(history.c.seq.desc())
        .limit(1)
    ).first()
    append(connection, chain, events, at=at, seq=last.seq if last else 0, head=last.hash if last else FIRST)
