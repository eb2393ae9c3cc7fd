"""The header of a run: everything that decides whether two runs can be compared."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core import cpu_count
from loadtests.prices.book import bundled_book
from loadtests.record.machine import cpu_name

if TYPE_CHECKING:
    from loadtests.plan.targets import Target


def describe_run(targets: Sequence[Target], settings: Mapping[str, Any], notes: Mapping[str, str]) -> dict[str, Any]:
    """What is known before the first request; `settings` are the effective settings, `notes` the caller's words."""
    return {
        "tripoint": metadata.version("tripoint") if is_installed() else "not installed",
        "git_commit": git_commit(),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "locust": metadata.version("locust"),
        "machine": describe_machine(),
        "price_book": bundled_book().date,
        "targets": [target.document() for target in targets],
        "cpu_share": "; ".join(sorted({target.cpu_share for target in targets})),
        **settings,
        **notes,
    }


def is_installed() -> bool:
    """Whether the project is installed, rather than on the path."""
    try:
        metadata.version("tripoint")
    except metadata.PackageNotFoundError:
        return False
    return True


def git_commit() -> str | None:
    """The commit of this checkout, with "+" when files differ from it; None outside one."""
    root = Path(__file__).resolve().parents[2]
    git = ["git", "-C", str(root)]
    try:
        commit = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True, timeout=10)
        status = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return commit.stdout.strip() + ("+" if status.stdout.strip() else "")


def describe_machine() -> dict[str, Any]:
    """Processor, the processors that this process may use, operating system."""
    return {"cpu": cpu_name(), "cores": cpu_count.count(), "os": f"{platform.system()} {platform.release()}"}
