"""Turn model files of other kinds into TFLite with the converter of `tripoint model convert`, and check them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError

ENDINGS = (".h5", ".hdf5", ".keras", ".pt2")
_LARGEST_DIFFERENCE = 1e-3


def is_foreign(file: Path) -> bool:
    """Whether the converter takes such a file: Keras, a SavedModel folder, torch.export."""
    return file.suffix.lower() in ENDINGS or file.is_dir()


def to_tflite(file: Path, folder: Path, *, input_size: tuple[int, int] | None, photos: Sequence[Path]) -> Path:
    """Write `file` as float32 TFLite into `folder`; its scores for `photos` must be those of the original.

    Raises RegistryError when the packages of the extra `convert` are missing, or the file cannot be converted.
    """
    from model.convert.agreement import score_agreement
    from model.convert.answers import file_scores
    from model.convert.errors import ConvertError
    from model.convert.preprocessing import Preprocessing, read_all
    from model.convert.source import open_source

    target = folder / f"{model_lookup.name_for(file) or 'model'}.tflite"
    try:
        original = open_source(file, input_size=input_size)
        feeding = Preprocessing(*original.side, "tf")
        pixels = read_all(list(photos), feeding, phase="photographs", told=lambda phase, done, total: None)
        target.write_bytes(original.to_tflite("float32", feeding=feeding, photos=pixels, takes_bytes=False))
        found = file_scores(target, pixels, preprocessing="tf")[2]
        difference = score_agreement(original.scores(feeding.normalised(pixels)), found).largest_difference
    except ConvertError as error:
        raise RegistryError(str(error)) from error
    if not difference <= _LARGEST_DIFFERENCE:
        raise RegistryError(
            f"{file} as TFLite answers differently, by up to {difference:.3g} in a score, expected at most "
            f"{_LARGEST_DIFFERENCE:g}: convert it with tripoint model convert, which says more"
        )
    return target
