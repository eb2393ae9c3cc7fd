"""Where a Lambda function answers: a Function URL or an HTTP API, closed by IAM unless asked otherwise.

Vendor facts: docs.aws.amazon.com/lambda/latest/dg/urls-auth.html and
docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html, as of 2026-11-20.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from adapters.aws import registry
from adapters.deployment.errors import DeployError
from adapters.deployment.resources import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.aws.functions import Context
    from adapters.bundle.build import Built
    from adapters.deployment.resources import Outputs

ALIAS = "live"
FRONTS = ("function-url", "http-api")


def qualifier(context: Context) -> dict[str, str]:
    """The alias that is called: only published versions have snapshots or provisioned instances."""
    return {"Qualifier": ALIAS} if context.variant.plan_name in {"snapstart", "provisioned"} else {}


def alias_step(context: Context, built: Built | None) -> Step:
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
    wanted = {"contents": built.digest if built else registry.contents(variant), "memory_mb": variant.memory}
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


def front_step(context: Context) -> Step:
    front = context.variant.front
    if front not in FRONTS:
        raise ValueError(f"aws: front {front!r}: expected one of {', '.join(FRONTS)}")
    return _url_step(context) if front == "function-url" else _http_api_step(context)


def _url_step(context: Context) -> Step:
    name, public = context.name, context.variant.access == "public"
    lock = "NONE" if public else "AWS_IAM"

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client, where = context.client("lambda"), {"FunctionName": name, **qualifier(context)}
        try:
            made = client.get_function_url_config(**where)
        except client.exceptions.ResourceNotFoundException:
            made = client.create_function_url_config(AuthType=lock, **where)
        if made["AuthType"] != lock:
            client.update_function_url_config(AuthType=lock, **where)
        if public:
            _permit_everyone(client, where)
        return {"url": str(made["FunctionUrl"]), "access": "public" if public else "iam"}

    summary = f"function URL of {name} ({'public' if public else 'closed by IAM'})"
    return Step(context.resource("function-url", name), summary, {"lock": lock, **qualifier(context)}, make)


def _permit_everyone(client: Any, where: dict[str, str]) -> None:
    """A public URL needs both rights since October 2025: to call the URL, and to invoke through it."""
    url = {"Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    invoke = {"Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}
    for statement, rights in (("public-url", url), ("public-invoke", invoke)):
        with suppress(client.exceptions.ResourceConflictException):
            client.add_permission(StatementId=statement, Principal="*", **rights, **where)


def _http_api_step(context: Context) -> Step:
    """An HTTP API whose one route goes to the function."""
    name, public = context.name, context.variant.access == "public"

    def make(outputs: Mapping[str, Outputs]) -> Outputs:
        client, arn = context.client("apigatewayv2"), outputs[context.resource("function", name).key]["arn"]
        target = f"{arn}:{ALIAS}" if qualifier(context) else arn
        api = api_named(client, name) or client.create_api(
            Name=name, ProtocolType="HTTP", Tags=context.deployment.tags()
        )
        _route(client, str(api["ApiId"]), target, public=public)
        _permit_gateway(context, target)
        return {"url": str(api["ApiEndpoint"]), "access": "public" if public else "iam"}

    summary = f"HTTP API {name} ({'public' if public else 'closed by IAM'})"
    return Step(context.resource("http-api", name), summary, {"public": public, **qualifier(context)}, make)


def api_named(client: Any, name: str) -> Any:
    """An HTTP API by its name, or None."""
    for page in client.get_paginator("get_apis").paginate():
        for api in page["Items"]:
            if api["Name"] == name:
                return api
    return None


def _route(client: Any, api: str, target: str, *, public: bool) -> None:
    """Make the integration, the `$default` route and stage, each where it is missing."""
    integrations = client.get_integrations(ApiId=api)["Items"]
    shape = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0", "IntegrationUri": target}
    made = integrations[0] if integrations else client.create_integration(ApiId=api, **shape)
    lock = "NONE" if public else "AWS_IAM"
    route = {"RouteKey": "$default", "AuthorizationType": lock, "Target": f"integrations/{made['IntegrationId']}"}
    routes = client.get_routes(ApiId=api)["Items"]
    if routes:
        client.update_route(ApiId=api, RouteId=routes[0]["RouteId"], **route)
    else:
        client.create_route(ApiId=api, **route)
    if not client.get_stages(ApiId=api)["Items"]:
        client.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)


def _permit_gateway(context: Context, target: str) -> None:
    if not target.startswith("arn:"):
        raise DeployError(f"aws: {target!r} is not a function's ARN")
    client = context.client("lambda")
    with suppress(client.exceptions.ResourceConflictException):
        client.add_permission(
            FunctionName=context.name,
            StatementId="http-api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            **qualifier(context),
        )
