"""The documents and headers that the service answers with."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from core.errors import MethodNotAllowed
from core.wire import Response

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.classifier import Classifier
    from core.errors import TripointError
    from core.wire import Evidence, Json, Prediction, Timings

_PHASES = ("download", "decode", "preprocess", "inference")


def ms_since(started_s: float) -> float:
    """Milliseconds of `perf_counter` since `started_s`."""
    return round((time.perf_counter() - started_s) * 1000, 3)


def classified(
    predictions: Sequence[Prediction], timings: Timings, model: Classifier, evidence: Evidence
) -> Response:
    """The answer to a classify request."""
    took = {name: value for name in _PHASES if (value := getattr(timings, f"{name}_ms")) is not None}
    took["total"] = timings.total_ms
    document: Json = {
        "predictions": [{"label": one.label, "score": one.score} for one in predictions],
        "model": identity(model),
        "timings": {f"{name}_ms": value for name, value in took.items()},
        "instance": evidence_document(evidence),
    }
    return Response(200, document, headers(took, evidence))


def answered(document: Json, evidence: Evidence, started_s: float) -> Response:
    """A plain answer."""
    return Response(200, document, headers({"total": ms_since(started_s)}, evidence))


def failed(error: TripointError, evidence: Evidence, started_s: float) -> Response:
    """The answer to a request that cannot be served; its document is the error's and nothing else."""
    extra = {"allow": ", ".join(error.allowed)} if isinstance(error, MethodNotAllowed) else {}
    return Response(error.status, error.document(), headers({"total": ms_since(started_s)}, evidence) | extra)


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


def evidence_document(evidence: Evidence) -> Json:
    """The evidence for "cold" as JSON."""
    return evidence._asdict()


def headers(took_ms: dict[str, float], evidence: Evidence) -> dict[str, str]:
    """The headers of every answer: timings (W3C Server Timing) and the evidence for "cold"."""
    return {
        "content-type": "application/json",
        "server-timing": ", ".join(f"{name};dur={value:g}" for name, value in took_ms.items()),
        "x-tripoint-instance": evidence_header(evidence),
    }


def evidence_header(evidence: Evidence) -> str:
    """`<instance>;number=1;since_ready_ms=0.3;...`; what is unknown is left out."""
    parts = evidence_document(evidence)
    name, number = parts.pop("instance"), parts.pop("request_number")
    rest = [f"{key}={value}" for key, value in parts.items() if value is not None]
    return ";".join([str(name), f"number={number}", *rest])
