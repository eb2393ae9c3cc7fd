"""AWS: moto's server, with what moto lacks or wrongly accepts.

moto 5.2 has no GetAccountSettings and no provisioned concurrency, and accepts what Lambda refuses: unknown
runtimes, impossible memory sizes, a role that does not exist, zips above 50 MB, images that cannot run there, a
second right of one name. What it wrongly accepts of REST APIs is in rest_api.py.
"""

from __future__ import annotations

import base64
import functools
import importlib
import io
import json
import os
import re
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

from tests.standins.ecr import Ecr
from tests.standins.rest_api import RestApis
from tests.standins.settling import Settling

RUNTIMES = {"python3.11", "python3.12", "python3.13", "python3.14"}
ACCOUNT = {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 1000, "CodeSizeUnzipped": 262144000}
_CREATE = re.compile(r"/2015-03-31/functions/?$")
_URL = re.compile(r"/2021-10-31/functions/([^/]+)/url$")
_FUNCTION = re.compile(r"/2015-03-31/functions/([^/]+)$")
_POLICY = re.compile(r"/2015-03-31/functions/([^/]+)/policy$")
_EXECUTE = re.compile(r"/_aws/execute-api/([^/]+)/")
_ALIAS = re.compile(r"/2015-03-31/functions/[^/]+/aliases/[^/]+$")
_ALIASES = re.compile(r"/2015-03-31/functions/[^/]+/aliases$")


