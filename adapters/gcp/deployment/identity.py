"""Fetch Google ID tokens for a closed function.

Source: cloud.google.com/run/docs/authenticating/developers and service-to-service, as of 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from adapters.deployment.errors import NotReady
from adapters.deployment.provider import sdk

_HOW = "gcp: no ID token: use a service account's key, or `gcloud auth application-default login` as a user"
_FEDERATED = (
    "gcp: these credentials (workload or workforce identity, as in GitHub Actions) give no ID token by themselves:"
    " let them impersonate a service account (service_account_impersonation_url, or gcloud's"
    " --impersonate-service-account), or use a service account's key"
)


def check(credentials: Any) -> None:
    """Raise NotReady for credentials of a kind that gives no ID token, before anything is made."""
    if _is_federated(credentials) and _impersonated(credentials) is None:
        raise NotReady(_FEDERATED)


def token(credentials: Any, url: str) -> str:
    """A token that lets its bearer call `url` for an hour. Raises NotReady."""
    check(credentials)
    request = sdk("google.auth.transport.requests", cloud="gcp").Request()
    errors = sdk("google.auth.exceptions", cloud="gcp")
    try:
        if (source := _impersonated(credentials)) is not None:
            kind = sdk("google.auth.impersonated_credentials", cloud="gcp").IDTokenCredentials
            asking = kind(source, target_audience=url, include_email=True)
            asking.refresh(request)
            found = asking.token
        elif hasattr(credentials, "refresh_token"):  # a person's: the token names the login, not the service
            credentials.refresh(request)
            found = credentials.id_token
        else:
            found = sdk("google.oauth2.id_token", cloud="gcp").fetch_id_token(request, url)
    except errors.GoogleAuthError as error:
        raise NotReady(f"{_HOW} ({error})") from error
    if not found:
        raise NotReady(_HOW)
    return str(found)


def _is_federated(credentials: Any) -> bool:
    modules = {kind.__module__ for kind in type(credentials).__mro__}
    return bool(modules & {"google.auth.external_account", "google.auth.external_account_authorized_user"})


def _impersonated(credentials: Any) -> Any | None:
    """The credentials of the service account that these impersonate; None where they are none."""
    kind = sdk("google.auth.impersonated_credentials", cloud="gcp").Credentials
    if isinstance(credentials, kind):
        return credentials
    inner = getattr(credentials, "_impersonated_credentials", None)
    if inner is None and getattr(credentials, "_service_account_impersonation_url", None):
        inner = credentials._initialize_impersonated_credentials()
    return inner if isinstance(inner, kind) else None
