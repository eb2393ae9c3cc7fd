"""Send a package by One Deploy to a Flex Consumption app, which builds it there.

Vendor facts: learn.microsoft.com/azure/azure-functions/functions-deployment-technologies, "One deploy", and the
deployment service's own routes, as of 2026-11-20.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.deployment.errors import DeployError
from adapters.deployment.patience import patiently
from adapters.deployment.provider import sdk

if TYPE_CHECKING:
    from adapters.azure.deployment.account import Account

_BUILD_WAIT_S = 900.0
_SERVICE_WAIT_S = 180.0  # the deployment service of a new app is not there, or not open, in its first minutes
_NOT_YET = (403, 404, 502, 503)
_FAILED, _SUCCESS, _PARTIAL = 3, 4, 6
_ENDED = {_FAILED, _SUCCESS, 5, _PARTIAL}


class _NotYet(Exception):
    """The deployment service is not ready."""


def publish(account: Account, app: str, archive: Path, *, host: str | None = None) -> None:
    """Send `archive` and wait until it is built and running. Raises DeployError with the build's own words.

    `host` is that of the app's deployment service, where its site names one.
    """
    requests, url = sdk("requests", cloud="azure"), account.deployment_url(app, host)
    headers = {**_headers(account), "content-type": "application/zip"}
    data = archive.read_bytes()

    def send() -> Any:
        answer = requests.post(f"{url}/api/publish?RemoteBuild=true", data=data, headers=headers, timeout=300)
        if answer.status_code in _NOT_YET:
            raise _NotYet(f"{answer.status_code}: {answer.text[:300]}")
        return answer

    try:
        passing = (_NotYet, requests.ConnectionError)
        answer = patiently(send, again=lambda error: isinstance(error, passing), within_s=_SERVICE_WAIT_S)
    except _NotYet as error:
        raise DeployError(f"azure: app {app} does not take its package: {error}: apply again later") from error
    if answer.status_code not in (200, 202):
        raise DeployError(f"azure: app {app} answered {answer.status_code} to its package: {answer.text[:300]}")
    identity = _identity(answer)
    until_s = time.monotonic() + _BUILD_WAIT_S
    pause_s = 0.1 if account.endpoint else 3.0
    while (state := _state(account, url, identity)).get("status") not in _ENDED:
        if time.monotonic() > until_s:
            raise DeployError(f"azure: app {app} did not finish its build in {_BUILD_WAIT_S:.0f} s: apply again")
        time.sleep(pause_s)
    if state["status"] != _SUCCESS:
        raise DeployError(f"azure: the build of app {app} failed: {state.get('status_text') or state.get('message')}")


def _identity(answer: Any) -> str:
    """The deployment that an answer to a package names; where it names none "latest", which may be an earlier one."""
    named = answer.headers.get("SCM-DEPLOYMENT-ID")
    if not named:
        try:
            document = answer.json()
        except ValueError:
            document = None
        named = document.get("id") if isinstance(document, dict) else document
    return str(named) if named else "latest"


def log(account: Account, app: str) -> list[str]:
    """The lines of the app's last build."""
    requests = sdk("requests", cloud="azure")
    url = f"{account.deployment_url(app)}/api/deployments/latest/log"
    answer = requests.get(url, headers=_headers(account), timeout=60)
    if answer.status_code != 200:
        raise DeployError(f"azure: app {app} answered {answer.status_code} when asked for its log")
    return [f"{each.get('log_time', '')} {each.get('message', '')}" for each in answer.json()]


def _state(account: Account, url: str, identity: str) -> dict[str, Any]:
    requests = sdk("requests", cloud="azure")
    answer = requests.get(f"{url}/api/deployments/{identity}", headers=_headers(account), timeout=60)
    found: dict[str, Any] = answer.json() if answer.status_code in (200, 202) else {}
    return found


def _headers(account: Account) -> dict[str, str]:
    return {"authorization": f"Bearer {account.token()}"}
