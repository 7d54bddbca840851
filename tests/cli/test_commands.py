"""The command line: what it prints, in which language, and how it leaves."""

from __future__ import annotations

import json
import shutil
import socket
import sqlite3
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import processes
from engine import Database, migrate
from engine.errors import GuijuError
from web.cli import build
from web.cli_text import Tongue, tongue
from web.sessions import check_password

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = [
    "audit-role", "backup", "check", "demo", "deploy", "deployed", "export", "init", "key", "leave", "password",
    "replay", "restore", "rewrap", "scenario", "serve", "verify",
]  # fmt: skip


def guiju(*arguments: str, language: str = "en") -> Result:
    return CliRunner().invoke(build(Tongue(language)), [*arguments], catch_exceptions=False)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    text = (ROOT / "tests/processes/leave.bpmn").read_text(encoding="utf-8")
    path = tmp_path / "leave.bpmn"
    path.write_text(text.replace("review.outcome ==", "revue.outcome =="), encoding="utf-8")
    form = {"type": "object", "title": {"zh-CN": "单", "en": "Slip"}, "properties": {}}
    (tmp_path / "request.json").write_text(json.dumps(form), encoding="utf-8")
    return path


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_shows_an_example_in_its_help(command: str, language: str) -> None:
    shown = guiju(command, "--help", language=language)
    assert shown.exit_code == 0
    assert f"$ guiju {command}" in shown.output


def test_no_command_is_missing_from_the_tests() -> None:
    assert sorted(build(Tongue("en")).commands) == COMMANDS


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({"GUIJU_LANG": "en", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"GUIJU_LANG": "zh-CN", "LANG": "en_US.UTF-8"}, "zh-CN"),
        ({"LANG": "zh_TW.UTF-8"}, "zh-CN"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "zh-CN"),
        ({}, "zh-CN"),
    ],
)
def test_the_language_follows_the_environment(environment: dict[str, str], language: str) -> None:
    assert tongue(environment).language == language


def test_check_passes_what_is_shipped() -> None:
    assert guiju("check", str(ROOT / "bpmn"), "--json").output.strip().splitlines()[-1] == "[]"
    assert guiju("check", str(ROOT / "bpmn" / "group_vote.bpmn")).exit_code == 0


def test_check_prints_a_problem_a_line_and_fails(broken: Path) -> None:
    found = guiju("check", str(broken))
    assert found.exit_code == 1
    first = found.stdout.splitlines()[0]
    place, element, code, message = first.split(" ", 3)
    assert place.rsplit(":", 1)[0] == str(broken)
    assert int(place.rsplit(":", 1)[1]) > 1
    assert element and code and message
    assert guiju("check", str(broken), language="zh-CN").stdout.splitlines()[0] != first


def test_check_answers_in_json_with_exactly_the_agreed_keys(broken: Path) -> None:
    found = guiju("check", str(broken), "--json")
    assert found.exit_code == 1
    problems = json.loads(found.stdout)
    assert {frozenset(problem) for problem in problems} == {frozenset(("file", "line", "element", "code", "message"))}


def test_terms_are_checked_by_line_and_taken_out_as_they_were(tmp_path: Path, db_url: str) -> None:
    shipped = (ROOT / "bpmn" / "term_rules.csv").read_bytes()
    mine = tmp_path / "term_rules.csv"
    mine.write_bytes(shipped + b"T900,insult,block,(a+)+b,,x,y\n")
    found = guiju("check", str(mine))
    assert found.exit_code == 1
    assert found.stdout.startswith(f"{mine}:{shipped.count(bytes([10])) + 1} T900 table regex could hang")
    mine.write_bytes(shipped + "T900,insult,block,破烂,,x,y\n".encode())
    assert guiju("check", str(mine)).exit_code == 0
    assert guiju("init", "--database", db_url).exit_code == 0
    assert guiju("deploy", str(mine), "--by", "lutuyang", "--database", db_url).exit_code == 0
    assert f"{sha256(mine.read_bytes()).hexdigest()}  term_rules.csv" in guiju("deployed", "--database", db_url).stdout
    out = tmp_path / "out.csv"
    assert guiju("deployed", "term_rules.csv", "-o", str(out), "--database", db_url).exit_code == 0
    assert out.read_bytes() == mine.read_bytes()
    assert guiju("deployed", "no.csv", "--database", db_url).exit_code == 1
    assert guiju("deployed", "--number", "9", "--database", db_url).exit_code == 1


