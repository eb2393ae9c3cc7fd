"""Folders of photographs as arrays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.training.dataset import DatasetError, files_of, labels_of, read_photo, read_split, split_folder


def _photo(file: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(file)


@pytest.fixture
def split(tmp_path: Path) -> Path:
    _photo(tmp_path / "train" / "red" / "b.png", (255, 0, 0))
    _photo(tmp_path / "train" / "red" / "a.JPG", (250, 0, 0))
    _photo(tmp_path / "train" / "blue" / "c.png", (0, 0, 255))
    (tmp_path / "train" / "red" / "notes.txt").write_text("no photograph")
    return tmp_path / "train"


def test_labels_are_the_folders_in_name_order(split: Path) -> None:
    assert labels_of(split) == ("blue", "red")


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_class_folders_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="has 0 class folders, expected two or more"):
        labels_of(tmp_path / name)


def test_photographs_come_in_order_of_label_and_name(split: Path) -> None:
    assert [(file.name, index) for file, index in files_of(split, ("blue", "red"))] == [
        ("c.png", 0),
        ("a.JPG", 1),
        ("b.png", 1),
    ]


def test_a_label_without_photographs_is_refused(split: Path) -> None:
    (split / "green").mkdir()
    with pytest.raises(DatasetError, match="green holds no photographs"):
        files_of(split, labels_of(split))


def test_a_split_is_read_with_its_classes_and_its_progress(split: Path) -> None:
    told: list[tuple[int, int]] = []
    photos = read_split(split, ("blue", "red"), size=8, progress=lambda done, total: told.append((done, total)))
    assert photos.images.shape == (3, 8, 8, 3)
    assert photos.classes.tolist() == [0, 1, 1]
    assert photos.images[0].reshape(-1, 3).tolist() == [[0, 0, 255]] * 64
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_the_whole_photograph_is_stretched_upright(tmp_path: Path) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # stored lying on its left side: what is left is the top
    Image.fromarray(pixels).save(tmp_path / "turned.png", exif=exif)
    seen = read_photo(tmp_path / "turned.png", 10)
    assert seen.shape == (10, 10, 3)
    assert np.min(seen[:4]) == 255
    assert np.max(seen[6:]) == 0


def test_a_jpeg_read_in_draft_looks_the_same(sample_paths: list[Path]) -> None:
    large = max(sample_paths, key=lambda file: file.stat().st_size)
    full, draft = (read_photo(large, 64, draft=draft).astype(int) for draft in (0.0, 2.0))
    assert np.abs(full - draft).mean() < 2


def _classes(folder: Path, count: int) -> Path:
    for label, colour in (("red", (255, 0, 0)), ("blue", (0, 0, 255))):
        for number in range(count):
            _photo(folder / label / f"{number:02}.png", colour)
    return folder


def test_class_folders_alone_are_split_the_same_way_for_the_same_seed(tmp_path: Path) -> None:
    data = _classes(tmp_path / "data", 20)

    def names(seed: int) -> list[str]:
        split = split_folder(data, tmp_path / "work", share=0.1, seed=seed)
        assert labels_of(split / "train") == labels_of(split / "validation") == ("blue", "red")
        every = {file.name for part in ("train", "validation") for file, _ in files_of(split / part, ("red",))}
        assert len(every) == 20
        return [file.name for file, _ in files_of(split / "validation", ("blue", "red"))]

    first = names(1)
    assert len(first) == 4
    assert names(1) == first
    assert any(names(seed) != first for seed in range(2, 9))
    read_split(tmp_path / "work" / "split" / "train", ("blue", "red"), size=8)


def test_a_split_that_is_there_is_taken_as_it_is(split: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a folder train, but no validation beside it"):
        split_folder(tmp_path, tmp_path / "work", share=0.1, seed=1)
    _classes(tmp_path / "validation", 1)
    assert split_folder(tmp_path, tmp_path / "work", share=0.1, seed=1) == tmp_path
    assert not (tmp_path / "work").exists()


def test_a_class_of_one_photograph_cannot_be_split(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="holds 1 photographs, expected more: 10% are set aside"):
        split_folder(_classes(tmp_path / "data", 1), tmp_path / "work", share=0.1, seed=1)
