"""The response to one request, with its times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back. Times are `perf_counter` seconds, parts of them in ms; names of headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent_s: float
    done_s: float
    connect_ms: float | None
    tls_ms: float | None
    answer_ms: float
    request_bytes: int
    response_bytes: int
