"""Faults on demand: named, bounded, and repeatable by seed. Pure: times come in, decisions go out.

kill           kill the instance `delay_s` after it was given the request
stall          stop the instance's processes for `delay_s` in the midst of the request
refuse-start   the instance does not start
slow-start     the instance starts `delay_s` later
answer         the platform answers `status` in place of the function
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

Kind = Literal["kill", "stall", "refuse-start", "slow-start", "answer"]
AT_START = ("refuse-start", "slow-start")
KINDS = ("kill", "stall", *AT_START, "answer")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, how likely (`probability`, by `seed`), at most how often (`times`), for how long (`for_s`)."""

    fault: Kind
    probability: float = 1.0
    seed: int = 0
    times: int | None = None
    for_s: float | None = None
    delay_s: float = 0.0
    status: int = 503

    def __post_init__(self) -> None:
        if self.fault not in KINDS:
            raise ValueError(f"unknown fault {self.fault!r}: expected one of {', '.join(KINDS)}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability {self.probability}: expected 0 to 1")
        if self.delay_s < 0 or not 400 <= self.status <= 599:
            raise ValueError(f"delay_s {self.delay_s}, status {self.status}: expected 0 or more, and 400 to 599")

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Fault:
        """Read one fault. Raises ValueError naming what is unknown or missing."""
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(document) - set(known)):
            raise ValueError(f"unknown {', '.join(unknown)}: expected some of {', '.join(known)}")
        if "fault" not in document:
            raise ValueError(f"no fault is named: expected fault = one of {', '.join(KINDS)}")
        return cls(**document)


def parse(text: str) -> Fault:
    """Read `kill` or `kill:probability=0.1,seed=7`, as the command line has it. Raises ValueError."""
    kind, _, rest = text.partition(":")
    document: dict[str, Any] = {"fault": kind}
    for pair in filter(None, rest.split(",")):
        name, _, value = pair.partition("=")
        try:
            document[name] = json.loads(value)
        except ValueError:
            raise ValueError(f"fault {text!r}: {pair!r} is not name=number") from None
    return Fault.from_document(document)


@dataclass(slots=True)
class _Active:
    fault: Fault
    random: random.Random
    until_s: float
    left: float
    hits: int = 0


@dataclass(slots=True)
class Faults:
    """The faults in force."""

    _active: list[_Active] = field(default_factory=list)

    def add(self, fault: Fault, now_s: float) -> None:
        """From now on `fault` happens."""
        until_s = float("inf") if fault.for_s is None else now_s + fault.for_s
        left = float("inf") if fault.times is None else fault.times
        self._active.append(_Active(fault, random.Random(fault.seed), until_s, left))

    def clear(self) -> None:
        """No more faults."""
        self._active.clear()

    def at_start(self, now_s: float) -> list[Fault]:
        """The faults that hit an instance that is about to start."""
        return [active.fault for active in self._active if active.fault.fault in AT_START and _hits(active, now_s)]

    def at_request(self, now_s: float) -> list[Fault]:
        """The faults that hit a request."""
        return [
            active.fault for active in self._active if active.fault.fault not in AT_START and _hits(active, now_s)
        ]

    def document(self) -> list[dict[str, Any]]:
        """The faults with how often each hit."""
        return [{**asdict(active.fault), "hits": active.hits} for active in self._active]


def _hits(active: _Active, now_s: float) -> bool:
    """Decide once; the n-th decision of a seed is always the same."""
    if now_s >= active.until_s or active.left <= 0:
        return False
    if active.random.random() >= active.fault.probability:
        return False
    active.left -= 1
    active.hits += 1
    return True
