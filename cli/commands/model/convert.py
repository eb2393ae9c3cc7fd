"""`tripoint model convert`: a trained model to small TFLite files, each compared with the original."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from model.convert import Conversion
    from model.convert.conversion import Converted
    from model.convert.source_metadata import Known

_EPILOG = "Example: tripoint model convert net.keras --preprocessing tf --representative photos/train"
_FOLDER = click.Path(path_type=Path, file_okay=False, exists=True)
_MODES = ["tf", "caffe", "torch", "raw"]
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(epilog=_EPILOG)
@click.argument("source", metavar="FILE")
@click.option("--to", default="int8,float16", show_default=True, help="float32, float16, dynamic, weight-only, int8.")
@click.option("--representative", type=_FOLDER, required=True, help="Photographs like those it will classify.")
@click.option("--out", type=click.Path(path_type=Path), help="The model's folder; its name is the model's.")
@click.option("--labels", type=_FILE, help="One to a line.  [default: the class folders of --representative]")
@click.option(
    "--preprocessing", type=click.Choice(["tf", "caffe", "torch", "raw"]), help="What FILE was trained with."
)
@click.option("--resampling", help="How photographs are resized.  [default: bilinear]")
@click.option("--input", type=click.Choice(["auto", "uint8", "float"]), default="auto", show_default=True)
@click.option("--input-size", metavar="HxW", help="For a model that takes any size, such as 224x224.")
@click.option("--output", type=click.Choice(["probabilities", "logits"]), help="[default: found out]")
@click.option(
    "--min-agreement", type=click.FloatRange(0, 1), default=0.9, show_default=True, help="With the original."
)
@click.option("--licence", help="Goes into the manifest.")
@click.option("--replace", is_flag=True, help="Replace an older model in --out.")
@click.option("--json", "as_json", is_flag=True, help="The result as JSON.")
@click.option("--quiet", is_flag=True, help="No progress; the result only.")
def command(**options: Any) -> None:
    """Convert FILE (.keras, .h5, a SavedModel, .pt2, a float .tflite, or a model's name) to TFLite.

    Every file is compared with the original on photographs. When one agrees less than --min-agreement on the best
    class, nothing is written. `--input uint8` bakes the preprocessing in: the file takes the photograph's bytes.
    """
    from cli.framework.progress import Display
    from cli.framework.refusal import CommandRefused
    from model.convert import convert
    from model.convert.errors import ConvertError

    try:
        conversion = _conversion(options)
        with Display(quiet=options["quiet"]) as display:
            made = convert(conversion, told=display.show)
    except ConvertError as error:
        raise CommandRefused(str(error)) from error
    _print(conversion, made, as_json=options["as_json"])


def _conversion(options: dict[str, Any]) -> Conversion:
    from model.convert import Conversion

    known = known_source(options["source"])
    preprocessing = options["preprocessing"] or known.preprocessing
    if not preprocessing:
        raise click.UsageError(
            f"how {known.file.name} wants its pixels is not in the file: give --preprocessing "
            "tf (-1..1: Xception, MobileNet), caffe (ResNet50, VGG), torch (DenseNet), or raw (0..255: EfficientNet)"
        )
    return Conversion(
        source=known.file,
        out=options["out"] or Path(f"{known.name}-converted"),
        labels=_labels(options, known),
        representative=options["representative"],
        preprocessing=preprocessing,
        kinds=tuple(dict.fromkeys(part.strip() for part in options["to"].split(",") if part.strip())),
        input=options["input"],
        resampling=options["resampling"] or known.resampling or "bilinear",
        orient=known.orient,
        draft=known.draft,
        input_size=_size(options["input_size"]),
        output=options["output"] or known.output,
        min_agreement=options["min_agreement"],
        licence=options["licence"] or known.licence,
        replace=options["replace"],
    )


def known_source(source: str) -> Known:
    """Return what is known of a source: a path, or the name of a registered model."""
    from adapters.bundle.errors import BundleError
    from adapters.bundle.layout import model_folder
    from model.convert.source_metadata import look_up

    path = Path(source)
    if not path.exists():
        try:
            path = model_folder(source)
        except BundleError as error:
            raise click.UsageError(f"FILE {source} does not exist, and {error}") from error
    return look_up(path)


def _labels(options: dict[str, Any], known: Known) -> tuple[str, ...]:
    from model.convert.source_metadata import class_folders, labels_in

    labels = labels_in(options["labels"]) if options["labels"] else known.labels
    labels = labels or class_folders(options["representative"])
    if not labels:
        raise click.UsageError("the names of the classes are not known: give --labels, a file with one to a line")
    return labels


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise click.UsageError(f"--input-size {text!r}: expected height and width in px, such as 224x224")
    return int(height), int(width)


def _print(options: Conversion, made: Sequence[Converted], *, as_json: bool) -> None:
    if as_json:
        rows = [{**one.entry, "likeness": one.likeness.document()} for one in made]
        click.echo(json.dumps({"folder": str(options.out), "variants": rows}, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("file", "MB", "input", "agrees with the original", "largest difference", box=None)
    for one in made:
        agreement = one.likeness.agreement
        share = f"{agreement.value:.1%} of {agreement.n} ({agreement.lo:.1%} to {agreement.hi:.1%})"
        size_mb = f"{one.entry['bytes'] / 1e6:.2f}"
        table.add_row(
            one.entry["file"], size_mb, one.entry["input_dtype"], share, f"{one.likeness.largest_difference:.2g}"
        )
    Console(highlight=False).print(table)
    click.echo(f"\nWritten to {options.out}. Next: tripoint model evaluate {options.out} --data DIR")
