"""The record of what was made. It is written before each thing is made, so that clean-up finds everything."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from adapters.deployment.errors import DeployError
from adapters.deployment.naming import Deployment
from adapters.deployment.provider import Resource

if TYPE_CHECKING:
    from adapters.deployment.provider import Outputs, Step

SCHEMA = 1
FOLDER = Path(".tripoint")


@dataclass(frozen=True, slots=True)
class OwnerProcess:
    """The process that a deployment lives for; `started_unix_s` tells it from a later one of the same number.

    What it leaves after a crash is told by it from what is still in use.
    """

    pid: int
    started_unix_s: float

    def is_alive(self) -> bool:
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started_unix_s) < 1.0
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:  # of another user: it is there
            return True


def this_process() -> OwnerProcess:
    return OwnerProcess(os.getpid(), psutil.Process().create_time())


@dataclass(slots=True)
class StateEntry:
    """One resource: `fingerprint` None until it is known to be made."""

    resource: Resource
    fingerprint: str | None = None
    outputs: Outputs = field(default_factory=dict)


class State:
    """A deployment and its entries in order of making, on disk after every change.

    `holder` is the process that it lives for; None for one that stays until it is destroyed.
    """

    def __init__(self, path: Path, deployment: Deployment) -> None:
        self.path = path
        self.deployment = deployment
        self.entries: dict[str, StateEntry] = {}
        self.variants: list[dict[str, Any]] = []
        self.holder: OwnerProcess | None = None

    def begin(self, step: Step) -> None:
        """Record a resource before it is made or changed."""
        before = self.entries.get(step.resource.key)
        self.entries[step.resource.key] = StateEntry(step.resource, None, before.outputs if before else {})
        self.save()

    def finish(self, step: Step, outputs: Outputs) -> None:
        """Record that it is made."""
        self.entries[step.resource.key] = StateEntry(step.resource, step.fingerprint, outputs)
        self.save()

    def forget(self, resource: Resource) -> None:
        """Record that it is gone."""
        if self.entries.pop(resource.key, None) is not None:
            self.save()

    def is_made(self, step: Step) -> bool:
        entry = self.entries.get(step.resource.key)
        return entry is not None and entry.fingerprint == step.fingerprint

    def outputs(self) -> dict[str, Outputs]:
        return {key: entry.outputs for key, entry in self.entries.items()}

    def save(self) -> None:
        """Replace the file in one step, and only once its bytes are on the disk."""
        document = {
            "schema": SCHEMA,
            "deployment": asdict(self.deployment),
            "holder": asdict(self.holder) if self.holder else None,
            "variants": self.variants,
            "entries": [asdict(entry) for entry in self.entries.values()],
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        work = self.path.with_name(f".{self.path.name}.partial")
        with work.open("w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        work.replace(self.path)

    def delete(self) -> None:
        """Forget the deployment."""
        self.path.unlink(missing_ok=True)


def read(folder: Path = FOLDER) -> State | None:
    """The deployment recorded in `folder`, or None. Raises DeployError for a file that cannot be read."""
    path = folder / "deployment.json"
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']}, expected {SCHEMA}")
        state = State(path, Deployment(**document["deployment"]))
        state.variants = document["variants"]
        state.holder = OwnerProcess(**document["holder"]) if document.get("holder") else None
        for each in document["entries"]:
            resource = Resource(**each["resource"])
            state.entries[resource.key] = StateEntry(resource, each["fingerprint"], each["outputs"])
    except (ValueError, KeyError, TypeError) as error:
        raise DeployError(f"{path} cannot be read ({error}): `tripoint deploy sweep` finds what exists") from error
    return state


def create(deployment: Deployment, folder: Path = FOLDER) -> State:
    """A new record in `folder`, on disk."""
    state = State(folder / "deployment.json", deployment)
    state.save()
    return state


@contextmanager
def lock(folder: Path = FOLDER) -> Iterator[None]:
    """Hold off a second `tripoint deploy` in the same folder. Raises DeployError when one is running."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DeployError("another `tripoint deploy` runs in this folder: wait until it has ended") from None
        yield
