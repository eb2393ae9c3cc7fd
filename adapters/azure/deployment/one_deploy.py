"""Send a package by One Deploy to a Flex Consumption app, which builds it there.

Vendor facts: learn.microsoft.com/azure/azure-functions/functions-deployment-technologies, "One deploy", and the
deployment service's own routes, as of 2026-11-20.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.deployment.errors import DeployError
from adapters.deployment.provider import sdk

if TYPE_CHECKING:
    from adapters.azure.deployment.account import Account

_BUILD_WAIT_S = 900.0
_FAILED, _SUCCESS, _PARTIAL = 3, 4, 6
_ENDED = {_FAILED, _SUCCESS, 5, _PARTIAL}


def publish(account: Account, app: str, archive: Path) -> None:
    """Send `archive` and wait until it is built and running. Raises DeployError with the build's own words."""
    requests, url = sdk("requests", cloud="azure"), account.deployment_url(app)
    headers = {**_headers(account), "content-type": "application/zip"}
    answer = requests.post(
        f"{url}/api/publish?RemoteBuild=true", data=archive.read_bytes(), headers=headers, timeout=300
    )
    if answer.status_code not in (200, 202):
        raise DeployError(f"azure: app {app} answered {answer.status_code} to its package: {answer.text[:300]}")
    until = time.monotonic() + _BUILD_WAIT_S
    pause_s = 0.1 if account.endpoint else 3.0
    while (state := _latest(account, app)).get("status") not in _ENDED:
        if time.monotonic() > until:
            raise DeployError(f"azure: app {app} did not finish its build in {_BUILD_WAIT_S:.0f} s: apply again")
        time.sleep(pause_s)
    if state["status"] != _SUCCESS:
        raise DeployError(f"azure: the build of app {app} failed: {state.get('status_text') or state.get('message')}")


def log(account: Account, app: str) -> list[str]:
    """The lines of the app's last build."""
    requests = sdk("requests", cloud="azure")
    url = f"{account.deployment_url(app)}/api/deployments/latest/log"
    answer = requests.get(url, headers=_headers(account), timeout=60)
    if answer.status_code != 200:
        raise DeployError(f"azure: app {app} answered {answer.status_code} when asked for its log")
    return [f"{each.get('log_time', '')} {each.get('message', '')}" for each in answer.json()]


def _latest(account: Account, app: str) -> dict[str, Any]:
    requests = sdk("requests", cloud="azure")
    url = f"{account.deployment_url(app)}/api/deployments/latest"
    answer = requests.get(url, headers=_headers(account), timeout=60)
    found: dict[str, Any] = answer.json() if answer.status_code in (200, 202) else {}
    return found


def _headers(account: Account) -> dict[str, str]:
    return {"authorization": f"Bearer {account.token()}"}
