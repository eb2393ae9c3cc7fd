"""The load test: `locust -f loadtests/locustfile.py --targets FILE --images DIR`.

It works with Locust's web page, with `--headless`, with `--processes N`, and with `--master` and `--worker` on
several machines. In an open-loop phase the schedule sends the requests, and the users only stand by.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

from locust import User, task

ROOT = str(Path(__file__).resolve().parent.parent)
if ROOT not in sys.path:  # an uninstalled checkout; Locust puts only this folder on the path
    sys.path.append(ROOT)

from loadtests.run.locust_hooks import register  # noqa: E402

if TYPE_CHECKING:
    from loadtests.send.worker import Worker


class ClosedLoopUser(User):
    """Sends a request, waits for its response, thinks, and sends the next one while a closed-loop phase is on."""

    @task
    def send_requests(self) -> None:
        cast("Worker", self.environment.tripoint).send_next()


register()
