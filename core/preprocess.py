"""Encoded image or RGB image -> the bytes of a model's input tensor. numpy is imported only where floats are made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from core import jpeg, pillow_c

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from core.classifier import Front
    from core.manifest import Input, Manifest, Variant
    from core.runtime import Tensor, TensorSpec

_WHOLE = 1  # Pillow's encoders: nothing is left
_SIGN = bytes(value ^ 0x80 for value in range(256))  # 0..255 -> -128..127 as int8


def read(
    data: bytes, /, *, manifest: Manifest, variant: Variant, spec: TensorSpec, max_pixels: int
) -> tuple[Tensor, float]:
    """See `core.classifier.Front`. Raises UnsupportedImage, ImageTooLarge, BrokenImage."""
    size = manifest.input
    if _is_stored(variant, spec) and variant.channels == "rgb" and variant.layout == "nhwc":
        found = pillow_c.read(data, size, max_pixels=max_pixels)
        if found is not None:
            return _stored(found[0], spec), found[1]
    from core import image as images

    rgb = images.decode(data, max_pixels=max_pixels, orient=size.orient, draft=jpeg.draft_of(size))
    decoded_s = time.perf_counter()
    return to_tensor(resize(rgb, size), variant=variant, spec=spec), decoded_s


def resize(image: Image.Image, size: Input) -> Image.Image:
    """Scale a whole RGB image to the model's input, without cropping.

    "nearest" gives the same pixels as keras `load_img`, which the course's model was trained with.
    """
    from PIL import Image

    return image.resize((size.width, size.height), Image.Resampling[size.resampling.upper()])


def to_tensor(image: Image.Image, *, variant: Variant, spec: TensorSpec) -> Tensor:
    """Return the bytes of one RGB image as a model's file and its input want them, row by row.

    The colours of a pixel stand together, or each in a plane of its own where the variant's layout is nchw.

    `raw`: 0..255 as they are. `quantised`: 0..255 laid over the whole range of the tensor's integer type.
    `tf`, `caffe`, `torch`: as `keras.applications.imagenet_utils.preprocess_input`, then quantised with the
    tensor's own scale and zero point when it holds integers. `scaled`: likewise, with the variant's mean and std.
    """
    mode, planes = variant.preprocessing, variant.layout == "nchw"
    if variant.channels == "bgr":
        from PIL import Image

        image = Image.merge("RGB", image.split()[::-1])
    if _is_stored(variant, spec):
        return _stored(b"".join(pixels(band) for band in image.split()) if planes else pixels(image), spec)
    values = scale(image, variant.mean, variant.std) if mode == "scaled" else normalise(image, mode)
    if planes:
        values = values.transpose(2, 0, 1).copy()
    return (values if spec.dtype == "float32" else _quantise(values, spec)).data.cast("B")


def _is_stored(variant: Variant, spec: TensorSpec) -> bool:
    """Whether a model takes integers that stand for 0..255."""
    return variant.preprocessing == "quantised" or (variant.preprocessing == "raw" and spec.dtype == "uint8")


def _stored(values: bytes, spec: TensorSpec) -> bytes:
    """0..255 laid over the whole range of the tensor's integer type."""
    return values.translate(_SIGN) if spec.dtype == "int8" else values


def pixels(image: Image.Image) -> bytes:
    """What `image.tobytes()` returns, without PIL.ImageFile.

    Pillow imports that module there for the size of a buffer, and logging and tokenize with it: a tenth of a cold
    start on the direct path (bench/, 2026-11-21). Should its encoder change, `tobytes` does it.
    """
    width, height = image.size
    from PIL import Image

    try:
        encoder = Image._getencoder(image.mode, "raw", (image.mode,))
        encoder.setimage(image.im, (0, 0, width, height))
        _, status, data = encoder.encode(width * height * len(image.getbands()))
    except (AttributeError, TypeError):
        return image.tobytes()
    return data if status == _WHOLE else image.tobytes()


def normalise(image: Image.Image, mode: str) -> NDArray[np.float32]:
    """float32 [H, W, 3], bit-identical with Keras: in place, and divided where Keras divides.

    Multiplying by 1/127.5 gives other bits.
    """
    import numpy as np

    values = _floats(image)
    if mode == "tf":
        values /= 127.5
        values -= 1.0
    elif mode == "torch":
        values /= 255.0
        values -= np.array([0.485, 0.456, 0.406], dtype=np.float32)
        values /= np.array([0.229, 0.224, 0.225], dtype=np.float32)
    elif mode == "caffe":
        values = np.ascontiguousarray(values[..., ::-1])
        values -= np.array([103.939, 116.779, 123.68], dtype=np.float32)
    return values


def scale(image: Image.Image, mean: Sequence[float], std: Sequence[float]) -> NDArray[np.float32]:
    """float32 [H, W, 3]: (value - mean) / std of 0..255, channel by channel."""
    import numpy as np

    values = _floats(image)
    values -= np.array(mean, dtype=np.float32)
    values /= np.array(std, dtype=np.float32)
    return values


def _floats(image: Image.Image) -> NDArray[np.float32]:
    import numpy as np

    return np.frombuffer(pixels(image), np.uint8).reshape(image.height, image.width, -1).astype(np.float32)


def _quantise(values: NDArray[np.float32], spec: TensorSpec) -> NDArray[np.integer[Any]]:
    import numpy as np

    limits = np.iinfo(spec.dtype)
    stored = np.rint(values / (spec.scale or 1.0)) + spec.zero_point
    quantised: NDArray[np.integer[Any]] = np.clip(stored, limits.min, limits.max).astype(spec.dtype)
    return quantised


_front: Front = read
