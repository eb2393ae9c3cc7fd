"""Memory sizes and the CPU share of each, from `[memory]` of cloud.toml. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def check_memory(memory: Mapping[str, Any], memory_mb: int) -> int:
    """Return `memory_mb`. Raises ValueError naming what the cloud offers."""
    if "sizes_mb" in memory:
        if memory_mb not in memory["sizes_mb"]:
            raise ValueError(f"memory {memory_mb} MB: expected one of {', '.join(map(str, memory['sizes_mb']))} MB")
        return memory_mb
    low, high, step = memory["minimum_mb"], memory["maximum_mb"], memory["step_mb"]
    if not low <= memory_mb <= high or memory_mb % step:
        raise ValueError(f"memory {memory_mb} MB: expected {low} to {high} MB in steps of {step} MB")
    return memory_mb


def boosted_s(memory: Mapping[str, Any]) -> float:
    """For how long after it is ready a new instance has more processor time than its size gives, in seconds."""
    return float(memory.get("boost", {}).get("after_ready_s", 0.0))


def cpu_share(memory: Mapping[str, Any], memory_mb: int) -> float:
    """The vCPUs of an instance of `memory_mb`: proportional, or from a table (between two: the upper one's)."""
    if "mb_per_vcpu" in memory:
        return float(min(memory_mb / memory["mb_per_vcpu"], memory["vcpu_max"]))
    table = sorted((int(size_mb), float(vcpu)) for size_mb, vcpu in memory["vcpu_table"])
    return next((vcpu for size_mb, vcpu in table if memory_mb <= size_mb), table[-1][1])
