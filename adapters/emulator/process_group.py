"""Start the processes of one instance: a session of their own, a clean environment, logs in a file."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.emulator.cleanup import CleanupRegistry

LOG_LIMIT_BYTES = 8_000_000
TAIL_BYTES = 4096


class ProcessGroup:
    """One process group, whose leader is our child (`contract.Process`)."""

    def __init__(self, leader: asyncio.subprocess.Process, log: Path, ended: Callable[[], None]) -> None:
        self._leader = leader
        self._log = log
        self._ended = ended
        self._gone = False
        self._trimmed_bytes = 0
        self._exit = asyncio.ensure_future(self._watch())

    @property
    def pid(self) -> int:
        return self._leader.pid

    @property
    def gone(self) -> bool:
        """Whether the leader ended, and the rest of its group with it."""
        return self._gone

    def kill(self) -> None:
        if self._gone:
            return
        try:
            os.killpg(self._leader.pid, signal.SIGKILL)
        except ProcessLookupError:
            self._gone = True
        except PermissionError:  # macOS says so of a group of zombies
            self._gone = True

    async def wait(self) -> int:
        return await asyncio.shield(self._exit)

    def log_tail(self) -> str:
        return self.log_since(max(self.log_size() - TAIL_BYTES, 0)).decode(errors="replace")

    def log(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(line)

    def log_size(self) -> int:
        return self._trimmed_bytes + self._file_bytes()

    def log_since(self, mark: int) -> bytes:
        if not self._log.exists():
            return b""
        with self._log.open("rb") as file:
            file.seek(max(mark - self._trimmed_bytes, 0))
            return file.read()

    def trim_log(self) -> None:
        """Start the log file anew when it has grown too long; its writers append, so they go on at the start."""
        if (size_bytes := self._file_bytes()) > LOG_LIMIT_BYTES:
            os.truncate(self._log, 0)
            self._trimmed_bytes += size_bytes

    def _file_bytes(self) -> int:
        return self._log.stat().st_size if self._log.exists() else 0

    async def _watch(self) -> int:
        status = await self._leader.wait()
        self.kill()  # what the leader left
        self._gone = True
        self._ended()
        return status


class Launcher:
    """Starts process groups for one instance (`contract.Launch`), and ends them together.

    `join` are files of a control group, which a process joins by writing its number there.
    `exited` is called when a group ends by itself or not.
    """

    def __init__(
        self,
        *,
        cleanup: CleanupRegistry,
        bundle: Path,
        folder: Path,
        exited: Callable[[], None],
        join: Sequence[Path] = (),
    ) -> None:
        self.bundle = bundle
        self._cleanup = cleanup
        self._folder = folder
        self._exited = exited
        self._join = join
        self.groups: list[ProcessGroup] = []

    async def __call__(self, command: Sequence[str], *, variables: Mapping[str, str], folder: Path) -> ProcessGroup:
        log = self._folder / f"{len(self.groups)}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as file:
            leader = await asyncio.create_subprocess_exec(
                *_wrapped(command, self._join),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                cwd=folder,
                env=environment(variables, folder),
                start_new_session=True,
            )
        self._cleanup.keep("group", leader.pid)
        group = ProcessGroup(leader, log, lambda: self._ended(leader.pid))
        self.groups.append(group)
        return group

    async def end(self) -> None:
        """Kill every group of this instance and wait for it; remove its logs."""
        for group in self.groups:
            group.kill()
        await asyncio.gather(*(group.wait() for group in self.groups))
        shutil.rmtree(self._folder, ignore_errors=True)

    def log_tail(self) -> bytes:
        """The last lines of every group."""
        return b"".join(group.log_tail().encode() for group in self.groups)

    def trim_logs(self) -> None:
        for group in self.groups:
            group.trim_log()

    def _ended(self, pid: int) -> None:
        self._cleanup.release("group", pid)
        self._exited()


# Folders of this machine, and names in them: a function has what its bundle carries.
_HERE = ("TRIPOINT_DATA", "TRIPOINT_MODEL", "TRIPOINT_MODELS")


def environment(variables: Mapping[str, str], bundle: Path) -> dict[str, str]:
    """The variables of a function's process: none of the user's but the way to programs and ours by name."""
    ours = {name: value for name, value in os.environ.items() if name.startswith("TRIPOINT_") and name not in _HERE}
    fixed = {
        "PATH": os.environ.get("PATH", os.defpath),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": str(bundle),
        "PYTHONDONTWRITEBYTECODE": "1",  # a bundle is read-only in the cloud
        "PYTHONUNBUFFERED": "1",
    }
    started = {"TRIPOINT_PROCESS_START_S": f"{time.time():.6f}"}  # to the millisecond: see core/instance.py
    return {**fixed, **ours, **variables, **started}


def _wrapped(command: Sequence[str], join: Sequence[Path]) -> list[str]:
    """Let the process join its control groups before it becomes `command`, and die with this process."""
    whole = list(command)
    if join:
        script = 'for file in "$@"; do shift; [ "$file" = -- ] && break; echo $$ > "$file"; done; exec "$@"'
        whole = ["/bin/sh", "-c", script, "sh", *map(str, join), "--", *whole]
    setpriv = _setpriv()
    return [setpriv, "--pdeathsig", "KILL", "--", *whole] if setpriv else whole


@lru_cache(maxsize=1)
def _setpriv() -> str | None:
    """Find the program that sets PR_SET_PDEATHSIG (Linux, util-linux 2.33 and later).

    Elsewhere the cleanup process alone ends what is left.
    """
    return shutil.which("setpriv") if sys.platform == "linux" else None
