"""What the steps of deploying one function to AWS share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.deployment.provider import Resource

if TYPE_CHECKING:
    from adapters.aws.deployment.clients import Clients
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.naming import Deployment

GLOBAL = "global"


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of one deployed function needs: the clients, the deployment and the function's settings."""

    clients: Clients
    deployment: Deployment
    variant: FunctionSpec

    @property
    def name(self) -> str:
        return f"{self.deployment.name}-{self.variant.label}"

    @property
    def region(self) -> str:
        return self.variant.place

    @property
    def bucket(self) -> str:
        """One for each region; a bucket's name is the only one in all of AWS."""
        return f"{self.deployment.name}-{self.region}"

    @property
    def archive(self) -> str:
        """The zip's key in the bucket."""
        return f"{self.variant.label}.zip"

    def client(self, service: str) -> Any:
        return self.clients.client(service, self.region)

    def resource(self, kind: str, name: str) -> Resource:
        return Resource("aws", kind, name, self.region)
