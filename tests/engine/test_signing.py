"""What the signer refuses to sign, where checkpoints go, and the whole database as one file that proves itself."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine import Engine, Signer, SigningKey, queries, verify
from engine.checkpoints import read
from engine.evidence import check_case
from engine.exporting import write_evidence
from engine.models import checkpoint_sinks, checkpoints, tree_head, tree_tiles
from engine.publishing import Address, Folder
from engine.tree import Tree, leaf_hash
from tests.engine.steps import drop_guards, review_of
from verifier.guiju_verify import check_file

KEY = SigningKey.make("guiju.example/log")


def signed(engine: Engine, signer: Signer, times: int = 3) -> None:
    for _ in range(times):
        review_of(engine)
        signer.run()


def fault(engine: Engine) -> str | None:
    with engine.db.read() as connection:
        found = connection.scalar(sa.select(tree_head.c.fault))
    return found and found["code"]


def change(engine: Engine, statement: Any) -> None:
    def work(connection: Any) -> None:
        drop_guards(connection)
        connection.execute(statement)

    engine.db.write(work)


def test_a_tree_that_rewrites_the_past_is_not_signed_and_both_offices_are_told(
    engine: Engine, tmp_path: Path, clock: Any
) -> None:
    memory = tmp_path / "signing.last"
    signed(engine, Signer(engine, KEY, memory=memory))
    with engine.db.read() as connection:
        tile = connection.execute(sa.select(tree_tiles).where(tree_tiles.c.level == 0).limit(1)).one()
    changed = bytes([tile.hashes[0] ^ 1]) + tile.hashes[1:]
    here = sa.and_(tree_tiles.c.level == 0, tree_tiles.c.number == tile.number)
    change(engine, sa.update(tree_tiles).where(here).values(hashes=changed))
    review_of(engine)
    clock.advance(seconds=3)
    restarted = Signer(engine, KEY, memory=memory)
    assert restarted.run() is None and restarted.run() is None
    assert fault(engine) == "tree_rewritten"
    told = [item["text"]["zh-CN"] for item in queries.told(engine, actor="root")]
    assert len([text for text in told if "存证签名已停止" in text]) == 1
    change(engine, sa.update(tree_tiles).where(here).values(hashes=tile.hashes))
    assert restarted.run() is not None and fault(engine) is None


def test_a_tree_shorter_than_what_was_signed_is_not_signed(engine: Engine, tmp_path: Path, clock: Any) -> None:
    memory, folder = tmp_path / "signing.last", tmp_path / "published"
    signed(engine, Signer(engine, KEY, memory=memory, sinks=[Folder(folder)]))
    with engine.db.read() as connection:
        sizes = list(connection.scalars(sa.select(checkpoints.c.size).order_by(checkpoints.c.size)))
    change(engine, sa.delete(checkpoints).where(checkpoints.c.size > sizes[0]))
    change(engine, sa.update(tree_head).values(size=sizes[0]))
    change(engine, sa.text("update tree_runs set place = null where place >= " + str(sizes[0])))
    change(engine, sa.delete(tree_tiles))

    def regrow(connection: Any) -> None:
        runs = connection.execute(sa.text("select * from tree_runs where place is not null order by place")).all()
        hashes = [
            leaf_hash(bytes(row[0]))
            for run in runs
            for row in connection.execute(
                sa.text("select hash from history where instance_id = :i and seq between :a and :b order by seq"),
                {"i": run.instance_id, "a": run.first, "b": run.last},
            )
        ]
        assert Tree(connection).append(0, hashes) == sizes[0]

    engine.db.write(regrow)
    clock.advance(seconds=3)
    for known in ({"memory": memory}, {"sinks": [Folder(folder)]}):
        assert Signer(engine, KEY, **known).run() is None  # type: ignore[arg-type]
        assert fault(engine) == "tree_cut"
    anew = SigningKey.make("guiju.example/log-2")
    assert Signer(engine, anew, memory=tmp_path / "anew.last", sinks=[Folder(folder)]).run() is not None
    report = verify(engine.db, keys=[KEY.public, anew.public])
    assert report.checkpoints == 2 and fault(engine) is None
    assert [one.code for one in verify(engine.db, keys=[KEY.public]).broken] == ["key"]


def test_a_checkpoint_gone_from_the_database_stops_signing(engine: Engine, tmp_path: Path) -> None:
    signer = Signer(engine, KEY, memory=tmp_path / "signing.last")
    signed(engine, signer)
    with engine.db.read() as connection:
        size = connection.scalar(sa.select(sa.func.max(checkpoints.c.size)))
    change(engine, sa.delete(checkpoints).where(checkpoints.c.size == size))
    review_of(engine)
    assert signer.run() is None and fault(engine) == "checkpoint_gone"


class Post(BaseHTTPRequestHandler):
    """Takes what is posted, or refuses it."""

    taken: list[tuple[str, str]]
    status: list[int]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        status = self.status[0]
        if status == 200:
            self.taken.append((self.headers["Idempotency-Key"], body))
        self.send_response(status)
        self.send_header("Location", "http://elsewhere.example/")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quietly."""


