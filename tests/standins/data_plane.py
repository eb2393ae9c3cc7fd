"""The data plane behind a stand-in: the local cloud, started from the very zip or image that was deployed.

python -m tests.standins.data_plane ZIP|FOLDER CLOUD [options of adapters.emulator]

FOLDER holds an image's unpacked files, its configuration beside it: its own Python runs in it, by chroot.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from adapters.emulator import __main__ as emulator
from adapters.emulator import local_cloud, process_group
from tests.paths import ROOT

if TYPE_CHECKING:
    from adapters.contract import Cloud

_OURS = {"core", "adapters", "model", "bundle.json"}


@dataclass(frozen=True)
class Running:
    """`url` classifies; `control` is the control plane; `fronts` are the URLs of all front doors by name."""

    url: str
    control: str
    fronts: Mapping[str, str]


@contextmanager
def running(cloud: str, deployed: bytes | Path, path: Path, *, memory_mb: int | None = None) -> Iterator[Running]:
    """Run a zip, or an image's folder, as `cloud`, with that much memory; `path` is where a zip is put."""
    if isinstance(deployed, Path):
        path = deployed
    else:
        path.write_bytes(deployed)
    options = json.dumps({} if memory_mb is None else {"memory_mb": memory_mb})
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(path), cloud, "--end-with-stdin", "--options", options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        event: dict[str, Any] = json.loads(line) if line else {}
        assert event.get("event") == "ready", f"{line} {process.communicate(timeout=20)[1]}"
        yield Running(str(event["url"]), str(event["control"]), event["fronts"])
    finally:
        process.communicate(timeout=30)


def main() -> None:
    """Unpack the zip where the emulator would have assembled a bundle, and be the emulator."""
    archive = Path(sys.argv.pop(1))
    if archive.is_dir():
        _be_image(archive)
        return

    def unpack(cloud: Cloud, *, folder: Path, model: str = "", code: Path | None = None) -> Path:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        _take_packages_from_here(folder)
        return folder

    with mock.patch.object(local_cloud, "assemble", unpack):
        emulator.main()


def _be_image(root: Path) -> None:
    """Be the emulator, whose instances are the image's own entry point in the image's own files."""
    settings = json.loads(root.with_suffix(".json").read_text("utf-8"))
    inside = ["chroot", str(root), "/usr/bin/env", "-C", settings["WorkingDir"], "-u", "PYTHONPATH", *settings["Env"]]
    command = [*inside, *settings.get("Entrypoint", ()), *settings["Cmd"]]
    start = process_group.Launcher.__call__

    async def launched(
        self: process_group.Launcher, _: Sequence[str], *, variables: Mapping[str, str], folder: Path
    ) -> process_group.ProcessGroup:
        return await start(self, command, variables=variables, folder=folder)

    def nothing(cloud: Cloud, *, folder: Path, model: str = "", code: Path | None = None) -> Path:
        folder.mkdir()
        return folder

    with (
        mock.patch.object(local_cloud, "assemble", nothing),
        mock.patch.object(process_group.Launcher, "__call__", launched),
    ):
        emulator.main()


def _take_packages_from_here(folder: Path) -> None:
    """Packages of another Python cannot run here: those of this environment are used, as where the cloud runs pip."""
    made_for = json.loads((folder / "bundle.json").read_text(encoding="utf-8"))["python"]
    if made_for == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return
    carried = [each for each in folder.iterdir() if each.is_dir() and each.name not in _OURS]
    for each in carried:
        shutil.rmtree(each)


if __name__ == "__main__":
    main()
