"""Lambda events to the core's request, and the core's response to the answer that the event's sender wants.

Shapes: Function URL and HTTP API (payload 2.0), REST API and HTTP API (payload 1.0), load balancer, and
direct invocation, whose event is the JSON document itself.
"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Literal

from core import base64_c
from core.wire import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from core.wire import Response

    Event = Mapping[str, Any]

Shape = Literal["http-2.0", "http-1.0", "alb", "direct"]
ALL_LABELS = "1000"  # the core's upper bound: a bare mapping carries every label


def shape(event: Event) -> Shape:
    """Who sent the event; a direct invocation may send any JSON value."""
    if not isinstance(event, dict):
        return "direct"
    context = event.get("requestContext") or {}
    if "elb" in context:
        return "alb"
    if event.get("version") == "2.0" and "http" in context:
        return "http-2.0"
    return "http-1.0" if "httpMethod" in event else "direct"


def decode(event: Event) -> Request:
    """Take the platform off an event."""
    match shape(event):
        case "http-2.0":
            return _from_http_2(event)
        case "direct":
            return _from_direct(event)
        case _:
            return _from_http_1(event)


def encode(response: Response, event: Event) -> dict[str, Any]:
    """Put an answer into the shape that the event's sender wants.

    A direct invocation is answered with the bare mapping label -> score, or the error document.
    """
    kind = shape(event)
    if kind == "direct":
        return _bare(response)
    answer: dict[str, Any] = {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.text,
        "isBase64Encoded": False,
    }
    if kind == "alb":
        import http

        answer["statusDescription"] = f"{response.status} {http.HTTPStatus(response.status).phrase}"
        if "multiValueHeaders" in event:  # the target group's switch: then single values are ignored
            answer["multiValueHeaders"] = {name: [value] for name, value in answer.pop("headers").items()}
    return answer


def _from_http_2(event: Event) -> Request:
    context = event["requestContext"]
    return Request(
        method=context["http"]["method"],
        path=_without_stage(event["rawPath"], context.get("stage")),
        query=_query(event.get("rawQueryString", "")),
        headers=_lower(event.get("headers") or {}),
        body=_body(event),
    )


def _query(text: str) -> dict[str, str]:
    if not text:  # as almost always: urllib.parse is 2 ms of a cold start
        return {}
    from urllib.parse import parse_qsl

    return dict(parse_qsl(text, keep_blank_values=True))


def _from_http_1(event: Event) -> Request:
    context = event["requestContext"]
    headers = {name: values[-1] for name, values in (event.get("multiValueHeaders") or {}).items()}
    many = event.get("multiValueQueryStringParameters") or {}
    query = {**(event.get("queryStringParameters") or {}), **{name: values[-1] for name, values in many.items()}}
    if "elb" in context:  # a load balancer leaves them percent-encoded
        from urllib.parse import unquote_plus

        query = {unquote_plus(name): unquote_plus(value) for name, value in query.items()}
    # A REST API takes the stage off `path`; an HTTP API with payload 1.0 leaves it on.
    stage = context.get("stage") if context.get("path") == event["path"] else None
    return Request(
        method=event["httpMethod"],
        path=_without_stage(event["path"], stage),
        query=query,
        headers=_lower({**(event.get("headers") or {}), **headers}),
        body=_body(event),
    )


def _from_direct(event: Event) -> Request:
    document = {"top_k": int(ALL_LABELS), **event} if isinstance(event, dict) else event
    headers = {"content-type": "application/json"}
    return Request("POST", "/classify", headers=headers, body=json.dumps(document).encode())


def _bare(response: Response) -> dict[str, Any]:
    document = response.document
    predictions = document.get("predictions")
    if not isinstance(predictions, list):
        return document
    return {entry["label"]: entry["score"] for entry in predictions}


def _without_stage(path: str, stage: str | None) -> str:
    prefix = f"/{stage}"
    if stage not in (None, "$default") and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :] or "/"
    return path or "/"


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _body(event: Event) -> bytes:
    body = event.get("body") or ""
    if not event.get("isBase64Encoded"):
        return str(body).encode()
    return base64_c.decode(body) or base64.b64decode(body)
