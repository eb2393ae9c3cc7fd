"""Run recorded platform events (`events/*.json`) through `handler.py` in this process."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping
from typing import Any

from adapters.aws.local import http_event
from adapters.contract import HttpAnswer


def replay(event: Mapping[str, Any]) -> HttpAnswer:
    """Answer one event; what a direct invocation returns is a body with the status that its error names."""
    handler = importlib.import_module("adapters.aws.handler")
    value = handler.lambda_handler(dict(event), None)
    if "statusCode" in value:
        return http_event.http_answer(json.dumps(_single(value)).encode())
    status = value["error"]["status"] if isinstance(value.get("error"), dict) else 200
    return HttpAnswer(
        status, (("content-type", "application/json"),), json.dumps(value, separators=(",", ":")).encode()
    )


def _single(value: dict[str, Any]) -> dict[str, Any]:
    """A load balancer's multi-value answer, with one value of each header."""
    many = value.get("multiValueHeaders")
    return value if many is None else {**value, "headers": {name: values[-1] for name, values in many.items()}}
