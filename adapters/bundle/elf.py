"""Read from a shared object's version table which C library it needs.

A wheel's tag is a claim: tflite-runtime 2.14.0's x86_64 wheel is tagged manylinux2014 (glibc 2.17) and needs
glibc 2.29. Source of the format: ELF specification, "Symbol Versioning" (LSB Core, section 10.7).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_VERNEED = 0x6FFFFFFE
_MACHINES = {62: "x86_64", 183: "arm64"}
_SECTION = struct.Struct("<IIQQQQIIQQ")
_NEED = struct.Struct("<HHIII")
_AUX = struct.Struct("<IHHII")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SharedObject:
    """What one .so asks of its machine: architecture, and the highest GLIBC symbol version (None without one)."""

    arch: str
    glibc: Version | None


def read(path: Path) -> SharedObject | None:
    """Read a 64-bit little-endian shared object; None when the file is not an ELF file of that kind."""
    data = path.read_bytes()
    if data[:6] != b"\x7fELF\x02\x01":
        return None
    (machine,) = struct.unpack_from("<H", data, 18)
    needed = [parse(name[6:]) for name in _needed_versions(data) if name.startswith("GLIBC_") and name[6:7].isdigit()]
    return SharedObject(arch=_MACHINES.get(machine, f"machine {machine}"), glibc=max(needed, default=None))


def parse(version: str) -> Version:
    """'2.29' -> (2, 29)."""
    return tuple(int(part) for part in version.split("."))


def _needed_versions(data: bytes) -> Iterator[str]:
    """Names in every SHT_GNU_verneed section, such as GLIBC_2.17."""
    sections = _sections(data)
    for kind, offset, link, count in sections:
        if kind == _VERNEED:
            strings = sections[link][1]
            yield from _needs(data, offset, strings=strings, count=count)


def _sections(data: bytes) -> list[tuple[int, int, int, int]]:
    """Of each section header: type, file offset, link, info."""
    (start,) = struct.unpack_from("<Q", data, 40)
    size, number = struct.unpack_from("<HH", data, 58)
    headers = (_SECTION.unpack_from(data, start + index * size) for index in range(number))
    return [(header[1], header[4], header[6], header[7]) for header in headers]


def _needs(data: bytes, offset: int, *, strings: int, count: int) -> Iterator[str]:
    for _ in range(count):
        _, auxiliaries, _, first, following = _NEED.unpack_from(data, offset)
        place = offset + first
        for _ in range(auxiliaries):
            _, _, _, name, step = _AUX.unpack_from(data, place)
            end = data.index(b"\0", strings + name)
            yield data[strings + name : end].decode()
            place += step
        offset += following
