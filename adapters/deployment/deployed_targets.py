"""What is deployed from one folder, as a load test needs it: credentials, forced cold starts, platform reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from adapters.deployment import provider
from adapters.deployment.errors import DeployError
from adapters.deployment.session import translated

if TYPE_CHECKING:
    from adapters.deployment.provider import DeployedEndpoint, Provider
    from adapters.deployment.request_auth import RequestAuth
    from adapters.deployment.session import Session
    from adapters.platform_report import PlatformReport


class DeployedTargets:
    """The deployed targets by name, with one client for each cloud.

    A client looks for its credentials once, and the vendor's SDK renews them. The object serves a load test as a
    `loadtests.credentials.provider.CredentialProvider` and as a `loadtests.record.platform_reports.ReportSource`.
    """

    def __init__(self, session: Session) -> None:
        """Read what is deployed. Raises DeployError when nothing is."""
        self._deployment = session.recorded().deployment
        self._endpoints = session.named()
        clouds = {endpoint.variant.cloud for endpoint in self._endpoints.values()}
        self._providers: dict[str, Provider] = {cloud: provider.provider_of(cloud) for cloud in clouds}

    @property
    def targets(self) -> Collection[str]:
        """Names of all targets."""
        return self._endpoints

    @property
    def cold_start_targets(self) -> Collection[str]:
        """Names of the targets on which a cold start can be forced: all of them."""
        return self._endpoints

    def url(self, target: str) -> str:
        """Return the address of a target."""
        return self._endpoint(target).url

    def request_auth(self) -> dict[str, RequestAuth]:
        """Return, by target name, what a client adds to its requests. It holds secrets: keep it in memory.

        Raises DeployError when a vendor gives no credentials.
        """
        with translated(self._providers.values()):
            return {name: self._providers[each.variant.cloud].open(each) for name, each in self._endpoints.items()}

    def auth_headers(self) -> Mapping[str, str]:
        """Return fresh credentials by target name, as `RequestAuth.text` writes them. Raises DeployError."""
        return {name: auth.text() for name, auth in self.request_auth().items()}

    def force_cold_start(self, target: str) -> None:
        """Change the target's configuration, so that its next request starts a new instance. Raises DeployError."""
        variant = self._endpoint(target).variant
        with translated(self._providers.values()):
            self._providers[variant.cloud].force_cold_start(self._deployment, variant)

    def reports(self, target: str, *, since: datetime) -> Mapping[str, PlatformReport] | None:
        """Return what the platform wrote about requests, by the request id that their responses named.

        Returns None where the platform's lines cannot be matched by an id. Raises DeployError.
        """
        variant = self._endpoint(target).variant
        with translated(self._providers.values()):
            return self._providers[variant.cloud].reports(self._deployment, variant, since=since)

    def _endpoint(self, target: str) -> DeployedEndpoint:
        if target not in self._endpoints:
            known = ", ".join(self._endpoints) or "none"
            raise DeployError(f"no target {target!r} is deployed from this folder: there are {known}")
        return self._endpoints[target]
