"""One execution environment of AWS Lambda: a real `awslambdaric` process under a Runtime API of ours."""

from __future__ import annotations

import asyncio
import json
import math
import os
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import psutil

from adapters.aws.local.runtime_api import Invocation, InvocationResult, RuntimeApi
from adapters.contract import HttpAnswer, InstanceFailed

if TYPE_CHECKING:
    from adapters.contract import Environment, Process

T = TypeVar("T")
HANDLER = "adapters.aws.handler.lambda_handler"
PORTABLE = Path(__file__).parent / "portable"
ACCOUNT = "123456789012"
REGION = "us-east-1"
LOG_LIMIT_BYTES = (
    4096  # docs.aws.amazon.com/lambda/latest/api/API_Invoke.html, LogResult: the last 4 KB, as of 2026-11-20
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One invocation's end. `log` is the tail of its log; the environment is lost where `lost` says why."""

    result: InvocationResult
    log: bytes
    lost: str | None = None


@dataclass(slots=True)
class ExecutionEnvironment:
    """`init_ms` is from the launch to the runtime's first request for an event; only the first report has it."""

    environment: Environment
    runtime: RuntimeApi
    process: Process
    exited: asyncio.Task[int]
    started_s: float = field(default_factory=time.perf_counter)
    init_ms: float | None = None

    async def initialise(self) -> None:
        """Return at the runtime's first request for an event.

        Raises InstanceFailed when the import failed, the process ended, or `init_timeout_s` passed.
        """
        await self._first(self.runtime.initialised.wait(), self.environment.init_timeout_s)
        if (error := self.runtime.init_error) is not None:
            headers = (("content-type", "application/json"), ("x-amz-function-error", "Unhandled"))
            words = self.failure(f"did not initialise: {error.decode(errors='replace')}")
            raise InstanceFailed(str(words), answer=HttpAnswer(200, headers, error))
        if self.exited.done():
            raise self.failure(f"ended with status {self.exited.result()} before it asked for an event")
        if not self.runtime.initialised.is_set():
            raise self.failure(f"did not initialise within {self.environment.init_timeout_s:g} s")
        self.init_ms = (time.perf_counter() - self.started_s) * 1000

    async def invoke(self, event: bytes, request_id: str) -> Outcome:
        """Run one event; kill the whole process group when it runs out of time."""
        mark = self.process.log_size()
        self.process.log(f"START RequestId: {request_id} Version: $LATEST\n")
        begun_s = time.perf_counter()
        result = await self._first(
            self.runtime.invoke(self._invocation(event, request_id)), self.environment.timeout_s
        )
        duration_ms = (time.perf_counter() - begun_s) * 1000
        memory_mb = used_mb(self.process.pid, self.environment.memory_mb)
        lost = None
        if result is None:
            lost, result = self._lost(request_id)
            self.process.kill()
        self.process.log(f"END RequestId: {request_id}\n{self._report(request_id, duration_ms, memory_mb)}")
        self.init_ms = None
        return Outcome(result, self.process.log_since(mark)[-LOG_LIMIT_BYTES:], lost)

    async def end(self) -> None:
        """End the process group and close the port."""
        self.process.kill()
        await asyncio.wait({self.exited})
        await self.runtime.close()

    def failure(self, what: str) -> InstanceFailed:
        return InstanceFailed(f"aws instance {self.process.pid} {what}; its last lines:\n{self.process.log_tail()}")

    async def _first(self, coming: Coroutine[object, object, T], timeout_s: float) -> T | None:
        """The result of `coming`, or None when the process ended or the time passed before it."""
        task = asyncio.ensure_future(coming)
        try:
            await asyncio.wait({task, self.exited}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()

    def _invocation(self, event: bytes, request_id: str) -> Invocation:
        deadline_ms = int((time.time() + self.environment.timeout_s) * 1000)
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.environment.function}"
        root = f"1-{int(time.time()):08x}-{request_id.replace('-', '')[:24]}"
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": arn,
            "Lambda-Runtime-Trace-Id": f"Root={root};Parent={request_id[-12:]}0000;Sampled=0",
        }
        return Invocation(request_id, event, headers)

    def _lost(self, request_id: str) -> tuple[str, InvocationResult]:
        """Why there is no result, in words and as the caller sees it."""
        if self.exited.done():
            status = self.exited.result()
            how = f"signal: {signal_word(-status)}" if status < 0 else f"exit status {status}"
            kind, message = "Runtime.ExitError", f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        else:
            seconds = f"{self.environment.timeout_s:.2f}"
            kind, message = (
                "Sandbox.Timedout",
                f"RequestId: {request_id} Error: Task timed out after {seconds} seconds",
            )
        document = json.dumps({"errorType": kind, "errorMessage": message}).encode()
        return message, InvocationResult(document, failed=True)

    def _report(self, request_id: str, duration_ms: float, memory_mb: int) -> str:
        """The line of CloudWatch Logs. Initialisation is billed since 2025-08-01, for zip packages too.

        Source: docs.aws.amazon.com/lambda/latest/dg/python-logging.html, as of 2026-11-20.
        """
        billed_ms = math.ceil(round(duration_ms + (self.init_ms or 0.0), 2))
        fields = [
            f"REPORT RequestId: {request_id}",
            f"Duration: {duration_ms:.2f} ms",
            f"Billed Duration: {billed_ms} ms",
            f"Memory Size: {self.environment.memory_mb} MB",
            f"Max Memory Used: {memory_mb} MB",
        ]
        if self.init_ms is not None:
            fields.append(f"Init Duration: {self.init_ms:.2f} ms")
        return "\t".join(fields) + "\t\n"


