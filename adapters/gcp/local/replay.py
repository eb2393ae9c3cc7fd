"""Run recorded HTTP requests (`events/*.json`) through `main.py` in this process."""

from __future__ import annotations

import base64
import importlib
from collections.abc import Mapping
from typing import Any

import flask
from werkzeug.test import EnvironBuilder

from adapters.contract import HttpAnswer


def replay(event: Mapping[str, Any]) -> HttpAnswer:
    """Answer an event of `method`, `path`, `query`, `headers` and `body_base64` or `body_text`."""
    entry = importlib.import_module("adapters.gcp.main")
    builder = EnvironBuilder(
        method=event["method"],
        path=event["path"],
        query_string=event["query"],
        headers={name: value for name, value in event["headers"].items() if name.lower() != "content-length"},
        input_stream=None,
        data=_body(event),
    )
    with flask.Flask("classify").request_context(builder.get_environ()):
        answer = entry.classify(flask.request)
    return HttpAnswer(answer.status_code, tuple(answer.headers.items()), answer.get_data())


def _body(event: Mapping[str, Any]) -> bytes:
    return base64.b64decode(event.get("body_base64", "")) or str(event.get("body_text", "")).encode()
