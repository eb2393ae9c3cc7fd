"""Deploying to AWS Lambda with boto3: what is to exist, how it is found again, and how it goes.

Vendor facts: docs.aws.amazon.com/lambda/latest/api, read 2026-11-20.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adapters.aws import functions, inventory
from adapters.bundle import ready
from adapters.deployment import resources
from adapters.deployment.errors import NotReady
from adapters.deployment.resources import Endpoint, Resource, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from adapters.deployment.naming import Deployment
    from adapters.deployment.resources import Found, Outputs, Provider, ProviderModule
    from adapters.deployment.variant import Variant

# A direct upload holds 50 MB; boto3 sends it in base64 inside one request.
DIRECT_BYTES = 50 * 1024 * 1024
# Lambda keeps at least this many of an account's instances unreserved.
UNRESERVED_FLOOR = 100
PERMISSIONS = (
    "iam:CreateRole GetRole DeleteRole TagRole ListRoles ListRoleTags PutRolePolicy DeleteRolePolicy PassRole",
    "lambda:CreateFunction GetFunction UpdateFunctionCode UpdateFunctionConfiguration DeleteFunction ListFunctions",
    "lambda:TagResource ListTags PublishVersion CreateAlias UpdateAlias DeleteAlias GetAccountSettings",
    "lambda:PutFunctionConcurrency DeleteFunctionConcurrency PutProvisionedConcurrencyConfig",
    "lambda:CreateFunctionUrlConfig UpdateFunctionUrlConfig GetFunctionUrlConfig DeleteFunctionUrlConfig AddPermission",
    "lambda:InvokeFunctionUrl InvokeFunction (to measure)",
    "logs:CreateLogGroup PutRetentionPolicy DescribeLogGroups FilterLogEvents DeleteLogGroup TagResource ListTagsForResource",
    "s3:CreateBucket PutObject DeleteObject DeleteBucket ListAllMyBuckets (only for zips above 50 MB)",
    'apigateway:POST GET DELETE TagResource (only for front = "http-api")',
)


@dataclass(frozen=True, slots=True)
class Aws:
    """AWS through the standard chain of credentials; AWS_ENDPOINT_URL leads to a stand-in, as boto3 documents it."""

    def client(self, service: str, region: str) -> Any:
        return resources.sdk("boto3", cloud="aws").client(service, region_name=region)

    def check(self) -> None:
        if resources.sdk("boto3", cloud="aws").Session().get_credentials() is None:
            raise NotReady("aws: no credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE")

    def permissions(self) -> Sequence[str]:
        return PERMISSIONS

    def notes(self, variants: Sequence[Variant]) -> Iterable[str]:
        """Compare what is asked with the account's quota; new accounts allow 10 instances at once."""
        for region in sorted({variant.place for variant in variants}):
            allowed = functions.unreserved(self.client("lambda", region))
            asked = sum(variant.maximum_instances for variant in variants if variant.place == region)
            if asked > allowed - UNRESERVED_FLOOR:
                yield (
                    f"aws {region}: {asked} instances are asked for, but the account has {allowed} unreserved and must "
                    f"keep {UNRESERVED_FLOOR}: the account's own limit is the safety net there"
                )

    def steps(self, deployment: Deployment, variants: Sequence[Variant]) -> Sequence[Step]:
        if not variants:
            return []
        found = [role(self, deployment, variants[0].place)]
        for variant in variants:
            found += functions.steps(self, deployment, variant)
        return found

    def endpoints(self, deployment: Deployment, variants: Sequence[Variant]) -> Sequence[Endpoint]:
        return [functions.endpoint(self, deployment, variant) for variant in variants]

    def remove(self, resource: Resource) -> None:
        inventory.remove(self, resource)

    def find(self, project: str, regions: Iterable[str]) -> Sequence[Found]:
        return inventory.find(self, project, regions)

    def logs(self, deployment: Deployment, variant: Variant, *, limit: int) -> Iterable[str]:
        """The last log lines, REPORT lines included."""
        client = self.client("logs", variant.place)
        group = functions.log_group(functions.function_name(deployment, variant))
        events: list[Any] = []
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
            events = (events + page["events"])[-limit:]
        return [event["message"].rstrip() for event in events]


def role(aws: Aws, deployment: Deployment, region: str) -> Step:
    """The role that all functions run as: it may write to this deployment's own log groups and nothing else."""
    name = deployment.name
    trust = _policy("sts:AssumeRole", {"Principal": {"Service": "lambda.amazonaws.com"}})
    prefix = f"arn:aws:logs:*:*:log-group:{functions.log_group(name)}-*"
    rights = _policy(["logs:CreateLogStream", "logs:PutLogEvents"], {"Resource": [f"{prefix}:*", prefix]})

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = aws.client("iam", region)
        try:
            made = client.get_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            tags = [{"Key": key, "Value": value} for key, value in deployment.tags().items()]
            made = client.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=tags)
        client.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=rights)
        return {"arn": str(made["Role"]["Arn"])}

    resource = Resource("aws", "role", name, region)
    return Step(resource, f"aws role {name}", {"trust": trust, "rights": rights}, make)


def _policy(action: str | list[str], rest: dict[str, object]) -> str:
    statement = {"Effect": "Allow", "Action": action, **rest}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)


def provider() -> Provider:
    return Aws()


_module: type[ProviderModule] | None = None
