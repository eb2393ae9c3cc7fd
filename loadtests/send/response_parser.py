"""Turn a response into a sample: is it a classification, what did the instance say, where did time go. Pure."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loadtests.record import evidence
from loadtests.record.sample import Sample

if TYPE_CHECKING:
    from loadtests.plan.phases import Stratum
    from loadtests.record.sample import Outcome
    from loadtests.send.response import HttpResponse


@dataclass(frozen=True, slots=True)
class PlannedRequest:
    """What was to be sent: a sample before its answer. `origin_s` is the run's start on this worker's clock."""

    index: int
    target: str
    worker: str
    stratum: Stratum
    intended_s: float
    origin_s: float

    def to_sample(self, outcome: Outcome, **fields: Any) -> Sample:
        """The sample with that outcome; `fields` are further fields of it."""
        return Sample(
            index=self.index,
            target=self.target,
            worker=self.worker,
            stratum=self.stratum,
            intended_s=self.intended_s,
            outcome=outcome,
            **{"sent_s": None, "done_s": None, **fields},
        )


def instance_fields(
    intent: PlannedRequest, answer: HttpResponse, *, first_answers: Mapping[str, float], id_header: str | None = None
) -> Sample:
    """The sample of an answered request: "ok" only when the answer is a classification.

    `first_answers` holds when this worker had its first answer of each instance, in `perf_counter` seconds;
    `id_header` is where the target's platform names the request.
    """
    document = parse_json(answer.body)
    sent = {
        "sent_s": answer.sent_s - intent.origin_s,
        "done_s": answer.done_s - intent.origin_s,
        "status": answer.status,
        "connect_ms": answer.connect_ms,
        "tls_ms": answer.tls_ms,
        "answer_ms": answer.answer_ms,
        "request_bytes": answer.request_bytes,
        "response_bytes": answer.response_bytes,
        "request_id": answer.headers.get(id_header or "") or None,
    }
    label = top_label(document)
    evident = {**sent, **answered_by_function(answer, document, first_answers)}
    if answer.status == 200 and label is not None:
        return intent.to_sample("ok", label=label, **evident)
    return intent.to_sample("failed", error=error_code(answer.status, document), **evident)


def answered_by_function(
    answer: HttpResponse, document: dict[str, Any], first_answers: Mapping[str, float]
) -> dict[str, Any]:
    """What the instance said of itself and its work, and the state that follows."""
    report = evidence.parse_header(answer.headers.get(evidence.HEADER, ""))
    report = report or evidence.from_mapping(mapping(document.get("instance")))
    timings = mapping(document.get("timings"))
    total_ms = evidence.as_float(timings.get("total_ms"))
    found: dict[str, Any] = {
        name: evidence.as_float(timings.get(name)) for name in ("decode_ms", "preprocess_ms", "inference_ms")
    }
    model = mapping(document.get("model"))
    found |= {"total_ms": total_ms, "model": " ".join(str(model[key]) for key in ("name", "version") if key in model)}
    found["model"] = found["model"] or None
    if report is None:
        return found
    service_ms = (answer.done_s - answer.sent_s) * 1000
    waited_ms = service_ms - (answer.connect_ms or 0) - (answer.tls_ms or 0) - (total_ms or 0)
    seen_before = first_answers.get(report.instance, answer.done_s) < answer.sent_s
    return found | {
        "instance": report.instance,
        "request_number": report.request_number,
        "since_ready_ms": report.since_ready_ms,
        "process_start_unix_s": report.process_start_unix_s,
        "init_start_unix_s": report.init_start_unix_s,
        "init_ms": report.init_ms,
        "imports_ms": report.imports_ms,
        "model_load_ms": report.model_load_ms,
        "platform": report_line(answer) or report.platform,
        "state": evidence.provisional_state(report, waited_ms=waited_ms, seen_before=seen_before),
    }


def report_line(answer: HttpResponse) -> str | None:
    """Lambda's REPORT line, from the log tail that a direct invocation may ask for; None without one.

    Source: docs.aws.amazon.com/lambda/latest/api/API_Invoke.html (X-Amz-Log-Result), as of 2026-11-20.
    """
    encoded = answer.headers.get("x-amz-log-result")
    if not encoded:
        return None
    try:
        lines = base64.b64decode(encoded, validate=True).decode("utf-8", "replace").splitlines()
    except ValueError:
        return None
    return next((line for line in reversed(lines) if line.startswith("REPORT ")), None)


def parse_json(body: bytes) -> dict[str, Any]:
    """The body's JSON object; empty when it is something else."""
    try:
        return mapping(json.loads(body))
    except ValueError:
        return {}


def mapping(value: object) -> dict[str, Any]:
    """`value` when it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def top_label(document: dict[str, Any]) -> str | None:
    """The first prediction's label; None when this is no classification."""
    predictions = document.get("predictions")
    first = predictions[0] if isinstance(predictions, list) and predictions else None
    label = mapping(first).get("label")
    return label if isinstance(label, str) else None


def error_code(status: int, document: dict[str, Any]) -> str:
    """The code of a JSON error; else what was wrong with the answer."""
    code = mapping(document.get("error")).get("code")
    if isinstance(code, str):
        return code
    return "not_a_classification" if status == 200 else f"http_{status}"
