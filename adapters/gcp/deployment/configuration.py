"""Turn a function's settings into documents of Cloud Functions: source, build and service. Pure but for the bundle.

Vendor facts: cloud.google.com/functions/docs/reference/rest/v2/projects.locations.functions, as of 2026-11-20;
cloud.google.com/run/docs/configuring/services/cpu and .../billing-settings, as of 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.bundle.build import BundleSpec
from adapters.bundle.cached_build import build_cached
from adapters.bundle.target import target_of
from adapters.emulator.memory_sizes import cpu_share

if TYPE_CHECKING:
    from adapters.bundle.build import Bundle
    from adapters.deployment.function_spec import FunctionSpec

ENTRY_POINT = "classify"
BY_REQUEST, BY_INSTANCE = "cloud-run-request", "cloud-run-instance"
INGRESS = {
    "all": "ALLOW_ALL",
    "internal": "ALLOW_INTERNAL_ONLY",
    "internal-and-gclb": "ALLOW_INTERNAL_AND_GCLB",
}
_WHOLE_VCPU = 1.0
NEW_PROJECT_VCPU, NEW_PROJECT_GIB = 20, 40  # of a region (firebase-tools 5867 and 11001), as of 2026-11-28


def bundle_of(variant: FunctionSpec) -> Bundle:
    """The checked source of a variant."""
    cloud = contract.load(variant.cloud)
    target = target_of(cloud, python=variant.python, arch=variant.architecture)
    chosen = BundleSpec(cloud, target, variant.model, variant.model_variant, variant.runtime, variant.memory)
    return build_cached(chosen)


def build_config(variant: FunctionSpec) -> dict[str, Any]:
    python = variant.python or str(variant.data["bundle"]["target"]["python"])
    found = {"runtime": f"python{python.replace('.', '')}", "entry_point": ENTRY_POINT}
    return found | ({"service_account": variant.build_account} if variant.build_account else {})


def service_config(variant: FunctionSpec) -> dict[str, Any]:
    """Memory, concurrency, instances and ingress, as the functions API takes them."""
    config: dict[str, Any] = {
        "available_memory": f"{variant.memory}Mi",
        "timeout_seconds": int(variant.data["platform"]["timeout_s"]),
        "max_instance_count": variant.maximum_instances,
        "min_instance_count": variant.reserved_instances,
        "max_instance_request_concurrency": variant.concurrency,
        "ingress_settings": INGRESS[variant.ingress],
        "all_traffic_on_latest_revision": True,
        "environment_variables": {
            "OPENBLAS_NUM_THREADS": "1",
            "THREADS": str(variant.concurrency),  # functions-framework's own default is 4 x cores
            **variant.settings,
        },
    }
    cpu = available_cpu(variant)
    if cpu is not None:
        config["available_cpu"] = cpu
    return config


def available_cpu(variant: FunctionSpec) -> str | None:
    """The vCPUs to ask for; None where the functions' own default for the memory size is right.

    Below a whole vCPU Google takes neither several requests at once nor billing by the instance, and above it more
    memory needs more of them. Between two sizes of the table, where the default is not published, it is the upper
    one's: what the plan bills, and never less than Google asks for the memory.
    """
    memory = variant.data["memory"]
    share = cpu_share(memory, variant.memory)
    whole = variant.concurrency > 1 or variant.plan_name == BY_INSTANCE
    chosen = max(share, _WHOLE_VCPU) if whole else share
    named = any(size_mb == variant.memory for size_mb, _ in memory["vcpu_table"])
    return None if named and chosen == share else f"{chosen:g}"


def _vcpu(variant: FunctionSpec) -> float:
    """The vCPUs of one instance."""
    return float(available_cpu(variant) or cpu_share(variant.data["memory"], variant.memory))


def run_settings(variant: FunctionSpec) -> dict[str, bool]:
    """What the container's resources on Cloud Run hold and the functions API has no field for.

    `cpu_idle`: CPU, and its price, only while a request is in the instance. Both are always set: Google does not
    publish whether a function has the boost by default (services made in its console or with gcloud do).
    """
    return {"cpu_idle": variant.plan_name == BY_REQUEST, "startup_cpu_boost": variant.cpu_boost is not False}


def described(variant: FunctionSpec, runtime: str) -> Iterator[str]:
    """What `plan` says of a function."""
    yield f"{variant.memory} MB"
    yield f"{runtime}, built from source"
    if variant.plan_name == BY_INSTANCE:
        yield "billed by the instance"
    if variant.cpu_boost is False:
        yield "no CPU boost"
    if variant.ingress != "all":
        yield f"ingress {variant.ingress}: out of reach from here"
    yield "public" if variant.access == "public" else "closed by IAM"


def notes(variants: Sequence[FunctionSpec]) -> Iterator[str]:
    """What is to be known before these are made."""
    if variants:
        yield (
            "gcp: the build keeps its image repository `gcf-artifacts` and its buckets `gcf-v2-sources-*` and"
            " `gcf-v2-uploads-*`; they are shared by all functions of a project, so they are not removed"
        )
    for region in sorted({variant.place for variant in variants}):
        own = [variant for variant in variants if variant.place == region]
        vcpu = sum(each.maximum_instances * _vcpu(each) for each in own)
        gib = sum(each.maximum_instances * each.memory / 1024 for each in own)
        if vcpu > NEW_PROJECT_VCPU or gib > NEW_PROJECT_GIB:
            yield (
                f"gcp {region}: these may take {vcpu:g} vCPU and {gib:g} GiB; a new project has {NEW_PROJECT_VCPU}"
                f" and {NEW_PROJECT_GIB}, and the build ends in a refusal where it is more: lower maximum_instances,"
                " or look at the project's Cloud Run quotas"
            )
    for ingress in sorted({variant.ingress for variant in variants} - {"all"}):
        yield f"gcp: ingress {ingress} lets nobody in from the internet: measure it from inside its VPC network"
    if any(variant.plan_name == BY_INSTANCE for variant in variants):
        yield (
            f"gcp: {BY_INSTANCE} bills the whole life of every instance: a budget counts maximum_instances of them"
            " until the time to live is over, so keep both low"
        )


def refuse_impossible(variant: FunctionSpec) -> None:
    """Raise ValueError for what Google or `deploy` does not make."""
    if variant.plan_name not in (BY_REQUEST, BY_INSTANCE):
        made = f"use {BY_REQUEST} or {BY_INSTANCE}"
        raise ValueError(f"gcp: plan {variant.plan_name!r} is not made by `deploy`: {made}")
    if variant.from_image:
        raise ValueError("gcp: functions are built from source: leave `image` out, and use --format zip")
    most = int(variant.data["platform"]["concurrency_max"])
    if variant.concurrency > most:
        raise ValueError(f"gcp: concurrency is {variant.concurrency}: expected 1 to {most} requests at once")
    if variant.plan_name == BY_INSTANCE and not variant.reserved_instances:
        # Without any, an instance lives, and is paid for, up to 15 min after its last request, as Google likes:
        # what a measurement costs would be chance, and not what this plan is bought for.
        raise ValueError(f"gcp: plan {BY_INSTANCE!r} needs reserved_instances of 1 or more: its instances are held")
