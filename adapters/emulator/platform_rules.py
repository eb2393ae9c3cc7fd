"""The rules of one local cloud, from its cloud.toml and the options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import psutil

from adapters.contract import HttpAnswer
from adapters.emulator.idle_life import IdleLife
from adapters.emulator.memory_sizes import check_memory, cpu_share
from adapters.emulator.scaling import Rules

if TYPE_CHECKING:
    from adapters.contract import Cloud
    from adapters.emulator.options import EmulatorOptions

T = TypeVar("T")
LAPTOP_MB_PER_INSTANCE = 160  # what one instance really takes, about


@dataclass(frozen=True, slots=True)
class Boost:
    """More CPU at the start: `vcpu` until `after_ready_s` after it."""

    vcpu: float
    after_ready_s: float


@dataclass(frozen=True, slots=True)
class Platform:
    """The rules in force. `cpu_share` is in vCPU; times in s."""

    plan: str
    memory_mb: int
    cpu_share: float
    boost: Boost | None
    timeout_s: float
    init_timeout_s: float
    scaling: Rules
    seed: int
    full: HttpAnswer
    failed: HttpAnswer


def platform(cloud: Cloud, options: EmulatorOptions) -> Platform:
    """Read the rules. Raises ValueError naming the option that the cloud does not offer."""
    data, limits, memory = cloud.data["platform"], cloud.data["limits"], cloud.data["memory"]
    memory_mb = check_memory(memory, _or(options.memory_mb, memory["default_mb"]))
    share = cpu_share(memory, memory_mb)
    concurrency = check_concurrency(data, _or(options.concurrency, data["concurrency"]))
    if concurrency > 1:  # sharing an instance needs a whole vCPU on some clouds, which then comes with it
        share = max(share, float(data.get("shared_minimum_vcpu", 0)))
    return Platform(
        plan=data["plan"],
        memory_mb=memory_mb,
        cpu_share=share,
        boost=_chosen_boost(boost(memory, share), wanted=options.cpu_boost),
        timeout_s=_at_most(_or(options.timeout_s, data["timeout_s"]), limits["timeout_max_s"], "timeout_s"),
        init_timeout_s=_or(options.init_timeout_s, limits["init_timeout_s"]),
        scaling=_scaling(data, options, concurrency),
        seed=options.seed,
        full=answer(data["full"]),
        failed=answer(data["failed"]),
    )


def _chosen_boost(found: Boost | None, *, wanted: bool) -> Boost | None:
    """The boost, where it is wanted or where the platform gives it for initialisation alone and asks nobody."""
    return found if found is None or wanted or not found.after_ready_s else None


def boost(memory: Mapping[str, Any], vcpu: float) -> Boost | None:
    """What `[memory.boost]` gives an instance of `vcpu` at its start."""
    data = memory.get("boost")
    if data is None or vcpu > data["up_to_vcpu"]:
        return None
    return Boost(float(data["vcpu"]), float(data["after_ready_s"]))


def check_concurrency(data: Mapping[str, Any], concurrency: int) -> int:
    """Return `concurrency`. Raises ValueError naming the most that an instance of this cloud serves at once."""
    return int(_at_most(concurrency, data["concurrency_max"], "concurrency"))


def answer(data: Mapping[str, Any]) -> HttpAnswer:
    """An answer of the platform itself, as cloud.toml writes it."""
    return HttpAnswer(data["status"], tuple(data["headers"].items()), data["body"].encode())


def most_instances_here() -> int:
    """How many instances fit into half of the memory that is free: a laptop is not a region."""
    return int(max(4, psutil.virtual_memory().available / 2 / 2**20 // LAPTOP_MB_PER_INSTANCE))


def _scaling(data: Mapping[str, Any], options: EmulatorOptions, concurrency: int) -> Rules:
    given = {
        name: data[name]
        for name in ("bound", "queue_length", "queue_wait_s", "target_use", "starts_per_window", "window_s")
        if name in data
    }
    return Rules(
        concurrency=concurrency,
        max_instances=_or(options.max_instances, min(data["max_instances"], most_instances_here())),
        min_instances=_or(options.min_instances, 0),
        idle_life=_idle_life(data, options),
        requests_per_s=_requests_per_s(data, options),
        **given,
    )


def _idle_life(data: Mapping[str, Any], options: EmulatorOptions) -> IdleLife:
    if options.idle_life_s is not None:
        return IdleLife.fixed(options.idle_life_s)
    return IdleLife.read(_or(options.idle_life, data["idle_life"]))


def _requests_per_s(data: Mapping[str, Any], options: EmulatorOptions) -> float | None:
    """The most requests a second: some clouds take so many for each instance that the function may have."""
    each = data.get("requests_per_s_and_instance")
    return None if each is None else float(each * _or(options.max_instances, data["max_instances"]))


def _or(value: T | None, default: T) -> T:
    return default if value is None else value


def _at_most(value: float, limit: float, name: str) -> float:
    if value > limit:
        raise ValueError(f"{name} {value:g}: this cloud allows at most {limit:g}")
    return value
