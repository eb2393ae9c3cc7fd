"""The instance time of a steady stream of requests that share instances. Pure.

A model for questions without a run: requests arrive at random (Poisson) at a steady rate, spread evenly over
as few instances as keep the use of each under `USE`. An instance is busy from a request's arrival until none
is left: see `busy_period`. Each busy period is rounded up, as the plan's rule says.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import TYPE_CHECKING

from loadtests.cost.busy_period import BusyPeriod

if TYPE_CHECKING:
    from loadtests.cost.duration import DurationRule

USE = Decimal("0.6")  # Cloud Run scales to this use of its concurrency; cloud.google.com/run, read 2026-11-20
MOST_SERVERS = 1000
_ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class Stream:
    """`requests` of `duration_ms` that arrive at `rate_per_s`, at most `concurrency` at a time in an instance."""

    requests: Decimal
    duration_ms: Decimal
    rate_per_s: Decimal
    concurrency: int

    @property
    def instances(self) -> Decimal:
        """Instances that serve the stream, at least one."""
        in_flight = self.rate_per_s * self.duration_ms / 1000
        return max((in_flight / (self.concurrency * USE)).to_integral_value(ROUND_CEILING), _ONE)


def shared_instance_s(rule: DurationRule, stream: Stream) -> Decimal:
    """Billed instance-seconds of a stream under a rule that bills overlapping requests once.

    Never more than if each request were alone, and equal to that for one request at a time without a minimum
    for the activity period.
    """
    if not stream.requests or not stream.rate_per_s:
        return stream.requests * rule.billed_ms(stream.duration_ms) / 1000
    alone_s = stream.requests * rule.round_up(stream.duration_ms) / 1000
    if stream.concurrency == 1:
        return max(alone_s, _active_s(rule, stream, overlap=False))
    return _active_s(rule, stream, overlap=True)


def _active_s(rule: DurationRule, stream: Stream, *, overlap: bool) -> Decimal:
    """Billed time of activity periods: each is rounded up, lasts the minimum, or longer while requests arrive."""
    duration_s, rate = stream.duration_ms / 1000, stream.rate_per_s / stream.instances
    month_s = stream.requests / stream.rate_per_s
    floor_s = rule.minimum_ms / 1000 if rule.minimum_per == "activity" else Decimal(0)
    if not overlap:
        least_s = rule.billed_ms(stream.duration_ms) / 1000
        active = rate * least_s
        return stream.instances * month_s * active / (active + 1)
    period = BusyPeriod(float(rate), float(duration_s), float(floor_s))
    billed_s = period.rounded_mean_s(float(rule.step_ms) / 1000)
    share = min(billed_s / (period.mean_s + 1 / period.rate), 1.0)  # rounded periods may meet: no more than the clock
    return stream.instances * month_s * Decimal(repr(share))


def overflow_share(load: Decimal, servers: Decimal) -> Decimal:
    """Share of random arrivals that find all `servers` busy at a mean load of `load` requests in flight.

    Erlang's loss formula (Erlang B), by its usual recursion over the servers; above `MOST_SERVERS` its limit
    for large systems, in which only the load that exceeds the servers is lost.
    """
    if servers > MOST_SERVERS:
        return max(_ONE - servers / load, Decimal(0)) if load else Decimal(0)
    blocked = _ONE
    for count in range(1, int(servers) + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked
