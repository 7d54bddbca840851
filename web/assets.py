"""Names of the built browser files, which carry their content's hash and may therefore be cached for ever."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from flask import Flask, Response, request
from markupsafe import Markup

DIST = Path(__file__).parent / "static" / "dist"


def install(app: Flask) -> None:
    """Give templates `asset(name)` and `icon(name)`, and built files a year in every cache."""
    manifest_path = DIST / "manifest.json"
    manifest: dict[str, str] = json.loads(manifest_path.read_text()) if manifest_path.is_file() else {}

    def asset(name: str) -> str:
        return f"{app.static_url_path}/dist/{manifest.get(name, name)}"

    @cache
    def icon(name: str, label: str = "") -> Markup:
        """An icon of the sprite; without a label it is decoration and hidden from screen readers."""
        named = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        return Markup('<svg class="icon" {}><use href="{}#{}"></use></svg>').format(named, asset("icons.svg"), name)

    app.jinja_env.globals.update(asset=asset, icon=icon)

    @app.after_request
    def _cache(response: Response) -> Response:
        if request.endpoint == "static":
            kept = "/dist/" in request.path and response.status_code in (200, 304)
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if kept else "no-cache"
        return response
