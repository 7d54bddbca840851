"""This node's signer, from the settings: the server's clock runs it, and commands that need something signed for."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path

from engine import Engine, Signer, SigningKey
from engine.publishing import Address, Folder, Sink
from web.config import Config


def key_of(config: Config) -> SigningKey | None:
    """The signing key, or None where none is set. Raises KeyUnusable."""
    return SigningKey.load(Path(config.signing_key)) if config.signing_key else None


def sinks_of(config: Config) -> list[Sink]:
    """Where checkpoints are published."""
    sinks: list[Sink] = []
    if config.checkpoint_folder:
        sinks.append(Folder(Path(config.checkpoint_folder)))
    if config.checkpoint_url:
        sinks.append(Address(config.checkpoint_url, frozenset(config.outgoing_hosts)))
    return sinks


def signer_of(engine: Engine, config: Config) -> Signer | None:
    """The signer, or None without a key. What it signed last is kept beside the key. Raises KeyUnusable."""
    key = key_of(config)
    if key is None:
        return None
    memory = Path(f"{config.signing_key}.last")
    return Signer(engine, key, memory=memory, sinks=sinks_of(config))


def demo_keys(database: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Let the demo sign with a key of its own, kept beside its database, and publish into a folder there."""
    if not environment.get("GUIJU_SIGNING_KEY"):
        path = _beside(database, "demo-signing")
        if not path.exists():
            SigningKey.make("demo.guiju.example").save(path)
        demo_key_beside(database, environment)


def demo_key_beside(database: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Use the demo's key where no key is set and the database has one beside it."""
    path = _beside(database, "demo-signing")
    if not environment.get("GUIJU_SIGNING_KEY") and path.is_file():
        environment["GUIJU_SIGNING_KEY"] = str(path)
        environment.setdefault("GUIJU_CHECKPOINT_FOLDER", str(_beside(database, "demo-checkpoints")))


def _beside(database: str, what: str) -> Path:
    path = Path(database.removeprefix("sqlite:///") if database.startswith("sqlite:///") else "var/guiju")
    return path.with_name(f"{path.name}.{what}")
