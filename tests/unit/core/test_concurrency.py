"""The pool of interpreters, the count of processors, the evidence of an instance."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core.cpu_count import count
from core.instance import InstanceState, process_start_unix_s
from core.pool import Pool


def test_an_item_is_lent_to_one_thread_at_a_time_and_always_comes_back() -> None:
    pool: Pool[list[int]] = Pool([[], []])
    lent: set[int] = set()
    clashes = []

    def work(item: list[int]) -> None:
        if id(item) in lent:
            clashes.append(item)
        lent.add(id(item))
        item.append(1)
        lent.discard(id(item))

    threads = [threading.Thread(target=lambda: [pool.use(work) for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not clashes
    assert sum(len(item) for item in pool._free) == 1600


def test_an_item_comes_back_after_an_error() -> None:
    pool = Pool(["only"])
    with pytest.raises(ZeroDivisionError):
        pool.use(lambda _: 1 // 0)
    assert pool.use(str.upper) == "ONLY"


def test_who_waits_longest_is_served_first() -> None:
    """Ten threads queue up one by one behind a held item; they must be served in that order."""
    pool = Pool(["only"])
    served: list[int] = []
    release = threading.Event()
    holder = threading.Thread(target=lambda: pool.use(lambda _: release.wait(10)))
    holder.start()
    while pool._free:
        pass
    threads = []
    for number in range(10):
        thread = threading.Thread(target=lambda number=number: pool.use(lambda _: served.append(number)))
        thread.start()
        while len(pool._waiting) <= number:
            pass
        threads.append(thread)
    release.set()
    for thread in [holder, *threads]:
        thread.join()
    assert served == list(range(10))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max 100000\n"}, 64),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        ({"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/cpu.max": "150000 100000\n"}, 2),
        ({"proc/self/cgroup": "0::/../../..\n", "sys/fs/cgroup/cpu.max": "300000 100000\n"}, 3),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/x\n",
                "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "100000\n",
                "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "50000\n",
            },
            2,
        ),
        (
            {
                "proc/self/cgroup": "4:cpu,cpuacct:/x\n",
                "sys/fs/cgroup/cpu/x/cpu.cfs_quota_us": "-1\n",
                "sys/fs/cgroup/cpu/x/cpu.cfs_period_us": "50000\n",
            },
            64,
        ),
        ({"proc/self/cgroup": "garbled", "sys/fs/cgroup/cpu.max": "0 0"}, 64),
    ],
)
def test_the_quota_counts_and_not_the_machine(
    files: dict[str, str], expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(64)), raising=False)
    assert count(tmp_path) == expected


def test_the_affinity_mask_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {5}, raising=False)
    assert count(tmp_path) == 1


def test_an_instance_tells_when_it_began_and_what_took_how_long() -> None:
    this = InstanceState(started_s=100.0, started_unix_s=1_700_000_000.0)
    this.mark_imported()
    this.mark_ready(model_load_ms=12.5)
    ready = this.arrived(100.0)
    later = this.arrived(100.25)
    assert (ready.request_number, later.request_number) == (1, 2)
    assert later.since_ready_ms - ready.since_ready_ms == pytest.approx(250)
    start = later.initialisation
    assert start.init_ms == pytest.approx(-ready.since_ready_ms)
    assert (start.init_start_unix_s, start.model_load_ms) == (1_700_000_000.0, 12.5)
    assert start.init_ms >= start.imports_ms


def test_only_the_first_readiness_counts() -> None:
    this = InstanceState(started_s=0.0, started_unix_s=0.0)
    this.mark_ready(model_load_ms=1)
    first = this.arrived(0.0)
    this.mark_imported()
    this.mark_ready(model_load_ms=2)
    assert this.arrived(0.0).initialisation == first.initialisation
    assert first.initialisation.model_load_ms == 1


def test_a_forked_child_is_another_instance() -> None:
    this = InstanceState(started_s=0.0, started_unix_s=0.0)
    this.mark_ready(model_load_ms=1)
    parent = this.arrived(0.0)
    this.forked()
    child = this.arrived(0.0)
    assert child.instance != parent.instance
    assert child.request_number == 1
    assert child.since_ready_ms < parent.since_ready_ms  # it became ready later
    assert child.initialisation == parent.initialisation


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_real_fork_gives_another_name() -> None:
    code = """
import os
from core.instance import CURRENT
CURRENT.mark_ready(model_load_ms=0)
parent = CURRENT.arrived(0)
child = os.fork()
if not child:
    mine = CURRENT.arrived(0)
    os._exit(0 if mine.instance != parent.instance and mine.request_number == 1 else 1)
assert os.waitpid(child, 0)[1] == 0
assert CURRENT.arrived(0).instance == parent.instance
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_start_of_the_process_lies_before_now_on_linux() -> None:
    started = process_start_unix_s()
    if os.path.exists("/proc/self/stat"):  # noqa: PTH110
        assert started is not None
        assert 0 <= started <= time.time() + 0.02  # the kernel counts hundredths
    else:
        assert started is None


def test_the_garbage_collector_works_as_before_once_an_instance_is_ready() -> None:
    code = (
        "import gc; before = gc.get_threshold(); from core.instance import CURRENT; during = gc.get_threshold(); "
        "CURRENT.mark_ready(model_load_ms=0); "
        "print(before == gc.get_threshold() != during, gc.get_freeze_count() > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["True", "True"]


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="only Linux tells when a process was started")  # noqa: PTH110
def test_what_a_local_cloud_tells_of_the_start_is_taken_where_it_can_be_true() -> None:
    code = "from core.instance import process_start_unix_s; print(process_start_unix_s())"
    said = {}
    for name, shift_s in (("true", 0.0), ("stale", -5.0)):
        told_s = time.time() + shift_s
        variables = {**os.environ, "TRIPOINT_PROCESS_START_S": f"{told_s:.6f}"}
        done = subprocess.run(
            [sys.executable, "-c", code], env=variables, capture_output=True, check=True, timeout=60
        )
        said[name] = float(done.stdout) - told_s
    assert said["true"] == pytest.approx(0, abs=0.02), "two ticks of the kernel's clock"
    assert said["stale"] > 4.9, "a child of the process that was told"
