"""Try again while a cloud has not settled: its own parts learn of a change at different times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 5.0


def patiently(
    action: Callable[[], T],
    *,
    again: Callable[[Exception], bool],
    within_s: float,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return what `action` returns; where it raises what `again` says is passing, try it again for `within_s`.

    The pauses double, up to LONGEST_PAUSE_S. The last error is raised when the time is over.
    """
    until_s, pause_s = time.monotonic() + within_s, FIRST_PAUSE_S
    while True:
        try:
            return action()
        except Exception as error:
            if not again(error) or time.monotonic() + pause_s > until_s:
                raise
        sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def until(done: Callable[[], bool], *, within_s: float, sleep: Callable[[float], None] = time.sleep) -> bool:
    """Ask `done` until it says so, for `within_s` at most; whether it did."""
    until_s, pause_s = time.monotonic() + within_s, FIRST_PAUSE_S
    while not done():
        if time.monotonic() + pause_s > until_s:
            return False
        sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
    return True
