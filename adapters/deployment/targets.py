"""Write what is deployed as a file of targets (loadtests/plan/targets.py), under names that last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from adapters.deployment.provider import DeployedEndpoint

TARGETS = "targets.json"


def write(folder: Path, endpoints: Sequence[DeployedEndpoint]) -> None:
    """Write the file of targets in `folder`."""
    documents = [target_document(name, each) for name, each in by_target_name(endpoints).items()]
    (folder / TARGETS).write_text(json.dumps({"targets": documents}, indent=2) + "\n", encoding="utf-8")


def by_target_name(endpoints: Sequence[DeployedEndpoint]) -> dict[str, DeployedEndpoint]:
    """Named like their cloud, and where it has several like what tells them apart: the same in every deployment."""

    def short(each: DeployedEndpoint) -> tuple[str, str, str]:
        variant = each.variant
        longer = f"{variant.cloud} {variant.label}"
        return variant.cloud, longer, f"{longer} {variant.place}"

    taken = [Counter(names) for names in zip(*map(short, endpoints), strict=True)]
    found = {}
    for each in endpoints:
        names = short(each)
        unique = (name for name, uses in zip(names, taken, strict=True) if uses[name] == 1)
        found[next(unique, names[-1])] = each
    return found


def target_document(name: str, endpoint: DeployedEndpoint) -> dict[str, Any]:
    """One endpoint under its target name."""
    variant = endpoint.variant
    gateway = {} if variant.gateway is None else {"gateway": variant.gateway}
    return {
        "name": name,
        "cloud": variant.cloud,
        "plan": variant.plan_name,
        "region": variant.place,
        "memory_mb": variant.memory,
        "concurrency": variant.concurrency,
        "architecture": variant.architecture,
        **gateway,
        "url": endpoint.url,
    }
