"""Frozen cases: finished cases with the files of their deployment, kept so that a change that alters the past is found.

    python -m processes.frozen tests/frozen processes/complaint/scenarios/K01.json …

plays scenarios and keeps, for each procedure, the finished cases that went through most steps. A frozen case is
`<process>.<name>.json.gz`: `{"process", "codec", "deployment", "events": [the exact bodies]}`; the files of a
deployment are `deployment.<sha256, 12 digits>.json.gz`: `{path: text}`, once for all its cases.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa

from engine import Engine
from engine.deployment import read_files
from engine.models import instances
from engine.replay import Rerun, recorded
from engine.spiff.codec import FORMAT
from engine.spiff.parse import Definitions, parse
from processes.scenario_runner import ScenarioClock, Stage, run_file

EACH = 2  # cases kept of each procedure by one run


@dataclass(frozen=True, kw_only=True)
class Frozen:
    """A finished case: the codec its states were packed with, its deployment's digest, its events' exact bodies."""

    name: str
    process: str
    codec: int
    deployment: str
    events: tuple[bytes, ...]


def cases(folder: Path) -> Iterator[Frozen]:
    """Every frozen case in a folder, by name."""
    for path in sorted(folder.glob("*.json.gz")):
        if path.name.startswith("deployment."):
            continue
        kept = orjson.loads(gzip.decompress(path.read_bytes()))
        events = tuple(body.encode() for body in kept.pop("events"))
        yield Frozen(name=path.name.removesuffix(".json.gz"), events=events, **kept)


@lru_cache(maxsize=8)
def definitions(folder: Path, deployment: str) -> Definitions:
    """The definitions of a frozen deployment."""
    kept = gzip.decompress((folder / f"deployment.{deployment}.json.gz").read_bytes())
    return parse({path: text.encode() for path, text in orjson.loads(kept).items()})


def run_again(folder: Path, case: Frozen, functions: Mapping[str, Any]) -> Rerun:
    """Re-execute a frozen case on its own deployment; `difference` says what is no longer so."""
    rerun = Rerun(lambda _: definitions(folder, case.deployment), functions)
    list(rerun.run(enumerate(case.events, 1)))
    return rerun


def freeze(engine: Engine, instance_id: str, name: str, folder: Path) -> Path:
    """Write a case and, unless it is there, its deployment. The same case gives the same bytes."""
    with engine.db.read() as connection:
        row = connection.execute(sa.select(instances).where(instances.c.instance_id == instance_id)).one()
        bodies = [raw.decode() for _, raw in recorded(connection, instance_id)]
        files = {path: content.decode() for path, content in read_files(connection, row.deployment).items()}
    folder.mkdir(parents=True, exist_ok=True)
    packed = orjson.dumps(files, option=orjson.OPT_SORT_KEYS)
    deployment = hashlib.sha256(packed).hexdigest()[:12]
    _write(folder / f"deployment.{deployment}.json.gz", packed)
    case = {"process": row.process, "codec": FORMAT, "deployment": deployment, "events": bodies}
    return _write(folder / f"{row.process}.{name}.json.gz", orjson.dumps(case))


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(gzip.compress(content, 9, mtime=0))
    return path


def finished(engine: Engine) -> list[tuple[str, str, int]]:
    """(instance, process, how many different steps were entered) of every finished case."""
    with engine.db.read() as connection:
        over = sa.select(instances.c.instance_id, instances.c.process).where(instances.c.ended_at.is_not(None))
        found = []
        for row in connection.execute(over).all():
            bodies = [orjson.loads(raw) for _, raw in recorded(connection, row.instance_id)]
            entered = [body for body in bodies if body["type"] == "element.entered"]
            steps = {(body["data"].get("process"), body["element"]) for body in entered}
            found.append((row.instance_id, row.process, len(steps)))
    return found


def main(folder: Path, scenarios: list[Path]) -> None:
    """Play the scenarios and freeze the finished cases with most steps, `EACH` of every procedure."""
    best: dict[str, list[tuple[int, str]]] = {}

    class Freezing(Stage):
        """Looks at each company once its scenario has been played."""

        @contextmanager
        def company(self, now: datetime) -> Iterator[tuple[Engine, ScenarioClock]]:
            with super().company(now) as (engine, clock):
                yield engine, clock
                self.keep(engine)

        def keep(self, engine: Engine) -> None:
            for instance, process, steps in finished(engine):
                kept = best.setdefault(process, [])
                owner = playing.parent.parent.name
                name = playing.stem if owner == process else f"{owner}-{playing.stem}"
                if len(kept) < EACH or steps > kept[-1][0]:
                    freeze(engine, instance, name, folder)
                    kept.append((steps, name))
                    kept.sort(reverse=True)
                    for _, gone in kept[EACH:]:
                        (folder / f"{process}.{gone}.json.gz").unlink(missing_ok=True)
                    del kept[EACH:]

    with Freezing() as stage:
        for playing in scenarios:
            outcome = run_file(playing, stage)
            print(f"{'ok' if outcome.passed else 'FAILED'} {playing}")
    for process, kept in sorted(best.items()):
        print(process, [name for _, name in kept])


if __name__ == "__main__":
    main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]])
