"""The master and the workers of a run, with messages in memory instead of Locust, and functions as targets."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gevent
import pytest

from adapters.deployment.request_auth import RequestAuth
from loadtests.cost.budget import Budget, RequestPrice
from loadtests.credentials.credentials import Credentials
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.record.store import StoreError, open_store
from loadtests.run import idle_timeout, master
from loadtests.run.master import FAILED, STOPPED_EARLY, RunFailed
from loadtests.run.resources import RunResources
from loadtests.send import delivery, dispatcher, requester, worker
from loadtests.stats.stopping import StoppingDecision
from tests.kits.load import write_images
from tests.kits.messages import MASTER, FakeRun, FakeTargets, constant

if TYPE_CHECKING:
    from loadtests.record.sample import Sample
    from loadtests.record.store import Event


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits of milliseconds instead of seconds."""
    for module, name, value in (
        (master, "TICK_S", 0.005),
        (master, "HALT_WITHIN_S", 1.0),
        (dispatcher, "AHEAD_S", 0.05),
        (worker, "FLUSH_EVERY_S", 0.03),
        (worker, "PULSE_EVERY_S", 0.05),
        (worker, "START_DELAY_S", 0.01),
        (worker, "STOP_GRACE_S", 0.2),
        (delivery, "RESEND_AFTER_S", 0.3),
        (gc, "freeze", lambda: None),
    ):
        monkeypatch.setattr(module, name, value)


@pytest.fixture
def endpoints(monkeypatch: pytest.MonkeyPatch) -> FakeTargets:
    targets = FakeTargets()
    monkeypatch.setattr(requester, "HttpEndpoint", targets.endpoint)
    monkeypatch.setattr(idle_timeout, "HttpEndpoint", targets.endpoint)
    return targets


def contents(folder: Path) -> tuple[list[Sample], list[Event]]:
    with open_store(folder / "run") as store:
        return store.samples(), store.events()


def documents(events: Sequence[Event], kind: str) -> list[Any]:
    return [event.document for event in events if event.kind == kind]


def wait_until(condition: Callable[[], bool]) -> None:
    with gevent.Timeout(10):
        while not condition():
            gevent.sleep(0.002)


