"""Turn a function's settings into documents of Azure's resource manager. Pure but for the bundle.

Vendor facts: learn.microsoft.com/azure/azure-functions/flex-consumption-how-to and
learn.microsoft.com/azure/templates/microsoft.web/sites (api-version 2025-05-01), as of 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.bundle.build import BundleSpec
from adapters.bundle.cached_build import build_cached
from adapters.bundle.target import target_of

if TYPE_CHECKING:
    from adapters.bundle.build import Bundle
    from adapters.deployment.function_spec import FunctionSpec

HIGHEST_MAXIMUM = 1000  # of instances (flex-consumption-how-to, "Set the maximum instance count"); the lowest is 1
PLANS = ("flex-consumption", "flex-always-ready")


def bundle_of(variant: FunctionSpec) -> Bundle:
    """The checked source of a variant."""
    cloud = contract.load(variant.cloud)
    target = target_of(cloud, python=variant.python, arch=variant.architecture)
    return build_cached(
        BundleSpec(cloud, target, variant.model, variant.model_variant, variant.runtime, variant.memory)
    )


def storage_account(region: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """Where the package lies: not public, TLS only."""
    properties = {"allowBlobPublicAccess": False, "minimumTlsVersion": "TLS1_2", "supportsHttpsTrafficOnly": True}
    sku = {"name": "Standard_LRS"}
    return {"location": region, "kind": "StorageV2", "sku": sku, "properties": properties, "tags": dict(tags)}


def plan(region: str, tags: Mapping[str, str]) -> dict[str, Any]:
    """A Flex Consumption plan; it holds one app."""
    sku = {"name": "FC1", "tier": "FlexConsumption"}
    return {
        "location": region,
        "kind": "functionapp",
        "sku": sku,
        "properties": {"reserved": True},
        "tags": dict(tags),
    }


def functions(variant: FunctionSpec) -> dict[str, Any]:
    """`functionAppConfig` but for the place of the package."""
    python = variant.python or str(variant.data["bundle"]["target"]["python"])
    scale: dict[str, Any] = {
        "instanceMemoryMB": variant.memory,
        "maximumInstanceCount": variant.maximum_instances,
        "triggers": {"http": {"perInstanceConcurrency": variant.concurrency}},
    }
    if variant.reserved_instances:
        scale["alwaysReady"] = [{"name": "http", "instanceCount": variant.reserved_instances}]
    return {"runtime": {"name": "python", "version": python}, "scaleAndConcurrency": scale}


def settings(variant: FunctionSpec) -> dict[str, str]:
    """The app's settings, secrets apart."""
    return {
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHON_THREADPOOL_THREAD_COUNT": str(variant.concurrency),
        **variant.settings,
    }


def refuse_impossible(variant: FunctionSpec) -> None:
    """Raise ValueError for what `deploy` does not make."""
    if variant.plan_name not in PLANS:
        raise ValueError(f"azure: plan {variant.plan_name!r} is not made by `deploy`: use one of {', '.join(PLANS)}")
    if variant.access == "public":
        raise ValueError("azure: the function asks for its key (AuthLevel.FUNCTION): access public is not offered")
    if variant.from_image:
        raise ValueError("azure: Flex Consumption takes no image: leave `image` out, and use --format zip")
    if (variant.plan_name == "flex-always-ready") != bool(variant.reserved_instances):
        raise ValueError(
            f"azure: plan {variant.plan_name!r} with reserved_instances of {variant.reserved_instances}: always-ready"
            " instances have a plan and a price of their own: flex-always-ready, with 1 or more of them"
        )
    if variant.maximum_instances > HIGHEST_MAXIMUM:
        most = f"Flex Consumption takes {HIGHEST_MAXIMUM} at most"
        raise ValueError(f"azure: maximum_instances is {variant.maximum_instances}: {most}")
