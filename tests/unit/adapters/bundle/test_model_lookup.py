"""Names, folders and offers: where a model is found, who may be removed, what the catalogue holds."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from adapters.bundle import model_lookup
from adapters.bundle.model_lookup import RegistryError
from model.registry import catalogue, model_folder
from model.registry.description import Answers


@pytest.fixture(autouse=True)
def models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for registered models."""
    monkeypatch.setenv("TRIPOINT_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def place(folder: Path, name: str) -> Path:
    (folder / name).mkdir(parents=True)
    (folder / name / "manifest.json").write_text(json.dumps({"name": name}))
    return (folder / name).resolve()


def test_names_are_looked_up_built_in_first_then_registered_then_here(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    here, registered = place(tmp_path, "mine"), place(models, "mine")
    place(models, "clothes")
    only_here = place(tmp_path, "other")
    assert model_lookup.find("clothes") == model_lookup.BUILT_IN / "clothes"
    assert model_lookup.find("mine") == registered
    assert model_lookup.find("./mine") == here
    assert model_lookup.find("other") == only_here
    assert [each.name for each in model_lookup.entries()] == ["clothes", "mine"]


@pytest.mark.parametrize("name", ["nothing", "", "a/b", "../clothes", "no.such"])
def test_an_unknown_model_names_the_known_ones_and_how_to_add_one(name: str, models: Path) -> None:
    place(models, "mine")
    place(models, ".downloads")
    with pytest.raises(RegistryError, match=r"one of clothes, mine; register your own with: tripoint model add"):
        model_lookup.find(name)


def test_without_a_variable_models_lie_among_the_users_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRIPOINT_MODELS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert model_lookup.registered_folder() == tmp_path / "tripoint" / "models"


@pytest.mark.parametrize("name", ["", "-x", "a/b", "..", "a b", "x" * 65, "ä"])
def test_a_name_that_would_trouble_a_shell_or_a_cloud_is_refused(name: str) -> None:
    with pytest.raises(RegistryError, match="cannot be used"):
        model_lookup.check_name(name)


@pytest.mark.parametrize("name", ["clothes", "samples", "registry"])
def test_names_of_tripoint_itself_are_not_given_away(name: str) -> None:
    with pytest.raises(RegistryError, match="belongs to Tripoint itself"):
        model_lookup.check_name(name)


def test_a_file_gives_a_model_a_name(tmp_path: Path) -> None:
    assert model_lookup.name_for(tmp_path / "My Model (v2).tflite") == "my-model-v2"


def test_a_name_is_given_once_unless_it_is_to_be_replaced(models: Path, tmp_path: Path) -> None:
    for number, replace in ((1, False), (2, True)):
        with model_folder.draft_folder() as folder:
            model_folder.write({"name": "mine", "number": number}, folder)
            assert model_folder.publish(folder, "mine", replace=replace) == models / "mine"
    assert model_lookup.entry_of("mine").document()["number"] == 2
    with (
        model_folder.draft_folder() as folder,
        pytest.raises(RegistryError, match=r"there is a model mine already.*--replace"),
    ):
        model_folder.publish(folder, "mine", replace=False)
    assert [each.name for each in models.iterdir()] == ["mine"], "no draft is left"


def test_a_draft_that_is_given_up_leaves_nothing(models: Path) -> None:
    def begin() -> None:
        with model_folder.draft_folder() as folder:
            (folder / "half").write_bytes(b"x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begin()
    assert list(models.iterdir()) == []


def test_a_draft_of_a_killed_command_is_removed_after_a_day(models: Path) -> None:
    for name, age_s in ((".adding-old", 100_000), (".adding-new", 100)):
        (models / name).mkdir(parents=True)
        os.utime(models / name, (time.time() - age_s,) * 2)
    with model_folder.draft_folder():
        pass
    assert [each.name for each in models.iterdir()] == [".adding-new"]


def test_only_the_users_own_models_are_removed(models: Path, tmp_path: Path) -> None:
    place(models, "mine")
    elsewhere = place(tmp_path / "elsewhere", "linked")
    (models / "linked").symlink_to(elsewhere)
    for name in ("mine", "linked"):
        model_lookup.remove(model_lookup.entry_of(name))
    assert [each.name for each in model_lookup.entries()] == ["clothes"]
    assert elsewhere.is_dir(), "the folder behind a link is not ours"
    with pytest.raises(RegistryError, match="built in and stays"):
        model_lookup.remove(model_lookup.entry_of("clothes"))


def test_a_folder_that_cannot_be_written_says_which_variable_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TRIPOINT_MODELS", str(tmp_path / "file" / "models"))
    with pytest.raises(RegistryError, match="set TRIPOINT_MODELS"), model_folder.draft_folder():
        pass


def test_a_broken_manifest_is_listed_with_its_problem(models: Path) -> None:
    (models / "broken").mkdir(parents=True)
    (models / "broken" / "manifest.json").write_text("{")
    summary = model_folder.summary(model_lookup.entry_of("broken"))
    assert "cannot be read" in summary["problem"]
    assert model_folder.summary(model_lookup.entry_of("clothes"))["labels"] == 10


# The catalogue.


def test_every_offer_of_the_catalogue_is_whole() -> None:
    offers = catalogue.offers()
    assert {"clothes-onnx", "clothes-xception", "mobilenet-v2", "person"} <= set(offers)
    for name, offer in offers.items():
        assert model_lookup.check_name(name) == name
        assert offer.url.startswith("https://")
        assert (offer.sha256 is None) == (offer.bytes is None)
        assert (offer.labels_url is None) == (offer.labels_sha256 is None)
        Answers(**offer.answers)


def test_a_catalogue_of_ones_own_adds_offers_and_a_wrong_one_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.toml"
    monkeypatch.setenv(catalogue.VARIABLE, str(file))
    lines = ["[mine]", 'title = "T"', 'licence = "L"', 'page = "P"', 'url = "https://example.com/m.tflite"']
    file.write_text("\n".join(lines))
    assert catalogue.offer_of("mine").file_name == "m.tflite"
    assert "clothes-xception" in catalogue.offers()
    for wrong, complaint in (
        ("colour = 1", "colour"),
        ('sha256 = "abc"', "64 lower-case"),
        ("answers = { a = 1 }", "answers has a"),
    ):
        file.write_text("\n".join([*lines, wrong]))
        with pytest.raises(RegistryError, match=complaint):
            catalogue.offers()


def test_an_unknown_offer_names_the_known_ones() -> None:
    with pytest.raises(RegistryError, match="expected one of mobilenet-v2,"):
        catalogue.offer_of("nothing")