async def launch(environment: Environment) -> ExecutionEnvironment:
    """Start awslambdaric on the bundle."""
    paths = [str(environment.bundle), *runtime_paths()]
    runtime = RuntimeApi()
    await runtime.open()
    command = [sys.executable, "-m", "awslambdaric", HANDLER]
    variables = {**environment.variables, **_variables(environment), "AWS_LAMBDA_RUNTIME_API": runtime.address}
    variables["PYTHONPATH"] = os.pathsep.join(paths)
    try:
        process = await environment.launch(command, variables=variables, folder=environment.bundle)
    except BaseException:
        await runtime.close()
        raise
    return ExecutionEnvironment(environment, runtime, process, asyncio.ensure_future(process.wait()))


def runtime_paths() -> list[str]:
    """What the function's path needs beyond the bundle, where awslambdaric is not installed as it is on Linux.

    Raises InstanceFailed saying how to install it.
    """
    if find_spec("awslambdaric") and find_spec("runtime_client"):
        return []
    folder = Path(os.environ.get("TRIPOINT_AWS_RUNTIME") or Path(sys.prefix) / "aws-runtime")
    if not find_spec("awslambdaric") and not (folder / "awslambdaric").is_dir():
        raise InstanceFailed(
            f"awslambdaric is neither installed nor in {folder}: run `make setup`; without a wheel (macOS), "
            f"`pip install --target {folder} --no-deps --only-binary=:all: --platform manylinux2014_x86_64 "
            "awslambdaric`"
        )
    return [str(PORTABLE), str(folder)]


def used_mb(pid: int, limit_mb: int) -> int:
    """The most memory that the process had in MB, as reports round it: up, and at most the memory size."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
        line = next((line for line in lines if line.startswith("VmHWM:")), None)
        used_bytes = int(line.split()[1]) * 1024 if line else 0
    except FileNotFoundError:  # not Linux, or just gone
        try:
            used_bytes = psutil.Process(pid).memory_info().rss
        except psutil.NoSuchProcess:
            return limit_mb
    return min(math.ceil(used_bytes / 2**20), limit_mb) or limit_mb


def signal_word(number: int) -> str:
    """As Go's os package names a signal, which Lambda's log quotes."""
    return {9: "killed", 11: "segmentation fault", 15: "terminated", 6: "aborted"}.get(number, str(number))


def _variables(environment: Environment) -> dict[str, str]:
    """What Lambda sets: docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html, as of 2026-11-20."""
    group = f"/aws/lambda/{environment.function}"
    return {
        "_HANDLER": HANDLER,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": environment.function,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(environment.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": group,
        "AWS_LAMBDA_LOG_STREAM_NAME": time.strftime("%Y/%m/%d/[$LATEST]") + f"{time.time_ns():032x}",
        "LAMBDA_TASK_ROOT": str(environment.bundle),
    }
