"""Fetch Google ID tokens for a closed function.

Source: cloud.google.com/run/docs/authenticating/developers and service-to-service, as of 2026-11-20.
"""

from __future__ import annotations

from typing import Any

from adapters.deployment.errors import NotReady
from adapters.deployment.provider import sdk

_HOW = "gcp: no ID token: use a service account's key, or `gcloud auth application-default login` as a user"


def token(credentials: Any, url: str) -> str:
    """A token that lets its bearer call `url` for an hour. Raises NotReady."""
    request = sdk("google.auth.transport.requests", cloud="gcp").Request()
    errors = sdk("google.auth.exceptions", cloud="gcp")
    try:
        if hasattr(credentials, "refresh_token"):  # a person's: the token names the login, not the service
            credentials.refresh(request)
            found = credentials.id_token
        else:
            found = sdk("google.oauth2.id_token", cloud="gcp").fetch_id_token(request, url)
    except errors.GoogleAuthError as error:
        raise NotReady(f"{_HOW} ({error})") from error
    if not found:
        raise NotReady(_HOW)
    return str(found)
