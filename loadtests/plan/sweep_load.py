"""The load of a sweep: rounds of one forced cold start and some warm requests for every setting. Pure.

Each round gives every setting a new instance, so that the warm figures and the cost rest on as many instances as
there are rounds, and what drifts on the machine hits all settings alike.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loadtests.plan.scenarios import ROUND, SETTLE_RATE, build, sustainable_rate

if TYPE_CHECKING:
    from loadtests.plan.phases import Phase

ROUNDS_MIN, ROUNDS_MAX = 6, 12  # six instances carry a bootstrap, six cold starts an interval of their median
WARM_MIN, WARM_WANTED, WARM_MAX = 90, 240, 600  # of one setting; an interval of p95 takes 72
WARM_UP = 2  # at the start of each round, on top of what the settling takes
RATE_MAX = 8.0
SLOWEST_USE = 0.4  # of the slowest setting's time: above it, requests would meet and start instances of their own
RETIRE_MS = 150.0
BURST = 8  # to a deployed function, which cannot be forced: most of so many at once start cold


@dataclass(frozen=True, slots=True)
class Timing:
    """One target as a few requests found it, in ms: its first answer, its median warm one, and forcing a cold start.

    `retire_ms` is as long as a local cloud takes, where nobody measured it: real ones take seconds to a minute.
    """

    first_ms: float
    warm_ms: float
    retire_ms: float = RETIRE_MS


@dataclass(frozen=True, slots=True)
class SweepLoad:
    """`rounds` of: a cold start by force, `settle_s` of slow warm-up, `per_round` warm requests at `rate` a second.

    Without `forced` there is one round behind a burst. `pause_s`: what a round takes before its warm requests.
    """

    rounds: int
    per_round: int
    rate: float
    settle_s: float
    forced: bool
    pause_s: float = 0.0

    @property
    def round_s(self) -> float:
        """About how long one round takes."""
        return self.pause_s + (self.per_round + WARM_UP) / self.rate

    def phases(self) -> Sequence[Phase]:
        """What is sent, as a forecast of its cost takes it."""
        return [build(table, rate=self.rate, folder=Path()) for table in self._phases()]

    def scenario(self) -> str:
        """As a scenario file, for `loadtests.plan.scenarios.read_scenario`."""
        summary = f"{self.rounds} rounds for every setting: tripoint tune"
        tables = [f"summary = {json.dumps(summary)}\nrate_max = {self.rate:g}"]
        for table in self._phases():
            fields = "\n".join(f"{name} = {json.dumps(value)}" for name, value in table.items())
            tables.append(f"[[phases]]\n{fields}")
        return "\n\n".join(tables) + "\n"

    def _phases(self) -> Iterator[dict[str, Any]]:
        if not self.forced:
            yield {"kind": "bursts", "name": "burst", "bursts": 1, "size": BURST, "gap_s": 5.0}
        for number in range(1, self.rounds + 1):
            if self.forced:
                yield {"kind": "forced", "name": f"{ROUND}{number}: cold", "rounds": 1}
            if self.settle_s:
                slow = min(self.rate, SETTLE_RATE)
                count = ceil(self.settle_s * slow) + 1
                yield self._constant(f"{ROUND}{number}: settle", slow, count, warm_up=count)
            count = self.per_round + WARM_UP
            yield self._constant(f"{ROUND}{number}: warm", self.rate, count, warm_up=WARM_UP)

    def _constant(self, name: str, rate: float, count: int, *, warm_up: int) -> dict[str, Any]:
        return {"kind": "constant", "name": name, "rate": rate, "count": count, "warm_up": warm_up}


def largest(settle_s: float) -> SweepLoad:
    """No sweep sends more than this, however fast its targets are and however long it may take."""
    return SweepLoad(ROUNDS_MAX, WARM_MAX // ROUNDS_MAX, RATE_MAX, settle_s, forced=True)


def fit(timings: Mapping[str, Timing], *, budget_s: float, cpus: int, settle_s: float, forced: bool) -> SweepLoad:
    """The load that fits into `budget_s`: as many rounds as leave WARM_WANTED warm requests, at least the minimum.

    `settle_s`: how long a new instance keeps the extra processor time that its platform gives it at the start.
    """
    warm_ms = {name: timing.warm_ms for name, timing in timings.items()}
    slowest_s = max(warm_ms.values()) / 1000
    rate = sustainable_rate(warm_ms, cpus=cpus, rate_max=min(RATE_MAX, SLOWEST_USE / max(slowest_s, 1e-6)))
    rate = float(f"{rate:.3g}")
    if not forced:
        return SweepLoad(1, min(max(int(budget_s * rate), WARM_MIN), WARM_MAX), rate, 0.0, forced=False)
    pause_s = sum((timing.first_ms + timing.retire_ms) / 1000 for timing in timings.values()) + settle_s
    for rounds in range(ROUNDS_MAX, ROUNDS_MIN, -1):
        per_round = int((budget_s / rounds - pause_s) * rate) - WARM_UP
        if per_round * rounds >= WARM_WANTED:
            return SweepLoad(rounds, min(per_round, WARM_MAX // rounds), rate, settle_s, forced=True, pause_s=pause_s)
    per_round = int((budget_s / ROUNDS_MIN - pause_s) * rate) - WARM_UP
    per_round = max(per_round, ceil(WARM_MIN / ROUNDS_MIN))
    return SweepLoad(ROUNDS_MIN, per_round, rate, settle_s, forced=True, pause_s=pause_s)
