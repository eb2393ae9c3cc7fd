"""Schedules: when, to which target, with which image, made before the run; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loadtests.sample import Stratum


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request that a schedule wants.

    `index` is its place in the schedule, from 0; `at_s` is seconds after the run's start; `image` is a
    place in the run's image set, from 0.
    """

    index: int
    at_s: float
    target: str
    stratum: Stratum
    image: int
