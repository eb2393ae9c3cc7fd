"""What the container tools are told, as text: none of them is called here."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from adapters import contract
from adapters.bundle import archive, container_tool, image, layout, push
from adapters.bundle.build import BundleSpec
from adapters.bundle.errors import BundleError
from adapters.bundle.target import target_of

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
LOGIN = push.Login(HOST, "AWS", "a-password")
FOLDER = Path("/ours")


def order(runtime: str = "litert", python: str = "3.13", **more: str) -> BundleSpec:
    found = contract.load("aws")
    return BundleSpec(found, target_of(found, python=python, **more), runtime=runtime)


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        ("docker", f"docker --config /ours login --username AWS --password-stdin {HOST}"),
        ("podman", f"podman login --authfile /ours/auth.json --username AWS --password-stdin {HOST}"),
        ("buildah", f"buildah login --authfile /ours/auth.json --username AWS --password-stdin {HOST}"),
    ],
)
def test_each_tool_logs_in_with_a_file_of_ours_and_the_password_elsewhere(tool: str, expected: str) -> None:
    said = push.login_command(tool, LOGIN, FOLDER)
    assert " ".join(said) == expected
    assert LOGIN.password not in said
    assert LOGIN.password not in repr(LOGIN)


def test_each_tool_sends_to_the_address() -> None:
    lines = {
        tool: push.push_commands(tool, "ours:1", f"{HOST}/r:t", FOLDER) for tool in ("docker", "podman", "buildah")
    }
    assert [" ".join(line) for line in lines["docker"]] == [
        f"docker tag ours:1 {HOST}/r:t",
        f"docker --config /ours push --quiet {HOST}/r:t",
    ]
    for tool in ("podman", "buildah"):
        [line] = lines[tool]
        assert " ".join(line) == f"{tool} push --authfile /ours/auth.json ours:1 docker://{HOST}/r:t"


def test_only_a_registry_of_this_machine_may_be_without_a_certificate() -> None:
    here = push.push_commands("buildah", "ours:1", "127.0.0.1:5000/r:t", FOLDER)[0]
    assert "--tls-verify=false" in here
    assert "--tls-verify=false" not in push.push_commands("buildah", "ours:1", f"{HOST}/127.0.0.1:t", FOLDER)[0]
    assert "--tls-verify=false" not in push.login_command("podman", LOGIN, FOLDER)


def test_what_a_killed_push_has_left_goes_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    for pid in (gone.pid, os.getpid()):
        (tmp_path / f"tripoint-login-{pid}-left").mkdir()
    with push._folder() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        left = {path.name for path in tmp_path.iterdir()} - {folder.name}
    assert left == {f"tripoint-login-{os.getpid()}-left"}
    assert not folder.exists()


def test_contents_follow_every_file_that_the_dockerfile_copies() -> None:
    before = image.contents(order())
    assert before == image.contents(order())
    others = {
        image.contents(order(arch="arm64")),
        image.contents(order(python="3.12")),
        image.contents(order("tflite-runtime")),
    }
    assert len(others | {before}) == 4
    copied = {path.relative_to(layout.REPOSITORY).as_posix() for path in image._copied(order())}
    assert {
        "core/service.py",
        "adapters/aws/handler.py",
        "model/clothes/manifest.json",
        "requirements/py313.txt",
    } < copied
    assert not any("__pycache__" in name for name in copied)
    assert "adapters/aws/deploy.py" not in copied


@pytest.mark.parametrize("name", ["core/service.py", "adapters/aws/Dockerfile"])
def test_a_changed_file_is_another_image(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, digest = image.contents(order()), archive.sha256
    changed = layout.REPOSITORY / name
    monkeypatch.setattr(archive, "sha256", lambda path: "0" * 64 if path == changed else digest(path))
    assert image.contents(order()) != before


@pytest.mark.parametrize(
    ("said", "can"),
    [
        ("Name: default\nPlatforms: linux/amd64*, linux/amd64/v2, linux/386\n", False),
        ("Name: default\nPlatforms: linux/amd64, linux/arm64\n", True),
        ("Name: default\n", True),
        (None, True),
    ],
)
def test_docker_says_itself_what_it_can_build_for(
    said: str | None, can: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_tool, "asked", lambda *_: said)
    assert container_tool.builds_for("docker", "arm64") is can


@pytest.mark.parametrize(("registered", "can"), [("enabled\ninterpreter /usr/bin/qemu", True), ("disabled\n", False)])
def test_the_kernel_says_whether_podman_and_buildah_can_build_for_another_machine(
    registered: str, can: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_tool, "_FOREIGN", tmp_path)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.setattr("sys.platform", "linux")
    assert container_tool.builds_for("buildah", "x86_64")
    assert not container_tool.builds_for("podman", "arm64")
    (tmp_path / "qemu-aarch64").write_text(registered)
    assert container_tool.builds_for("podman", "arm64") is can


def test_a_client_without_its_service_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = tmp_path / "docker"
    client.write_text("#!/bin/sh\necho no service >&2; exit 1\n")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/nothing")
    with pytest.raises(BundleError, match="docker is installed, but `docker info` fails: is its service running"):
        container_tool.find()


def test_the_classic_image_is_judged_by_its_own_base() -> None:
    assert image.system(order("tflite-runtime", "3.11")).glibc == (2, 36)
    assert image.system(order()).glibc == (2, 34)
