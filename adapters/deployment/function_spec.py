"""One function to deploy: its cloud, plan, memory and the rest, from `tripoint.toml` or flags."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from adapters import contract

ACCESS = ("closed", "public")
FORMATS = ("zip", "image")


@dataclass(frozen=True, slots=True)
class FunctionSpec:
    """One function to deploy. None means the cloud's default from `cloud.toml`.

    `access` "closed" is the cloud's own lock: IAM, ID tokens, function keys. `maximum_instances` is a safety
    net against a runaway bill. `reserved_instances` are kept ready: provisioned, minimum or always-ready ones.
    `format` "image" has a container image built here and kept in a repository of the deployment's own; `image` is
    the address of one of the user's in the cloud's registry. `runtime` "" is the first that the model is for.
    `ingress` is what network may reach the function, `cpu_boost` more CPU while an instance starts (None: as far as
    the cloud has it); both where the cloud offers them. `build_account` is the service account that Google builds
    with; None for its default one.
    """

    cloud: str
    plan: str | None = None
    region: str | None = None
    memory_mb: int | None = None
    architecture: str = "x86_64"
    python: str | None = None
    concurrency: int = 1
    maximum_instances: int = 20
    reserved_instances: int = 0
    access: str = "closed"
    front: str = "function-url"
    model: str = "clothes"
    model_variant: str | None = None
    runtime: str = ""
    format: str = "zip"
    image: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    ingress: str = "all"
    cpu_boost: bool | None = None
    build_account: str | None = None

    def __post_init__(self) -> None:
        if self.cloud not in contract.clouds():
            raise ValueError(f"unknown cloud {self.cloud!r}: expected one of {', '.join(contract.clouds())}")
        if self.access not in ACCESS:
            raise ValueError(f"access {self.access!r}: expected one of {', '.join(ACCESS)}")
        if self.format not in FORMATS:
            raise ValueError(f"format {self.format!r}: expected one of {', '.join(FORMATS)}")
        for name in ("concurrency", "maximum_instances"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: expected 1 or more")
        if not 0 <= self.reserved_instances <= self.maximum_instances:
            raise ValueError(f"reserved_instances is {self.reserved_instances}: expected 0 to maximum_instances")
        offered = self.data["platform"].get("ingress", ["all"])
        if self.ingress not in offered:
            raise ValueError(f"ingress {self.ingress!r}: {self.cloud} has {', '.join(offered)}")
        if self.build_account is not None and self.cloud != "gcp":
            raise ValueError(
                f"build_account {self.build_account!r}: only Google builds with an account; leave it out"
            )
        boost = self.data["memory"].get("boost", {})
        if self.cpu_boost is not None and not boost.get(
            "after_ready_s"
        ):  # else the platform gives it and asks nobody
            raise ValueError(f"cpu_boost is {self.cpu_boost}: {self.cloud} has no CPU boost; leave it out")

    @property
    def data(self) -> Mapping[str, Any]:
        return contract.load(self.cloud).data

    @property
    def memory(self) -> int:
        return self.memory_mb or int(self.data["memory"]["default_mb"])

    @property
    def plan_name(self) -> str:
        return self.plan or str(self.data["platform"]["plan"])

    @property
    def place(self) -> str:
        """The region."""
        if self.region:
            return self.region
        newest = max(self.data["prices"])
        return str(self.data["prices"][newest]["default_region"])

    @property
    def from_image(self) -> bool:
        return self.builds_image or bool(self.image)

    @property
    def builds_image(self) -> bool:
        return self.format == "image" and not self.image

    @property
    def gateway(self) -> str | None:
        """What stands in front, where the cloud has a choice of it."""
        return self.front if self.front in self.data["platform"].get("fronts", ()) else None

    @property
    def timeout_s(self) -> int:
        """How long a request may take: what goes on after the front has given up is paid for and answers nobody."""
        platform = self.data["platform"]
        longest_s = platform["timeout_s"]
        return int(min(longest_s, platform.get("front_timeout_s", {}).get(self.gateway, longest_s)))

    @property
    def label(self) -> str:
        """What tells this variant from the others of its cloud, fit for a resource's name."""
        parts = [self.plan_name, str(self.memory), self.architecture.replace("_", ""), f"c{self.concurrency}"]
        if self.from_image:
            parts.append("image")
        if self.builds_image and self.runtime:  # shortened, as the front is: a function's name is bounded
            parts.append(self.runtime.partition("-")[0])
        if self.python and not self.from_image:
            parts.append(self.python.replace(".", ""))
        if self.cpu_boost is False:
            parts.append("noboost")
        if self.gateway not in (None, *self.data["platform"].get("fronts", ())[:1]):
            parts.append(self.front.partition("-")[0])
        return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower())


def read_function_specs(path: Path) -> tuple[dict[str, Any], list[FunctionSpec]]:
    """Read `tripoint.toml`: the settings at its top, and `[[variants]]`. Raises ValueError naming what is wrong.

    Tables such as `[compare]` are defaults of the command line's options, which reads them itself.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from error
    listed = data.pop("variants", [])
    data = {name: value for name, value in data.items() if not isinstance(value, dict)}
    unknown = sorted(set(data) - {"project", "owner", "time_to_live_h"})
    if unknown:
        raise ValueError(f"{path} has unknown {unknown[0]!r}: expected project, owner, time_to_live_h, [[variants]]")
    return data, [function_spec_of(each) for each in listed]


def function_spec_of(document: Mapping[str, Any]) -> FunctionSpec:
    """One variant. Raises ValueError naming an unknown or missing key."""
    known = {each.name for each in fields(FunctionSpec)}
    unknown = sorted(set(document) - known)
    if unknown or "cloud" not in document:
        what = f"has unknown {unknown[0]!r}" if unknown else "lacks 'cloud'"
        raise ValueError(f"a variant {what}: expected {', '.join(sorted(known))}")
    return FunctionSpec(**document)


def distinct(variants: Sequence[FunctionSpec]) -> list[FunctionSpec]:
    """`variants` as given. Raises ValueError when two of one cloud would have the same name."""
    seen: set[tuple[str, str, str]] = set()
    for variant in variants:
        key = (variant.cloud, variant.place, variant.label)
        if key in seen:
            raise ValueError(f"two variants are the same: {variant.cloud} {variant.place} {variant.label}")
        seen.add(key)
    return list(variants)
