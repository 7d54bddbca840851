"""A dossier, checked by the stand-alone verifier where nothing of ours can be imported."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import Engine, Signer, SigningKey
from engine.dossier import dossier_bytes, sealed_pdf, signed_file
from engine.publishing import Folder
from tests.engine.steps import review_of

VERIFIER = Path(__file__).resolve().parents[2] / "verifier" / "guiju_verify.py"
KEY = SigningKey.make("guiju.example/log")
Check = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Run the verifier from an empty folder, isolated: neither this repository nor its environment is on its path."""
    alone = tmp_path / "auditor"
    alone.mkdir()
    shutil.copy(VERIFIER, alone / "guiju_verify.py")

    def run(*arguments: str | Path, key: str = KEY.public) -> subprocess.CompletedProcess[str]:
        keys = ["--key", key] if key else []
        command = [sys.executable, "-I", "guiju_verify.py", *map(str, arguments), *keys]
        return subprocess.run(command, cwd=alone, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture
def made(engine: Engine, tmp_path: Path) -> Path:
    """The dossier of a finished case."""
    instance, task = review_of(engine)
    review_of(engine)
    engine.complete(task, {"outcome": "reject"}, by="boris")
    Signer(engine, KEY).run()
    path = tmp_path / "dossier.json"
    path.write_bytes(dossier_bytes(engine, instance, key=KEY, by="auditor"))
    return path


def faults(done: subprocess.CompletedProcess[str]) -> list[tuple[str, Any]]:
    assert done.stderr == ""
    return [(fault["code"], fault.get("seq")) for fault in json.loads(done.stdout)[0]["faults"]]


def test_a_dossier_holds_where_guiju_was_never_installed(check: Check, made: Path) -> None:
    done = check(made, "--lang", "en")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "everything holds" in done.stdout and "task.completed" in done.stdout
    assert "✗" not in done.stdout
    assert "全部属实" in check(made, "--lang", "zh").stdout


def test_without_the_published_key_it_says_whose_key_it_took(check: Check, made: Path) -> None:
    done = check(made, "--lang", "en", key="")
    assert done.returncode == 0 and f"compare it with the published one: {KEY.public}" in done.stdout


def test_another_key_than_the_published_one_is_named(check: Check, made: Path) -> None:
    other = SigningKey.make("guiju.example/log")
    done = check(made, "--lang", "en", key=other.public)
    assert done.returncode == 1
    assert f"is signed with key {KEY.name}+{KEY.id.hex()}, not with the published key" in done.stdout
    assert faults(check(made, "--json", key=other.public)) == [("key", None), ("whole_key", None)]


def test_an_edited_event_is_named_and_the_others_still_hold(check: Check, made: Path) -> None:
    content = json.loads(made.read_bytes())
    events = content["events"]
    events[4]["body"] = events[4]["body"].replace('"at":"2026', '"at":"2025')
    made.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    done = check(made, "--lang", "en")
    assert done.returncode == 1
    assert "problems; the first: the content of event 5 is not what its hash says" in done.stdout
    marks = [line.split()[0] for line in done.stdout.splitlines() if line.startswith(("  ✓ ", "  ✗ "))]
    assert marks[: len(events)].count("✓") == len(events) - 2 and marks[4] == "✗"  # and the one that names it


def test_a_rewritten_chain_still_fails_at_its_first_event(check: Check, made: Path) -> None:
    from hashlib import sha256

    content = json.loads(made.read_bytes())
    before = None
    for event in content["events"][3:]:
        body = json.loads(event["body"])
        body["at"] = "2025-01-01T00:00:00.000000Z"
        body["prev"] = before or body["prev"]
        event["body"] = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        event["hash"] = before = sha256(event["body"].encode()).hexdigest()
    made.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    found = faults(check(made, "--json"))
    assert found[0] == ("proof", 4) and found[-1] == ("altered", None)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.999])
def test_a_cut_dossier_shows_what_is_left_and_where_it_ends(check: Check, made: Path, share: float) -> None:
    whole = made.read_bytes()
    made.write_bytes(whole[: int(len(whole) * share)])
    done = check(made, "--lang", "en")
    assert done.returncode == 1 and "the file is cut off after event" in done.stdout


