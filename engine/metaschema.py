"""The meta-schema of JSON Schema 2020-12 as one schema, to check forms quickly when they are deployed.

The published one spreads the same rules over seven vocabularies bound together by dynamic references, which cost more
to follow than to apply: a hundred forms took as long as everything else in a deployment. Here their rules stand side
by side and a subschema refers to the whole. The rules themselves are the published ones, read from the package.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

DRAFT = "https://json-schema.org/draft/2020-12/"
VOCABULARIES = ("core", "applicator", "unevaluated", "validation", "meta-data", "format-annotation", "content")


def first_problem(schema: Any) -> ValidationError | None:
    """Where a schema breaks the meta-schema, or None."""
    found = next(iter(_checker().iter_errors(schema)), None)
    return found if isinstance(found, ValidationError) else None


@cache
def _checker() -> Draft202012Validator:
    properties: dict[str, Any] = {}
    definitions: dict[str, Any] = {}
    for name in VOCABULARIES:
        rules = REGISTRY.contents(f"{DRAFT}meta/{name}")
        assert isinstance(rules, Mapping)
        definitions.update(rules.get("$defs", {}))
        properties.update(rules.get("properties", {}))
    whole = {"type": ["object", "boolean"], "properties": properties, "$defs": definitions}
    flat: Any = _flat(whole)
    return Draft202012Validator(flat)


def _flat(node: Any) -> Any:
    """The rules with every dynamic reference to the meta-schema turned into a plain one to the whole."""
    if isinstance(node, Mapping):
        if "$dynamicRef" in node and isinstance(node["$dynamicRef"], str):
            return {"$ref": "#", **{key: _flat(value) for key, value in node.items() if key != "$dynamicRef"}}
        return {key: _flat(value) for key, value in node.items()}
    return [_flat(each) for each in node] if isinstance(node, list) else node
