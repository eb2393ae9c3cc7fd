"""Sending a built image to a registry. The password goes to the tool on standard input and into a file of our own,
which is removed afterwards: neither a command line nor the user's own settings hold it.

Command lines: docs.docker.com/reference/cli/docker/login, docs.podman.io/en/latest/markdown/podman-login.1.html,
github.com/containers/buildah/blob/main/docs/buildah-push.1.md; as of 2026-11-25.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from adapters.bundle import container_tool
from adapters.bundle.errors import BundleError

_PREFIX = "tripoint-login-"
_HOST = "{{.Endpoints.docker.Host}}"


@dataclass(frozen=True, slots=True, repr=False)
class Login:
    """What a registry (host and port) asks for."""

    registry: str
    user: str
    password: str


def push(local: str, address: str, login: Login) -> None:
    """Send the image tagged `local` to `address` in the login's registry. Raises BundleError."""
    tool = container_tool.find()
    with _folder() as folder:
        prepare(tool, folder, login.registry)
        environ = _environ(tool)
        _run(login_command(tool, login, folder), environ, given=login.password)
        try:
            for line in push_commands(tool, local, address, folder):
                _run(line, environ)
        finally:
            if tool == "docker":  # the second name that pushing needs
                subprocess.run([tool, "rmi", address], env=environ, capture_output=True, check=False)


def login_command(tool: str, login: Login, folder: Path) -> list[str]:
    named = ["--username", login.user, "--password-stdin"]
    if tool == "docker":
        return [tool, "--config", str(folder), "login", *named, login.registry]
    return [tool, "login", *_own_file(folder), *_plain(login.registry), *named, login.registry]


def push_commands(tool: str, local: str, address: str, folder: Path) -> list[list[str]]:
    """Docker pushes what is tagged with its address; podman and buildah anything anywhere."""
    if tool == "docker":
        return [[tool, "tag", local, address], [tool, "--config", str(folder), "push", "--quiet", address]]
    return [[tool, "push", *_own_file(folder), *_plain(address), local, f"docker://{address}"]]


def _own_file(folder: Path) -> list[str]:
    return ["--authfile", str(folder / "auth.json")]


def _plain(address: str) -> list[str]:
    """A registry on this machine has no certificate; docker takes 127.0.0.0/8 for insecure by itself."""
    return ["--tls-verify=false"] if address.startswith("127.") else []


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder that only this user may enter, gone afterwards; also those that killed processes have left."""
    for left in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        pid = left.name.removeprefix(_PREFIX).partition("-")[0]
        if pid.isdigit() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-") as name:
        yield Path(name)


def prepare(tool: str, folder: Path, registry: str) -> None:
    """With a registry already in its file, docker writes there and does not look for the system's keychain.

    Source: github.com/docker/cli, cli/config/config.go, LoadDefaultConfigFile; as of 2026-11-25.
    """
    if tool == "docker":
        (folder / "config.json").write_text(json.dumps({"auths": {registry: {}}}), "utf-8")


def _environ(tool: str) -> Mapping[str, str]:
    """The user's own choice of docker service lies in the folder that `--config` replaces."""
    environ = dict(os.environ)
    if tool == "docker" and "DOCKER_HOST" not in environ:
        host = container_tool.asked(tool, "context", "inspect", "--format", _HOST)
        environ.pop("DOCKER_CONTEXT", None)
        if host and host.strip():
            environ["DOCKER_HOST"] = host.strip()
    return environ


def _run(line: Sequence[str], environ: Mapping[str, str], *, given: str = "") -> None:
    done = subprocess.run(line, env=environ, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        action = next(word for word in line if word in {"login", "tag", "push"})
        raise BundleError(f"{line[0]} {action} failed: {said}")
