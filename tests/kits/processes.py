"""What became of processes that a test saw."""

from __future__ import annotations

import psutil


def runs(process: psutil.Process) -> bool:
    """Whether it is still there, other than as a zombie."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # it ended in between
        return False
