"""Google Cloud: functions, their Cloud Run services' policies, service accounts and logs, checked by discovery."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from tests.standins.discovery import Service

_SERVICES = ("cloudfunctions.v2", "iam.v1", "run.v2", "logging.v2")
_FIELD = re.compile(r"_([a-z])")


class Refused(Exception):
    """An error answer: status and message."""


@dataclass
class Google:
    """A WSGI application. `uploads` holds the zips by object name, `functions` the functions by full name.

    `polls` is how often an operation is asked for before it is done. `door` is the address that functions have;
    `changed` is called when a service has a new revision. `containers` holds what a service's container has that
    the functions API knows nothing of; a function that is built anew has Google's defaults again, of which `boost`
    is not published. A new service account is not known to `create` for `account_late` requests. Of each new revision
    `starts_new_revisions` says whether Google starts an instance by itself, to check its health.
    """

    polls: int = 0
    account_late: int = 0
    starts_new_revisions: list[bool] = field(default_factory=list)
    boost: bool = False
    containers: dict[str, dict[str, Any]] = field(default_factory=dict)
    door: str | None = None
    changed: Callable[[], None] = lambda: None
    functions: dict[str, dict[str, Any]] = field(default_factory=dict)
    accounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    uploads: dict[str, bytes] = field(default_factory=dict)
    operations: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    services: list[Service] = field(default_factory=lambda: [Service(name) for name in _SERVICES])

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        if path.startswith("/upload/"):
            return self._take_upload(environ, path, body, start_response)
        try:
            document = self._answer(environ, json.loads(body) if body else None)
            status = 200
        except Refused as error:
            status, message = error.args
            document = {"error": {"code": status, "message": message, "status": _STATUSES[status]}}
        except AssertionError as error:
            self.faults.append(str(error))
            status, document = 400, {"error": {"code": 400, "message": str(error), "status": "INVALID_ARGUMENT"}}
        data = json.dumps(document).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(data)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [data]

    def _answer(self, environ: dict[str, Any], body: Any) -> dict[str, Any]:
        verb, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        for service in self.services:
            method = service.method(verb, path)
            if method is not None and method["id"] in _HANDLERS:
                query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
                service.check_request(method, query, body)
                self._base = f"http://{environ['HTTP_HOST']}"
                answer = _HANDLERS[method["id"]](self, path.lstrip("/").partition("/")[2], query, body)
                service.check_answer(method, answer)
                return answer
        raise AssertionError(f"no method serves {verb} {path}")

    def _take_upload(self, environ: dict[str, Any], path: str, body: bytes, start_response: Any) -> Iterable[bytes]:
        """As the signed URL does: the content type is part of the signature, and credentials are refused."""
        right = environ.get("CONTENT_TYPE") == "application/zip" and "HTTP_AUTHORIZATION" not in environ
        if right:
            self.uploads[path.rpartition("/")[2]] = body
        start_response("200 OK" if right else "403 Forbidden", [("content-length", "0")])
        return []

    def upload_url(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        identity = f"{len(self.uploads)}-{len(self.operations)}.zip"
        source = {"bucket": "gcf-v2-uploads", "object": identity, "generation": "1"}
        return {"uploadUrl": f"{self._base}/upload/{identity}", "storageSource": source}

    def create(self, parent: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        name = f"{parent.removesuffix('/functions')}/functions/{query['functionId']}"
        if name in self.functions:
            raise Refused(409, f"{name} already exists")
        if self.account_late > 0:
            self.account_late -= 1
            raise Refused(404, f"Service account {body['serviceConfig']['serviceAccountEmail']} was not found.")
        return self._build(name, body)

    def update(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        self._known(name)
        return self._build(name, body)

    def _build(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        source = body["buildConfig"]["source"]["storageSource"]["object"]
        assert source in self.uploads, f"{source} was never uploaded"
        uri = self.door or f"https://{name.rpartition('/')[2]}-uc.a.run.app"
        _check_cpu(body["serviceConfig"])
        service = {**body["serviceConfig"], "uri": uri, "service": name}
        made = {**body, "name": name, "serviceConfig": service, "state": "ACTIVE"}
        made.pop("environment", None)
        self.functions[name] = {**made, "environment": "GEN_2"}
        self.containers[name] = {"cpuIdle": True, "startupCpuBoost": self.boost}
        kind = {"@type": "type.googleapis.com/google.cloud.functions.v2.Function"}
        return self._operation(name, {**kind, **self.functions[name]})

    def delete(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        self._known(name)
        del self.functions[name], self.containers[name]
        return self._operation(name, {"@type": "type.googleapis.com/google.protobuf.Empty"})

    def get(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        return self._known(name)

    def list_functions(self, parent: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        place = parent.removesuffix("/functions").removesuffix("/locations/-")
        return {"functions": [each for name, each in self.functions.items() if name.startswith(place)]}

    def operation(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        waiting = self.operations[name]
        waiting["left"] -= 1
        return waiting["document"] if waiting["left"] < 0 else {"name": name, "done": False}

    def _operation(self, name: str, response: dict[str, Any]) -> dict[str, Any]:
        identity = f"{re.split('/functions/|/services/', name)[0]}/operations/{len(self.operations)}"
        document = {"name": identity, "done": True, "response": response}
        self.operations[identity] = {"left": self.polls, "document": document}
        return {"name": identity, "done": False} if self.polls else document

    def _known(self, name: str) -> dict[str, Any]:
        if name not in self.functions:
            raise Refused(404, f"Resource '{name}' was not found")
        return self.functions[name]

    def set_policy(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        service = name.removesuffix(":setIamPolicy")
        self._known(service.replace("/services/", "/functions/"))
        self.policies[service] = body["policy"]
        return dict(body["policy"])

    def get_service(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        """The Cloud Run service that a function is."""
        own = name.replace("/services/", "/functions/")
        config = self._known(own)["serviceConfig"]
        env = [{"name": each, "value": value} for each, value in config["environmentVariables"].items()]
        limits = {"memory": config["availableMemory"], "cpu": str(_cpu_of(config))}
        container = {"image": "built", "env": env, "resources": {"limits": limits, **self.containers[own]}}
        return {"name": name, "ingress": _INGRESS[config["ingressSettings"]], "template": {"containers": [container]}}

    def update_service(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        own = name.replace("/services/", "/functions/")
        config = self._known(own)["serviceConfig"]
        [container] = body["template"]["containers"]
        self.starts_new_revisions.append(not body["template"].get("healthCheckDisabled", False))
        resources = container["resources"]
        assert resources["limits"] == {"memory": config["availableMemory"], "cpu": str(_cpu_of(config))}, resources
        by_request = resources.get("cpuIdle", False)  # what is not given is false once resources are
        assert by_request or _cpu_of(config) >= 1, "billing must be request-based below 1 vCPU"
        self.containers[own] = {"cpuIdle": by_request, "startupCpuBoost": resources.get("startupCpuBoost", False)}
        config["environmentVariables"] = {each["name"]: each["value"] for each in container["env"]}
        self.changed()
        kind = {"@type": "type.googleapis.com/google.cloud.run.v2.Service"}
        return self._operation(name, {**kind, **self.get_service(name, query, body)})

    def create_account(self, parent: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        project, name = parent.split("/")[1], str(body["accountId"])
        assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", name), f"accountId {name!r}"
        email = f"{name}@{project}.iam.gserviceaccount.com"
        made = {"name": f"projects/{project}/serviceAccounts/{email}", "email": email, **body["serviceAccount"]}
        if made["name"] in self.accounts:
            raise Refused(409, f"{email} already exists")
        self.accounts[made["name"]] = made
        return made

    def get_account(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        if name not in self.accounts:
            raise Refused(404, f"Unknown service account {name}")
        return self.accounts[name]

    def delete_account(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        self.get_account(name, query, body)
        del self.accounts[name]
        return {}

    def list_accounts(self, parent: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        return {"accounts": list(self.accounts.values())}

    def entries(self, name: str, query: dict[str, str], body: Any) -> dict[str, Any]:
        return {"entries": self.log[-int(body["pageSize"]) :][::-1]}

    def deployed(self) -> bytes | None:
        """The zip of the function that there is."""
        return next(reversed(self.uploads.values()), None) if self.functions else None

    def left(self) -> list[str]:
        """What still exists."""
        return [*self.functions, *self.accounts]


def _cpu_of(config: dict[str, Any]) -> float:
    """The vCPUs of a function: those asked for, or the default of its memory size."""
    memory_mb = int(config["availableMemory"].removesuffix("Mi"))
    return float(config.get("availableCpu") or _CPU_DEFAULTS[memory_mb])


def _check_cpu(config: dict[str, Any]) -> None:
    """Refuse what Cloud Run refuses (cloud.google.com/run/docs/configuring/services/cpu, as of 2026-11-25)."""
    memory_mb, cpu = int(config["availableMemory"].removesuffix("Mi")), _cpu_of(config)
    most_mb = next(size_mb for least, size_mb in reversed(_MEMORY_LIMITS) if cpu >= least)
    assert memory_mb <= most_mb, f"{cpu} vCPU: at most {most_mb} MiB, not {memory_mb}"
    assert cpu < 1 or cpu in {1, 2, 4, 6, 8}, f"{cpu} vCPU: whole ones above 1"
    assert cpu >= 1 or config["maxInstanceRequestConcurrency"] == 1, "below 1 vCPU concurrency must be 1"


# cloud.google.com/functions/docs/configuring/memory: MiB -> vCPU, as of 2026-11-25.
_CPU_DEFAULTS = {128: 0.083, 256: 0.167, 512: 0.333, 1024: 0.583, 2048: 1, 4096: 2, 8192: 2, 16384: 4, 32768: 8}
_MEMORY_LIMITS = ((0.08, 512), (0.5, 1024), (1, 4096), (2, 8192), (4, 16384), (6, 24576), (8, 32768))
_INGRESS = (  # by the functions' number of the setting: the client libraries send numbers
    "INGRESS_TRAFFIC_UNSPECIFIED",
    "INGRESS_TRAFFIC_ALL",
    "INGRESS_TRAFFIC_INTERNAL_ONLY",
    "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
)
_STATUSES = {404: "NOT_FOUND", 409: "ALREADY_EXISTS"}
_FUNCTIONS = "cloudfunctions.projects.locations"
_HANDLERS: dict[str, Callable[[Google, str, dict[str, str], Any], dict[str, Any]]] = {
    f"{_FUNCTIONS}.functions.generateUploadUrl": Google.upload_url,
    f"{_FUNCTIONS}.functions.create": Google.create,
    f"{_FUNCTIONS}.functions.patch": Google.update,
    f"{_FUNCTIONS}.functions.delete": Google.delete,
    f"{_FUNCTIONS}.functions.get": Google.get,
    f"{_FUNCTIONS}.functions.list": Google.list_functions,
    f"{_FUNCTIONS}.operations.get": Google.operation,
    "run.projects.locations.services.setIamPolicy": Google.set_policy,
    "run.projects.locations.services.get": Google.get_service,
    "run.projects.locations.services.patch": Google.update_service,
    "iam.projects.serviceAccounts.create": Google.create_account,
    "iam.projects.serviceAccounts.get": Google.get_account,
    "iam.projects.serviceAccounts.delete": Google.delete_account,
    "iam.projects.serviceAccounts.list": Google.list_accounts,
    "logging.entries.list": Google.entries,
}
