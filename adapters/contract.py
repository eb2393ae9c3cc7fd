"""The contract between a cloud's folder and the rest, and the search for these folders.

A cloud is a folder of `adapters/` with a `cloud.toml`. Its `instance.py` offers `start`, pinned there by
one type-checked line (`_start: StartInstance = start`), and `replay` (`_replay: Replay = replay`).
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import adapters

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One HTTP request as a front door received it; `target` is the raw path with its query.

    `front` names the front door where a cloud has several (`[platform] fronts` in cloud.toml). `queued_s` is
    how long the complete request sat in the socket buffer before the front door read it, in seconds.
    """

    method: str
    target: str
    headers: Headers = ()
    body: bytes = b""
    front: str = ""
    queued_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One HTTP answer."""

    status: int
    headers: Headers = ()
    body: bytes = b""


class InstanceFailed(Exception):
    """An instance did not start, died, or ran out of time; the message says which, with its last log lines.

    The emulator ends the instance. `answer` is what this cloud answers to the request then; without it the
    client gets the answer of `[platform.failed]` in cloud.toml.
    """

    def __init__(self, message: str, *, answer: HttpAnswer | None = None) -> None:
        super().__init__(message)
        self.answer = answer


class Process(Protocol):
    """A process group started by the emulator: it dies with the emulator, and inside its CPU and memory share."""

    @property
    def pid(self) -> int: ...
    def kill(self) -> None:
        """Kill the whole group; harmless when it is gone."""

    async def wait(self) -> int:
        """Return the exit status."""

    def log_tail(self) -> str:
        """The last lines of its standard output and error, together."""

    def log(self, line: str) -> None:
        """Add a line of the platform's own to it."""

    def log_size(self) -> int:
        """Bytes logged so far: a mark for `log_since`."""

    def log_since(self, mark: int) -> bytes:
        """What was logged after `mark`; the beginning is lost when it is long."""


class Launch(Protocol):
    """Starts a process group for one instance."""

    async def __call__(self, command: Sequence[str], *, variables: Mapping[str, str], folder: Path) -> Process: ...


@dataclass(frozen=True, slots=True)
class Environment:
    """What the platform gives one instance (one execution environment).

    `bundle` is the unpacked bundle that would be deployed. `cpu_share` is in vCPU. `variables` are the
    function's own environment variables; the platform's own are added by `instance.py`.
    """

    cloud: str
    function: str
    version: str
    bundle: Path
    memory_mb: int
    cpu_share: float
    concurrency: int
    timeout_s: float
    init_timeout_s: float
    launch: Launch
    variables: Mapping[str, str] = field(default_factory=dict)


class Instance(Protocol):
    """One running execution environment with the cloud's own Python runtime in it."""

    async def ready(self) -> None:
        """Return when it can serve; raise InstanceFailed when it cannot."""

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Serve one request through the runtime; raise InstanceFailed when the instance died."""

    async def stop(self) -> None:
        """End every process of this instance; harmless when they are gone."""

    @property
    def pid(self) -> int:
        """The leader of its process group."""


class StartInstance(Protocol):
    async def __call__(self, environment: Environment, /) -> Instance: ...


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why a request got no instance: all are busy (`full`), it waited too long (`queue`), none would `start`."""

    why: Literal["full", "queue", "start", "rate"]
    failure: InstanceFailed | None = None


@dataclass(frozen=True, slots=True)
class FrontTimeout:
    """A front door that waits no longer than `wait_s`, and then answers itself; the instance works on."""

    wait_s: float
    answer: HttpAnswer


@dataclass(frozen=True, slots=True)
class AdmissionDecision:
    """What to do with a request: serve it (None), or answer at once; `later` then runs without a client.

    `patience` is that of the front door; None for one that waits as long as the function may take.
    """

    answer: HttpAnswer | None = None
    later: HttpRequest | None = None
    patience: FrontTimeout | None = None


class AdmissionPolicy(Protocol):
    """What a platform settles before an instance is asked. Optional: `instance.py` may offer one as `gate`."""

    def admit(self, request: HttpRequest, /) -> AdmissionDecision:
        """Look at a request as it comes."""

    def refuse(self, request: HttpRequest, refusal: Rejection, /) -> HttpAnswer | None:
        """The answer without an instance; None for the one in cloud.toml."""

    def retry_after_s(self, answer: HttpAnswer, attempts: int, /) -> float | None:
        """When a request without a client that got `answer` at its `attempts`-th try is tried again; None: never."""


class Replay(Protocol):
    """Runs one platform event, as recorded in `events/*.json`, through the entry file in this process."""

    def __call__(self, event: Mapping[str, Any], /) -> HttpAnswer: ...


class InstanceModule(Protocol):
    @property
    def start(self) -> StartInstance: ...
    @property
    def replay(self) -> Replay: ...


@dataclass(frozen=True, slots=True)
class Cloud:
    """A cloud's folder and the data in its `cloud.toml`."""

    name: str
    title: str
    folder: Path
    data: Mapping[str, Any]

    def instances(self) -> InstanceModule:
        """Import this cloud's `instance.py`."""
        return cast("InstanceModule", importlib.import_module(f"adapters.{self.name}.instance"))

    def gate(self) -> AdmissionPolicy | None:
        """What its `instance.py` offers as `gate`, if anything."""
        return cast("AdmissionPolicy | None", getattr(self.instances(), "gate", None))


def clouds() -> tuple[str, ...]:
    """Names of all clouds: the folders on `adapters.__path__` that hold a `cloud.toml`, in name order."""
    found = {toml.parent.name for root in adapters.__path__ for toml in Path(root).glob("*/cloud.toml")}
    return tuple(sorted(found))


def load(name: str) -> Cloud:
    """Read one cloud's data. Raises LookupError naming the known clouds when there is none of that name."""
    for root in adapters.__path__:
        toml = Path(root) / name / "cloud.toml"
        if toml.is_file():
            data = _parse(toml, toml.stat().st_mtime_ns)
            return Cloud(name=name, title=str(data["cloud"]["title"]), folder=toml.parent, data=data)
    raise LookupError(f"unknown cloud {name!r}: expected one of {', '.join(clouds())}")


@lru_cache(maxsize=32)
def _parse(toml: Path, changed_ns: int) -> Mapping[str, Any]:
    """Return the file's data, parsed once for each version of it (10 ms each time; one deployment asks 100 times)."""
    return tomllib.loads(toml.read_text(encoding="utf-8"))
