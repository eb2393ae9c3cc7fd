"""How pixels become a model's numbers: the usual ways by name, and what an integer input tells by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.registry.graph import Tensor

Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Normalisation:
    """(value - mean) / std of 0..255, channel by channel in the model's own order; `bgr`: blue comes first."""

    mean: Three
    std: Three
    bgr: bool = False

    def ends(self) -> list[tuple[float, float]]:
        """What 0 and 255 become, for each channel."""
        return [((0 - mean) / std, (255 - mean) / std) for mean, std in zip(self.mean, self.std, strict=True)]


def even(mean: float, std: float) -> Normalisation:
    """The same for every channel."""
    return Normalisation((mean,) * 3, (std,) * 3)


# tf, torch, caffe: keras.applications.imagenet_utils.preprocess_input (keras docs, read 2026-11-20). unit: Keras'
# Rescaling(1/255), torchvision's ToTensor. raw: the model scales its input itself.
KNOWN: Mapping[str, Normalisation] = {
    "tf": even(127.5, 127.5),
    "unit": even(0.0, 255.0),
    "raw": even(0.0, 1.0),
    "torch": Normalisation((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
    "caffe": Normalisation((103.939, 116.779, 123.68), (1.0, 1.0, 1.0), bgr=True),
}
_CORE = ("tf", "raw", "torch", "caffe")  # those that the core has under the same name


@dataclass(frozen=True, slots=True)
class Preset:
    """What a family of models usually takes; the resampling is that of its usual training."""

    preprocessing: str
    resampling: str
    family: str


# keras.applications, `preprocess_input` of each module (keras docs, read 2026-11-20); `load_img` resizes with
# nearest, and so does the course's xception.
PRESETS: Mapping[str, Preset] = {
    "xception": Preset("tf", "nearest", "Keras Xception, as the course trains it"),
    "mobilenet": Preset("tf", "bilinear", "MobileNet v1"),
    "mobilenet_v2": Preset("tf", "bilinear", "MobileNet v2"),
    "mobilenet_v3": Preset("raw", "bilinear", "Keras MobileNet v3, which scales its input itself"),
    "inception": Preset("tf", "bilinear", "Inception v3 and Inception-ResNet v2"),
    "nasnet": Preset("tf", "bilinear", "NASNet"),
    "resnet50": Preset("caffe", "bilinear", "Keras ResNet 50, 101, 152"),
    "resnet50_v2": Preset("tf", "bilinear", "Keras ResNet v2"),
    "vgg": Preset("caffe", "bilinear", "VGG 16 and 19"),
    "densenet": Preset("torch", "bilinear", "Keras DenseNet"),
    "efficientnet": Preset("raw", "bilinear", "Keras EfficientNet, v1 and v2, which scale their input themselves"),
    "convnext": Preset("raw", "bilinear", "Keras ConvNeXt, which scales its input itself"),
    "torch": Preset("torch", "bilinear", "torchvision and timm, trained on ImageNet"),
    "teachable_machine": Preset("tf", "bilinear", "Teachable Machine"),
}


def implied_by(image: Tensor) -> Normalisation | None:
    """What an input of integers tells: the range of its real values; None where it fits nothing that is known."""
    if image.dtype == "float32":
        return None
    if not image.scale:
        return KNOWN["raw"]
    ends = _real_ends(image)
    for found in KNOWN.values():
        wanted = min(low for low, _ in found.ends()), max(high for _, high in found.ends())
        if all(abs(end - want) <= 1.5 * image.scale for end, want in zip(ends, wanted, strict=True)):
            return found
    return None


def manifest_fields(normalisation: Normalisation, image: Tensor) -> dict[str, Any]:
    """`preprocessing`, and what goes with it, of a manifest's variant for this input.

    An input of integers whose range is that of the normalised pixels takes the pixels' bytes as they are.
    """
    ends = _real_ends(image)
    whole = all(
        abs(low - ends[0]) <= 1.5 * image.scale and abs(high - ends[1]) <= 1.5 * image.scale
        for low, high in normalisation.ends()
    )
    if image.dtype != "float32" and (whole or not image.scale):
        bytes_as_they_are = {"preprocessing": "raw" if image.dtype == "uint8" else "quantised"}
        return bytes_as_they_are | ({"channels": "bgr"} if normalisation.bgr else {})
    for name in _CORE:
        if normalisation == KNOWN[name] and (name, image.dtype) != ("raw", "int8"):
            return {"preprocessing": name}
    scaled = {"preprocessing": "scaled", "mean": _short(normalisation.mean), "std": _short(normalisation.std)}
    return scaled | ({"channels": "bgr"} if normalisation.bgr else {})


def _real_ends(image: Tensor) -> tuple[float, float]:
    """The real values of the least and the greatest stored integer."""
    least = -128 if image.dtype == "int8" else 0
    return (least - image.zero_point) * image.scale, (least + 255 - image.zero_point) * image.scale


def _short(values: Three) -> float | list[float]:
    return values[0] if len(set(values)) == 1 else list(values)
