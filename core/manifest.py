"""Read and check a model's manifest, `model/<name>/manifest.json`."""

from __future__ import annotations

import hashlib
import json
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from core.errors import ModelError
from core.settings import RUNTIMES

if TYPE_CHECKING:
    from pathlib import Path

RESAMPLINGS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
PREPROCESSINGS = ("tf", "caffe", "torch", "raw", "quantised", "scaled")
DTYPES = ("float32", "uint8", "int8")
CHANNELS = ("rgb", "bgr")
OUTPUTS = ("probabilities", "logits")
LAYOUTS = ("nhwc", "nchw")
FEATURES_MAX = 10_000


class Input(NamedTuple):
    """How an image becomes the model's square: size in px, Pillow's resampling, EXIF orientation applied or not.

    `draft` lets a JPEG be decoded at a reduced size of at least `draft` times the input's; 0 never does.
    """

    height: int
    width: int
    resampling: str
    orient: bool
    draft: float


class Features(NamedTuple):
    """A vector of numbers in the order of `names`; with `missing`, null stands for a value that is not known."""

    names: tuple[str, ...]
    missing: bool


class Variant(NamedTuple):
    """One file of a model, and the runtimes that it is meant for; `layout` is the order of an image's axes in it.

    `mean` and `std` belong to `scaled` preprocessing, one number for each channel in the order that the model
    takes them: (value - mean) / std of 0..255. `channels` is "rgb", or "bgr" for a model that takes blue first.
    """

    name: str
    file: Path
    sha256: str
    input_dtype: str
    preprocessing: str
    runtimes: tuple[str, ...]
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    channels: str = "rgb"
    layout: str = "nhwc"


class Manifest(NamedTuple):
    """A model; `variants` are in order of preference, `takes` is what it is asked about."""

    name: str
    version: str
    title: str
    labels: tuple[str, ...]
    takes: Input | Features
    output: str
    variants: tuple[Variant, ...]
    licence: str | None
    validation: dict[str, Any] | None

    @property
    def features(self) -> Features | None:
        """What a model of feature vectors takes; None for a model of images."""
        return self.takes if isinstance(self.takes, Features) else None

    @property
    def input(self) -> Input:
        """What a model of images takes. Raises ModelError for a model of feature vectors."""
        if isinstance(self.takes, Features):
            raise ModelError(f"model {self.name} takes feature vectors, not images: choose a model of images")
        return self.takes


class _Reader:
    """Reads typed values out of a JSON document; every complaint names the file and the place in it."""

    def __init__(self, file: Path, values: Any, place: str = "") -> None:
        self.file = file
        self._place = place
        if not isinstance(values, dict):
            raise self.wrong("", values, "an object")
        self._values = values

    def wrong(self, key: str, value: object, expected: str) -> ModelError:
        place = f"{self._place}.{key}".strip(".") or "the document"
        return ModelError(f"{self.file}: {place} is {value!r:.80}, expected {expected}: correct the manifest")

    def text(self, key: str, allowed: tuple[str, ...] = ()) -> str:
        value = self._values.get(key)
        if not isinstance(value, str) or not value or (allowed and value not in allowed):
            raise self.wrong(key, value, f"one of {', '.join(allowed)}" if allowed else "a text")
        return value

    def side(self, key: str) -> int:
        value = self._values.get(key)
        if type(value) is not int or not 1 <= value <= 4096:
            raise self.wrong(key, value, "a whole number of pixels from 1 to 4096")
        return value

    def factor(self, key: str) -> float:
        """A number from 0.5 to 8; true stands for 2, false or nothing for 0."""
        value = self._values.get(key, False)
        if isinstance(value, bool):
            return 2.0 if value else 0.0
        if not isinstance(value, int | float) or not 0.5 <= value <= 8:
            raise self.wrong(key, value, "true, false, or a number from 0.5 to 8")
        return float(value)

    def texts(self, key: str, allowed: tuple[str, ...] = ()) -> tuple[str, ...]:
        value = self._values.get(key)
        good = isinstance(value, list) and value and all(isinstance(item, str) for item in value)
        if not good or (allowed and not set(value) <= set(allowed)):  # type: ignore[arg-type]
            raise self.wrong(key, value, f"a list out of {', '.join(allowed)}" if allowed else "a list of texts")
        return tuple(value)  # type: ignore[arg-type]

    def three(self, key: str, *, least: float) -> tuple[float, float, float]:
        """Three numbers of at least `least`; one number stands for three alike."""
        value = self._values.get(key)
        each: list[Any] = value if isinstance(value, list) else [value] * 3
        good = all(isinstance(one, int | float) and type(one) is not bool and least <= one <= 1e6 for one in each)
        if len(each) != 3 or not good:
            raise self.wrong(key, value, f"a number, or three in a list, each from {least:g} to 1e+06")
        return float(each[0]), float(each[1]), float(each[2])

    def inner(self, key: str) -> _Reader:
        return _Reader(self.file, self._values.get(key), f"{self._place}.{key}".strip("."))

    def inners(self, key: str) -> list[_Reader]:
        value = self._values.get(key)
        if not isinstance(value, list) or not value:
            raise self.wrong(key, value, "a list of objects")
        return [_Reader(self.file, item, f"{key}[{index}]") for index, item in enumerate(value)]

    def optional(self, key: str) -> Any:
        return self._values.get(key)


