"""An ECR repository and the image in it, for functions that run from an image.

Vendor facts: docs.aws.amazon.com/AmazonECR/latest/APIReference and, on the repository's region and its policy,
docs.aws.amazon.com/lambda/latest/dg/images-create.html; as of 2026-11-25.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from adapters import contract
from adapters.bundle import image, push
from adapters.bundle.build import BundleSpec
from adapters.bundle.errors import BundleError
from adapters.bundle.target import target_of
from adapters.deployment.errors import DeployError
from adapters.deployment.naming import identity_in
from adapters.deployment.provider import FoundResource, Resource, Step

if TYPE_CHECKING:
    from adapters.aws.deployment.context import Context
    from adapters.deployment.function_spec import FunctionSpec
    from adapters.deployment.provider import Outputs

_TAG = "tripoint-project"
_READERS = {
    "Sid": "LambdaECRImageRetrievalPolicy",
    "Effect": "Allow",
    "Principal": {"Service": "lambda.amazonaws.com"},
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
}
_POLICY = json.dumps({"Version": "2012-10-17", "Statement": [_READERS]}, sort_keys=True)


def order_of(variant: FunctionSpec) -> BundleSpec:
    """What a zip or an image of `variant` is built from. Raises BundleError."""
    cloud = contract.load(variant.cloud)
    target = target_of(cloud, python=variant.python, arch=variant.architecture)
    return BundleSpec(
        cloud,
        target,
        model=variant.model,
        variant=variant.model_variant,
        runtime=variant.runtime,
        memory_mb=variant.memory,
    )


def contents(variant: FunctionSpec) -> str:
    """What a function from an image is made from: an address that was given, or a tag that says the contents."""
    return variant.image or _tag(order_of(variant))


def address(context: Context, tag: str, made: Mapping[str, Outputs]) -> str:
    """Where the function's image is; ours, of that tag, by its digest, which nothing can be put in place of."""
    return context.variant.image or made[_image(context, tag).key]["uri"]


def steps(context: Context) -> list[Step]:
    """The repository of the deployment in this region, and the image; none for a zip or for an image of the user's.

    Raises BundleError for an image that cannot be built here or would fail there.
    """
    if not context.variant.builds_image:
        return []
    image.check(order_of(context.variant))
    return [_repository_step(context), _image_step(context)]


def _repository_step(context: Context) -> Step:
    """A tag in it is never written twice, and nothing scans: the repository lives for hours."""
    name = context.deployment.name

    def make(_: Mapping[str, Outputs]) -> Outputs:
        client = context.client("ecr")
        tags = [{"Key": key, "Value": value} for key, value in context.deployment.tags().items()]
        with suppress(client.exceptions.RepositoryAlreadyExistsException):
            client.create_repository(
                repositoryName=name,
                tags=tags,
                imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": False},
            )
        client.set_repository_policy(repositoryName=name, policyText=_POLICY)
        [found] = client.describe_repositories(repositoryNames=[name])["repositories"]
        return {"uri": str(found["repositoryUri"])}

    return Step(_repository(context), f"image repository {name}, which Lambda may read", {"policy": _POLICY}, make)


def _image_step(context: Context) -> Step:
    """Built and sent only where the repository does not hold the very contents."""
    order = order_of(context.variant)
    name, tag = context.deployment.name, _tag(order)

    def make(made: Mapping[str, Outputs]) -> Outputs:
        client, where = context.client("ecr"), made[_repository(context).key]["uri"]
        if _digest(client, name, tag) is None:
            try:
                built = image.make(order)
                if _tag(order) != tag:
                    raise BundleError("files of the image changed while it was built")
                push.push(built, f"{where}:{tag}", login(client))
            except BundleError as error:
                raise DeployError(f"aws: {error}; `tripoint deploy apply` resumes") from error
        digest = _digest(client, name, tag)
        if digest is None:
            raise DeployError(f"aws: {where}:{tag} was sent and is not there; `tripoint deploy apply` tries again")
        return {"uri": f"{where}@{digest}"}

    return Step(_image(context, tag), f"image {tag}, built here and sent to {name}", {}, make)


def login(client: Any) -> push.Login:
    """The registry's own user and password, which hold for 12 hours."""
    [found] = client.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return push.Login(found["proxyEndpoint"].partition("://")[2], user, password)


def find(client: Any, project: str, region: str) -> Iterator[FoundResource]:
    """The repositories of `project` and the images in them, in the order of making."""
    for page in client.get_paginator("describe_repositories").paginate():
        for each in page["repositories"]:
            name = str(each["repositoryName"])
            identity = identity_in(name, project)
            if identity and _is_ours(client, each["repositoryArn"], project):
                yield FoundResource(Resource("aws", "repository", name, region), identity)
                for tag in _tags(client, name):
                    yield FoundResource(Resource("aws", "image", f"{name}:{tag}", region), identity)


def _is_ours(client: Any, arn: str, project: str) -> bool:
    tags = client.list_tags_for_resource(resourceArn=arn)["tags"]
    return {"Key": _TAG, "Value": project} in tags


def _tags(client: Any, name: str) -> Iterator[str]:
    for page in client.get_paginator("list_images").paginate(repositoryName=name, filter={"tagStatus": "TAGGED"}):
        yield from (str(each["imageTag"]) for each in page["imageIds"])


def _digest(client: Any, name: str, tag: str) -> str | None:
    try:
        [found] = client.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])["imageDetails"]
    except client.exceptions.ImageNotFoundException:
        return None
    return str(found["imageDigest"])


def _tag(order: BundleSpec) -> str:
    return f"{image.title(order)}-{image.contents(order)}"


def _repository(context: Context) -> Resource:
    return context.resource("repository", context.deployment.name)


def _image(context: Context, tag: str) -> Resource:
    """Its tag says the contents: another image is another resource."""
    return context.resource("image", f"{context.deployment.name}:{tag}")


def _remove_repository(client: Any, name: str) -> None:
    with suppress(client.exceptions.RepositoryNotFoundException):
        client.delete_repository(repositoryName=name, force=True)


def _remove_image(client: Any, name: str) -> None:
    repository, _, tag = name.partition(":")
    with suppress(client.exceptions.RepositoryNotFoundException):
        client.batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": tag}])


REMOVALS = {"repository": ("ecr", _remove_repository), "image": ("ecr", _remove_image)}
