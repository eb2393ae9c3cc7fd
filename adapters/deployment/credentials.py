"""The keys of what is deployed from one folder, for the length of a load test.

They go through `loadtests.credentials.provider.CredentialProvider`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.deployment import provider
from adapters.deployment.session import translated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from adapters.deployment.provider import Provider
    from adapters.deployment.session import Session


class DeploymentCredentials:
    """Keeps each cloud's client, so that its credentials are looked for once and renewed by the vendor's SDK."""

    def __init__(self, session: Session) -> None:
        """Raises DeployError when nothing is deployed."""
        self._session = session
        self._endpoints = session.named()
        clouds = {each.variant.cloud for each in self._endpoints.values()}
        self._providers: dict[str, Provider] = {cloud: provider.provider_of(cloud) for cloud in clouds}

    @property
    def cold_start_targets(self) -> Collection[str]:
        return self._endpoints

    def auth_headers(self) -> Mapping[str, str]:
        """As `RequestAuth.text` has them, fresh. Raises DeployError."""
        with translated(self._providers.values()):
            return {
                name: self._providers[each.variant.cloud].open(each).text() for name, each in self._endpoints.items()
            }

    def force_cold_start(self, target: str) -> None:
        """Change the target's configuration, so that its next request starts a new instance. Raises DeployError."""
        variant = self._endpoints[target].variant
        with translated(self._providers.values()):
            self._providers[variant.cloud].force_cold_start(self._session.recorded().deployment, variant)
