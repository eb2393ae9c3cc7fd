"""Change the settings of local clouds through their control planes, for the length of a phase."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from loadtests.send.endpoint import FAILURES, HttpEndpoint

if TYPE_CHECKING:
    from loadtests.plan.targets import Target

TIMEOUT_S = 10.0


def change_idle_life(targets: Sequence[Target], idle_life_s: float | None) -> list[str]:
    """Have the local clouds end idle instances after `idle_life_s`; None: after their default.

    Returns the targets that have no control plane, or whose control plane did not agree.
    """
    body = json.dumps({"idle_life_s": idle_life_s}).encode()
    return [target.name for target in targets if not accepts(target, body)]


def accepts(target: Target, body: bytes) -> bool:
    """Whether the target's control plane took the settings in `body`."""
    if target.control is None:
        return False
    endpoint = HttpEndpoint(f"{target.control.rstrip('/')}/settings", timeout_s=TIMEOUT_S)
    try:
        return endpoint.post(body, content_type="application/json").status < 300
    except FAILURES:
        return False
    finally:
        endpoint.close()
