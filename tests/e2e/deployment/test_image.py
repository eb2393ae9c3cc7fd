"""An image built, sent to a registry, deployed, measured and removed, with the real programs.

`Dockerfile.tflite` is built by buildah and sent to Debian's docker-registry, which stands for ECR's data plane behind
moto's control plane. The function's local cloud runs the files that are pulled back from the registry, by chroot: the
image's own Python, its own awslambdaric, its own entry point. Its base is made here, for none can be pulled.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.bundle import push
from tests.e2e.deployment.test_aws_variants import client, only_function
from tests.e2e.deployment.test_compare import PHASES, door_of, ended, samples_of
from tests.kits import deploy_rig
from tests.standins import base_image, ecr, registry

if TYPE_CHECKING:
    from tests.kits.deploy_rig import Rig

pytestmark = [pytest.mark.timeout(1500)]
FLAGS = ("--format", "image", "--runtime", "tflite-runtime", "--python", "3.11")


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    lacking = [name for name in (*base_image.NEEDED, registry.PROGRAM, "chroot") if shutil.which(name) is None]
    if lacking:
        pytest.skip(
            f"not installed: {', '.join(lacking)} (Debian: apt-get install buildah docker-registry debootstrap)"
        )
    if os.geteuid() != 0:
        pytest.skip("debootstrap and chroot need root")
    if platform.machine() != "x86_64":
        pytest.skip("tflite-runtime 2.14 and this image are for x86_64")
    with (
        base_image.store(tmp_path / "store") as store,
        registry.serving(tmp_path / "registry", user="AWS", password=ecr.PASSWORD) as serving,
        deploy_rig.open_rig("aws", tmp_path / "rig") as made,
    ):
        made.standin.ecr.registry = serving
        made.variables = {**made.variables, **store}
        made.extra = FLAGS
        yield made


def test_an_image_is_built_sent_deployed_measured_and_removed(rig: Rig, sample_image: bytes) -> None:
    said = rig.apply()
    assert "make    image py3.11-x86_64-tflite-runtime-clothes-" in said
    held, uri = rig.standin.ecr.registry, only_image(rig)
    name, digest = ecr.split(uri)
    assert uri.startswith(f"{held.address}/tripoint-")
    [tag] = held.tags(name)
    assert held.manifest(name, tag)[1] == digest
    assert held.configuration(name, digest)["architecture"] == "amd64"
    assert ecr.PASSWORD not in said

    calls = len(rig.interruption.seen)
    again = rig.apply()
    assert "make " not in again
    assert rig.interruption.seen[calls:] == []

    address = door_of(rig).address(only_function(rig)["FunctionName"])
    opened = urllib.request.Request(address, data=sample_image, headers={"content-type": "image/jpeg"})
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(opened, timeout=30)
    measure(rig)

    root = held.unpack(name, digest)
    assert (root / "var/task/adapters/aws/handler.py").is_file()
    assert list((root / "var/task").rglob("*.cpython-311.pyc")), "byte code of the image's own Python"
    assert not (root / "tmp/locks").exists()
    assert "nothing is left" in rig.run("destroy")
    assert rig.left() == []
    assert held.tags(name) == []


@pytest.mark.parametrize("tool", ["docker", "podman", "buildah"])
def test_a_real_tool_takes_the_password_from_standard_input_into_our_file(tool: str, tmp_path: Path) -> None:
    """Docker's client needs no service for this."""
    lacking = [name for name in (tool, registry.PROGRAM) if shutil.which(name) is None]
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    home, folder = tmp_path / "home", tmp_path / "ours"
    home.mkdir()
    folder.mkdir()
    with registry.serving(tmp_path / "registry", user="AWS", password=ecr.PASSWORD) as held:
        login = push.Login(held.address, "AWS", ecr.PASSWORD)
        push.prepare(tool, folder, held.address)
        command = push.login_command(tool, login, folder)
        environ = {**os.environ, "HOME": str(home)}
        for given, fits in ((ecr.PASSWORD, True), ("another", False)):
            done = subprocess.run(
                command, input=given, env=environ, capture_output=True, text=True, timeout=60, check=False
            )
            assert (done.returncode == 0) is fits, done.stderr
    assert held.address in "".join(path.read_text() for path in folder.iterdir())
    assert [path for path in home.rglob("*") if path.is_file()] == []


def only_image(rig: Rig) -> str:
    made = client(rig, "lambda").get_function(FunctionName=only_function(rig)["FunctionName"])
    return str(made["Code"]["ImageUri"])


def measure(rig: Rig) -> None:
    """`compare --targets deployed`, signed, against the image's own files behind the lock."""
    (rig.folder / "mine.toml").write_text(PHASES, encoding="utf-8")
    asked = ("--targets", "deployed", "--yes", "--scenario", "mine.toml", "--out", str(rig.folder / "run"))
    status, said = ended(rig.compare(*asked))
    assert status == 0, said
    samples = samples_of(rig.folder / "run")
    assert {sample.outcome for sample in samples} == {"ok"}, said
    assert [sample.state for sample in samples if sample.stratum == "forced"] == ["cold", "cold"]
    assert door_of(rig).retired == 2
