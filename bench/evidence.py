"""What evidence costs and gives: its share of a step, leaves signed, events verified, proofs read.

The history to verify is one played case copied many times under other ids, each chained anew: bodies of real size.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from bench.bare import REQUEST, STEPS
from bench.company import ACTOR, company
from bench.durable import play
from engine import Engine, Signer, SigningKey, history, verify
from engine.checkpoints import latest
from engine.models import history as events
from engine.models import instances, tree_runs
from engine.tree import inclusion

EVENTS = 200_000
KEY = SigningKey.make("bench.guiju.example")


def evidence(folder: Path) -> dict[str, Any]:
    """The figures of history, chain and tree."""
    with company(folder / "step.db") as engine:
        found = step_share(engine)
    with company(folder / "evidence.db") as engine:
        count = fill(engine)
        signer = Signer(engine, KEY)
        began, busy = time.perf_counter(), time.process_time()
        signer.run()
        found["signed_leaves_per_s"] = round(count / (time.perf_counter() - began))
        found["signed_leaves_per_cpu_s"] = round(count / (time.process_time() - busy))
        rates, cpu_rates = [], []
        for _ in range(3):
            began, busy = time.perf_counter(), time.process_time()
            report = verify(engine.db, keys=[KEY.public])
            rates.append(report.events / (time.perf_counter() - began))
            cpu_rates.append(report.events / (time.process_time() - busy))
        assert report.broken == ()
        found |= {"verified_events": report.events, "verified_checkpoints": report.checkpoints}
        found["verify_events_per_s"] = round(statistics.median(rates))
        found["verify_events_per_cpu_s"] = round(statistics.median(cpu_rates))
        found["proof_us"] = round(proofs(engine))
    return found


def step_share(engine: Engine) -> dict[str, Any]:
    """Which part of a command's time goes into events, their chain and their place in the tree."""
    signer, spent, real = Signer(engine, KEY), [0.0], history.append
    play(engine, 10)
    signer.run()

    def timed(*arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        answer = real(*arguments, **named)
        spent[0] += time.perf_counter() - began
        return answer

    history.append = timed
    steps = signing = 0.0
    try:
        for _ in range(30):
            began = time.perf_counter()
            play(engine, 10)
            steps += time.perf_counter() - began
            began = time.perf_counter()
            signer.run()
            signing += time.perf_counter() - began
    finally:
        history.append = real
    commands = 30 * 10 * (1 + len(STEPS))
    return {
        "step_us": round(1e6 * (steps + signing) / commands),
        "step_history_us": round(1e6 * spent[0] / commands),
        "step_signing_us": round(1e6 * signing / commands),
        "evidence_share_of_step": round((spent[0] + signing) / (steps + signing), 3),
    }


def fill(engine: Engine) -> int:
    """Copy one played case until there are EVENTS events; return how many there are."""
    case = engine.start("approval", REQUEST, by=ACTOR)
    for _element, answer in STEPS:
        case = engine.complete(case.tasks[0], answer, by=ACTOR)
    with engine.db.read() as connection:
        mine = events.c.instance_id == case.instance_id
        bodies = [
            orjson.loads(body)
            for body in connection.scalars(sa.select(events.c.body).where(mine).order_by(events.c.seq))
        ]
        here = sa.select(tree_runs.c.first, tree_runs.c.last).where(tree_runs.c.instance_id == case.instance_id)
        runs = [row._asdict() for row in connection.execute(here)]
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == case.instance_id)).one()

    def work(connection: sa.Connection) -> None:
        for some in batched(EVENTS // len(bodies)):
            rows, heads = [], []
            for name in some:
                head = bytes(32)
                for seq, body in enumerate(bodies, start=1):
                    raw = orjson.dumps({**body, "instance": name, "prev": head.hex()}, option=orjson.OPT_SORT_KEYS)
                    head = sha256(raw).digest()
                    rows.append({"instance_id": name, "seq": seq, "type": body["type"], "body": raw, "hash": head})
                heads.append({**row._mapping, "instance_id": name, "head": head})
            connection.execute(sa.insert(events), rows)
            connection.execute(sa.insert(instances), heads)
            connection.execute(sa.insert(tree_runs), [{"instance_id": name, **run} for name in some for run in runs])

    engine.db.write(work)
    with engine.db.read() as connection:
        return int(connection.scalar(sa.select(sa.func.count()).select_from(events)) or 0)


def batched(many: int) -> Iterator[list[str]]:
    """Ids, a thousand at a time."""
    for start in range(0, many, 1000):
        yield [f"{number:08}-0000-4000-8000-000000000000" for number in range(start, min(start + 1000, many))]


def proofs(engine: Engine) -> float:
    """Microseconds for the inclusion proof of one event, tiles read anew for each case."""
    dice = random.Random(1)
    times = []
    with engine.db.read() as connection:
        newest = latest(connection)
        assert newest is not None
        names = list(connection.scalars(sa.select(instances.c.instance_id)))
        for _ in range(300):
            name = dice.choice(names)
            began = time.perf_counter()
            proved = inclusion(connection, name, 1, 5, newest.size)
            times.append((time.perf_counter() - began) / len(proved))
    return 1e6 * statistics.median(times)
