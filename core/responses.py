"""The documents and headers that the service answers with.

The answer to an image is written as text at once, and what all answers of an instance share is written only once.
After an inference the processor's caches hold the model: each object and each line of code that is touched then
costs several times what it costs in a loop (docs/performance.md).
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import MethodNotAllowed
from core.wire import Response, to_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.classifier import Classifier
    from core.errors import TripointError
    from core.wire import Evidence, Initialisation, Json, Prediction, Timings


def ms_since(started_s: float) -> float:
    """Milliseconds of `perf_counter` since `started_s`."""
    return round((time.perf_counter() - started_s) * 1000, 3)


def classified(
    predictions: Sequence[Prediction], timings: Timings, model: Classifier, evidence: Evidence
) -> Response:
    """The answer to a classify request."""
    ranked = ",".join([f'{{"label":{to_json(label)},"score":{score!r}}}' for label, score in predictions])
    download_ms, decode_ms, preprocess_ms, inference_ms, total_ms = timings
    downloaded = "" if download_ms is None else f'"download_ms":{download_ms!r},'
    text = (
        f'{{"predictions":[{ranked}],"model":{_identity_text(model)},"timings":{{{downloaded}"decode_ms":{decode_ms!r},'
        f'"preprocess_ms":{preprocess_ms!r},"inference_ms":{inference_ms!r},"total_ms":{total_ms!r}}},'
        f'"instance":{_evidence_text(evidence)}}}'
    )
    timing = (
        f"decode;dur={decode_ms:g}, preprocess;dur={preprocess_ms:g}, "
        f"inference;dur={inference_ms:g}, total;dur={total_ms:g}"
    )
    return Response(
        200, text, _headers(timing if download_ms is None else f"download;dur={download_ms:g}, {timing}", evidence)
    )


def answered(document: Json, evidence: Evidence, started_s: float) -> Response:
    """A plain answer."""
    return Response(200, to_json(document), _headers(_total(started_s), evidence))


def failed(error: TripointError, evidence: Evidence, started_s: float) -> Response:
    """The answer to a request that cannot be served; its document is the error's and nothing else."""
    extra = {"allow": ", ".join(error.allowed)} if isinstance(error, MethodNotAllowed) else {}
    return Response(error.status, to_json(error.document()), _headers(_total(started_s), evidence) | extra)


def identity(model: Classifier) -> Json:
    """Which model answered."""
    return {
        "name": model.manifest.name,
        "version": model.manifest.version,
        "variant": model.variant.name,
        "runtime": model.runtime,
    }


def health(model: Classifier) -> Json:
    """The answer of /health: the model is loaded, so the function can serve."""
    return {"status": "ok", "model": identity(model)}


def describe(model: Classifier) -> Json:
    """The answer of /model."""
    manifest = model.manifest
    return identity(model) | {
        "title": manifest.title,
        "labels": list(manifest.labels),
        "input": _input(model),
        "output": manifest.output,
        "interpreters": model.interpreters,
        "sha256": model.variant.sha256,
        "validation": manifest.validation,
        "licence": manifest.licence,
    }


def _input(model: Classifier) -> Json:
    features = model.manifest.features
    if features:
        missing = "allow" if features.missing else "refuse"
        return {"features": list(features.names), "missing": missing, "dtype": model.spec.dtype}
    size = model.manifest.input
    return {"height": size.height, "width": size.width, "dtype": model.spec.dtype}


def _total(started_s: float) -> str:
    return f"total;dur={ms_since(started_s):g}"


def _headers(timing: str, evidence: Evidence) -> dict[str, str]:
    """The headers of every answer: timings (W3C Server Timing) and the evidence for "cold".

    The latter is `<instance>;number=1;since_ready_ms=0.3;...`; what is unknown is left out.
    """
    name, number, since_ready_ms, initialisation = evidence
    return {
        "content-type": "application/json",
        "server-timing": timing,
        "x-tripoint-instance": f"{name};number={number};since_ready_ms={since_ready_ms}{_start(initialisation)[1]}",
    }


def _evidence_text(evidence: Evidence) -> str:
    """The evidence for "cold" as JSON."""
    name, number, since_ready_ms, initialisation = evidence
    return (
        f'{{"instance":"{name}","request_number":{number},"since_ready_ms":{since_ready_ms!r},'
        f"{_start(initialisation)[0]}"
    )


@lru_cache(maxsize=4)
def _start(initialisation: Initialisation) -> tuple[str, str]:
    """How an instance started: the end of a JSON object, and the end of a header."""
    known = initialisation._asdict()
    parts = [f";{name}={value}" for name, value in known.items() if value is not None]
    return to_json(known)[1:], "".join(parts)


@lru_cache(maxsize=8)
def _identity_text(model: Classifier) -> str:
    return to_json(identity(model))
