"""Facts about this machine, in words that identify nobody, and how evenly it runs."""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from core import cpu_count

NOISY_SPREAD = 0.15  # of the reference work: above it, times are not to be leaned on
_WORK = 200_000


def cpu_name() -> str:
    """Return the processor's own name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def describe() -> dict[str, object]:
    """Return kind of processor, number of processors that may be used, system and Python version."""
    return {
        "processor": cpu_name(),
        "processors": cpu_count.count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def load() -> float | None:
    """Return the runnable processes of the last minute, where the system tells."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None


def reference_work_s() -> float:
    """Return the seconds of a fixed piece of work: always the same, unless somebody else has the processor."""
    started_s = time.perf_counter()
    total = 0
    for number in range(_WORK):
        total += number * number
    return time.perf_counter() - started_s


def spread(times_s: Sequence[float]) -> float:
    """Return the distance from the first tenth to the last, over the median.

    It is a few hundredths for the same work on a quiet machine, and more than NOISY_SPREAD on a busy one.
    """
    tenths = statistics.quantiles(times_s, n=10, method="inclusive")
    return (tenths[8] - tenths[0]) / tenths[4]
