"""A container image of a function, built by whichever tool is here: docker, podman or buildah."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from adapters.bundle import layout
from adapters.bundle.errors import BundleError

if TYPE_CHECKING:
    from adapters.bundle.build import Order

_TOOLS = ("docker", "podman", "buildah")
_PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}


def build(order: Order) -> str:
    """Build the image of `order` from the checkout and return its tag."""
    tool = _tool()
    done = subprocess.run(command(order, tool), cwd=layout.REPOSITORY, check=False)
    if done.returncode != 0:
        raise BundleError(f"{tool} could not build the image of {order.cloud.name}: see its lines above")
    return tag(order)


def tag(order: Order) -> str:
    return f"tripoint-{order.cloud.name}:py{order.target.python}-{order.target.arch}-{order.runtime}"


def command(order: Order, tool: str) -> list[str]:
    """The command line that builds the image; the architecture is always named, for Apple silicon would change it."""
    listed = order.cloud.data["bundle"].get("images", {})
    if order.runtime not in listed:
        raise BundleError(f"{order.cloud.title} has no Dockerfile for {order.runtime}: use --format zip")
    line = [tool, "build", "--platform", _PLATFORMS[order.target.arch], "-f", str(listed[order.runtime])]
    if tool == "docker":
        line += ["--provenance=false"]  # Lambda refuses images with attestations
    line += ["--build-arg", f"PYTHON={order.target.python}", "--build-arg", f"MODEL={_model(order)}"]
    return [*line, "-t", tag(order), "."]


def _model(order: Order) -> str:
    """The model's name; an image is built from the checkout, so the model must lie there."""
    folder = layout.model_folder(order.model)
    if folder.parent != layout.REPOSITORY / "model":
        raise BundleError(
            f"model {order.model} lies in {folder}, and an image is built from {layout.REPOSITORY}: "
            "use --format zip, or copy the folder to model/ there"
        )
    return folder.name


def _tool() -> str:
    """The first tool that works; a docker client without its service is as good as none."""
    for tool in _TOOLS:
        if shutil.which(tool) and _answers(tool):
            return tool
    raise BundleError("none of docker, podman, buildah works here: start or install one, or use --format zip")


def _answers(tool: str) -> bool:
    try:
        return subprocess.run([tool, "info"], capture_output=True, timeout=30, check=False).returncode == 0
    except subprocess.TimeoutExpired:
        return False
