"""`guiju verify` and `replay`: proving that what the database says is what happened."""

from __future__ import annotations

import click

from web.cli_text import Tongue


def add(group: click.Group, t: Tongue) -> None:
    """Add the commands."""
