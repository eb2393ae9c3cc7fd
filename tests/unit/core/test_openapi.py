"""The OpenAPI document says what the service does: every answer is checked against it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from core import errors, openapi
from core.wire import Request, Response
from tests.kits.core import encoded, new_service, picture

PNG = encoded(picture())
BASE64 = base64.b64encode(PNG).decode()
SERVICE_PATHS = ("/", "/classify", "/health", "/model", "/openapi.json")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = new_service().infer(Request("GET", "/openapi.json")).document
    return found


def complaint(document: dict[str, Any], schema: dict[str, Any], value: object) -> str:
    """What speaks against `value`, or nothing."""
    checker = pytest.importorskip("jsonschema_rs", reason="schemathesis is not installed")
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "components": document["components"],
    }
    found = list(checker.validator_for(whole).iter_errors(value))
    return "; ".join(str(error) for error in found)


def check(document: dict[str, Any], request: Request, response: Response) -> None:
    """Compare one answer with the document, its headers too."""
    operation = document["paths"][request.path][request.method.lower()]
    described = operation["responses"][str(response.status)]
    assert not complaint(document, described["content"]["application/json"]["schema"], json.loads(response.body))
    assert set(described["headers"]) <= set(response.headers)


@pytest.mark.parametrize(
    "request_",
    [
        Request("POST", "/", {}, {"content-type": "image/png"}, PNG),
        Request("POST", "/classify", {"top_k": "1"}, {}, PNG),
        Request("POST", "/", {}, {}, json.dumps({"image": BASE64, "top_k": 3, "model": "clothes"}).encode()),
        Request("POST", "/", {}, {}, b""),
        Request("POST", "/", {}, {}, b"{"),
        Request("POST", "/", {}, {}, b"text"),
        Request("POST", "/", {"top_k": "x"}, {}, PNG),
        Request("POST", "/", {}, {}, b"x" * 10_000_001),
        Request("POST", "/", {}, {}, b'{"url":"http://127.0.0.1/"}'),
        Request("POST", "/", {}, {"content-encoding": "gzip"}, PNG),
        Request("GET", "/health"),
        Request("GET", "/model"),
        Request("GET", "/openapi.json"),
    ],
    ids=lambda request: f"{request.method} {request.path} {request.body[:12]!r}",
)
def test_every_answer_is_as_described(request_: Request, document: dict[str, Any]) -> None:
    check(document, request_, new_service().infer(request_))


def test_every_path_is_described_and_no_other(document: dict[str, Any]) -> None:
    assert tuple(document["paths"]) == SERVICE_PATHS
    service = new_service()
    for path, operations in document["paths"].items():
        for method in operations:
            assert service.infer(Request(method.upper(), path)).status != 404
    assert service.infer(Request("GET", "/docs")).status == 404


def test_every_kind_of_error_is_described(document: dict[str, Any]) -> None:
    described = document["components"]["schemas"]["Error"]["properties"]["error"]["properties"]["code"]["enum"]
    codes = [leaf.code for leaf in openapi.leaves()]
    assert sorted(codes) == described
    assert len(codes) == len(set(codes)), "a code belongs to one kind of error"
    assert {"body_too_large", "url_refused", "internal"} <= set(described)


def test_the_codes_of_a_status_are_named_with_it(document: dict[str, Any]) -> None:
    responses = document["paths"]["/"]["post"]["responses"]
    for leaf in (errors.BodyTooLarge, errors.BrokenImage, errors.FetchFailed, errors.UnsupportedMedia):
        assert leaf.code in responses[str(leaf.status)]["description"]


@pytest.mark.parametrize(
    ("question", "good"),
    [
        ({"url": "https://example.com/a.jpg"}, True),
        ({"image": BASE64, "top_k": 5}, True),
        ({}, False),
        ({"url": "https://example.com", "image": BASE64}, False),
        ({"url": "https://example.com", "extra": 1}, False),
        ({"image": BASE64, "top_k": 0}, False),
        ({"image": BASE64, "model": "other"}, False),
        ({"image": BASE64, "model": None, "top_k": None, "url": None}, True),
        ({"image": BASE64, "features": [1]}, False),
        ({"features": [1]}, False),
    ],
)
def test_the_schema_of_a_question_and_the_service_agree(
    question: dict[str, Any], good: bool, document: dict[str, Any]
) -> None:
    schema = {"$ref": "#/components/schemas/Question"}
    assert (not complaint(document, schema, question)) == good
    headers = {"content-type": "application/json"}
    answer = new_service(TRIPOINT_FETCH="off").infer(Request("POST", "/", {}, headers, json.dumps(question).encode()))
    assert (answer.status in (200, 403)) == good


def test_the_document_names_the_loaded_models_and_their_labels(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Question"]["oneOf"][0]["properties"]["model"]["enum"] == ["clothes", None]
    assert schemas["Answer"]["properties"]["predictions"]["maxItems"] == 10
