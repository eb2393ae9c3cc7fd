"""The permission of an API Gateway to invoke a function, and retries where API Gateway throttles.

Vendor facts, as of 2026-11-25: docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html (the right), and
docs.aws.amazon.com/apigateway/latest/developerguide/limits.html (how often the management calls may come).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from adapters.aws.deployment.aliases import ALIAS, qualifier
from adapters.deployment.errors import DeployError
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from adapters.aws.deployment.context import Context
    from adapters.deployment.provider import Outputs

T = TypeVar("T")
GATEWAYS = ("http-api", "rest-api")
# An account may remove one REST API in 30 s, make a deployment every 5 s and a REST API every 3 s.
_PATIENCE_S = 120.0
_PAUSE_S = 5.0


def invoked_arn(context: Context, outputs: Mapping[str, Outputs]) -> str:
    """The ARN of what a gateway invokes: the function, or its alias. Raises DeployError for what is none."""
    arn = outputs[context.resource("function", context.name).key]["arn"]
    if not arn.startswith("arn:"):
        raise DeployError(f"aws: {arn!r} is not a function's ARN")
    return f"{arn}:{ALIAS}" if qualifier(context) else arn


def permission_step(context: Context, scope: str) -> Step:
    """The right of the API in front, and of no other, to invoke the function; `scope` is what of the API has it."""
    name, front = context.name, context.variant.front

    def make(outputs: Mapping[str, Outputs]) -> Outputs:
        api, account = outputs[context.resource(front, name).key]["api"], invoked_arn(context, outputs).split(":")[4]
        source = f"arn:aws:execute-api:{context.region}:{account}:{api}/{scope}"
        _permit(context.client("lambda"), {"FunctionName": name, **qualifier(context)}, front, source)
        return {}

    summary = f"right of {front} {name} to invoke the function"
    return Step(context.resource("right", f"{name}:{front}"), summary, {"scope": scope, **qualifier(context)}, make)


def _permit(client: Any, where: dict[str, str], front: str, source: str) -> None:
    """A right for an API that is gone gives way: the API was made again, and has another id."""
    held = permissions(client, where).get(front)
    if held == source:
        return
    if held is not None:
        client.remove_permission(StatementId=front, **where)
    who = {"Principal": "apigateway.amazonaws.com", "SourceArn": source}
    client.add_permission(StatementId=front, Action="lambda:InvokeFunction", **who, **where)


def permissions(client: Any, where: dict[str, str]) -> dict[str, str]:
    """Who may invoke the function through a gateway: front -> ARN of the API and what of it."""
    try:
        policy = json.loads(client.get_policy(**where)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        return {}
    found = {str(each.get("Sid")): each.get("Condition", {}) for each in policy["Statement"]}
    return {
        front: str(condition.get("ArnLike", {}).get("AWS:SourceArn", ""))
        for front, condition in found.items()
        if front in GATEWAYS
    }


def retry_throttled(client: Any, call: Callable[[], T]) -> T:
    """What `call` returns, asked again for a while where API Gateway says that it is asked too often."""
    until_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            return call()
        except client.exceptions.TooManyRequestsException:
            if time.monotonic() > until_s:
                raise
            time.sleep(_PAUSE_S)
