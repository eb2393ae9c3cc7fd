"""Processes of an instance: a group of their own, a clean environment, and an end that cannot be missed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from adapters.emulator.cleanup import CleanupRegistry
from adapters.emulator.process_group import Launcher, environment

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def cleanup() -> Iterator[CleanupRegistry]:
    kept = CleanupRegistry()
    yield kept
    kept.close()


def gone(pid: int) -> bool:
    """Whether a process ends soon."""
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.01)
    return False


async def parent_and_child(launcher: Launcher, folder: Path) -> tuple[int, int]:
    group = await launcher([sys.executable, "-c", PARENT], variables={}, folder=folder)
    while not group.log_size():
        await asyncio.sleep(0.01)
    return group.pid, int(group.log_tail())


def test_ending_an_instance_ends_its_whole_process_group(tmp_path: Path, cleanup: CleanupRegistry) -> None:
    async def play() -> tuple[int, int]:
        launcher = Launcher(cleanup=cleanup, bundle=tmp_path, folder=tmp_path / "logs", exited=lambda: None)
        pids = await parent_and_child(launcher, tmp_path)
        await launcher.end()
        return pids

    assert all(gone(pid) for pid in asyncio.run(play()))
    assert not (tmp_path / "logs").exists()


def test_what_a_dead_leader_leaves_is_ended_too(tmp_path: Path, cleanup: CleanupRegistry) -> None:
    async def play() -> int:
        ended = asyncio.Event()
        launcher = Launcher(cleanup=cleanup, bundle=tmp_path, folder=tmp_path / "logs", exited=ended.set)
        leader, child = await parent_and_child(launcher, tmp_path)
        psutil.Process(leader).kill()
        await ended.wait()
        return child

    assert gone(asyncio.run(play()))


def test_the_guardian_ends_groups_and_removes_folders(tmp_path: Path) -> None:
    cleanup = CleanupRegistry()
    folder = tmp_path / "of the emulator"
    folder.mkdir()

    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as leader:
        assert leader.stdout is not None
        child = int(leader.stdout.readline())
        cleanup.keep("group", leader.pid)
        cleanup.keep("folder", str(folder))
        with ThreadPoolExecutor(1) as pool:  # the cleanup process waits until we have reaped what is our child
            closing = pool.submit(cleanup.close)
            assert leader.wait() == -signal.SIGKILL
            closing.result()
    assert gone(child)
    assert not folder.exists()


def test_the_guardian_leaves_alone_what_was_released(tmp_path: Path) -> None:
    cleanup = CleanupRegistry()
    cleanup.keep("folder", str(tmp_path))
    cleanup.release("folder", str(tmp_path))
    cleanup.close()
    assert tmp_path.exists()


def test_a_process_sees_none_of_the_users_variables_but_ours(
    tmp_path: Path, cleanup: CleanupRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    monkeypatch.setenv("TRIPOINT_LOG_LEVEL", "error")
    monkeypatch.setenv("TRIPOINT_DATA", "the developers'")

    async def play() -> dict[str, str]:
        launcher = Launcher(cleanup=cleanup, bundle=tmp_path, folder=tmp_path / "logs", exited=lambda: None)
        script = "import json, os; print(json.dumps(dict(os.environ)))"
        group = await launcher([sys.executable, "-c", script], variables={"MINE": "1"}, folder=tmp_path)
        assert await group.wait() == 0
        seen: dict[str, str] = json.loads(group.log_tail())
        return seen

    seen = asyncio.run(play())
    assert seen["PYTHONPATH"] == str(tmp_path)
    assert (seen["MINE"], seen["TRIPOINT_LOG_LEVEL"]) == ("1", "error")
    assert not {"AWS_SECRET_ACCESS_KEY", "TRIPOINT_DATA", "HOME"} & set(seen)
    assert set(environment({"MINE": "1"}, tmp_path)) <= set(seen)


def test_a_process_joins_its_control_group_before_it_becomes_the_program(
    tmp_path: Path, cleanup: CleanupRegistry
) -> None:
    """The file stands for cgroup.procs: what is written there is the number of the process itself."""
    files = [tmp_path / "cpu procs", tmp_path / "memory.procs"]

    async def play() -> tuple[int, int]:
        launcher = Launcher(
            cleanup=cleanup, bundle=tmp_path, folder=tmp_path / "logs", exited=lambda: None, join=files
        )
        group = await launcher([sys.executable, "-c", "import os; print(os.getpid())"], variables={}, folder=tmp_path)
        await group.wait()
        return group.pid, int(group.log_tail())

    pid, said = asyncio.run(play())
    assert pid == said
    assert [int(file.read_text()) for file in files] == [pid, pid]


def test_logs_are_read_from_a_mark_and_trimmed_when_long(
    tmp_path: Path, cleanup: CleanupRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.emulator.process_group.LOG_LIMIT_BYTES", 5)

    async def play() -> None:
        launcher = Launcher(cleanup=cleanup, bundle=tmp_path, folder=tmp_path / "logs", exited=lambda: None)
        group = await launcher([sys.executable, "-c", "print('first')"], variables={}, folder=tmp_path)
        await group.wait()
        mark = group.log_size()
        group.log("second\n")
        assert group.log_since(mark) == b"second\n"
        assert group.log_tail() == "first\nsecond\n"
        group.trim_log()
        group.log("third\n")
        assert group.log_since(mark) == b"third\n", "a mark from before the trim still gives what came after it"
        await launcher.end()
        assert group.log_tail() == ""

    asyncio.run(play())
