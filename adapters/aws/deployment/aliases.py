"""The alias behind which a published version is called, for plans that need one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment import image_registry
from adapters.deployment.errors import DeployError
from adapters.deployment.patience import until
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from adapters.aws.deployment.context import Context
    from adapters.bundle.build import Bundle
    from adapters.deployment.provider import Outputs

ALIAS = "live"
_SETTLE_S = 600.0  # an alias with provisioned instances moves step by step, and these take a minute or more


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
            _settle(client, context)
        if variant.plan_name == "provisioned":
            client.put_provisioned_concurrency_config(
                FunctionName=name, Qualifier=ALIAS, ProvisionedConcurrentExecutions=variant.reserved_instances
            )
            _settle(client, context)
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
    _settle(client, context)
    if before != version:
        client.delete_function(FunctionName=name, Qualifier=before)


def _settle(client: Any, context: Context) -> None:
    """Wait until the alias leads to one version, and the instances kept ready for it are. Raises DeployError.

    Until then the version before cannot be deleted, nothing else can be provisioned, and requests run on demand.
    """
    name = context.name

    def settled() -> bool:
        if (client.get_alias(FunctionName=name, Name=ALIAS).get("RoutingConfig") or {}).get(
            "AdditionalVersionWeights"
        ):
            return False
        if context.variant.plan_name != "provisioned":
            return True
        try:
            held = client.get_provisioned_concurrency_config(FunctionName=name, Qualifier=ALIAS)
        except client.exceptions.ProvisionedConcurrencyConfigNotFoundException:
            return True  # not asked for yet
        if held["Status"] == "FAILED":
            raise DeployError(f"aws: no instances could be kept ready for {name}: {held.get('StatusReason')}")
        return bool(held["Status"] == "READY")

    if not until(settled, within_s=_SETTLE_S):
        raise DeployError(f"aws: alias {ALIAS} of {name} still moves after {_SETTLE_S:.0f} s: apply again later")
