"""An Azure subscription and its clients.

TRIPOINT_AZURE_ENDPOINT leads everything to a stand-in on loopback, with a made-up token.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.deployment.errors import NotReady
from adapters.deployment.provider import sdk

STAND_IN = "TRIPOINT_AZURE_ENDPOINT"
SCOPE = "https://management.azure.com/.default"
_LOGIN = "azure: no credentials: run `az login`, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET"
_SUBSCRIPTION = "azure: no subscription: set AZURE_SUBSCRIPTION_ID (`az account show --query id`)"


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials of the standard chain (DefaultAzureCredential) and one subscription."""

    subscription: str
    credential: Any
    endpoint: str | None

    @property
    def groups(self) -> Any:
        return self._client("azure.mgmt.resource.resources", "ResourceManagementClient")

    @property
    def storage(self) -> Any:
        return self._client("azure.mgmt.storage", "StorageManagementClient")

    @property
    def web(self) -> Any:
        return self._client("azure.mgmt.web", "WebSiteManagementClient")

    def token(self) -> str:
        """A bearer token for the management plane and the deployment endpoint."""
        return str(self.credential.get_token(SCOPE).token)

    def deployment_url(self, app: str, host: str | None = None) -> str:
        """Where an app takes its package (One deploy); `host` where its site names it."""
        return f"{self.endpoint}/scm/{app}" if self.endpoint else f"https://{host or f'{app}.scm.azurewebsites.net'}"

    def host_status_url(self, app: str, host: str) -> str:
        """Where an app's Functions host tells its state."""
        return (
            f"{self.endpoint}/host/{app}/admin/host/status" if self.endpoint else f"https://{host}/admin/host/status"
        )

    def app_url(self, host: str) -> str:
        """Where an app answers: over TLS, but for a stand-in."""
        return f"http://{host}" if self.endpoint and host.startswith("127.0.0.1:") else f"https://{host}"

    def _client(self, module: str, name: str) -> Any:
        client = getattr(sdk(module, cloud="azure"), name)
        if self.endpoint is None:
            return client(self.credential, self.subscription)
        policies = sdk("azure.core.pipeline.policies", cloud="azure")
        return client(
            self.credential,
            self.subscription,
            base_url=self.endpoint,
            authentication_policy=policies.HeadersPolicy({"Authorization": f"Bearer {self.token()}"}),
            polling_interval=0,
        )


@dataclass(frozen=True, slots=True)
class StandInToken:
    """What the SDK asks of a credential."""

    token: str = "stand-in"
    expires_on: int = 2**31

    def get_token(self, *scopes: str, **_: Any) -> StandInToken:
        return self


def account() -> Account:
    """The account of this environment. Raises NotReady, in one line, when something is missing."""
    for module in ("azure.mgmt.web", "azure.mgmt.storage", "azure.mgmt.resource.resources"):
        sdk(module, cloud="azure")
    endpoint = os.environ.get(STAND_IN)
    if endpoint:
        if urlsplit(endpoint).hostname != "127.0.0.1":
            raise NotReady(f"azure: {STAND_IN} is {endpoint!r}: expected a stand-in on http://127.0.0.1")
        return Account("00000000-0000-0000-0000-000000000000", StandInToken(), endpoint.rstrip("/"))
    subscription = os.environ.get("AZURE_SUBSCRIPTION_ID")
    if not subscription:
        raise NotReady(_SUBSCRIPTION)
    errors = sdk("azure.core.exceptions", cloud="azure")
    found = Account(subscription, sdk("azure.identity", cloud="azure").DefaultAzureCredential(), None)
    try:
        found.token()
    except errors.ClientAuthenticationError:
        raise NotReady(_LOGIN) from None
    return found
