"""Turn HTTP requests into payload 1.0 events as a REST API with a proxy integration does, and the answers back.

The API is the one that `deploy` makes: one stage, `ANY` on `/` and `/{proxy+}`, everything binary.

Sources, as of 2026-11-25, from docs.aws.amazon.com/apigateway/latest/developerguide/:
set-up-lambda-proxy-integrations.html (input and output format), lambda-proxy-binary-media.html,
handle-errors-in-lambda-integration.html (502 for an answer of another shape).
"""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote

from adapters.aws.local.execution_environment import ACCOUNT, REGION
from adapters.contract import HttpAnswer

if TYPE_CHECKING:
    from adapters.contract import HttpRequest

STAGE = "live"
_API_ID = "tripoint01"
_RESOURCES = {"/": "tripoint00", "/{proxy+}": "tripoint02"}
_CALLER = ("accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType")
_COGNITO = ("cognitoIdentityId", "cognitoIdentityPoolId", "principalOrgId", "user", "userArn")
_HAS_NO_VALUE = dict.fromkeys((*_CALLER, *_COGNITO))  # they are there, without a value, where nobody signed
MALFORMED = HttpAnswer(
    502,
    (("content-type", "application/json"), ("x-amzn-errortype", "InternalServerErrorException")),
    b'{"message": "Internal server error"}',
)


def below_stage(target: str) -> str | None:
    """The path without its stage; None for a path of no stage. The query is left out."""
    path = target.partition("?")[0]
    if path != f"/{STAGE}" and not path.startswith(f"/{STAGE}/"):
        return None
    return path[len(STAGE) + 1 :] or "/"


def rest_event(request: HttpRequest, *, request_id: str) -> dict[str, Any]:
    """The event of one request below the stage. Names of headers stay as the client wrote them."""
    path = below_stage(request.target) or "/"
    resource = "/" if path == "/" else "/{proxy+}"
    headers = _many([*request.headers, *_added(request, request_id)])
    query = _many(parse_qsl(request.target.partition("?")[2], keep_blank_values=True))
    return {
        "resource": resource,
        "path": path,
        "httpMethod": request.method,
        "headers": _last(headers),
        "multiValueHeaders": headers,
        "queryStringParameters": _last(query) or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": None if resource == "/" else {"proxy": unquote(path[1:])},
        "stageVariables": None,
        "requestContext": _context(request, request_id, resource),
        "body": base64.b64encode(request.body).decode() if request.body else None,
        "isBase64Encoded": bool(request.body),
    }


def rest_answer(payload: bytes) -> HttpAnswer:
    """What the gateway makes of a function's return value: only a mapping with an integer `statusCode` will do."""
    value = json.loads(payload)
    status = value.get("statusCode") if isinstance(value, dict) else None
    body = value.get("body") or "" if isinstance(value, dict) else None
    if not str(status).isdecimal() or not isinstance(body, str):
        return MALFORMED
    headers = {str(name).lower(): [str(text)] for name, text in (value.get("headers") or {}).items()}
    headers |= {
        str(name).lower(): list(map(str, many)) for name, many in (value.get("multiValueHeaders") or {}).items()
    }
    headers.setdefault("content-type", ["application/json"])
    pairs = tuple((name, text) for name, many in headers.items() for text in many)
    return HttpAnswer(
        int(str(status)), pairs, base64.b64decode(body) if value.get("isBase64Encoded") else body.encode()
    )


def _context(request: HttpRequest, request_id: str, resource: str) -> dict[str, Any]:
    now_s = time.time()
    agent = next((value for name, value in request.headers if name.lower() == "user-agent"), None)
    return {
        "accountId": ACCOUNT,
        "apiId": _API_ID,
        "domainName": f"{_API_ID}.execute-api.{REGION}.amazonaws.com",
        "domainPrefix": _API_ID,
        "extendedRequestId": base64.b64encode(request_id.encode()[:11]).decode(),
        "httpMethod": request.method,
        "identity": {**_HAS_NO_VALUE, "sourceIp": "127.0.0.1", "userAgent": agent},
        "path": request.target.partition("?")[0],
        "protocol": "HTTP/1.1",
        "requestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now_s)),
        "requestTimeEpoch": int(now_s * 1000),
        "resourceId": _RESOURCES[resource],
        "resourcePath": resource,
        "stage": STAGE,
    }


def _added(request: HttpRequest, request_id: str) -> list[tuple[str, str]]:
    forwarded = [("X-Forwarded-For", "127.0.0.1"), ("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")]
    if any(name.lower() == "x-amzn-trace-id" for name, _ in request.headers):
        return forwarded
    root = request_id.replace("-", "")
    return [("X-Amzn-Trace-Id", f"Root=1-{int(time.time()):08x}-{root[:24]}"), *forwarded]


def _many(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found


def _last(many: dict[str, list[str]]) -> dict[str, str]:
    return {name: values[-1] for name, values in many.items()}
