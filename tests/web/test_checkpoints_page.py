"""What auditors and administrators see of the evidence, and what they take away to check it elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from engine import Engine, Signer, SigningKey
from engine.models import tree_head
from engine.publishing import Folder
from web import Config, create_app
from web.signing import signer_of

Browse = Callable[[str | None], Any]


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    made = SigningKey.make("guiju.example")
    made.save(tmp_path / "signing.key")
    return made


@pytest.fixture
def config(tmp_path: Path, key: SigningKey) -> Config:
    return Config(
        secret_key="k" * 32,
        login_rate="1000 per minute",
        trusted_hosts=("localhost", "127.0.0.1"),
        signing_key=str(tmp_path / "signing.key"),
        checkpoint_folder=str(tmp_path / "published"),
    )


@pytest.fixture
def signer(engine: Engine, config: Config) -> Signer:
    made = signer_of(engine, config)
    assert made is not None
    return made


def test_the_page_says_what_is_signed_where_it_went_and_how_to_check(
    browse: Browse, loan: Any, signer: Signer, tmp_path: Path, key: SigningKey
) -> None:
    auditor = browse("jianchigui")
    assert "还没有检查点" in auditor.get("/audit/checkpoints").text
    newest = signer.run()
    assert newest is not None
    page = auditor.get("/audit/checkpoints").text
    assert f"全部 {newest.size} 个事件都已签名" in page and str(tmp_path / "published") in page and "正常" in page
    assert newest.note.splitlines()[2] in page and key.public in page
    assert auditor.get("/audit/checkpoints/newest").text == newest.note
    assert auditor.get("/audit/key").text == f"{key.public}\n"
    assert "还没有检查点" not in browse("sushujia").get("/audit/checkpoints").text
    assert browse("taochouti").get("/audit/checkpoints/newest").status_code == 403


def test_the_verifier_is_handed_out_as_it_stands(browse: Browse) -> None:
    answer = browse("taochouti").get("/audit/verifier")
    assert answer.headers["Content-Disposition"] == "attachment; filename=guiju_verify.py"
    assert "attachment" in answer.headers["Content-Disposition"]
    source = Path(__file__).resolve().parents[2] / "verifier" / "guiju_verify.py"
    assert answer.data == source.read_bytes()
    answer.close()


def test_what_waits_and_what_stopped_signing_is_said(
    browse: Browse, engine: Engine, loan: Any, signer: Signer, tmp_path: Path
) -> None:
    signer.run()
    engine.claim(loan.tasks[0], by="taochouti")
    assert "个事件等待签名" in browse("jianchigui").get("/audit/checkpoints").text
    fault = {"code": "x", "message": {"zh-CN": "历史被改写", "en": "rewritten"}, "at": "2026-11-09T01:00:00.000000Z"}
    engine.db.write(lambda connection: connection.execute(tree_head.update().values(fault=fault)))
    page = browse("sushujia").get("/audit/checkpoints").text
    assert "签名已停止：历史被改写" in page


def test_without_a_key_nothing_is_promised(engine: Engine, loan: Any) -> None:
    config = Config(secret_key="k" * 32, trusted_hosts=("localhost", "127.0.0.1"))
    assert signer_of(engine, config) is None
    assert create_app(config, engine=engine).test_client().get("/livez").status_code == 200


def test_metrics_tell_how_far_the_evidence_is_behind(app: Flask, loan: Any, signer: Signer, clock: Any) -> None:
    client = app.test_client()
    before = client.get("/metrics").text
    assert "guiju_checkpoint_age_seconds NaN" in before and "guiju_events_unsigned 0.0" not in before
    signer.run()
    clock.advance(seconds=7)
    after = client.get("/metrics").text
    assert "guiju_checkpoint_age_seconds 7.0" in after and "guiju_events_unsigned 0.0" in after
    assert "guiju_signing_stopped 0.0" in after


def test_a_folder_that_cannot_be_written_is_shown_as_failing(
    browse: Browse, engine: Engine, loan: Any, key: SigningKey, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    Signer(engine, key, sinks=[Folder(tmp_path / "file" / "below")]).run()
    assert "失败，会自动重试" in browse("jianchigui").get("/audit/checkpoints").text
