"""No text of a diagram reaches Python: with `eval`, `exec` and `compile` replaced, everything still runs."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from engine.spiff.expressions import compile_expression, compile_script
from engine.spiff.parse import parse
from tests.engine.spiff.kernel.driving import Play, corpus_files


def test_the_corpus_is_parsed_and_run_without_eval_or_exec(monkeypatch: pytest.MonkeyPatch) -> None:
    files = corpus_files()
    compile_expression.cache_clear()
    compile_script.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(builtins, "eval", forbidden)
        patch.setattr(builtins, "exec", forbidden)
        definitions = parse(files)
        ends = {
            name: Play(name, definitions=definitions, reload="command").at_random(8, turns=400).case.status
            for name in definitions.processes
            if name != "thrower"
        }
    assert set(ends.values()) == {"completed"}


def test_the_librarys_script_engine_knows_our_expressions_only() -> None:
    from engine.spiff.workflow import ENGINE

    root = Play("approval").case._root
    assert root.script_engine is ENGINE
    assert ENGINE.environment is None


def forbidden(*_: Any, **__: Any) -> None:
    raise AssertionError("a text reached eval or exec")
