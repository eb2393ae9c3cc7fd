"""Deploy to Cloud Functions, 2nd gen, from source: the provider that `tripoint deploy` drives.

What the functions API has no field for (billing by the instance, the CPU boost) is set on the Cloud Run service that
each function is, after the function is made or changed. Google lets such functions be managed with both APIs
(cloud.google.com/run/docs/functions/comparison, as of 2026-11-25), and so all variants are built in the same way
and differ in nothing but what they are to be compared in; a service with a build of its own would need a bucket, an
image repository and rights to both besides.

Vendor facts: cloud.google.com/functions/docs/reference/rest/v2, as of 2026-11-20.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapters.deployment import naming
from adapters.deployment.errors import DeployError
from adapters.deployment.patience import patiently, until
from adapters.deployment.provider import DeployedEndpoint, FoundResource, Resource, Step, sdk
from adapters.deployment.request_auth import RequestAuth
from adapters.gcp.deployment import identity
from adapters.gcp.deployment.account import Account, account
from adapters.gcp.deployment.configuration import (
    build_config,
    bundle_of,
    described,
    notes,
    refuse_impossible,
    run_settings,
    service_config,
)
from adapters.gcp.deployment.run_service import RunService

if TYPE_CHECKING:
    from adapters.bundle.build import Bundle
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.naming import Deployment
    from adapters.deployment.provider import Outputs, Provider

GLOBAL = "global"
EVERYWHERE = "-"  # Google's own word for all locations of a project
PERMISSIONS = (
    "roles/cloudfunctions.developer, and roles/run.admin for billing, CPU boost and access, and to measure"
    " (run.routes.invoke)",
    "roles/iam.serviceAccountAdmin and roles/iam.serviceAccountUser, for the function's own account without rights",
    "roles/logging.viewer, for `tripoint deploy logs`",
    "the account that builds needs roles/cloudbuild.builds.builder: Compute Engine's default one, unless"
    " build_account names another",
)
_BUILD_WAIT_S = 900.0
_ACCOUNT_WAIT_S = 180.0  # a new service account is not known everywhere at once (firebase-tools 10859)
_NAME_END = 50
_UPLOAD_HEADERS = {"content-type": "application/zip"}


class Google:
    """Google Cloud through the standard chain of credentials."""

    @cached_property
    def account(self) -> Account:
        return account()

    def check(self) -> None:
        identity.check(self.account.credentials)

    def errors(self) -> tuple[type[Exception], ...]:
        api, auth = sdk("google.api_core.exceptions", cloud="gcp"), sdk("google.auth.exceptions", cloud="gcp")
        return (api.GoogleAPIError, auth.GoogleAuthError, sdk("requests", cloud="gcp").RequestException)

    def permissions(self) -> Sequence[str]:
        return PERMISSIONS

    def notes(self, variants: Sequence[FunctionSpec]) -> Iterable[str]:
        return notes(variants)

    def steps(self, deployment: Deployment, variants: Sequence[FunctionSpec]) -> Sequence[Step]:
        if not variants:
            return []
        return [self._identity_step(deployment), *(self._function_step(deployment, each) for each in variants)]

    def endpoints(
        self, deployment: Deployment, variants: Sequence[FunctionSpec], made: Mapping[str, Outputs]
    ) -> Sequence[DeployedEndpoint]:
        found = []
        for variant in variants:
            outputs = made.get(_resource(deployment, variant).key)
            if outputs:
                name = _resource(deployment, variant).name
                found.append(DeployedEndpoint(variant, name, outputs["url"], outputs["access"]))
        return found

    def open(self, endpoint: DeployedEndpoint) -> RequestAuth:
        if endpoint.access == "public":
            return RequestAuth()
        return RequestAuth(
            fixed={"authorization": f"Bearer {identity.token(self.account.credentials, endpoint.url)}"}
        )

    def force_cold_start(self, deployment: Deployment, variant: FunctionSpec) -> None:
        """Deploy a revision of the Cloud Run service that differs in a variable that nothing reads."""
        self._run_service(_resource(deployment, variant)).retire()

    def remove(self, resource: Resource) -> None:
        if resource.kind == "service-account":
            self.account.call("DELETE", "iam", f"v1/{self._identity(resource.name)}")
            return
        errors = sdk("google.api_core.exceptions", cloud="gcp")
        name = self._function_name(resource)
        try:
            self._settle(name)
            self.account.functions.delete_function(name=name).result(timeout=_BUILD_WAIT_S)
        except errors.NotFound:
            return

    def everywhere(self) -> Sequence[str]:
        return [EVERYWHERE]

    def find(self, project: str, regions: Iterable[str]) -> Sequence[FoundResource]:
        found = list(self._identities(project))
        for region in sorted(set(regions) - {GLOBAL}):
            for function in self.account.functions.list_functions(parent=self._parent(region)):
                place, _, name = str(function.name).partition("/locations/")[2].partition("/functions/")
                identity = naming.identity_in(name, project)
                if identity and function.labels.get("tripoint-project") == project:
                    found.append(FoundResource(Resource("gcp", "function", name, place), identity))
        return found

    def logs(self, deployment: Deployment, variant: FunctionSpec, *, limit: int) -> Iterable[str]:
        name = _resource(deployment, variant).name
        wanted = f'resource.type="cloud_run_revision" AND resource.labels.service_name="{name}"'
        query = {"resourceNames": [f"projects/{self.account.project}"], "filter": wanted, "pageSize": limit}
        found = self.account.call("POST", "logging", "v2/entries:list", {**query, "orderBy": "timestamp desc"}) or {}
        return [_text(entry) for entry in reversed(found.get("entries", []))]

    def reports(self, deployment: Deployment, variant: FunctionSpec, *, since: datetime) -> None:
        """Google bills instances, not requests: no line says what one request cost."""
        return None

    def _identity_step(self, deployment: Deployment) -> Step:
        """The functions' own identity: a service account to which no right is given."""
        name = deployment.name

        def make(_: Mapping[str, Outputs]) -> Outputs:
            parent = f"v1/projects/{self.account.project}/serviceAccounts"
            if self.account.call("GET", "iam", f"v1/{self._identity(name)}") is None:
                shown = {"displayName": "Tripoint function", "description": f"owner {deployment.owner}"}
                self.account.call("POST", "iam", parent, {"accountId": name, "serviceAccount": shown})
                until(
                    lambda: self.account.call("GET", "iam", f"v1/{self._identity(name)}") is not None,
                    within_s=_ACCOUNT_WAIT_S,
                )
            return {"email": self._email(name)}

        resource = Resource("gcp", "service-account", name, GLOBAL)
        return Step(resource, f"service account {name}, without any right", {}, make)

    def _function_step(self, deployment: Deployment, variant: FunctionSpec) -> Step:
        refuse_impossible(variant)
        built = bundle_of(variant)
        resource = _resource(deployment, variant)
        service, build, run = service_config(variant), build_config(variant), run_settings(variant)

        def make(outputs: Mapping[str, Outputs]) -> Outputs:
            email = outputs[Resource("gcp", "service-account", deployment.name, GLOBAL).key]["email"]
            function = {
                "name": self._function_name(resource),
                "environment": "GEN_2",
                "labels": deployment.tags(),
                "service_config": {**service, "service_account_email": email},
                "build_config": {**build, "source": {"storage_source": self._upload(variant.place, built)}},
            }
            url = self._create_or_update(resource, function)
            made = self._run_service(resource)
            made.open_or_close(public=variant.access == "public")
            made.set_resources(run)
            return {"url": url, "access": "public" if variant.access == "public" else "id-token"}

        wanted = {"service": service, "build": build, "run": run, "contents": built.digest, "access": variant.access}
        summary = f"function {resource.name} ({', '.join(described(variant, str(build['runtime'])))})"
        return Step(resource, summary, wanted, make)

    def _upload(self, region: str, built: Bundle) -> dict[str, Any]:
        """Send the zip to the place that Google names for it."""
        asked = self.account.functions.generate_upload_url(request={"parent": self._parent(region), "environment": 2})
        requests = sdk("requests", cloud="gcp")
        data = built.archive.read_bytes()
        answer = requests.put(asked.upload_url, data=data, headers=_UPLOAD_HEADERS, timeout=300)
        if answer.status_code != 200:
            raise DeployError(f"gcp: the upload of the source was answered {answer.status_code}: {answer.text[:300]}")
        place = asked.storage_source
        return {"bucket": place.bucket, "object_": place.object_, "generation": place.generation}

    def _create_or_update(self, resource: Resource, function: dict[str, Any]) -> str:
        errors = sdk("google.api_core.exceptions", cloud="gcp")
        client = self.account.functions
        try:
            self._settle(function["name"])
            operation = client.update_function(request={"function": function})
        except errors.NotFound:
            request = {"parent": self._parent(resource.region), "function": function, "function_id": resource.name}
            email = str(function["service_config"]["service_account_email"])

            def passes(error: Exception) -> bool:
                kinds = (errors.NotFound, errors.PermissionDenied, errors.InvalidArgument)
                return isinstance(error, kinds) and (email in str(error) or "actAs" in str(error))

            operation = patiently(
                lambda: client.create_function(request=request), again=passes, within_s=_ACCOUNT_WAIT_S
            )
        try:
            made = operation.result(timeout=_BUILD_WAIT_S)
        except errors.GoogleAPICallError as error:
            raise DeployError(f"gcp: function {resource.name} was not built: {error.message}") from error
        return str(made.service_config.uri)

    def _run_service(self, resource: Resource) -> RunService:
        return RunService(self.account.run, f"{self._parent(resource.region)}/services/{resource.name}")

    def _settle(self, name: str) -> None:
        """Wait while an operation that was cut off still runs. Raises NotFound when there is no such function."""
        until = time.monotonic() + _BUILD_WAIT_S
        while self.account.functions.get_function(name=name).state.name in {"DEPLOYING", "DELETING"}:
            if time.monotonic() > until:
                raise DeployError(f"gcp: {name} is still busy after {_BUILD_WAIT_S:.0f} s: try again later")
            time.sleep(2)

    def _identities(self, project: str) -> Iterator[FoundResource]:
        page: str | None = ""
        while page is not None:
            path = f"v1/projects/{self.account.project}/serviceAccounts?pageSize=100&pageToken={page}"
            answer = self.account.call("GET", "iam", path) or {}
            for each in answer.get("accounts", []):
                name = str(each["email"]).partition("@")[0]
                identity = naming.identity_in(name, project)
                if identity:  # service accounts take no labels: the name has to do
                    yield FoundResource(Resource("gcp", "service-account", name, GLOBAL), identity)
            page = answer.get("nextPageToken") or None

    def _parent(self, region: str) -> str:
        return f"projects/{self.account.project}/locations/{region}"

    def _function_name(self, resource: Resource) -> str:
        return f"{self._parent(resource.region)}/functions/{resource.name}"

    def _email(self, name: str) -> str:
        return f"{name}@{self.account.project}.iam.gserviceaccount.com"

    def _identity(self, name: str) -> str:
        return f"projects/{self.account.project}/serviceAccounts/{self._email(name)}"


def _resource(deployment: Deployment, variant: FunctionSpec) -> Resource:
    return Resource("gcp", "function", _name(deployment, variant), variant.place)


def _name(deployment: Deployment, variant: FunctionSpec) -> str:
    """Fit for Cloud Run's services, which have fewer than 50 characters (run.v2, services.create, 2026-10-31)."""
    whole = f"{deployment.name}-{variant.label.removeprefix('cloud-').replace('-x8664', '')}"
    if len(whole) < _NAME_END:
        return whole
    return f"{whole[: _NAME_END - 10].rstrip('-')}-{zlib.crc32(whole.encode()):08x}"


def _text(entry: dict[str, Any]) -> str:
    body = entry.get("textPayload") or entry.get("jsonPayload") or entry.get("httpRequest") or ""
    return f"{entry.get('timestamp', '')} {body}"


def provider() -> Provider:
    return Google()
