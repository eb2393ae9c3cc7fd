"""Put a REST API in front of a Lambda function: everything below its one stage goes to it, as payload 1.0.

A stage serves a deployment, which is a copy of the API at one time: it is made last, whenever something changed.

Vendor facts, as of 2026-11-25, from docs.aws.amazon.com/apigateway/latest/developerguide/:
api-gateway-set-up-simple-proxy.html, set-up-lambda-proxy-integrations.html, lambda-proxy-binary-media.html,
limits.html (29 s), and how-to-call-api.html (the address).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adapters.aws.deployment.aliases import qualifier
from adapters.aws.deployment.gateways import invoked_arn, retry_throttled
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from adapters.aws.deployment.context import Context
    from adapters.deployment.provider import Outputs

STAGE = "live"
_EVERYTHING = ["*/*"]  # of this type are binary: whatever is sent reaches the function as it is, in base64
_REST = "{proxy+}"


def rest_api_step(context: Context) -> Step:
    """A regional REST API with its tags, its two resources, a deployment and a stage."""
    name, public = context.name, context.variant.access == "public"
    lock, waits_s = "NONE" if public else "AWS_IAM", context.variant.timeout_s

    def make(outputs: Mapping[str, Outputs]) -> Outputs:
        client, function = context.client("apigateway"), invoked_arn(context, outputs)
        path = f"lambda:path/2015-03-31/functions/{function}/invocations"
        target = {"uri": f"arn:aws:apigateway:{context.region}:{path}", "timeoutInMillis": waits_s * 1000}
        api = _the_one(client, context)
        for resource in _resources(client, api):
            _method(client, {"restApiId": api, "resourceId": resource, "httpMethod": "ANY"}, lock, target)
        _deploy(client, api, context.deployment.tags())
        return {"api": api, "url": _address(client, api), "access": "public" if public else "iam"}

    summary = f"REST API {name} ({'public' if public else 'closed by IAM'}, answers within {waits_s} s)"
    return Step(context.resource("rest-api", name), summary, {"public": public, **qualifier(context)}, make)


def rest_apis_named(client: Any, name: str) -> list[str]:
    """The ids of the REST APIs of that name, the oldest first: several may have one name."""
    pages = client.get_paginator("get_rest_apis").paginate()
    found = [api for page in pages for api in page["items"] if api["name"] == name]
    return [str(api["id"]) for api in sorted(found, key=lambda api: (api["createdDate"], api["id"]))]


def remove_rest_apis(client: Any, name: str) -> None:
    """All of that name, with everything in them; harmless when there is none."""
    for api in rest_apis_named(client, name):
        _remove(client, api)


def _remove(client: Any, api: str) -> None:
    with suppress(client.exceptions.NotFoundException):
        retry_throttled(client, lambda: client.delete_rest_api(restApiId=api))


def _the_one(client: Any, context: Context) -> str:
    """Its id, made where it is missing. A request that was sent twice, its answer lost, may have made two."""
    there = rest_apis_named(client, context.name)
    for api in there[1:]:
        _remove(client, api)
    if there:
        return there[0]
    wanted = {"endpointConfiguration": {"types": ["REGIONAL"]}, "binaryMediaTypes": _EVERYTHING}
    tags = context.deployment.tags()
    return str(retry_throttled(client, lambda: client.create_rest_api(name=context.name, tags=tags, **wanted))["id"])


def _resources(client: Any, api: str) -> Iterator[str]:
    """The ids of the root and of everything below it."""
    pages = client.get_paginator("get_resources").paginate(restApiId=api)
    there = {str(each["path"]): str(each["id"]) for page in pages for each in page["items"]}
    yield there["/"]
    below = there.get(f"/{_REST}")
    yield below or str(client.create_resource(restApiId=api, parentId=there["/"], pathPart=_REST)["id"])


def _method(client: Any, where: dict[str, str], lock: str, target: Mapping[str, object]) -> None:
    """Any method, with its lock, goes to the function."""
    try:
        held = client.get_method(**where)["authorizationType"]
    except client.exceptions.NotFoundException:
        held = None
    if held not in (None, lock):
        client.delete_method(**where)
    if held != lock:
        client.put_method(authorizationType=lock, **where)
    client.put_integration(type="AWS_PROXY", integrationHttpMethod="POST", **target, **where)


def _deploy(client: Any, api: str, tags: dict[str, str]) -> None:
    """Let the stage serve the API as it is now, and remove the deployments that nothing serves any more."""
    made = str(retry_throttled(client, lambda: client.create_deployment(restApiId=api))["id"])
    try:
        client.create_stage(restApiId=api, stageName=STAGE, deploymentId=made, tags=tags)
    except client.exceptions.ConflictException:
        moved = [{"op": "replace", "path": "/deploymentId", "value": made}]
        client.update_stage(restApiId=api, stageName=STAGE, patchOperations=moved)
    for page in client.get_paginator("get_deployments").paginate(restApiId=api):
        for each in page["items"]:
            if each["id"] != made:
                client.delete_deployment(restApiId=api, deploymentId=each["id"])


def _address(client: Any, api: str) -> str:
    """Where the stage answers. Emulators of AWS on this machine have it below their own address."""
    asked = urlsplit(client.meta.endpoint_url)
    if asked.hostname in {"127.0.0.1", "::1", "localhost"}:
        return f"{asked.scheme}://{asked.netloc}/_aws/execute-api/{api}/{STAGE}/"
    return f"https://{api}.execute-api.{client.meta.region_name}.amazonaws.com/{STAGE}/"
