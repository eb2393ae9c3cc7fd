"""The records that cross the seam between the core and the adapters."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent, with the platform taken off.

    `path` starts with "/" and carries no stage or route prefix; `query` holds the last value of each
    name, percent-decoded; header names are lower case; `body` is binary, never base64.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One label with its score: a probability in 0..1, or a logit where the manifest says so."""

    label: str
    score: float


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the time of one request went, in ms of `perf_counter`."""

    download_ms: float | None
    decode_ms: float
    preprocess_ms: float
    inference_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one instance knows of itself: the evidence for "cold".

    `request_number` counts from 1 within the instance. `init_start_unix_s` is wall-clock time;
    `init_ms` is the time from the first line of the entry file to readiness, of which `imports_ms`
    and `model_load_ms` are parts. `since_ready_ms` is the time from readiness to the moment this request
    reached the handler: a client that waited longer than that before the handler began was waiting for a
    new instance. `process_start_unix_s` is None where the system does not tell.
    """

    instance: str
    request_number: int
    since_ready_ms: float
    process_start_unix_s: float | None
    init_start_unix_s: float
    init_ms: float
    imports_ms: float
    model_load_ms: float


@dataclass(frozen=True, slots=True)
class Response:
    """What the core answers: an HTTP status, a JSON document, and headers for HTTP answers."""

    status: int
    document: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        """The document as compact UTF-8 JSON; the same bytes for the same document on every cloud."""
        return json.dumps(self.document, separators=(",", ":"), ensure_ascii=False).encode()
