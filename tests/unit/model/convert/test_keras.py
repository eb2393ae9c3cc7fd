"""Converting Keras files and SavedModels; needs the extra `convert` (TensorFlow) and is skipped without it."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from core import manifest as core_manifest
from model.convert import Conversion, convert
from model.convert.agreement import score_agreement
from model.convert.answers import file_scores
from model.convert.errors import ConvertError, ToolMissing
from model.convert.preprocessing import Preprocessing, photographs
from model.convert.source import open_source
from tests.paths import SAMPLES

if TYPE_CHECKING:
    from numpy.typing import NDArray

HAS_EXTRA = importlib.util.find_spec("tensorflow") is not None
with_extra = pytest.mark.skipif(not HAS_EXTRA, reason="the extra `convert` (TensorFlow) is not installed")
# TensorFlow and its dependencies warn about each other when imported.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.timeout(600)]
SIDE = 32
CIFAR10 = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained network of four classes that takes any size, as .keras, .h5 and SavedModel."""
    import keras

    keras.utils.set_random_seed(7)
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(image)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(image, keras.layers.Dense(4, activation="softmax")(x))
    folder = tmp_path_factory.mktemp("net")
    model.save(folder / "net.keras")
    model.save(folder / "net.h5")
    model.export(str(folder / "saved"), verbose=False)
    return folder


def asked(source: Path, out: Path, mode: str, **changes: Any) -> Conversion:
    kinds = changes.pop("kinds", ("float32",))
    size = changes.pop("input_size", (SIDE, SIDE))
    return Conversion(
        source, out, tuple("abcd"), SAMPLES, mode, kinds=kinds, input_size=size, min_agreement=0.0, **changes
    )


def _photos(mode: str) -> tuple[Preprocessing, NDArray[np.uint8]]:
    feeding = Preprocessing(SIDE, SIDE, mode)
    return feeding, np.stack([feeding.pixels(file) for file in photographs(SAMPLES)])


@with_extra
@pytest.mark.parametrize("name", ["net.keras", "net.h5", "saved"])
def test_every_form_of_file_becomes_the_same_float_model(net: Path, tmp_path: Path, name: str) -> None:
    made = convert(asked(net / name, tmp_path / "out", "tf"))
    assert made[0].likeness.agreement.value == 1.0
    assert made[0].likeness.largest_difference < 1e-5
    loaded = core_manifest.load(tmp_path / "out")
    assert (loaded.input.height, loaded.input.width) == (SIDE, SIDE)


@with_extra
@pytest.mark.parametrize("mode", ["tf", "caffe", "torch", "raw"])
def test_bytes_and_floats_give_the_same_answers_whatever_the_preprocessing(
    net: Path, tmp_path: Path, mode: str
) -> None:
    as_bytes = convert(asked(net / "net.keras", tmp_path / "bytes", mode, input="uint8"))[0]
    assert (as_bytes.entry["input_dtype"], as_bytes.entry["preprocessing"]) == ("uint8", "raw")
    assert as_bytes.likeness.largest_difference < 1e-4
    as_floats = convert(asked(net / "net.keras", tmp_path / "floats", mode, input="float"))[0]
    assert (as_floats.entry["input_dtype"], as_floats.entry["preprocessing"]) == ("float32", mode)
    assert as_floats.likeness.largest_difference < 1e-4


@with_extra
@pytest.mark.parametrize("mode", ["tf", "caffe", "torch", "raw"])
def test_int8_takes_bytes_and_stays_near_the_original(net: Path, tmp_path: Path, mode: str) -> None:
    made = convert(
        asked(net / "net.keras", tmp_path / "out", mode, kinds=("int8", "weight-only", "float16", "dynamic"))
    )
    assert [one.kind for one in made] == ["int8", "float16", "dynamic", "weight-only"]
    assert (made[0].entry["input_dtype"], made[0].entry["preprocessing"]) == ("uint8", "raw")
    for one in made:
        assert one.likeness.largest_difference < 0.25, one


@with_extra
def test_a_model_that_takes_any_size_asks_for_one(net: Path, tmp_path: Path) -> None:
    with pytest.raises(ConvertError, match="takes images of any x any: give such a size with --input-size"):
        convert(asked(net / "net.keras", tmp_path / "out", "tf", input_size=None))


@with_extra
def test_a_file_that_keras_cannot_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "broken.h5").write_bytes(b"nothing of the kind")
    with pytest.raises(ConvertError, match=r"cannot be loaded by this Keras|can be loaded neither by Keras"):
        open_source(tmp_path / "broken.h5", input_size=None)


def test_without_the_extra_a_keras_file_names_it(tmp_path: Path) -> None:
    (tmp_path / "net.keras").write_bytes(b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(__import__("sys").modules, "tensorflow", None)
        with pytest.raises(ToolMissing, match=r"pip install 'tripoint\[convert\]'"):
            open_source(tmp_path / "net.keras", input_size=None)


@with_extra
def test_a_published_keras_file_becomes_its_published_conversion(data_folder: Path, tmp_path: Path) -> None:
    """mlcommons/tiny's CIFAR-10 ResNet: its authors' .h5, their float .tflite and their int8 one."""
    source, photos_of = data_folder / "models" / "pretrainedResnet.h5", data_folder / "clothes" / "train"
    out = tmp_path / "resnet"
    convert(Conversion(source, out, CIFAR10, photos_of, "raw", kinds=("float32", "int8"), min_agreement=0.8))
    feeding = Preprocessing(SIDE, SIDE, "raw")
    photos = np.stack([feeding.pixels(file) for file in photographs(data_folder / "clothes" / "validation")[::4]])
    published = [data_folder / "models" / f"pretrainedResnet{name}.tflite" for name in ("", "_quant")]
    ours, ours8 = (_answers(out / f"resnet-{kind}.tflite", photos) for kind in ("float32", "int8"))
    theirs, theirs8 = (_answers(file, photos) for file in published)
    assert score_agreement(theirs, ours).largest_difference < 1e-4
    mine, published8 = score_agreement(theirs, ours8).agreement, score_agreement(theirs, theirs8).agreement
    assert mine.hi > published8.value, "our int8 file is no worse than the published one"


def _answers(file: Path, photos: NDArray[np.uint8]) -> NDArray[np.float32]:
    return file_scores(file, photos, preprocessing="raw")[2]


@with_extra
@pytest.mark.skipif(importlib.util.find_spec("tf_keras") is None, reason="tf_keras is not installed")
def test_a_file_of_keras_2_that_keras_3_refuses_is_read_by_tf_keras(tmp_path: Path) -> None:
    import tf_keras

    net = tf_keras.applications.MobileNet(weights=None, alpha=0.25, classes=4, input_shape=(SIDE, SIDE, 3))
    net.save(tmp_path / "old.h5")
    made = convert(asked(tmp_path / "old.h5", tmp_path / "out", "tf"))
    assert made[0].likeness.largest_difference < 1e-5
