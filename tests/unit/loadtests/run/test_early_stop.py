from __future__ import annotations

from random import Random

from loadtests.plan.targets import Target
from loadtests.record.sample import Sample, State
from loadtests.run.early_stop import FIRST_LOOK, EarlyStop
from loadtests.stats.stopping import StoppingRule

TARGETS = [Target(name, name, "none", "local", 128, "http://127.0.0.1:1/") for name in ("aws", "gcp")]


def samples(count: int, *, spread_ms: float, state: State = "warm", first: int = 0) -> list[Sample]:
    """`count` answers of each target, around 100 ms."""
    random = Random(first + 1)

    def sample(index: int, target: Target) -> Sample:
        done_s = 0.1 + random.random() * spread_ms / 1000
        return Sample(index, target.name, "w", "steady", 0.0, 0.0, done_s, "ok", state=state)

    return [sample(first + n, target) for n in range(count) for target in TARGETS]


def test_it_does_not_look_before_there_is_enough_to_see() -> None:
    watch = EarlyStop(StoppingRule(precision=0.05), TARGETS)
    watch.add(samples(FIRST_LOOK - 1, spread_ms=1))
    assert watch.check() is None


def test_it_stops_when_every_p95_is_known_well_enough() -> None:
    watch = EarlyStop(StoppingRule(precision=0.05), TARGETS)
    watch.add(samples(FIRST_LOOK, spread_ms=1))
    decision = watch.check()
    assert decision is not None
    assert decision.stop
    assert decision.precise


def test_it_goes_on_when_they_are_not_and_looks_again_later_only() -> None:
    watch = EarlyStop(StoppingRule(precision=0.001), TARGETS)
    watch.add(samples(FIRST_LOOK, spread_ms=400))
    decision = watch.check()
    assert decision is not None
    assert not decision.stop
    assert watch.check() is None
    watch.add(samples(FIRST_LOOK, spread_ms=400, first=1000))
    assert watch.check() is not None


def test_cold_answers_do_not_count_as_warm_ones() -> None:
    watch = EarlyStop(StoppingRule(precision=0.05), TARGETS)
    watch.add(samples(FIRST_LOOK, spread_ms=1, state="cold"))
    assert watch.check() is None


def test_the_limit_of_requests_stops_it_however_few_are_warm() -> None:
    watch = EarlyStop(StoppingRule(precision=0.05, requests_max=20), TARGETS)
    watch.add(samples(10, spread_ms=400))
    decision = watch.check()
    assert decision is not None
    assert decision.stop
    assert not decision.precise
    assert "20 requests were sent, the limit" in decision.reason
