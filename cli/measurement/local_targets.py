"""Name a run, find its images, and describe a running local cloud as a target."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from loadtests.plan.targets import Target

SAMPLES = Path(__file__).resolve().parents[2] / "model" / "samples"


def run_id() -> str:
    """Return a name that sorts by time and differs for runs of the same second."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{secrets.token_hex(2)}"


def samples_of(model: str) -> Path:
    """Return the default images: `samples` in the model's own folder, or the built-in photographs."""
    from adapters.bundle import layout

    own = layout.model_folder(model) / "samples"
    return own if own.is_dir() else SAMPLES


def images_in(folder: Path) -> Path:
    """Return `folder`. Raises UsageError when it is no folder, or holds nothing that can be sent."""
    from loadtests.plan.payloads import PayloadsError, check_payloads, read_payloads

    if not folder.is_dir():
        raise click.UsageError(f"--images {str(folder)!r} is not a folder: give a folder of photographs")
    try:
        check_payloads(read_payloads(folder))
    except PayloadsError as error:
        raise click.UsageError(str(error)) from error
    return folder


def target_of(local: Any) -> Target:
    """Return a running local cloud as a target with the cloud's name."""
    from loadtests.cost.measured import LOCAL_REGION
    from loadtests.plan.targets import Target

    names = ("cloud", "plan", "memory_mb", "url", "concurrency", "control", "cpu_share")
    return Target(name=local.cloud, region=LOCAL_REGION, **{name: getattr(local, name) for name in names})
