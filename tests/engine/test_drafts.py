"""Drafts: what designers work on is never lost, never overwritten unseen, and harms nothing that runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import Engine, drafts
from engine.deployment import read_files
from engine.errors import Conflict, Invalid, NotFound

NOW = datetime(2026, 11, 9, 1, tzinfo=UTC)
VOTE, RULE = "approval.bpmn", "approval/forms/decision.json"


@pytest.fixture
def draft(engine: Engine) -> drafts.Draft:
    return engine.db.write(lambda c: drafts.make(c, title="表决期限", by="lutuyang", now=NOW))


def write(engine: Engine, work: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return engine.db.write(lambda connection: work(connection, *given, **named))


def save(engine: Engine, draft: drafts.Draft, content: dict[str, bytes | None], **named: Any) -> int:
    given: dict[str, Any] = {"by": "lutuyang", "rev": None, "now": NOW, **named}
    return int(write(engine, drafts.save, draft.draft_id, content, **given))


def whole(engine: Engine, draft: drafts.Draft) -> dict[str, bytes]:
    with engine.db.read() as connection:
        return drafts.files(connection, drafts.get(connection, draft.draft_id))


def test_a_new_draft_is_the_newest_deployment_as_it_stands(engine: Engine, draft: drafts.Draft) -> None:
    with engine.db.read() as connection:
        assert whole(engine, draft) == read_files(connection, draft.base)
        assert drafts.changed(connection, draft.draft_id) == {}
        assert [each.draft_id for each in drafts.listed(connection)] == [draft.draft_id]


def test_what_is_saved_lies_over_the_base_and_a_file_can_be_added_and_taken_out(
    engine: Engine, draft: drafts.Draft
) -> None:
    assert save(engine, draft, {VOTE: b"new", "more.dmn": b"more", RULE: None}) == 1
    files = whole(engine, draft)
    assert files[VOTE] == b"new" and files["more.dmn"] == b"more" and RULE not in files


def test_saving_what_the_base_says_gives_the_change_up(engine: Engine, draft: drafts.Draft) -> None:
    original = whole(engine, draft)[VOTE]
    save(engine, draft, {VOTE: b"new"})
    assert save(engine, draft, {VOTE: original}) == 2
    with engine.db.read() as connection:
        assert drafts.changed(connection, draft.draft_id) == {}
    assert save(engine, draft, {VOTE: original}) == 2, "what is there already makes no revision"


def test_every_save_is_kept_and_can_be_read_again(engine: Engine, draft: drafts.Draft) -> None:
    for content in (b"one", b"two", b"three"):
        save(engine, draft, {VOTE: content})
    with engine.db.read() as connection:
        kept = drafts.revisions(connection, draft.draft_id, VOTE)
        texts = [drafts.content_of(connection, each.sha256) for each in kept if each.sha256]
    assert [each.rev for each in kept] == [3, 2, 1] and texts == [b"three", b"two", b"one"]


def test_who_saves_over_something_newer_is_told_whose_it_is_and_nothing_is_written(
    engine: Engine, draft: drafts.Draft
) -> None:
    save(engine, draft, {VOTE: b"mine"}, rev=0)
    with pytest.raises(Conflict) as raised:
        save(engine, draft, {RULE: b"theirs"}, by="sushujia", rev=0)
    assert raised.value.code == "draft_moved_on" and raised.value.args_["who"] == "lutuyang"
    assert whole(engine, draft)[RULE] != b"theirs"


def test_a_file_that_is_open_is_held_and_the_second_waits_or_forks(engine: Engine, draft: drafts.Draft) -> None:
    held = write(engine, drafts.hold, draft.draft_id, VOTE, by="lutuyang", now=NOW)
    second = write(engine, drafts.hold, draft.draft_id, VOTE, by="sushujia", now=NOW + timedelta(seconds=30))
    assert held.username == second.username == "lutuyang"
    with pytest.raises(Conflict) as raised:
        save(engine, draft, {VOTE: b"theirs"}, by="sushujia", now=NOW + timedelta(seconds=30))
    assert raised.value.code == "draft_held"
    save(engine, draft, {VOTE: b"mine"})
    fork = write(engine, drafts.fork, draft.draft_id, title="另一份", by="sushujia", now=NOW)
    save(engine, fork, {VOTE: b"theirs"}, by="sushujia")
    assert whole(engine, draft)[VOTE] == b"mine" and whole(engine, fork)[VOTE] == b"theirs"


def test_a_hold_ends_by_itself_or_when_it_is_given_up(engine: Engine, draft: drafts.Draft) -> None:
    write(engine, drafts.hold, draft.draft_id, VOTE, by="lutuyang", now=NOW)
    write(engine, drafts.let_go, draft.draft_id, VOTE, by="sushujia")
    with engine.db.read() as connection:
        assert drafts.holders(connection, draft.draft_id, now=NOW)[VOTE].username == "lutuyang"
        assert drafts.holders(connection, draft.draft_id, now=NOW + drafts.HOLD) == {}
    later = NOW + drafts.HOLD
    assert write(engine, drafts.hold, draft.draft_id, VOTE, by="sushujia", now=later).username == "sushujia"
    write(engine, drafts.let_go, draft.draft_id, VOTE, by="sushujia")
    assert write(engine, drafts.hold, draft.draft_id, VOTE, by="lutuyang", now=later).username == "lutuyang"


def test_a_draft_is_brought_up_to_a_newer_deployment_unless_both_changed_the_same_file(engine: Engine) -> None:
    ours, theirs = (write(engine, drafts.make, title=name, by="lutuyang", now=NOW) for name in ("甲", "乙"))
    vote = whole(engine, ours)[VOTE]
    save(engine, ours, {VOTE: vote + b"<!-- a -->"})
    save(engine, theirs, {"more/forms/note.json": b"{}"})
    engine.deploy({VOTE: vote + b"<!-- b -->"}, by="lutuyang")
    moved, both = write(engine, drafts.brought_up, theirs.draft_id, by="lutuyang", now=NOW)
    assert moved.base == theirs.base + 1 and both == []
    assert whole(engine, theirs)[VOTE].endswith(b"<!-- b -->")
    stayed, both = write(engine, drafts.brought_up, ours.draft_id, by="lutuyang", now=NOW)
    assert stayed.base == ours.base and both == [VOTE]
    decided = write(engine, drafts.decide_for_ours, ours.draft_id, now=NOW)
    assert decided.base == ours.base + 1 and whole(engine, ours)[VOTE].endswith(b"<!-- a -->")


def test_a_submitted_draft_is_written_by_nobody_until_it_is_open_again(engine: Engine, draft: drafts.Draft) -> None:
    write(engine, drafts.settle, draft.draft_id, "submitted", case="c1")
    with pytest.raises(Conflict) as raised:
        save(engine, draft, {VOTE: b"x"})
    assert raised.value.code == "draft_not_open" and "已提交" in raised.value.message["zh-CN"]
    with pytest.raises(Conflict):
        write(engine, drafts.settle, draft.draft_id, "submitted", case="c2")
    write(engine, drafts.settle, draft.draft_id, "open")
    assert save(engine, draft, {VOTE: b"x"}) == 1


@pytest.mark.parametrize(
    "path", ["../a.bpmn", "/a.bpmn", "a/../b", ".hidden", "a b.bpmn", "a\0.bpmn", "", "a/b/c/d.json"]
)
def test_a_file_with_such_a_name_is_refused(engine: Engine, draft: drafts.Draft, path: str) -> None:
    with pytest.raises(Invalid):
        save(engine, draft, {path: b"x"})


def test_a_file_that_is_too_large_is_refused_by_its_name_and_the_draft_stays(
    engine: Engine, draft: drafts.Draft
) -> None:
    save(engine, draft, {VOTE: b"mine"})
    with pytest.raises(Invalid) as raised:
        save(engine, draft, {RULE: b"x" * (drafts.SIZE + 1), VOTE: b"also"})
    assert list(raised.value.fields) == [RULE] and whole(engine, draft)[VOTE] == b"mine"


def test_what_does_not_exist_is_said_so(engine: Engine) -> None:
    with pytest.raises(NotFound):
        write(engine, drafts.make, title="x", by="lutuyang", now=NOW, base=99)
    with pytest.raises(NotFound):
        write(engine, drafts.save, "none", {VOTE: b"x"}, by="lutuyang", rev=None, now=NOW)
    with pytest.raises(Invalid):
        write(engine, drafts.make, title="  ", by="lutuyang", now=NOW)


def test_a_draft_changes_nothing_that_runs(engine: Engine, draft: drafts.Draft) -> None:
    before = whole(engine, draft)[VOTE]
    save(engine, draft, {VOTE: b"broken", RULE: None})
    with engine.db.read() as connection:
        assert read_files(connection, draft.base)[VOTE] == before
