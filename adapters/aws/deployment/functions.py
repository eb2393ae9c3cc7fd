"""Make one Lambda function, or bring its configuration and code up to date.

Vendor facts: docs.aws.amazon.com/lambda/latest/api, as of 2026-11-20.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment import image_registry
from adapters.aws.deployment.context import GLOBAL, Context
from adapters.bundle.cached_build import build_cached
from adapters.deployment.errors import DeployError
from adapters.deployment.patience import patiently
from adapters.deployment.provider import Resource, Step

if TYPE_CHECKING:
    from adapters.bundle.build import Bundle
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.provider import Outputs

HANDLER = "adapters.aws.handler.lambda_handler"
# Lambda keeps at least this many of an account's instances unreserved (lambda-concurrency.html).
UNRESERVED_FLOOR = 100
# A direct upload holds 50 MB (gettingstarted-limits.html); larger zips go through a bucket.
# In base64 the request must stay below 69,905,067 bytes, which the last kilobytes of 50 MB do not.
DIRECT_BYTES = 49 * 1024 * 1024
LONGEST_NAME = 64  # docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html, as of 2026-11-25
GENERATION = "TRIPOINT_GENERATION"
# A new role takes seconds to minutes to be known everywhere; so long, Lambda refuses it in several words (public
# reports: terraform-provider-aws 4633 and 44517, chalice 1069).
_ROLE_WAIT_S = 300.0
_ROLE_NOT_KNOWN = (
    "cannot be assumed",
    "KMS key is invalid for CreateGrant",
    "does not refer to a valid principal",
    "execution role does not have permissions",
    "role defined for the function",
)


def bundle_of(variant: FunctionSpec) -> Bundle | None:
    """The checked zip of a variant; None for one that runs an image."""
    return None if variant.from_image else build_cached(image_registry.order_of(variant))


def function_step(context: Context, built: Bundle | None) -> Step:
    """The function itself, with its safety net of reserved concurrency."""
    variant, name = context.variant, context.name
    settings = configuration(variant, built)
    contents = built.digest if built else image_registry.contents(variant)

    def make(outputs: Mapping[str, Outputs]) -> Outputs:
        role = outputs[Resource("aws", "role", context.deployment.name, GLOBAL).key]["arn"]
        client, code = context.client("lambda"), _code(context, built, contents, outputs)
        if exists(client, name):
            _update(client, context, {**settings, "Role": role}, code)
        else:
            _create(client, context, {**settings, "Role": role, "Code": code})
        _cap(client, context)
        return {"arn": str(client.get_function(FunctionName=name)["Configuration"]["FunctionArn"])}

    form = "image" if variant.from_image else settings["Runtime"]
    summary = f"function {name} ({variant.memory} MB, {variant.architecture}, {form})"
    wanted = {
        "settings": settings,
        "contents": contents,
        "maximum": variant.maximum_instances,
    }
    return Step(context.resource("function", name), summary, wanted, make)


def configuration(variant: FunctionSpec, built: Bundle | None) -> dict[str, Any]:
    """What CreateFunction and UpdateFunctionConfiguration both take."""
    settings: dict[str, Any] = {
        "MemorySize": variant.memory,
        "Timeout": variant.timeout_s,
        "Environment": {"Variables": {"OPENBLAS_NUM_THREADS": "1", **variant.settings}},
    }
    if built is not None:
        python = variant.python or str(variant.data["bundle"]["target"]["python"])
        settings |= {"Runtime": f"python{python}", "Handler": HANDLER}
    if variant.plan_name == "snapstart":
        settings["SnapStart"] = {"ApplyOn": "PublishedVersions"}
    return settings


def retire(context: Context) -> None:
    """Change a variable that nothing reads: Lambda then uses new environments only."""
    client, name = context.client("lambda"), context.name
    held = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    variables = {**held, GENERATION: format(time.time_ns(), "x")}
    client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    client.get_waiter("function_updated_v2").wait(FunctionName=name)


def exists(client: Any, name: str) -> bool:
    try:
        client.get_function(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def unreserved(client: Any) -> int:
    """How many instances of the account are not reserved by any function."""
    return int(client.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"])


def _code(context: Context, built: Bundle | None, contents: str, made: Mapping[str, Outputs]) -> dict[str, Any]:
    if built is None:
        return {"ImageUri": image_registry.address(context, contents, made)}
    if built.zipped_bytes > DIRECT_BYTES:
        return {"S3Bucket": context.bucket, "S3Key": context.archive}
    return {"ZipFile": built.archive.read_bytes()}


def _create(client: Any, context: Context, settings: dict[str, Any]) -> None:
    """Create the function, waiting while the new role is not known everywhere yet."""
    form = {"PackageType": "Image"} if context.variant.from_image else {"PackageType": "Zip"}
    architecture = [_architecture(context.variant)]
    refused = client.exceptions.InvalidParameterValueException

    def create() -> None:
        client.create_function(
            FunctionName=context.name,
            Architectures=architecture,
            Tags=context.deployment.tags(),
            **form,
            **settings,
        )

    def passes(error: Exception) -> bool:
        return isinstance(error, refused) and any(words in str(error) for words in _ROLE_NOT_KNOWN)

    try:
        patiently(create, again=passes, within_s=_ROLE_WAIT_S)
    except refused as error:
        advice = "; its role is made but not known everywhere yet: apply again in some minutes"
        raise DeployError(
            f"aws: function {context.name} was refused: {error}{advice if passes(error) else ''}"
        ) from error
    client.get_waiter("function_active_v2").wait(FunctionName=context.name)


def _update(client: Any, context: Context, settings: dict[str, Any], code: dict[str, Any]) -> None:
    waiter, name = client.get_waiter("function_updated_v2"), context.name
    waiter.wait(FunctionName=name)
    client.update_function_configuration(FunctionName=name, **settings)
    waiter.wait(FunctionName=name)
    architecture = [_architecture(context.variant)]
    client.update_function_code(FunctionName=name, Architectures=architecture, **code)
    waiter.wait(FunctionName=name)


def _cap(client: Any, context: Context) -> None:
    """Reserve what the variant may use at most, as far as the account's quota lets it."""
    wanted = context.variant.maximum_instances
    held = client.get_function_concurrency(FunctionName=context.name).get("ReservedConcurrentExecutions", 0)
    if wanted <= unreserved(client) + held - UNRESERVED_FLOOR:
        client.put_function_concurrency(FunctionName=context.name, ReservedConcurrentExecutions=wanted)


def _architecture(variant: FunctionSpec) -> str:
    return "arm64" if variant.architecture == "arm64" else "x86_64"
