"""The OpenAPI 3.1 document, written by the routes' own declarations."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import msgspec

from web.api.endpoint import Declared, declared
from web.bearer import SCOPES

_PLACE = re.compile(r"<(\w+)>")
_REASONS = {
    400: "The body is not the JSON asked for",
    401: "Not logged in",
    403: "Not permitted; `recused` says whether by recusal",
    404: "Not found, or not to be known",
    409: "It changed meanwhile: done, gone or taken by another",
    413: "Larger than the limit",
    415: "Not application/json",
    422: "Fields need correcting, each named in `fields`",
    429: "Too many attempts",
    503: "Cannot save right now; nothing was done",
}


@cache
def document() -> dict[str, Any]:
    """The whole document."""
    types = {repr(kind): kind for one in declared for kind in (one.body, one.answer) if kind is not None}
    schemas, components = msgspec.json.schema_components(
        types.values(), ref_template="#/components/schemas/{name}", schema_hook=lambda _kind: {"type": "string"}
    )
    refs = dict(zip(types, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in declared:
        path = "/api/v1" + _PLACE.sub(r"{\1}", one.path)
        paths.setdefault(path, {})[one.method.lower()] = _operation(one, refs)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "规矩 Guiju",
            "version": "1",
            "description": "Send a token made at /tokens as `Authorization: Bearer guiju_…`, or log in at POST "
            "/api/v1/session and send the cookie. POST bodies are application/json.",
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": _problem()},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "guiju"},
                "token": {"type": "http", "scheme": "bearer", "description": f"Made at /tokens. Scopes: {_scopes()}"},
            },
        },
        "security": [{"session": []}],
    }


def _scopes() -> str:
    return "; ".join(f"{name} ({said['en']})" for name, said in SCOPES.items())


def _operation(one: Declared, refs: dict[str, Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PLACE.findall(one.path)
    ]
    parameters += [
        {"name": name, "in": "query", "description": said, "schema": {"type": "string"}}
        for name, said in one.query.items()
    ]
    if one.keyed:
        said = "A repetition with the same key answers as the first time did, and does nothing"
        key = {"type": "string", "minLength": 1, "maxLength": 200}
        parameters.append({"name": "Idempotency-Key", "in": "header", "description": said, "schema": key})
    answer: dict[str, Any] = {"description": "OK"}
    if one.answer is not None:
        answer["content"] = {"application/json": {"schema": refs[repr(one.answer)]}}
    errors = set(one.errors) | ({400, 415} if one.body is not None else set()) | (set() if one.public else {401})
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    operation: dict[str, Any] = {
        "operationId": one.name,
        "summary": f"{one.summary['zh-CN']} · {one.summary['en']}",
        "responses": {
            str(one.status): answer,
            **{str(status): {"description": _REASONS[status], "content": problem} for status in sorted(errors)},
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if one.body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": refs[repr(one.body)]}}}
    if one.public:
        operation["security"] = []
    elif one.scope:
        operation["security"] = [{"session": []}, {"token": [one.scope]}]
    return operation


def _problem() -> dict[str, Any]:
    texts = {"type": "object", "additionalProperties": {"type": "string"}}
    return {
        "type": "object",
        "description": "RFC 9457. `title` is in the reader's language, `titles` in both.",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "titles": texts,
            "status": {"type": "integer"},
            "code": {"type": "string"},
            "recused": {"type": "boolean"},
            "about": {"type": "object"},
            "fields": {
                "type": "object",
                "additionalProperties": {"type": "object", "properties": {"text": {"type": "string"}, "texts": texts}},
            },
        },
    }
