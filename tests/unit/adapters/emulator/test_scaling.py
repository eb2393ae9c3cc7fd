"""The scaling rule, event by event."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.emulator.idle_life import IdleLife
from adapters.emulator.scaling import Action, Assign, Refuse, Rules, Scaling, Start, Stop

BOUND = Rules(bound=True, max_instances=2, idle_life=IdleLife.fixed(60.0))
QUEUED = Rules(queue_length=10, queue_wait_s=10.0, max_instances=2, idle_life=IdleLife.fixed(60.0))


def test_a_request_without_a_free_instance_starts_one_and_waits_for_it() -> None:
    rule = Scaling(BOUND)
    assert rule.arrive(1, 0.0) == [Start(1, "request", 1)]
    assert rule.ready(1, 0.5) == [Assign(1, 1, waited=True)]


def test_a_free_instance_is_used_again_and_its_request_does_not_wait() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    assert rule.done(1, 0.6) == []
    assert rule.arrive(2, 0.7) == [Assign(2, 1, waited=False)]


def test_a_bound_request_waits_for_its_own_instance_even_when_another_becomes_free() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    assert rule.arrive(2, 0.6) == [Start(2, "request", 2)]
    assert rule.done(1, 0.7) == []
    assert rule.ready(2, 1.0) == [Assign(2, 2, waited=True)]


def test_a_queued_request_takes_the_first_free_instance_and_the_new_one_stays_unused() -> None:
    rule = Scaling(QUEUED)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    assert rule.arrive(2, 0.6) == [Start(2, "request", 2)]
    assert rule.done(1, 0.7) == [Assign(2, 1, waited=False)]
    assert rule.ready(2, 1.0) == []
    assert rule.arrive(3, 1.1) == [Assign(3, 2, waited=False)]


def test_a_request_that_lay_unread_since_before_the_instance_was_ready_did_wait_for_it() -> None:
    rule = Scaling(QUEUED)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    rule.done(1, 0.6)
    assert rule.arrive(2, 0.7, since_s=0.45) == [Assign(2, 1, waited=True)]


def test_at_the_maximum_a_platform_without_a_queue_refuses_at_once() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    rule.arrive(2, 0.0)
    assert rule.arrive(3, 0.0) == [Refuse(3, "full")]


def test_at_the_maximum_a_queue_holds_requests_until_they_have_waited_too_long() -> None:
    rule = Scaling(QUEUED)
    for request in (1, 2):
        rule.arrive(request, 0.0)
        rule.ready(request, 0.1)
    assert rule.arrive(3, 1.0) == []
    assert rule.tick(10.9) == []
    assert rule.tick(11.0) == [Refuse(3, "queue")]


def test_who_waits_for_an_instance_that_is_starting_is_not_refused_for_its_slowness() -> None:
    rule = Scaling(QUEUED)
    rule.arrive(1, 0.0)
    assert rule.tick(100.0) == []
    assert rule.ready(1, 101.0) == [Assign(1, 1, waited=True)]


def test_a_full_queue_refuses() -> None:
    rule = Scaling(Rules(queue_length=1, max_instances=1))
    rule.arrive(1, 0.0)
    rule.ready(1, 0.1)
    assert rule.arrive(2, 0.2) == []
    assert rule.arrive(3, 0.2) == [Refuse(3, "full")]


def test_an_instance_serves_as_many_requests_at_once_as_its_concurrency() -> None:
    rule = Scaling(Rules(concurrency=2, queue_length=10))
    assert rule.arrive(1, 0.0) == [Start(1, "request", 1)]
    assert rule.arrive(2, 0.0) == [], "the second has a place in the instance that is starting"
    assert rule.arrive(3, 0.0) == [Start(2, "request", 3)]
    assert rule.ready(1, 0.5) == [Assign(1, 1, waited=True), Assign(2, 1, waited=True)]


def test_an_instance_is_started_ahead_when_more_than_the_target_is_in_use() -> None:
    rule = Scaling(Rules(concurrency=10, queue_length=10, target_use=0.6, max_instances=5))
    rule.arrive(1, 0.0)
    rule.ready(1, 0.1)
    actions: list[Action] = []
    for request in range(2, 8):
        actions += rule.arrive(request, 0.2)
    assert [action for action in actions if isinstance(action, Start)] == [Start(2, "ahead", None)]


def test_no_more_instances_start_in_a_window_than_the_rate_allows() -> None:
    rule = Scaling(Rules(bound=True, starts_per_window=2, window_s=10.0))
    assert [type(rule.arrive(request, 0.0)[0]) for request in (1, 2, 3)] == [Start, Start, Refuse]
    assert rule.arrive(4, 9.9) == [Refuse(4, "full")]
    assert isinstance(rule.arrive(5, 10.0)[0], Start)


def test_idle_instances_end_after_their_idle_life_and_not_before() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    rule.done(1, 1.0)
    assert rule.tick(60.9) == []
    assert rule.tick(61.0) == [Stop(1, "idle")]


def test_the_instance_used_last_is_used_first_so_that_others_can_end() -> None:
    rule = Scaling(BOUND)
    for request in (1, 2):
        rule.arrive(request, 0.0)
    rule.ready(1, 0.5)
    rule.ready(2, 0.6)
    rule.done(2, 1.0)
    rule.done(1, 2.0)
    assert rule.arrive(3, 3.0) == [Assign(3, 1, waited=False)]


def test_the_minimum_is_started_before_any_request_and_never_reaped() -> None:
    rule = Scaling(Rules(bound=True, min_instances=1, idle_life=IdleLife.fixed(1.0)))
    assert rule.tick(0.0) == [Start(1, "minimum", None)]
    assert rule.ready(1, 0.5) == []
    assert rule.arrive(1, 0.6) == [Assign(1, 1, waited=False)]
    rule.done(1, 0.7)
    assert rule.tick(100.0) == []


def test_a_new_version_ends_free_instances_and_lets_busy_ones_finish() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    rule.arrive(2, 0.6)
    rule.ready(2, 0.7)
    rule.done(1, 0.8)
    assert rule.retire(0.9) == [Stop(1, "retired")]
    assert rule.done(2, 1.0) == [Stop(2, "retired")]
    assert rule.arrive(3, 1.1) == [Start(3, "request", 3)]


def test_a_request_that_waits_when_the_version_changes_is_served_by_the_instance_started_for_it() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    assert rule.retire(0.1) == []
    assert rule.ready(1, 0.5) == [Assign(1, 1, waited=True)]
    assert rule.done(1, 0.6) == [Stop(1, "retired")]


def test_queued_requests_wait_for_the_new_version_when_it_changes() -> None:
    rule = Scaling(QUEUED)
    rule.arrive(1, 0.0)
    assert rule.retire(0.1) == [Stop(1, "retired"), Start(2, "request", 1)]
    assert rule.ready(2, 0.5) == [Assign(1, 2, waited=True)]


def test_who_waited_for_an_instance_that_did_not_start_is_told() -> None:
    bound, queued = Scaling(BOUND), Scaling(QUEUED)
    bound.arrive(1, 0.0)
    queued.arrive(1, 0.0)
    assert bound.gone(1, 1.0) == [Refuse(1, "start")]
    assert queued.gone(1, 1.0) == [Refuse(1, "start")]


def test_the_request_of_a_lost_instance_is_finished_by_its_caller_and_the_next_starts_another() -> None:
    rule = Scaling(BOUND)
    rule.arrive(1, 0.0)
    rule.ready(1, 0.5)
    assert rule.gone(1, 0.6) == []
    assert rule.done(1, 0.6) == []
    assert rule.arrive(2, 0.7) == [Start(2, "request", 2)]


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    return Rules(
        concurrency=draw(st.integers(1, 4)),
        max_instances=draw(st.integers(1, 5)),
        min_instances=draw(st.integers(0, 2)),
        idle_life=IdleLife.fixed(draw(st.floats(0.5, 20))),
        bound=draw(st.booleans()),
        queue_length=draw(st.integers(0, 10)),
        queue_wait_s=draw(st.floats(0.5, 20)),
        target_use=draw(st.floats(0.3, 1)),
        starts_per_window=draw(st.integers(1, 5)),
    )


KINDS = st.sampled_from(["arrive", "ready", "done", "gone", "retire", "tick"])


@settings(deadline=None)
@given(rules(), st.lists(st.tuples(KINDS, st.integers(0, 99))))
def test_every_request_is_decided_once_and_no_instance_is_overfull(
    rule: Rules, events: list[tuple[str, int]]
) -> None:
    """Drive the rule with any sequence of events that can happen, then to its end."""
    scaling, world = Scaling(rule), World(rule)
    for step, (kind, choice) in enumerate(events):
        world.play(scaling, kind, choice, float(step))
    now_s = float(len(events))
    for _ in range(200):
        now_s += 1.0
        world.play(scaling, "tick", 0, now_s)
        for kind in ("ready", "done"):
            world.play(scaling, kind, 0, now_s)
    assert world.decided == set(range(1, world.requests + 1))


class World:
    """What really runs while the rule decides; it fails on a decision that cannot be carried out."""

    def __init__(self, rule: Rules) -> None:
        self.rule = rule
        self.requests = 0
        self.decided: set[int] = set()
        self.starting: list[int] = []
        self.running: list[int] = []
        self.serving: dict[int, int] = {}

    def play(self, scaling: Scaling, kind: str, choice: int, now_s: float) -> None:
        match kind:
            case "arrive":
                self.requests += 1
                self.apply(scaling.arrive(self.requests, now_s))
            case "ready" if self.starting:
                self.running.append(instance := self.starting.pop(choice % len(self.starting)))
                self.apply(scaling.ready(instance, now_s))
            case "done" if self.serving:
                request = list(self.serving)[choice % len(self.serving)]
                del self.serving[request]
                self.apply(scaling.done(request, now_s))
            case "gone" if alive := self.starting + self.running:
                lost = alive[choice % len(alive)]
                (self.starting if lost in self.starting else self.running).remove(lost)
                self.apply(scaling.gone(lost, now_s))
                for request in [request for request, instance in self.serving.items() if instance == lost]:
                    del self.serving[request]
                    self.apply(scaling.done(request, now_s))
            case "retire":
                self.apply(scaling.retire(now_s))
            case "tick":
                self.apply(scaling.tick(now_s))

    def apply(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case Start():
                    self.starting.append(action.instance)
                    assert len(self.starting) + len(self.running) <= self.rule.max_instances
                case Assign():
                    assert action.instance in self.running
                    self.decide(action.request)
                    self.serving[action.request] = action.instance
                    busy = sum(instance == action.instance for instance in self.serving.values())
                    assert busy <= self.rule.concurrency
                case Refuse():
                    self.decide(action.request)
                case Stop():
                    assert action.instance not in self.serving.values()
                    (self.starting if action.instance in self.starting else self.running).remove(action.instance)

    def decide(self, request: int) -> None:
        assert request not in self.decided
        self.decided.add(request)


def idle_ends(rules: Rules, *, instances: int, seed: int, until_s: float) -> list[float]:
    """When idle instances end, all of which became idle at 0, in ticks of a second."""
    rule = Scaling(replace(rules, max_instances=instances), seed=seed)
    for request in range(instances):
        (start,) = rule.arrive(request, 0.0)
        assert isinstance(start, Start)
        rule.ready(start.instance, 0.0)
    for request in range(instances):
        rule.done(request, 0.0)
    ends = []
    for second in range(1, int(until_s) + 1):
        ends += [float(second) for each in rule.tick(float(second)) if isinstance(each, Stop)]
    return ends


def test_idle_instances_end_by_the_curve_that_is_drawn_by_the_seed() -> None:
    curve = IdleLife(((60.0, 1.0), (120.0, 0.4), (300.0, 0.0)))
    rules = Rules(bound=True, idle_life=curve)
    ends = idle_ends(rules, instances=400, seed=1, until_s=301)
    assert len(ends) == 400
    for at_s in (30.0, 60.0, 90.0, 120.0, 210.0):
        alive = sum(end > at_s for end in ends) / 400
        assert alive == pytest.approx(curve.survival(at_s), abs=0.08), at_s
    assert ends == idle_ends(rules, instances=400, seed=1, until_s=301)
    assert ends != idle_ends(rules, instances=400, seed=2, until_s=301)


def test_instances_that_halve_leave_half_each_time_and_a_single_one_ends_the_first_time() -> None:
    rules = Rules(bound=True, idle_life=IdleLife(halves_every_s=100.0))
    ends = idle_ends(rules, instances=20, seed=0, until_s=600)
    assert [sum(end > at_s for end in ends) for at_s in (99, 110, 210, 310, 410, 510)] == [20, 10, 5, 2, 1, 0]
    for seed in range(3):
        assert idle_ends(rules, instances=1, seed=seed, until_s=300) == [100.0]


def test_more_requests_a_second_than_the_platform_takes_are_refused() -> None:
    rule = Scaling(Rules(bound=True, requests_per_s=3))
    said = [rule.arrive(request, 0.1 * request)[0] for request in range(5)]
    assert [isinstance(each, Refuse) and each.why == "rate" for each in said] == [False, False, False, True, True]
    assert not isinstance(rule.arrive(9, 1.05)[0], Refuse), "the first has left the second"
