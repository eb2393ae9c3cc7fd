"""The measurements: warm, cold, threads, memory. Subjects take turns in random order within every round."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.processes import BenchSubject, RunningSubject, output, running
from loadtests.record import machine

if TYPE_CHECKING:
    from bench.inputs import BenchInputs

    Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class SubjectTimes:
    """Seconds by subject, one for each round, and of a fixed piece of work; peak memory by subject in MB.

    The processor's seconds are kept for cold starts: they hold on a busy machine too.
    """

    by_subject: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    cpu_by_subject: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    spins_s: list[float] = field(default_factory=list)
    peak_mb: dict[str, float] = field(default_factory=dict)

    def add(self, other: SubjectTimes) -> None:
        """Take over the subjects of another measurement."""
        self.by_subject.update(other.by_subject)
        self.cpu_by_subject.update(other.cpu_by_subject)
        self.peak_mb.update(other.peak_mb)


def warm(
    subjects: Sequence[BenchSubject], material: BenchInputs, *, rounds: int, seed: int, progress: Progress
) -> SubjectTimes:
    """Every subject is up; in each round each of them answers the same image once."""
    found, dice = SubjectTimes(), random.Random(seed)
    with running(list(subjects), material.work) as up:
        for one in up:
            for number in range(min(10, material.images)):
                one.answer(number)
        for number in range(rounds):
            found.spins_s.append(machine.reference_work_s())
            for one in dice.sample(up, len(up)):
                found.by_subject[one.subject.name].append(one.answer(number % material.images))
            progress("warm", number + 1, rounds)
        for one in up:
            found.peak_mb[one.subject.name] = one.end()
    return found


def cold(
    subjects: Sequence[BenchSubject], material: BenchInputs, *, rounds: int, seed: int, progress: Progress
) -> SubjectTimes:
    """In each round each subject is started anew; the first start of each is not counted: it warms the page cache."""
    found, dice = SubjectTimes(), random.Random(seed)
    for number in range(-1, rounds):
        spin_s = machine.reference_work_s()
        for subject in dice.sample(list(subjects), len(subjects)):
            one = RunningSubject(subject, material.work)
            try:
                found.peak_mb[subject.name] = one.end()
            finally:
                one.kill()
            if number >= 0:
                found.by_subject[subject.name].append(one.cold_s)
                found.cpu_by_subject[subject.name].append(one.cold_cpu_s)
        if number >= 0:
            found.spins_s.append(spin_s)
        progress("cold", number + 1, rounds)
    return found


def run_threads(subject: BenchSubject, material: BenchInputs) -> list[dict[str, Any]]:
    """Throughput and latency of one instance by number of threads."""
    found: list[dict[str, Any]] = json.loads(output(subject, material.work))
    return found


def run_memory(subject: BenchSubject, material: BenchInputs) -> dict[str, Any]:
    """Resident memory after each further interpreter."""
    found: dict[str, Any] = json.loads(output(subject, material.work))
    return found
