"""What a classify request may look like."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from core.errors import BadField, BadJson, BodyTooLarge, EmptyBody, TripointError, UnsupportedMedia
from core.payload import ClassifyPayload, from_base64, read
from core.wire import Request

PNG = b"\x89PNG\r\n\x1a\n rest"
BASE64 = base64.b64encode(PNG).decode()


def payload(
    body: bytes, kind: str | None = None, query: Mapping[str, str] | None = None, **headers: str
) -> ClassifyPayload:
    if kind is not None:
        headers["content-type"] = kind
    return read(Request("POST", "/", query or {}, headers, body), max_body_bytes=10_000)


def from_json(document: object) -> ClassifyPayload:
    return payload(json.dumps(document).encode(), "application/json")


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", None, "application/x-www-form-urlencoded"])
def test_any_other_body_is_the_image_itself(kind: str | None) -> None:
    assert payload(PNG, kind) == ClassifyPayload(PNG, None, 5, None)


def test_options_of_a_plain_image_stand_in_the_query() -> None:
    found = payload(PNG, "image/png", {"top_k": "3", "model": "clothes", "utm": "x"})
    assert (found.top_k, found.model) == (3, "clothes")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/vnd.me+json", None]
)
def test_json_is_told_by_its_type_or_its_first_character(kind: str | None) -> None:
    body = b' \n{"url": "https://example.com/a.jpg", "top_k": 2, "model": "m"}'
    assert payload(body, kind) == ClassifyPayload(None, "https://example.com/a.jpg", 2, "m")


def test_what_curl_d_sends_is_read_as_json() -> None:
    assert payload(b'{"image":"%s"}' % BASE64.encode(), "application/x-www-form-urlencoded").image == PNG


def test_a_field_wins_over_the_query() -> None:
    body = b'{"url": "https://example.com", "top_k": 2}'
    assert payload(body, "application/json", {"top_k": "4", "model": "q"}) == ClassifyPayload(
        None, "https://example.com", 2, "q"
    )


@pytest.mark.parametrize(
    "text",
    [
        BASE64,
        BASE64.rstrip("="),
        base64.urlsafe_b64encode(PNG).decode(),
        "data:image/png;base64," + BASE64,
        "\n".join(BASE64[at : at + 8] for at in range(0, len(BASE64), 8)),
    ],
)
def test_base64_is_read_in_every_usual_form(text: str) -> None:
    assert from_base64(text) == PNG


@pytest.mark.parametrize("text", ["*", "a", "QUJ*", "data:image/png,AAAA", "data:", "==", "QUJD=QUJD"])
def test_what_is_not_base64_is_told(text: str) -> None:
    with pytest.raises(BadField, match="image"):
        from_base64(text)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"{", BadJson),
        (b"\xff\xfe{\x00}\x00", BadJson),
        (b"[" * 100_0, BadJson),
        (b"[]", BadJson),
        (b"null", BadJson),
        (b'"text"', BadJson),
        (b'{"url":"a","url":"b"}', BadJson),
        (b'{"url":"a","top_k":NaN}', BadJson),
        (b'{"url":"a","top_k":' + b"1" * 5000 + b"}", BadJson),
        (b"{}", BadField),
        (b'{"url":"a","image":"QUJD"}', BadField),
        (b'{"url":null}', BadField),
        (b'{"url":1}', BadField),
        (b'{"url":""}', BadField),
        (b'{"image":["QUJD"]}', BadField),
        (b'{"image":""}', BadField),
        (b'{"url":"a","extra":1}', BadField),
        (b'{"url":"a","top_k":0}', BadField),
        (b'{"url":"a","top_k":-1}', BadField),
        (b'{"url":"a","top_k":1001}', BadField),
        (b'{"url":"a","top_k":2.0}', BadField),
        (b'{"url":"a","top_k":true}', BadField),
        (b'{"url":"a","top_k":"two"}', BadField),
        (b'{"url":"a","model":7}', BadField),
    ],
)
def test_wrong_json_has_a_stable_code(body: bytes, error: type[TripointError]) -> None:
    with pytest.raises(error) as raised:
        payload(body, "application/json")
    assert raised.value.status == 400


def test_deeply_nested_json_is_refused_not_fatal() -> None:
    body = b"[" * 200_000
    with pytest.raises(BadJson, match="nested too deeply"):
        read(Request("POST", "/", {}, {"content-type": "application/json"}, body), max_body_bytes=1_000_000)


def test_a_byte_order_mark_is_no_harm() -> None:
    assert payload(b'\xef\xbb\xbf{"url":"https://a.com"}', "application/json").url == "https://a.com"


def test_the_size_is_checked_first() -> None:
    with pytest.raises(BodyTooLarge, match="10001 bytes, the limit is 10000"):
        payload(b"{" * 10_001, "application/json")


def test_an_empty_body_says_what_to_send() -> None:
    with pytest.raises(EmptyBody, match="send the bytes of an image"):
        payload(b"", "image/jpeg")


@pytest.mark.parametrize(
    "headers", [{"content_type": "multipart/form-data; boundary=x"}, {"content_encoding": "gzip"}]
)
def test_forms_and_compressed_bodies_are_told_how_to_come(headers: dict[str, str]) -> None:
    named: dict[str, Any] = {name.replace("_", "-"): value for name, value in headers.items()}
    with pytest.raises(UnsupportedMedia, match="send the"):
        payload(PNG, None, **named)


@pytest.mark.parametrize("top_k", ["0", "-1", "1001", "x", "", "2.5", "٣"])
def test_a_wrong_top_k_in_the_query_is_refused(top_k: str) -> None:
    with pytest.raises(BadField, match="whole number from 1 to 1000"):
        payload(PNG, "image/png", {"top_k": top_k})
    with pytest.raises(BadField, match="whole number from 1 to 1000"):
        payload(b'{"features": [1], "top_k": 2}', "application/json", {"top_k": top_k})


def test_scalar_documents_are_named_by_their_json_type() -> None:
    for document, name in ((1, "number"), ("a", "string"), (True, "boolean"), (None, "null"), ([], "array")):
        with pytest.raises(BadJson, match=name):
            from_json(document)
