"""What a cloud would refuse is refused here, with the reason."""

from __future__ import annotations

import datetime
import shutil
import sys
import sysconfig
from pathlib import Path

import pytest

from adapters import contract
from adapters.bundle import archive, bytecode, elf, preflight, target
from adapters.bundle.build import BundleSpec
from adapters.bundle.errors import BundleError

AWS = contract.load("aws")
LINUX_X86 = sys.platform == "linux" and sysconfig.get_platform().endswith("x86_64")


def messages(findings: object, *, refused: bool) -> list[str]:
    assert hasattr(findings, "__iter__")
    return [finding.message for finding in findings if finding.refused == refused]


def shared_object(*, machine: int, needs: tuple[str, ...]) -> bytes:
    """A 64-bit ELF file with nothing but a version table, laid out by hand from the specification."""
    import struct

    strings = b"\0libc.so.6\0" + b"".join(name.encode() + b"\0" for name in needs)
    places = [strings.index(name.encode() + b"\0") for name in needs]
    table = struct.pack("<HHIII", 1, len(needs), 1, 16, 0)
    for index, place in enumerate(places):
        following = 16 if index + 1 < len(places) else 0
        table += struct.pack("<IHHII", 0, 0, index + 2, place, following)
    header_bytes, section_bytes = 64, 64
    strings_at = header_bytes
    table_at = strings_at + len(strings)
    sections_at = table_at + len(table)
    sections = b"\0" * section_bytes
    sections += struct.pack("<IIQQQQIIQQ", 0, 3, 0, 0, strings_at, len(strings), 0, 0, 1, 0)
    sections += struct.pack("<IIQQQQIIQQ", 0, 0x6FFFFFFE, 0, 0, table_at, len(table), 1, 1, 4, 0)
    header = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    header += struct.pack("<HHIQQQIHHHHHH", 3, machine, 1, 0, 0, sections_at, 0, 64, 0, 0, section_bytes, 3, 0)
    return header + strings + table + sections


def test_the_highest_glibc_symbol_is_compared_as_a_number(tmp_path: Path) -> None:
    library = tmp_path / "library.so"
    library.write_bytes(shared_object(machine=62, needs=("GLIBC_2.9", "GLIBC_2.29", "GLIBC_2.17", "GLIBC_PRIVATE")))
    assert elf.read(library) == elf.SharedObject(arch="x86_64", glibc=(2, 29))


def test_a_text_file_is_no_shared_object(tmp_path: Path) -> None:
    script = tmp_path / "linker.so"
    script.write_text("INPUT(-lc)")
    assert elf.read(script) is None


@pytest.mark.skipif(not LINUX_X86 or sys.version_info[:2] != (3, 11), reason="tflite-runtime has no wheel here")
def test_the_wheel_that_will_not_load_on_lambda_is_refused(tmp_path: Path) -> None:
    import importlib.util

    found = importlib.util.find_spec("tflite_runtime")
    assert found
    assert found.submodule_search_locations
    shutil.copytree(found.submodule_search_locations[0], tmp_path / "tflite_runtime")
    lambda_311 = target.target_of(AWS, python="3.11", arch="x86_64")
    [message] = messages(preflight.check_files(tmp_path, lambda_311), refused=True)
    assert "needs glibc 2.29, but Amazon Linux 2 (Python 3.11) has 2.26: choose a newer --python" in message
    lambda_313 = target.target_of(AWS, python="3.13", arch="x86_64")
    assert list(preflight.check_files(tmp_path, lambda_313)) == []


def test_a_library_for_the_other_architecture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.so").write_bytes(shared_object(machine=183, needs=("GLIBC_2.17",)))
    [message] = messages(preflight.check_files(tmp_path, target.target_of(AWS)), refused=True)
    assert message == "library.so is for arm64, the function for x86_64: build for one of them"


def test_a_bundle_above_the_unpacked_limit_is_refused_and_a_large_zip_is_noted() -> None:
    limits = AWS.data["bundle"]["target"]
    findings = list(preflight.check_sizes(262144001, 52428801, limits))
    assert "250.0 MiB" in messages(findings, refused=True)[0]
    assert "goes through a bucket" in messages(findings, refused=False)[0]
    assert list(preflight.check_sizes(262144000, 52428800, limits)) == []


@pytest.mark.parametrize(
    ("day", "refused", "said"),
    [("2027-07-01", True, "ended"), ("2027-06-30", False, "ends on"), ("2027-01-02", False, "ends on")],
)
def test_the_end_of_a_python_version_is_told_in_time(day: str, refused: bool, said: str) -> None:
    old = target.target_of(AWS, python="3.11")
    [finding] = preflight.check_python(old, datetime.date.fromisoformat(day))
    assert finding.refused is refused
    assert said in finding.message
    assert not list(preflight.check_python(old, datetime.date(2026, 12, 31)))


@pytest.mark.parametrize(
    ("cloud", "memory_mb", "refused"),
    [
        ("aws", 128, False),
        ("aws", 127, True),
        ("aws", 10240, False),
        ("aws", 10241, True),
        ("azure", 2048, False),
        ("azure", 1024, True),
    ],
)
def test_a_memory_size_that_the_cloud_does_not_offer_is_refused(cloud: str, memory_mb: int, refused: bool) -> None:
    findings = list(preflight.check_memory(memory_mb, contract.load(cloud).data["memory"]))
    assert bool(findings) is refused


def test_an_unknown_python_or_architecture_is_told_with_the_known_ones() -> None:
    with pytest.raises(BundleError, match=r"AWS Lambda has no Python '3.8': choose one of 3.11, 3.12, 3.13"):
        target.target_of(AWS, python="3.8")
    with pytest.raises(BundleError, match="has no 'riscv': choose one of x86_64, arm64"):
        target.target_of(AWS, arch="riscv")
    with pytest.raises(BundleError, match="unknown runtime 'torch': expected one of litert, litert-direct, tflite-"):
        BundleSpec(AWS, target.target_of(AWS), runtime="torch")


def test_the_same_files_give_the_same_zip_whatever_their_times(tmp_path: Path) -> None:
    import os

    sums = []
    for when in (0, 1_700_000_000):
        folder = tmp_path / str(when)
        (folder / "b").mkdir(parents=True)
        for name in ("z.py", "b/a.txt"):
            (folder / name).write_text(name)
            os.utime(folder / name, (when, when))
        sums.append(archive.sha256(archive.write(folder, tmp_path / f"{when}.zip")))
    assert sums[0] == sums[1]


def test_byte_code_is_the_same_each_time_and_a_missing_interpreter_is_noted(tmp_path: Path) -> None:
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    digests = []
    for name in ("one", "two"):
        folder = tmp_path / name
        shutil.copytree(Path(preflight.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
        assert bytecode.write_for(python, folder) is not None
        digests.append(archive.digest(folder))
    assert digests[0] == digests[1]
    here = target.target_of(AWS, python=python)
    assert list(preflight.check_bytecode(folder, here)) == []
    assert bytecode.write_for("9.99", folder) is None
    (tmp_path / "bare").mkdir()
    [finding] = preflight.check_bytecode(tmp_path / "bare", here)
    assert not finding.refused
    assert "put a python" in finding.message
