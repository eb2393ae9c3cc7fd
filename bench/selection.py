"""List the subjects that can run here, and what is missing for the others."""

from __future__ import annotations

import importlib.util
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters import contract
from bench.inputs import MODEL
from bench.processes import BenchSubject
from core import runtime

if TYPE_CHECKING:
    from bench.inputs import BenchInputs

COURSE_NEEDS = "pip install keras-image-helper==0.0.1 tflite-runtime 'numpy<2' (Linux, Python 3.11)"


def variant_file(runtime_name: str) -> Path:
    """The file of the built-in model that goes with a runtime."""
    manifest = json.loads((MODEL / "manifest.json").read_text(encoding="utf-8"))
    names = [one["file"] for one in manifest["variants"] if runtime_name in one["runtimes"]]
    return MODEL / str(names[0])


def default_runtime() -> str:
    """What an instance here takes by itself."""
    return runtime.usable()[0]


def warm() -> list[BenchSubject]:
    """Floors, our handler on every cloud, on the second runtime, and the course's handler."""
    first = default_runtime()
    found = [BenchSubject("floor", "warm_floor", (str(MODEL), first))]
    found += [
        BenchSubject(f"ours {cloud}", "handler", (cloud,), {"TRIPOINT_RUNTIME": first}) for cloud in contract.clouds()
    ]
    if first != "litert":
        found.append(BenchSubject("floor litert", "warm_floor", (str(MODEL), "litert")))
        found.append(BenchSubject("ours aws litert", "handler", ("aws",), {"TRIPOINT_RUNTIME": "litert"}))
    return found + course()


def course() -> list[BenchSubject]:
    """The course's handler, where its packages are installed."""
    if not has_course():
        return []
    return [BenchSubject("course", "course", (str(variant_file("tflite-runtime")), str(MODEL / "manifest.json")))]


def has_course() -> bool:
    """Whether keras-image-helper and tflite-runtime are both here."""
    return all(importlib.util.find_spec(name) for name in ("keras_image_helper", "tflite_runtime"))


def cold(material: BenchInputs) -> list[BenchSubject]:
    """The floor, our plain and direct paths from the bundle, the bundle without .pyc files, the course's handler."""
    bundle = (material.bundle,)
    plain = {"TRIPOINT_RUNTIME": "litert"}
    found = [
        BenchSubject("floor", "cold_floor", (str(variant_file("litert")),), path=bundle),
        BenchSubject("plain", "cold_handler", (), plain, path=bundle),
        BenchSubject(
            "plain without pyc", "cold_handler", (), plain, path=(material.bare_bundle,), write_bytecode=False
        ),
    ]
    if "litert-direct" in runtime.usable():
        found.append(BenchSubject("direct", "cold_handler", (), {"TRIPOINT_RUNTIME": "litert-direct"}, path=bundle))
    return found + course()


def beside_keras(material: BenchInputs, python: str, file: Path) -> list[BenchSubject]:
    """TensorFlow in an environment that has it, and our best path beside it: a few rounds of their own are enough."""
    ours = cold(material)[-1 - len(course())]
    variables = {"TF_CPP_MIN_LOG_LEVEL": "3"}
    return [
        BenchSubject("tensorflow", "keras_model", (str(file),), variables, python=python),
        replace(ours, name=f"{ours.name} beside tensorflow"),
    ]


def threads(*, rounds: int, requests: int) -> BenchSubject:
    """One instance under several threads."""
    return BenchSubject("threads", "threads", (str(MODEL), str(rounds), str(requests)))


def memory(runtime_name: str) -> BenchSubject:
    """Memory by number of interpreters."""
    return BenchSubject(f"memory {runtime_name}", "memory", (str(MODEL), runtime_name))
