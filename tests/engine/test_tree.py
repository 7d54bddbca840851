"""The tree over all events, against the definitions of RFC 9162 and against two nodes at once."""

from __future__ import annotations

import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine
from engine.checkpoints import Checkpoint, SigningKey, latest, read
from engine.errors import NotFound
from engine.signer import Signer
from engine.tree import Tree, consistent, inclusion, leaf_hash
from tests.engine.steps import review_of, start


def mth(leaves: list[bytes]) -> bytes:
    """RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\1" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path_of(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 9162 §2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m < k:
        return [*path_of(m, leaves[:k]), mth(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], whole: bool) -> list[bytes]:
    """RFC 9162 §2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    if m <= k:
        return [*subproof(m, leaves[:k], whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def test_roots_and_proofs_are_those_of_the_definition(engine: Engine) -> None:
    entries = [bytes([number % 251]) * 32 for number in range(150)]

    def work(connection: Any) -> None:
        tree, size = Tree(connection), 0
        for step in (1, 2, 29, 1, 63, 54):
            size = Tree(connection).append(size, [leaf_hash(entry) for entry in entries[size : size + step]])
        assert size == 150
        for count in (1, 2, 3, 31, 32, 33, 64, 95, 96, 149, 150):
            assert tree.root(count) == mth(entries[:count])
            for place in range(0, count, 7):
                assert list(tree.inclusion(place, count)) == path_of(place, entries[:count])
            for old in range(1, count + 1, 5):
                proof = tree.consistency(old, count)
                assert list(proof) == subproof(old, entries[:count], True)
                assert consistent(old, count, mth(entries[:old]), mth(entries[:count]), proof)
                assert not consistent(old, count, mth(entries[1 : old + 1]), mth(entries[:count]), proof)

    engine.db.write(work)


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.make("guiju.example/log")


def notes(engine: Engine) -> list[Checkpoint]:
    with engine.db.read() as connection:
        return [read(row[0]) for row in connection.exec_driver_sql("select note from checkpoints order by size")]


def all_hashes(engine: Engine) -> list[bytes]:
    with engine.db.read() as connection:
        rows = connection.exec_driver_sql(
            "select h.hash from tree_runs r join history h on h.instance_id = r.instance_id "
            "and h.seq between r.first and r.last where r.place is not null order by r.place, h.seq"
        )
        return [bytes(row[0]) for row in rows]


def test_every_event_is_signed_for_and_each_checkpoint_names_the_one_before(engine: Engine, key: SigningKey) -> None:
    signer = Signer(engine, key)
    for _ in range(3):
        review_of(engine)
        assert signer.run() is not None
    assert signer.run() is None
    made = notes(engine)
    assert [checkpoint.after for checkpoint in made] == [0, *(checkpoint.size for checkpoint in made[:-1])]
    hashes = all_hashes(engine)
    with engine.db.read() as connection:
        assert connection.exec_driver_sql("select count(*) from history").scalar() == made[-1].size == len(hashes)
        newest = latest(connection)
    assert newest == made[-1] and newest.origin == "guiju.example/log" and newest.at == engine.now()
    for checkpoint in made:
        assert checkpoint.root == mth(hashes[: checkpoint.size]) and key.signed(checkpoint.note)


def test_an_event_is_proved_to_stand_in_the_signed_tree(engine: Engine, key: SigningKey) -> None:
    cases = [review_of(engine)[0] for _ in range(5)]
    newest = Signer(engine, key).run()
    assert newest is not None
    hashes = all_hashes(engine)
    with engine.db.read() as connection:
        for case in cases:
            last = connection.exec_driver_sql(f"select seq from instances where instance_id = '{case}'").scalar()
            for proof in inclusion(connection, case, 1, last, newest.size):
                assert list(proof.path) == path_of(proof.place, hashes)
    start(engine)
    late, _ = review_of(engine)
    with engine.db.read() as connection, pytest.raises(NotFound) as caught:
        inclusion(connection, late, 1, 1, newest.size)
    assert caught.value.code == "event_not_signed"


def test_two_nodes_signing_at_once_never_contradict_each_other(engine: Engine, key: SigningKey) -> None:
    signers = [Signer(engine, key, node=name) for name in ("north", "south")]
    done, errors = threading.Event(), list[BaseException]()

    def sign(signer: Signer) -> None:
        try:
            while not done.is_set():
                with engine.db.bind.begin() as connection:  # leases keep nobody out: only the size does
                    connection.execute(sa.text("update tree_head set lease = null"))
                signer.run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=sign, args=(signer,)) for signer in signers]
    for thread in threads:
        thread.start()
    for _ in range(25):
        review_of(engine)
    while len(notes(engine)) < 2 and not errors:  # on a busy machine the signers may not have had their turn yet
        review_of(engine)
    done.set()
    for thread in threads:
        thread.join()
    with engine.db.bind.begin() as connection:
        connection.execute(sa.text("update tree_head set lease = null"))
    signers[0].run()
    assert errors == []
    hashes, made = all_hashes(engine), notes(engine)
    assert len(made) > 1 and made[-1].size == len(hashes)
    assert [checkpoint.after for checkpoint in made] == [0, *(checkpoint.size for checkpoint in made[:-1])]
    assert all(checkpoint.root == mth(hashes[: checkpoint.size]) for checkpoint in made)


def test_another_node_takes_over_when_the_lease_runs_out(engine: Engine, key: SigningKey, clock: Any) -> None:
    first, second = Signer(engine, key, node="north"), Signer(engine, key, node="south")
    assert first.run() is not None
    review_of(engine)
    assert second.run() is None
    clock.advance(seconds=3)
    assert second.run() is not None
    review_of(engine)
    assert first.run() is None


def test_a_key_survives_its_file_and_a_broken_file_is_named(tmp_path: Path, key: SigningKey) -> None:
    path = tmp_path / "keys" / "signing"
    key.save(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert SigningKey.load(path).public == key.public
    note = key.sign("guiju.example/log\n0\n")
    assert SigningKey.load(path).signed(note)
    assert not SigningKey.load(path).signed(note.replace("\n0\n", "\n1\n"))
    path.write_text(
        path.read_text(encoding="utf-8").replace("PRIVATE+KEY+guiju", "PRIVATE+KEY+other"), encoding="utf-8"
    )
    with pytest.raises(Exception, match="signing_key_unusable") as caught:
        SigningKey.load(path)
    assert str(path) in str(caught.value)
