"""A real awslambdaric process under our Runtime API: answers, report lines, and every way to fail."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from adapters.aws.local import execution_environment
from adapters.aws.local.runtime_api import ANSWER_LIMIT_BYTES, Invocation, RuntimeApi
from adapters.contract import Environment, HttpAnswer, InstanceFailed
from adapters.emulator.cleanup import CleanupRegistry
from adapters.emulator.process_group import Launcher

if TYPE_CHECKING:
    from adapters.aws.local.execution_environment import ExecutionEnvironment, Outcome

HANDLER = """
import os, sys, time
print("loading")
def lambda_handler(event, context):
    print("event", sorted(event), context.aws_request_id, flush=True)
    match event.get("do"):
        case "exit": os._exit(3)
        case "sleep": time.sleep(60)
        case "raise": raise ValueError("on purpose")
        case "large": return "x" * 7_000_000
    return {"left_ms": context.get_remaining_time_in_millis(), "memory": context.memory_limit_in_mb}
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle with a handler that misbehaves on demand."""
    folder = tmp_path / "adapters" / "aws"
    folder.mkdir(parents=True)
    for package in (folder.parent, folder):
        (package / "__init__.py").write_text("")
    (folder / "handler.py").write_text(HANDLER)
    return tmp_path


@pytest.fixture
def custody() -> Iterator[CleanupRegistry]:
    kept = CleanupRegistry()
    yield kept
    kept.close()


def with_environment(
    bundle: Path,
    custody: CleanupRegistry,
    use: Callable[[ExecutionEnvironment], Awaitable[Any]],
    *,
    timeout_s: float = 30.0,
    init_timeout_s: float = 30.0,
) -> Any:
    """Run `use` on an environment with a real awslambdaric process in it."""

    async def whole() -> Any:
        launcher = Launcher(cleanup=custody, bundle=bundle, folder=bundle / "logs", exited=lambda: None)
        given = Environment("aws", "clothes", "1", bundle, 512, 0.29, 1, timeout_s, init_timeout_s, launcher)
        started = await execution_environment.launch(given)
        try:
            return await use(started)
        finally:
            await started.end()
            await launcher.end()

    return asyncio.run(whole())


def event(**fields: str) -> bytes:
    return json.dumps(fields).encode()


def test_a_real_runtime_answers_and_reports_initialisation_once(bundle: Path, custody: CleanupRegistry) -> None:
    async def use(started: ExecutionEnvironment) -> list[Outcome]:
        await started.initialise()
        return [await started.invoke(event(a="1"), f"id-{number}") for number in (1, 2)]

    first, second = with_environment(bundle, custody, use)
    value = json.loads(first.result.body)
    assert value["memory"] == "512"
    assert 0 < value["left_ms"] <= 30_000
    lines = first.log.decode().splitlines()
    assert lines[0] == "START RequestId: id-1 Version: $LATEST"
    assert "event ['a'] id-1" in lines
    assert lines[-2] == "END RequestId: id-1"
    number = r"(\d+\.\d\d)"
    report = re.fullmatch(
        rf"REPORT RequestId: id-1\tDuration: {number} ms\tBilled Duration: (\d+) ms\t"
        rf"Memory Size: 512 MB\tMax Memory Used: (\d+) MB\tInit Duration: {number} ms\t",
        lines[-1],
    )
    assert report is not None, lines[-1]
    duration, billed, memory, init = map(float, report.groups())
    assert billed - 1 < round(duration + init, 2) <= billed + 0.01
    assert 5 < memory < 512
    assert b"Init Duration" not in second.log


def test_the_portable_client_stands_in_for_the_native_module(
    bundle: Path, custody: CleanupRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder comes first on the path, as where there is no native module."""
    monkeypatch.setattr(execution_environment, "runtime_paths", lambda: [str(execution_environment.PORTABLE)])
    handler = bundle / "adapters" / "aws" / "handler.py"
    handler.write_text(HANDLER + "import runtime_client; print('client', runtime_client.__file__, flush=True)")

    async def use(started: ExecutionEnvironment) -> list[Outcome]:
        await started.initialise()
        assert str(execution_environment.PORTABLE) in started.process.log_tail()
        return [await started.invoke(event(do=do), "id") for do in ("nothing", "raise", "nothing")]

    first, failed, last = with_environment(bundle, custody, use)
    assert json.loads(first.result.body).get("memory") == "512", first
    assert json.loads(failed.result.body)["errorType"] == "ValueError"
    assert not last.result.failed


