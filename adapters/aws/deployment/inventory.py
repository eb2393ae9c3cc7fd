"""Find and remove what a project has in an AWS account.

A thing counts as ours when its name carries a deployment's id and, where the service gives tags, its tag says the
project too. Kinds are listed in the order of making, so that the last goes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from adapters.aws.deployment import image_registry
from adapters.aws.deployment.aliases import ALIAS
from adapters.aws.deployment.context import GLOBAL
from adapters.aws.deployment.endpoints import api_named
from adapters.aws.deployment.gateways import permissions
from adapters.aws.deployment.rest_api import remove_rest_apis
from adapters.aws.deployment.supporting_resources import HOME_REGION
from adapters.deployment.naming import identity_in
from adapters.deployment.provider import FoundResource, Resource

if TYPE_CHECKING:
    from adapters.aws.deployment.clients import Clients

_TAG = "tripoint-project"


def find(clients: Clients, project: str, regions: Iterable[str]) -> list[FoundResource]:
    """Everything of `project` in the account: roles, and in each region the rest."""
    found = list(_roles(clients, project))
    for region in sorted(set(regions) - {GLOBAL}):
        found += image_registry.find(clients.client("ecr", region), project, region)
        http_apis = list(_http_apis(clients.client("apigatewayv2", region), project))
        rest_apis = list(_rest_apis(clients.client("apigateway", region), project))
        apis = {api for api, _ in (*http_apis, *rest_apis)}
        for kind, names in (
            ("log-group", _log_groups(clients.client("logs", region), project)),
            ("bucket", _buckets(clients.client("s3", region), project, region)),
            ("function", _functions(clients.client("lambda", region), project)),
            ("http-api", (name for _, name in http_apis)),
            ("rest-api", (name for _, name in rest_apis)),
        ):
            resources = [Resource("aws", kind, name, region) for name in names]
            found += [FoundResource(resource, identity_in(resource.name, project) or "") for resource in resources]
            if kind == "function":
                found += _parts(clients.client("lambda", region), project, resources, apis)
            if kind == "bucket":
                found += _objects(clients.client("s3", region), project, resources)
    return found


def remove(clients: Clients, resource: Resource) -> None:
    """Remove one resource; harmless when it is gone."""
    region = HOME_REGION if resource.region == GLOBAL else resource.region
    service, action = _REMOVALS[resource.kind]
    action(clients.client(service, region), resource.name)


def _roles(clients: Clients, project: str) -> Iterator[FoundResource]:
    client = clients.client("iam", HOME_REGION)
    for page in client.get_paginator("list_roles").paginate():
        for role in page["Roles"]:
            name = str(role["RoleName"])
            identity = identity_in(name, project)
            if not identity:
                continue
            with suppress(client.exceptions.NoSuchEntityException):  # listed for a while after its end
                if _says(_tags(client.list_role_tags(RoleName=name)["Tags"]), project):
                    yield FoundResource(Resource("aws", "role", name, GLOBAL), identity)


def _log_groups(client: Any, project: str) -> Iterator[str]:
    pages = client.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=f"/aws/lambda/{project}")
    for page in pages:
        for group in page["logGroups"]:
            name = str(group["logGroupName"])
            if identity_in(name, project):  # also one that Lambda made itself, without tags, after a late log line
                yield name


def _buckets(client: Any, project: str, region: str) -> Iterator[str]:
    for bucket in client.list_buckets()["Buckets"]:
        name = str(bucket["Name"])
        if identity_in(name, project):
            with _gone_is_nothing(client):
                place = client.get_bucket_location(Bucket=name).get("LocationConstraint") or HOME_REGION
                if place == region:
                    yield name


def _objects(client: Any, project: str, buckets: Iterable[Resource]) -> Iterator[FoundResource]:
    for bucket in buckets:
        held: Iterable[dict[str, Any]] = ()
        with _gone_is_nothing(client):
            held = client.list_objects_v2(Bucket=bucket.name).get("Contents", ())
        for each in held:
            resource = Resource("aws", "object", f"{bucket.name}/{each['Key']}", bucket.region)
            yield FoundResource(resource, identity_in(bucket.name, project) or "")


def _functions(client: Any, project: str) -> Iterator[str]:
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            name = str(function["FunctionName"])
            if identity_in(name, project):
                with suppress(client.exceptions.ResourceNotFoundException):
                    tags = client.list_tags(Resource=function["FunctionArn"])["Tags"]
                    if _says(tags, project):
                        yield name


def _parts(
    client: Any, project: str, functions: Iterable[Resource], apis: Collection[str]
) -> Iterator[FoundResource]:
    """The alias and the URL of each function, and who of `apis` may invoke it.

    A right of an API that is gone counts as missing, so that the next `apply` gives one to its successor.
    """
    for function in functions:
        identity = identity_in(function.name, project) or ""
        listed: Iterable[dict[str, Any]] = ()
        with suppress(client.exceptions.ResourceNotFoundException):
            listed = client.list_aliases(FunctionName=function.name)["Aliases"]
        for alias in listed:
            yield FoundResource(
                Resource("aws", "alias", f"{function.name}:{alias['Name']}", function.region), identity
            )
        for qualified in ({}, {"Qualifier": ALIAS}):
            with suppress(client.exceptions.ResourceNotFoundException):
                client.get_function_url_config(FunctionName=function.name, **qualified)
                yield FoundResource(Resource("aws", "function-url", function.name, function.region), identity)
            for front, source in permissions(client, {"FunctionName": function.name, **qualified}).items():
                if source.rpartition(":")[2].partition("/")[0] in apis:
                    yield FoundResource(
                        Resource("aws", "right", f"{function.name}:{front}", function.region), identity
                    )


def _http_apis(client: Any, project: str) -> Iterator[tuple[str, str]]:
    """Id and name of each."""
    for page in client.get_paginator("get_apis").paginate():
        for api in page["Items"]:
            if identity_in(api["Name"], project) and _says(api.get("Tags") or {}, project):
                yield str(api["ApiId"]), str(api["Name"])


def _rest_apis(client: Any, project: str) -> Iterator[tuple[str, str]]:
    """Id and name of each; two of one name are two."""
    for page in client.get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            if identity_in(api["name"], project) and _says(api.get("tags") or {}, project):
                yield str(api["id"]), str(api["name"])


@contextmanager
def _gone_is_nothing(client: Any) -> Iterator[None]:
    """S3 lists a bucket for a while after its end; GetBucketLocation and others then say so with a bare code."""
    try:
        yield
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in ("NoSuchBucket", "404"):
            raise


def _tags(pairs: Iterable[dict[str, str]]) -> dict[str, str]:
    return {pair["Key"]: pair["Value"] for pair in pairs}


def _says(tags: dict[str, str], project: str) -> bool:
    return tags.get(_TAG) == project


def _remove_role(client: Any, name: str) -> None:
    with suppress(client.exceptions.NoSuchEntityException):
        client.delete_role_policy(RoleName=name, PolicyName="logs")
    with suppress(client.exceptions.NoSuchEntityException):
        client.delete_role(RoleName=name)


def _remove_log_group(client: Any, name: str) -> None:
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_log_group(logGroupName=name)


def _remove_bucket(client: Any, name: str) -> None:
    with suppress(client.exceptions.NoSuchBucket):
        for each in client.list_objects_v2(Bucket=name).get("Contents", ()):
            client.delete_object(Bucket=name, Key=each["Key"])
        client.delete_bucket(Bucket=name)


def _remove_object(client: Any, name: str) -> None:
    bucket, _, key = name.partition("/")
    with suppress(client.exceptions.NoSuchBucket):
        client.delete_object(Bucket=bucket, Key=key)


def _remove_function(client: Any, name: str) -> None:
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_function(FunctionName=name)


def _remove_alias(client: Any, name: str) -> None:
    function, _, alias = name.partition(":")
    with suppress(client.exceptions.ResourceNotFoundException):
        client.delete_alias(FunctionName=function, Name=alias)


def _remove_url(client: Any, name: str) -> None:
    for qualified in ({"Qualifier": ALIAS}, {}):
        with suppress(client.exceptions.ResourceNotFoundException):
            client.delete_function_url_config(FunctionName=name, **qualified)


def _remove_right(client: Any, name: str) -> None:
    function, _, front = name.partition(":")
    for qualified in ({"Qualifier": ALIAS}, {}):
        with suppress(client.exceptions.ResourceNotFoundException):
            client.remove_permission(FunctionName=function, StatementId=front, **qualified)


def _remove_http_api(client: Any, name: str) -> None:
    found = api_named(client, name)
    if found is not None:
        with suppress(client.exceptions.NotFoundException):
            client.delete_api(ApiId=found["ApiId"])


_REMOVALS = {
    "role": ("iam", _remove_role),
    "log-group": ("logs", _remove_log_group),
    "bucket": ("s3", _remove_bucket),
    "object": ("s3", _remove_object),
    "function": ("lambda", _remove_function),
    "alias": ("lambda", _remove_alias),
    "function-url": ("lambda", _remove_url),
    "right": ("lambda", _remove_right),
    "http-api": ("apigatewayv2", _remove_http_api),
    **image_registry.REMOVALS,
    "rest-api": ("apigateway", remove_rest_apis),
}
