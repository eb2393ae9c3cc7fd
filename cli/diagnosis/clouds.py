"""Check each local cloud: its Python runtime and, on request, that it starts and classifies."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from adapters import contract
from cli.diagnosis.finding import Diagnosis
from cli.diagnosis.installation import REPAIR

_PART = "local clouds"
_PHOTOGRAPH = Path(__file__).resolve().parents[2] / "model" / "samples" / "pants-navy.jpg"
_ANSWER_WITHIN_S = 60.0


def look() -> Iterator[Diagnosis]:
    """Yield whether the packages of each cloud are installed; no cloud is started."""
    for name in contract.clouds():
        cloud = contract.load(name)
        if lacking := _lacking(cloud):
            yield Diagnosis(_PART, name, "missing", lacking, REPAIR)
        else:
            yield Diagnosis(_PART, name, "ok", f"the Python runtime of {cloud.title} is here")


def start() -> Iterator[Diagnosis]:
    """Start one cloud after the other, and let each classify a photograph."""
    from adapters.emulator import clouds

    for name in contract.clouds():
        try:
            with clouds.start([name]) as running:
                label = _classify(running[name].url)
                share = running[name].cpu_share
        except (clouds.CloudFailed, OSError, LookupError, ValueError) as error:
            yield Diagnosis(_PART, f"{name} started", "missing", " ".join(str(error).split()), REPAIR)
        else:
            found = f"it classified a photograph as {label!r}; CPU share {share}"
            yield Diagnosis(_PART, f"{name} started", "ok", found)


def _lacking(cloud: contract.Cloud) -> str:
    """Return what a cloud's `instance.py` lacks; one with a runtime of its own offers `runtime_folder`."""
    try:
        module = cloud.instances()
        folder = getattr(module, "runtime_folder", None)
        if folder is not None:
            folder()
    except (ImportError, contract.InstanceFailed) as error:
        return str(error)
    return ""


def _classify(url: str) -> str:
    request = urllib.request.Request(url, data=_PHOTOGRAPH.read_bytes(), headers={"content-type": "image/jpeg"})
    with urllib.request.urlopen(request, timeout=_ANSWER_WITHIN_S) as answer:
        return str(json.load(answer)["predictions"][0]["label"])
