"""The machine, and whether it had anything else to do."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from core import cpu_count as processors


@dataclass(frozen=True, slots=True)
class Machine:
    """In words that identify no one: kind of processor, number of processors that may be used, system, Python."""

    processor: str
    processors: int
    system: str
    python: str

    def document(self) -> dict[str, object]:
        return asdict(self)


def describe() -> Machine:
    """This machine."""
    system = f"{platform.system()} {platform.machine()}"
    return Machine(_processor(), processors.count(), system, platform.python_version())


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def reference_work_s() -> float:
    """The time of a fixed piece of work: it is always the same, unless somebody else has the processor."""
    started_s = time.perf_counter()
    total = 0
    for number in range(200_000):
        total += number * number
    return time.perf_counter() - started_s


def load() -> float | None:
    """Runnable processes in the last minute, where the system tells."""
    try:
        return round(os.getloadavg()[0], 2)
    except (OSError, AttributeError):
        return None