def test_a_byte_lost_inside_one_event_names_that_event(check: Check, made: Path) -> None:
    lines = made.read_bytes().split(b"\n")
    first = next(number for number, line in enumerate(lines) if line.startswith(b'"events"')) + 1
    lines[first + 6] = lines[first + 6].replace(b'"place"', b'place"')
    made.write_bytes(b"\n".join(lines))
    assert faults(check(made, "--json"))[0] == ("unreadable", 7)


@pytest.mark.parametrize("kept", ["first", "middle", "last"])
def test_a_dropped_event_is_missed(check: Check, made: Path, kept: str) -> None:
    content = json.loads(made.read_bytes())
    place = {"first": 0, "middle": 5, "last": len(content["events"]) - 1}[kept]
    del content["events"][place]
    made.write_text(json.dumps(content), encoding="utf-8")
    assert faults(check(made, "--json"))[0] == ("missing", place + 1)


def test_changed_files_attachments_and_facts_are_found(check: Check, made: Path) -> None:
    whole = made.read_bytes()
    for change, code in (
        (lambda content: content["deployment"]["files"].update({"approval.bpmn": "<x/>"}), "file"),
        (lambda content: content["deployment"].update(number=2), "deployment"),
        (lambda content: content["attachments"].append({"name": "x", "sha256": "0" * 64}), "attachment"),
        (lambda content: content["case"].update(title="别的"), "altered"),
        (lambda content: content.pop("signature"), "unsigned"),
        (lambda content: content.pop("checkpoint"), "note"),
    ):
        content = json.loads(whole)
        change(content)
        made.write_text(json.dumps(content), encoding="utf-8")
        assert code in dict(faults(check(made, "--json"))), code
    made.write_bytes(whole)
    assert check(made).returncode == 0


def test_a_pdf_with_the_dossier_inside_is_checked_to_its_last_byte(check: Check, made: Path, tmp_path: Path) -> None:
    import zlib

    inside = zlib.compress(made.read_bytes())
    pdf = b"%PDF-1.7\n1 0 obj\n<< /Type /EmbeddedFile /Filter /FlateDecode >>\nstream\n" + inside
    sealed = sealed_pdf(pdf + b"\nendstream\nendobj\n%%EOF", "x", KEY)
    path = tmp_path / "dossier.pdf"
    path.write_bytes(sealed)
    done = check(path, "--lang", "en")
    assert done.returncode == 0, done.stdout
    assert "task.completed" in done.stdout
    path.write_bytes(sealed.replace(b"EmbeddedFile", b"EmbeddedLife"))
    assert faults(check(path, "--json")) == [("altered", None)]
    path.write_bytes(sealed[: sealed.index(b"%guiju")])
    assert faults(check(path, "--json")) == [("unsigned", None)]
    path.write_bytes(sealed.replace(b"stream", b"strean"))
    assert ("no_dossier", None) in faults(check(path, "--json"))


def test_published_checkpoints_hold_and_a_missing_one_shows(
    check: Check, engine: Engine, tmp_path: Path, clock: Any
) -> None:
    folder = tmp_path / "published"
    signer = Signer(engine, KEY, sinks=[Folder(folder)])
    for _ in range(4):
        review_of(engine)
        signer.run()
    assert check(folder).returncode == 0 and check(folder, key="").returncode == 0
    files = sorted(folder.glob("*/*.checkpoint"))
    assert len(files) == 4
    files[2].unlink()
    assert faults(check(folder, "--json"))[0][0] == "after"


def test_a_file_of_another_kind_is_refused_in_words(check: Check, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text("{}", encoding="utf-8")
    done = check(path, "--lang", "en")
    assert done.returncode == 1 and "neither a dossier nor an export" in done.stdout
    assert check(tmp_path / "nothing.json").returncode == 2


def test_nobody_without_the_key_can_make_one(check: Check, made: Path) -> None:
    content = json.loads(made.read_bytes())
    content.pop("signature")
    made.write_bytes(signed_file(content, SigningKey.make(KEY.name)))
    assert faults(check(made, "--json")) == [("whole_key", None)]
