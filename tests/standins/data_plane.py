"""The data plane behind a stand-in: the local cloud, started from the very zip that was deployed.

python -m tests.standins.data_plane ZIP CLOUD [options of adapters.emulator]
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from adapters.emulator import __main__ as emulator
from adapters.emulator import local

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from adapters.contract import Cloud

_OURS = {"core", "adapters", "model", "bundle.json"}


@dataclass(frozen=True)
class Running:
    """`url` classifies; `control` is the control plane; `fronts` are the URLs of all front doors by name."""

    url: str
    control: str
    fronts: Mapping[str, str]


@contextmanager
def running(cloud: str, archive: bytes, path: Path, *, memory_mb: int | None = None) -> Iterator[Running]:
    """Run what `archive` holds as `cloud`, with that much memory; `path` is where the zip is put."""
    path.write_bytes(archive)
    options = json.dumps({} if memory_mb is None else {"memory_mb": memory_mb})
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(path), cloud, "--end-with-stdin", "--options", options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parent.parent.parent,
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

    def unpack(cloud: Cloud, *, folder: Path, model: str = "") -> Path:
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(folder)
        _take_packages_from_here(folder)
        return folder

    with mock.patch.object(local, "assemble", unpack):
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
