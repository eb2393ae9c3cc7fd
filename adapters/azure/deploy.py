"""Deploy to Azure Functions on Flex Consumption: the provider that `tripoint deploy` drives.

Everything of one deployment and region lies in one resource group of its own.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.azure.deployment import configuration, one_deploy
from adapters.azure.deployment.account import Account, account
from adapters.deployment import naming
from adapters.deployment.errors import DeployError
from adapters.deployment.patience import patiently, until
from adapters.deployment.provider import DeployedEndpoint, FoundResource, Resource, Step, sdk
from adapters.deployment.request_auth import RequestAuth

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.naming import Deployment
    from adapters.deployment.provider import Outputs, Provider

    Make = Callable[[Mapping[str, Outputs]], Outputs]

PERMISSIONS = (
    "Contributor on the subscription, or on Microsoft.Resources/resourceGroups, Microsoft.Storage/storageAccounts,"
    " Microsoft.Web/serverfarms and Microsoft.Web/sites (with host/listKeys to measure)",
)
GENERATION = "TRIPOINT_GENERATION"
EVERYWHERE = "*"
_HOST_WAIT_S = 180.0  # after a build, until its host has keys and runs (azure-cli waits 60 s and asks 15 times)
_RESTART_S = 30.0  # learn.microsoft.com/azure/azure-functions/flex-consumption-site-updates, as of 2026-11-28
_KINDS = {
    "Microsoft.Storage/storageAccounts": "storage-account",
    "Microsoft.Web/serverFarms": "plan",
    "Microsoft.Web/sites": "app",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Of one variant. A storage account's name has at most 24 lower-case letters and digits, an app's 60."""

    deployment: Deployment
    variant: FunctionSpec

    @property
    def group(self) -> str:
        return f"{self.deployment.name}-{self.variant.place}"

    @property
    def storage(self) -> str:
        return f"{self.deployment.project}{self.deployment.identity}{self._place}"

    @property
    def app(self) -> str:
        return f"{self.deployment.name}-{self._place}-{self.variant.label}"[:60].rstrip("-")

    @property
    def container(self) -> str:
        """Of the app's package: 3 to 63 lower-case letters, digits and hyphens."""
        return self.app.lower()

    @property
    def _place(self) -> str:
        """The region in three digits: apps and storage accounts have names of their own in all of Azure."""
        return format(zlib.crc32(self.variant.place.encode()) & 0xFFF, "03x")


