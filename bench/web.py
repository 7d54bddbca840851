"""Through the browser's door: requests to a real server, by one client on one connection."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.bare import REQUEST, STEPS
from bench.company import ACTOR, company
from bench.server import Client, Refused, Server, serving
from engine import Database, Engine, queries, verify

VOTERS = 50
CLONE = """
INSERT INTO {table} ({names}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :many)
SELECT {values} FROM {table}, n WHERE {table}.instance_id = :instance
"""


def approvals(client: Client, instances: int) -> float:
    """Instances a second at five requests each: start, list, open, complete, complete."""
    began = time.perf_counter()
    for _ in range(instances):
        started = client.post("/processes/approval/instances", {"variables": REQUEST})
        client.get("/tasks?tab=mine")
        client.get(f"/tasks/{started['tasks'][0]}")
        answer = started
        for _element, variables in STEPS:
            answer = client.post(f"/tasks/{answer['tasks'][0]}/complete", {"variables": variables})
        assert answer["status"] == "completed"
    return instances / (time.perf_counter() - began)


def inbox(folder: Path, requests: int = 200) -> dict[str, float]:
    """p95 in ms of the page of what one's group may claim, with 1,000 and with 100,000 open tasks offered to it."""
    found: dict[str, float] = {}
    with company(folder / "inbox.db", diagrams=("offer.bpmn",)) as engine:
        first = engine.start("offer", {}, by=ACTOR)
    for name, many in (("1000", 1_000), ("100000", 100_000)):
        database = folder / f"inbox-{name}.db"
        shutil.copyfile(folder / "inbox.db", database)
        clone(database, first.instance_id, many - 1)
        with serving(database) as server, closing(Client(server.port).login(ACTOR)) as client:
            times = [timed(client, "/inbox?tab=claimable") for _ in range(requests + 10)][10:]
        found[f"inbox_{name}_p95_ms"] = round(statistics.quantiles(times, n=20)[18], 2)
        found[f"inbox_{name}_median_ms"] = round(statistics.median(times), 2)
    found["inbox_p95_ratio"] = round(found["inbox_100000_p95_ms"] / found["inbox_1000_p95_ms"], 2)
    return found


def clone(database: Path, instance_id: str, many: int) -> None:
    """Copy a case, its task and who may do it, that many times: same rows, other ids and moments."""
    db = Database.open(f"sqlite:///{database}")

    def work(connection: sa.Connection) -> None:
        for table in ("instances", "tasks", "task_access"):
            columns = [column["name"] for column in sa.inspect(connection).get_columns(table)]
            changed = {
                "instance_id": "printf('%08d-0000-4000-8000-000000000000', i)",
                "task_id": "printf('%08d-0000-4000-9000-000000000000', i)",
                "created_at": "strftime('%Y-%m-%dT%H:%M:%S', created_at, i || ' seconds') || '.000000Z'",
            }
            names = ", ".join(f'"{name}"' for name in columns)
            values = ", ".join(changed.get(name, f'"{name}"') for name in columns)
            text = CLONE.format(table=table, names=names, values=values)
            connection.execute(sa.text(text), {"many": many, "instance": instance_id})
        connection.execute(sa.text("ANALYZE"))

    try:
        db.write(work)
    finally:
        db.close()


def timed(client: Client, path: str) -> float:
    """Milliseconds for a page."""
    began = time.perf_counter()
    client.page(path)
    return (time.perf_counter() - began) * 1000


def rest(folder: Path) -> dict[str, float]:
    """Cold start to the first answer (median of five) and memory at rest, logged in once."""
    with company(folder / "rest.db"):
        pass
    starts = []
    for _ in range(5):
        server = Server(folder / "rest.db")
        starts.append(server.start())
        server.stop()
    with serving(folder / "rest.db") as server:
        with closing(Client(server.port).login(ACTOR)) as client:
            client.page("/inbox")
        memory = server.resident_bytes() / 2**20
    return {"cold_start_s": round(statistics.median(starts), 2), "memory_mb": round(memory, 1)}


def ballots(folder: Path) -> dict[str, Any]:
    """Fifty people vote at the same moment in one case."""
    errors: list[str] = []
    acknowledged: list[dict[str, Any]] = []
    with company(folder / "ballots.db", people=VOTERS + 1, diagrams=("vote50.bpmn",)) as engine:
        case = engine.start("vote50", {}, by=ACTOR)
        with serving(folder / "ballots.db") as server:
            clients = [Client(server.port).login(f"p{number}") for number in range(1, VOTERS + 1)]
            barrier = threading.Barrier(VOTERS)

            def vote(client: Client) -> None:
                (task,) = client.get("/tasks?tab=mine")["items"]
                barrier.wait()
                try:
                    body = {"variables": {"outcome": "approve"}}
                    acknowledged.append(client.post(f"/tasks/{task['task_id']}/complete", body))
                except (Refused, OSError) as error:
                    errors.append(str(error))
                finally:
                    client.close()

            threads = [threading.Thread(target=vote, args=(client,)) for client in clients]
            began = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds = time.perf_counter() - began
        advances = advanced(engine, case.instance_id)
        broken = len(verify(engine.db).broken)
    return {
        "ballots_sent": VOTERS,
        "ballots_acknowledged": len(acknowledged),
        "ballots_advances": advances,
        "ballots_errors": len(errors),
        "ballots_broken_chains": broken,
        "ballots_seconds": round(seconds, 2),
    }


def advanced(engine: Engine, instance_id: str) -> int:
    """How often the vote went on to the announcement, with every ballot in."""
    seen = queries.inspect(engine, instance_id)
    assert len(seen.variables["ballots"]) == VOTERS
    return sum(element == "announce" for element in seen.path)
