"""A recorder in place of docker, podman or buildah: the seam to a program that is not there.

It builds nothing. It writes down how it was called and what it got on standard input, keeps a login where the real
tool would, and on a push puts an image of one empty layer into the stand-in's ECR, as the registry would.
`tests/e2e/deployment/test_image.py` uses the real buildah and a real registry.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import stat
import sys
import urllib.request
from pathlib import Path
from typing import Any

_CREDENTIALS = (
    "AWS4-HMAC-SHA256 Credential=stand-in/20260101/{region}/ecr/aws4_request, SignedHeaders=host, Signature=0"
)


def install(folder: Path, *names: str) -> Path:
    """Put programs of these names into `folder`; returns the file that they write to, one line for each call."""
    folder.mkdir(parents=True, exist_ok=True)
    record = folder / "calls.jsonl"
    line = shlex.join([sys.executable, "-S", str(Path(__file__).resolve()), str(record)])
    for name in names:
        program = folder / name
        program.write_text(f'#!/bin/sh\nexec {line} {name} "$@"\n')
        program.chmod(0o755)
    return record


def calls(record: Path) -> list[dict[str, Any]]:
    """What was called so far: `argv`, `stdin`, and for a login its `file` and that file's folder's `mode`."""
    return [json.loads(line) for line in record.read_text("utf-8").splitlines()] if record.exists() else []


def main() -> None:
    """Write one call down, and do its part."""
    record, *argv = sys.argv[1:]
    words, call = set(argv), {"argv": argv, "stdin": ""}
    if "login" in words:
        call |= _log_in(argv)
    with Path(record).open("a", encoding="utf-8") as file:
        file.write(json.dumps(call) + "\n")
    if "buildx" in words:
        print("Platforms: linux/amd64*, linux/arm64")
    if "push" in words:
        _push(argv[-1].removeprefix("docker://"))


def _log_in(argv: list[str]) -> dict[str, Any]:
    given = sys.stdin.read()
    named = "--config" if "--config" in argv else "--authfile"
    path = Path(argv[argv.index(named) + 1])
    file = path / "config.json" if named == "--config" else path
    before = file.read_text("utf-8") if file.exists() else ""
    file.write_text(json.dumps({"auths": {argv[-1]: {"auth": given}}}), "utf-8")
    mode = stat.S_IMODE(file.parent.stat().st_mode)
    return {"stdin": given, "file": str(file), "before": before, "mode": mode}


def _push(address: str) -> None:
    """PutImage, as ECR's registry does at the end of a push."""
    host, _, path = address.partition("/")
    name, _, tag = path.partition(":")
    layer = {"digest": f"sha256:{hashlib.sha256(tag.encode()).hexdigest()}", "size": 1}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"digest": layer["digest"], "size": 1},
        "layers": [layer],
    }
    body = {"repositoryName": name, "imageManifest": json.dumps(manifest), "imageTag": tag}
    headers = {
        "content-type": "application/x-amz-json-1.1",
        "x-amz-target": "AmazonEC2ContainerRegistry_V20150921.PutImage",
        "authorization": _CREDENTIALS.format(region=host.split(".")[3]),
    }
    asked = urllib.request.Request(os.environ["AWS_ENDPOINT_URL"], json.dumps(body).encode(), headers)
    with urllib.request.urlopen(asked, timeout=60):
        pass


if __name__ == "__main__":
    main()