class Azure:
    """Azure through the standard chain of credentials."""

    @cached_property
    def account(self) -> Account:
        return account()

    def check(self) -> None:
        _ = self.account

    def errors(self) -> tuple[type[Exception], ...]:
        return (
            sdk("azure.core.exceptions", cloud="azure").AzureError,
            sdk("requests", cloud="azure").RequestException,
        )

    def permissions(self) -> Sequence[str]:
        return PERMISSIONS

    def notes(self, variants: Sequence[FunctionSpec]) -> Iterable[str]:
        return ()

    def steps(self, deployment: Deployment, variants: Sequence[FunctionSpec]) -> Sequence[Step]:
        found: dict[str, Step] = {}
        for variant in variants:
            configuration.refuse_impossible(variant)
            for step in self._variant_steps(Names(deployment, variant)):
                found.setdefault(step.resource.key, step)
        return list(found.values())

    def endpoints(
        self, deployment: Deployment, variants: Sequence[FunctionSpec], made: Mapping[str, Outputs]
    ) -> Sequence[DeployedEndpoint]:
        found = []
        for variant in variants:
            names = Names(deployment, variant)
            outputs = made.get(_resource("app", names, names.app).key)
            if outputs:
                details = {"group": names.group, "app": names.app}
                found.append(DeployedEndpoint(variant, names.app, outputs["url"], "function-key", details))
        return found

    def open(self, endpoint: DeployedEndpoint) -> RequestAuth:
        """With the default function key, asked for when it is used, once the host says that it runs."""
        group, app = endpoint.details["group"], endpoint.details["app"]
        keys = self._keys(group, app)
        self._wait_for_host(app, endpoint.url, str(keys.master_key))
        return RequestAuth(fixed={"x-functions-key": str(keys.function_keys["default"])})

    def _keys(self, group: str, app: str) -> Any:
        """The host's keys, which are not there in the first minute after a package was built."""
        errors = sdk("azure.core.exceptions", cloud="azure")

        def ask() -> Any:
            keys = self.account.web.web_apps.list_host_keys(group, app)
            if "default" not in (keys.function_keys or {}):
                raise KeyError("default")
            return keys

        def passes(error: Exception) -> bool:
            return isinstance(error, KeyError | errors.HttpResponseError)

        return patiently(ask, again=passes, within_s=_HOST_WAIT_S)

    def _wait_for_host(self, app: str, url: str, master_key: str) -> None:
        """Wait until the app's host runs. Raises DeployError."""
        requests = sdk("requests", cloud="azure")
        asked = self.account.host_status_url(app, urlsplit(url).netloc)

        def runs() -> bool:
            try:
                answer = requests.get(asked, headers={"x-functions-key": master_key}, timeout=30)
                return bool(answer.status_code == 200 and answer.json().get("state", "Running") == "Running")
            except (requests.RequestException, ValueError):
                return False

        if not until(runs, within_s=_HOST_WAIT_S):
            raise DeployError(f"azure: the host of app {app} does not run after {_HOST_WAIT_S:.0f} s: see its logs")

    def force_cold_start(self, deployment: Deployment, variant: FunctionSpec) -> None:
        """Change an application setting that nothing reads: the app restarts.

        For up to 30 s after it the app may be out of service, and nothing says when that is over.
        """
        names, client = Names(deployment, variant), self.account.web.web_apps
        held = dict(client.list_application_settings(names.group, names.app).properties)
        changed = {**held, GENERATION: format(time.time_ns(), "x")}
        client.update_application_settings(names.group, names.app, {"properties": changed})
        time.sleep(0.1 if self.account.endpoint else _RESTART_S)

    def remove(self, resource: Resource) -> None:
        group, _, name = resource.name.partition("/")
        if not self.account.groups.resource_groups.check_existence(group):
            return
        if resource.kind == "resource-group":
            self._gone(lambda: self.account.groups.resource_groups.begin_delete(group).result())
        elif resource.kind == "storage-account":
            self._gone(lambda: self.account.storage.storage_accounts.delete(group, name))
        elif resource.kind == "plan":
            self._gone(lambda: self.account.web.app_service_plans.delete(group, name))
        else:
            self._gone(lambda: self.account.web.web_apps.delete(group, name, delete_empty_server_farm=False))

    def everywhere(self) -> Sequence[str]:
        return [EVERYWHERE]

    def find(self, project: str, regions: Iterable[str]) -> Sequence[FoundResource]:
        places = set(regions)
        wanted = f"tagName eq 'tripoint-project' and tagValue eq '{project}'"
        found = []
        for group in self.account.groups.resource_groups.list(filter=wanted):
            identity = naming.identity_in(group.name, project)
            if identity and (group.location in places or EVERYWHERE in places):
                place = str(group.location)
                found.append(FoundResource(Resource("azure", "resource-group", str(group.name), place), identity))
                listed = self.account.groups.resources.list_by_resource_group(group.name)
                inside = [(_KINDS.get(str(each.type)), f"{group.name}/{each.name}") for each in listed]
                for kind in _KINDS.values():
                    names = (name for its_kind, name in inside if its_kind == kind)
                    found += [FoundResource(Resource("azure", kind, name, place), identity) for name in names]
        return found

    def logs(self, deployment: Deployment, variant: FunctionSpec, *, limit: int) -> Iterable[str]:
        """Flex Consumption keeps logs in Application Insights only, which is not made: the build's log is shown."""
        lines = one_deploy.log(self.account, Names(deployment, variant).app)
        return lines[-limit:]

    def reports(self, deployment: Deployment, variant: FunctionSpec, *, since: datetime) -> None:
        """Azure tells what it metered by the minute and app, not by the request."""
        return None

    def _variant_steps(self, names: Names) -> list[Step]:
        tags, place = names.deployment.tags(), names.variant.place
        storage, plan = configuration.storage_account(place, tags), configuration.plan(place, tags)
        built = configuration.bundle_of(names.variant)
        functions, settings = configuration.functions(names.variant), configuration.settings(names.variant)

        def make_group(_: Mapping[str, Outputs]) -> Outputs:
            document = {"location": place, "tags": tags}
            self.account.groups.resource_groups.create_or_update(names.group, document)
            return {}

        def make_storage(_: Mapping[str, Outputs]) -> Outputs:
            client = self.account.storage
            client.storage_accounts.begin_create(names.group, names.storage, storage).result()
            held = client.storage_accounts.get_properties(names.group, names.storage)
            if getattr(held, "allow_shared_key_access", None) is False:
                raise DeployError(
                    f"azure: a policy of this subscription forbids shared keys of storage account {names.storage},"
                    " and `deploy` connects the app with one: allow them for this resource group, or use another"
                    " subscription; `tripoint deploy destroy` removes what is made"
                )
            return {}

        def make_plan(_: Mapping[str, Outputs]) -> Outputs:
            made = self.account.web.app_service_plans.begin_create_or_update(names.group, names.app, plan).result()
            return {"id": str(made.id)}

        def make_app(outputs: Mapping[str, Outputs]) -> Outputs:
            document = self._site(names, outputs[_resource("plan", names, names.app).key]["id"], functions, settings)
            # On Flex a container holds one package: each app has its own.
            self.account.storage.blob_containers.create(names.group, names.storage, names.container, {})
            made = self.account.web.web_apps.begin_create_or_update(names.group, names.app, document).result()
            states = getattr(made.properties, "host_name_ssl_states", None) or ()
            hosts = (str(each.name) for each in states if str(each.host_type).upper().endswith("REPOSITORY"))
            one_deploy.publish(self.account, names.app, built.archive, host=next(hosts, None))
            return {"url": self.account.app_url(str(made.properties.default_host_name))}

        memory, python = names.variant.memory, functions["runtime"]["version"]
        wanted = {"functions": functions, "settings": settings, "contents": built.digest}
        group = Resource("azure", "resource-group", names.group, place)
        size = f"{memory} MB, Python {python}"
        return [
            Step(group, f"resource group {names.group}", {}, make_group),
            Step(_resource("storage-account", names, names.storage), f"storage {names.storage}", {}, make_storage),
            Step(_resource("plan", names, names.app), f"Flex Consumption plan {names.app}", {}, make_plan),
            Step(_resource("app", names, names.app), f"app {names.app} ({size}, closed by keys)", wanted, make_app),
        ]

    def _site(self, names: Names, plan: str, functions: dict[str, Any], settings: dict[str, str]) -> dict[str, Any]:
        """The app. The storage's connection string goes into its settings and nowhere else."""
        keys = self.account.storage.storage_accounts.list_keys(names.group, names.storage).keys_property
        secret = f"AccountName={names.storage};AccountKey={keys[0].value};EndpointSuffix=core.windows.net"
        connection = f"DefaultEndpointsProtocol=https;{secret}"
        held = {**settings, "AzureWebJobsStorage": connection, "DEPLOYMENT_STORAGE_CONNECTION_STRING": connection}
        package = {
            "type": "blobContainer",
            "value": f"https://{names.storage}.blob.core.windows.net/{names.container}",
            "authentication": {
                "type": "StorageAccountConnectionString",
                "storageAccountConnectionStringName": "DEPLOYMENT_STORAGE_CONNECTION_STRING",
            },
        }
        properties = {
            "serverFarmId": plan,
            "httpsOnly": True,
            "siteConfig": {"appSettings": [{"name": name, "value": value} for name, value in held.items()]},
            "functionAppConfig": {**functions, "deployment": {"storage": package}},
        }
        tags = names.deployment.tags()
        return {"location": names.variant.place, "kind": "functionapp,linux", "tags": tags, "properties": properties}

    def _gone(self, delete: Callable[[], object]) -> None:
        errors = sdk("azure.core.exceptions", cloud="azure")
        try:
            delete()
        except errors.ResourceNotFoundError:
            return


def _resource(kind: str, names: Names, name: str) -> Resource:
    return Resource("azure", kind, f"{names.group}/{name}", names.variant.place)


def provider() -> Provider:
    return Azure()
