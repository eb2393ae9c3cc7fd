"""Locust's users. In an open-loop run they only stand there: the schedule sends, not they."""

from __future__ import annotations

import gevent
from locust import User, task


class Schedule(User):
    """Keeps Locust running while the schedule is played; its number has no meaning."""

    @task
    def stand_by(self) -> None:
        gevent.sleep(0.5)
