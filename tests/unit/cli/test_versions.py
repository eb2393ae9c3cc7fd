"""What `compare --against` takes: a commit, a bundle or a model, and an answer to what is none of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click
import pytest

from adapters import contract
from adapters.bundle.layout import assemble, lay_out_code, unpack
from cli.measurement.versions import other_version
from tests.paths import ROOT


def _is_checkout() -> bool:
    found = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, check=False)
    return found.returncode == 0


@pytest.mark.skipif(not _is_checkout(), reason="this tree is no git checkout")
def test_a_commit_is_unpacked_and_its_code_is_what_is_laid_out(tmp_path: Path) -> None:
    with other_version("HEAD", model="clothes") as version:
        assert version.label.startswith("commit ")
        assert version.code is not None
        mark = version.code / "core" / "service.py"
        mark.write_text(mark.read_text(encoding="utf-8") + "\n# the other version\n", encoding="utf-8")
        lay_out_code(contract.load("aws"), tmp_path / "code", code=version.code)
        kept = version.code
    assert (tmp_path / "code" / "core" / "service.py").read_text(encoding="utf-8").endswith("# the other version\n")
    assert not kept.exists(), "it is gone with the run"


def test_a_model_is_found_by_name_and_by_folder(tmp_path: Path) -> None:
    with other_version("clothes", model="clothes") as version:
        assert (version.model, version.code, version.bundle) == ("clothes", None, None)
    shutil.copytree(ROOT / "model" / "clothes", tmp_path / "mine")
    with other_version(str(tmp_path / "mine"), model="clothes") as version:
        assert version.model == str(tmp_path / "mine")


@pytest.mark.parametrize("zipped", [False, True])
def test_a_bundle_is_a_folder_or_a_zip_and_is_run_as_it_is(tmp_path: Path, zipped: bool) -> None:
    folder = assemble(contract.load("aws"), folder=tmp_path / "bundle")
    path = Path(shutil.make_archive(str(tmp_path / "aws"), "zip", folder)) if zipped else folder
    with other_version(str(path), model="clothes") as version:
        assert version.bundle == path
        made = unpack(path, tmp_path / "unpacked")
    names = {each.relative_to(made).as_posix() for each in made.rglob("*.py")}
    assert "core/service.py" in names
    assert names == {each.relative_to(folder).as_posix() for each in folder.rglob("*.py")}


def test_what_is_none_of_them_is_refused_with_what_was_tried() -> None:
    tried = r"'nonsense' is no bundle .*, no model .*, and no commit"
    with pytest.raises(click.UsageError, match=tried), other_version("nonsense", model="clothes"):
        pass
    with pytest.raises(click.UsageError, match="no commit"), other_version("--upload-pack=x", model="clothes"):
        pass
