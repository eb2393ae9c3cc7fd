"""Make the address of a Lambda function: a Function URL, an HTTP API or a REST API, closed by IAM unless public.

Vendor facts: docs.aws.amazon.com/lambda/latest/dg/urls-auth.html and
docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html, as of 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment.aliases import qualifier
from adapters.aws.deployment.gateways import invoked_arn, permission_step
from adapters.aws.deployment.rest_api import STAGE, rest_api_step
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from adapters.aws.deployment.context import Context
    from adapters.deployment.provider import Outputs

FRONTS = ("function-url", "http-api", "rest-api")


def front_steps(context: Context) -> list[Step]:
    """What callers reach comes first; behind an API Gateway, then its right to invoke the function."""
    match context.variant.front:
        case "function-url":
            return [_url_step(context)]
        case "http-api":
            return [http_api_step(context), permission_step(context, "*")]
        case "rest-api":
            return [rest_api_step(context), permission_step(context, f"{STAGE}/*")]
        case other:
            raise ValueError(f"aws: front {other!r}: expected one of {', '.join(FRONTS)}")


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


def http_api_step(context: Context) -> Step:
    """An HTTP API whose one route goes to the function."""
    name, public = context.name, context.variant.access == "public"

    def make(outputs: Mapping[str, Outputs]) -> Outputs:
        client, target = context.client("apigatewayv2"), invoked_arn(context, outputs)
        api = api_named(client, name) or client.create_api(
            Name=name, ProtocolType="HTTP", Tags=context.deployment.tags()
        )
        _route(client, str(api["ApiId"]), target, public=public)
        return {"api": str(api["ApiId"]), "url": str(api["ApiEndpoint"]), "access": "public" if public else "iam"}

    waits_s = context.variant.timeout_s
    summary = f"HTTP API {name} ({'public' if public else 'closed by IAM'}, answers within {waits_s} s)"
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
