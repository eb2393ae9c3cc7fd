"""The process that a deployment lives for, so that what it leaves after a crash is told from what is still in use."""

from __future__ import annotations

import os
from dataclasses import dataclass

import psutil


@dataclass(frozen=True, slots=True)
class OwnerProcess:
    """A process of this machine; `started_unix_s` tells it from a later one of the same number."""

    pid: int
    started_unix_s: float

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_unix_s) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:  # of another user: it is there
            return True


def this_process() -> OwnerProcess:
    return OwnerProcess(os.getpid(), psutil.Process().create_time())
