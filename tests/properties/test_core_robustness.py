"""Whatever is sent gets a prediction or a clear 4xx, and the instance serves the next request."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import addresses
from core.errors import BadField, TripointError, UrlRefused
from core.payload import from_base64
from core.wire import Request
from tests.kits.core import encoded, new_service, picture
from tests.scripts import fuzz

if TYPE_CHECKING:
    from core.service import Service

# The core silences Pillow's warnings of odd metadata once, when it is imported; pytest turns them on again.
pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")

PNG = encoded(picture())
CODES = {
    "broken_image",
    "unsupported_image",
    "image_too_large",
    "empty_body",
    "bad_json",
    "bad_field",
    "unknown_model",
}


@pytest.fixture(scope="module")
def service() -> Service:
    return new_service(TRIPOINT_MAX_PIXELS="2000000", TRIPOINT_FETCH="off")


def check(service: Service, request: Request) -> int:
    answer = service.infer(request)
    if answer.status != 200:
        error: Any = answer.document["error"]
        assert 400 <= answer.status < 500, answer.document
        assert error["status"] == answer.status
        assert error["code"] in CODES | {"fetch_off", "unsupported_media", "not_found", "method_not_allowed"}
        assert 20 < len(error["message"]) < 400
    json.loads(answer.body)
    return answer.status


def test_four_hundred_damaged_images_get_a_prediction_or_a_clear_refusal(service: Service) -> None:
    statuses = [check(service, Request("POST", "/", body=data)) for data in fuzz.mutants(400, seed=7)]
    assert 20 < statuses.count(200) < 380, "the damage is neither too little nor too much"
    assert check(service, Request("POST", "/", body=PNG)) == 200


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300),
    st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\x00"]),
)
def test_any_bytes_after_any_magic_are_answered(service: Service, data: bytes, magic: bytes) -> None:
    check(service, Request("POST", "/", body=magic + data))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
fields = st.sampled_from(["image", "url", "top_k", "model", "x"])


@settings(max_examples=200, deadline=None)
@given(anything | st.dictionaries(fields, anything | st.just(base64.b64encode(PNG).decode()), max_size=4))
def test_any_json_is_answered(service: Service, document: object) -> None:
    headers = {"content-type": "application/json"}
    check(service, Request("POST", "/", {}, headers, json.dumps(document).encode()))


@settings(max_examples=100, deadline=None)
@given(
    st.text(max_size=10),
    st.text(max_size=30).map(lambda text: "/" + text),
    st.dictionaries(st.text(max_size=8) | st.sampled_from(["top_k", "model"]), st.text(max_size=8), max_size=3),
    st.dictionaries(st.sampled_from(["content-type", "content-encoding", "x"]), st.text(max_size=20), max_size=3),
)
def test_any_method_path_query_and_header_are_answered(
    service: Service, method: str, path: str, query: dict[str, str], headers: dict[str, str]
) -> None:
    check(service, Request(method, path, query, headers, b"{}"))
    check(service, Request("POST", "/", query, headers, PNG))


@given(st.binary(min_size=1, max_size=100), st.booleans(), st.booleans(), st.integers(1, 80))
def test_base64_in_any_alphabet_padding_and_line_length_comes_back(
    data: bytes, url_safe: bool, padded: bool, width: int
) -> None:
    text = (base64.urlsafe_b64encode(data) if url_safe else base64.b64encode(data)).decode()
    text = text if padded else text.rstrip("=")
    assert from_base64("\n".join(text[at : at + width] for at in range(0, len(text), width))) == data


@given(st.text(max_size=60))
def test_any_text_is_base64_or_refused(text: str) -> None:
    try:
        found = from_base64(text)
    except BadField:
        return
    assert found
    assert from_base64(base64.b64encode(found).decode()) == found


@settings(max_examples=300)
@given(st.text(max_size=40) | st.text(max_size=20).map(lambda text: f"http://{text}/"))
def test_any_text_is_a_plain_address_or_refused(url: str) -> None:
    try:
        found = addresses.parse(url, hosts=(), private=False)
    except UrlRefused:
        return
    assert found.scheme in ("http", "https")
    assert found.host.isascii()
    assert found.target.startswith("/")
    assert found.target.isascii()
    assert not set(found.target + found.authority) & set(" \r\n\t\x00")


@given(st.integers(0, 2**32 - 1))
def test_no_spelling_of_a_number_reaches_the_resolver_but_four_decimals(number: int) -> None:
    parts = number.to_bytes(4, "big")
    plain = ".".join(str(part) for part in parts)
    for host in (str(number), hex(number), oct(number).replace("o", ""), ".".join(hex(part) for part in parts)):
        if host != plain:
            with pytest.raises(TripointError):
                addresses.parse(f"http://{host}/", hosts=(), private=False)
    assert addresses.parse(f"http://{plain}/", hosts=(), private=False).host == plain
