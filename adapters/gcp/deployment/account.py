"""A Google Cloud project, its clients and plain REST calls where no client library is needed.

TRIPOINT_GCP_ENDPOINT leads everything to a stand-in on loopback, without credentials.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from adapters.deployment.errors import DeployError, NotReady
from adapters.deployment.provider import sdk

STAND_IN = "TRIPOINT_GCP_ENDPOINT"
_TIMEOUT_S = 60.0
_LOGIN = "gcp: no credentials: run `gcloud auth application-default login`"
_PROJECT = "gcp: no project: run `gcloud config set project ID`, or set GOOGLE_CLOUD_PROJECT"


@dataclass(frozen=True, slots=True)
class Account:
    """Credentials and project of the standard chain (google.auth.default)."""

    project: str
    credentials: Any
    endpoint: str | None

    @property
    def functions(self) -> Any:
        """Cloud Functions, 2nd gen, over REST."""
        client = sdk("google.cloud.functions_v2", cloud="gcp").FunctionServiceClient
        return client(**self._options())

    @property
    def run(self) -> Any:
        """Cloud Run, which every function of the 2nd gen is a service of."""
        return sdk("google.cloud.run_v2", cloud="gcp").ServicesClient(**self._options())

    def call(self, method: str, service: str, path: str, document: Any = None) -> dict[str, Any] | None:
        """One JSON call to `service`.googleapis.com; None when there is no such thing (404).

        Raises DeployError with what the service says.
        """
        session = sdk("google.auth.transport.requests", cloud="gcp").AuthorizedSession(self.credentials)
        base = self.endpoint or f"https://{service}.googleapis.com"
        answer = session.request(method, f"{base}/{path}", json=document, timeout=_TIMEOUT_S)
        if answer.status_code == 404:
            return None
        if answer.status_code >= 400:
            raise DeployError(f"gcp: {service} answered {answer.status_code} to {method} {path}: {answer.text[:300]}")
        found: dict[str, Any] = answer.json() if answer.content else {}
        return found

    def _options(self) -> dict[str, Any]:
        if self.endpoint is None:
            return {"credentials": self.credentials, "transport": "rest"}
        options = sdk("google.api_core.client_options", cloud="gcp").ClientOptions(api_endpoint=self.endpoint)
        return {"credentials": self.credentials, "transport": "rest", "client_options": options}


def account() -> Account:
    """The account of this environment. Raises NotReady, in one line, when something is missing."""
    sdk("google.cloud.functions_v2", cloud="gcp")
    endpoint = os.environ.get(STAND_IN)
    if endpoint:
        if urlsplit(endpoint).hostname != "127.0.0.1":
            raise NotReady(f"gcp: {STAND_IN} is {endpoint!r}: expected a stand-in on http://127.0.0.1")
        anonymous = sdk("google.auth.credentials", cloud="gcp").AnonymousCredentials()
        return Account(os.environ.get("GOOGLE_CLOUD_PROJECT", "stand-in"), anonymous, endpoint.rstrip("/"))
    auth, errors = sdk("google.auth", cloud="gcp"), sdk("google.auth.exceptions", cloud="gcp")
    try:
        credentials, project = auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
    except errors.DefaultCredentialsError:
        raise NotReady(_LOGIN) from None
    if not project:
        raise NotReady(_PROJECT)
    return Account(str(project), credentials, None)
