"""`tripoint bundle`: make what ships, check it, and say its sizes and checksum."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from adapters.bundle.build import Bundle

_EPILOG = "Example: tripoint bundle aws --python 3.13 --arch arm64"
_MIB = 1024 * 1024


@click.command(epilog=_EPILOG)
@click.argument("clouds", nargs=-1, required=True, metavar="CLOUD...")
@click.option("--format", "form", type=click.Choice(["zip", "image"]), default="zip", show_default=True)
@click.option("--python", help="Python version, such as 3.13.  [default: the cloud's]")
@click.option("--arch", help="x86_64 or arm64.  [default: x86_64]")
@click.option(
    "--model", default="clothes", show_default=True, help="A model's name, or a folder with a manifest.json."
)
@click.option("--variant", help="Ship one variant of the model, such as int8.  [default: all]")
@click.option(
    "--runtime",
    default="",
    help="litert, litert-direct (no numpy: smallest), tflite-runtime, onnxruntime or xgboost.  "
    "[default: the first of them that the model is for]",
)
@click.option("--memory", "memory_mb", type=int, help="Also check this memory size, in MB.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("dist"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document per cloud.")
def command(
    *,
    clouds: tuple[str, ...],
    form: str,
    python: str | None,
    arch: str | None,
    model: str,
    variant: str | None,
    runtime: str,
    memory_mb: int | None,
    out: Path,
    as_json: bool,
) -> None:
    """Make the bundles of CLOUD... (aws, azure, gcp), ready to deploy, and check them against the cloud's limits."""
    from adapters import contract
    from adapters.bundle import build, image
    from adapters.bundle.target import target_of

    for name in clouds:
        cloud = contract.load(name)
        target = target_of(cloud, python=python, arch=arch)
        order = build.BundleSpec(cloud, target, model=model, variant=variant, runtime=runtime, memory_mb=memory_mb)
        if form == "image":
            tag = image.make(order)
            click.echo(json.dumps({"cloud": name, "image": tag}) if as_json else f"{name}: image {tag}")
        else:
            built = build.build(order, out=out)
            click.echo(json.dumps(_document(name, built)) if as_json else _text(name, built))


def _document(name: str, built: Bundle) -> dict[str, object]:
    return {
        "cloud": name,
        "archive": str(built.archive),
        "sha256": built.sha256,
        "digest": built.digest,
        "zipped_bytes": built.zipped_bytes,
        "unpacked_bytes": built.unpacked_bytes,
        "notes": [finding.message for finding in built.findings],
    }


def _text(name: str, built: Bundle) -> str:
    sizes = f"{built.zipped_bytes / _MIB:.1f} MiB zipped, {built.unpacked_bytes / _MIB:.1f} MiB unpacked"
    notes = [f"  note: {finding.message}" for finding in built.findings]
    return "\n".join([f"{name}: {built.archive}", f"  {sizes}", f"  sha256 {built.sha256}", *notes])
