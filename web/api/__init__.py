"""The JSON API under /api/v1, for scripts and other systems: the same engine, the same rules as the pages."""

from web.api.routes import install

__all__ = ["install"]
