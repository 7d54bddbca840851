"""APScheduler only ticks: twice a second it asks the engine to do what is due. The jobs themselves are rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from engine import indexing
from engine.errors import Unavailable
from engine.runtime import Engine
from engine.signer import Signer

SECONDS = 0.5
SIGNING = 2.0  # seconds between looks for events that are not signed for; a checkpoint is at most 5 s behind
log = logging.getLogger(__name__)


class Ticker:
    """Background threads that call `engine.tick()` and, where there is a key, let the signer sign. Every node runs
    one; leases keep them out of each other's way. A slow job does not hold the signer up: it has a thread of its own.
    """

    def __init__(self, engine: Engine, *, signer: Signer | None = None, seconds: float = SECONDS) -> None:
        from apscheduler.schedulers.background import BackgroundScheduler  # a command of the shell never ticks

        self._engine, self._signer = engine, signer
        self._scheduler = BackgroundScheduler(timezone="UTC", daemon=True)
        self._scheduler.add_job(
            self._tick, "interval", seconds=seconds, max_instances=1, coalesce=True, misfire_grace_time=None
        )
        if signer is not None:
            self._scheduler.add_job(
                self._sign, "interval", seconds=SIGNING, max_instances=1, coalesce=True, misfire_grace_time=None
            )
        self._scheduler.add_job(self._check_calendar, "interval", hours=6, next_run_time=datetime.now(UTC))

    def every(self, seconds: float, work: Callable[[], object]) -> None:
        """Do this as well, at once and again and again, one at a time; before `start`. What it raises is logged by
        its type alone: what it works on may be confidential."""

        def chore() -> None:
            try:
                work()
            except Unavailable:
                log.warning("the database is unavailable, a chore waits")
            except Exception as error:
                log.error("a chore failed: %s", type(error).__name__)

        often = {"seconds": seconds, "next_run_time": datetime.now(UTC)}
        self._scheduler.add_job(chore, "interval", **often, max_instances=1, coalesce=True, misfire_grace_time=None)

    def start(self) -> None:
        """Begin ticking."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler.start()

    def stop(self) -> None:
        """Finish the running tick and stop."""
        self._scheduler.shutdown(wait=True)

    def _check_calendar(self) -> None:
        try:
            self._engine.check_calendar()
            self._engine.sweep_attachments()
        except Unavailable:
            log.warning("the database is unavailable, the calendar is checked later")

    def _sign(self) -> None:
        assert self._signer is not None
        try:
            self._signer.run()
        except Unavailable:
            log.warning("the database is unavailable, what is new is signed later")
        except Exception:
            log.exception("signing failed")

    def _tick(self) -> None:
        try:
            while self._engine.tick(limit=50):
                pass
            while indexing.catch_up(self._engine):
                pass
        except Unavailable:
            log.warning("the database is unavailable, due jobs wait")
        except Exception:
            log.exception("a tick failed")
