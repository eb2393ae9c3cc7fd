"""Turn HTTP requests into Lambda events as Function URLs and HTTP APIs do, and the answers back.

Sources: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html and
docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, as of 2026-11-20.
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import parse_qsl, unquote

from adapters.aws.local.execution_environment import ACCOUNT, REGION
from adapters.contract import HttpAnswer

if TYPE_CHECKING:
    from adapters.contract import HttpRequest

Front = Literal["function-url", "http-api"]  # those of payload 2.0
_API_ID = {"function-url": "tripointlocalfunctionurl00000000", "http-api": "tripoint00"}
_DOMAIN = {"function-url": f"lambda-url.{REGION}.on.aws", "http-api": f"execute-api.{REGION}.amazonaws.com"}
_TEXT_TYPES = ("text/", "application/json", "application/javascript", "application/xml")


def http_event(request: HttpRequest, *, request_id: str, front: Front = "function-url") -> dict[str, Any]:
    """The payload 2.0 event of one HTTP request to a Function URL, or to an HTTP API's `$default` route."""
    path, _, query = request.target.partition("?")
    headers = _joined(request)
    cookies = headers.pop("cookie", None)
    http = {
        "method": request.method,
        "path": unquote(path) or "/",
        "protocol": "HTTP/1.1",
        "sourceIp": "127.0.0.1",
        "userAgent": headers.get("user-agent", ""),
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": http["path"],
        "rawQueryString": query,
        "headers": {**headers, **_added(headers, request_id)},
        "requestContext": _context(front, request_id, http),
    }
    if query:
        event["queryStringParameters"] = _joined_query(query)
    if cookies is not None:
        event["cookies"] = [cookie.strip() for cookie in cookies.split(";")]
    return {**event, **_body(request.body, headers.get("content-type", ""))}


def _context(front: Front, request_id: str, http: dict[str, str]) -> dict[str, Any]:
    now_s = time.time()
    return {
        "accountId": "anonymous" if front == "function-url" else ACCOUNT,
        "apiId": _API_ID[front],
        "domainName": f"{_API_ID[front]}.{_DOMAIN[front]}",
        "domainPrefix": _API_ID[front],
        "http": http,
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s)),
        "timeEpoch": int(now_s * 1000),
    }


def http_answer(payload: bytes) -> HttpAnswer:
    """What the front answers to a function's return value: a mapping with `statusCode`, or the JSON as it is."""
    value = json.loads(payload)
    if not isinstance(value, dict) or "statusCode" not in value:
        return HttpAnswer(200, (("content-type", "application/json"),), payload)
    body = value.get("body") or ""
    data = base64.b64decode(body) if value.get("isBase64Encoded") else str(body).encode()
    headers = [(name.lower(), str(text)) for name, text in (value.get("headers") or {}).items()]
    if not any(name == "content-type" for name, _ in headers):
        headers.append(("content-type", "application/json"))
    headers += [("set-cookie", cookie) for cookie in value.get("cookies") or ()]
    return HttpAnswer(int(value["statusCode"]), tuple(headers), data)


def _joined(request: HttpRequest) -> dict[str, str]:
    """Lower-case names; several values of one name joined with commas (cookies with semicolons)."""
    joined: dict[str, str] = {}
    for name, value in request.headers:
        key = name.lower()
        separator = "; " if key == "cookie" else ","
        joined[key] = f"{joined[key]}{separator}{value}" if key in joined else value
    return joined


def _joined_query(query: str) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _added(headers: dict[str, str], request_id: str) -> dict[str, str]:
    root = request_id.replace("-", "")
    trace = f"Root=1-{int(time.time()):08x}-{root[:24]}"
    forwarded = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https", "x-forwarded-port": "443"}
    return {"x-amzn-trace-id": headers.get("x-amzn-trace-id", trace), **forwarded}


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """Text as it is, everything else in base64."""
    if not body:
        return {"isBase64Encoded": False}
    if content_type.lower().startswith(_TEXT_TYPES):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
