"""What ships of third-party packages, and the cache that makes it cheap."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from adapters import bundle
from adapters.bundle import cache, packages, slimming

_USE_EVERYTHING = """
import io, sys
import numpy, PIL.Image, PIL.ImageOps
from ai_edge_litert.interpreter import Interpreter
import ai_edge_litert, ctypes, pathlib
ctypes.CDLL(str(pathlib.Path(ai_edge_litert.__file__).with_name("libLiteRt.so")))
picture = PIL.Image.effect_noise((32, 24), 90).convert("RGB")
for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    with PIL.Image.open(io.BytesIO(buffer.getvalue())) as opened:
        small = PIL.ImageOps.exif_transpose(opened).convert("RGB").resize((8, 8))
    assert numpy.asarray(small, numpy.float32).mean() > 0, kind
outside = [m.__file__ for m in list(sys.modules.values()) if "site-packages" in (getattr(m, "__file__", "") or "")]
assert not outside, outside
try:
    Interpreter(model_content=b"not a model")
except ValueError as error:
    print("reached the interpreter:", error)
"""


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRIPOINT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_slimmed_packages_work_with_nothing_else_on_the_path() -> None:
    tree = packages.installed(["numpy", "pillow", "ai-edge-litert"])
    done = subprocess.run(
        [sys.executable, "-S", "-c", _USE_EVERYTHING],
        env={"PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "reached the interpreter" in done.stdout


def test_tests_headers_and_accelerators_stay_out() -> None:
    tree = packages.installed(["numpy", "pillow", "ai-edge-litert"])
    names = {path.relative_to(tree).as_posix() for path in tree.rglob("*") if path.is_file()}
    assert not [name for name in names if "/tests/" in name or name.endswith((".h", ".pyi"))]
    assert not [name for name in names if "WebGpu" in name or "/vendors/" in name or "libavif" in name]
    assert "ai_edge_litert/libLiteRt.so" in names
    assert any(name.startswith("numpy-") and name.endswith("METADATA") for name in names)


def test_every_module_has_byte_code_that_is_never_checked() -> None:
    tree = packages.installed(["numpy"])
    sources = list(tree.rglob("*.py"))
    assert sources
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{sys.implementation.cache_tag}.pyc"
        assert compiled.read_bytes()[4:8] == b"\x01\0\0\0", "PEP 552: flags of an unchecked hash"


def test_an_absent_package_is_told_with_the_next_step() -> None:
    with pytest.raises(bundle.BundleError, match="'no-such-package' is not installed here: run `make setup`"):
        packages.installed(["no-such-package"])


def test_a_package_without_rules_loses_only_what_no_import_needs() -> None:
    rule = slimming.rule_of("Some_Package", "1.0")
    assert rule.ships("some_package/module.py")
    assert not rule.ships("some_package/tests/test_module.py")
    assert not rule.ships("../../bin/some-script")


def test_a_rule_for_a_later_major_version_does_not_touch_an_earlier_one() -> None:
    assert slimming.rule_of("numpy", "1.26.4").ships("numpy/random/__init__.py")
    assert not slimming.rule_of("numpy", "2.5.5").ships("numpy/random/__init__.py")


def test_a_folder_is_made_once(own_cache: Path) -> None:
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("x")

    first = cache.folder_for("kind", "key", make)
    assert cache.folder_for("kind", "key", make) == first
    assert len(made) == 1
    assert (first / "file").read_text() == "x"


def test_a_failed_make_leaves_nothing_behind(own_cache: Path) -> None:
    def make(folder: Path) -> None:
        (folder / "half").write_text("x")
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        cache.folder_for("kind", "key", make)
    assert list((own_cache / "kind").iterdir()) == []


def test_two_makers_at_once_agree_on_one_folder(own_cache: Path) -> None:
    together = threading.Barrier(2, timeout=20)
    results: list[Path] = []

    def make(folder: Path) -> None:
        (folder / "file").write_text("same")
        together.wait()

    threads = [
        threading.Thread(target=lambda: results.append(cache.folder_for("kind", "key", make))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert results == [own_cache / "kind" / "key"] * 2
    assert [path.name for path in (own_cache / "kind").iterdir()] == ["key"]


def test_folders_unused_for_a_month_are_forgotten(own_cache: Path) -> None:
    old = cache.folder_for("kind", "old", lambda folder: None)
    os.utime(old, (0, 0))
    cache.folder_for("kind", "new", lambda folder: None)
    assert [path.name for path in (own_cache / "kind").iterdir()] == ["new"]


def test_only_the_last_few_folders_are_kept_but_none_in_use_is_taken(own_cache: Path) -> None:
    now = time.time()
    for index in range(20):
        made = cache.folder_for("kind", f"old-{index:02}", lambda folder: None)
        os.utime(made, (now - 7200 - index, now - 7200 - index))
    cache.folder_for("kind", "new", lambda folder: None)
    kept = sorted(path.name for path in (own_cache / "kind").iterdir())
    assert kept == ["new", *(f"old-{index:02}" for index in range(12))]
    for path in (own_cache / "kind").iterdir():
        os.utime(path)
    cache.folder_for("kind", "newer", lambda folder: None)
    assert len(list((own_cache / "kind").iterdir())) == 14, "all were in use"


def test_placed_files_are_those_of_the_tree(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tree / "a" / "b" / "file").write_text("new")
    target = tmp_path / "target"
    (target / "a" / "b").mkdir(parents=True)
    (target / "a" / "b" / "file").write_text("in the way")
    cache.place(tree, target)
    assert (target / "a" / "b" / "file").read_text() == "new"
    cache.place(tree, target)
    assert (target / "a" / "b" / "file").read_text() == "new"


def test_a_folder_that_another_process_takes_away_meanwhile_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOINT_CACHE", str(tmp_path))
    (tmp_path / "kind").mkdir()
    (tmp_path / "kind" / ".making-gone").symlink_to(tmp_path / "gone")  # is listed, and is not there
    folder = cache.folder_for("kind", "key", lambda work: (work / "file").touch())
    assert (folder / "file").is_file()
