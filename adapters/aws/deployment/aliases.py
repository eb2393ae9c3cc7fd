"""The alias behind which a published version is called, for plans that need one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment import image_registry
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from adapters.aws.deployment.context import Context
    from adapters.bundle.build import Bundle
    from adapters.deployment.provider import Outputs

ALIAS = "live"


def qualifier(context: Context) -> dict[str, str]:
    """The alias that is called: only published versions have snapshots or provisioned instances."""
    return {"Qualifier": ALIAS} if context.variant.plan_name in {"snapstart", "provisioned"} else {}


def alias_step(context: Context, built: Bundle | None) -> Step:
    """A published version behind the alias, and the instances kept ready for it."""
    variant, name = context.variant, context.name

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = context.client("lambda")
        version = _published(client, name)
        try:
            client.create_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
        except client.exceptions.ResourceConflictException:
            client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
        if variant.plan_name == "provisioned":
            client.put_provisioned_concurrency_config(
                FunctionName=name, Qualifier=ALIAS, ProvisionedConcurrentExecutions=variant.reserved_instances
            )
        return {"version": version}

    kept = f", {variant.reserved_instances} kept ready" if variant.plan_name == "provisioned" else ""
    wanted = {"contents": built.digest if built else image_registry.contents(variant), "memory_mb": variant.memory}
    return Step(
        context.resource("alias", f"{name}:{ALIAS}"), f"version and alias {ALIAS} of {name}{kept}", wanted, make
    )


def _published(client: Any, name: str) -> str:
    """A new version of the function as it is now, ready to be called."""
    version = str(client.publish_version(FunctionName=name)["Version"])
    client.get_waiter("published_version_active").wait(FunctionName=name, Qualifier=version)
    return version


def republish(context: Context) -> None:
    """Let the alias lead to a new version, and remove the one before: a kept snapshot is paid for by the hour."""
    client, name = context.client("lambda"), context.name
    before = client.get_alias(FunctionName=name, Name=ALIAS)["FunctionVersion"]
    version = _published(client, name)
    client.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion=version)
    if before != version:
        client.delete_function(FunctionName=name, Qualifier=before)
