"""Logging in and out, and what a stranger gets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from engine import Engine
from engine.errors import GuijuError
from web import Config, create_app, sessions

Browse = Callable[[str | None], Any]


def sessions_in(engine: Engine) -> list[Any]:
    with engine.db.read() as connection:
        return list(connection.execute(sa.text("SELECT * FROM web_sessions")))


def test_a_stranger_is_sent_to_the_login_page_and_back_after_it(browse: Browse) -> None:
    browser = browse(None)
    sent = browser.get("/registers/account?status=active")
    assert sent.status_code == 303
    assert sent.location == "/login?next=/registers/account?status%3Dactive"
    page = browser.get(sent.location).text
    assert re.findall(r'name="next" value="([^"]+)"', page)[-1] == "/registers/account?status=active"


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(browse: Browse) -> None:
    answers = [browse(None).login(name, "wrong") for name in ("michuangdian", "nobody")]
    assert [answer.status_code for answer in answers] == [422, 422]
    assert all("用户名或密码不对" in answer.text for answer in answers)


def test_a_password_is_checked_even_for_people_who_do_not_exist(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = sessions._hasher

    class Watching:
        def verify(self, known: str, password: str) -> bool:
            checked.append(known)
            return real.verify(known, password)

    monkeypatch.setattr(sessions, "_hasher", Watching())
    assert not sessions.check_password(engine.db, "nobody", "x")
    assert checked and checked[0].startswith("$argon2id$")


def test_a_login_rotates_the_session_and_leaves_only_a_hash_in_the_table(browse: Browse, engine: Engine) -> None:
    browser = browse("michuangdian")
    first = browser.client.get_cookie("guiju").value
    [row] = sessions_in(engine)
    assert row.username == "michuangdian"
    browser.login("michuangdian")
    second = browser.client.get_cookie("guiju").value
    [after] = sessions_in(engine)
    assert second != first and after.token_hash != row.token_hash
    with browser.client.session_transaction() as kept:
        assert kept["token"] not in str(after)


def test_logging_out_kills_the_session_even_for_a_kept_cookie(browse: Browse, engine: Engine) -> None:
    browser = browse("michuangdian")
    kept = browser.client.get_cookie("guiju").value
    assert browser.post("/logout").status_code == 303
    assert sessions_in(engine) == []
    browser.client.set_cookie("guiju", kept)
    assert browser.get("/inbox").status_code == 303


def test_a_session_ends_when_unused_and_at_its_age(browse: Browse, clock: Any) -> None:
    browser = browse("michuangdian")
    for _ in range(5):
        clock.advance(hours=4)
        assert browser.get("/inbox").status_code == 200
    clock.advance(hours=4)
    assert browser.get("/inbox").status_code == 303  # 24 hours old, though used every four
    idle = browse("michuangdian")
    clock.advance(hours=8, minutes=1)
    assert idle.get("/inbox").status_code == 303


def test_being_seen_is_written_at_most_once_a_minute(browse: Browse, engine: Engine, clock: Any) -> None:
    browser = browse("michuangdian")
    before = sessions_in(engine)[0].last_seen_at
    clock.advance(seconds=40)
    browser.get("/inbox")
    assert sessions_in(engine)[0].last_seen_at == before
    clock.advance(seconds=40)
    browser.get("/inbox")
    assert sessions_in(engine)[0].last_seen_at > before


def test_a_new_password_ends_every_session_of_its_owner(browse: Browse, engine: Engine) -> None:
    browser = browse("michuangdian")
    sessions.set_password(engine.db, "michuangdian", "another-one")
    assert browser.get("/inbox").status_code == 303
    assert browser.login("michuangdian", "another-one").status_code == 303


def test_too_many_attempts_are_slowed_down(engine: Engine) -> None:
    config = Config(secret_key="k" * 32, login_rate="3 per minute", trusted_hosts=("localhost",))
    app = create_app(config, engine=engine)
    answers = [app.test_client().post("/api/v1/session", json={"username": "x", "password": "y"}) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [422, 422, 422, 429]
    assert answers[3].get_json()["code"] == "too_many"


@pytest.mark.parametrize("bad", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x=1"])
def test_a_login_never_leads_to_another_site(browse: Browse, bad: str) -> None:
    answer = browse(None).post("/login", {"username": "michuangdian", "password": "walnut-and-brass", "next": bad})
    assert answer.location == "/inbox"


def test_cookies_are_closed_to_scripts_and_bound_to_the_host_over_https(app: Flask, engine: Engine) -> None:
    secure = create_app(
        Config(secret_key="k" * 32, public_url="https://guiju.example", trusted_hosts=("guiju.example",)), engine=engine
    )
    answer = secure.test_client().get("/login", base_url="https://guiju.example")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("__Host-guiju=")
    assert all(part in cookie for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"))
    assert "max-age=31536000" in answer.headers["Strict-Transport-Security"]
    plain = app.test_client().get("/login").headers["Set-Cookie"]
    assert plain.startswith("guiju=") and "HttpOnly" in plain and "SameSite=Lax" in plain


def test_there_is_no_secret_by_default_outside_the_demo() -> None:
    with pytest.raises(GuijuError, match="GUIJU_SECRET_KEY"):
        Config.from_environment({})
    with pytest.raises(GuijuError, match="GUIJU_SECRET_KEY"):
        Config.from_environment({"GUIJU_SECRET_KEY": "short", "GUIJU_DEMO": "1"})
    assert len(Config.from_environment({}, demo=True).secret_key) >= 32
    with pytest.raises(GuijuError, match="GUIJU_SESSION_IDLE_MINUTES"):
        Config.from_environment({"GUIJU_DEMO": "1", "GUIJU_SESSION_IDLE_MINUTES": "soon"})


def test_only_the_demo_lists_who_can_log_in(engine: Engine, browse: Browse) -> None:
    assert "演示公司：选一个人登录" not in browse(None).get("/login").text
    demo = create_app(Config(secret_key="k" * 32, demo=True, trusted_hosts=("localhost",)), engine=engine)
    assert "演示公司：选一个人登录" in demo.test_client().get("/login").text
