"""Build a container image of a function: its contents, the command line, and what would fail."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.bundle import archive, build, container_tool, elf, layout, preflight, wheels
from adapters.bundle.container_tool import PLATFORMS
from adapters.bundle.errors import BundleError

if TYPE_CHECKING:
    from adapters.bundle.build import BundleSpec
    from adapters.bundle.target import BundleTarget

_STANDARD_ERROR = 2


def make(order: BundleSpec) -> str:
    """Build the image of `order` from the checkout and return its tag; the tool's lines go to standard error."""
    check(order)
    tool = container_tool.find()
    done = subprocess.run(command(order, tool), cwd=layout.REPOSITORY, stdout=_STANDARD_ERROR, check=False)
    if done.returncode != 0:
        raise BundleError(f"{tool} could not build the image of {order.cloud.name}: see its lines above")
    return tag(order)


def tag(order: BundleSpec) -> str:
    return f"tripoint-{order.cloud.name}:{title(order)}"


def title(order: BundleSpec) -> str:
    """What tells an image from the others of its cloud, fit for a tag; its contents are not in it."""
    return f"py{order.target.python}-{order.target.arch}-{order.runtime}-{_model(order)}"


def command(order: BundleSpec, tool: str) -> list[str]:
    """The command line that builds the image; the architecture is always named, for Apple silicon would change it."""
    file = _dockerfile(order)
    line = [tool, "build", "--platform", PLATFORMS[order.target.arch], "-f", file]
    if tool == "docker":
        line += ["--provenance=false"]  # Lambda refuses images with attestations
    else:
        line += ["--ignorefile", f"{file}.dockerignore"]  # BuildKit finds it by itself
    for name, value in _arguments(order).items():
        line += ["--build-arg", f"{name}={value}"]
    return [*line, "-t", tag(order), "."]


def contents(order: BundleSpec) -> str:
    """16 digits over everything of ours that decides what the image holds; the base image is its maker's."""
    total = hashlib.sha256(f"1 {order.target.arch} {_arguments(order)}\n".encode())
    for path in (layout.REPOSITORY / _dockerfile(order), *_copied(order)):
        total.update(f"{path.relative_to(layout.REPOSITORY).as_posix()}\0{archive.sha256(path)}\n".encode())
    return total.hexdigest()[:16]


def check(order: BundleSpec) -> None:
    """Raise BundleError for what cannot be built here or would fail in the cloud; nothing is built."""
    contents(order)  # a Dockerfile for the runtime, and every file that it copies
    build.refuse(order, build.check_order(order))
    if order.variant is not None:
        raise BundleError(
            f"an image holds every variant of a model: leave out {order.variant!r}, or use --format zip"
        )
    tool = container_tool.find()
    if not container_tool.builds_for(tool, order.target.arch):
        raise BundleError(
            f"{tool} cannot run programs for {order.target.arch} here: install qemu-user-static and binfmt-support, "
            "build on such a machine, or use --format zip"
        )
    build.refuse(order, list(_look_inside(order)))


def _look_inside(order: BundleSpec) -> Iterator[preflight.BundleFinding]:
    """What preflight knows of the packages and the model that would be in the image."""
    target = system(order)
    packages = wheels.unpacked(build.pins(order), target, runtime=order.runtime)
    yield from preflight.check_files(packages, target)
    with tempfile.TemporaryDirectory() as models:
        layout.copy_model(order.model, Path(models))
        yield from preflight.check_model(Path(models), order.runtime)


def system(order: BundleSpec) -> BundleTarget:
    """The target with the C library of the image's own base, where that is not the platform's."""
    facts = order.cloud.data["bundle"].get("image_systems", {}).get(order.runtime)
    if facts is None:
        return order.target
    return replace(order.target, system=str(facts["system"]), glibc=elf.parse(str(facts["glibc"])))


def _dockerfile(order: BundleSpec) -> str:
    """The Dockerfile, from the repository's root."""
    listed = order.cloud.data["bundle"].get("images", {})
    if order.runtime not in listed:
        raise BundleError(f"{order.cloud.title} has no Dockerfile for {order.runtime}: use --format zip")
    return str(listed[order.runtime])


def _arguments(order: BundleSpec) -> dict[str, str]:
    return {"PYTHON": order.target.python, "MODEL": _model(order)}


def _copied(order: BundleSpec) -> Iterator[Path]:
    """Every file that the Dockerfile copies from the checkout, byte code apart, in its order."""
    text = re.sub(r"\\\n", " ", (layout.REPOSITORY / _dockerfile(order)).read_text("utf-8"))
    for line in re.findall(r"^COPY +(.+)$", text, re.MULTILINE):
        for name in shlex.split(line.replace("${MODEL}", _model(order)))[:-1]:
            source = layout.REPOSITORY / name
            if not source.exists():
                raise BundleError(
                    f"{_dockerfile(order)} copies {name}, which does not exist: images are built from a checkout"
                )
            files = archive.files(source) if source.is_dir() else [source]
            yield from (path for path in files if "__pycache__" not in path.parts)


def _model(order: BundleSpec) -> str:
    """The model's name; an image is built from the checkout, so the model must lie there."""
    folder = layout.model_folder(order.model)
    if folder.parent != layout.REPOSITORY / "model":
        raise BundleError(
            f"model {order.model} lies in {folder}, and an image is built from {layout.REPOSITORY}: "
            "use --format zip, or copy the folder to model/ there"
        )
    return folder.name
