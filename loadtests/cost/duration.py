"""The time that a plan bills: rounding, minimum, cold starts, and requests that share an instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

Interval = tuple[Decimal, Decimal]
_SHARING = ("none", "instance")
_MINIMUM_PER = ("request", "activity")


@dataclass(frozen=True, slots=True)
class DurationRule:
    """Time is rounded up to `step_ms` and is at least `minimum_ms`.

    `init_billed`: a cold start's initialisation is part of the time. `sharing` "instance": requests that
    overlap on one instance are billed once, as their union. `minimum_per` "activity": the minimum holds for
    a period in which the instance is active without a break, "request": for each request.
    """

    step_ms: Decimal = Decimal(1)
    minimum_ms: Decimal = Decimal(0)
    minimum_per: str = "request"
    init_billed: bool = False
    sharing: str = "none"

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> DurationRule:
        """Read a plan's `duration`. Raises ValueError for an unknown rule."""
        for key, known in (("sharing", _SHARING), ("minimum_per", _MINIMUM_PER)):
            if data.get(key, known[0]) not in known:
                raise ValueError(f"duration {key} {data[key]!r}: known rules are {', '.join(known)}")
        unknown = set(data) - {"step_ms", "minimum_ms", "minimum_per", "init_billed", "sharing"}
        if unknown:
            raise ValueError(f"duration has unknown rules {sorted(unknown)}")
        return cls(
            step_ms=Decimal(data.get("step_ms", 1)),
            minimum_ms=Decimal(data.get("minimum_ms", 0)),
            minimum_per=str(data.get("minimum_per", "request")),
            init_billed=bool(data.get("init_billed", False)),
            sharing=str(data.get("sharing", "none")),
        )

    def billed_ms(self, duration_ms: Decimal, init_ms: Decimal = Decimal(0)) -> Decimal:
        """Billed time of one request that is alone in its instance."""
        counted = duration_ms + init_ms if self.init_billed else duration_ms
        return max(self.round_up(counted), self.minimum_ms)

    def round_up(self, time_ms: Decimal) -> Decimal:
        """`time_ms` in whole steps."""
        return (time_ms / self.step_ms).to_integral_value(ROUND_CEILING) * self.step_ms

    def shared_ms(self, busy: Iterable[Interval]) -> Decimal:
        """Billed time of one instance that was busy in these intervals (start, end) in ms.

        Overlapping and touching intervals are one period. With a minimum per activity period, a request that
        starts while the minimum still runs belongs to the period. All together is no more than the time from the
        first start to the last end: no moment is billed twice.
        """
        floor = self.minimum_ms
        total, start, end, first = Decimal(0), None, Decimal(0), None
        for begin, finish in sorted(busy):
            first = begin if first is None else first
            if start is not None and begin <= end:
                end = max(end, finish)
                continue
            if start is not None:
                total += self.round_up(end - start)
            start, end = begin, max(finish, begin + floor)
        if start is None or first is None:
            return total
        return min(total + self.round_up(end - start), self.round_up(end - first))
