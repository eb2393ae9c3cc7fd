"""Azure: the resource manager for groups, storage, plans and apps, and each app's deployment service."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tests.standins.models import ModelError, check

if TYPE_CHECKING:
    from tests.standins.blobs import Blobs

_SUBSCRIPTION = r"/subscriptions/[0-9a-f-]{36}"
_GROUP = rf"{_SUBSCRIPTION}/resource[gG]roups/(?P<group>[^/]+)"
_MODELS = {
    "group": ("azure.mgmt.resource.resources.models", "ResourceGroup"),
    "storageAccounts": ("azure.mgmt.storage.models", "StorageAccountCreateParameters"),
    "serverfarms": ("azure.mgmt.web.models", "AppServicePlan"),
    "sites": ("azure.mgmt.web.models", "Site"),
    "settings": ("azure.mgmt.web.models", "StringDictionary"),
}
_TYPES = {
    "storageAccounts": "Microsoft.Storage/storageAccounts",
    "serverfarms": "Microsoft.Web/serverFarms",
    "sites": "Microsoft.Web/sites",
}
KEY = "function-key-of-the-stand-in"
STORAGE_KEY = "c3RhbmQtaW4="


class Refused(Exception):
    """An error answer: status, code, message."""


@dataclass
class Azure:
    """A WSGI application. `packages` holds what was published, by app; `faults` what the models refused.

    `door` is the host that apps have; `changed` is called when an app restarts for new settings. With `blobs`
    packages are in a real blob service instead, written and read with what the app's own settings say.

    As on Flex, a container holds one package, whose name is always the same. For so many requests the deployment
    service of a new app is `scm_busy`, and its keys are not there (`keys_late`); `shared_keys` False is a policy that
    forbids them. "latest" names the deployment before for a while.
    """

    blobs: Blobs | None = None
    door: str | None = None
    changed: Callable[[], None] = lambda: None
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    resources: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    packages: dict[str, bytes] = field(default_factory=dict)
    polls: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    scm_busy: int = 0
    keys_late: int = 0
    shared_keys: bool = True

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        try:
            status, document = self._answer(environ, body)
        except Refused as error:
            status, code, message = error.args
            document = {"error": {"code": code, "message": message}}
        except AssertionError as error:
            self.faults.append(str(error))
            status, document = 400, {"error": {"code": "BadRequest", "message": str(error)}}
        data = b"" if document is None else json.dumps(document).encode()
        headers = [("content-type", "application/json"), ("content-length", str(len(data)))]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [data]

    def _answer(self, environ: dict[str, Any], body: bytes) -> tuple[int, Any]:
        verb, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        query = {name: values[-1] for name, values in parse_qs(environ.get("QUERY_STRING", "")).items()}
        if not (environ.get("HTTP_AUTHORIZATION", "").startswith("Bearer ") or path.startswith("/host/")):
            raise Refused(401, "AuthenticationFailed", "no bearer token")
        if not path.startswith(("/scm/", "/host/")) and "api-version" not in query:
            raise ModelError(f"{verb} {path} has no api-version")
        for pattern, handler in _ROUTES:
            found = re.fullmatch(f"{verb} {pattern}", f"{verb} {path}")
            if found and handler.__name__.startswith(f"{verb.lower()}_"):
                return handler(self, {**query, **found.groupdict()}, body)
        raise ModelError(f"nothing serves {verb} {path}")

    def put_group(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        document = _checked("group", body)
        self.groups[given["group"]] = document
        return 201, self._group(given["group"])

    def head_group(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        return (204 if given["group"] in self.groups else 404), None

    def delete_group(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        self._known_group(given["group"])
        del self.groups[given["group"]]
        for key in [key for key in self.resources if key[0] == given["group"]]:
            self._close_storage(key)
        self.resources = {key: each for key, each in self.resources.items() if key[0] != given["group"]}
        return 200, None

    def get_groups(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        name, value = re.findall(r"'([^']*)'", given["$filter"])
        chosen = [group for group, each in self.groups.items() if each.get("tags", {}).get(name) == value]
        return 200, {"value": [self._group(group) for group in chosen]}

    def get_group_resources(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        self._known_group(given["group"])
        own = [key for key in self.resources if key[0] == given["group"]]
        return 200, {"value": [{"id": "/".join(key), "name": key[2], "type": _TYPES[key[1]]} for key in own]}

    def put_resource(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        self._known_group(given["group"])
        document = _checked(given["kind"], body)
        if given["kind"] == "storageAccounts" and not re.fullmatch(r"[a-z0-9]{3,24}", given["name"]):
            raise ModelError(f"storage account {given['name']!r}: 3 to 24 lower-case letters and digits")
        if given["kind"] == "sites":
            self._check_site(document, given["group"])
        key = (given["group"], given["kind"], given["name"])
        worldwide = given["kind"] != "serverfarms"
        if worldwide and any(each[1:] == key[1:] and each[0] != key[0] for each in self.resources):
            raise Refused(409, "Conflict", f"the name {given['name']} is taken")
        self.resources[key] = document
        if self.blobs is not None and given["kind"] == "storageAccounts":
            self.blobs.open(given["name"], STORAGE_KEY)
        return 200, self._resource(key)

    def get_resource(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        return 200, self._resource(self._known(given))

    def delete_resource(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        key = self._known(given)
        if key[1] == "serverfarms" and (key[0], "sites", key[2]) in self.resources:
            raise Refused(409, "Conflict", "the plan still has an app")
        del self.resources[key]
        self._close_storage(key)
        return 200, None

    def put_container(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        self._known({**given, "kind": "storageAccounts"})
        if self.blobs is not None:
            self.blobs.create_container(given["name"], STORAGE_KEY, given["container"])
        return 201, {"name": given["container"]}

    def post_storage_keys(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        self._known({**given, "kind": "storageAccounts"})
        return 200, {"keys": [{"keyName": "key1", "value": STORAGE_KEY, "permissions": "FULL"}]}

    def post_settings(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        site = self.resources[self._known({**given, "kind": "sites"})]
        held = site["properties"]["siteConfig"]["appSettings"]
        return 200, {"properties": {each["name"]: each["value"] for each in held}}

    def put_settings(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        site = self.resources[self._known({**given, "kind": "sites"})]
        document = _checked("settings", body)
        held = [{"name": name, "value": value} for name, value in document["properties"].items()]
        site["properties"]["siteConfig"]["appSettings"] = held
        self.changed()
        return 200, document

    def post_host_keys(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        self._known({**given, "kind": "sites"})
        if self.keys_late > 0:
            self.keys_late -= 1
            raise Refused(400, "BadRequest", "Encountered an error (InternalServerError) from host runtime.")
        return 200, {"masterKey": "master", "functionKeys": {"default": KEY}, "systemKeys": {}}

    def post_package(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        if not any(key[1:] == ("sites", given["app"]) for key in self.resources):
            raise Refused(404, "NotFound", f"no app {given['app']}")
        if self.scm_busy > 0:
            self.scm_busy -= 1
            raise Refused(503, "ServiceUnavailable", "the site is starting")
        if self.blobs is None:
            self.packages[self._package_place(given["app"])[1]] = body
        else:
            self._store_package(given["app"], body)
        self.polls[given["app"]] = 1
        return 202, {"id": f"deployment-of-{given['app']}"}

    def get_latest(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        """Still the deployment before, which was a success."""
        return 200, {"status": 4, "id": "an-earlier-one"}

    def get_deployment(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        return self.build_state(given["app"])

    def get_host_status(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        return 200, {"state": "Running"}

    def build_state(self, app: str) -> tuple[int, Any]:
        """Busy once, then done (Kudu's numbers: 1 building, 3 failed, 4 success)."""
        self.polls[app] -= 1
        return 200, {"status": 4 if self.polls[app] < 0 else 1}

    def get_log(self, given: dict[str, str], body: bytes) -> tuple[int, Any]:
        return 200, [{"log_time": "2026-11-20T00:00:00Z", "message": "Build completed successfully."}]

    def deployed(self) -> bytes | None:
        """The zip of the app that there is."""
        apps = [key[2] for key in self.resources if key[1] == "sites"]
        if self.blobs is not None:
            return next((self.blobs.read(*self._package_place(app)) for app in reversed(apps)), None)
        places = [self._package_place(app)[1] for app in reversed(apps)]
        return next((self.packages[place] for place in places if place in self.packages), None)

    def package_of(self, app: str) -> bytes:
        """What an app's new instances load: the package of its container."""
        return self.packages[self._package_place(app)[1]]

    def left(self) -> list[str]:
        """What still exists."""
        return [*self.groups, *("/".join(key) for key in self.resources)]

    def _store_package(self, app: str, body: bytes) -> None:
        from tests.standins.blobs import BlobError

        assert self.blobs is not None
        try:
            self.blobs.write(*self._package_place(app), body)
        except BlobError as error:
            raise Refused(500, "PackageNotStored", str(error)) from error

    def _package_place(self, app: str) -> tuple[str, str]:
        """The connection string and the container that an app's own configuration names for its package."""
        [site] = [each for key, each in self.resources.items() if key[1:] == ("sites", app)]
        settings = {each["name"]: each["value"] for each in site["properties"]["siteConfig"]["appSettings"]}
        storage = site["properties"]["functionAppConfig"]["deployment"]["storage"]
        return settings[storage["authentication"]["storageAccountConnectionStringName"]], storage["value"]

    def _close_storage(self, key: tuple[str, str, str]) -> None:
        if self.blobs is not None and key[1] == "storageAccounts":
            self.blobs.close(key[2])

    def _check_site(self, document: dict[str, Any], group: str) -> None:
        """What Flex Consumption asks of an app."""
        properties = document["properties"]
        plan = properties["serverFarmId"].rpartition("/")[2]
        assert (group, "serverfarms", plan) in self.resources, f"no plan {plan}"
        scale = properties["functionAppConfig"]["scaleAndConcurrency"]
        assert scale["instanceMemoryMB"] in {512, 2048, 4096}, scale
        assert 1 <= scale["maximumInstanceCount"] <= 1000, scale
        settings = {each["name"]: each["value"] for each in properties["siteConfig"]["appSettings"]}
        storage = properties["functionAppConfig"]["deployment"]["storage"]
        assert storage["authentication"]["storageAccountConnectionStringName"] in settings, "no connection string"
        assert "FUNCTIONS_WORKER_RUNTIME" not in settings, "not allowed on Flex Consumption"

    def _group(self, name: str) -> dict[str, Any]:
        return {"id": f"/subscriptions/0/resourceGroups/{name}", "name": name, **self.groups[name]}

    def _resource(self, key: tuple[str, str, str]) -> dict[str, Any]:
        document = self.resources[key]
        provider = _TYPES[key[1]]
        identity = f"/subscriptions/0/resourceGroups/{key[0]}/providers/{provider}/{key[2]}"
        properties = {**document.get("properties", {}), "provisioningState": "Succeeded"}
        if key[1] == "storageAccounts":
            properties["allowSharedKeyAccess"] = self.shared_keys
        if key[1] == "sites":
            properties["defaultHostName"] = self.door or f"{key[2]}.azurewebsites.net"
        return {**document, "id": identity, "name": key[2], "type": provider, "properties": properties}

    def _known_group(self, name: str) -> None:
        if name not in self.groups:
            raise Refused(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")

    def _known(self, given: dict[str, str]) -> tuple[str, str, str]:
        self._known_group(given["group"])
        key = (given["group"], given["kind"], given["name"])
        if key not in self.resources:
            raise Refused(404, "ResourceNotFound", f"The Resource '{given['name']}' was not found.")
        return key


def _checked(kind: str, body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body)
    module, name = _MODELS[kind]
    check(getattr(importlib.import_module(module), name), document)
    return document


_STORAGE = rf"{_GROUP}/providers/Microsoft\.Storage/storageAccounts/(?P<name>[^/]+)"
_SITE = rf"{_GROUP}/providers/Microsoft\.Web/sites/(?P<name>[^/]+)"
_RESOURCE = (
    rf"{_GROUP}/providers/Microsoft\.(Storage|Web)/(?P<kind>storageAccounts|serverfarms|sites)/(?P<name>[^/]+)"
)
_ROUTES: list[tuple[str, Callable[[Azure, dict[str, str], bytes], tuple[int, Any]]]] = [
    (_GROUP, Azure.put_group),
    (_GROUP, Azure.head_group),
    (_GROUP, Azure.delete_group),
    (rf"{_SUBSCRIPTION}/resource[gG]roups", Azure.get_groups),
    (rf"{_GROUP}/resources", Azure.get_group_resources),
    (_RESOURCE, Azure.put_resource),
    (_RESOURCE, Azure.get_resource),
    (_RESOURCE, Azure.delete_resource),
    (rf"{_STORAGE}/blobServices/default/containers/(?P<container>[^/]+)", Azure.put_container),
    (rf"{_STORAGE}/listKeys", Azure.post_storage_keys),
    (rf"{_SITE}/config/appsettings/list", Azure.post_settings),
    (rf"{_SITE}/config/appsettings", Azure.put_settings),
    (rf"{_SITE}/host/default/listkeys", Azure.post_host_keys),
    (r"/scm/(?P<app>[^/]+)/api/publish", Azure.post_package),
    (r"/scm/(?P<app>[^/]+)/api/deployments/latest", Azure.get_latest),
    (r"/scm/(?P<app>[^/]+)/api/deployments/latest/log", Azure.get_log),
    (r"/scm/(?P<app>[^/]+)/api/deployments/(?P<id>[^/]+)", Azure.get_deployment),
    (r"/host/(?P<app>[^/]+)/admin/host/status", Azure.get_host_status),
]
