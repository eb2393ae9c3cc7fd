from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from loadtests.send.requester import id_header_of
from loadtests.send.response import HttpResponse
from loadtests.send.response_parser import PlannedRequest, instance_fields

if TYPE_CHECKING:
    from loadtests.record.sample import Sample

INTENT = PlannedRequest(4, "aws", "w1", "steady", intended_s=1.0, origin_s=100.0)
GOOD = {
    "predictions": [{"label": "pants", "score": 0.9}],
    "model": {"name": "clothes", "version": "1"},
    "timings": {"decode_ms": 1, "preprocess_ms": 2.5, "inference_ms": 10, "total_ms": 14},
}
EVIDENCE = "i-1;number=2;since_ready_ms=5000;init_ms=300"


def answer(document: object, *, status: int = 200, evidence: str = EVIDENCE) -> HttpResponse:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return HttpResponse(
        status=status,
        headers={"x-tripoint-instance": evidence},
        body=body,
        sent_s=101.002,
        done_s=101.022,
        connect_ms=None,
        tls_ms=None,
        answer_ms=0.1,
        request_bytes=10,
        response_bytes=20,
    )


def read_alone(given: HttpResponse) -> Sample:
    return instance_fields(INTENT, given, first_answers={})


def test_a_classification_becomes_a_whole_sample() -> None:
    sample = read_alone(answer(GOOD))
    assert (sample.outcome, sample.error, sample.label, sample.model) == ("ok", None, "pants", "clothes 1")
    assert (sample.state, sample.instance, sample.request_number, sample.init_ms) == ("warm", "i-1", 2, 300.0)
    assert (sample.decode_ms, sample.inference_ms, sample.total_ms) == (1.0, 10.0, 14.0)
    assert sample.latency_ms == pytest.approx(22.0)
    assert sample.service_ms == pytest.approx(20.0)
    assert sample.slip_ms == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("document", "status", "error"),
    [
        ({"error": {"code": "image_broken", "status": 400, "message": "…"}}, 400, "image_broken"),
        (b"<html>", 502, "http_502"),
        (b"", 200, "not_a_classification"),
        ({"predictions": []}, 200, "not_a_classification"),
        ({"predictions": [{"score": 1}]}, 200, "not_a_classification"),
        ({"message": "Too Many Requests"}, 429, "http_429"),
        ([1, 2], 200, "not_a_classification"),
        (GOOD, 500, "http_500"),
    ],
)
def test_anything_else_is_a_failure_with_a_code(document: object, status: int, error: str) -> None:
    sample = read_alone(answer(document, status=status))
    assert (sample.outcome, sample.error, sample.status) == ("failed", error, status)
    assert sample.latency_ms == pytest.approx(22.0)


def test_evidence_in_the_body_serves_where_the_header_is_lost() -> None:
    body: dict[str, Any] = {**GOOD, "instance": {"instance": "i-2", "request_number": 1, "since_ready_ms": 0.5}}
    sample = read_alone(answer(body, evidence=""))
    assert (sample.instance, sample.state) == ("i-2", "cold")


def test_the_time_to_connect_is_not_waiting_for_an_instance() -> None:
    slow_connect = HttpResponse(
        status=200,
        headers={"x-tripoint-instance": "i;number=1;since_ready_ms=4"},
        body=json.dumps(GOOD).encode(),
        sent_s=0.0,
        done_s=0.200,
        connect_ms=120.0,
        tls_ms=63.0,
        answer_ms=0.1,
        request_bytes=1,
        response_bytes=1,
    )
    assert read_alone(slow_connect).state == "pre-initialised"


def test_an_answer_without_evidence_has_no_state() -> None:
    assert read_alone(answer(GOOD, evidence="")).state is None


def test_the_platforms_own_word_is_kept() -> None:
    said = read_alone(answer(GOOD, evidence=f"{EVIDENCE};platform=provisioned-concurrency"))
    assert said.platform == "provisioned-concurrency"
    assert read_alone(answer(GOOD)).platform is None


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("START RequestId: 1\nREPORT RequestId: 1\tDuration: 5 ms\tBilled Duration: 6 ms\n", "REPORT RequestId: 1"),
        ("START RequestId: 1\n", None),
    ],
)
def test_lambdas_report_line_is_kept_where_the_log_tail_came(log: str, line: str | None) -> None:
    plain = answer(GOOD)
    headers = {**plain.headers, "x-amz-log-result": base64.b64encode(log.encode()).decode()}
    platform = read_alone(replace(plain, headers=headers)).platform
    assert (platform or "").startswith(line or "")
    assert (platform is None) == (line is None)


def test_a_log_tail_that_is_no_base64_does_no_harm() -> None:
    plain = answer(GOOD)
    assert read_alone(replace(plain, headers={**plain.headers, "x-amz-log-result": "%%%"})).platform is None


def test_an_instance_that_answered_this_client_before_was_ready_however_long_the_way_back() -> None:
    slow_way_back = answer(GOOD, evidence="i-1;number=2;since_ready_ms=4")
    assert instance_fields(INTENT, slow_way_back, first_answers={}).state == "cold"
    assert instance_fields(INTENT, slow_way_back, first_answers={"i-1": 101.001}).state == "warm"
    assert instance_fields(INTENT, slow_way_back, first_answers={"i-1": 101.003}).state == "cold", (
        "while it was under way"
    )
    assert instance_fields(INTENT, slow_way_back, first_answers={"i-2": 101.001}).state == "cold", "another instance"


def test_the_platforms_name_for_the_request_is_kept_where_the_target_has_one() -> None:
    plain = answer(GOOD)
    named = replace(plain, headers={**plain.headers, "x-amzn-requestid": "8f5c-1"})
    given = {
        name: instance_fields(INTENT, named, first_answers={}, id_header=name)
        for name in ("x-amzn-requestid", "x-other")
    }
    assert given["x-amzn-requestid"].request_id == "8f5c-1"
    assert given["x-other"].request_id is None
    assert read_alone(named).request_id is None, "another cloud's header says nothing"


def test_which_header_names_the_request_is_data_of_the_cloud() -> None:
    assert id_header_of("aws") == "x-amzn-requestid"
    assert id_header_of("gcp") is None
    assert id_header_of("a cloud of my own") is None
