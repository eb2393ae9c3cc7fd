"""Turn HTTP into FunctionRpc's messages and back, as the Functions host does. Pure."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from adapters.contract import HttpAnswer

if TYPE_CHECKING:
    from adapters.azure.local.routes import Match
    from adapters.contract import HttpRequest


def to_invocation(messages: Any, request: HttpRequest, match: Match) -> Any:
    """An InvocationRequest: lower-case header names, repeated names joined with commas, the body as bytes.

    The URL keeps its escapes; parameters with an empty value are left out of `query` (Azure/azure-functions-host,
    GrpcMessageConversionExtensions.cs, read 2026-11-21).
    """
    headers = _joined((name.lower(), value) for name, value in request.headers)
    path, _, query = request.target.partition("?")
    http = messages.RpcHttp(
        method=request.method,
        url=f"http://{headers.get('host', '127.0.0.1')}{path}" + (f"?{query}" if query else ""),
        headers=headers,
        query=_joined(parse_qsl(query)),
        params=dict(match.parameters),
        body=messages.TypedData(bytes=request.body),
    )
    binding = messages.ParameterBinding(name=match.route.parameter, data=messages.TypedData(http=http))
    invocation = messages.InvocationRequest(
        invocation_id=secrets.token_hex(16), function_id=match.route.function_id, input_data=[binding]
    )
    invocation.trace_context.trace_parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    return invocation


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def to_answer(value: Any, *, method: str) -> HttpAnswer:
    """The HTTP answer in a function's return value; 204 when it returned nothing, 200 when it was plain data."""
    kind = value.WhichOneof("data")
    if kind is None:
        return HttpAnswer(204)
    if kind != "http":
        return HttpAnswer(200, (("content-type", "text/plain; charset=utf-8"),), _bytes(value))
    http = value.http
    cookies = tuple(("set-cookie", _cookie(cookie)) for cookie in http.cookies)
    body = b"" if method == "HEAD" else _bytes(http.body)
    return HttpAnswer(int(http.status_code or 200), (*http.headers.items(), *cookies), body)


def _bytes(value: Any) -> bytes:
    """The contents of a TypedData."""
    kind = value.WhichOneof("data")
    if kind is None:
        return b""
    content = getattr(value, kind)
    return content if isinstance(content, bytes) else str(content).encode()


def _cookie(cookie: Any) -> str:
    text = f"{cookie.name}={cookie.value}"
    for name in ("domain", "path"):
        if getattr(cookie, name).value:
            text += f"; {name}={getattr(cookie, name).value}"
    if cookie.max_age.value:
        text += f"; max-age={int(cookie.max_age.value)}"
    return text + ("; secure" if cookie.secure.value else "") + ("; httponly" if cookie.http_only.value else "")
