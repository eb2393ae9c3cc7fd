"""`Service.infer` on the built-in model: routes, answers, errors, headers, log."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from core import download, log
from core.service import Service
from core.wire import Request
from tests.kits.core import QUIET, code_of, encoded, new_instance, new_service, picture, post

if TYPE_CHECKING:
    from core.settings import FetchRules
    from core.wire import Response

PNG = encoded(picture())


@pytest.fixture(scope="module")
def service() -> Service:
    return new_service()


def instance_of(response: Response) -> Any:
    return response.document["instance"]


def test_an_image_gets_labels_best_first_with_everything_around(service: Service) -> None:
    document: Any = post(service, PNG).document
    scores = [one["score"] for one in document["predictions"]]
    assert len(scores) == 5
    assert scores == sorted(scores, reverse=True)
    assert set(document) == {"predictions", "model", "timings", "instance"}
    assert set(document["model"]) == {"name", "version", "variant", "runtime"}
    assert set(document["timings"]) == {"decode_ms", "preprocess_ms", "inference_ms", "total_ms"}
    parts = sum(document["timings"][f"{name}_ms"] for name in ("decode", "preprocess", "inference"))
    assert 0 < parts <= document["timings"]["total_ms"]


def test_bytes_base64_and_both_paths_give_the_same_predictions(service: Service) -> None:
    body = json.dumps({"image": base64.b64encode(PNG).decode(), "top_k": 1000}).encode()
    whole = post(service, PNG, top_k="1000").document["predictions"]
    assert post(service, body, "application/json").document["predictions"] == whole
    assert service.infer(Request("POST", "/classify", {"top_k": "1000"}, {}, PNG)).document["predictions"] == whole


def test_top_k_above_the_number_of_labels_is_all_of_them(service: Service) -> None:
    model: Any = service.infer(Request("GET", "/model")).document
    predictions: Any = post(service, PNG, top_k="999").document["predictions"]
    assert sorted(one["label"] for one in predictions) == sorted(model["labels"])


def test_http_headers_carry_timings_and_the_evidence(service: Service) -> None:
    response = post(service, PNG)
    evidence = instance_of(response)
    timings: Any = response.document["timings"]
    assert response.headers["content-type"] == "application/json"
    assert f"total;dur={timings['total_ms']:g}" in response.headers["server-timing"]
    name, *parts = response.headers["x-tripoint-instance"].split(";")
    fields = dict(part.split("=") for part in parts)
    assert name == evidence["instance"]
    assert int(fields.pop("number")) == evidence["request_number"]
    assert {key: float(value) for key, value in fields.items()} == {
        key: value
        for key, value in evidence.items()
        if key not in ("instance", "request_number") and value is not None
    }


def test_requests_are_counted_within_the_instance() -> None:
    service = new_service()
    numbers = [instance_of(post(service, PNG))["request_number"] for _ in range(3)]
    assert numbers == [1, 2, 3]


def test_a_failed_request_counts_too_and_the_next_one_is_served() -> None:
    service = new_service()
    assert post(service, b"\xff\xd8\xff broken").status == 400
    answer = post(service, PNG)
    assert answer.status == 200
    assert instance_of(answer)["request_number"] == 2


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        (Request("GET", "/nowhere"), 404, "not_found"),
        (Request("GET", "/"), 405, "method_not_allowed"),
        (Request("DELETE", "/classify"), 405, "method_not_allowed"),
        (Request("POST", "/health"), 405, "method_not_allowed"),
        (Request("POST", "/"), 400, "empty_body"),
        (Request("POST", "/", {}, {"content-type": "application/json"}, b"{"), 400, "bad_json"),
        (Request("POST", "/", {"top_k": "0"}, {}, PNG), 400, "bad_field"),
        (Request("POST", "/", {"model": "other"}, {}, PNG), 400, "unknown_model"),
        (Request("POST", "/", {}, {}, b"\xff\xd8\xff no"), 400, "broken_image"),
        (Request("POST", "/", {}, {}, b"text"), 415, "unsupported_image"),
        (Request("POST", "/", {}, {"content-encoding": "br"}, PNG), 415, "unsupported_media"),
        (Request("POST", "/", {}, {}, b"0" * 10_000_001), 413, "body_too_large"),
        (Request("POST", "/", {}, {}, b'{"url":"file:///etc/passwd"}'), 400, "url_refused"),
        (Request("POST", "/", {}, {}, b'{"url":"http://127.0.0.1/"}'), 400, "url_refused"),
    ],
)
def test_a_bad_request_has_a_stable_code_and_nothing_of_the_instance(
    service: Service, request_: Request, status: int, code: str
) -> None:
    response = service.infer(request_)
    assert (response.status, code_of(response)) == (status, code)
    assert set(response.document) == {"error"}
    assert "number=" in response.headers["x-tripoint-instance"]


def test_a_wrong_method_names_the_right_ones(service: Service) -> None:
    assert service.infer(Request("GET", "/")).headers["allow"] == "POST"
    assert service.infer(Request("POST", "/model")).headers["allow"] == "GET, HEAD"


def test_a_trailing_slash_is_no_other_path(service: Service) -> None:
    assert service.infer(Request("GET", "/health/")).status == 200
    assert service.infer(Request("POST", "/classify/", {}, {}, PNG)).status == 200


def test_head_is_answered_like_get(service: Service) -> None:
    assert service.infer(Request("HEAD", "/health")).status == 200


def test_health_and_model_say_what_is_served(service: Service) -> None:
    health: Any = service.infer(Request("GET", "/health")).document
    model: Any = service.infer(Request("GET", "/model")).document
    assert health["status"] == "ok"
    assert health["model"].items() <= model.items()
    assert len(model["sha256"]) == 64
    assert model["interpreters"] == 1


def test_the_limit_on_pixels_comes_from_the_settings() -> None:
    response = post(new_service(TRIPOINT_MAX_PIXELS="100"), PNG)
    assert (response.status, code_of(response)) == (413, "image_too_large")


def test_fetching_can_be_switched_off() -> None:
    response = post(new_service(TRIPOINT_FETCH="off"), b'{"url":"https://example.com"}', "application/json")
    assert (response.status, code_of(response)) == (403, "fetch_off")


def test_an_image_from_an_address_is_classified_and_its_download_timed(image_url: str) -> None:
    service = new_service(TRIPOINT_FETCH_PRIVATE="allow")
    response = post(service, json.dumps({"url": image_url}).encode(), "application/json")
    timings: Any = response.document["timings"]
    assert response.status == 200
    assert timings["total_ms"] >= timings["download_ms"] > 0
    assert response.headers["server-timing"].startswith("download;dur=")


def test_an_unforeseen_error_is_a_500_without_details(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(url: str, rules: FetchRules) -> bytes:
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(download, "fetch", fail)
    response = post(service, b'{"url":"https://example.com"}', "application/json")
    assert (response.status, code_of(response)) == (500, "internal")
    assert b"secret" not in response.body


def test_the_log_is_one_json_line_per_request_without_image_or_query(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service.from_env(QUIET | {"TRIPOINT_LOG_LEVEL": "info"}, new_instance())
    capsys.readouterr()
    service.infer(Request("POST", "/", {"model": "secret-token"}, {}, b'{"url":"https://a.com/?key=secret-token"}'))
    service.infer(Request("POST", "/", {}, {}, PNG))
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["status"] for line in lines] == [400, 200]
    assert lines[0]["code"] == "unknown_model"
    assert "secret" not in json.dumps(lines)
    assert all(line["severity"] == "INFO" for line in lines)


def test_a_line_break_in_the_path_cannot_forge_a_line_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    service = Service.from_env(QUIET | {"TRIPOINT_LOG_LEVEL": "info"}, new_instance())
    capsys.readouterr()
    service.infer(Request("GET", '/x\n{"severity":"CRITICAL"}'))
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_log_line_of_a_request_is_what_the_log_writes_of_any_event(capsys: pytest.CaptureFixture[str]) -> None:
    request, evidence = Request("GET", '/"é\\\u2028', {}, {}, b"abc"), new_instance().arrived(0.0)
    capsys.readouterr()
    log.set_level("info")
    for code in (None, "not_found"):
        log.answered(request, evidence, status=404, code=code, total_ms=1.5)
        fields = {"status": 404, "code": code, "total_ms": 1.5, "body_bytes": 3}
        seen = {"instance": evidence.instance, "request_number": evidence.request_number}
        log.write("info", message='GET /"é\\\u2028 404', **fields, **seen)
    log.set_level("off")
    found = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    for line in found:
        assert abs(line.pop("time_unix_s") - time.time()) < 60
    assert found[0] == found[1]
    assert found[2] == found[3]
    assert len(found) == 4


def test_the_body_is_compact_json_in_utf_8(service: Service) -> None:
    answers = [post(service, PNG), service.infer(Request("GET", "/model")), service.infer(Request("GET", "/é"))]
    for answer in answers:
        assert answer.body == json.dumps(answer.document, separators=(",", ":"), ensure_ascii=False).encode()
