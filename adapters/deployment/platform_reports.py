"""What the platforms wrote about requests to what is deployed from one folder (`loadtests.record.platform_reports.ReportSource`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.deployment import provider
from adapters.deployment.session import translated

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from adapters.deployment.provider import Provider
    from adapters.deployment.session import Session
    from adapters.platform_report import PlatformReport


class Reporter:
    """Keeps each cloud's client: lines are asked for again until they have come."""

    def __init__(self, session: Session) -> None:
        """Raises DeployError when nothing is deployed."""
        self._deployment = session.recorded().deployment
        self._endpoints = session.named()
        clouds = {each.variant.cloud for each in self._endpoints.values()}
        self._providers: dict[str, Provider] = {cloud: provider.provider_of(cloud) for cloud in clouds}

    @property
    def targets(self) -> Collection[str]:
        return self._endpoints

    def url(self, target: str) -> str:
        """Where the target answers."""
        return self._endpoints[target].url

    def reports(self, target: str, *, since: datetime) -> Mapping[str, PlatformReport] | None:
        """By the id that an answer named; None where nothing can be told apart by it. Raises DeployError."""
        variant = self._endpoints[target].variant
        with translated(self._providers.values()):
            return self._providers[variant.cloud].reports(self._deployment, variant, since=since)
