"""The data plane of ECR: Debian's `docker-registry` on loopback, behind a name and a password.

What is pushed there with a real container tool is read back here with nothing but HTTP and tar.
"""

from __future__ import annotations

import base64
import ctypes
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = "docker-registry"
_SALT = b"$2b$05$abcdefghijklmnopqrstuu"
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)


@dataclass(frozen=True)
class Registry:
    """`address` is host and port; `folder` takes what is unpacked."""

    address: str
    user: str
    password: str
    folder: Path

    def tags(self, name: str) -> list[str]:
        found = self._get(f"{name}/tags/list")
        return list(json.loads(found[0]).get("tags") or ()) if found else []

    def manifest(self, name: str, reference: str) -> tuple[str, str, str]:
        """The text, the digest and the media type of what a tag or digest leads to."""
        found = self._get(f"{name}/manifests/{reference}")
        assert found is not None, f"{name} has no {reference}"
        return found[0].decode(), found[1]["Docker-Content-Digest"], found[1]["Content-Type"]

    def configuration(self, name: str, reference: str) -> dict[str, Any]:
        """What the image says of itself: architecture, environment, entry point."""
        digest = json.loads(self.manifest(name, reference)[0])["config"]["digest"]
        return dict(json.loads(self._blob(name, digest)))

    def unpack(self, name: str, digest: str) -> Path:
        """Lay the image's layers over each other in a folder of their own, and its configuration beside it."""
        root = self.folder / digest.removeprefix("sha256:")[:16]
        if not root.exists():
            root.mkdir(parents=True)
            for layer in json.loads(self.manifest(name, digest)[0])["layers"]:
                _lay(self._blob(name, layer["digest"]), root)
            settings = self.configuration(name, digest)["config"]
            root.with_suffix(".json").write_text(json.dumps(settings), "utf-8")
        return root

    def delete(self, name: str, tag: str) -> None:
        if tag in self.tags(name):
            self._open("DELETE", f"{name}/manifests/{self.manifest(name, tag)[1]}")

    def _blob(self, name: str, digest: str) -> bytes:
        found = self._get(f"{name}/blobs/{digest}")
        assert found is not None
        return found[0]

    def _get(self, path: str) -> tuple[bytes, Any] | None:
        try:
            return self._open("GET", path)
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise

    def _open(self, method: str, path: str) -> tuple[bytes, Any]:
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = {"authorization": f"Basic {basic}", "accept": ", ".join(_MANIFESTS)}
        asked = urllib.request.Request(f"http://{self.address}/v2/{path}", headers=headers, method=method)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.read(), answer.headers


def _lay(layer: bytes, root: Path) -> None:
    """Unpack one layer over `root`, and take away what its whiteouts name (image-spec, layer.md)."""
    subprocess.run(["tar", "-xzf", "-", "-C", str(root)], input=layer, check=True, timeout=300)
    for mark in list(root.rglob(".wh.*")):
        gone = mark.with_name(mark.name.removeprefix(".wh."))
        mark.unlink()
        shutil.rmtree(gone) if gone.is_dir() and not gone.is_symlink() else gone.unlink(missing_ok=True)


@contextmanager
def serving(folder: Path, *, user: str, password: str) -> Iterator[Registry]:
    """Run the registry on a free port with its blobs in `folder`."""
    folder.mkdir(parents=True)
    (folder / "htpasswd").write_text(f"{user}:{_bcrypt(password)}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    settings = {
        "version": "0.1",
        "log": {"level": "warn"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "blobs")}, "delete": {"enabled": True}},
        "http": {"addr": address},
        "auth": {"htpasswd": {"realm": "stand-in", "path": str(folder / "htpasswd")}},
    }
    (folder / "config.yml").write_text(json.dumps(settings))  # JSON is YAML
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM, "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        _wait(address, process)
        yield Registry(address, user, password, folder / "roots")
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    """Until it refuses those without the password: 401."""
    for _ in range(200):
        assert process.poll() is None, "the registry ended"
        try:
            urllib.request.urlopen(f"http://{address}/v2/", timeout=5).close()
        except urllib.error.HTTPError as error:
            if error.code == 401:
                return
            raise
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the registry did not answer")


def _bcrypt(password: str) -> str:
    """As htpasswd -B does, by the C library's own crypt."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    made: bytes = library.crypt(password.encode(), _SALT)
    assert made.startswith(b"$2b$")
    return made.decode()
