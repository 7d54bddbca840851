"""Drafts: changes to diagrams, tables and forms that designers work on before anything is deployed.

A draft lies over one deployment (`base`) and holds only what differs from it. Every save is a revision of its file and
none is ever overwritten, so nothing is lost by a closed tab and everything can be taken back. Who opens a file holds it
for a while (`HOLD`); a second designer sees who that is, and waits, or forks the draft and goes on alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from engine.deployment import latest_number, read_files
from engine.errors import Conflict, Invalid, NotFound
from engine.models import resources
from engine.models_drafts import draft_files, draft_holds, drafts
from engine.moments import moment, stamp

HOLD = timedelta(minutes=2)  # a page renews it every 30 seconds
SIZE = 2 * 1024 * 1024  # bytes of one file, what the gate reads
FILES = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """A draft. `status`: open, submitted (a change case is deciding on it), deployed, dropped. `rev` counts saves."""

    draft_id: str
    title: str
    base: int
    by: str
    status: str
    rev: int
    made_at: str
    saved_at: str
    case: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """One save of one file; `removed` when the draft takes the file out. Neither content nor `removed`: it is as in the
    base again."""

    path: str
    rev: int
    by: str
    at: str
    sha256: str | None
    removed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who has a file open, and until when others wait unless it is renewed."""

    username: str
    until: str


def make(connection: Connection, *, title: str, by: str, now: datetime, base: int | None = None) -> Draft:
    """A new, empty draft over deployment `base`, the newest by default. Raises Invalid, NotFound."""
    number = base if base is not None else latest_number(connection)
    if not title.strip() or len(title) > 200:
        raise Invalid({"title": {"zh-CN": "请填写 1–200 字的名称", "en": "Enter a name of 1 to 200 characters"}})
    if number is None or number > (latest_number(connection) or 0) or number < 1:
        raise NotFound("deployment_not_found", text={"zh-CN": "没有这一版发布", "en": "There is no such deployment"})
    row = {
        "draft_id": str(uuid4()),
        "title": title.strip(),
        "base": number,
        "by": by,
        "status": "open",
        "rev": 0,
        "made_at": stamp(now),
        "saved_at": stamp(now),
        "case": None,
    }
    connection.execute(sa.insert(drafts).values(**row))
    return Draft(**row)  # type: ignore[arg-type]


def get(connection: Connection, draft_id: str) -> Draft:
    """The draft. Raises NotFound."""
    row = connection.execute(sa.select(drafts).where(drafts.c.draft_id == draft_id)).first()
    if row is None:
        raise NotFound("draft_not_found", text={"zh-CN": "没有这份草稿", "en": "There is no such draft"})
    return Draft(**row._mapping)


def listed(connection: Connection, *, status: str = "open", limit: int = 200) -> list[Draft]:
    """The drafts of one status, last saved first."""
    query = sa.select(drafts).where(drafts.c.status == status).order_by(drafts.c.saved_at.desc()).limit(limit)
    return [Draft(**row._mapping) for row in connection.execute(query)]


def is_open(connection: Connection, draft_id: str) -> bool:
    """Whether there is such a draft and nobody has submitted or dropped it."""
    return connection.scalar(sa.select(drafts.c.status).where(drafts.c.draft_id == draft_id)) == "open"


def changed(connection: Connection, draft_id: str) -> dict[str, bytes | None]:
    """What the draft says differently from its base: path → content, None where it takes a file out."""
    newest = (
        sa.select(draft_files.c.path, sa.func.max(draft_files.c.rev).label("rev"))
        .where(draft_files.c.draft_id == draft_id)
        .group_by(draft_files.c.path)
        .subquery()
    )
    query = (
        sa.select(draft_files.c.path, draft_files.c.removed, resources.c.content)
        .join(newest, sa.and_(draft_files.c.path == newest.c.path, draft_files.c.rev == newest.c.rev))
        .outerjoin(resources, resources.c.sha256 == draft_files.c.sha256)
        .where(draft_files.c.draft_id == draft_id)
        .order_by(draft_files.c.path)
    )
    return {
        row.path: None if row.removed else bytes(row.content)
        for row in connection.execute(query)
        if row.removed or row.content is not None
    }


def files(connection: Connection, draft: Draft) -> dict[str, bytes]:
    """Every file as it would be deployed: the base with the draft over it."""
    return laid_over(read_files(connection, draft.base), changed(connection, draft.draft_id))


def base_of(connection: Connection, draft: Draft) -> dict[str, bytes]:
    """The deployment the draft lies over."""
    return read_files(connection, draft.base)


def newest(connection: Connection) -> int | None:
    """The newest deployment's number."""
    return latest_number(connection)


def laid_over(base: Mapping[str, bytes], over: Mapping[str, bytes | None]) -> dict[str, bytes]:
    """`base` with what `over` changes and without what it takes out."""
    whole = {**base, **over}
    return {path: content for path, content in sorted(whole.items()) if content is not None}


