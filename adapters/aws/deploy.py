"""Deploy to AWS Lambda with boto3: the provider that `tripoint deploy` drives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment import aliases, endpoints, functions, image_registry, inventory, supporting_resources
from adapters.aws.deployment.clients import Clients
from adapters.aws.deployment.context import Context
from adapters.aws.deployment.functions import UNRESERVED_FLOOR
from adapters.aws.deployment.report_lines import MATCHED_FRONT, PATTERN, reports_in
from adapters.deployment import provider as resources
from adapters.deployment.errors import DeployError, NotReady
from adapters.deployment.provider import DeployedEndpoint
from adapters.deployment.request_auth import RequestAuth

if TYPE_CHECKING:
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.naming import Deployment
    from adapters.deployment.provider import FoundResource, Outputs, Provider, Resource, Step
    from adapters.platform_report import PlatformReport

PLANS = ("on-demand", "snapstart", "provisioned")
_LOGIN = "aws: no credentials: run `aws configure` or `aws sso login`, or set AWS_PROFILE"
PERMISSIONS = (
    "iam: CreateRole GetRole DeleteRole TagRole ListRoles ListRoleTags PutRolePolicy DeleteRolePolicy PassRole",
    "lambda: CreateFunction GetFunction GetFunctionConfiguration UpdateFunctionCode UpdateFunctionConfiguration"
    " DeleteFunction ListFunctions TagResource ListTags GetAccountSettings GetFunctionConcurrency"
    " PutFunctionConcurrency",
    "lambda: CreateFunctionUrlConfig UpdateFunctionUrlConfig GetFunctionUrlConfig DeleteFunctionUrlConfig"
    " AddPermission ListAliases; to measure: InvokeFunctionUrl InvokeFunction",
    "lambda, plans snapstart and provisioned: PublishVersion CreateAlias GetAlias UpdateAlias DeleteAlias"
    " PutProvisionedConcurrencyConfig GetProvisionedConcurrencyConfig",
    "logs: CreateLogGroup DescribeLogGroups DeleteLogGroup PutRetentionPolicy FilterLogEvents TagResource",
    "s3, to list, and for zips above 50 MB: ListAllMyBuckets GetBucketLocation CreateBucket PutBucketTagging"
    " PutObject GetObject ListBucket DeleteObject DeleteBucket",
    "ecr, to list, and for format image: DescribeRepositories ListTagsForResource ListImages; GetAuthorizationToken"
    " CreateRepository TagResource GetRepositoryPolicy SetRepositoryPolicy DescribeImages BatchDeleteImage"
    " DeleteRepository; for the tool that sends: BatchCheckLayerAvailability InitiateLayerUpload UploadLayerPart"
    " CompleteLayerUpload PutImage BatchGetImage",
    "apigateway: GET; for front http-api also POST, PATCH and DELETE on /apis, and TagResource",
    "apigateway, front rest-api: POST, PUT, PATCH and DELETE on /restapis, and PUT on /tags",
    "lambda: GetPolicy; fronts http-api and rest-api: RemovePermission; to measure: execute-api Invoke",
)


class Aws:
    """AWS as a provider of `tripoint deploy`."""

    def __init__(self) -> None:
        self.clients = Clients()

    def check(self) -> None:
        if self.clients.session.get_credentials() is None:
            raise NotReady(_LOGIN)

    def errors(self) -> tuple[type[Exception], ...]:
        found = resources.sdk("botocore.exceptions", cloud="aws")
        return (found.BotoCoreError, found.ClientError)

    def permissions(self) -> Sequence[str]:
        return PERMISSIONS

    def notes(self, variants: Sequence[FunctionSpec]) -> Iterable[str]:
        """Compare what is asked with the account's quota: new accounts allow 10 instances at once."""
        for region in sorted({variant.place for variant in variants}):
            free = functions.unreserved(self.clients.client("lambda", region))
            kept = sum(variant.reserved_instances for variant in variants if variant.place == region)
            if kept > max(free - UNRESERVED_FLOOR, 0):
                raise DeployError(
                    f"aws {region}: {kept} instances cannot be kept ready, for the account has {free} unreserved and"
                    f" keeps {UNRESERVED_FLOOR}: ask AWS for a higher quota of concurrent executions, or leave the"
                    " plan provisioned out"
                )
            asked = sum(variant.maximum_instances for variant in variants if variant.place == region)
            if asked > free - UNRESERVED_FLOOR:
                yield (
                    f"aws {region}: {asked} instances cannot be reserved, for the account has {free} unreserved and "
                    f"keeps {UNRESERVED_FLOOR}; the account's own limit is the safety net"
                )

    def steps(self, deployment: Deployment, variants: Sequence[FunctionSpec]) -> Sequence[Step]:
        found = [supporting_resources.role_step(self.clients, deployment)] if variants else []
        for variant in variants:
            found += variant_steps(Context(self.clients, deployment, variant))
        return list({step.resource.key: step for step in found}.values())  # a region's bucket is shared

    def endpoints(
        self, deployment: Deployment, variants: Sequence[FunctionSpec], made: Mapping[str, Outputs]
    ) -> Sequence[DeployedEndpoint]:
        found = []
        for variant in variants:
            context = Context(self.clients, deployment, variant)
            outputs = made.get(endpoints.front_steps(context)[0].resource.key)
            if outputs:
                details = {"region": variant.place, "service": _signed_for(variant)}
                found.append(DeployedEndpoint(variant, context.name, outputs["url"], outputs["access"], details))
        return found

    def open(self, endpoint: DeployedEndpoint) -> RequestAuth:
        if endpoint.access == "public":
            return RequestAuth()
        found = self.clients.session.get_credentials()
        if found is None:
            raise NotReady(_LOGIN)
        held = found.get_frozen_credentials()
        keys = {
            "access_key": held.access_key,
            "secret_key": held.secret_key,
            "session_token": held.token or "",
            **endpoint.details,
        }
        return RequestAuth(signer="adapters.aws.deployment.sigv4", keys=keys)

    def force_cold_start(self, deployment: Deployment, variant: FunctionSpec) -> None:
        """A changed configuration gets new environments; behind an alias only as a new version."""
        context = Context(self.clients, deployment, variant)
        functions.retire(context)
        if aliases.qualifier(context):
            aliases.republish(context)

    def remove(self, resource: Resource) -> None:
        inventory.remove(self.clients, resource)

    def everywhere(self) -> Sequence[str]:
        found: Sequence[str] = sorted(self.clients.session.get_available_regions("lambda"))
        return found

    def find(self, project: str, regions: Iterable[str]) -> Sequence[FoundResource]:
        return inventory.find(self.clients, project, regions)

    def logs(self, deployment: Deployment, variant: FunctionSpec, *, limit: int) -> Iterable[str]:
        """The last log lines, REPORT lines included."""
        group = supporting_resources.log_group(Context(self.clients, deployment, variant).name)
        events: list[Any] = []
        client = self.clients.client("logs", variant.place)
        for page in client.get_paginator("filter_log_events").paginate(logGroupName=group):
            events = (events + page["events"])[-limit:]
        return [str(event["message"]).rstrip() for event in events]

    def reports(
        self, deployment: Deployment, variant: FunctionSpec, *, since: datetime
    ) -> Mapping[str, PlatformReport] | None:
        """From the REPORT lines of the log group; they come seconds to minutes after the answers."""
        if variant.front != MATCHED_FRONT:
            return None
        group = supporting_resources.log_group(Context(self.clients, deployment, variant).name)
        pages = self.clients.client("logs", variant.place).get_paginator("filter_log_events")
        begin_ms = int(since.timestamp() * 1000)
        found = pages.paginate(logGroupName=group, filterPattern=PATTERN, startTime=begin_ms)
        return reports_in(str(event["message"]) for page in found for event in page["events"])


