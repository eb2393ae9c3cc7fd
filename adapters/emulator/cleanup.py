"""Tell a cleanup process what must not outlive this process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Literal

from adapters.emulator import cleanup_process

Kind = Literal["group", "cgroup", "folder"]


class CleanupRegistry:
    """Names things to a cleanup process, which removes them when this process is gone."""

    def __init__(self) -> None:
        self._kept: dict[str, None] = {}
        self._guardian = self._start()

    @property
    def pid(self) -> int:
        """Process id of the cleanup process."""
        return self._guardian.pid

    def keep(self, kind: Kind, name: str | int) -> None:
        """From now on `name` ends with this process."""
        self._kept[f"{kind} {name}"] = None
        self._tell(f"+ {kind} {name}\n")

    def release(self, kind: Kind, name: str | int) -> None:
        """`name` is gone already."""
        self._kept.pop(f"{kind} {name}", None)
        self._tell(f"- {kind} {name}\n")

    def close(self) -> None:
        """End everything that is still named, and wait for it."""
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        started = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(cleanup_process.__file__))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            bufsize=0,
        )
        assert started.stdin is not None
        started.stdin.write("".join(f"+ {each}\n" for each in self._kept).encode())
        return started

    def _tell(self, line: str) -> None:
        """Tell the cleanup process. When somebody killed it, start another one, and tell that one everything."""
        assert self._guardian.stdin is not None
        try:
            self._guardian.stdin.write(line.encode())
        except BrokenPipeError:
            self._guardian.stdin.close()
            self._guardian.wait()
            self._guardian = self._start()