class Aws:
    """A WSGI application. `zips` holds every zip that was deployed, `images` every image, and `sizes_mb` the memory,
    by function name.

    `door` gives the address that a function's URL has; `changed` is told which function's configuration has changed.
    `gateway` is what answers below the address of a REST API, where emulators of AWS have it.
    """

    def __init__(self, account: dict[str, int] | None = None) -> None:
        self.door: Callable[[str], str] | None = None
        self.changed: Callable[[str], None] = lambda name: None
        self.gateway: Any = None
        self._moto = _moto_application()
        self.rest_apis = RestApis(self._moto)
        self._account = account or ACCOUNT
        self.ecr = Ecr()
        self.zips: dict[str, bytes] = {}
        self.images: dict[str, str] = {}
        self.sizes_mb: dict[str, int] = {}
        self.settling = Settling()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        if path.startswith("/2016-08-19/account-settings"):
            return _json(start_response, 200, {"AccountLimit": self._account, "AccountUsage": {}})
        if self.gateway is not None and _EXECUTE.match(path):
            answered: Iterable[bytes] = self.gateway(environ, start_response)
            return answered
        if path.startswith("/restapis"):
            return self.rest_apis(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        if late := self.settling.answer(method, path, environ.get("QUERY_STRING", ""), body):
            status, kind, document = late
            return _json(start_response, status, document, kind=kind)
        if method == "POST" and _CREATE.search(path):
            asked = json.loads(body)
            refused = refusal(asked) or self._image_refusal(asked["Code"], asked)
            if self.settling.role_refusals:
                refused = self.settling.role_refusals.pop(0)
            if refused:
                return _refused(start_response, refused)
            self._keep_code(asked["FunctionName"], asked["Code"])
            self._keep_size(asked["FunctionName"], asked)
            _shorten(environ, asked, asked["Code"])
        if method == "POST" and _POLICY.search(path) and self._permitted(environ, json.loads(body)["StatementId"]):
            error = {"Type": "User", "message": "The statement id provided already exists"}
            return _json(start_response, 409, error, kind="ResourceConflictException")
        if method == "PUT" and path.endswith("/code"):
            asked = json.loads(body)
            if refused := self._image_refusal(asked, asked):
                return _refused(start_response, refused)
            self._keep_code(path.split("/")[-2], asked)
            _shorten(environ, asked, asked)
        if method == "PUT" and path.endswith("/configuration"):
            self._keep_size(path.split("/")[-2], json.loads(body))
            self.changed(path.split("/")[-2])
        if self.door is not None and (found := _URL.search(path)):
            own = functools.partial(_with_door, self.door(found[1]))
            return self._rewritten(environ, start_response, own)
        if method == "POST" and _ALIASES.search(path):
            place = f"{path}/{json.loads(body)['Name']}"
            if self._version_of_alias({**environ, "PATH_INFO": place, "RAW_URI": place}) is not None:
                error = {"Type": "User", "message": "Alias already exists"}
                return _json(start_response, 409, error, kind="ResourceConflictException")
        if _ALIAS.search(path):
            if method == "PUT":
                self.settling.move(method, path, self._version_of_alias(environ))
            if method == "GET":
                return self._rewritten(environ, start_response, functools.partial(self.settling.alias, path))
        if method == "GET" and path == "/" and "HTTP_X_AMZ_TARGET" not in environ:
            return self._rewritten(environ, start_response, self.settling.buckets)
        if method == "DELETE" and (gone := _FUNCTION.search(path)):
            self.zips.pop(gone[1], None)
            self.images.pop(gone[1], None)
        if target := environ.get("HTTP_X_AMZ_TARGET", ""):
            self.ecr.before(target, body)
            return self._rewritten(environ, start_response, self.ecr.rewritten)
        answer: Iterable[bytes] = self._moto(environ, start_response)
        return answer

    def deployed(self) -> bytes | Path | None:
        """The zip of the function that there is, or the files of its image."""
        if self.images:
            return self.ecr.root(next(reversed(self.images.values())))
        return next(reversed(self.zips.values()), None)

    def of_function(self, name: str) -> bytes | Path | None:
        """The zip of the function of that name, or the files of its image."""
        return self.ecr.root(self.images[name]) if name in self.images else self.zips.get(name)

    def _there(self, environ: dict[str, Any]) -> Any:
        """What a GET of the same path answers."""
        own = {**environ, "REQUEST_METHOD": "GET", "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
        own.pop("werkzeug.request", None)
        return json.loads(b"".join(self._moto(own, lambda *_: None)))

    def _version_of_alias(self, environ: dict[str, Any]) -> str | None:
        found = self._there(environ).get("FunctionVersion")
        return None if found is None else str(found)

    def _permitted(self, environ: dict[str, Any], statement: str) -> bool:
        """Whether the function (or its alias) has a right of that name already."""
        document = self._there(environ)
        policy = json.loads(document.get("Policy", '{"Statement": []}'))
        return any(each.get("Sid") == statement for each in policy["Statement"])

    def _rewritten(
        self, environ: dict[str, Any], start_response: Any, change: Callable[[bytes], bytes]
    ) -> Iterable[bytes]:
        """As moto answers, but for a change of the body."""
        said: list[Any] = []

        def keep(status: str, headers: list[tuple[str, str]], *more: Any) -> None:
            said.extend((status, headers))

        body = change(b"".join(self._moto(environ, keep)))
        kept = [(name, value) for name, value in said[1] if name.lower() != "content-length"]
        start_response(said[0], [*kept, ("content-length", str(len(body)))])
        return [body]

    def _keep_code(self, name: str, code: dict[str, Any]) -> None:
        if "ZipFile" in code:
            self.zips[name] = _decoded(code["ZipFile"])
        if "ImageUri" in code:
            self.images[name] = code["ImageUri"]

    def _image_refusal(self, code: dict[str, Any], wanted: dict[str, Any]) -> str | None:
        if "ImageUri" not in code:
            return None
        return self.ecr.refusal(code["ImageUri"], wanted.get("Architectures", ["x86_64"])[0])

    def _keep_size(self, name: str, settings: dict[str, Any]) -> None:
        if "MemorySize" in settings:
            self.sizes_mb[name] = int(settings["MemorySize"])


@functools.cache
def _moto_application() -> Any:
    """moto's server, made once: it keeps one account per process, which a rig empties when it ends."""
    switches = {"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "MOTO_LAMBDA_STUB_ECR": "false"}
    with mock.patch.dict(os.environ, switches):
        server = importlib.import_module("moto.moto_server.werkzeug_app")
        importlib.import_module("moto.backends").get_backend("lambda")
    return server.DomainDispatcherApplication(server.create_backend_app)


@functools.lru_cache(maxsize=1)
def _decoded(text: str) -> bytes:
    return base64.b64decode(text)


def _shorten(environ: dict[str, Any], asked: dict[str, Any], code: dict[str, Any]) -> None:
    """Give moto an empty zip in place of the function's own, which is kept here; moto would decode and hash it."""
    if "ZipFile" not in code:
        return
    code["ZipFile"] = base64.b64encode(b"PK\5\6" + bytes(18)).decode()
    body = json.dumps(asked).encode()
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = io.BytesIO(body), str(len(body))


def _with_door(address: str, body: bytes) -> bytes:
    """The URL of the function leads to its door."""
    document = json.loads(body) if body else {}
    return json.dumps({**document, "FunctionUrl": f"{address}/"}).encode() if "FunctionUrl" in document else body


def refusal(wanted: dict[str, Any]) -> str | None:
    """Why Lambda would refuse a CreateFunction that moto accepts (docs.aws.amazon.com/lambda/latest/api)."""
    if wanted.get("PackageType", "Zip") == "Zip" and wanted.get("Runtime") not in RUNTIMES:
        return f"Value {wanted.get('Runtime')} at 'runtime' failed to satisfy constraint: not in the enum value set"
    if not 128 <= wanted.get("MemorySize", 128) <= 10240:
        return f"'MemorySize' value failed to satisfy constraint: {wanted['MemorySize']}"
    code = _decoded(wanted["Code"].get("ZipFile", ""))
    if len(code) > 50 * 1024 * 1024:
        return "Request must be smaller than 69905067 bytes for the CreateFunction operation"
    if code:
        with zipfile.ZipFile(io.BytesIO(code)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > 262144000:
                return "Unzipped size must be smaller than 262144000 bytes"
    return None


def _refused(start_response: Any, why: str) -> Iterable[bytes]:
    return _json(start_response, 400, {"Type": "User", "message": why}, kind="InvalidParameterValueException")


def _json(start_response: Any, status: int, document: object, *, kind: str = "") -> Iterable[bytes]:
    body = json.dumps(document).encode()
    headers = [("content-type", "application/json"), ("content-length", str(len(body)))]
    start_response(f"{status} {'OK' if status < 400 else 'Bad Request'}", [*headers, ("x-amzn-errortype", kind)])
    return [body]