def test_check_of_nothing_is_wrong_usage(tmp_path: Path) -> None:
    assert guiju("check", str(tmp_path / "missing.bpmn")).exit_code == 2
    with pytest.raises(GuijuError):
        guiju("check", str(tmp_path))


def test_init_makes_a_database_and_leaves_an_existing_one_alone(db_url: str) -> None:
    for _ in range(2):
        made = guiju("init", "--database", db_url)
        assert made.exit_code == 0


def test_a_company_of_ones_own_gets_the_shipped_procedures_and_passwords(db_url: str) -> None:
    company = ROOT / "processes/demo/organisation.json"
    assert guiju("init", "--company", str(company), "--database", db_url).exit_code == 0

    def setting(user: str, secret: str) -> Result:
        command = ["password", user, "--database", db_url]
        return CliRunner().invoke(build(Tongue("en")), command, input=secret, catch_exceptions=False)

    assert setting("michuangdian", "a long enough one").exit_code == 0
    assert setting("michuangdian", "short").exit_code == 1
    assert setting("nobody", "a long enough one").exit_code == 1
    db = Database.open(db_url)
    assert check_password(db, "michuangdian", "a long enough one")
    assert not check_password(db, "michuangdian", "short")
    with db.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM definitions").scalar() == len(
            list((ROOT / "bpmn").glob("*.bpmn"))
        )
    db.close()


def test_leaving_starts_a_handover_for_each_account_and_is_recorded_once(db_url: str) -> None:
    db = Database.open(db_url)
    migrate(db)
    processes.load_demo(processes.build_engine(db))
    db.close()
    left = guiju("leave", "luyaoyi", "--by", "songchuanglian", "--database", db_url)
    assert left.exit_code == 0 and left.stdout.count("handover JJ-") == 3
    again = guiju("leave", "luyaoyi", "--by", "songchuanglian", "--database", db_url)
    assert again.exit_code == 1


def test_a_password_in_the_address_is_not_printed() -> None:
    from web.cli_company import safe

    assert "hush" not in safe("postgresql://guiju:hush@localhost/guiju")


def test_commands_that_look_refuse_a_database_that_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    for command in (["verify"], ["replay", "x"]):
        assert guiju(*command, "--database", f"sqlite:///{path}").exit_code == 1
    assert not path.exists()


