"""The Cloud Run service under a function of the 2nd gen: who may call it, and its container's resources.

Vendor facts: the discovery document of run.v2 (revision 20261031), as of 2026-11-25.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

GENERATION = "TRIPOINT_GENERATION"
_WAIT_S = 900.0


@dataclass(frozen=True, slots=True)
class RunService:
    """One service, by its full name, through a `ServicesClient`."""

    client: Any
    name: str

    def open_or_close(self, *, public: bool) -> None:
        """Let everybody call it, or only those whom IAM lets."""
        everybody = [{"role": "roles/run.invoker", "members": ["allUsers"]}]
        policy = {"bindings": everybody if public else []}
        self.client.set_iam_policy(request={"resource": self.name, "policy": policy})

    def set_resources(self, wanted: Mapping[str, bool]) -> None:
        """Bring the container's `cpu_idle` and `startup_cpu_boost` to `wanted`; a new revision where one differs."""
        service = self.client.get_service(name=self.name)
        held = service.template.containers[0].resources
        if any(getattr(held, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(held, name, value)
            self._deploy(service)

    def retire(self) -> None:
        """Deploy a revision that differs in a variable that nothing reads."""
        service = self.client.get_service(name=self.name)
        container = service.template.containers[0]
        kept = [each for each in container.env if each.name != GENERATION]
        container.env = [*kept, {"name": GENERATION, "value": format(time.time_ns(), "x")}]
        # Else Google starts an instance of each new revision by itself, and the request would find it ready.
        service.template.health_check_disabled = True
        self._deploy(service)

    def _deploy(self, service: Any) -> None:
        """Make a changed service's new revision, and wait until it serves."""
        service.template.revision = ""  # the service names the new one
        self.client.update_service(service=service).result(timeout=_WAIT_S)
