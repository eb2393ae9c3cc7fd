"""Flask requests to the core's, and back."""

from __future__ import annotations

import flask
from werkzeug.test import EnvironBuilder

from adapters.gcp import translate
from core.wire import Request, Response


def decoded(builder: EnvironBuilder) -> Request:
    with flask.Flask("classify").request_context(builder.get_environ()):
        return translate.decode(flask.request)


def test_a_request_loses_the_platform_and_nothing_else() -> None:
    headers = [("Content-Type", "image/jpeg"), ("X-Forwarded-For", "203.0.113.9")]
    request = decoded(EnvironBuilder("/classify", method="POST", headers=headers, data=b"\xff\xd8\x00"))
    assert (request.method, request.path, request.body) == ("POST", "/classify", b"\xff\xd8\x00")
    assert request.headers["content-type"] == "image/jpeg"
    assert request.headers["x-forwarded-for"] == "203.0.113.9"


def test_the_last_value_of_a_repeated_name_counts_and_is_decoded() -> None:
    request = decoded(EnvironBuilder("/", query_string="top_k=1&top_k=3&model=a%20b&empty="))
    assert request.query == {"top_k": "3", "model": "a b", "empty": ""}


def test_a_form_body_stays_the_bytes_that_were_sent() -> None:
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    request = decoded(EnvironBuilder("/", method="POST", headers=headers, data=b'{"url": "https://x/?a=b&c=d"}'))
    assert request.body == b'{"url": "https://x/?a=b&c=d"}'


def test_a_request_without_a_body_has_an_empty_one() -> None:
    assert decoded(EnvironBuilder("/health")).body == b""


def test_an_answer_keeps_status_headers_and_bytes() -> None:
    response = Response(422, '{"error":"é"}', {"content-type": "application/json", "server-timing": "total;dur=1"})
    answer = translate.encode(response)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["server-timing"] == "total;dur=1"
    assert answer.get_data() == '{"error":"é"}'.encode()
