"""REST APIs of API Gateway in front of moto: what it lacks or wrongly accepts.

moto 5.2 forgets the binary media types of a new API; replaces a method (and loses its integration), doubles a
resource and serves a deployment that does not exist, where API Gateway refuses; deploys methods without an
integration; invokes functions that do not exist; knows no limit of requests; fails on the removal of what is gone.

Source, as of 2026-11-25: docs.aws.amazon.com/apigateway/latest/api/ and .../developerguide/limits.html.
"""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    Refusal = tuple[int, str, str]

_URI = re.compile(
    r"arn:aws:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/"
    r"arn:aws:lambda:[a-z0-9-]+:\d{12}:function:(?P<name>[^:/]+)(?::(?P<qualifier>[^/]+))?/invocations"
)
_MISSING: Refusal = (404, "NotFoundException", "Invalid API identifier specified 123456789012")


@dataclass
class RestApis:
    """A WSGI application around moto's. `delete_every_s` is how often an API may be removed: 30 s at AWS."""

    moto: Any
    delete_every_s: float = 0.0
    waited: int = 0
    _deleted_s: float = field(default=float("-inf"))

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, parts = environ["REQUEST_METHOD"], environ["PATH_INFO"].strip("/").split("/")
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        document = json.loads(body) if body else {}

        def ask(path: str, verb: str = "GET", wanted: object = None) -> Any:
            return _asked(self.moto, environ, path, verb, wanted)

        refusal = self._refusal(method, parts, document, ask)
        if refusal is not None:
            status, kind, message = refusal
            answer = json.dumps({"message": message}).encode()
            headers = [("content-type", "application/json"), ("content-length", str(len(answer)))]
            start_response(f"{status} Refused", [*headers, ("x-amzn-errortype", kind)])
            return [answer]
        answered: Iterable[bytes] = self.moto(environ, start_response)
        if method == "POST" and parts == ["restapis"]:
            answered = list(answered)
            made = json.loads(b"".join(answered))["id"]
            for kind in document.get("binaryMediaTypes", ()):
                ask(f"/restapis/{made}", "PATCH", {"patchOperations": [_added_type(kind)]})
        return answered

    def _refusal(self, method: str, parts: list[str], document: Any, ask: Callable[..., Any]) -> Refusal | None:
        if len(parts) > 1 and not any(each["id"] == parts[1] for each in ask("/restapis")["item"]):
            return _MISSING
        if method == "DELETE" and len(parts) == 2:
            return self._too_often()
        match method, parts[2:]:
            case "POST", ["resources", parent]:
                return _resource(ask(f"/restapis/{parts[1]}/resources")["item"], parent, document["pathPart"])
            case "PUT", ["resources", _, "methods", _]:
                return _method(ask("/" + "/".join(parts)))
            case "PUT", ["resources", _, "methods", _, "integration"]:
                return _integration(document, ask)
            case "POST", ["deployments"]:
                return _deployment(ask(f"/restapis/{parts[1]}/resources")["item"])
            case "POST", ["stages"]:
                return _stage(ask(f"/restapis/{parts[1]}/deployments")["item"], document["deploymentId"])
            case "PATCH", ["stages", _]:
                wanted = [each["value"] for each in document["patchOperations"] if each["path"] == "/deploymentId"]
                there = ask(f"/restapis/{parts[1]}/deployments")["item"]
                return next((found for each in wanted if (found := _stage(there, each))), None)
            case "DELETE", ["deployments", gone]:
                stages = ask(f"/restapis/{parts[1]}/stages")["item"]
                if any(each["deploymentId"] == gone for each in stages):
                    words = "Active stages pointing to this deployment must be moved or deleted"
                    return 400, "BadRequestException", words
        return None

    def _too_often(self) -> Refusal | None:
        now_s = time.monotonic()
        if now_s - self._deleted_s < self.delete_every_s:
            self.waited += 1
            return 429, "TooManyRequestsException", "Too Many Requests"
        self._deleted_s = now_s
        return None


def _resource(there: list[Any], parent: str, part: str) -> Refusal | None:
    if not any(each["id"] == parent for each in there):
        return 404, "NotFoundException", "Invalid Resource identifier specified"
    if any(each.get("parentId") == parent and each["pathPart"] == part for each in there):
        return 409, "ConflictException", f"Another resource with the same parent already has this name: {part}"
    return None


def _method(there: Any) -> Refusal | None:
    if "httpMethod" in there:
        return 409, "ConflictException", "Method already exists for this resource"
    return None


def _integration(wanted: Any, ask: Callable[..., Any]) -> Refusal | None:
    """A proxy integration of Lambda is a POST to a function that there is."""
    found = _URI.fullmatch(wanted.get("uri", ""))
    if wanted.get("type") != "AWS_PROXY" or wanted.get("httpMethod") != "POST" or found is None:
        return 400, "BadRequestException", "Invalid function ARN or invalid uri"
    query = f"?Qualifier={found['qualifier']}" if found["qualifier"] else ""
    function = ask(f"/2015-03-31/functions/{found['name']}{query}")
    if "Configuration" not in function:
        return 404, "NotFoundException", "Invalid function ARN or invalid uri"
    if not 50 <= wanted.get("timeoutInMillis", 29000) <= 29000:
        return 400, "BadRequestException", "Timeout should be between 50 ms and 29000 ms"
    return None


def _deployment(resources: list[Any]) -> Refusal | None:
    methods = [method for each in resources for method in (each.get("resourceMethods") or {}).values()]
    if not methods:
        return 400, "BadRequestException", "The REST API doesn't contain any methods"
    if not all(method.get("methodIntegration") for method in methods):
        return 400, "BadRequestException", "No integration defined for method"
    return None


def _stage(deployments: list[Any], wanted: str) -> Refusal | None:
    if not any(each["id"] == wanted for each in deployments):
        return 400, "BadRequestException", "Deployment id does not exist"
    return None


def _added_type(kind: str) -> dict[str, str]:
    """As moto reads it; API Gateway has the type in the path."""
    return {"op": "add", "path": "/binaryMediaTypes", "value": kind}


def _asked(moto: Any, environ: dict[str, Any], path: str, verb: str, wanted: object) -> Any:
    """What moto answers to a further request of the same caller; {} for nothing."""
    body = b"" if wanted is None else json.dumps(wanted).encode()
    path, _, query = path.partition("?")
    more = {"REQUEST_METHOD": verb, "PATH_INFO": path, "RAW_URI": path, "REQUEST_URI": path, "QUERY_STRING": query}
    own = {**environ, **more, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    own.pop("werkzeug.request", None)
    if path.startswith("/2015-03-31/"):
        own["HTTP_AUTHORIZATION"] = environ.get("HTTP_AUTHORIZATION", "").replace("/apigateway/", "/lambda/")
    text = b"".join(moto(own, lambda *_: None))
    return json.loads(text) if text else {}
