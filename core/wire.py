"""The records that cross the seam between the core and the adapters.

Records that ship are named tuples: importing `dataclasses` and making twenty of them took 17 ms of a cold start
of 85, named tuples take 2 (bench/, 2026-11-21).
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, object]

_EMPTY: Mapping[str, str] = MappingProxyType({})


class Request(NamedTuple):
    """What a client sent, with the platform taken off.

    `path` starts with "/" and carries no stage or route prefix; `query` holds the last value of each
    name, percent-decoded; header names are lower case; `body` is binary, never base64.
    """

    method: str
    path: str
    query: Mapping[str, str] = _EMPTY
    headers: Mapping[str, str] = _EMPTY
    body: bytes = b""


class Prediction(NamedTuple):
    """One label with its score: a probability in 0..1, or a logit where the manifest says so."""

    label: str
    score: float


class Timings(NamedTuple):
    """Where the time of one request went, in ms of `perf_counter`."""

    download_ms: float | None
    decode_ms: float
    preprocess_ms: float
    inference_ms: float
    total_ms: float


class Initialisation(NamedTuple):
    """How an instance started; one record for all of its requests.

    `init_start_unix_s` is wall-clock time; `init_ms` is the time from the first line of the entry file to
    readiness, of which `imports_ms` and `model_load_ms` are parts. `process_start_unix_s` is None where the system
    does not tell, `platform` where the platform has no word of its own for how the instance came to be.
    """

    process_start_unix_s: float | None
    init_start_unix_s: float
    init_ms: float
    imports_ms: float
    model_load_ms: float
    platform: str | None = None


class Evidence(NamedTuple):
    """What one instance knows of itself: the evidence for "cold".

    `request_number` counts from 1 within the instance. `since_ready_ms` is the time from readiness to the moment
    this request reached the handler: a client that waited longer than that before the handler began was waiting
    for a new instance.
    """

    instance: str
    request_number: int
    since_ready_ms: float
    initialisation: Initialisation


class Response(NamedTuple):
    """What the core answers: an HTTP status, a JSON document as text, and headers for HTTP answers."""

    status: int
    text: str
    headers: Mapping[str, str] = _EMPTY

    @property
    def body(self) -> bytes:
        """The document in UTF-8; the same bytes for the same document on every cloud."""
        return self.text.encode()

    @property
    def document(self) -> Json:
        """The document, read back."""
        found: Json = json.loads(self.text)
        return found


# Compact JSON with every letter as it is. Made once: `json.dumps` makes an encoder for every call with options.
to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
