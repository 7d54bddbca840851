"""A route that declares itself once: what it takes and answers runs the request and writes the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar

import msgspec
from flask import Blueprint, Response, request

from engine.errors import Denied, GuijuError, Text
from web import current
from web.security import csrf

JSON = "application/json"
bp = Blueprint("api", __name__, url_prefix="/api/v1")
_encoder = msgspec.json.Encoder(enc_hook=lambda value: value.decode() if isinstance(value, bytes) else str(value))


class OutOfScope(Denied):
    """The token may not do this; its owner may."""

    code = "token_scope"
    text: ClassVar[Text] = {
        "zh-CN": "该令牌没有「{scope}」权限",
        "en": "The token does not have the permission “{scope}”",
    }


class BadBody(GuijuError):
    """The request's body is not the JSON this route takes."""

    status = 400
    code = "bad_body"
    text: ClassVar[Text] = {
        "zh-CN": "请求内容不是这里要的 JSON：{reason}",
        "en": "The body is not the JSON asked for here: {reason}",
    }


class WrongType(GuijuError):
    """A POST must be application/json: a form on another site can send anything but that."""

    status = 415
    code = "json_only"
    text: ClassVar[Text] = {
        "zh-CN": "请用 Content-Type: application/json 提交",
        "en": "Send Content-Type: application/json",
    }


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One route as it was declared."""

    method: str
    path: str
    name: str
    summary: Text
    body: Any
    answer: Any
    status: int
    query: dict[str, str]
    keyed: bool
    public: bool
    scope: str
    errors: tuple[int, ...]


declared: list[Declared] = []


def endpoint(
    method: str,
    path: str,
    summary: Text,
    *,
    body: Any = None,
    answer: Any = None,
    status: int = 200,
    query: dict[str, str] | None = None,
    keyed: bool = False,
    public: bool = False,
    scope: str = "",
    errors: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Register a view. With `body` it is called with the decoded struct first; what it returns is encoded as JSON.

    `scope`: what a token must be allowed to call it, by default `read` for a GET; without one no token may.
    """
    scope = scope or ("read" if method == "GET" else "")
    decoder = msgspec.json.Decoder(body) if body is not None else None

    def decorate(view: Callable[..., Any]) -> Callable[..., Response]:
        @wraps(view)
        def answered(**arguments: Any) -> Response:
            granted = None if public else current.scopes()
            if granted is not None and scope not in granted:
                raise OutOfScope(scope=scope or "session")
            if decoder is not None:
                found = view(_decode(decoder), **arguments)
            else:
                if method == "POST":
                    _require_json()
                found = view(**arguments)
            return Response(_encoder.encode(found) if status != 204 else b"", status, content_type=JSON)

        answered.is_public = public  # type: ignore[attr-defined]
        csrf.exempt(answered)  # JSON content type and same origin stand in for the token, see `_require_json`
        bp.add_url_rule(path, endpoint=view.__name__, view_func=answered, methods=[method])
        declared.append(
            Declared(
                method=method,
                path=path,
                name=view.__name__,
                summary=summary,
                body=body,
                answer=answer,
                status=status,
                query=query or {},
                keyed=keyed,
                public=public,
                scope=scope,
                errors=errors,
            )
        )
        return answered

    return decorate


def idempotency_key() -> str | None:
    """The request's Idempotency-Key, or None."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 200:
        raise BadBody(reason="Idempotency-Key 1…200")
    return key


def _require_json() -> None:
    if request.mimetype != JSON:
        raise WrongType


def _decode(decoder: msgspec.json.Decoder[Any]) -> Any:
    _require_json()
    try:
        return decoder.decode(request.get_data())
    except msgspec.DecodeError as error:
        raise BadBody(reason=str(error)) from error
    except UnicodeDecodeError as error:
        raise BadBody(reason="UTF-8") from error
    except RecursionError as error:
        raise BadBody(reason="[[[[…") from error


__all__ = ["BadBody", "Declared", "OutOfScope", "WrongType", "bp", "declared", "endpoint", "idempotency_key"]
