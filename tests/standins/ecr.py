"""ECR's control plane: moto's, joined to a registry where there is one, with what Lambda refuses and moto accepts.

A registry's answer to a push does not pass through the control plane here as it does in ECR: before each request
to ECR, what the registry holds of the repositories that exist is put into moto.
"""

from __future__ import annotations

import importlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.standins.registry import Registry

ACCOUNT = "123456789012"
PASSWORD = f"{ACCOUNT}-auth-token"  # moto's
_SERVICE = "AmazonEC2ContainerRegistry_V20150921."
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_ARCHITECTURES = {"x86_64": "amd64", "arm64": "arm64"}


@dataclass
class Ecr:
    """`registry` is where images really are; None leaves them to moto alone."""

    registry: Registry | None = None
    region: str = "us-east-1"

    @property
    def _backend(self) -> Any:
        return importlib.import_module("moto.ecr.models").ecr_backends[ACCOUNT][self.region]

    def before(self, target: str, body: bytes) -> None:
        """Bring moto to what the registry holds, and take from the registry what is about to be deleted."""
        if self.registry is None or not target.startswith(_SERVICE):
            return
        if target == f"{_SERVICE}BatchDeleteImage":
            asked = json.loads(body)
            for each in asked["imageIds"]:
                self.registry.delete(asked["repositoryName"], each["imageTag"])
            return
        for name, repository in self._backend.repositories.items():
            known = {tag for image in repository.images for tag in image.image_tags}
            for tag in set(self.registry.tags(name)) - known:
                text, digest, kind = self.registry.manifest(name, tag)
                self._backend.put_image(name, text, tag, kind, digest)

    def rewritten(self, document: bytes) -> bytes:
        """An answer of moto's with the registry's address in place of AWS's."""
        if self.registry is None:
            return document
        host = f"{ACCOUNT}.dkr.ecr.{self.region}.amazonaws.com"
        plain = document.replace(f"https://{host}".encode(), f"http://{self.registry.address}".encode())
        return plain.replace(host.encode(), self.registry.address.encode())

    def refusal(self, uri: str, architecture: str) -> str | None:
        """Why Lambda would refuse an image that moto accepts (its developer guide, images-create.html)."""
        name, reference = split(uri)
        repository = self._backend.repositories.get(name)
        images = repository.images if repository else []
        found = [image for image in images if reference in (image.get_image_digest(), *image.image_tags)]
        if not found:
            return f"Source image {uri} does not exist. Provide a valid source image."
        if found[0].image_manifest_media_type in _INDEXES:
            return f"The image manifest, config or layer media type for the source image {uri} is not supported."
        if self.registry is not None:
            return wrong_architecture(self.registry.configuration(name, reference), architecture)
        return None

    def root(self, uri: str) -> Path:
        """The image's own files, pulled from the registry."""
        assert self.registry is not None
        return self.registry.unpack(*split(uri))


def wrong_architecture(configuration: dict[str, Any], wanted: str) -> str | None:
    """Lambda takes such a function and fails at its first request, "exec format error": told here before."""
    made_for = configuration["architecture"]
    if made_for == _ARCHITECTURES[wanted]:
        return None
    return f"Runtime.InvalidEntrypoint: the image is for {made_for}, the function for {wanted}: exec format error"


def split(uri: str) -> tuple[str, str]:
    """The repository, and the digest or tag."""
    path = uri.partition("/")[2]
    name, has_digest, digest = path.partition("@")
    return (name, digest) if has_digest else (path.rpartition(":")[0], path.rpartition(":")[2])