def load(folder: Path) -> Manifest:
    """Read `folder/manifest.json`. Raises ModelError naming the file, the place and the expectation."""
    file = folder / "manifest.json"
    try:
        values = json.loads(file.read_bytes())
    except OSError as error:
        raise ModelError(
            f"{file} cannot be read ({error.strerror}): set TRIPOINT_MODEL to a folder with a manifest.json, "
            "or to the name of one in TRIPOINT_MODELS"
        ) from error
    except ValueError as error:
        raise ModelError(f"{file} is not JSON ({error}): correct the manifest") from error
    return _manifest(_Reader(file, values))


def _manifest(reader: _Reader) -> Manifest:
    if reader.optional("schema") != 1:
        raise reader.wrong("schema", reader.optional("schema"), "1, the only schema this version reads")
    validation = reader.optional("validation")
    licence = reader.optional("licence")
    takes = _takes(reader.inner("input"))
    output = reader.text("output", OUTPUTS)
    variants = tuple(_variant(inner, images=isinstance(takes, Input)) for inner in reader.inners("variants"))
    if output == "logits" and any("xgboost" in variant.runtimes for variant in variants):
        raise reader.wrong("output", output, "probabilities, which XGBoost gives")
    return Manifest(
        name=reader.text("name"),
        version=reader.text("version"),
        title=str(reader.optional("title") or reader.text("name")),
        labels=reader.texts("labels"),
        takes=takes,
        output=output,
        variants=variants,
        licence=licence if isinstance(licence, str) else None,
        validation=validation if isinstance(validation, dict) else None,
    )


def _takes(reader: _Reader) -> Input | Features:
    return _input(reader) if reader.optional("features") is None else _features(reader)


def _features(reader: _Reader) -> Features:
    names = reader.texts("features")
    if len(set(names)) != len(names) or not all(names) or len(names) > FEATURES_MAX:
        raise reader.wrong("features", list(names), f"up to {FEATURES_MAX} names, each there once")
    missing = reader.text("missing", ("allow", "refuse")) if reader.optional("missing") is not None else "refuse"
    return Features(names, missing == "allow")


def _input(reader: _Reader) -> Input:
    resampling = reader.text("resampling", RESAMPLINGS)
    draft = reader.factor("draft")
    if draft and resampling == "nearest":
        raise reader.wrong("draft", draft, "false: a reduced JPEG has other pixels for nearest to choose from")
    exif = reader.text("exif", ("apply", "ignore")) if reader.optional("exif") is not None else "apply"
    return Input(reader.side("height"), reader.side("width"), resampling, exif == "apply", draft)


def _variant(reader: _Reader, *, images: bool) -> Variant:
    file = reader.text("file")
    if "/" in file or "\\" in file or file.startswith("."):
        raise reader.wrong("file", file, "the name of a file beside the manifest")
    sha256 = reader.text("sha256")
    if len(sha256) != 64 or sha256.strip("0123456789abcdef"):
        raise reader.wrong("sha256", sha256, "64 lower-case hexadecimal digits")
    dtype = reader.text("input_dtype", DTYPES if images else ("float32",))
    preprocessing = reader.text("preprocessing", PREPROCESSINGS if images else ("raw",))
    if (dtype, preprocessing) in {("float32", "quantised"), ("int8", "raw")}:
        raise reader.wrong("preprocessing", preprocessing, f"one that suits {dtype} input (int8: quantised)")
    channels = reader.text("channels", CHANNELS) if reader.optional("channels") is not None else "rgb"
    if channels == "bgr" and preprocessing == "caffe":
        raise reader.wrong("channels", channels, "nothing: caffe preprocessing takes blue first by itself")
    mean, std = _scaling(reader, preprocessing)
    allowed = tuple(name for name in RUNTIMES if name != "xgboost") if images else RUNTIMES
    return Variant(
        name=reader.text("name"),
        file=reader.file.parent / file,
        sha256=sha256,
        input_dtype=dtype,
        preprocessing=preprocessing,
        runtimes=reader.texts("runtimes", allowed),
        layout=reader.text("layout", LAYOUTS) if reader.optional("layout") is not None else "nhwc",
        mean=mean,
        std=std,
        channels=channels,
    )


def _scaling(reader: _Reader, preprocessing: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and std of `scaled`; no other preprocessing has any."""
    if preprocessing == "scaled":
        return reader.three("mean", least=-1e6), reader.three("std", least=1e-6)
    for key in ("mean", "std"):
        if reader.optional(key) is not None:
            raise reader.wrong(key, reader.optional(key), f'none with {preprocessing}, or preprocessing "scaled"')
    return (), ()


class FileCheck:
    """Compares a model's file with its sha256, in a thread: hashing needs no GIL, and importing a runtime is long."""

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self._found: str | OSError = ""
        self._thread = Thread(target=self._digest)
        self._thread.start()

    def _digest(self) -> None:
        try:
            with self.variant.file.open("rb") as file:
                self._found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            self._found = error

    def finish(self) -> None:
        """Wait for the result. Raises ModelError when the file is missing or another one."""
        self._thread.join()
        if isinstance(self._found, OSError):
            raise ModelError(
                f"{self.variant.file} cannot be read ({self._found.strerror}): put the file beside its manifest.json"
            ) from self._found
        if self._found != self.variant.sha256:
            raise ModelError(
                f"{self.variant.file} has sha256 {self._found}, its manifest says {self.variant.sha256}: "
                "fetch the file again, or correct the manifest if the file is the right one"
            )
