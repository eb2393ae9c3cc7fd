"""The grid of a sweep: memory sizes, concurrencies and architectures that each cloud's plan has. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

USUAL_MB = (512, 1024)  # with each cloud's default size: a quarter, a half and a whole vCPU, about


class SweepError(ValueError):
    """Nothing of what was asked for can be tried; the message says why."""


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """What was asked for; None: what each cloud has by default."""

    memory_mb: tuple[int, ...] | None = None
    concurrency: tuple[int, ...] | None = None
    architectures: tuple[str, ...] | None = None
    pythons: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class GridPoint:
    """One setting of one cloud, under the name that its target gets."""

    name: str
    cloud: str
    memory_mb: int
    concurrency: int
    architecture: str
    python: str = ""


@dataclass(frozen=True, slots=True)
class CloudOptions:
    """What one cloud offers: `[memory]` and `[platform]` of its cloud.toml, its plan's architectures, its Pythons."""

    cloud: str
    memory: Mapping[str, Any]
    platform: Mapping[str, Any]
    architectures: tuple[str, ...]
    pythons: tuple[str, ...] = ()


def grid_points(
    offers: Sequence[CloudOptions],
    wish: SweepRequest,
    *,
    machine: str | None = None,
    installed: Collection[str] | None = None,
) -> tuple[list[GridPoint], list[str]]:
    """Every setting to try, and in sentences what was changed or left out.

    A cloud that lacks a size gets its next larger one. `machine` is the architecture of the machine that runs local
    clouds: it cannot measure another one. `installed` are the Pythons that local clouds can run on here, None for
    deployed ones. Raises SweepError when nothing is left.
    """
    found: list[GridPoint] = []
    notes: list[str] = []
    for offer in offers:
        settings = product(
            _sizes(offer, wish.memory_mb, notes),
            _concurrency(offer, wish.concurrency, notes),
            _architectures(offer, wish.architectures, notes, machine=machine),
            _pythons(offer, wish.pythons, notes, installed=installed),
        )
        for memory_mb, places, architecture, python in settings:
            marks = [f"c{places}"] if wish.concurrency and len(wish.concurrency) > 1 else []
            marks += [architecture] if wish.architectures and len(wish.architectures) > 1 else []
            marks += [f"py{python}"] if wish.pythons and len(wish.pythons) > 1 else []
            name = "-".join([offer.cloud, str(memory_mb), *marks])
            found.append(GridPoint(name, offer.cloud, memory_mb, places, architecture, python))
    if not found:
        raise SweepError(f"nothing to try: {'; '.join(notes) or 'no cloud was named'}")
    return found, notes


def next_size(memory: Mapping[str, Any], asked_mb: int) -> int | None:
    """The smallest size on offer that has `asked_mb`; None where there is none so large."""
    if "sizes_mb" in memory:
        return min((int(size) for size in memory["sizes_mb"] if size >= asked_mb), default=None)
    step = int(memory["step_mb"])
    size = max(-(-asked_mb // step) * step, int(memory["minimum_mb"]))
    return size if size <= memory["maximum_mb"] else None


def usual_sizes(memory: Mapping[str, Any]) -> list[int]:
    """All sizes where there are few; else the usual ones and the default."""
    if "sizes_mb" in memory:
        return sorted(int(size) for size in memory["sizes_mb"])
    sizes = (next_size(memory, asked_mb) for asked_mb in (*USUAL_MB, int(memory["default_mb"])))
    return sorted({size for size in sizes if size is not None})


def _sizes(offer: CloudOptions, asked: Sequence[int] | None, notes: list[str]) -> list[int]:
    if asked is None:
        return usual_sizes(offer.memory)
    sizes: set[int] = set()
    for asked_mb in asked:
        size = next_size(offer.memory, asked_mb)
        if size is None:
            notes.append(f"{offer.cloud} has no {asked_mb} MB (at most {_largest(offer.memory)} MB): left out")
        elif size != asked_mb:
            notes.append(f"{offer.cloud} has no {asked_mb} MB: {size} MB, its next size, stands for it")
        sizes |= set() if size is None else {size}
    return sorted(sizes)


def _largest(memory: Mapping[str, Any]) -> int:
    return int(max(memory["sizes_mb"]) if "sizes_mb" in memory else memory["maximum_mb"])


def _concurrency(offer: CloudOptions, asked: Sequence[int] | None, notes: list[str]) -> list[int]:
    if asked is None:
        return [int(offer.platform["concurrency"])]
    most = int(offer.platform["concurrency_max"])
    too_many = [each for each in asked if each > most]
    if too_many:
        said = ", ".join(map(str, too_many))
        notes.append(f"an instance of {offer.cloud} serves at most {most} at a time: concurrency {said} left out")
    return sorted({each for each in asked if each <= most})


def _architectures(
    offer: CloudOptions, asked: Sequence[str] | None, notes: list[str], *, machine: str | None
) -> list[str]:
    if asked is None:
        return [offer.architectures[0]]
    chosen = [each for each in offer.architectures if each in asked]
    notes.extend(f"{offer.cloud}'s plan has no {each}: left out" for each in asked if each not in offer.architectures)
    if machine is None:
        return chosen
    notes.extend(_foreign(offer.cloud, (each for each in chosen if each != machine), machine))
    return [each for each in chosen if each == machine]


def _pythons(
    offer: CloudOptions, asked: Sequence[str] | None, notes: list[str], *, installed: Collection[str] | None
) -> list[str]:
    """The Pythons to try; "" for the one that local clouds or the cloud have by default."""
    if asked is None:
        return [""]
    found = []
    for python in asked:
        if python not in offer.pythons:
            notes.append(f"{offer.cloud} has no Python {python} ({', '.join(offer.pythons)}): left out")
        elif installed is not None and python not in installed:
            notes.append(
                f"{offer.cloud} with Python {python}: no environment has it here: left out; where that Python is "
                f"installed, `make setup PYTHON=python{python}` makes one"
            )
        else:
            found.append(python)
    return found


def _foreign(cloud: str, architectures: Iterator[str], machine: str) -> Iterator[str]:
    for each in architectures:
        yield f"{cloud} on {each}: this machine is {machine}: left out; measure a deployed one with --targets"
