"""Run recorded HTTP requests (`events/*.json`) through `function_app.py` in this process."""

from __future__ import annotations

import base64
import functools
import importlib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from azure.functions.http import HttpRequest

from adapters.contract import HttpAnswer

if TYPE_CHECKING:
    from azure.functions import HttpResponse


def replay(event: Mapping[str, Any]) -> HttpAnswer:
    """Answer an event of `method`, `path`, `query`, `headers` and `body_base64` or `body_text`."""
    query = event["query"]
    caught = event["path"].lstrip("/")
    answer = _function()(
        HttpRequest(
            method=event["method"],
            url=f"https://{event['headers']['Host']}{event['path']}" + (f"?{query}" if query else ""),
            headers={name.lower(): value for name, value in event["headers"].items()},
            params=dict(parse_qsl(query)),
            route_params={"path": caught} if caught else {},
            body_type="bytes",
            body=base64.b64decode(event.get("body_base64", "")) or str(event.get("body_text", "")).encode(),
        )
    )
    return HttpAnswer(answer.status_code, tuple(answer.headers.items()), answer.get_body())


@functools.cache
def _function() -> Callable[[HttpRequest], HttpResponse]:
    """The function that the app registers."""
    app = importlib.import_module("adapters.azure.function_app").app
    (registered,) = app.get_functions()
    function: Callable[[HttpRequest], HttpResponse] = registered.get_user_function()
    return function