def save(
    connection: Connection,
    draft_id: str,
    given: Mapping[str, bytes | None],
    *,
    by: str,
    rev: int | None,
    now: datetime,
) -> int:
    """Write files into an open draft as one revision; None takes a file out. Return the draft's new `rev`.

    Content equal to the base's gives the change up. `rev` is the revision the writer last saw: when another has saved
    since, Conflict names who and when, and nothing is written; None overwrites knowingly. What is held by another is
    a Conflict too. Raises NotFound, Invalid.
    """
    draft = _locked(connection, draft_id)
    if rev is not None and rev != draft.rev:
        last = _last(connection, draft_id)
        raise Conflict(
            "draft_moved_on",
            text={
                "zh-CN": "草稿已由{who}于 {at} 保存过新内容；请重新载入，或另存为一份新草稿",
                "en": "{who} saved something newer at {at}; reload, or fork this draft",
            },
            who=last.by if last else draft.by,
            at=last.at if last else draft.saved_at,
        )
    _fit(given)
    for path in given:
        _free(connection, draft_id, path, by=by, now=now)
    base, before = read_files(connection, draft.base), changed(connection, draft_id)
    if len({*base, *before, *given}) > FILES:
        raise Invalid({"": {"zh-CN": "文件太多", "en": "There are too many files"}})
    number, at, wrote = draft.rev + 1, stamp(now), False
    for path, content in sorted(given.items()):
        same = base.get(path) == content
        if before.get(path, base.get(path)) == content and (path in before or same):
            continue
        row: dict[str, Any] = {"draft_id": draft_id, "path": path, "rev": number, "by": by, "at": at}
        row |= {"sha256": None, "removed": content is None and not same}
        if content is not None and not same:
            row["sha256"] = _keep(connection, content)
        connection.execute(sa.insert(draft_files).values(**row))
        wrote = True
    if not wrote:
        return draft.rev
    where = sa.and_(drafts.c.draft_id == draft_id, drafts.c.rev == draft.rev)
    connection.execute(sa.update(drafts).where(where).values(rev=number, saved_at=at))
    return number


def revisions(connection: Connection, draft_id: str, path: str | None = None, *, limit: int = 500) -> list[Revision]:
    """The saves of a draft or of one of its files, newest first."""
    wanted = [draft_files.c.draft_id == draft_id, *([draft_files.c.path == path] if path is not None else [])]
    query = sa.select(draft_files).where(*wanted).order_by(draft_files.c.rev.desc(), draft_files.c.path).limit(limit)
    names = Revision.__dataclass_fields__
    return [
        Revision(**{name: value for name, value in row._mapping.items() if name in names})
        for row in connection.execute(query)
    ]


def content_of(connection: Connection, sha256: str) -> bytes:
    """What a revision holds. Raises NotFound."""
    content: bytes | None = connection.scalar(sa.select(resources.c.content).where(resources.c.sha256 == sha256))
    if content is None:
        raise NotFound("content_not_found", text={"zh-CN": "没有这份内容", "en": "There is no such content"})
    return bytes(content)


def fork(connection: Connection, draft_id: str, *, title: str, by: str, now: datetime) -> Draft:
    """A draft of one's own with what this one holds now."""
    source = get(connection, draft_id)
    copy = make(connection, title=title, by=by, now=now, base=source.base)
    held = changed(connection, draft_id)
    rev = save(connection, copy.draft_id, held, by=by, rev=0, now=now) if held else 0
    return replace(copy, rev=rev)


def brought_up(connection: Connection, draft_id: str, *, by: str, now: datetime) -> tuple[Draft, list[str]]:
    """Lay the draft over the newest deployment. Files that both changed since the base stand in the answer, and then
    nothing happened: somebody has to decide which is meant."""
    draft, newest = _locked(connection, draft_id), latest_number(connection)
    if newest is None or newest == draft.base:
        return draft, []
    old, new, ours = read_files(connection, draft.base), read_files(connection, newest), changed(connection, draft_id)
    both = sorted(path for path in ours if old.get(path) != new.get(path) and new.get(path) != ours[path])
    if both:
        return draft, both
    values = {"base": newest, "rev": draft.rev + 1, "saved_at": stamp(now)}
    connection.execute(sa.update(drafts).where(drafts.c.draft_id == draft_id).values(**values))
    return get(connection, draft_id), []


def decide_for_ours(connection: Connection, draft_id: str, *, now: datetime) -> Draft:
    """Lay the draft over the newest deployment even where both changed a file: a person decided for the draft's."""
    draft, newest = _locked(connection, draft_id), latest_number(connection)
    values = {"base": newest, "rev": draft.rev + 1, "saved_at": stamp(now)}
    connection.execute(sa.update(drafts).where(drafts.c.draft_id == draft_id).values(**values))
    return get(connection, draft_id)


