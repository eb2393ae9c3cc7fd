"""A Flask request, as functions-framework hands it over, to the core's request, and the answer back."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

import flask

from core.wire import Request

if TYPE_CHECKING:
    from core.wire import Response


def decode(request: flask.Request) -> Request:
    """Take the platform off an HTTP request; the body is read whole, form data too."""
    return Request(
        method=request.method,
        path=request.path,
        query=dict(parse_qsl(request.query_string.decode("latin-1"), keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_data(cache=False),
    )


def encode(response: Response) -> flask.Response:
    """Put an answer into Flask's shape."""
    return flask.Response(response.body, status=response.status, headers=dict(response.headers))
