"""An Azure Functions HTTP request to the core's request, and the answer back."""

from __future__ import annotations

from urllib.parse import parse_qsl

import azure.functions as func

from core.wire import Request, Response


def decode(request: func.HttpRequest) -> Request:
    """Take the platform off an HTTP request.

    The path is what the catch-all route `{*path}` caught, so a route prefix in host.json is off already.
    The query is read from the URL: the host joins the values of a repeated name with commas in `params`.
    """
    return Request(
        method=request.method,
        path="/" + request.route_params.get("path", "").lstrip("/"),  # as Werkzeug does for Google
        query=dict(parse_qsl(request.url.partition("?")[2], keep_blank_values=True)),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=request.get_body(),
    )


def encode(response: Response) -> func.HttpResponse:
    """Put an answer into Azure's shape."""
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)
