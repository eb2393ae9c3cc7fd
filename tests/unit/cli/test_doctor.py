"""`tripoint doctor`: what it finds on this machine, what it asks for, and what it never shows."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from adapters import contract
from cli.diagnosis import accounts, installation, machine, programs, runtimes
from cli.main import tripoint
from core.runtime import MODULES
from tests.kits.cli import Caller

if TYPE_CHECKING:
    from cli.diagnosis.finding import Diagnosis


pytestmark = pytest.mark.timeout(400)  # it asks other programs, each with a limit of its own


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Caller:
    """In an empty folder."""
    monkeypatch.chdir(tmp_path)
    return Caller(monkeypatch, capsys)


def named(found: list[Diagnosis], name: str) -> Diagnosis:
    return next(each for each in found if each.name == name)


def test_a_machine_with_everything_installed_can_compare(call: Caller) -> None:
    ended = call("doctor", "--json")
    found = {(each["part"], each["name"]): each for each in json.loads(ended.out)}
    assert [each for each in found.values() if each["state"] == "missing"] == []
    assert ended.code == 0
    assert {part for part, _ in found} == {
        "installation", "runtimes", "local clouds", "machine", "accounts", "programs",
    }  # fmt: skip
    for cloud in contract.clouds():
        assert found["local clouds", cloud]["state"] == "ok"
        assert ("accounts", cloud) in found
    assert {name for part, name in found if part == "runtimes"} == set(MODULES)
    assert found["machine", "cpu and memory shares"]["found"].startswith(("enforced", "not enforced"))
    assert all(each["state"] == "ok" or each["remedy"] for each in found.values())


def test_a_missing_package_is_named_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [*(metadata.requires("tripoint") or []), "no-such-package>=1", "numpy>=99", "other>=1; extra == 'aws'"]
    monkeypatch.setattr(metadata, "requires", lambda name: lines)
    with click.Context(tripoint, info_name="tripoint"):
        found = list(installation.look())
    packages = named(found, "packages")
    assert packages.state == "missing"
    assert "no-such-package" in packages.found
    assert f"numpy {metadata.version('numpy')} (needs >=99)" in packages.found
    assert "make setup" in packages.remedy
    extra = named(found, "extra aws")
    assert extra.state == "note"
    assert "pip install 'tripoint[aws]'" in extra.remedy


def test_what_is_missing_ends_with_1_and_is_named_last(call: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtimes, "look", lambda: iter(()))
    monkeypatch.setattr(machine, "_SPACE_MB", 10**9)
    ended = call("doctor")
    assert ended.code == 1
    last = " ".join(ended.out.split("missing for tripoint compare: ")[1].split())
    assert last == "temporary files, this folder"
    assert "free some, or set TMPDIR" in " ".join(ended.out.split())


def test_every_runtime_that_has_a_file_of_the_built_in_model_classifies() -> None:
    found = list(runtimes.look())
    assert any("classified a photograph as 'pants'" in each.found for each in found)
    assert named(found, "litert-direct").state == "ok"


def test_a_runtime_that_brings_its_process_down_is_a_note_with_its_last_words() -> None:
    ok, found = runtimes._tried("no-such-runtime")
    assert not ok
    assert found == "it ended with status 1: KeyError: 'no-such-runtime'"


def test_credentials_are_found_and_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("boto3")
    secrets = {"AWS_ACCESS_KEY_ID": "AKIAMADEUPFORTEST", "AWS_SECRET_ACCESS_KEY": "made-up-secret-for-a-test"}
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)
    found = list(accounts.look())
    assert named(found, "aws").state == "ok"
    assert not any(value in json.dumps([each.document() for each in found]) for value in secrets.values())


def test_without_credentials_each_cloud_says_how_to_get_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AZURE_SUBSCRIPTION_ID", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    for each in accounts.look():
        assert each.state == "note"
        assert each.remedy, each


def test_a_broken_settings_file_is_a_finding_and_not_a_refusal(call: Caller, tmp_path: Path) -> None:
    (tmp_path / "tripoint.toml").write_text("[compere]\nrate = 1\n", encoding="utf-8")
    with click.Context(tripoint, info_name="tripoint"):
        found = named(list(installation.look()), "tripoint.toml")
    assert found.state == "missing"
    assert "did you mean 'compare'?" in found.found


def test_an_image_builder_without_its_service_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "docker"
    fake.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = named(list(programs.look()), "image builder")
    assert (found.state, found.found) == ("note", "docker does not answer")


def test_every_extra_is_shown_with_what_it_is_for() -> None:
    with click.Context(tripoint, info_name="tripoint"):
        found = {each.name: each for each in installation.look() if each.name.startswith("extra ")}
    assert set(found) == {f"extra {name}" for name in metadata.metadata("tripoint").get_all("Provides-Extra") or []}
    for name in found:
        assert installation._FOR.get(name.removeprefix("extra ")), (
            f"{name}: say in cli/diagnosis/installation.py what for"
        )