@pytest.fixture
def post() -> Iterator[tuple[str, type[Post]]]:
    handler = type("Handler", (Post,), {"taken": [], "status": [200]})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/log", handler
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_checkpoint_is_posted_in_order_and_again_after_a_failure(engine: Engine, clock: Any, post: Any) -> None:
    url, handler = post
    signer = Signer(engine, KEY, sinks=[Address(url, frozenset({"127.0.0.1"}))])
    handler.status[0] = 307
    signed(engine, signer, 2)
    with engine.db.read() as connection:
        row = connection.execute(sa.select(checkpoint_sinks)).one()
    assert (row.size, row.attempts) == (0, 1) and "307" in row.error["zh-CN"]
    handler.status[0] = 200
    signer.run()
    assert handler.taken == []  # it waits before it tries again
    clock.advance(seconds=11)
    signer.run()
    with engine.db.read() as connection:
        notes = list(connection.scalars(sa.select(checkpoints.c.note).order_by(checkpoints.c.size)))
        row = connection.execute(sa.select(checkpoint_sinks)).one()
    assert handler.taken == [(str(read(note).size), note) for note in notes]
    assert (row.size, row.attempts, row.error) == (read(notes[-1]).size, 0, None)


def test_a_host_that_is_not_listed_is_never_called(engine: Engine, post: Any) -> None:
    url, handler = post
    signed(engine, Signer(engine, KEY, sinks=[Address(url, frozenset({"log.example"}))]), 1)
    with engine.db.read() as connection:
        row = connection.execute(sa.select(checkpoint_sinks)).one()
    assert handler.taken == [] and "GUIJU_OUTGOING_HOSTS" in row.error["en"]


def test_a_published_checkpoint_is_never_written_over(engine: Engine, tmp_path: Path, clock: Any) -> None:
    folder = tmp_path / "published"
    signer = Signer(engine, KEY, sinks=[Folder(folder)])
    signed(engine, signer, 1)
    [first] = folder.glob("*/*.checkpoint")
    first.write_text("another\n", encoding="utf-8")
    with pytest.raises(Exception, match="sink_refused"):
        Folder(folder).put(read((folder / "checkpoint").read_text(encoding="utf-8")), KEY.public)
    assert first.read_text(encoding="utf-8") == "another\n"


@pytest.fixture
def exported(engine: Engine, tmp_path: Path) -> Path:
    """The evidence of a database with some events not signed for yet."""
    signed(engine, Signer(engine, KEY), 4)
    review_of(engine)
    path = tmp_path / "evidence.jsonl"
    with path.open("wb") as out:
        write_evidence(engine, KEY, out)
    return path


def test_a_whole_database_proves_itself_as_one_file(exported: Path, tmp_path: Path) -> None:
    verifier = Path(__file__).resolve().parents[2] / "verifier" / "guiju_verify.py"
    command = [sys.executable, "-I", str(verifier), str(exported), "--key", KEY.public, "--lang", "en"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 checkpoints" in done.stdout and "everything holds" in done.stdout


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("damage", ["edit", "drop", "swap", "cut", "checkpoint", "end", "whole"])
def test_a_damaged_export_is_found_out(exported: Path, damage: str) -> None:
    from verifier.guiju_verify import Key

    rows = lines(exported)
    events = [number for number, row in enumerate(rows) if "place" in row]
    ends = [number for number, row in enumerate(rows) if "state" in row]
    marks = [number for number, row in enumerate(rows) if "checkpoint" in row]
    wanted = {"edit": "link", "drop": "missing", "swap": "missing", "cut": "cut", "checkpoint": "after", "end": "head"}
    if damage == "edit":
        rows[events[4]]["body"] = rows[events[4]]["body"].replace('"at":"2026', '"at":"2027')
    elif damage == "drop":
        del rows[events[4]]
    elif damage == "swap":
        rows[events[4]], rows[events[5]] = rows[events[5]], rows[events[4]]
    elif damage == "cut":
        del rows[events[-3] :]
    elif damage == "checkpoint":
        del rows[marks[1]]
    elif damage == "end":
        rows[ends[0]]["seq"] += 1
    else:
        rows[0]["made_at"] = "2020"
    exported.write_bytes(b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    found = check_file(exported, [Key(KEY.public)])
    assert found.faults and found.faults[0].code == wanted.get(damage, "altered")


def test_one_case_can_be_checked_alone(engine: Engine) -> None:
    instance, _ = review_of(engine)
    with engine.db.read() as connection:
        assert check_case(connection, instance) is None
    change(engine, sa.text(f"delete from history where instance_id = '{instance}' and seq = 2"))
    with engine.db.read() as connection:
        found = check_case(connection, instance)
    assert found is not None and (found.seq, found.code) == (2, "missing")
