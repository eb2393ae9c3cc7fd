"""Make the schedule before the run, from phases and a seed: when, to which target, with which payload. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from loadtests.plan.phases import Constant, Poisson

if TYPE_CHECKING:
    from collections.abc import Collection

    from loadtests.plan.phases import Phase, Stratum

LIGHT_EVERY = 5  # a target of a light load gets this part of the warm requests


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
    phases: Sequence[Phase],
    targets: Sequence[str],
    *,
    forcible: Sequence[str],
    images: int,
    seed: int,
    light: Collection[str] = (),
) -> list[Arrival]:
    """All requests of a run in order of phase and time; the same for the same arguments, on every machine.

    The n-th request of a phase carries the same image to every target. Cold starts are forced only on the
    `forcible` targets: those with a control plane. The `light` targets get forced cold starts as the others do, every
    LIGHT_EVERY-th of the counted warm requests, and nothing else.
    """
    arrivals: list[Arrival] = []
    for index, phase in enumerate(phases):
        random = Random(f"{seed}/{index}")
        pictures = shuffled_cycle(random, images)
        for at_s, target, ordinal in _due(phase, targets, forcible=forcible, light=light, random=random):
            stratum: Stratum = "warm-up" if ordinal < phase.warm_up else phase.stratum
            image = pictures[ordinal % images]
            arrivals.append(Arrival(len(arrivals), at_s, target, stratum, image, index))
    return arrivals


def _due(
    phase: Phase, targets: Sequence[str], *, forcible: Sequence[str], light: Collection[str], random: Random
) -> list[tuple[float, str, int]]:
    """What `interleave` gives, with the requests of light targets in the middle between those of the others."""
    if phase.loop == "serial":
        return interleave(phase, forcible, random=random)
    loaded = [target for target in targets if target not in light]
    found = interleave(phase, loaded, random=random)
    if not light or not isinstance(phase, Constant | Poisson):
        return found
    half_turn_s = 0.5 / phase.rate / max(len(loaded), 1)
    between = [
        (at_s + half_turn_s, target, ordinal)
        for at_s, target, ordinal in interleave(phase, sorted(light), random=random)
        if ordinal >= phase.warm_up and (ordinal - phase.warm_up) % LIGHT_EVERY == 0
    ]
    return sorted([*found, *between], key=lambda due: due[0])


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
