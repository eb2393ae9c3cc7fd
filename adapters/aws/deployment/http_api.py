"""An HTTP API in front of a Lambda function: whatever comes goes to it, as payload 2.0.

Vendor facts: docs.aws.amazon.com/apigateway/latest/developerguide/http-api-access-control-iam.html, as of 2026-11-20.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from adapters.aws.deployment.aliases import qualifier
from adapters.aws.deployment.gateways import invoked_arn
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.aws.deployment.context import Context
    from adapters.deployment.provider import Outputs


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