def settle(connection: Connection, draft_id: str, status: str, *, case: str | None = None) -> Draft:
    """Submit a draft to a change case, open it again, mark it deployed or drop it. Raises Conflict when it is not
    where that can follow from."""
    ways = {"submitted": ("open",), "open": ("submitted",), "deployed": ("submitted",), "dropped": ("open",)}
    draft = get(connection, draft_id)
    where = [drafts.c.draft_id == draft_id, drafts.c.status.in_(ways[status])]
    values = {"status": status, **({"case": case} if case is not None else {})}
    if connection.execute(sa.update(drafts).where(*where).values(**values)).rowcount != 1:
        raise _not_open(draft)
    return get(connection, draft_id)


def hold(connection: Connection, draft_id: str, path: str, *, by: str, now: datetime) -> Holder:
    """Take or renew the hold on a file; answer who holds it, which is another when it was not free."""
    _locked(connection, draft_id)
    where = [draft_holds.c.draft_id == draft_id, draft_holds.c.path == path]
    row = connection.execute(sa.select(draft_holds).where(*where)).first()
    if row is not None and row.username != by and moment(row.until) > now:
        return Holder(username=row.username, until=row.until)
    until = stamp(now + HOLD)
    if row is None:
        connection.execute(sa.insert(draft_holds).values(draft_id=draft_id, path=path, username=by, until=until))
    else:
        connection.execute(sa.update(draft_holds).where(*where).values(username=by, until=until))
    return Holder(username=by, until=until)


def let_go(connection: Connection, draft_id: str, path: str, *, by: str) -> None:
    """Give one's hold up; another's stays."""
    where = [draft_holds.c.draft_id == draft_id, draft_holds.c.path == path, draft_holds.c.username == by]
    connection.execute(sa.delete(draft_holds).where(*where))


def holders(connection: Connection, draft_id: str, *, now: datetime) -> dict[str, Holder]:
    """Who has which file open now."""
    query = sa.select(draft_holds).where(draft_holds.c.draft_id == draft_id, draft_holds.c.until > stamp(now))
    return {row.path: Holder(username=row.username, until=row.until) for row in connection.execute(query)}


def _locked(connection: Connection, draft_id: str) -> Draft:
    """The open draft, its row locked until the transaction ends."""
    query = sa.select(drafts).where(drafts.c.draft_id == draft_id).with_for_update()
    row = connection.execute(query).first()
    if row is None:
        return get(connection, draft_id)
    draft = Draft(**row._mapping)
    if draft.status != "open":
        raise _not_open(draft)
    return draft


def _not_open(draft: Draft) -> Conflict:
    states = {
        "open": {"zh-CN": "未提交", "en": "not submitted"},
        "submitted": {"zh-CN": "已提交审批", "en": "submitted"},
        "deployed": {"zh-CN": "已发布", "en": "deployed"},
        "dropped": {"zh-CN": "已放弃", "en": "dropped"},
    }
    state = states[draft.status]
    return Conflict(
        "draft_not_open",
        text={"zh-CN": f"草稿{state['zh-CN']}，不能这样做", "en": f"The draft is {state['en']}; this cannot be done"},
    )


def _free(connection: Connection, draft_id: str, path: str, *, by: str, now: datetime) -> None:
    held = holders(connection, draft_id, now=now).get(path)
    if held is not None and held.username != by:
        raise Conflict(
            "draft_held",
            text={
                "zh-CN": "「{path}」正由{who}编辑；请稍候，或另存为一份新草稿",
                "en": "{who} is editing “{path}”; wait, or fork this draft",
            },
            who=held.username,
            path=path,
        )


def _fit(given: Mapping[str, bytes | None]) -> None:
    problems = {}
    for path, content in given.items():
        if not _is_path(path):
            problems[path[:300]] = {"zh-CN": "文件名不可用", "en": "The file cannot have this name"}
        elif content is not None and len(content) > SIZE:
            problems[path] = {"zh-CN": "文件超过 2 MB", "en": "The file is larger than 2 MB"}
    if problems:
        raise Invalid(problems)


def _is_path(path: str) -> bool:
    parts = path.split("/")
    plain = all(part and not part.startswith(".") and all(c.isalnum() or c in "_-." for c in part) for part in parts)
    return plain and len(path) <= 300 and len(parts) <= 3


def _keep(connection: Connection, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    if connection.execute(sa.select(resources.c.sha256).where(resources.c.sha256 == digest)).first() is None:
        connection.execute(sa.insert(resources).values(sha256=digest, content=content))
    return digest


def _last(connection: Connection, draft_id: str) -> Revision | None:
    found = revisions(connection, draft_id, limit=1)
    return found[0] if found else None
