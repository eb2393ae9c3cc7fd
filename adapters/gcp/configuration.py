"""What a variant means to Cloud Functions: source, build and service; pure but for the bundle.

Vendor facts: cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions, as of 2026-11-20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.bundle.build import Order
from adapters.bundle.ready import ready
from adapters.bundle.target import target_of

if TYPE_CHECKING:
    from adapters.bundle.build import Built
    from adapters.deployment.variant import Variant

ENTRY_POINT = "classify"


def bundle_of(variant: Variant) -> Built:
    """The checked source of a variant."""
    cloud = contract.load(variant.cloud)
    target = target_of(cloud, python=variant.python, arch=variant.architecture)
    chosen = Order(cloud, target, variant.model, variant.model_variant, variant.runtime, variant.memory)
    return ready(chosen)


def build_config(variant: Variant) -> dict[str, Any]:
    python = variant.python or str(variant.data["bundle"]["target"]["python"])
    return {"runtime": f"python{python.replace('.', '')}", "entry_point": ENTRY_POINT}


def service_config(variant: Variant) -> dict[str, Any]:
    """Memory, concurrency, instances and ingress, as the functions API takes them."""
    config: dict[str, Any] = {
        "available_memory": f"{variant.memory}Mi",
        "timeout_seconds": int(variant.data["platform"]["timeout_s"]),
        "max_instance_count": variant.maximum_instances,
        "min_instance_count": variant.reserved_instances,
        "max_instance_request_concurrency": variant.concurrency,
        "ingress_settings": "ALLOW_ALL",
        "all_traffic_on_latest_revision": True,
        "environment_variables": {
            "OPENBLAS_NUM_THREADS": "1",
            "THREADS": str(variant.concurrency),  # functions-framework's own default is 4 x cores
            **variant.settings,
        },
    }
    if variant.concurrency > 1:
        config["available_cpu"] = "1"  # below 1 vCPU concurrency must be 1
    return config


def refuse_impossible(variant: Variant) -> None:
    """Raise ValueError for what the functions API does not make."""
    if variant.plan_name != "cloud-run-request":
        raise ValueError(f"gcp: plan {variant.plan_name!r} is not made by `deploy`: use cloud-run-request")
    if variant.from_image:
        raise ValueError("gcp: functions are built from source: leave `image` out, and use --format zip")
