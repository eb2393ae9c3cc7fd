"""Remove what an emulator leaves behind, however the emulator ended.

A process of its own (standard library only, so that it starts in a few ms). It reads lines such as
`+ group 4711` or `- folder /some/path` from its standard input, a pipe from the emulator; when the pipe closes,
it kills the groups that are still named, then removes the control groups and folders.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from pathlib import Path

GONE_WITHIN_S = 4.0


def main() -> None:
    """Read until the pipe closes, then clean up."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    left: dict[tuple[str, str], None] = {}
    for line in sys.stdin:
        sign, kind, name = line.rstrip("\n").split(" ", 2)
        if sign == "+":
            left[(kind, name)] = None
        else:
            left.pop((kind, name), None)
    clean({kind: [name for each, name in left if each == kind] for kind in ("group", "cgroup", "folder")})


def clean(left: dict[str, list[str]]) -> None:
    """Kill groups, then remove control groups and folders."""
    deadline_s = time.monotonic() + GONE_WITHIN_S
    groups = [int(name) for name in left["group"]]
    while (groups := [group for group in groups if kill(group)]) and time.monotonic() < deadline_s:
        time.sleep(0.01)
    for name in reversed(left["cgroup"]):  # groups lie within groups: the innermost came last
        remove_cgroup(Path(name), deadline_s)
    for name in left["folder"]:
        shutil.rmtree(name, ignore_errors=True)


def kill(group: int) -> bool:
    """Kill a process group; False when it is gone."""
    try:
        os.killpg(group, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def remove_cgroup(path: Path, deadline_s: float) -> None:
    """Remove a control group, killing who is still in it; the kernel refuses until the last one is reaped."""
    while path.is_dir() and time.monotonic() < deadline_s:
        try:
            path.rmdir()
        except OSError:
            with contextlib.suppress(OSError):
                for number in (path / "cgroup.procs").read_text().split():
                    os.kill(int(number), signal.SIGKILL)
            time.sleep(0.01)


if __name__ == "__main__":
    main()
