"""The OpenAPI 3.1 document of the function; the same on every cloud. Imported only when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import errors, payload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.manifest import Features
    from core.wire import Json

_NUMBER_MS: Json = {"type": "number", "minimum": 0}
_TEXT: Json = {"type": "string", "minLength": 1}


def document(*, models: Mapping[str, Features | None], labels: int, max_body_bytes: int) -> Json:
    """Describe the function with these models loaded: what each takes if not images, and the most labels of one."""
    classify = _classify(models)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Tripoint image classifier",
            "version": "1.0.0",
            "description": f"One {_noun(models)} in, labels with scores out. "
            "The same document, paths and errors on every cloud."
            f" A body may have {max_body_bytes} bytes; the platform's own limit may be lower.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {
            "/": {"post": classify | {"operationId": "classifyAtRoot"}},
            "/classify": {"post": classify | {"operationId": "classify"}},
            "/health": _get("health", "Whether the model is loaded", "Health"),
            "/model": _get("model", "The model that is served", "Model"),
            "/openapi.json": _get("openapi", "This document", None),
        },
        "components": {"schemas": _schemas(models, labels), "headers": _headers()},
    }


def leaves(root: type[errors.TripointError] = errors.TripointError) -> list[type[errors.TripointError]]:
    """Every kind of error, in the order of the source."""
    found = root.__subclasses__()
    return [leaf for child in found for leaf in ([child, *leaves(child)])]


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(description: str, schema: Json) -> Json:
    headers: Json = {name: {"$ref": f"#/components/headers/{name}"} for name in _headers()}
    return {"description": description, "headers": headers, "content": {"application/json": {"schema": schema}}}


def _refusals(statuses: set[int]) -> Json:
    """One entry per status, naming the codes that it stands for."""
    codes = {status: [leaf.code for leaf in leaves() if leaf.status == status] for status in sorted(statuses)}
    return {str(status): _answer(", ".join(named), _ref("Error")) for status, named in codes.items()}


def _noun(models: Mapping[str, Features | None]) -> str:
    takes = {features is None for features in models.values()}
    return {frozenset({True}): "image", frozenset({False}): "feature vector"}.get(
        frozenset(takes), "image or feature vector"
    )


def _classify(models: Mapping[str, Features | None]) -> Json:
    image: Json = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    images = None in models.values()
    return {
        "summary": f"Classify one {_noun(models)}",
        "description": "Send the bytes of the image, or JSON. Without a content type, what begins with { is JSON."
        if images
        else "Send JSON. Without a content type, what begins with { is JSON.",
        "parameters": [
            {"name": "top_k", "in": "query", "required": False, "schema": _top_k()},
            {"name": "model", "in": "query", "required": False, "schema": {"type": "string", "enum": list(models)}},
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": _ref("Question")},
                **({"application/octet-stream": image, "image/*": image} if images else {}),
            },
        },
        "responses": {"200": _answer("Labels with scores, best first", _ref("Answer"))}
        | _refusals({400, 403, 413, 415, 422, 500}),
    }


def _get(operation: str, summary: str, schema: str | None) -> Json:
    body: Json = _ref(schema) if schema else {"type": "object", "required": ["openapi"]}
    return {"get": {"operationId": operation, "summary": summary, "responses": {"200": _answer(summary, body)}}}


def _top_k() -> Json:
    return {"type": "integer", "minimum": 1, "maximum": payload.MAX_TOP_K, "default": payload.TOP_K}


def _record(required: Json, optional: Json | None = None) -> Json:
    """An object with exactly these fields."""
    properties = required | (optional or {})
    return {
        "type": "object", "required": list(required), "properties": properties, "additionalProperties": False
    }  # fmt: skip


def _schemas(models: Mapping[str, Features | None], labels: int) -> Json:
    timings: Json = {f"{name}_ms": _NUMBER_MS for name in ("decode", "preprocess", "inference", "total")}
    identity: Json = {name: _TEXT for name in ("name", "version", "variant", "runtime")}
    return {
        "Question": _question(models),
        "Answer": _record(
            {
                "predictions": {"type": "array", "minItems": 1, "maxItems": labels, "items": _ref("Prediction")},
                "model": _record(identity),
                "timings": _record(timings, {"download_ms": _NUMBER_MS}),
                "instance": _ref("Instance"),
            }
        ),
        "Prediction": _record({"label": _TEXT, "score": {"type": "number"}}),
        "Instance": _instance(),
        "Error": _record({"error": _error()}),
        "Health": _record({"status": {"const": "ok"}, "model": _record(identity)}),
        "Model": {"type": "object", "required": [*identity, "labels", "input", "output", "sha256"]},
    }


def _question(models: Mapping[str, Features | None]) -> Json:
    """Exactly one of the ways to ask; null stands for a field that is left out."""
    url: Json = {"type": "string", "minLength": 1, "maxLength": 2048, "description": "http or https, a public host"}
    image: Json = {"type": "string", "minLength": 1, "contentEncoding": "base64", "description": "the encoded image"}
    ways = [("url", url), ("image", image)] if None in models.values() else []
    images = [_way(name, schema, models) for name, schema in ways]
    vectors = [_way("features", _features(each), models) for each in models.values() if each]
    return {"anyOf" if len(vectors) > 1 else "oneOf": [*images, *vectors]}


def _way(name: str, schema: Json, models: Mapping[str, Features | None]) -> Json:
    """One way to ask, with the options that go with each."""
    others: Json = {other: {"type": "null"} for other in payload.GIVEN if other != name}
    model: Json = {"type": ["string", "null"], "enum": [*models, None]}
    return _record({name: schema}, {"top_k": _top_k() | {"type": ["integer", "null"]}, "model": model, **others})


def _features(features: Features) -> Json:
    """The two spellings of one model's feature vector."""
    number: Json = {"type": ["number", "null"] if features.missing else "number"}
    count = len(features.names)
    in_order: Json = {"type": "array", "minItems": count, "maxItems": count, "items": number}
    return {"oneOf": [in_order, _record({name: number for name in features.names})]}


def _error() -> Json:
    codes = sorted({leaf.code for leaf in leaves()})
    return _record({"code": {"enum": codes}, "status": {"type": "integer"}, "message": _TEXT})


def _instance() -> Json:
    start: Json = {"type": "number"}
    return _record(
        {
            "instance": _TEXT,
            "request_number": {"type": "integer", "minimum": 1},
            "since_ready_ms": {"type": "number"},
            "process_start_unix_s": {"type": ["number", "null"]},
            "platform": {"type": ["string", "null"]},
            "init_start_unix_s": start,
            "init_ms": _NUMBER_MS,
            "imports_ms": _NUMBER_MS,
            "model_load_ms": _NUMBER_MS,
        }
    )


def _headers() -> Json:
    return {
        "server-timing": {"description": "W3C Server Timing: where the time went, in ms", "schema": _TEXT},
        "x-tripoint-instance": {
            "description": "<instance>;number=<request in this instance>;since_ready_ms=...: evidence for cold",
            "schema": _TEXT,
        },
    }
