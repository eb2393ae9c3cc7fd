"""One instance of Google Cloud Functions or Cloud Run: functions-framework under gunicorn, as in Google's image."""

from __future__ import annotations

import asyncio
import math
import secrets
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapters.contract import HttpAnswer, InstanceFailed
from adapters.emulator.http_client import Upstream, UpstreamClosed, listening_ports

if TYPE_CHECKING:
    from adapters.contract import Environment, Headers, HttpRequest, Process, Replay, StartInstance

TARGET = "classify"
_FRAMEWORK = Path(__file__).parent / "local" / "framework.py"
_POLL_S = 0.01
_DEATH_NOTICE_S = 0.2
# What Google's front answers (cloud.google.com/run/docs/troubleshooting, as of 2026-11-20).
_NO_ANSWER = (
    b"The request failed because either the HTTP response was malformed or connection to the instance had an error."
)
_TOO_SLOW = b"upstream request timeout"


@dataclass(slots=True)
class FrameworkInstance:
    """A functions-framework process; gunicorn's master keeps one worker alive below it."""

    environment: Environment
    process: Process
    exited: asyncio.Task[int]
    deadline_s: float
    upstream: Upstream | None = None

    @property
    def pid(self) -> int:
        """The gunicorn master, leader of its process group."""
        return self.process.pid

    async def ready(self) -> None:
        """Return when gunicorn listens; the function was imported before that, in gunicorn's master.

        Raises InstanceFailed when the process ends or does not listen within `init_timeout_s`.
        """
        while not (ports := listening_ports(self.pid)):
            if self.exited.done():
                raise self._failure(f"ended with status {self.exited.result()} before it listened")
            if time.monotonic() > self.deadline_s:
                raise self._failure(f"did not listen within {self.environment.init_timeout_s:g} s")
            await asyncio.wait({self.exited}, timeout=_POLL_S)
        self.upstream = Upstream(min(ports))

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """Serve one request; 503 when gunicorn's worker died (its master starts another), 504 when it is too slow.

        Raises InstanceFailed when the whole instance died.
        """
        if self.upstream is None:
            raise self._failure("was asked before it was ready")
        try:
            async with asyncio.timeout(self.environment.timeout_s):
                return await self.upstream.exchange(request, extra=_platform_headers())
        except TimeoutError:
            return HttpAnswer(504, (("content-type", "text/plain"),), _TOO_SLOW)
        except UpstreamClosed as error:
            await asyncio.wait({self.exited}, timeout=_DEATH_NOTICE_S)
            if self.exited.done():
                raise self._failure(f"ended with status {self.exited.result()} during a request") from error
            return HttpAnswer(503, (("content-type", "text/plain"),), _NO_ANSWER)

    async def stop(self) -> None:
        """End the process group."""
        if self.upstream is not None:
            self.upstream.close()
        self.process.kill()
        await asyncio.wait({self.exited})

    def _failure(self, what: str) -> InstanceFailed:
        tail = self.process.log_tail()
        return InstanceFailed(f"gcp instance {self.pid} {what}; its last lines:\n{tail}")


async def start(environment: Environment) -> FrameworkInstance:
    """Start functions-framework on the bundle's `main.py`, on a free loopback port of the system's choice."""
    source = environment.bundle / "main.py"
    command = [sys.executable, "-P", str(_FRAMEWORK), "--source", str(source), "--target", TARGET]
    # Port 0: two starts at the same moment cannot be given the same port. The framework binds 0.0.0.0 by default.
    command += ["--host", "127.0.0.1", "--port", "0"]
    process = await environment.launch(command, variables=_variables(environment), folder=environment.bundle)
    exited = asyncio.ensure_future(process.wait())
    return FrameworkInstance(environment, process, exited, time.monotonic() + environment.init_timeout_s)


def _variables(environment: Environment) -> dict[str, str]:
    """What the platform sets (cloud.google.com/run/docs/container-contract, as of 2026-11-20)."""
    return {
        **environment.variables,
        "PYTHONPATH": str(environment.bundle),
        "FUNCTION_TARGET": TARGET,
        "FUNCTION_SIGNATURE_TYPE": "http",
        "K_SERVICE": environment.function,
        "K_CONFIGURATION": environment.function,
        "K_REVISION": f"{environment.function}-{environment.version}",
        "CLOUD_RUN_TIMEOUT_SECONDS": str(math.ceil(environment.timeout_s)),
        "THREADS": str(environment.concurrency),
        "WORKERS": "1",
    }


def _platform_headers() -> Headers:
    """What Google's front adds to every request (cloud.google.com/functions/docs/reference/headers, 2026-11-20)."""
    trace = secrets.token_hex(16)
    span = secrets.token_hex(8)
    return (
        ("x-cloud-trace-context", f"{trace}/{int(span, 16)};o=1"),
        ("traceparent", f"00-{trace}-{span}-01"),
        ("function-execution-id", secrets.token_hex(6)),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-proto", "http"),
    )


def replay(event: Mapping[str, Any]) -> HttpAnswer:
    """Run one recorded event through `main.py` in this process."""
    from adapters.gcp.local import replay as recorded  # brings the platform's SDK, which a local cloud has no need of

    return recorded.replay(event)


_start: StartInstance = start
_replay: Replay = replay
