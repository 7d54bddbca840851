"""`guiju check`, `deploy`, `deployed` and `scenario`: what a designer does before and while a procedure goes live."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from web.cli_text import Tongue, database_option, examples, existing, fail, json_option, opened, progress

if TYPE_CHECKING:
    from engine import Problem
    from processes.scenario_runner import Outcome

PATHS = click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))


def add(group: click.Group, t: Tongue) -> None:
    """Add the four commands."""

    @group.command(
        name="check",
        help=t(
            "只做发布前检查：流程图、决策表、词库与表单。没有问题时返回 0；否则每行一个问题。",
            "The deploy gate alone: diagrams, tables and forms. Exit 0 when it would deploy, else a problem a line.",
        )
        + examples("guiju check bpmn/", "guiju check my_process.bpmn --json", "guiju check term_rules.csv"),
    )
    @PATHS
    @json_option(t)
    def check(paths: tuple[Path, ...], as_json: bool) -> None:
        import processes
        from engine import check as gate
        from processes.bundle import collect, shipped

        given = collect(paths)
        whole = given.over(shipped())
        found = gate(whole, processes.house())
        problems = [problem for problem in found if problem.severity == "problem"]  # ours have none of their own
        for note in found:
            if note.severity != "problem" and note.file in given:
                click.echo(line_of(note, whole.paths, t), err=True)
        if as_json:
            click.echo(json.dumps([row_of(problem, whole.paths, t) for problem in problems], ensure_ascii=False))
        else:
            print_problems(problems, whole.paths, t)
            if not problems:
                click.echo(t(f"检查通过，共 {len(given)} 个文件", f"No problems in {len(given)} files"), err=True)
        raise SystemExit(1 if problems else 0)

    @group.command(
        name="deploy",
        help=t(
            "检查后发布为新版本；已在办的案件仍按原版本办理。",
            "Check, then deploy as a new version; running cases stay on theirs.",
        )
        + examples("guiju deploy bpmn/ --by sushujia"),
    )
    @PATHS
    @click.option("--by", required=True, metavar="USER", help=t("发布人的用户名", "username of whoever deploys"))
    @database_option(t)
    def deploy(paths: tuple[Path, ...], by: str, database: str) -> None:
        from engine.errors import GateRefused
        from processes.bundle import collect

        bundle = collect(paths)
        try:
            with opened(database) as engine:
                deployment = engine.deploy(bundle, by=by)
        except GateRefused as refused:
            print_problems(refused.problems, bundle.paths, t)
            fail(t.of(refused.message))
        click.echo(t(f"已发布第 {deployment.number} 版", f"Deployed as number {deployment.number}"))
        for process, version in sorted(deployment.processes.items()):
            click.echo(f"  {process} v{version}")

    @group.command(
        name="deployed",
        help=t(
            "列出已发布的文件，或把其中一个原样取出。",
            "List what is deployed, or take one file out as it was handed in.",
        )
        + examples("guiju deployed", "guiju deployed term_rules.csv -o term_rules.csv"),
    )
    @click.argument("name", required=False)
    @click.option("--number", type=click.IntRange(1), help=t("第几次发布，默认最新", "which deployment; the newest"))
    @click.option("-o", "target", type=click.Path(path_type=Path, dir_okay=False), help=t("写到文件", "write here"))
    @database_option(t)
    def deployed(name: str | None, number: int | None, target: Path | None, database: str) -> None:
        from engine import queries
        from engine.errors import NotFound

        try:
            with existing(database, t) as engine:
                found, files = queries.deployed(engine, number)
        except NotFound as missing:
            fail(t.of(missing.message))
        if name is None:
            for path, content in files.items():
                click.echo(f"{hashlib.sha256(content).hexdigest()}  {path}")
        elif name not in files:
            fail(t(f"第 {found} 次发布里没有「{name}」", f"Deployment {found} holds no “{name}”"))
        elif target is not None:
            target.write_bytes(files[name])
        else:
            click.echo(files[name], nl=False)

    @group.command(
        name="scenario",
        help=t(
            "在一次性的演示公司里按场景文件走一遍流程，时钟由场景决定。",
            "Play scenarios in a throw-away demo company with a clock of their own.",
        )
        + examples("guiju scenario processes/account_registration/scenarios/*.json", "guiju scenario mine.json --json"),
    )
    @click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
    @json_option(t)
    def scenario(files: tuple[Path, ...], as_json: bool) -> None:
        from processes.scenario_runner import Stage, run_file

        queue = [path for given in files for path in (sorted(given.glob("*.json")) if given.is_dir() else [given])]
        outcomes: list[Outcome] = []
        with progress(t("场景", "Scenarios")) as advance:
            advance(0, len(queue))
            with Stage() as stage:
                for number, path in enumerate(queue, 1):
                    outcomes.append(run_file(path, stage))
                    advance(number, len(queue))
        if as_json:
            click.echo(json.dumps([outcome_row(outcome, t) for outcome in outcomes], ensure_ascii=False, default=str))
        else:
            for outcome in outcomes:
                print_outcome(outcome, t)
        raise SystemExit(0 if outcomes and all(outcome.passed for outcome in outcomes) else 1)


def row_of(problem: Problem, paths: Mapping[str, Path], t: Tongue) -> dict[str, Any]:
    """A problem as `--json` shows it."""
    return {
        "file": str(paths.get(problem.file, problem.file)),
        "line": problem.line,
        "element": problem.element,
        "code": problem.code,
        "message": t.of(problem.message),
    }


def line_of(problem: Problem, paths: Mapping[str, Path], t: Tongue) -> str:
    """A problem as a line: `file:line element-id code message`."""
    row = row_of(problem, paths, t)
    return f"{row['file']}:{row['line']} {row['element'] or '-'} {row['code']} {row['message']}"


def print_problems(problems: Iterable[Problem], paths: Mapping[str, Path], t: Tongue) -> None:
    """A line each, on stdout."""
    for problem in problems:
        click.echo(line_of(problem, paths, t))


def outcome_row(outcome: Outcome, t: Tongue) -> dict[str, Any]:
    """An outcome as `--json` shows it."""
    failure = outcome.failure
    return {
        "file": outcome.file,
        "name": outcome.name,
        "passed": outcome.passed,
        "reason": t.of(failure.what) if failure else None,
        "step": failure.step if failure else None,
        "expected": failure.expected if failure else None,
        "actual": failure.actual if failure else None,
        "path": list(outcome.path),
        "seconds": round(outcome.seconds, 3),
    }


def print_outcome(outcome: Outcome, t: Tongue) -> None:
    """`✓ name`, or `✗ name` with the reason, both sides and the path so far on the same line."""
    if outcome.failure is None:
        click.echo(f"✓ {outcome.name}")
        return
    failure = outcome.failure
    where = t("结尾", "at the end") if failure.step is None else t(f"第 {failure.step} 步", f"step {failure.step}")
    parts = [f"✗ {outcome.name}", f"{where}{t('：', ': ')}{t.of(failure.what)}"]
    if failure.expected is not None:
        parts.append(f"{t('应为', 'expected')} {shown(failure.expected)}")
    if failure.actual is not None:
        parts.append(f"{t('实为', 'found')} {shown(failure.actual)}")
    parts.append(f"{t('路径', 'path')} {' → '.join(outcome.path) or '-'}")
    click.echo(" | ".join(parts))


def shown(value: Any) -> str:
    """A value on one line."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return json.dumps(value, ensure_ascii=False, default=str)