def test_every_scheduled_request_is_stored_once_by_the_worker_that_has_it(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    run = FakeRun(tmp_path, [{}], constant(40))
    run.play()
    samples, events = contents(tmp_path)
    assert run.exit_code == 0
    assert {sample.index: sample.worker for sample in samples} == {n: ("w1", "w2")[n % 2] for n in range(40)}
    assert len(samples) == endpoints.served == len(run.stored) == 40
    kinds = Counter(event.kind for event in events)
    assert (kinds["worker-started"], kinds["phase"], kinds["finished"]) == (2, 1, 1)
    assert kinds["pulse"] >= 1


def test_requests_keep_the_gaps_of_the_schedule_and_those_due_together_are_sent_together(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    endpoints.delay_s = 0.05
    offsets_s = [0.0, 0.0, 0.0, 0.0, 0.08, 0.09]
    arrivals = [Arrival(index, offset_s, "aws", "burst", index) for index, offset_s in enumerate(offsets_s)]
    FakeRun(tmp_path, [{}], arrivals, workers=["w1"]).play()
    samples, _ = contents(tmp_path)
    first_s = min(sample.intended_s for sample in samples)
    assert [sample.intended_s - first_s for sample in samples] == pytest.approx(offsets_s, abs=1e-6)
    assert endpoints.in_flight_most >= 4, "they do not wait for each other"


def test_a_worker_that_is_lost_is_named_and_what_it_had_not_delivered_is_counted(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    run = FakeRun(tmp_path, [{}, {}], [*constant(100), Arrival(100, 0.0, "aws", "steady", 0, 1)])
    run.master.start()
    wait_until(lambda: len(run.stored) >= 40)
    run.network.connected.remove("w1")
    assert run.over.wait(timeout=60)
    samples, events = contents(tmp_path)
    [lost] = [event for event in events if event.kind == "worker-lost"]
    by_worker = Counter(sample.worker for sample in samples)
    assert (lost.worker, lost.document["received"]) == ("w1", by_worker["w1"])
    missing = len(run.arrivals) - len(samples)
    assert missing == lost.document["assigned"] - by_worker["w1"] > 0
    assert missing == lost.document["undelivered"] + lost.document["unsent"]
    assert by_worker["w2"] == 51, "the other worker sends its whole share, and the next phase"
    assert run.exit_code == 0


def test_a_run_whose_workers_are_all_lost_fails_and_says_how_to_go_on(tmp_path: Path, endpoints: FakeTargets) -> None:
    run = FakeRun(tmp_path, [{}], constant(100), workers=["w1"])
    run.master.start()
    wait_until(lambda: len(run.stored) >= 20)
    run.network.connected.clear()
    assert run.over.wait(timeout=60)
    samples, events = contents(tmp_path)
    [failed] = documents(events, "failed")
    assert "resume the run with --resume" in failed["reason"]
    assert (run.exit_code, len(samples)) == (FAILED, len(run.stored))


@pytest.mark.parametrize("lost_name", ["samples", "ack"])
def test_a_batch_whose_message_or_confirmation_is_lost_is_delivered_again_and_stored_once(
    tmp_path: Path, endpoints: FakeTargets, lost_name: str
) -> None:
    run = FakeRun(tmp_path, [{}], constant(20), workers=["w1"])
    lost: list[str] = []

    def loses(sender: str, receiver: str, name: str) -> bool:
        if name == lost_name and len(lost) < 2:
            lost.append(name)
            return True
        return False

    run.network.loses = loses
    run.play()
    samples, _ = contents(tmp_path)
    assert len(lost) == 2
    assert [sample.index for sample in samples] == list(range(20))
    assert endpoints.served == len(run.stored) == 20


def test_an_interrupt_stores_what_was_measured_and_says_so(tmp_path: Path, endpoints: FakeTargets) -> None:
    run = FakeRun(tmp_path, [{}], constant(2000, gap_s=0.005))
    run.master.start()
    wait_until(lambda: len(run.stored) >= 20)
    run.master.interrupt("interrupted")
    samples, events = contents(tmp_path)
    assert documents(events, "interrupted") == [{"reason": "interrupted"}]
    assert 20 <= len(samples) == endpoints.served < 2000
    assert run.exit_code == STOPPED_EARLY
    run.master.interrupt("again")  # harmless


class StopAfter:
    """An EarlyStop that knows enough after some samples."""

    def __init__(self, count: int) -> None:
        self.left = count

    def add(self, samples: Sequence[Sample]) -> None:
        self.left -= len(samples)

    def check(self) -> StoppingDecision | None:
        return StoppingDecision(stop=True, reason="the limit is reached") if self.left <= 0 else None


def test_a_run_that_knows_enough_ends_its_phase_and_says_what_was_not_sent(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    run = FakeRun(tmp_path, [{}], constant(2000, gap_s=0.005), early_stop=StopAfter(30))  # type: ignore[arg-type]
    run.play()
    samples, events = contents(tmp_path)
    [enough] = documents(events, "enough")
    assert (enough["reason"], events[-1].kind, run.exit_code) == ("the limit is reached", "finished", 0)
    assert 30 <= len(samples) < 1000
    assert 0 < enough["unsent"] <= 2000 - 30


def price(usd: str) -> RequestPrice:
    zero = Decimal(0)
    return RequestPrice(Decimal(usd), zero, zero, zero, Decimal(1), zero, zero, zero, zero, True)


def test_a_run_ends_before_its_budget_can_be_passed_and_notes_what_it_cost(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    budget = RunResources(budget=Budget(Decimal("0.20"), {"aws": price("0.01")}))
    run = FakeRun(tmp_path, [{}, {}], [*constant(100), Arrival(100, 0, "aws", "steady", 0, 1)], resources=budget)
    run.play()
    samples, events = contents(tmp_path)
    assert len(samples) == endpoints.served <= 20
    assert len(samples) >= 10, "each worker sends its share of the budget, or the first to end it ends the run"
    [spent], [enough] = documents(events, "spent"), documents(events, "enough")
    assert spent == {"cap_usd": 0.2, "spent_usd": pytest.approx(0.01 * len(samples)), "exhausted": True}
    assert "budget of 0.2 USD" in enough["reason"]
    assert enough["unsent"] == 101 - len(samples)
    assert len(documents(events, "phase")) == 1


def test_forced_cold_starts_are_sent_one_after_another_each_after_its_retirement(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    target = Target("aws", "aws", "none", "local", 128, "http://aws/", control="http://aws/control")
    arrivals = [Arrival(index, 0.0, "aws", "forced", index) for index in range(3)]
    FakeRun(tmp_path, [{"loop": "serial"}], arrivals, targets=[target]).play()
    assert [url for url, _ in endpoints.calls] == ["http://aws/control/retire", "http://aws/"] * 3
    assert endpoints.in_flight_most == 1
    samples, _ = contents(tmp_path)
    assert [(sample.stratum, sample.outcome, sample.worker) for sample in samples] == [("forced", "ok", "w1")] * 3


def test_a_cold_start_that_could_not_be_forced_is_dropped_and_recorded(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    endpoints.retires = False
    target = Target("aws", "aws", "none", "local", 128, "http://aws/", control="http://aws/control")
    FakeRun(tmp_path, [{"loop": "serial"}], [Arrival(0, 0.0, "aws", "forced", 0)], targets=[target]).play()
    samples, _ = contents(tmp_path)
    assert [(sample.outcome, sample.error) for sample in samples] == [("dropped", "retire_failed")]
    assert endpoints.served == 0


class FakeCredentialChannel:
    """Has the members of `CredentialChannel` that a run uses."""

    def __init__(self) -> None:
        self.keys = Credentials({"aws": RequestAuth(fixed={"key": "1"}).text()}, cold_start_targets=["aws"])
        self.forced: list[str] = []
        self.renewed: Callable[[dict[str, str]], None] = lambda texts: None

    def force_cold_start(self, target: str) -> bool:
        self.forced.append(target)
        return True


def test_closed_targets_get_their_credentials_new_ones_too_and_the_provider_forces_cold_starts(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    channel = FakeCredentialChannel()
    arrivals = [Arrival(0, 0.0, "aws", "forced", 0), *(Arrival(n, n * 0.05, "aws", "steady", 0, 1) for n in (1, 8))]
    resources = RunResources(channel)  # type: ignore[arg-type]
    run = FakeRun(tmp_path, [{"loop": "serial"}, {}], arrivals, workers=["w1"], resources=resources)
    run.master.start()
    wait_until(lambda: endpoints.served == 2)
    channel.renewed({"aws": RequestAuth(fixed={"key": "2"}).text()})
    assert run.over.wait(timeout=60)
    assert channel.forced == ["aws"]
    assert [headers.get("key") for headers in endpoints.headers] == ["1", "1", "2"]


def test_users_send_only_in_a_closed_loop_phase_and_no_index_is_used_twice(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    endpoints.delay_s = 0.01
    phases = [{}, {"loop": "closed", "think_s": 0.005, "duration_s": 0.3}]
    run = FakeRun(tmp_path, phases, constant(4))
    users = [gevent.spawn(send_for_ever, each) for each in run.workers.values() for _ in range(2)]
    run.play()
    gevent.killall(users)
    samples, _ = contents(tmp_path)
    closed = [sample for sample in samples if sample.index >= 4]
    assert {sample.worker for sample in closed} == {"w1", "w2"}
    assert {sample.index % 2 for sample in closed if sample.worker == "w1"} == {0}
    assert len({sample.index for sample in samples}) == len(samples) == endpoints.served
    assert 4 <= len(closed) <= 4 * 30, "each of four users waits at least 10 ms for each answer"
    assert endpoints.in_flight_most <= 4


def send_for_ever(one: worker.Worker) -> None:
    while True:
        one.send_next()


def test_more_requests_than_may_be_in_flight_are_dropped_and_counted(tmp_path: Path, endpoints: FakeTargets) -> None:
    endpoints.delay_s = 0.1
    FakeRun(tmp_path, [{}], constant(10, gap_s=0.0), workers=["w1"], in_flight_max=4).play()
    samples, _ = contents(tmp_path)
    outcomes = Counter((sample.outcome, sample.error) for sample in samples)
    assert outcomes == {("ok", None): 4, ("dropped", "in_flight_limit"): 6}
    assert endpoints.served == 4


def test_a_request_without_an_answer_in_time_is_a_timeout(tmp_path: Path, endpoints: FakeTargets) -> None:
    endpoints.hangs = True
    FakeRun(tmp_path, [{}], constant(3)).play()
    samples, _ = contents(tmp_path)
    assert [(sample.outcome, sample.done_s) for sample in samples] == [("timeout", None)] * 3
    assert all("0.5 s" in str(sample.error) for sample in samples)


def test_a_worker_with_other_images_fails_the_run_and_says_so(
    tmp_path: Path, endpoints: FakeTargets, caplog: pytest.LogCaptureFixture
) -> None:
    run = FakeRun(tmp_path, [{}], constant(10), workers=["w1"])
    others = write_images(tmp_path / "others")
    (others / "2.png").unlink()
    run.connect("w2", others)
    run.play()
    assert (run.exit_code, endpoints.served) == (FAILED, 0)
    assert "worker w2" in caplog.text
    assert "holds other images than the master's folder" in caplog.text


def test_a_store_that_cannot_be_written_fails_the_run(
    tmp_path: Path, endpoints: FakeTargets, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*_: object) -> int:
        raise StoreError("cannot write the store: free some space")

    run = FakeRun(tmp_path, [{}], constant(50))
    monkeypatch.setattr(run.store, "append", refuse)
    run.play()
    assert run.exit_code == FAILED
    assert "cannot write" in caplog.text


@pytest.mark.parametrize("error_class", [RunFailed, StoreError])
def test_a_run_that_cannot_be_opened_fails_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error_class: type[Exception]
) -> None:
    run = FakeRun(tmp_path, [{}], [])

    def fail() -> Any:
        raise error_class("the folder exists already")

    run.master._open_run = fail
    run.play()
    run.store.close()
    assert run.exit_code == FAILED
    assert "tripoint: the folder exists already" in caplog.text


def test_a_run_ends_when_the_process_that_started_it_is_gone(
    tmp_path: Path, endpoints: FakeTargets, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = FakeRun(tmp_path, [{}], constant(2000, gap_s=0.005), parent_pid=os.getppid())
    run.master.start()
    wait_until(lambda: len(run.stored) >= 10)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    assert run.over.wait(timeout=60)
    _, events = contents(tmp_path)
    assert documents(events, "failed") == [{"reason": master.PARENT_GONE}]


def test_an_idle_timeout_is_set_for_its_phase_and_a_target_without_a_control_plane_is_noted(
    tmp_path: Path, endpoints: FakeTargets
) -> None:
    targets = [
        Target("aws", "aws", "none", "local", 128, "http://aws/", control="http://aws/control"),
        Target("gcp", "gcp", "none", "local", 128, "http://gcp/"),
    ]
    FakeRun(tmp_path, [{"idle_life_s": 0.4}], constant(2), targets=targets).play()
    _, events = contents(tmp_path)
    assert [url for url, _ in endpoints.calls].count("http://aws/control/settings") == 2
    assert documents(events, "idle-life-not-set")[0] == {"targets": ["gcp"], "idle_life_s": 0.4}


def test_the_workers_hear_of_each_phase_only_after_their_share(tmp_path: Path, endpoints: FakeTargets) -> None:
    run = FakeRun(tmp_path, [{}], constant(4), workers=["w1"])
    run.play()
    names = [name for sender, _, name in run.network.sent if sender == MASTER and name in ("begin", "share", "go")]
    assert names == ["begin", "share", "go"]
