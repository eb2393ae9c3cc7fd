"""Google's own discovery documents as judges of what is sent to a stand-in and what it answers.

They lie in the google-api-python-client wheel (development only).
"""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "array": (list,),
    "object": (dict,),
    "any": (object,),
}
_COMMON_QUERY = {"$alt", "alt", "$fields", "fields", "key", "prettyPrint", "$.xgafv", "quotaUser"}


class SchemaError(AssertionError):
    """A request or an answer that the service's own document does not allow."""


def documents_folder() -> Path | None:
    """Where the discovery documents are, or None when the wheel is not installed."""
    spec = importlib.util.find_spec("googleapiclient")
    return Path(str(spec.origin)).parent / "discovery_cache" / "documents" if spec else None


class Service:
    """One discovery document."""

    def __init__(self, name: str) -> None:
        folder = documents_folder()
        assert folder is not None, "pip install google-api-python-client"
        self.document: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
        self.methods: list[dict[str, Any]] = list(_methods(self.document))

    def method(self, verb: str, path: str) -> dict[str, Any] | None:
        """The method that serves this path, or None."""
        for method in self.methods:
            if method["httpMethod"] == verb and _matches(method, path.lstrip("/")):
                return method
        return None

    def check_request(self, method: dict[str, Any], query: dict[str, str], body: Any) -> None:
        known = set(method.get("parameters", {})) | _COMMON_QUERY
        unknown = sorted(set(query) - known)
        if unknown:
            raise SchemaError(f"{method['id']}: unknown query parameter {unknown[0]!r}")
        if "request" in method:
            self.check(method["request"]["$ref"], body or {})

    def check_answer(self, method: dict[str, Any], body: Any) -> None:
        if "response" in method:
            self.check(method["response"]["$ref"], body)

    def check(self, schema: str, value: Any) -> None:
        """Raise SchemaError where `value` is not of the named schema."""
        self._check({"$ref": schema}, value, schema)

    def _check(self, schema: dict[str, Any], value: Any, place: str) -> None:
        if "$ref" in schema:
            schema = self.document["schemas"][schema["$ref"]]
        kind = schema.get("type", "object")
        if kind == "string" and "enum" in schema:
            _check_enum(schema["enum"], value, place)
            return
        fits = isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))
        if not fits:
            raise SchemaError(f"{place} is {value!r}: expected {kind}")
        if kind == "array":
            for index, each in enumerate(value):
                self._check(schema["items"], each, f"{place}[{index}]")
        elif kind == "object":
            self._check_object(schema, value, place)

    def _check_object(self, schema: dict[str, Any], value: dict[str, Any], place: str) -> None:
        properties, rest = schema.get("properties", {}), schema.get("additionalProperties")
        for name, each in value.items():
            if name in properties:
                if properties[name].get("readOnly") and each is None:
                    raise SchemaError(f"{place}.{name} is null")
                self._check(properties[name], each, f"{place}.{name}")
            elif rest is not None:
                self._check(rest, each, f"{place}.{name}")
            else:
                raise SchemaError(f"{place} has unknown {name!r}: expected some of {', '.join(sorted(properties))}")


def _check_enum(allowed: list[str], value: Any, place: str) -> None:
    """By name, or by number as the client libraries send it."""
    fits = 0 <= value < len(allowed) if isinstance(value, int) else value in allowed
    if not fits:
        raise SchemaError(f"{place} is {value!r}: expected one of {', '.join(allowed)}")


def _methods(node: dict[str, Any]) -> Any:
    yield from node.get("methods", {}).values()
    for child in node.get("resources", {}).values():
        yield from _methods(child)


def _matches(method: dict[str, Any], path: str) -> bool:
    pattern = re.sub(r"\\\{[^}]+\\\}", "[^/:]+", re.escape(method.get("flatPath", method["path"])))
    return re.fullmatch(pattern, path) is not None
