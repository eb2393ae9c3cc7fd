"""Make the schedule before the run, from phases and a seed: when, to which target, with which payload. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.plan.phases import Phase, Stratum


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that a schedule wants.

    `index` is its position in the schedule, `offset_s` its seconds after the start of its phase, `phase` the index of
    that phase in the run, and `image` an index into the run's image set. All indexes start at 0.
    """

    index: int
    offset_s: float
    target: str
    stratum: Stratum
    image: int
    phase: int = 0


def schedule(
    phases: Sequence[Phase], targets: Sequence[str], *, forcible: Sequence[str], images: int, seed: int
) -> list[Arrival]:
    """All requests of a run in order of phase and time; the same for the same arguments, on every machine.

    The n-th request of a phase carries the same image to every target. Cold starts are forced only on the
    `forcible` targets: those with a control plane.
    """
    arrivals: list[Arrival] = []
    for index, phase in enumerate(phases):
        random = Random(f"{seed}/{index}")
        pictures = shuffled_cycle(random, images)
        reached = forcible if phase.loop == "serial" else targets
        for at_s, target, ordinal in interleave(phase, reached, random=random):
            stratum: Stratum = "warm-up" if ordinal < phase.warm_up else phase.stratum
            image = pictures[ordinal % images]
            arrivals.append(Arrival(len(arrivals), at_s, target, stratum, image, index))
    return arrivals


def interleave(phase: Phase, targets: Sequence[str], *, random: Random) -> list[tuple[float, str, int]]:
    """(due time, target, ordinal within the target) of one phase, in order of time.

    See `loadtests.plan.phases.Interleaving`: with "random" no target always follows the same other one.
    """
    if phase.interleaving == "independent":
        drawn = {target: phase.offsets_s(random) for target in targets}
        every = [(at_s, target, n) for target, times in drawn.items() for n, at_s in enumerate(times)]
        return sorted(every, key=lambda due: (due[0], random.random()))  # of those due together, none is always first
    moments = Counter(phase.offsets_s(random))  # a burst is several requests at one moment
    times = list(moments)
    found: list[tuple[float, str, int]] = []
    ordinal = 0
    for index, at_s in enumerate(times):
        turn_s = gap_after(times, index) / max(len(targets), 1)
        if index == 0 or phase.interleaving == "random":
            order = random.sample(list(targets), len(targets))
        for turn, target in enumerate(order):
            found.extend((at_s + turn * turn_s, target, ordinal + n) for n in range(moments[at_s]))
        ordinal += moments[at_s]
    return found


def gap_after(times: Sequence[float], ordinal: int) -> float:
    """Seconds to the next due time; after the last, what was before it; 0 for a single one."""
    if ordinal + 1 < len(times):
        return times[ordinal + 1] - times[ordinal]
    return times[ordinal] - times[ordinal - 1] if ordinal else 0.0


def shuffled_cycle(random: Random, count: int) -> list[int]:
    """The numbers 0..count-1 in random order."""
    return random.sample(range(count), count)


def split(arrivals: Sequence[Arrival], workers: int) -> list[list[Arrival]]:
    """Shares of `arrivals` for that many workers, by index."""
    shares: list[list[Arrival]] = [[] for _ in range(workers)]
    for arrival in arrivals:
        shares[arrival.index % workers].append(arrival)
    return shares
