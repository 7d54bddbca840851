"""Ten thousand ways of changing the past, directly in the database, and a verifier that finds every one of them."""

from __future__ import annotations

import contextlib
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Database, Signer, SigningKey, verify
from engine.models import checkpoints, history, instances, tree_head, tree_runs, tree_tiles
from engine.publishing import Folder
from engine.tree import Tree
from tests.engine.conftest import FILES as PROCEDURE
from tests.engine.conftest import HandClock, Mail, build, fill
from tests.engine.steps import drop_guards, review_of
from tests.engine.tampering import DAMAGE, Chain, flip, touch_nothing

KEY = SigningKey.make("guiju.example/log")
CASES = 24
AT_ONCE = 12  # cases damaged before one verification: each must be named, and no other
ROUNDS = {"sqlite": 780, "postgresql": 8}  # × AT_ONCE + what is done to the tree itself: 10,000 on SQLite
SINGLES = {"sqlite": 132, "postgresql": 8}


class Snapshot:
    """A database as its verifier sees it from inside a transaction that is never committed."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[sa.Connection]:
        yield self._connection


@pytest.fixture
def signed(db: Database, tmp_path: Path) -> Iterator[sa.Connection]:
    """A database with two dozen cases under a good many checkpoints, its guards down; what is done to it is undone."""
    engine = build(db, HandClock(), Mail())
    fill(engine)
    engine.deploy(PROCEDURE, by="root")
    signer = Signer(engine, KEY, sinks=[Folder(tmp_path / "published")])
    for number in range(CASES):
        review_of(engine)
        if number % 4 == 3:
            signer.run()
    db.write(drop_guards)
    with db.bind.connect() as connection:
        yield connection
        connection.rollback()


def broken(connection: sa.Connection, published: Path | None = None) -> list[Any]:
    return list(verify(Snapshot(connection), keys=[KEY.public], published=published).broken)  # type: ignore[arg-type]


@contextlib.contextmanager
def undone(connection: sa.Connection) -> Iterator[None]:
    connection.exec_driver_sql("SAVEPOINT before")
    yield
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT before")


def names(connection: sa.Connection) -> list[str]:
    return sorted(connection.scalars(sa.select(instances.c.instance_id)))


def test_every_random_change_to_events_is_found_and_nobody_else_is_accused(signed: sa.Connection) -> None:
    dice, cases, done = random.Random(9162), names(signed), dict.fromkeys((one.__name__ for one in DAMAGE), 0)
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    for _ in range(ROUNDS[signed.dialect.name]):
        hit = dice.sample(cases, AT_ONCE)
        with undone(signed):
            for name in hit:
                damage = dice.choice(DAMAGE)
                damage(Chain(signed, name, dice))
                done[damage.__name__] += 1
            assert {one.instance_id for one in broken(signed)} == set(hit)
    assert min(done.values()) > 0
    assert broken(signed) == []


def test_what_changes_nothing_is_reported_clean(signed: sa.Connection) -> None:
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    for name in names(signed):
        touch_nothing(Chain(signed, name, random.Random(1)))
    assert broken(signed) == []


def _tile(connection: sa.Connection, dice: random.Random) -> None:
    row = dice.choice(connection.execute(sa.select(tree_tiles)).all())
    here = sa.and_(tree_tiles.c.level == row.level, tree_tiles.c.number == row.number)
    change = dice.choice(("edit", "delete", "cut", "add"))
    if change == "edit":
        connection.execute(sa.update(tree_tiles).where(here).values(hashes=flip(bytes(row.hashes), dice)))
    elif change == "delete":
        connection.execute(sa.delete(tree_tiles).where(here))
    elif change == "cut":
        connection.execute(sa.update(tree_tiles).where(here).values(hashes=bytes(row.hashes)[:-32]))
    else:
        extra = {"level": row.level, "number": 10_000 + row.number, "hashes": row.hashes}
        connection.execute(sa.insert(tree_tiles).values(**extra))


def _note(connection: sa.Connection, dice: random.Random) -> None:
    row = dice.choice(connection.execute(sa.select(checkpoints)).all())
    if dice.random() < 0.3:
        connection.execute(sa.delete(checkpoints).where(checkpoints.c.size == row.size))
        return
    at = dice.randrange(len(row.note))
    changed = row.note[:at] + dice.choice([one for one in "aZ9+/=\n —" if one != row.note[at]]) + row.note[at + 1 :]
    connection.execute(sa.update(checkpoints).where(checkpoints.c.size == row.size).values(note=changed))


def _run(connection: sa.Connection, dice: random.Random) -> None:
    row = dice.choice(connection.execute(sa.select(tree_runs).where(tree_runs.c.place.is_not(None))).all())
    here = sa.and_(tree_runs.c.instance_id == row.instance_id, tree_runs.c.first == row.first)
    change = dice.choice(("unplaced", "elsewhere", "longer", "shorter", "gone", "other"))
    if change == "unplaced":
        connection.execute(sa.update(tree_runs).where(here).values(place=None))
    elif change == "elsewhere":
        connection.execute(sa.update(tree_runs).where(here).values(place=row.place + 1_000_000 * dice.choice((1, -1))))
    elif change in ("longer", "shorter"):
        step = 1 if change == "longer" else -1
        connection.execute(sa.update(tree_runs).where(here).values(last=row.last + step))
    elif change == "gone":
        connection.execute(sa.delete(tree_runs).where(here))
    else:
        connection.execute(sa.update(tree_runs).where(here).values(instance_id="nobody"))


def _case(connection: sa.Connection, dice: random.Random) -> None:
    row = dice.choice(connection.execute(sa.select(instances)).all())
    column = dice.choice(("seq", "head", "state"))
    value = row.seq + dice.choice((1, -1)) if column == "seq" else flip(bytes(getattr(row, column)), dice)
    here = sa.update(instances).where(instances.c.instance_id == row.instance_id)
    connection.execute(here.values(**{column: value}))


def _head(connection: sa.Connection, dice: random.Random) -> None:
    size = connection.scalar(sa.select(tree_head.c.size)) or 0
    connection.execute(sa.update(tree_head).values(size=dice.choice((0, size - 1, size + 1, size * 1_000_000))))


def _swap(connection: sa.Connection, dice: random.Random) -> None:
    """Two runs of the same length change places."""
    runs = connection.execute(sa.select(tree_runs).where(tree_runs.c.place.is_not(None))).all()
    lengths: dict[int, list[Any]] = {}
    for run in runs:
        lengths.setdefault(run.last - run.first, []).append(run)
    one, other = dice.sample(dice.choice([group for group in lengths.values() if len(group) > 1]), 2)
    for run, place in ((one, None), (other, one.place), (one, other.place)):
        here = sa.and_(tree_runs.c.instance_id == run.instance_id, tree_runs.c.first == run.first)
        connection.execute(sa.update(tree_runs).where(here).values(place=place))


@pytest.mark.parametrize("damage", [_tile, _note, _run, _case, _head, _swap])
def test_every_random_change_to_tree_checkpoints_and_cases_is_found(signed: sa.Connection, damage: Any) -> None:
    dice = random.Random(damage.__name__)
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    for number in range(SINGLES[signed.dialect.name] if damage is not _head else 4):
        with undone(signed):
            damage(signed, dice)
            assert broken(signed) != [], number
    assert broken(signed) == []


def rebuild(connection: sa.Connection) -> int:
    """Make runs and tiles agree with the history as it stands, as a patient forger would; return the new size."""
    placed = connection.execute(
        sa.select(tree_runs).where(tree_runs.c.place.is_not(None)).order_by(tree_runs.c.place)
    ).all()
    connection.execute(sa.delete(tree_tiles))
    connection.execute(sa.update(tree_runs).values(place=None))
    leaves: list[bytes] = []
    from engine.tree import leaf_hash

    for run in placed:
        between = sa.and_(history.c.instance_id == run.instance_id, history.c.seq.between(run.first, run.last))
        hashes = [bytes(row.hash) for row in connection.execute(sa.select(history.c.hash).where(between))]
        here = sa.and_(tree_runs.c.instance_id == run.instance_id, tree_runs.c.first == run.first)
        if len(hashes) == run.last - run.first + 1:
            connection.execute(sa.update(tree_runs).where(here).values(place=len(leaves)))
            leaves += map(leaf_hash, hashes)
        else:
            connection.execute(sa.delete(tree_runs).where(here))
    return Tree(connection).append(0, leaves)


def test_a_forger_who_mends_chain_tree_and_size_still_fails_at_the_checkpoint(signed: sa.Connection) -> None:
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    chain = Chain(signed, names(signed)[5], random.Random(5))
    chain.rows[3][2] = chain.rows[3][2].replace(b'"at":"2026', b'"at":"2027', 1)
    chain.write(mend=True)
    rebuild(signed)
    [found] = broken(signed)
    assert (found.instance_id, found.code) == ("checkpoints", "root")
    assert "contradicts the events" in found.message["en"]


def test_a_forger_who_signs_with_a_key_of_their_own_is_named(signed: sa.Connection) -> None:
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    row = signed.execute(sa.select(checkpoints).order_by(checkpoints.c.size.desc()).limit(1)).one()
    mine = SigningKey.make(KEY.name)
    note = mine.sign(row.note[: row.note.index("\n\n") + 1])
    signed.execute(sa.update(checkpoints).where(checkpoints.c.size == row.size).values(note=note))
    [found] = broken(signed)
    assert found.code == "key" and mine.id.hex() in found.message["en"] and KEY.id.hex() in found.message["zh-CN"]


def test_a_missing_checkpoint_is_named_by_the_one_behind_it(signed: sa.Connection) -> None:
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    sizes = list(signed.scalars(sa.select(checkpoints.c.size).order_by(checkpoints.c.size)))
    signed.execute(sa.delete(checkpoints).where(checkpoints.c.size == sizes[2]))
    [found] = broken(signed)
    assert found.code == "after" and f"checkpoint {sizes[2]} is missing" in found.message["en"]


def test_cutting_everything_back_to_an_older_day_shows_only_where_it_was_published(
    signed: sa.Connection, tmp_path: Path
) -> None:
    signed.exec_driver_sql("BEGIN") if signed.dialect.name == "sqlite" else None
    marks = list(signed.scalars(sa.select(checkpoints.c.size).order_by(checkpoints.c.size)))
    later = signed.execute(sa.select(tree_runs).where(tree_runs.c.place >= marks[2])).all()
    gone = sorted({run.instance_id for run in later if run.first == 1})
    for table in (history, tree_runs, instances):
        signed.execute(sa.delete(table).where(table.c.instance_id.in_(gone)))
    signed.execute(sa.delete(checkpoints).where(checkpoints.c.size > marks[2]))
    size = rebuild(signed)
    signed.execute(sa.update(tree_head).values(size=size))
    assert size == marks[2] and broken(signed) == []
    [found] = broken(signed, tmp_path / "published")
    assert found.code == "cut_off" and str(marks[2]) in found.message["zh-CN"]


def test_a_checkpoint_missing_among_the_published_ones_is_named(signed: sa.Connection, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    assert broken(signed, folder) == []
    shutil.copytree(folder, tmp_path / "damaged")
    sorted((tmp_path / "damaged").glob("*/*.checkpoint"))[3].unlink()
    assert [one.code for one in broken(signed, tmp_path / "damaged")] == ["after"]
