"""Lambda events in, Lambda answers out."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from adapters.aws.translate import decode, encode, shape
from core.wire import Response

OK = Response(200, '{"predictions":[{"label":"hat","score":0.9},{"label":"shoes","score":0.1}]}', {"a": "b"})
WRONG = Response(400, '{"error":{"code":"bad_json","status":400,"message":"…"}}')


def http_2(**fields: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"version": "2.0", "rawPath": "/", "rawQueryString": "", "headers": {}}
    event["requestContext"] = {"http": {"method": "POST"}, "stage": "$default"}
    return event | fields


def rest(**fields: Any) -> dict[str, Any]:
    event: dict[str, Any] = {"httpMethod": "POST", "path": "/classify", "headers": {"Content-Type": "image/jpeg"}}
    event["requestContext"] = {"path": "/prod/classify", "stage": "prod"}
    return event | fields


def balancer(**fields: Any) -> dict[str, Any]:
    return rest(requestContext={"elb": {"targetGroupArn": "arn"}}) | fields


def test_a_function_url_carries_method_path_query_headers_and_binary_body() -> None:
    event = http_2(
        rawPath="/classify",
        rawQueryString="top_k=2&model=a%20b&top_k=3",
        headers={"Content-Type": "image/jpeg"},
        body=base64.b64encode(b"\xff\xd8").decode(),
        isBase64Encoded=True,
    )
    request = decode(event)
    assert (request.method, request.path, request.body) == ("POST", "/classify", b"\xff\xd8")
    assert request.query == {"top_k": "3", "model": "a b"}
    assert request.headers == {"content-type": "image/jpeg"}


@pytest.mark.parametrize(
    ("raw", "stage", "path"),
    [
        ("/prod/classify", "prod", "/classify"),
        ("/prod", "prod", "/"),
        ("/product", "prod", "/product"),
        ("/classify", "$default", "/classify"),
        ("", "$default", "/"),
    ],
)
def test_the_stage_of_an_http_api_is_taken_off_the_path(raw: str, stage: str, path: str) -> None:
    event = http_2(rawPath=raw, requestContext={"http": {"method": "GET"}, "stage": stage})
    assert decode(event).path == path


def test_a_rest_api_leaves_the_stage_off_its_path_already() -> None:
    assert decode(rest()).path == "/classify"
    staged = rest(path="/prod/prod", requestContext={"path": "/prod/prod/prod", "stage": "prod"})
    assert decode(staged).path == "/prod/prod", "a path that looks like the stage stays"


def test_an_http_api_with_payload_1_leaves_the_stage_on() -> None:
    event = rest(path="/prod/classify", requestContext={"path": "/prod/classify", "stage": "prod"})
    assert decode(event).path == "/classify"


def test_the_last_of_several_values_counts() -> None:
    event = rest(
        queryStringParameters={"top_k": "1"},
        multiValueQueryStringParameters={"top_k": ["2", "3"]},
        multiValueHeaders={"Content-Type": ["text/plain", "image/png"]},
    )
    assert decode(event).query == {"top_k": "3"}
    assert decode(event).headers == {"content-type": "image/png"}


def test_nulls_of_a_rest_api_are_nothing() -> None:
    event = rest(queryStringParameters=None, multiValueQueryStringParameters=None, body=None, headers=None)
    assert (decode(event).query, decode(event).headers, decode(event).body) == ({}, {}, b"")


def test_a_load_balancers_query_is_percent_decoded_and_a_rest_apis_is_not() -> None:
    query = {"model": "a%20b"}
    assert decode(balancer(queryStringParameters=query)).query == {"model": "a b"}
    assert decode(rest(queryStringParameters=query)).query == {"model": "a%20b"}


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        (http_2(), "http-2.0"),
        (rest(), "http-1.0"),
        (balancer(), "alb"),
        ({"url": "https://example.org/a.jpg"}, "direct"),
        ({"version": "2.0", "url": "…"}, "direct"),
        ([1, 2], "direct"),
        (None, "direct"),
    ],
)
def test_the_sender_of_an_event_is_known_by_its_shape(event: Any, kind: str) -> None:
    assert shape(event) == kind


def test_a_direct_invocation_becomes_a_json_request_for_all_labels() -> None:
    request = decode({"url": "https://example.org/a.jpg"})
    assert (request.method, request.path) == ("POST", "/classify")
    assert request.headers["content-type"] == "application/json"
    assert json.loads(request.body) == {"url": "https://example.org/a.jpg", "top_k": 1000}
    assert json.loads(decode({"image": "aGk=", "top_k": 1}).body)["top_k"] == 1


def test_a_direct_invocation_is_answered_with_the_bare_mapping_or_the_error_document() -> None:
    event = {"url": "https://example.org/a.jpg"}
    assert encode(OK, event) == {"hat": 0.9, "shoes": 0.1}
    assert encode(WRONG, event) == WRONG.document


def test_an_http_answer_has_status_headers_and_the_same_bytes() -> None:
    for event in (http_2(), rest()):
        answer = encode(OK, event)
        assert answer == {
            "statusCode": 200,
            "headers": {"a": "b"},
            "body": OK.body.decode(),
            "isBase64Encoded": False,
        }


def test_a_load_balancer_gets_a_status_description_and_headers_in_the_form_of_its_request() -> None:
    assert encode(WRONG, balancer())["statusDescription"] == "400 Bad Request"
    assert encode(OK, balancer())["headers"] == {"a": "b"}
    many = encode(OK, balancer(multiValueHeaders={"host": ["a"]}))
    assert many["multiValueHeaders"] == {"a": ["b"]}
    assert "headers" not in many