def test_deploy_refuses_a_bad_diagram_and_stores_nothing(db_url: str, broken: Path) -> None:
    refused = guiju("deploy", str(broken), "--by", "lutuyang", "--database", db_url)
    assert refused.exit_code == 1
    assert str(broken) in refused.stdout
    db = Database.open(db_url)
    with db.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM deployments").scalar() == 0
    db.close()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo company with its cases, made by the command."""
    path = tmp_path_factory.mktemp("demo") / "guiju.db"
    assert guiju("demo", "--database", f"sqlite:///{path}").exit_code == 0
    return path


def test_demo_a_second_time_changes_nothing(demo: Path) -> None:
    before = cases(demo)
    assert before
    assert guiju("demo", "--database", f"sqlite:///{demo}").exit_code == 0
    assert cases(demo) == before


def cases(path: Path) -> list[Any]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return connection.execute("SELECT instance_id, business_key, seq FROM instances ORDER BY 1").fetchall()


def test_deploy_makes_a_new_version_of_what_changed_alone(demo: Path, tmp_path: Path) -> None:
    database = copy(demo, tmp_path)
    shutil.copytree(ROOT / "bpmn", tmp_path / "bpmn")
    vote = tmp_path / "bpmn" / "group_vote.bpmn"
    vote.write_text(vote.read_text(encoding="utf-8") + "<!-- 说明 -->\n", encoding="utf-8")
    made = guiju("deploy", str(vote), "--by", "lutuyang", "--database", database)
    assert made.exit_code == 0
    assert "group_vote v2" in made.output


def test_verify_passes_an_honest_database(demo: Path) -> None:
    report = guiju("verify", "--database", f"sqlite:///{demo}", "--json")
    assert report.exit_code == 0
    assert json.loads(report.stdout)["broken"] == []
    assert json.loads(report.stdout)["events"] > 100


def test_verify_names_the_first_bad_event(demo: Path, tmp_path: Path) -> None:
    database = copy(demo, tmp_path)
    instance = str(cases(demo)[0][0])
    with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            "UPDATE history SET body = replace(CAST(body AS TEXT), 'Z\"', 'z\"') WHERE instance_id = ? AND seq = 3",
            (instance,),
        )
    report = guiju("verify", "--database", database)
    assert report.exit_code == 1
    assert report.stdout.splitlines()[0].startswith(f"{instance}:3 hash ")


def test_every_demo_case_replays_to_the_states_that_were_stored(demo: Path) -> None:
    for instance, *_ in cases(demo):
        done = guiju("replay", str(instance), "--json", "--database", f"sqlite:///{demo}")
        assert done.exit_code == 0, done.output
        assert json.loads(done.stdout)["same"]


def test_replay_stops_at_an_event_and_takes_a_case_by_its_number(demo: Path) -> None:
    number = max((row for row in cases(demo) if row[1]), key=lambda row: row[2])[1]  # the longest history
    whole = json.loads(guiju("replay", number, "--json", "--database", f"sqlite:///{demo}").stdout)
    first = json.loads(guiju("replay", number, "--at", "1", "--json", "--database", f"sqlite:///{demo}").stdout)
    assert len(first["steps"]) == 1 < len(whole["steps"])


def test_replay_fails_when_what_was_stored_differs(demo: Path, tmp_path: Path) -> None:
    database = copy(demo, tmp_path)
    instance = str(cases(demo)[0][0])
    with sqlite3.connect(database.removeprefix("sqlite:///")) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(
            """UPDATE history SET body = replace(CAST(body AS TEXT), '"state":"', '"state":"0')
               WHERE instance_id = ? AND type = 'state.saved'""",
            (instance,),
        )
    assert guiju("replay", instance, "--database", database).exit_code == 1


def copy(demo: Path, folder: Path) -> str:
    shutil.copyfile(demo, folder / "copy.db")
    return f"sqlite:///{folder / 'copy.db'}"


def test_scenario_prints_a_line_each_and_fails_when_one_does(tmp_path: Path) -> None:
    good = ROOT / "processes/account_registration/scenarios/R03.json"
    scenario = json.loads(good.read_text(encoding="utf-8"))
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({**scenario, "name": "wrong", "expect": {"end": "end_nowhere"}}), encoding="utf-8")
    played = guiju("scenario", str(good), str(bad), "--json")
    assert played.exit_code == 1
    first, second = json.loads(played.stdout)
    assert first["passed"] and first["reason"] is None
    assert not second["passed"]
    assert second["expected"] == {"end": "end_nowhere"}
    assert "validate" in second["path"]
    assert guiju("scenario", str(good)).stdout.startswith("✓ ")


def test_a_second_server_on_the_same_port_is_refused(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        refused = guiju("serve", "--demo", "--port", port, "--database", f"sqlite:///{tmp_path / 'x.db'}")
    assert refused.exit_code == 1
    assert port in refused.stderr
    assert not (tmp_path / "x.db").exists()


def test_serving_without_a_key_is_refused_outside_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GUIJU_SECRET_KEY", raising=False)
    with pytest.raises(GuijuError, match="secret_key_missing"):
        guiju("serve", "--port", "1", "--database", f"sqlite:///{tmp_path / 'x.db'}")
