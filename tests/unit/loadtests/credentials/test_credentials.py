"""Keys of closed targets on their way to the requests: ahead of time, in memory, renewed while a run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from adapters.deployment.request_auth import RequestAuth
from loadtests.credentials import provider as porters
from loadtests.credentials.credentials import Credentials
from loadtests.plan.payloads import Payload
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.run.preparation import PreparedRun
from loadtests.run.resources import RunResources
from loadtests.send import dispatcher as dispatching
from loadtests.send.dispatcher import AHEAD_S, Dispatcher
from loadtests.send.requester import Requester
from tests.paths import ROOT

if TYPE_CHECKING:
    from loadtests.record.sample import Sample

KEY = RequestAuth(fixed={"x-functions-key": "secret"}).text()


class FakeClock:
    """Stands still but for waits, and for what preparing costs."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Scripted(Dispatcher):
    """Waits by moving the clock on; requests are carried out when all are under way."""

    clock: FakeClock

    def wait(self, delay_s: float) -> bool:
        self.clock.now_s += max(delay_s, 0.0)
        return self._cut.is_set()


def play(monkeypatch: pytest.MonkeyPatch, *times: float, cost_s: float = 0.0, admitted: int = 99) -> list[str]:
    """What is done, in order, with the time of each; preparing one takes `cost_s`."""
    clock, log = FakeClock(), list[str]()
    monkeypatch.setattr(dispatching, "perf_counter", clock)

    def prepare(arrival: Arrival) -> None:
        log.append(f"{clock.now_s:.1f} prepare {arrival.index}")
        clock.now_s += cost_s

    each = Scripted(
        send=lambda arrival, due_s: log.append(f"{clock.now_s:.1f} send {arrival.index}"),
        drop=lambda arrival, due_s: log.append(f"drop {arrival.index}"),
        retire=lambda arrival: True,
        in_flight_max=99,
        prepare=prepare,
        admit=lambda arrival: arrival.index < admitted,
    )
    each.clock = clock
    arrivals = [Arrival(index, at_s, "a", "steady", 0) for index, at_s in enumerate(times)]
    each.play_open(arrivals, start_s=0.5)
    return log


def test_requests_of_one_moment_are_prepared_before_the_first_of_them_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    log = play(monkeypatch, 0, 0, 0, cost_s=0.1)
    assert log[:3] == ["0.0 prepare 0", "0.1 prepare 1", "0.2 prepare 2"]
    assert sorted(log[3:]) == ["0.5 send 0", "0.5 send 1", "0.5 send 2"]


