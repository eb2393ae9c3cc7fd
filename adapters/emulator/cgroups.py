"""CPU and memory shares of an instance, through Linux control groups, version 1 or 2, where they are writable.

Kernel documentation: admin-guide/cgroup-v1/{memory,sched-bwc}, admin-guide/cgroup-v2 (6.x), read 2026-11-20.
The CPU is limited per period; the shorter the period, the closer a request of a few ms comes to its share.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from adapters.emulator.cleanup import CleanupRegistry

PERIOD_US = 5_000
MINIMUM_QUOTA_US = 1_000  # the kernel takes no less
# In a cloud the front door and the client have processors of their own. Here they come first where all want one:
# each has 1,024 (version 1) or 100 (version 2), whatever the number of instances that start.
WEIGHT_V1 = 256
WEIGHT_V2 = 25
SYSTEM = Path("/sys/fs/cgroup")
LEAF = "tripoint-leaf"


def quota(vcpu: float) -> tuple[int, int]:
    """(quota, period) in us of CPU time: the period grows where the quota would fall below the kernel's minimum."""
    period_us = max(PERIOD_US, round(MINIMUM_QUOTA_US / vcpu))
    return round(vcpu * period_us), period_us


class CgroupVersion(Protocol):
    """One version of control groups."""

    @property
    def description(self) -> str:
        """How a run's header names it."""

    def folders(self, name: str) -> tuple[Path, ...]:
        """The folders that the group of one instance consists of."""

    def limit_cpu(self, folders: tuple[Path, ...], vcpu: float) -> None: ...
    def limit_memory(self, folders: tuple[Path, ...], memory_mb: int) -> None: ...
    def kills(self, folders: tuple[Path, ...]) -> int:
        """How many processes the kernel ended for want of memory."""


@dataclass(frozen=True, slots=True)
class Version1:
    """A hierarchy for each controller; ours lies below the groups that we are in, whose limits go on holding."""

    cpu: Path
    memory: Path
    description: str = "cgroup v1"

    def folders(self, name: str) -> tuple[Path, ...]:
        return self.cpu / name, self.memory / name

    def limit_cpu(self, folders: tuple[Path, ...], vcpu: float) -> None:
        quota_us, period_us = quota(vcpu)
        _write(folders[0] / "cpu.shares", WEIGHT_V1)
        _write(folders[0] / "cpu.cfs_quota_us", -1)  # a new period must not contradict the old quota
        _write(folders[0] / "cpu.cfs_period_us", period_us)
        _write(folders[0] / "cpu.cfs_quota_us", quota_us)

    def limit_memory(self, folders: tuple[Path, ...], memory_mb: int) -> None:
        _write(folders[1] / "memory.limit_in_bytes", memory_mb * 2**20)
        with contextlib.suppress(FileNotFoundError, PermissionError):  # without swap accounting
            _write(folders[1] / "memory.memsw.limit_in_bytes", memory_mb * 2**20)

    def kills(self, folders: tuple[Path, ...]) -> int:
        return _field(folders[1] / "memory.oom_control", "oom_kill")


@dataclass(frozen=True, slots=True)
class Version2:
    """One hierarchy; `parent` holds no process of its own and has the controllers `cpu` and `memory` enabled."""

    parent: Path
    description: str = "cgroup v2"

    def folders(self, name: str) -> tuple[Path, ...]:
        return (self.parent / name,)

    def limit_cpu(self, folders: tuple[Path, ...], vcpu: float) -> None:
        quota_us, period_us = quota(vcpu)
        _write(folders[0] / "cpu.weight", WEIGHT_V2)
        _write(folders[0] / "cpu.max", f"{quota_us} {period_us}")

    def limit_memory(self, folders: tuple[Path, ...], memory_mb: int) -> None:
        _write(folders[0] / "memory.max", memory_mb * 2**20)
        with contextlib.suppress(FileNotFoundError):  # without swap
            _write(folders[0] / "memory.swap.max", 0)

    def kills(self, folders: tuple[Path, ...]) -> int:
        return _field(folders[0] / "memory.events", "oom_kill")


