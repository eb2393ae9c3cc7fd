"""Options of a local cloud, over the defaults of its cloud.toml: memory, concurrency, idle life and the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from adapters.emulator.faults import Fault


@dataclass(frozen=True, slots=True)
class EmulatorOptions:
    """None means: what `[platform]` and `[memory]` of the cloud's cloud.toml say.

    `idle_life_s` is how long an idle instance lives, or `idle_life` the curve, as `[platform.idle_life]` has it:
    vendors do not state it, so it is a parameter. What is drawn, is drawn by `seed`.
    `faults` hold from the start. `shares` asks for CPU and memory shares, enforced where that can be. `cpu_boost`
    lets an instance have more CPU at its start, on a cloud that gives some. `code` is the folder of a tree of this
    project to run instead of this one, `bundle` a bundle that was built before. `empty` runs a function that does
    nothing, to know what the platform and its runtime take by themselves. `python` is the interpreter that the local
    cloud runs on, of an environment where this project is installed.
    """

    model: str = "clothes"
    memory_mb: int | None = None
    concurrency: int | None = None
    max_instances: int | None = None
    min_instances: int | None = None
    idle_life_s: float | None = None
    idle_life: Mapping[str, Any] | None = None
    seed: int = 0
    timeout_s: float | None = None
    init_timeout_s: float | None = None
    shares: bool = True
    cpu_boost: bool = True
    code: str | None = None
    bundle: str | None = None
    empty: bool = False
    python: str | None = None
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        for name in ("memory_mb", "concurrency", "max_instances", "idle_life_s", "timeout_s", "init_timeout_s"):
            value = getattr(self, name)
            if value is not None and value <= 0:
                raise ValueError(f"{name} is {value}: expected a number above 0")
        if self.min_instances is not None and self.min_instances < 0:
            raise ValueError(f"min_instances is {self.min_instances}: expected 0 or more")

    def text(self) -> str:
        """As the command line of `python -m adapters.emulator` takes it."""
        return json.dumps({name: value for name, value in asdict(self).items() if value not in (None, ())})

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> EmulatorOptions:
        """Read what `text` wrote. Raises ValueError naming an unknown option."""
        known = {each.name for each in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            raise ValueError(f"unknown option {', '.join(unknown)}: expected some of {', '.join(sorted(known))}")
        faults = tuple(Fault.from_document(fault) for fault in document.get("faults") or ())
        return cls(**{**document, "faults": faults})