def test_where_awslambdaric_is_missing_it_is_told_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution_environment, "find_spec", lambda name: None)
    monkeypatch.setenv("TRIPOINT_AWS_RUNTIME", str(tmp_path))
    with pytest.raises(InstanceFailed, match=r"awslambdaric is neither installed nor in .*pip install --target"):
        execution_environment.runtime_paths()
    (tmp_path / "awslambdaric").mkdir()
    assert execution_environment.runtime_paths() == [str(execution_environment.PORTABLE), str(tmp_path)]


@pytest.mark.parametrize(
    ("do", "kind", "message"),
    [
        ("exit", "Runtime.ExitError", "RequestId: id Error: Runtime exited with error: exit status 3"),
        ("sleep", "Sandbox.Timedout", "RequestId: id Error: Task timed out after 1.00 seconds"),
    ],
)
def test_an_environment_that_dies_or_runs_out_of_time_is_lost(
    do: str, kind: str, message: str, bundle: Path, custody: CleanupRegistry
) -> None:
    async def use(started: ExecutionEnvironment) -> Outcome:
        await started.initialise()
        return await started.invoke(event(do=do), "id")

    outcome: Outcome = with_environment(bundle, custody, use, timeout_s=1.0)
    assert json.loads(outcome.result.body) == {"errorType": kind, "errorMessage": message}
    assert outcome.lost == message


def test_an_exception_is_an_error_and_the_environment_goes_on(bundle: Path, custody: CleanupRegistry) -> None:
    async def use(started: ExecutionEnvironment) -> list[Outcome]:
        await started.initialise()
        return [await started.invoke(event(do=do), "id") for do in ("raise", "nothing")]

    failed, fine = with_environment(bundle, custody, use)
    assert failed.result.failed
    assert json.loads(failed.result.body)["errorType"] == "ValueError"
    assert failed.lost is None
    assert not fine.result.failed


def test_an_answer_above_6_mb_is_an_error(bundle: Path, custody: CleanupRegistry) -> None:
    async def use(started: ExecutionEnvironment) -> Outcome:
        await started.initialise()
        return await started.invoke(event(do="large"), "id")

    outcome: Outcome = with_environment(bundle, custody, use)
    document = json.loads(outcome.result.body)
    assert document["errorType"] == "Function.ResponseSizeTooLarge"
    assert str(ANSWER_LIMIT_BYTES) in document["errorMessage"]


def test_a_handler_that_cannot_be_imported_is_told_with_the_runtimes_own_error(
    bundle: Path, custody: CleanupRegistry
) -> None:
    (bundle / "adapters" / "aws" / "handler.py").write_text("import no_such_module")

    async def use(started: ExecutionEnvironment) -> HttpAnswer | None:
        with pytest.raises(InstanceFailed, match=r"did not initialise: .*No module named 'no_such_module'") as caught:
            await started.initialise()
        return caught.value.answer

    answer: HttpAnswer = with_environment(bundle, custody, use)
    assert json.loads(answer.body)["errorType"] == "Runtime.ImportModuleError"


def test_initialisation_has_a_limit(bundle: Path, custody: CleanupRegistry) -> None:
    (bundle / "adapters" / "aws" / "handler.py").write_text("import time; time.sleep(60)")

    async def use(started: ExecutionEnvironment) -> None:
        with pytest.raises(InstanceFailed, match=r"did not initialise within 0\.5 s"):
            await started.initialise()

    with_environment(bundle, custody, use, init_timeout_s=0.5)


def test_the_runtime_api_knows_only_its_own_calls() -> None:
    async def whole() -> list[int]:
        runtime = RuntimeApi()
        await runtime.open()
        base = f"http://{runtime.address}/2018-06-01/runtime/"
        given = asyncio.ensure_future(
            runtime.invoke(Invocation("id", b'{"a": 1}', {"Lambda-Runtime-Deadline-Ms": "9"}))
        )
        async with aiohttp.ClientSession() as session:
            async with session.get(base + "invocation/next") as answer:
                assert await answer.json() == {"a": 1}
                assert answer.headers["Lambda-Runtime-Deadline-Ms"] == "9"
            statuses = []
            for path in ("invocation/other/response", "nothing", "invocation/id/response", "invocation/id/response"):
                async with session.post(base + path, data=b"true") as answer:
                    statuses.append(answer.status)
        assert (await given).body == b"true"
        await runtime.close()
        return statuses

    assert asyncio.run(whole())[:3] == [404, 404, 202]


def test_memory_is_read_of_a_living_process_and_the_limit_stands_for_a_dead_one() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
        assert execution_environment.used_mb(ended.pid, 128) == 128
    assert 1 < execution_environment.used_mb(os.getpid(), 10**6) < 10**6
