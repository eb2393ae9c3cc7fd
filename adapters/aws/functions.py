"""One Lambda function with what belongs to it: log group, code, concurrency, version, endpoint.

Vendor facts: docs.aws.amazon.com/lambda/latest/api, read 2026-11-20.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.bundle.build import Order
from adapters.bundle.ready import ready
from adapters.bundle.target import target_of
from adapters.deployment.errors import DeployError
from adapters.deployment.resources import Endpoint, Resource, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.aws.deploy import Aws
    from adapters.bundle.build import Built
    from adapters.deployment.naming import Deployment
    from adapters.deployment.resources import Outputs
    from adapters.deployment.variant import Variant

HANDLER = "adapters.aws.handler.lambda_handler"
ALIAS = "live"
RETENTION_DAYS = 7
# Lambda keeps at least this many of an account's instances unreserved (lambda-concurrency.html).
UNRESERVED_FLOOR = 100
# A direct upload holds 50 MB (gettingstarted-limits.html); larger zips go through a bucket.
DIRECT_BYTES = 50 * 1024 * 1024
_ROLE_WAIT_S = 60.0
_PUBLIC_ACTIONS = {"url": "lambda:InvokeFunctionUrl", "invoke": "lambda:InvokeFunction"}


@dataclass(frozen=True, slots=True)
class Context:
    """What every step of one variant's function needs."""

    aws: Aws
    deployment: Deployment
    variant: Variant

    @property
    def name(self) -> str:
        return f"{self.deployment.name}-{self.variant.label}"

    @property
    def region(self) -> str:
        return self.variant.place

    @property
    def lambda_(self) -> Any:
        return self.aws.client("lambda", self.region)

    @property
    def qualifier(self) -> str | None:
        """The alias that is called: only published versions have snapshots or provisioned instances."""
        return ALIAS if self.variant.plan_name in {"snapstart", "provisioned"} else None

    @property
    def qualified(self) -> dict[str, str]:
        return {"Qualifier": self.qualifier} if self.qualifier else {}

    def resource(self, kind: str, name: str) -> Resource:
        return Resource("aws", kind, name, self.region)


def log_group(function: str) -> str:
    return f"/aws/lambda/{function}"


def bundle_of(variant: Variant) -> Built:
    """The checked zip of a variant."""
    cloud = contract.load(variant.cloud)
    target = target_of(cloud, python=variant.python, arch=variant.architecture)
    chosen = {"model": variant.model, "variant": variant.model_variant, "runtime": variant.runtime}
    return ready(Order(cloud, target, memory_mb=variant.memory, **chosen))


def steps(context: Context) -> list[Step]:
    """Log group, zip in a bucket where it is large, function, version where the plan wants one, endpoint."""
    variant = context.variant
    _refuse_impossible(variant)
    built = None if variant.image else bundle_of(variant)
    found = [logs_step(context)]
    if built is not None and built.zipped_bytes > DIRECT_BYTES:
        found += [bucket_step(context), object_step(context, built)]
    found.append(function_step(context, built))
    if context.qualifier:
        found.append(alias_step(context, built))
    return [*found, url_step(context)]


def _refuse_impossible(variant: Variant) -> None:
    if variant.concurrency != 1:
        raise ValueError(f"aws: concurrency {variant.concurrency}: Lambda gives each request an instance of its own; 1")
    if variant.plan_name == "snapstart" and (variant.image or variant.python == "3.11"):
        raise ValueError("aws: SnapStart needs a zip and Python 3.12 or later")
    if variant.plan_name == "provisioned" and variant.reserved_instances < 1:
        raise ValueError("aws: plan 'provisioned' needs reserved_instances of 1 or more")


def logs_step(context: Context) -> Step:
    group = log_group(context.name)

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = context.aws.client("logs", context.region)
        try:
            client.create_log_group(logGroupName=group, tags=context.deployment.tags())
        except client.exceptions.ResourceAlreadyExistsException:
            pass
        client.put_retention_policy(logGroupName=group, retentionInDays=RETENTION_DAYS)
        return {}

    summary = f"log group {group}, kept {RETENTION_DAYS} days"
    return Step(context.resource("log-group", group), summary, {}, make)


def bucket_step(context: Context) -> Step:
    name = context.name[:63].rstrip("-")

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = context.aws.client("s3", context.region)
        place = {} if context.region == "us-east-1" else {"LocationConstraint": context.region}
        try:
            client.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        except client.exceptions.BucketAlreadyOwnedByYou:
            pass
        tags = [{"Key": key, "Value": value} for key, value in context.deployment.tags().items()]
        client.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        return {"bucket": name}

    return Step(context.resource("bucket", name), f"bucket {name}, for a zip above 50 MB", {}, make)


def object_step(context: Context, built: Built) -> Step:
    bucket = context.name[:63].rstrip("-")

    def make(_: Mapping[str, Outputs]) -> Outputs:
        context.aws.client("s3", context.region).upload_file(str(built.archive), bucket, "function.zip")
        return {}

    resource = context.resource("object", f"{bucket}/function.zip")
    return Step(resource, f"object {resource.name}", {"digest": built.digest}, make)


def function_step(context: Context, built: Built | None) -> Step:
    settings, code = configuration(context.variant), _code(context, built)
    contents = built.digest if built else str(context.variant.image)

    def make(outputs: Mapping[str, Outputs]) -> Outputs:
        role = outputs[f"aws/{context.region}/role/{context.deployment.name}"]["arn"]
        client = context.lambda_
        if _exists(client, context.name):
            client.update_function_configuration(FunctionName=context.name, Role=role, **settings)
            client.get_waiter("function_updated_v2").wait(FunctionName=context.name)
            client.update_function_code(FunctionName=context.name, Architectures=[_arch(context)], **_contents(code, built))
            client.get_waiter("function_updated_v2").wait(FunctionName=context.name)
        else:
            _create(context, {**settings, "Role": role, "Code": _contents(code, built)})
        _limit(context)
        return {"arn": str(client.get_function(FunctionName=context.name)["Configuration"]["FunctionArn"])}

    variant = context.variant
    summary = f"function {context.name} ({variant.memory} MB, {variant.architecture}, {_form(variant)})"
    wanted = {"settings": settings, "contents": contents, "maximum": variant.maximum_instances}
    return Step(context.resource("function", context.name), summary, wanted, make)
