"""The only place where things are wired: database, engine, pages, guards."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

import processes
from engine import Database, Engine, Ticker, queries
from engine.moments import moment
from processes.complaint import keeping
from processes.personal_erasure.holds import READERS as ERASURE_READERS
from web import (
    admin,
    api,
    assets,
    attachments,
    audit_case,
    audit_checkpoints,
    audit_export,
    audit_proof,
    audit_reports,
    audit_search,
    audit_words,
    cases,
    casework,
    coming,
    current,
    designer,
    failures,
    formview,
    health,
    inbox,
    intake,
    languages,
    login,
    privacy,
    procedures,
    reading,
    registers,
    security,
    sessions,
    signing,
    tasks,
    tokens,
    words,
)
from web.config import Config

HTMX = {
    "allowEval": False,
    "includeIndicatorStyles": False,
    "allowScriptTags": False,
    "selfRequestsOnly": True,
    "historyCacheSize": 0,
    "refreshOnHistoryMiss": True,
}


def create_app(config: Config | None = None, *, engine: Engine | None = None) -> Flask:
    """The application on `config`, by default the environment's. `engine` is given where the clock is another."""
    config = config or Config.from_environment(os.environ)
    app = Flask("web", root_path=str(Path(__file__).parent), static_folder="static", template_folder="templates")
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    engine = engine or _engine(config)
    signer = signing.signer_of(engine, config)
    ticker = Ticker(engine, signer=signer)
    app.extensions.update(guiju=engine, guiju_config=config, guiju_ticker=ticker, guiju_signer=signer)
    ticker.every(6 * 3600, partial(keeping.forget, engine))
    if config.mail:
        from processes.complaint.mail.polling import poll  # with a mailbox only: it brings a client along

        ticker.every(min(5, config.mail.every), partial(poll, engine, config.mail))

    health.install(app)
    languages.install(app)
    assets.install(app)
    attachments.install(app)
    designer.install(app)
    security.install(app, config)
    app.before_request(current.require_login)
    reading.install(app)
    failures.install(app)
    for part in (
        login,
        inbox,
        tasks,
        procedures,
        cases,
        audit_case,
        audit_proof,
        registers,
        attachments,
        coming,
        designer,
        admin,
        tokens,
        health,
        intake,
        casework,
        audit_search,
        audit_checkpoints,
        audit_export,
        audit_reports,
        privacy,
    ):
        app.register_blueprint(part.bp)
    app.register_blueprint(privacy.audit_bp)
    api.install(app)
    security.slow_down(app, config, ("login.enter", "api.log_in", "tokens.issue"))
    _teach_templates(app)
    if config.proxies:
        hops = config.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _engine(config: Config) -> Engine:
    db = Database.open(config.database_url, audit_url=config.audit_database_url or None)
    engine = processes.build_engine(db, seal_key=config.seal_key or None, personal_key=config.personal_key or None)
    if config.demo:
        sessions.welcome_demo(db, getattr(processes, "DEMO_PASSWORD", sessions.DEMO_PASSWORD))
    return engine


def _teach_templates(app: Flask) -> None:
    """What every page needs: who is asking, what waits for them, moments and states in words."""

    @app.context_processor
    def _page() -> dict[str, Any]:
        username = None if request.endpoint is None else current.actor()
        if username is None:
            return {"me": None, "waiting": {}, "unread": 0, "groups": frozenset()}
        engine = current.engine()
        groups = queries.groups_of(engine, username)
        return {
            "sees_erasures": bool(groups.intersection(ERASURE_READERS)),
            "me": queries.person(engine, username),
            "waiting": current.waiting(),
            "unread": queries.unread(engine, actor=username),
            "groups": groups,
        }

    def left(due: Any) -> words.Left:
        engine = current.engine()
        if "calendar" not in g:
            with engine.db.read() as connection:
                g.calendar = engine.calendar(connection)
        return words.left(due, engine.now(), g.calendar)

    app.jinja_env.globals.update(
        htmx_config=json.dumps(HTMX),
        left=left,
        case_state=words.case_state,
        outcome_tone=words.outcome_tone,
        outcome_title=formview.outcome_title,
        record=formview.record,
        diagram_steps=cases.diagram_steps,
        name_of=formview.name_of,
        demo=lambda: current.config().demo,
    )
    app.jinja_env.filters.update(
        ago=lambda moment: words.ago(moment, current.engine().now()),
        waited=lambda moment: words.waited(moment, current.engine().now()),
        exact=words.exact,
        moment=moment,
        brief=words.day,
        exact_of=audit_words.exact_of,
        plain_value=audit_words.plain_value,
    )
