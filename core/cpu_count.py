"""Count the processors that this process may use, in a container too, where `os.cpu_count` is wrong."""

from __future__ import annotations

import math
import os
from pathlib import Path


def count(root: Path = Path("/")) -> int:
    """Return the smaller of the affinity mask and the cgroup's CPU quota, rounded up, and at least 1.

    `root` is where proc and sys lie. Sources: sched_setaffinity(2); the kernel's cgroup-v2.rst ("cpu.max")
    and sched-bwc.rst ("cpu.cfs_quota_us").
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for quota in (_quota_v2(root), _quota_v1(root)) if quota is not None]
    return max(1, min([usable, *(math.ceil(quota) for quota in quotas)]))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _groups(root: Path, controller: str) -> list[str]:
    """The cgroup of this process and all above it, the root last; from lines like `0::/a/b` or `4:cpu,cpuacct:/a`."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            parts = [part for part in path.split("/") if part and part != ".."]
            return ["/".join(parts[:end]) for end in range(len(parts), -1, -1)]
    return [""]


def _quota_v2(root: Path) -> float | None:
    """The tightest `cpu.max` from this cgroup up to the root, in processors."""
    found = []
    for group in _groups(root, ""):
        quota, _, period = _read(root / "sys/fs/cgroup" / group / "cpu.max").partition(" ")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            found.append(int(quota) / int(period))
    return min(found, default=None)


def _quota_v1(root: Path) -> float | None:
    found = []
    for group in _groups(root, "cpu"):
        folder = root / "sys/fs/cgroup/cpu" / group
        quota, period = _read(folder / "cpu.cfs_quota_us"), _read(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period) > 0:
            found.append(int(quota) / int(period))
    return min(found, default=None)
