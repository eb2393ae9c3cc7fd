"""The resources around a Lambda function: a role, a log group, and a bucket for a large zip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from adapters.aws.deployment.context import GLOBAL
from adapters.deployment.provider import Resource, Step

if TYPE_CHECKING:
    from adapters.aws.deployment.clients import Clients
    from adapters.aws.deployment.context import Context
    from adapters.bundle.build import Bundle
    from adapters.deployment.naming import Deployment
    from adapters.deployment.provider import Outputs

RETENTION_DAYS = 7
HOME_REGION = "us-east-1"  # IAM is one for all regions


def log_group(function: str) -> str:
    return f"/aws/lambda/{function}"


def role_step(clients: Clients, deployment: Deployment) -> Step:
    """The role that all functions run as: it may write to this deployment's own log groups and nothing else."""
    name = deployment.name
    trust = _policy("sts:AssumeRole", {"Principal": {"Service": "lambda.amazonaws.com"}})
    groups = f"arn:aws:logs:*:*:log-group:{log_group(name)}-*"
    rights = _policy(["logs:CreateLogStream", "logs:PutLogEvents"], {"Resource": [groups, f"{groups}:*"]})

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = clients.client("iam", HOME_REGION)
        try:
            made = client.get_role(RoleName=name)
        except client.exceptions.NoSuchEntityException:
            made = client.create_role(RoleName=name, AssumeRolePolicyDocument=trust, Tags=pairs(deployment))
        client.put_role_policy(RoleName=name, PolicyName="logs", PolicyDocument=rights)
        return {"arn": str(made["Role"]["Arn"])}

    wanted = {"trust": trust, "rights": rights}
    return Step(
        Resource("aws", "role", name, GLOBAL), f"role {name}, which may write its own logs only", wanted, make
    )


def logs_step(context: Context) -> Step:
    group = log_group(context.name)

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = context.client("logs")
        with suppress(client.exceptions.ResourceAlreadyExistsException):
            client.create_log_group(logGroupName=group, tags=context.deployment.tags())
        client.put_retention_policy(logGroupName=group, retentionInDays=RETENTION_DAYS)
        return {}

    summary = f"log group {group}, kept {RETENTION_DAYS} days"
    return Step(context.resource("log-group", group), summary, {}, make)


def bucket_steps(context: Context, built: Bundle) -> list[Step]:
    """A bucket of the deployment's own, one for each region, and the zip in it."""
    bucket, key = context.bucket, context.archive

    def make_bucket(_: Mapping[str, Outputs]) -> Outputs:
        client = context.client("s3")
        place = {"CreateBucketConfiguration": {"LocationConstraint": context.region}}
        with suppress(client.exceptions.BucketAlreadyOwnedByYou):
            client.create_bucket(Bucket=bucket, **({} if context.region == HOME_REGION else place))
        client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs(context.deployment)})
        return {}

    def make_object(_: Mapping[str, Outputs]) -> Outputs:
        context.client("s3").upload_file(str(built.archive), bucket, key)
        return {}

    resources = context.resource("bucket", bucket), context.resource("object", f"{bucket}/{key}")
    return [
        Step(resources[0], f"bucket {bucket}, for zips above 50 MB", {}, make_bucket),
        Step(resources[1], f"object {resources[1].name}", {"digest": built.digest}, make_object),
    ]


def pairs(deployment: Deployment) -> list[dict[str, str]]:
    """Tags in the shape of IAM and S3."""
    return [{"Key": key, "Value": value} for key, value in deployment.tags().items()]


def _policy(action: str | list[str], rest: dict[str, object]) -> str:
    statement = {"Effect": "Allow", "Action": action, **rest}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, sort_keys=True)
