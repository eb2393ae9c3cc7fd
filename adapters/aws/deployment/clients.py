"""Clients of AWS's services, made once for each service and region."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from adapters.deployment import provider


class Clients:
    """boto3's clients through the standard chain of credentials; AWS_ENDPOINT_URL leads to a stand-in."""

    def __init__(self) -> None:
        self._clients: dict[tuple[str, str], Any] = {}

    @cached_property
    def session(self) -> Any:
        """One session for all clients: temporary credentials are fetched once, and boto3 renews them in time."""
        return provider.sdk("boto3", cloud="aws").Session()

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region. Making one reads the service's whole description."""
        if (service, region) not in self._clients:
            self._clients[service, region] = self.session.client(service, region_name=region)
        return self._clients[service, region]
