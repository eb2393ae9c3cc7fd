"""Build a bundle for a cloud. The same inputs give the same bytes."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import Requirement

from adapters.bundle import archive, bytecode, cache, layout, preflight, runtimes, slimming, wheels
from adapters.bundle.errors import BundleError

if TYPE_CHECKING:
    from adapters.bundle.target import BundleTarget
    from adapters.contract import Cloud


@dataclass(frozen=True, slots=True)
class BundleSpec:
    """What to build. `variant` None ships every variant of the model; `memory_mb` is only checked.

    `runtime` "" is the first that the model is for, LiteRT before others.
    """

    cloud: Cloud
    target: BundleTarget
    model: str = "clothes"
    variant: str | None = None
    runtime: str = ""
    memory_mb: int | None = None

    def __post_init__(self) -> None:
        if self.runtime not in ("", *runtimes.ENGINES):
            raise BundleError(f"unknown runtime {self.runtime!r}: expected one of {', '.join(runtimes.ENGINES)}")
        if not self.runtime:
            object.__setattr__(self, "runtime", runtimes.default_runtime(layout.model_folder(self.model)))

    @property
    def packages(self) -> tuple[str, ...]:
        """What the runtime and the model need."""
        return runtimes.packages(self.runtime, layout.model_folder(self.model))


@dataclass(frozen=True, slots=True)
class Bundle:
    """A finished bundle. `digest` is over names and contents, `sha256` over the zip."""

    folder: Path
    archive: Path
    digest: str
    sha256: str
    zipped_bytes: int
    unpacked_bytes: int
    findings: tuple[preflight.BundleFinding, ...]


def build(order: BundleSpec, *, out: Path) -> Bundle:
    """Make the folder and the zip of `order` in `out`, and check them.

    Raises BundleError with every reason at once when the cloud would refuse the bundle or it would fail there.
    """
    name = f"{order.cloud.name}-py{order.target.python}-{order.target.arch}-{order.runtime}"
    folder = lay_out(order, out / name)
    packed = archive.write(folder, out / f"{name}.zip")
    sizes = preflight.unpacked_bytes(folder), packed.stat().st_size
    findings = tuple(check(order, folder, sizes=sizes))
    refuse(order, findings)
    return Bundle(
        folder=folder,
        archive=packed,
        digest=archive.digest(folder),
        sha256=archive.sha256(packed),
        zipped_bytes=sizes[1],
        unpacked_bytes=sizes[0],
        findings=findings,
    )


def lay_out(order: BundleSpec, folder: Path) -> Path:
    """Fill `folder` anew with the code, model and packages of `order`, byte-compiled for its Python."""
    shutil.rmtree(folder, ignore_errors=True)
    layout.lay_out_code(order.cloud, folder)
    layout.copy_model(order.model, folder / "model", variant=order.variant)
    locked = pins(order)
    if _carries(order):
        cache.place(wheels.unpacked(locked, order.target, runtime=order.runtime), folder)
    else:
        _pin_requirements(folder / "requirements.txt", order)
    compiled = bytecode.write_for(order.target.python, folder)
    (folder / "bundle.json").write_text(json.dumps(_contents(order, locked, compiled), indent=1) + "\n", "utf-8")
    return folder


def check(order: BundleSpec, folder: Path, *, sizes: tuple[int, int]) -> list[preflight.BundleFinding]:
    """Everything that preflight knows of a laid-out bundle; `sizes` are its bytes unpacked and zipped."""
    target, limits = order.target, order.cloud.data["bundle"]["target"]
    packages = folder if _carries(order) else wheels.unpacked(pins(order), target, runtime=order.runtime)
    return [
        *check_order(order),
        *preflight.check_sizes(*sizes, limits),
        *preflight.check_files(packages, target),
        *preflight.check_bytecode(folder, target),
        *preflight.check_platform_sdk(folder),
        *preflight.check_model(folder / "model", order.runtime),
    ]


def check_order(order: BundleSpec) -> list[preflight.BundleFinding]:
    """What is known of an order without its files, today."""
    rule, today = order.cloud.data["memory"], datetime.datetime.now(datetime.UTC).date()
    memory = preflight.check_memory(order.memory_mb, rule) if order.memory_mb else ()
    return [*preflight.check_python(order.target, today), *memory]


def refuse(order: BundleSpec, findings: Sequence[preflight.BundleFinding]) -> None:
    """Raise BundleError with every reason at once, where there is one."""
    refused = [finding.message for finding in findings if finding.refused]
    if refused:
        raise BundleError(f"{order.cloud.title} cannot run this bundle:\n- " + "\n- ".join(refused))


def _carries(order: BundleSpec) -> bool:
    return bool(order.cloud.data["bundle"].get("packages"))


def pins(order: BundleSpec) -> list[wheels.Pin]:
    """The locked versions of the packages that this runtime needs."""
    return wheels.pins(order.packages, locks=layout.REPOSITORY / "requirements", target=order.target)


def _pin_requirements(path: Path, order: BundleSpec) -> None:
    """Fix what the platform's own build will install to the locked versions, so that two builds agree."""
    wanted = [Requirement(line) for line in path.read_text("utf-8").splitlines() if line and line[0] not in "#-"]
    names = {slimming.canonical(requirement.name) for requirement in wanted}
    names = (names - runtimes.OPTIONAL) | set(order.packages)
    locked = wheels.pins(sorted(names), locks=layout.REPOSITORY / "requirements", target=order.target)
    path.write_text("".join(f"{pin.name}=={pin.version}\n" for pin in locked), "utf-8")


def _contents(order: BundleSpec, locked: list[wheels.Pin], compiled: str | None) -> dict[str, Any]:
    return {
        "cloud": order.cloud.name,
        "python": order.target.python,
        "arch": order.target.arch,
        "model": order.model,
        "variant": order.variant,
        "runtime": order.runtime,
        "packages": {pin.name: pin.version for pin in locked},
        "bytecode": compiled,
    }
