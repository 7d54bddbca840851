"""For machines that watch: alive, ready, and how much was done."""

from __future__ import annotations

import hmac
import ipaddress
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

from flask import Blueprint, Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from engine.errors import Denied, GuijuError
from engine.queries.signing import measured
from web.current import config, engine, public

bp = Blueprint("health", __name__)


@bp.get("/livez")
@public
def livez() -> Any:
    """The process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@public
def readyz() -> Any:
    """The database takes a write; 503 otherwise (the error handler says so)."""
    engine().db.ping()
    return {"status": "ok"}


@bp.get("/metrics")
@public
def metrics() -> Response:
    """Counters for Prometheus: from this machine, or with the token."""
    if not _may_measure():
        raise Denied("metrics_denied")
    registry: CollectorRegistry = g.metrics
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _may_measure() -> bool:
    token = config().metrics_token
    if token:
        return hmac.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {token}".encode())
    try:
        return ipaddress.ip_address(request.remote_addr or "").is_loopback and "X-Forwarded-For" not in request.headers
    except ValueError:
        return False


def install(app: Flask) -> None:
    """Count and time every request, by endpoint and status."""
    registry = CollectorRegistry()
    requests = Counter("guiju_requests_total", "Requests answered", ["endpoint", "status"], registry=registry)
    seconds = Histogram("guiju_request_seconds", "Time to answer", ["endpoint"], registry=registry)

    registry.register(_Evidence(app))

    @app.before_request
    def _start() -> None:
        g.started, g.metrics = time.perf_counter(), registry

    @app.after_request
    def _count(response: Response) -> Response:
        counted, timed = _series(request.endpoint or "none", response.status_code)
        counted.inc()
        if "started" in g:
            timed.observe(time.perf_counter() - g.started)
        return response

    @cache
    def _series(endpoint: str, status: int) -> tuple[Counter, Histogram]:
        return requests.labels(endpoint, str(status)), seconds.labels(endpoint)


class _Evidence:
    """How far the signed evidence is behind, asked when somebody scrapes."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def describe(self) -> list[Metric]:
        """Nothing is asked at registration."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Age of the newest checkpoint, events that wait, and whether signing has stopped."""
        age, waiting, stopped = measured(self._app.extensions["guiju"])
        yield GaugeMetricFamily("guiju_checkpoint_age_seconds", "Age of the newest checkpoint", age)
        yield GaugeMetricFamily("guiju_events_unsigned", "Events that no checkpoint covers yet", waiting)
        yield GaugeMetricFamily("guiju_signing_stopped", "1 when signing was refused", int(stopped))


def plain(error: GuijuError) -> tuple[dict[str, str], int]:
    """What a watching machine is told about an error."""
    return {"status": error.code}, error.status
