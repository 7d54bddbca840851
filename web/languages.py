"""Chinese and English. Pages are written in Chinese; the English catalogue is read as it is, without a compile step."""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations
from flask import Flask, current_app, g, has_request_context, request
from flask_babel import Babel, Domain

LANGUAGES = {"zh-CN": "中文", "en": "English"}
COOKIE = "guiju_lang"
CATALOGUE = Path(__file__).parent / "translations" / "en" / "LC_MESSAGES" / "messages.po"
_LOCALES = {"zh-CN": "zh_CN", "en": "en"}


def language() -> str:
    """`zh-CN` or `en`: what the reader chose, else what the browser asks for, else Chinese."""
    if not has_request_context():
        return "zh-CN"
    chosen: str | None = g.get("language")
    if chosen is None:
        chosen = request.cookies.get(COOKIE, "")
        if chosen not in LANGUAGES:
            best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh-CN")
            chosen = "en" if best == "en" else "zh-CN"
        g.language = chosen
    return chosen


def text(texts: Mapping[str, str] | str | None) -> str:
    """The sentence in the reader's language, from {"zh-CN": …, "en": …}."""
    if isinstance(texts, str):
        return texts
    if not texts:
        return ""
    return texts.get(language()) or texts.get("zh-CN") or next(iter(texts.values()), "")


def gettext(message: str, **values: Any) -> str:
    """The message, written in Chinese, in the reader's language."""
    said = _catalogue().gettext(message)
    return said % values if values else str(said)


def ngettext(one: str, many: str, num: int) -> str:
    """The same for a message whose English depends on the number."""
    return str(_catalogue().ngettext(one, many, num)) % {"num": num}


class _Catalogues(Domain):  # type: ignore[misc]  # untyped library
    """Messages are Chinese already; English comes from the .po file."""

    def get_translations(self) -> NullTranslations:
        return _catalogue()


class _Languages(Babel):  # type: ignore[misc]
    domain_instance = _Catalogues()


_CHINESE = NullTranslations()


def _catalogue() -> NullTranslations:
    return english() if language() == "en" else _CHINESE


@cache
def english() -> Translations:
    """The English catalogue, read when the first reader of English comes: it is not needed to start."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="en")
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def install(app: Flask) -> None:
    """Wire the languages into the application and its templates."""
    _Languages(app, default_locale="zh_CN", locale_selector=lambda: _LOCALES[language()])
    # straight to the catalogue: the way through the extension's contexts cost as much as the rest of a row
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda message: _catalogue().gettext(message),
        ngettext=lambda one, many, num: _catalogue().ngettext(one, many, num),
        newstyle=True,
    )
    app.jinja_env.globals.update(language=language, LANGUAGES=LANGUAGES)
    app.jinja_env.filters["t"] = text


def remember(response: Any, chosen: str) -> None:
    """Keep the reader's choice for a year."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(COOKIE, chosen, max_age=365 * 86400, httponly=True, secure=secure, samesite="Lax")


__all__ = ["COOKIE", "LANGUAGES", "gettext", "install", "language", "ngettext", "remember", "text"]
