"""Make the address of a Lambda function: a Function URL, an HTTP API or a REST API, closed by IAM unless public.

Vendor facts: docs.aws.amazon.com/lambda/latest/dg/urls-auth.html, as of 2026-11-20.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment.aliases import qualifier
from adapters.aws.deployment.gateways import permission_step
from adapters.aws.deployment.http_api import http_api_step
from adapters.aws.deployment.rest_api import STAGE, rest_api_step
from adapters.deployment.provider import Step

if TYPE_CHECKING:
    from collections.abc import Mapping

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