def variant_steps(context: Context) -> list[Step]:
    """Log group, bucket of a large zip or repository and image, function, version where one is wanted, endpoint."""
    refuse_impossible(context.variant)
    refuse_long_name(context.name)
    built = functions.bundle_of(context.variant)
    found = [supporting_resources.logs_step(context)]
    if built is not None and built.zipped_bytes > functions.DIRECT_BYTES:
        found += supporting_resources.bucket_steps(context, built)
    found += image_registry.steps(context)
    found.append(functions.function_step(context, built))
    if aliases.qualifier(context):
        found.append(aliases.alias_step(context, built))
    return [*found, *endpoints.front_steps(context)]


def refuse_impossible(variant: FunctionSpec) -> None:
    """Raise ValueError for what Lambda would refuse."""
    if variant.concurrency != 1:
        raise ValueError(
            f"aws: concurrency is {variant.concurrency}: Lambda gives each request its own instance; use 1"
        )
    if variant.plan_name not in PLANS:
        raise ValueError(
            f"aws: plan {variant.plan_name!r} is not made by `deploy`: use one of {', '.join(PLANS)}; `tripoint cost`"
            " knows the others"
        )
    if variant.plan_name == "snapstart" and (variant.from_image or variant.python == "3.11"):
        raise ValueError("aws: SnapStart needs a zip and Python 3.12 or later")
    if (variant.plan_name == "provisioned") != bool(variant.reserved_instances):
        raise ValueError(
            f"aws: plan {variant.plan_name!r} with reserved_instances of {variant.reserved_instances}: instances kept"
            " ready have a plan and a price of their own: provisioned, with 1 or more of them"
        )


def refuse_long_name(name: str) -> None:
    """Raise ValueError for a function's name that Lambda would refuse."""
    if len(name) > functions.LONGEST_NAME:
        raise ValueError(
            f"aws: the function's name {name!r} has {len(name)} characters, Lambda takes {functions.LONGEST_NAME}:"
            " choose a shorter project"
        )


def _signed_for(variant: FunctionSpec) -> str:
    return "lambda" if variant.front == "function-url" else "execute-api"


def provider() -> Provider:
    return Aws()
