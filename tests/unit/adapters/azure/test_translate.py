"""Azure's requests to the core's, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from azure.functions.http import HttpRequest

from adapters.azure import translate
from core.wire import Response

if TYPE_CHECKING:
    import azure.functions as func


def incoming(*, url: str, caught: Mapping[str, str], params: Mapping[str, str] | None = None) -> func.HttpRequest:
    return HttpRequest(
        method="post",
        url=url,
        headers={"Content-Type": "image/jpeg"},
        params=params or {},
        route_params=caught,
        body_type="bytes",
        body=b"\xff\xd8",
    )


def test_the_path_is_what_the_route_caught() -> None:
    request = translate.decode(incoming(url="https://a/api/classify", caught={"path": "classify"}))
    assert (request.method, request.path, request.body) == ("POST", "/classify", b"\xff\xd8")
    assert request.headers == {"content-type": "image/jpeg"}


def test_a_route_that_caught_nothing_is_the_root() -> None:
    assert translate.decode(incoming(url="https://a/", caught={})).path == "/"


def test_the_last_value_of_a_repeated_name_counts_though_the_host_joins_them() -> None:
    url = "https://a/?top_k=1&top_k=3&model=a%20b&empty="
    request = translate.decode(incoming(url=url, caught={}, params={"top_k": "1,3", "model": "a b", "empty": ""}))
    assert request.query == {"top_k": "3", "model": "a b", "empty": ""}


def test_an_answer_keeps_status_headers_and_bytes() -> None:
    answer = translate.encode(Response(413, '{"error":"é"}', {"content-type": "application/json", "allow": "POST"}))
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["allow"] == "POST"
    assert answer.get_body() == '{"error":"é"}'.encode()