def test_nothing_is_prepared_long_before_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signature holds for five minutes, and an idle gap may be longer."""
    log = play(monkeypatch, 0, 900)
    assert f"{900.5 - AHEAD_S:.1f} prepare 1" in log
    assert log.index("0.0 prepare 0") < log.index(f"{900.5 - AHEAD_S:.1f} prepare 1")


def test_when_there_is_no_time_each_is_prepared_in_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    log = play(monkeypatch, 0, 0, 0, cost_s=1.0)
    assert [line.split()[1] for line in log].index("send") >= 1
    for index in range(3):
        prepared = next(place for place, line in enumerate(log) if line.endswith(f"prepare {index}"))
        assert prepared < next(place for place, line in enumerate(log) if line.endswith(f"send {index}"))


def test_the_first_request_that_is_not_admitted_ends_the_phase(monkeypatch: pytest.MonkeyPatch) -> None:
    log = play(monkeypatch, 0, 1, 2, admitted=1)
    assert [line.split()[1:] for line in log if "send" in line] == [["send", "0"]]
    assert not any("drop" in line for line in log), "what was never tried is not a sample"


def test_a_cold_start_is_signed_for_after_the_retirement(monkeypatch: pytest.MonkeyPatch) -> None:
    log: list[str] = []

    def retire(arrival: Arrival) -> bool:
        log.append("retire")
        return True

    each = Dispatcher(
        send=lambda arrival, due_s: log.append("send"),
        drop=lambda arrival, due_s: log.append("drop"),
        retire=retire,
        in_flight_max=1,
        prepare=lambda arrival: log.append("prepare"),
    )
    each.play_serial([Arrival(0, 0.0, "a", "forced", 0)])
    assert log == ["retire", "prepare", "send"]


def test_a_request_carries_the_headers_of_its_own_target() -> None:
    sent: list[Mapping[str, str] | None] = []
    kept: list[Sample] = []
    requester = Requester(
        [Target("a", "azure", "flex-consumption", "eastus", 512, "http://127.0.0.1:9")],
        [Payload("0.png", b"image", "image/png")],
        worker="w",
        timeout_s=1.0,
        on_sample=kept.append,
        credentials=Credentials({"a": KEY}),
    )
    endpoint = requester._endpoints["a"]

    def post(body: bytes, *, content_type: str, headers: Mapping[str, str] | None = None) -> object:
        sent.append(headers)
        raise ConnectionRefusedError

    endpoint.post = post  # type: ignore[method-assign, assignment]
    arrival = Arrival(0, 0.0, "a", "steady", 0)
    requester.prepare(arrival)
    requester.send(arrival, 0.0)
    requester.send(arrival, 0.0)
    assert sent == [{"x-functions-key": "secret"}] * 2, "also when nobody prepared it"
    assert "secret" not in repr(kept)


def test_renewed_keys_replace_those_before_and_open_targets_need_none() -> None:
    keys = Credentials({"a": KEY})
    keys.refresh({"a": RequestAuth(fixed={"x-functions-key": "newer"}).text()})
    assert keys.headers("a", url="https://a", body=b"") == {"x-functions-key": "newer"}
    assert keys.headers("b", url="https://b", body=b"") == {}


def test_a_plan_shows_no_secret() -> None:
    @dataclass
    class Bell:
        keys: Credentials

    plan = PreparedRun({}, [], [], [], 0.0, RunResources(Bell(Credentials({"a": KEY}))))  # type: ignore[arg-type]
    assert "secret" not in repr(plan)


@dataclass
class FakeProvider:
    """Gives a new key each time, and retires but for what is stuck."""

    given: int = 0
    retired: list[str] = field(default_factory=list)
    cold_start_targets: tuple[str, ...] = ("a", "stuck")

    def auth_headers(self) -> Mapping[str, str]:
        self.given += 1
        return {"a": RequestAuth(fixed={"key": str(self.given)}).text()}

    def force_cold_start(self, target: str) -> None:
        if target == "stuck":
            raise RuntimeError("the platform is busy")
        self.retired.append(target)


CHILD = """
from gevent import monkey
monkey.patch_all()
import json, sys, gevent
from loadtests.credentials.channel import CredentialChannel
bell = CredentialChannel(int(sys.argv[1]))
renewed = gevent.event.Event()
bell.renewed = lambda texts: renewed.set()
done = [bell.force_cold_start(name) for name in ("a", "stuck", "a")]
renewed.wait(timeout=60)
print(json.dumps([sorted(bell.keys.cold_start_targets), done, bell.keys.headers("a", url="https://a", body=b"")]))
"""


def test_keys_reach_another_process_are_renewed_and_cold_starts_are_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(porters, "RENEW_EVERY_S", 1.0)
    held = FakeProvider()
    with porters.serve_credentials(held) as number:
        assert number is not None
        command = [sys.executable, "-c", CHILD, str(number)]
        done = subprocess.run(
            command, cwd=ROOT, pass_fds=[number], capture_output=True, text=True, timeout=120, check=True
        )
    retirable, retired, headers = json.loads(done.stdout)
    assert (retirable, retired, held.retired) == (["a", "stuck"], [True, False, True], ["a", "a"])
    assert int(headers["key"]) >= 2, "a newer one than at first"
    assert "the platform is busy" in done.stderr


def test_without_a_porter_there_is_no_socket_and_its_failure_is_told_before_anything_starts() -> None:
    with porters.serve_credentials(None) as number:
        assert number is None

    class Broken(FakeProvider):
        def auth_headers(self) -> Mapping[str, str]:
            raise RuntimeError("no credentials")

    with pytest.raises(RuntimeError, match="no credentials"), porters.serve_credentials(Broken()):
        pass
