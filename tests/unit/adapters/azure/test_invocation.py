"""HTTP to FunctionRpc's real messages and back, through the real binding of azure-functions."""

from __future__ import annotations

import re
from typing import Any

import pytest

from adapters.azure.instance import runtime_folder
from adapters.azure.local import routes
from adapters.azure.local.invocation import to_answer, to_invocation
from adapters.azure.local.worker_process import load_messages
from adapters.contract import HttpRequest


@pytest.fixture(scope="module")
def messages() -> Any:
    return load_messages(runtime_folder())


def invocation(messages: Any, request: HttpRequest) -> Any:
    raw = '{"type": "httpTrigger", "name": "req", "route": "{*path}"}'
    route = routes.read_route("id-1", "classify", [raw], prefix="")
    assert route is not None
    found = routes.match([route], method=request.method, path=request.target.partition("?")[0])
    assert found is not None
    return to_invocation(messages, request, found)


def test_a_request_becomes_the_hosts_message(messages: Any) -> None:
    headers = (("Host", "app.example"), ("X-Two", "a"), ("x-two", "b"))
    sent = invocation(messages, HttpRequest("POST", "/a%20b?k=1&k=2&e=", headers, b"\x00\xff"))
    http = sent.input_data[0].data.http
    assert sent.function_id == "id-1"
    assert sent.input_data[0].name == "req"
    assert http.method == "POST"
    assert http.url == "http://app.example/a%20b?k=1&k=2&e="
    assert dict(http.headers) == {"host": "app.example", "x-two": "a,b"}
    assert dict(http.query) == {"k": "1,2"}
    assert dict(http.params) == {"path": "a b"}
    assert http.body.bytes == b"\x00\xff"


def test_every_invocation_has_an_id_and_a_trace_of_its_own(messages: Any) -> None:
    first, second = (invocation(messages, HttpRequest("GET", "/")) for _ in range(2))
    assert first.invocation_id != second.invocation_id
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", first.trace_context.trace_parent)


def test_an_http_value_becomes_the_answer(messages: Any) -> None:
    body = messages.TypedData(bytes=b"{}")
    http = messages.RpcHttp(status_code="418", headers={"content-type": "application/json"}, body=body)
    answer = to_answer(messages.TypedData(http=http), method="GET")
    assert (answer.status, answer.headers, answer.body) == (418, (("content-type", "application/json"),), b"{}")


def test_an_answer_to_head_has_no_body(messages: Any) -> None:
    http = messages.RpcHttp(status_code="200", body=messages.TypedData(bytes=b"{}"))
    assert to_answer(messages.TypedData(http=http), method="HEAD").body == b""


def test_nothing_returned_is_204_and_plain_text_is_200(messages: Any) -> None:
    assert to_answer(messages.TypedData(), method="GET").status == 204
    plain = to_answer(messages.TypedData(string="hé"), method="GET")
    assert (plain.status, plain.body) == (200, "hé".encode())


def test_cookies_become_headers(messages: Any) -> None:
    cookie = messages.RpcHttpCookie(
        name="a",
        value="1",
        path=messages.NullableString(value="/"),
        secure=messages.NullableBool(value=True),
        max_age=messages.NullableDouble(value=60),
    )
    answer = to_answer(messages.TypedData(http=messages.RpcHttp(status_code="200", cookies=[cookie])), method="GET")
    assert answer.headers == (("set-cookie", "a=1; path=/; max-age=60; secure"),)


def test_the_messages_are_loaded_once_under_a_name_of_their_own(messages: Any) -> None:
    assert load_messages(runtime_folder()) is messages
    assert messages.__name__ == "azure_function_rpc"
    assert messages.StreamingMessage().WhichOneof("content") is None
