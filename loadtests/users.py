"""Locust's users. In an open-loop phase they only stand there: the schedule sends, not they."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from locust import User, task

if TYPE_CHECKING:
    from loadtests.send.worker import Worker


class ClosedLoopUser(User):
    """Asks, waits, thinks and asks again while a closed-loop phase is on; stands by in any other."""

    @task
    def send_requests(self) -> None:
        cast("Worker", self.environment.tripoint).send_next()
