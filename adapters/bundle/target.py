"""The platform that a bundle runs on: Python version, architecture and C library, from `cloud.toml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from adapters.bundle import elf
from adapters.bundle.errors import BundleError

if TYPE_CHECKING:
    from adapters.contract import Cloud

_WHEEL_ARCH = {"x86_64": "x86_64", "arm64": "aarch64"}
_OLDEST_MANYLINUX = 17


@dataclass(frozen=True, slots=True)
class BundleTarget:
    """One combination of cloud, Python and architecture. `ends` is the day after which the cloud drops the Python."""

    cloud: str
    python: str
    arch: str
    system: str
    glibc: elf.Version
    ends: date

    @property
    def wheel_platforms(self) -> tuple[str, ...]:
        """Platform tags that this target's pip would take, newest first."""
        arch = _WHEEL_ARCH[self.arch]
        minors = range(self.glibc[1], _OLDEST_MANYLINUX - 1, -1)
        return (*(f"manylinux_2_{minor}_{arch}" for minor in minors), f"manylinux2014_{arch}", f"linux_{arch}")


def target_of(cloud: Cloud, *, python: str | None = None, arch: str | None = None) -> BundleTarget:
    """The target that `cloud.toml` describes. Raises BundleError naming what the cloud has."""
    data: Mapping[str, Any] = cloud.data["bundle"]["target"]
    chosen, machine = python or str(data["python"]), arch or str(data["architectures"][0])
    if chosen not in data["pythons"]:
        raise BundleError(f"{cloud.title} has no Python {chosen!r}: choose one of {', '.join(data['pythons'])}")
    if machine not in data["architectures"]:
        raise BundleError(f"{cloud.title} has no {machine!r}: choose one of {', '.join(data['architectures'])}")
    facts = data["pythons"][chosen]
    return BundleTarget(
        cloud=cloud.name,
        python=chosen,
        arch=machine,
        system=str(facts["system"]),
        glibc=elf.parse(str(facts["glibc"])),
        ends=date.fromisoformat(str(facts["ends"])),
    )
