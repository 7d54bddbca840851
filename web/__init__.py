"""The browser's and the scripts' way in: `create_app(Config(…))` wires everything, nothing happens at import time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from web.config import Config

if TYPE_CHECKING:
    from flask import Flask

    from engine import Engine


def create_app(config: Config | None = None, *, engine: Engine | None = None) -> Flask:
    """The application; see `web.app`. Imported only when asked for, so that the command line starts quickly."""
    from web.app import create_app as create

    return create(config, engine=engine)


__all__ = ["Config", "create_app"]
