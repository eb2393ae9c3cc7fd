"""The interface of one cloud to a deployment: its resources, and how it makes, finds and removes them."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from adapters.deployment.naming import expiry_of

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.naming import Deployment
    from adapters.deployment.request_auth import RequestAuth
    from adapters.platform_report import PlatformReport

Outputs = dict[str, str]


@dataclass(frozen=True, slots=True)
class Resource:
    """One thing in a cloud. `kind`, `region` and `name` together are enough to find and remove it."""

    cloud: str
    kind: str
    name: str
    region: str

    @property
    def key(self) -> str:
        return f"{self.cloud}/{self.region}/{self.kind}/{self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One resource to make. `wanted` decides whether it differs from what was made before.

    `make` gets the outputs of all earlier steps by resource key, and returns this one's; it creates the
    resource or brings an existing one up to date, so that it can be repeated after an interruption.
    """

    resource: Resource
    summary: str
    wanted: Mapping[str, object]
    make: Callable[[Mapping[str, Outputs]], Outputs]

    @property
    def fingerprint(self) -> str:
        text = json.dumps({"summary": self.summary, **self.wanted}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class FoundResource:
    """A resource of ours that a listing of the account shows, with the deployment that it belongs to."""

    resource: Resource
    identity: str

    @property
    def expires(self) -> datetime:
        return expiry_of(self.identity)


@dataclass(frozen=True, slots=True)
class DeployedEndpoint:
    """Where a deployed variant answers. `access` names the lock: iam, id-token, function-key or public."""

    variant: FunctionSpec
    name: str
    url: str
    access: str
    details: Mapping[str, str] = field(default_factory=dict)


class Provider(Protocol):
    """One cloud, as the life cycle uses it."""

    def check(self) -> None:
        """Read-only: raise NotReady, in one line, when credentials, settings or the SDK are missing."""

    def errors(self) -> tuple[type[Exception], ...]:
        """What the SDK raises."""

    def permissions(self) -> Sequence[str]:
        """The rights that `apply` and `destroy` need."""

    def notes(self, variants: Sequence[FunctionSpec]) -> Iterable[str]:
        """Read-only: what the account says about the plan, such as quotas; one sentence each."""

    def steps(self, deployment: Deployment, variants: Sequence[FunctionSpec]) -> Sequence[Step]:
        """What is to exist, in the order of making."""

    def endpoints(
        self, deployment: Deployment, variants: Sequence[FunctionSpec], made: Mapping[str, Outputs]
    ) -> Sequence[DeployedEndpoint]:
        """Where those of the variants answer whose endpoint is made."""

    def open(self, endpoint: DeployedEndpoint) -> RequestAuth:
        """What a client adds to its requests to get past the endpoint's lock."""

    def force_cold_start(self, deployment: Deployment, variant: FunctionSpec) -> None:
        """Make the variant's next request start a new instance, by changing a setting that nothing reads."""

    def remove(self, resource: Resource) -> None:
        """Remove a resource and wait until it is gone; harmless when it is not there."""

    def everywhere(self) -> Sequence[str]:
        """All regions that there are, or a word of the cloud's own for all of them, as `find` takes them."""

    def find(self, project: str, regions: Iterable[str]) -> Sequence[FoundResource]:
        """List everything of a project in these regions of the account, by name and tag."""

    def logs(self, deployment: Deployment, variant: FunctionSpec, *, limit: int) -> Iterable[str]:
        """The last lines that a variant's function and platform wrote."""

    def reports(
        self, deployment: Deployment, variant: FunctionSpec, *, since: datetime
    ) -> Mapping[str, PlatformReport] | None:
        """What the platform has written so far about each request, by the id that the request's answer names.

        None where the platform writes no such lines, or answers name no id that would be in them.
        """


class ProviderModule(Protocol):
    def provider(self) -> Provider: ...


def provider_of(cloud: str) -> Provider:
    """The provider in `adapters/<cloud>/deploy.py`. Raises NotReady when the cloud's SDK is not installed."""
    return cast("ProviderModule", importlib.import_module(f"adapters.{cloud}.deploy")).provider()


def sdk(module: str, *, cloud: str) -> Any:
    """Import a module of a cloud's SDK. Raises NotReady naming the extra to install."""
    from adapters.deployment.errors import NotReady

    try:
        return importlib.import_module(module)
    except ModuleNotFoundError:
        raise NotReady(f"{cloud}: its SDK is not installed: pip install 'tripoint[{cloud}]'") from None
