"""`make bench`: runs the benchmarks and prints one JSON object. `python -m bench inbox ballots` runs some of them.

Rates of the bare loop and of ours are taken in short turns within one run and their medians compared: absolute rates
on shared cores move by factors.
"""

from __future__ import annotations

import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import audit, evidence, kill, personal, policy, replay, scanner, web
from bench.bare import Bare
from bench.company import ACTOR, company
from bench.durable import play, statements, timed
from bench.registration import largest_state
from bench.server import Client, serving
from web.cli_server import spare_collector

ROUNDS = 30
PER_ROUND = 10


def rates(folder: Path) -> dict[str, Any]:
    """Instances a second: bare (reloading and not), the engine in process, and the API over HTTP, in turns."""
    found: dict[str, list[float]] = {"bare": [], "bare_in_memory": [], "engine": [], "http": []}
    bare, bare_in_memory = Bare(folder / "bare.db"), Bare(folder / "bare-in-memory.db")
    with company(folder / "engine.db") as engine, company(folder / "http.db"), serving(folder / "http.db") as server:
        client = Client(server.port).login(ACTOR)
        play(engine, 5)
        web.approvals(client, 5)
        spare_collector()  # as the server does; the yardstick's process does the same
        for _ in range(ROUNDS):
            found["bare"].append(bare.timed(PER_ROUND, reload=True))
            found["engine"].append(timed(engine, PER_ROUND))
            found["http"].append(web.approvals(client, PER_ROUND))
            found["bare_in_memory"].append(bare_in_memory.timed(PER_ROUND, reload=False))
        client.close()
    bare.close()
    bare_in_memory.close()
    middle = {name: statistics.median(values) for name, values in found.items()}
    return {
        **{f"{name}_instances_per_s": round(value, 1) for name, value in middle.items()},
        "engine_ratio": round(middle["engine"] / middle["bare"], 2),
        "http_ratio": round(middle["http"] / middle["bare"], 2),
        "engine_ratio_to_bare_in_memory": round(middle["engine"] / middle["bare_in_memory"], 2),
    }


PARTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "rates": rates,
    "sql": statements,
    "state": largest_state,
    "inbox": web.inbox,
    "rest": web.rest,
    "ballots": web.ballots,
    "audit": audit.audit,
    "evidence": evidence.evidence,
    "moments": replay.moments,
    "personal": personal.sealing,
    "scanner": scanner.figures,
    "scenarios": policy.scenarios,
    "complaint": policy.complaint,
    "kill": lambda folder: kill.run(folder, times=200),
}


def main(names: list[str]) -> None:
    """Run the named parts (all when none is named); progress goes to stderr."""
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()} · Python {platform.python_version()}",
    }
    for name in names or PARTS:
        print(f"{name} …", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(prefix="guiju-bench-", ignore_cleanup_errors=True) as folder:
            found |= PARTS[name](Path(folder))
    print(json.dumps(found, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
