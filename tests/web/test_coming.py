"""What the clock will start, on a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from engine import Engine, Schedule

Browse = Callable[[str | None], Any]


def test_what_is_coming_is_listed_for_those_it_concerns(engine: Engine, browse: Browse) -> None:
    def weekly(name: str, **more: Any) -> Schedule:
        first = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
        return Schedule(name=name, process="sample_loan", every="P1W", first=first, **more)

    engine.schedules = lambda _: [
        weekly("patrol", title={"zh-CN": "样品清点", "en": "Stocktaking"}),
        weekly("secret", title={"zh-CN": "密码更新", "en": "Rotation"}, viewers=("keepers",)),
    ]
    engine.refresh_schedules()
    page = browse("michuangdian").get("/coming").text
    assert "样品清点" in page and "密码更新</th>" not in page and "2026" in page
    assert "密码更新</th>" in browse("taochouti").get("/coming").text
    assert "Stocktaking" in browse("michuangdian").get("/coming", headers={"Accept-Language": "en"}).text
    assert "/coming" in browse("michuangdian").get("/start").text
