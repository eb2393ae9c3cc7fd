"""`tripoint model train`: a classifier from a folder of photographs, with the recipe of the built-in model."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import click

_EPILOG = "Example: tripoint model train --data photos --out pets"


@click.command(epilog=_EPILOG)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    required=True,
    help="A folder for each class, or train/ and validation/ with such folders.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="The model's folder; its name is the model's."
)
@click.option(
    "--backbone",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A MobileNetV2 1.0 .tflite to start from.  [default: the built-in model's layers]",
)
@click.option("--size", default=224, show_default=True, help="Side of the input in px, a multiple of 32.")
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=35,
    show_default=True,
    help="Highest number; training stops early.",
)
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), default=3e-4, show_default=True, help="Peak rate."
)
@click.option("--seed", default=1, show_default=True, help="The same seed gives the same model.")
@click.option(
    "--work", type=click.Path(path_type=Path), help="The checkpoint's folder.  [default: build/training/NAME]"
)
@click.option("--title", default="", help="One line about the model.")
@click.option("--data-source", default="not stated", show_default=True, help="Goes into the manifest.")
@click.option("--backbone-source", default="", help="Name, version and licence, for the manifest.")
@click.option("--model-version", default="1.0.0", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
def command(as_json: bool, **options: Any) -> None:
    """Train a MobileNetV2 on photographs, export int8 and float16, measure both, and write a model's folder.

    Needs the extra `convert`; one to two minutes an epoch for 3,000 photographs on two cores. Ctrl-C at any time:
    the same command goes on from the last finished epoch.
    """
    from cli.framework.refusal import CommandRefused
    from model.training.backbone import BackboneError
    from model.training.checkpoint import CheckpointMismatch
    from model.training.dataset import DatasetError
    from model.training.network import ConvertExtraMissing
    from model.training.progress import TrainingProgress
    from model.training.train import BACKBONE, run

    if options["size"] < 32 or options["size"] % 32:
        raise click.UsageError(f"--size {options['size']}: expected a multiple of 32, such as 160 or 224")
    recipe = argparse.Namespace(**{**options, "backbone": options["backbone"] or BACKBONE})
    try:
        with TrainingProgress(sys.stderr) as progress:
            manifest = run(recipe, progress)
    except KeyboardInterrupt:
        click.echo("stopped: the same command goes on from the last finished epoch", err=True)
        raise
    except (BackboneError, CheckpointMismatch, ConvertExtraMissing, DatasetError) as error:
        raise CommandRefused(str(error)) from error
    click.echo(json.dumps(manifest, indent=2, ensure_ascii=False) if as_json else _sentence(manifest, options["out"]))


def _sentence(manifest: dict[str, Any], out: Path) -> str:
    found = manifest["validation"]
    return (
        f"{out}: accuracy {found['accuracy']:.3f} ({found['lo']:.3f} to {found['hi']:.3f}) on {found['images']} "
        f"photographs that were set aside. Next: tripoint model evaluate {out} --data DIR"
    )