class Cgroup:
    """The control group of one instance."""

    def __init__(self, kernel: CgroupVersion, name: str, cleanup: CleanupRegistry) -> None:
        self._kernel = kernel
        self._folders = kernel.folders(name)
        self._cleanup = cleanup

    @property
    def join(self) -> tuple[Path, ...]:
        """The files that a process writes its number into to join."""
        return tuple(folder / "cgroup.procs" for folder in self._folders)

    def create(self, *, vcpu: float, memory_mb: int) -> None:
        """Make it, with these limits. Raises OSError."""
        for folder in self._folders:
            self._cleanup.keep("cgroup", str(folder))  # before it exists: then it cannot be left behind
            folder.mkdir()
        self._kernel.limit_memory(self._folders, memory_mb)
        self.limit_cpu(vcpu)

    def limit_cpu(self, vcpu: float) -> None:
        self._kernel.limit_cpu(self._folders, vcpu)

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process of this instance for want of memory."""
        return self._kernel.kills(self._folders) > 0

    def remove(self) -> None:
        """Remove the group, whose processes are gone; what cannot be removed yet, the cleanup process removes."""
        for folder in self._folders:
            try:
                folder.rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                continue
            self._cleanup.release("cgroup", str(folder))


class Cgroups:
    """Makes shares, where it can; `description` says in a run's header what holds."""

    def __init__(self, kernel: CgroupVersion | None, cleanup: CleanupRegistry) -> None:
        self._kernel = kernel
        self._cleanup = cleanup
        self._made = 0

    @property
    def description(self) -> str:
        return f"enforced ({self._kernel.description})" if self._kernel else "not enforced"

    def make(self, *, vcpu: float, memory_mb: int) -> Cgroup | None:
        """A group with these limits, None where shares cannot be enforced."""
        if self._kernel is None:
            return None
        self._made += 1
        share = Cgroup(self._kernel, f"tripoint-{os.getpid()}-{self._made}", self._cleanup)
        share.create(vcpu=vcpu, memory_mb=memory_mb)
        return share


def find_cgroup_version(
    cleanup: CleanupRegistry, *, system: Path = SYSTEM, own: str | None = None
) -> CgroupVersion | None:
    """The control groups that this process may use, None without: not Linux, not root and nothing delegated.

    `own` is the text of /proc/self/cgroup.
    """
    if sys.platform != "linux":
        return None
    lines = (Path("/proc/self/cgroup").read_text() if own is None else own).splitlines()
    paths = {names: path for _, names, path in (line.split(":", 2) for line in lines)}
    for candidate in _candidates(system, paths, cleanup):
        if _works(candidate, cleanup):
            return candidate
    return None


def _candidates(system: Path, paths: dict[str, str], cleanup: CleanupRegistry) -> Iterable[CgroupVersion]:
    controllers = {each: path for names, path in paths.items() for each in names.split(",")}
    if "cpu" in controllers and "memory" in controllers:
        cpu, memory = (system / each / controllers[each].lstrip("/") for each in ("cpu", "memory"))
        yield Version1(cpu, memory)
    if (system / "cgroup.controllers").is_file():
        own = system if os.geteuid() == 0 else system / paths.get("", "/").lstrip("/")
        own = own.parent if own.name == LEAF else own
        parent = own / f"tripoint-{os.getpid()}"
        cleanup.keep("cgroup", str(parent))
        try:
            _prepare_v2(system, own, parent)
        except OSError:
            _remove(parent)
            cleanup.release("cgroup", str(parent))
        else:
            yield Version2(parent)


def _prepare_v2(system: Path, own: Path, parent: Path) -> None:
    """Make `parent` below `own` and hand the controllers down to it. Raises OSError.

    A group with processes of its own cannot hand controllers down (the root can): in a scope that systemd
    delegated to us (`systemd-run --user --scope -p Delegate=yes`) they first move into a leaf.
    """
    parent.mkdir()
    if own != system and "cpu" not in (own / "cgroup.subtree_control").read_text().split():
        if os.getxattr(own, "user.delegate") != b"1":
            raise PermissionError(f"{own} is not delegated")
        (own / LEAF).mkdir(exist_ok=True)
        for number in (own / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                _write(own / LEAF / "cgroup.procs", number)
    _write(own / "cgroup.subtree_control", "+cpu +memory")
    _write(parent / "cgroup.subtree_control", "+cpu +memory")


def _works(kernel: CgroupVersion, cleanup: CleanupRegistry) -> bool:
    """Try it: make a group, limit it, remove it."""
    share = Cgroup(kernel, f"tripoint-{os.getpid()}-try", cleanup)
    try:
        share.create(vcpu=0.5, memory_mb=64)
    except OSError:
        return False
    finally:
        share.remove()
    return True


def _remove(folder: Path) -> None:
    with contextlib.suppress(OSError):
        folder.rmdir()


def _write(path: Path, value: int | str) -> None:
    path.write_text(f"{value}\n", encoding="ascii")


def _field(path: Path, name: str) -> int:
    with contextlib.suppress(OSError):
        for line in path.read_text(encoding="ascii").splitlines():
            if line.split()[0] == name:
                return int(line.split()[1])
    return 0
