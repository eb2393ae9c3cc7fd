"""Faults are repeatable; shares are written as the kernel wants them; events without a client are tried again."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.contract import AdmissionDecision, FrontTimeout, HttpAnswer, HttpRequest, Rejection
from adapters.emulator.cgroups import Cgroup, Cgroups, Version1, Version2, find_cgroup_version, quota
from adapters.emulator.cleanup import CleanupRegistry
from adapters.emulator.faults import Fault, Faults, parse
from adapters.emulator.front_door import FrontDoor
from adapters.emulator.instances import RequestRefused


def hits(fault: Fault, requests: int, step_s: float = 0.0) -> list[bool]:
    """Which of so many requests, `step_s` apart, the fault hits."""
    faults = Faults()
    faults.add(fault, 0.0)
    return [bool(faults.at_request(number * step_s)) for number in range(requests)]


def test_the_same_seed_hits_the_same_requests_and_another_seed_others() -> None:
    some = hits(Fault("kill", probability=0.3, seed=7), 200)
    assert some == hits(Fault("kill", probability=0.3, seed=7), 200)
    assert some != hits(Fault("kill", probability=0.3, seed=8), 200)
    assert 30 <= sum(some) <= 90


def test_a_fault_ends_after_its_times_or_its_time() -> None:
    assert hits(Fault("kill", times=2), 4) == [True, True, False, False]
    assert hits(Fault("answer", for_s=1.0), 4, step_s=0.5) == [True, True, False, False]


def test_starts_and_requests_have_faults_of_their_own() -> None:
    faults = Faults()
    for kind in ("slow-start", "stall"):
        faults.add(Fault.from_document({"fault": kind}), 0.0)
    assert [fault.fault for fault in faults.at_start(0.0)] == ["slow-start"]
    assert [fault.fault for fault in faults.at_request(0.0)] == ["stall"]
    assert [entry["hits"] for entry in faults.document()] == [1, 1]
    faults.clear()
    assert faults.at_request(0.0) == []


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"fault": "fire"}, "unknown fault 'fire': expected one of kill, stall"),
        ({"fault": "kill", "chance": 1}, "unknown chance: expected some of fault, probability"),
        ({}, "no fault is named"),
        ({"fault": "kill", "probability": 2}, "probability 2: expected 0 to 1"),
        ({"fault": "answer", "status": 200}, "status 200: expected 0 or more, and 400 to 599"),
    ],
)
def test_a_fault_that_cannot_be_is_told(document: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault.from_document(document)


def test_a_fault_is_written_in_one_word_on_the_command_line() -> None:
    assert parse("kill") == Fault("kill")
    assert parse("answer:status=429,for_s=1.5,seed=7") == Fault("answer", status=429, for_s=1.5, seed=7)
    with pytest.raises(ValueError, match=r"fault 'kill:soon': 'soon' is not name=number"):
        parse("kill:soon")


@pytest.fixture
def cleanup() -> Iterator[CleanupRegistry]:
    kept = CleanupRegistry()
    yield kept
    kept.close()


def test_a_quota_is_never_below_what_the_kernel_takes() -> None:
    assert quota(1.0) == (5_000, 5_000)
    assert quota(0.5) == (2_500, 5_000)
    assert quota(0.072) == (1_000, 13_889)


def test_version_1_limits_lie_in_both_hierarchies(tmp_path: Path, cleanup: CleanupRegistry) -> None:
    for name in ("cpu", "memory"):
        (tmp_path / name).mkdir()
    kernel = Version1(tmp_path / "cpu", tmp_path / "memory")
    Cgroup(kernel, "one", cleanup).create(vcpu=0.5, memory_mb=512)
    assert (tmp_path / "cpu" / "one" / "cpu.cfs_quota_us").read_text() == "2500\n"
    assert (tmp_path / "cpu" / "one" / "cpu.cfs_period_us").read_text() == "5000\n"
    assert int((tmp_path / "cpu" / "one" / "cpu.shares").read_text()) < 1024, "the front door comes first"
    assert (tmp_path / "memory" / "one" / "memory.limit_in_bytes").read_text() == "536870912\n"
    events = tmp_path / "memory" / "one" / "memory.oom_control"
    events.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert kernel.kills(kernel.folders("one")) == 2
    forget(cleanup, kernel)


def test_version_2_limits_lie_in_one_folder(tmp_path: Path, cleanup: CleanupRegistry) -> None:
    kernel = Version2(tmp_path)
    share = Cgroup(kernel, "one", cleanup)
    share.create(vcpu=0.25, memory_mb=128)
    assert (tmp_path / "one" / "cpu.max").read_text() == "1250 5000\n"
    assert int((tmp_path / "one" / "cpu.weight").read_text()) < 100, "the front door comes first"
    assert (tmp_path / "one" / "memory.max").read_text() == "134217728\n"
    assert not share.out_of_memory(), "nothing was killed where the kernel says nothing"
    forget(cleanup, kernel)


def forget(cleanup: CleanupRegistry, kernel: Version1 | Version2, name: str = "one") -> None:
    """Folders that stand for control groups hold real files: the cleanup process could not remove them."""
    for folder in kernel.folders(name):
        cleanup.release("cgroup", str(folder))


def test_where_control_groups_are_not_writable_shares_are_not_enforced(
    tmp_path: Path, cleanup: CleanupRegistry
) -> None:
    assert find_cgroup_version(cleanup, system=tmp_path / "nowhere", own="4:memory:/a\n1:cpu:/\n0::/\n") is None
    shares = Cgroups(None, cleanup)
    assert shares.description == "not enforced"
    assert shares.make(vcpu=1.0, memory_mb=512) is None


def test_a_scope_that_was_not_delegated_is_left_alone(
    tmp_path: Path, cleanup: CleanupRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = tmp_path / "user.slice"
    scope.mkdir()
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (scope / "cgroup.subtree_control").write_text("\n")
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert find_cgroup_version(cleanup, system=tmp_path, own="0::/user.slice\n") is None
    assert [path.name for path in scope.iterdir()] == ["cgroup.subtree_control"]
    assert (scope / "cgroup.subtree_control").read_text() == "\n"


def test_the_root_of_version_2_hands_the_controllers_down(
    tmp_path: Path, cleanup: CleanupRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    kernel = find_cgroup_version(cleanup, system=tmp_path, own="0::/user.slice/session.scope\n")
    assert isinstance(kernel, Version2)
    assert kernel.parent.parent == tmp_path
    assert (tmp_path / "cgroup.subtree_control").read_text() == "+cpu +memory\n"
    assert (kernel.parent / "cgroup.subtree_control").read_text() == "+cpu +memory\n"
    cleanup.release("cgroup", str(kernel.parent))
    forget(cleanup, kernel, f"tripoint-{os.getpid()}-try")


class OneFleet:
    """Answers in turn; what is None is refused."""

    def __init__(self, *answers: HttpAnswer | None) -> None:
        self.platform = _Platform()
        self.answers = list(answers)
        self.asked: list[HttpRequest] = []

    async def serve(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if answer is None:
            raise RequestRefused(Rejection("full"))
        return answer


class _Platform:
    full = HttpAnswer(429)
    failed = HttpAnswer(503)


class AllLater:
    """Accepts everything for later, and tries again at once what was refused."""

    def admit(self, request: HttpRequest, /) -> AdmissionDecision:
        return AdmissionDecision(HttpAnswer(202), later=request)

    def refuse(self, request: HttpRequest, refusal: Rejection, /) -> HttpAnswer | None:
        return None

    def retry_after_s(self, answer: HttpAnswer, attempts: int, /) -> float | None:
        return 0.0 if answer.status == 429 else None


def test_a_request_without_a_client_is_tried_until_it_is_served() -> None:
    async def play() -> tuple[int, int]:
        pool = OneFleet(None, None, HttpAnswer(200))
        front_door = FrontDoor(pool, AllLater())  # type: ignore[arg-type] # a pool's serving part is all that a door uses
        answer = await front_door.serve(HttpRequest("POST", "/"))
        while len(pool.asked) < 3:
            await asyncio.sleep(0)
        await front_door.close()
        return answer.status, len(pool.asked)

    assert asyncio.run(play()) == (202, 3)


class Impatient(AllLater):
    """Waits for a hundredth of a second."""

    def admit(self, request: HttpRequest, /) -> AdmissionDecision:
        return AdmissionDecision(patience=FrontTimeout(0.01, HttpAnswer(504)))


class SlowFleet:
    """Serves after `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        self.wait_s = wait_s
        self.served = 0

    async def serve(self, request: HttpRequest) -> HttpAnswer:
        await asyncio.sleep(self.wait_s)
        self.served += 1
        return HttpAnswer(200)


def test_a_front_door_that_will_not_wait_answers_itself_while_the_function_works_on() -> None:
    async def play(wait_s: float) -> tuple[int, int, int]:
        pool = SlowFleet(wait_s)
        front_door = FrontDoor(pool, Impatient())  # type: ignore[arg-type] # as above
        status, served = (await front_door.serve(HttpRequest("POST", "/"))).status, pool.served
        await asyncio.sleep(0.3)
        await front_door.close()
        return status, served, pool.served

    assert asyncio.run(play(0.1)) == (504, 0, 1)
    assert asyncio.run(play(0.0)) == (200, 1, 1)
    assert asyncio.run(play(60)) == (504, 0, 0), "what is still under way ends with the door"


def test_a_refused_request_gets_the_platforms_answer() -> None:
    async def play() -> int:
        front_door = FrontDoor(OneFleet(None), None)  # type: ignore[arg-type] # as above
        return (await front_door.serve(HttpRequest("POST", "/"))).status

    assert asyncio.run(play()) == 429
