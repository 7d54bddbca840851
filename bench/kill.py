"""`kill -9` of a real server at random moments under load, and what must still be true afterwards.

`python -m bench.kill --times 200`. Clients file and complete approvals; each command carries an idempotency key, and a
client that got no answer sends the same command again after the restart, as a person's browser would. At the end the
database must hold every acknowledged step once, nothing twice, and only valid chains.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

import processes
from bench.bare import STEPS
from bench.company import ACTOR, company
from bench.server import Client, Refused, Server
from engine import Database, queries, verify

CLIENTS = 4


@dataclass
class Load:
    """What the clients did and were told."""

    port: int
    stop: threading.Event = field(default_factory=threading.Event)
    started: dict[str, str] = field(default_factory=dict)  # key → instance, acknowledged
    completed: list[tuple[str, str]] = field(default_factory=list)  # (instance, element), acknowledged
    repeated: int = 0
    refused: list[str] = field(default_factory=list)

    def work(self) -> None:
        """One client: case after case until told to stop; then the case in hand is finished."""
        client: Client | None = None
        while not self.stop.is_set():
            key = str(uuid4())
            client, answer = self._until_answered(
                client, "/processes/approval/instances", {"variables": {"subject": key}}, key
            )
            if answer is None:
                continue
            instance = str(answer["instance_id"])
            self.started[key] = instance
            for element, variables in STEPS:
                path = f"/tasks/{answer['tasks'][0]}/complete"
                client, answer = self._until_answered(client, path, {"variables": variables}, f"{key} {element}")
                if answer is None:
                    break
                self.completed.append((instance, element))
        if client is not None:
            client.close()

    def _until_answered(
        self, client: Client | None, path: str, body: dict[str, Any], key: str
    ) -> tuple[Client | None, Any]:
        """Send until there is an answer, always under the same key."""
        first = True
        while True:
            try:
                if client is None:
                    client = Client(self.port)
                    client.login(ACTOR)
                return client, client.post(path, body, key=key)
            except Refused as error:
                if error.status in (401, 503):
                    self._drop(client)
                    client = None
                    continue
                self.refused.append(f"{path} {error}")
                return client, None
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                self.repeated += first
                self._drop(client)
                first, client = False, None

    def _drop(self, client: Client | None) -> None:
        """Give up a connection, and do not storm a server that is starting."""
        if client is not None:
            client.close()
        time.sleep(0.02)


def run(folder: Path, times: int, seed: int | None = None) -> dict[str, Any]:
    """Kill the server `times` times under load; returns what was found. All but the first four figures must be 0."""
    dice = random.Random(seed)
    database = folder / "kill.db"
    with company(database):
        pass
    server = Server(database)
    server.start()
    load = Load(port=server.port)
    clients = [threading.Thread(target=load.work, daemon=True) for _ in range(CLIENTS)]
    for thread in clients:
        thread.start()
    try:
        for _ in range(times):
            time.sleep(dice.uniform(0.05, 0.6))  # the random moment: under load there is no event to wait for
            server.kill()
            server.start()
    finally:
        load.stop.set()
        for thread in clients:
            thread.join(timeout=60)
        server.stop()
    return {
        "kills": times,
        "kill_acknowledged": len(load.started) + len(load.completed),
        "kill_repeated": load.repeated,
        "kill_refused": len(load.refused),
        **judge(database, load),
    }


def judge(database: Path, load: Load) -> dict[str, int]:
    """Compare what was acknowledged with what the database holds.

    A case's title is the key it was filed under; `path` is from its history, where each element stands once in a case
    that went through once.
    """
    leads_to = {"submit": "approve", "approve": "end_agreed"}
    acknowledged = set(load.completed)
    db = Database.open(f"sqlite:///{database}")
    try:
        engine = processes.build_engine(db)
        lost = doubled = 0
        for key, instance in load.started.items():
            seen = queries.inspect(engine, instance)
            passed = Counter(seen.path)
            doubled += sum(count > 1 for count in passed.values())
            lost += seen.variables["subject"] != key
            lost += sum(not passed[after] for before, after in leads_to.items() if (instance, before) in acknowledged)
        with db.read() as connection:
            titles = Counter(connection.scalars(sa.text("SELECT title FROM instances")))
        doubled += sum(count - 1 for count in titles.values())
        lost += len(load.started.keys() - titles.keys())
        return {"kill_lost": lost, "kill_doubled": doubled, "kill_broken_chains": len(verify(db).broken)}
    finally:
        db.close()


def main() -> None:
    """Run from the command line; prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="guiju-kill-", ignore_cleanup_errors=True) as folder:
        print(json.dumps(run(Path(folder), given.times, given.seed), indent=2))


if __name__ == "__main__":
    main()
