"""Who may import whom: read from the source of every module, so that nothing hides behind a late import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adapters import contract
from tests.architecture.import_graph import imports
from tests.paths import ROOT

OURS = {"core", "adapters", "model", "loadtests", "cli", "tests", "bench"}
PLATFORM_SDKS = {"flask", "functions_framework", "azure"}
CORE_PACKAGES = {"numpy", "PIL", "ai_edge_litert", "tflite_runtime", "onnxruntime"} | {"_typeshed"}  # for types alone


def tops(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(path)}


def modules(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found, f"{folder} has no modules"
    return found


def test_core_imports_nothing_of_ours_and_few_packages() -> None:
    for path in modules("core"):
        foreign = tops(path) - set(sys.stdlib_module_names) - {"core"} - CORE_PACKAGES
        assert not foreign, f"{path.relative_to(ROOT)} imports {sorted(foreign)}"


@pytest.mark.parametrize("cloud", contract.clouds())
def test_what_ships_imports_only_core_and_the_platforms_sdk(cloud: str) -> None:
    folder = contract.load(cloud).folder
    shipped = [path for path in folder.glob("*.py") if path.stem in {"handler", "main", "function_app", "translate"}]
    assert len(shipped) == 2, "one entry and translate.py"
    for path in shipped:
        ours = {name for name in imports(path) if name.split(".")[0] in OURS - {"core"}}
        assert all(name.startswith(f"adapters.{cloud}") for name in ours), f"{path.name} imports {sorted(ours)}"
        foreign = tops(path) - set(sys.stdlib_module_names) - OURS - PLATFORM_SDKS
        assert not foreign, f"{path.name} imports {sorted(foreign)}"


@pytest.mark.parametrize("cloud", contract.clouds())
def test_a_cloud_never_imports_another_cloud(cloud: str) -> None:
    others = {f"adapters.{name}" for name in contract.clouds()} - {f"adapters.{cloud}"}
    for path in contract.load(cloud).folder.rglob("*.py"):
        crossing = {name for name in imports(path) if ".".join(name.split(".")[:2]) in others}
        assert not crossing, f"{path.relative_to(ROOT)} imports {sorted(crossing)}"


@pytest.mark.parametrize("folder", ["core", "adapters", "model", "loadtests"])
def test_nothing_imports_the_command_line(folder: str) -> None:
    for path in modules(folder):
        assert "cli" not in tops(path), path.relative_to(ROOT)


def test_no_module_has_the_name_of_a_stdlib_module() -> None:
    """A locustfile's folder comes first on sys.path: a module or folder of ours would hide the real one."""
    taken = set(sys.stdlib_module_names) - {"__main__"}
    for folder in ("core", "adapters", "loadtests", "model", "cli"):
        for path in modules(folder):
            assert not {path.stem, path.parent.name} & taken, path.relative_to(ROOT)


def test_lock_files_carry_hashes_and_no_address() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text, path.name
        assert "://" not in text, path.name
