"""`tripoint model add`: make a file of yours a model with a name."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import click

_EPILOG = "Example: tripoint model add pets.tflite --labels cat,dog --preset mobilenet_v2 --image cat.jpg"

_FAMILIES = (
    "xception, mobilenet, mobilenet_v2, mobilenet_v3, inception, nasnet, resnet50, resnet50_v2, vgg, densenet, "
    "efficientnet, convnext, torch, teachable_machine"
)


class Ways(click.Choice[str]):
    """A choice of the values in a table of `model.registry`, imported late so that `--help` stays quick."""

    def __init__(self, table: str) -> None:
        super().__init__(())
        self._table = table

    @property
    def choices(self) -> tuple[str, ...]:
        from core.manifest import CHANNELS, OUTPUTS, RESAMPLINGS
        from model.registry.description import WAYS
        from model.registry.normalisation import PRESETS

        tables = {"ways": WAYS, "presets": tuple(PRESETS), "outputs": OUTPUTS}
        return (tables | {"channels": CHANNELS, "resamplings": RESAMPLINGS})[self._table]

    @choices.setter
    def choices(self, value: object) -> None:
        """Choice sets an empty list; the table is the only truth."""


class Numbers(click.ParamType[tuple[float, ...]]):
    """One number or three, such as 127.5 or 123.7,116.3,103.5."""

    name = "number or three"

    def __init__(self, *, above: float = -math.inf) -> None:
        self._above = above

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[float, ...]:
        """Raises click's BadParameter naming the value."""
        if isinstance(value, tuple):
            return value
        try:
            found = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            found = ()
        if len(found) not in (1, 3) or not all(math.isfinite(one) and one > self._above for one in found):
            least = "" if self._above == -math.inf else f" above {self._above:g}"
            self.fail(f"{value!r}: expected one number{least}, or three with commas", param, ctx)
        return found


class Size(click.ParamType[tuple[int, int]]):
    """One side in px, or height x width, such as 224 or 192x256."""

    name = "px"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Raises click's BadParameter naming the value."""
        if isinstance(value, tuple):
            return value
        parts = str(value).lower().split("x")
        if len(parts) > 2 or not all(part.isascii() and part.isdigit() and 1 <= int(part) <= 4096 for part in parts):
            self.fail(f"{value!r}: expected a side in px such as 224, or height x width such as 192x256", param, ctx)
        return int(parts[0]), int(parts[-1])


@click.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", help="How commands call it.  [default: the file's name]")
@click.option("--labels", help="A file with one label per line, in the scores' order; or a,b,c.")
@click.option("--preset", type=Ways("presets"), metavar="FAMILY", help=f"For its usual preprocessing: {_FAMILIES}.")
@click.option("--preprocessing", type=Ways("ways"), help="How pixels become numbers, when the file does not say.")
@click.option("--mean", type=Numbers(), help="(pixel - MEAN) / STD: of 0..255, one or three.")
@click.option("--std", type=Numbers(above=0), help="(pixel - MEAN) / STD: of 0..255, one or three.")
@click.option("--channels", type=Ways("channels"), help="bgr for a model that takes blue first.  [default: rgb]")
@click.option("--input-size", type=Size(), help="Its input, for a Keras model that takes any size.")
@click.option("--output", type=Ways("outputs"), help="What its scores are.  [default: found out]")
@click.option("--resampling", type=Ways("resamplings"), help="How photographs are scaled.  [default: bilinear]")
@click.option(
    "--draft", type=click.FloatRange(0.5, 8), help="Decode JPEGs at no less than this times the input's size."
)
@click.option("--background/--no-background", default=None, help="The first of 1,001 classes is missing/too much.")
@click.option("--title", help="What it is, in a few words.")
@click.option("--licence", help="Under which licence it is.")
@click.option("--image", "images", multiple=True, type=click.Path(path_type=Path), help="Try it on this photograph.")
@click.option("--replace", is_flag=True, help="Take the place of a registered model of the same name.")
@click.option("--yes", is_flag=True, help="Do not ask before registering.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document; no questions.")
def command(*, file: Path, images: tuple[Path, ...], **options: Any) -> None:
    """Register FILE as a model of your own: a .tflite, .onnx, Keras or .pt2 file, a SavedModel, or a model's folder.

    What the file tells is taken from it: input, labels, normalisation. It is tried on a photograph on every runtime
    here before it gets its name. See docs/models.md.
    """
    from cli.framework.registration import RegistrationOptions, register
    from model.registry.description import Answers

    _check(file, images, options)
    manner = RegistrationOptions(images, **{key: options.pop(key) for key in ("replace", "yes", "as_json")})
    draft = options.pop("draft") or 0.0
    mean, std = (options.pop(key) or () for key in ("mean", "std"))
    register(file, Answers(draft=draft, mean=mean, std=std, **options), manner)


def _check(file: Path, images: tuple[Path, ...], options: dict[str, Any]) -> None:
    """Raise UsageError for options that contradict each other, before a file is read."""
    if not file.exists():
        raise click.UsageError(f"there is no file {str(file)!r}: name a .tflite, .onnx or Keras file, or a folder")
    for image in images:
        if not image.is_file():
            raise click.UsageError(f"--image {str(image)!r} is not a file: name a photograph")
    if bool(options["mean"]) != bool(options["std"]):
        raise click.UsageError("--mean and --std go together: give both, such as --mean 127.5 --std 127.5")
    said = [f"--{key}" for key in ("preset", "preprocessing", "mean") if options[key]]
    if options["mean"] and len(said) > 1:
        raise click.UsageError(f"{' and '.join(said)} say the same thing: give one of them")
    if options["draft"] and options["resampling"] == "nearest":
        raise click.UsageError("--draft and --resampling nearest do not go together: a reduced JPEG has other pixels")
