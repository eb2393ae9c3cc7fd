"""Null servers and a few small images for tests that run the real Locust."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loadtests.plan.targets import Target
from tests.paths import ROOT

LOCUSTFILE = ROOT / "loadtests" / "locustfile.py"


@contextmanager
def null_target(name: str = "aws", *options: str) -> Iterator[Target]:
    """One null server as a target; it ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests.selftest.null_server", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    try:
        url = json.loads(process.stdout.readline())["url"]
        yield Target(name, name, "none", "local", 128, url, control=url)
    finally:
        process.communicate(timeout=10)


def ledger(target: Target) -> dict[str, Any]:
    """What the null server itself says that it did."""
    with urllib.request.urlopen(f"{target.url}ledger", timeout=5) as answer:
        return dict(json.load(answer))


def write_images(folder: Path) -> Path:
    """Three tiny PNG files."""
    folder.mkdir()
    for shade in range(3):
        (folder / f"{shade}.png").write_bytes(png(bytes([shade * 80] * 3)))
    return folder


def png(colour: bytes) -> bytes:
    """A picture of 2 x 2 px, RGB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + colour * 2) * 2
    header = struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
