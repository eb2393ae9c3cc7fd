"""Single instances with the clouds' own runtimes, and functions that misbehave on request."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from adapters.azure.instance import runtime_folder
from adapters.azure.local import worker_process
from adapters.azure.local.event_stream import Server
from adapters.azure.local.language_worker import introduce
from adapters.azure.local.worker_process import load_messages
from adapters.contract import HttpAnswer, HttpRequest, InstanceFailed
from adapters.gcp.local import framework
from tests.kits.runtime_instances import ask, misbehaving_bundle, running
from tests.paths import ROOT

if TYPE_CHECKING:
    from adapters import contract

CLOUDS = ("gcp", "azure")
TWO_PROCESSES = {"FUNCTIONS_WORKER_PROCESS_COUNT": "2"}


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return misbehaving_bundle(tmp_path / "bundle")


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether something becomes true in time."""
    deadline_s = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


async def processes(instance: contract.Instance, count: int) -> set[bytes]:
    """The processes that answer, once there are `count` of them in a row of answers."""
    for _ in range(1000):
        answers = [await ask(instance, "/") for _ in range(count)]
        seen = {answer.body.split()[0] for answer in answers if answer.status == 200}
        if len(seen) == count:
            break
        await asyncio.sleep(0.01)
    return seen


def test_an_instance_serves_a_large_body_and_one_process_does_all(cloud: str, bundle: Path) -> None:
    async def run() -> list[bytes]:
        async with running(cloud, bundle) as instance:
            return [(await ask(instance, "/", b"x" * size)).body for size in (9_000_000, 0)]

    large, empty = (answer.split() for answer in asyncio.run(run()))
    assert (large[1], empty[1]) == (b"9000000", b"0")
    assert large[0] == empty[0]


def test_requests_overlap_up_to_the_concurrency(cloud: str, bundle: Path) -> None:
    async def run() -> list[bytes]:
        threads = {"PYTHON_THREADPOOL_THREAD_COUNT": "4"}
        async with running(cloud, bundle, concurrency=4, variables=threads) as instance:
            answers = await asyncio.gather(*(ask(instance, "/together", b"4") for _ in range(4)))
            return [answer.body for answer in answers]

    assert b"4" in asyncio.run(run())


def test_one_at_a_time_where_the_concurrency_is_one(cloud: str, bundle: Path) -> None:
    async def run() -> list[bytes]:
        async with running(cloud, bundle, variables={"PYTHON_THREADPOOL_THREAD_COUNT": "1"}) as instance:
            answers = await asyncio.gather(*(ask(instance, "/together", b"1") for _ in range(3)))
            return [answer.body for answer in answers]

    assert asyncio.run(run()) == [b"1"] * 3


def test_a_function_that_raises_answers_500_and_the_instance_goes_on(cloud: str, bundle: Path) -> None:
    async def run() -> tuple[int, int]:
        async with running(cloud, bundle) as instance:
            return (await ask(instance, "/raise")).status, (await ask(instance, "/")).status

    assert asyncio.run(run()) == (500, 200)


def test_a_gcp_worker_that_dies_in_a_request_is_replaced(bundle: Path) -> None:
    async def run() -> tuple[bytes, int, bytes]:
        async with running("gcp", bundle) as instance:
            before = await ask(instance, "/")
            died = await ask(instance, "/die")
            after = await ask(instance, "/")
            return before.body.split()[0], died.status, after.body.split()[0]

    before, status, after = asyncio.run(run())
    assert status == 503
    assert before != after


def test_a_single_azure_worker_that_dies_ends_its_instance_with_the_hosts_answer(bundle: Path) -> None:
    async def run() -> None:
        async with running("azure", bundle) as instance:
            with pytest.raises(InstanceFailed, match="died during a request") as failed:
                await ask(instance, "/die")
            assert failed.value.answer == HttpAnswer(500)
            with pytest.raises(InstanceFailed, match="died"):
                await ask(instance, "/")

    asyncio.run(run())


def test_one_of_several_azure_workers_that_dies_is_replaced(bundle: Path) -> None:
    async def run() -> tuple[set[bytes], int, set[bytes]]:
        async with running("azure", bundle, variables=TWO_PROCESSES) as instance:
            before = await processes(instance, 2)
            status = (await ask(instance, "/die")).status
            return before, status, await processes(instance, 2)

    before, status, after = asyncio.run(run())
    assert status == 500
    assert len(before & after) == 1
    assert len(after - before) == 1


def test_azure_workers_killed_under_load_cost_a_500_each_at_most(bundle: Path) -> None:
    async def run() -> list[int]:
        async with running("azure", bundle, variables=TWO_PROCESSES) as instance:
            await processes(instance, 2)
            statuses: list[int] = []

            async def ask_on(times: int) -> None:
                for _ in range(times):
                    statuses.append((await ask(instance, "/")).status)

            asking = [asyncio.create_task(ask_on(60)) for _ in range(4)]
            for _ in range(3):
                await asyncio.sleep(0.05)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(instance.pid, signal.SIGKILL)
            await asyncio.gather(*asking)
            return statuses

    statuses = asyncio.run(run())
    assert len(statuses) == 240
    assert statuses.count(200) + statuses.count(500) == 240
    assert statuses.count(500) <= 4 * 3, "no more than what was in flight at each of three deaths"


def test_a_gcp_request_that_takes_too_long_gets_the_fronts_answer(bundle: Path) -> None:
    async def run() -> HttpAnswer:
        async with running("gcp", bundle, timeout_s=0.5) as instance:
            return await ask(instance, "/hang")

    assert asyncio.run(run()).status == 504


def test_an_azure_worker_that_takes_too_long_is_ended(bundle: Path) -> None:
    async def run() -> tuple[int, int]:
        async with running("azure", bundle, timeout_s=1.0, variables=TWO_PROCESSES) as instance:
            before = await processes(instance, 2)
            late = await ask(instance, "/hang")
            return late.status, len(await processes(instance, 2) - before)

    assert asyncio.run(run()) == (500, 1)


def test_an_app_that_does_not_import_is_told_with_its_own_words(cloud: str, tmp_path: Path) -> None:
    bundle = misbehaving_bundle(tmp_path / "bundle", preamble="import no_such_package\n")

    async def run() -> None:
        async with running(cloud, bundle):
            pass

    with pytest.raises(InstanceFailed, match="No module named 'no_such_package'"):
        asyncio.run(run())


def test_a_process_that_ends_at_import_is_told_with_its_status(cloud: str, tmp_path: Path) -> None:
    preamble = "import os, sys\nprint('gone before the start', file=sys.stderr, flush=True)\nos._exit(7)\n"
    bundle = misbehaving_bundle(tmp_path / "bundle", preamble=preamble)

    async def run() -> None:
        async with running(cloud, bundle):
            pass

    with pytest.raises(InstanceFailed, match=r"(?s)status 7.*gone before the start"):
        asyncio.run(run())


def test_a_start_that_takes_too_long_is_given_up(cloud: str, tmp_path: Path) -> None:
    bundle = misbehaving_bundle(tmp_path / "bundle", preamble="import time\ntime.sleep(60)\n")

    async def run() -> None:
        async with running(cloud, bundle, init_timeout_s=1.0):
            pass

    with pytest.raises(InstanceFailed, match="within 1 s"):
        asyncio.run(run())


def test_a_stopped_instance_fails_its_requests_and_can_be_stopped_again(cloud: str, bundle: Path) -> None:
    async def run() -> None:
        async with running(cloud, bundle) as instance:
            await instance.stop()
            with pytest.raises(InstanceFailed):
                await ask(instance, "/")

    asyncio.run(run())


def test_two_instances_started_at_the_same_moment_do_not_meet(cloud: str, bundle: Path) -> None:
    async def run() -> set[bytes]:
        async def one() -> bytes:
            async with running(cloud, bundle) as instance:
                return (await ask(instance, "/")).body

        return set(await asyncio.gather(*(one() for _ in range(3))))

    assert len(asyncio.run(run())) == 3


def test_start_and_stop_leak_nothing(cloud: str, bundle: Path) -> None:
    """TRIPOINT_CYCLES=200 runs it long."""

    async def run() -> tuple[int, int, int]:
        async with running(cloud, bundle) as instance:
            await ask(instance, "/")
        gc.collect()
        return process.num_fds(), len(process.children(recursive=True)), len(asyncio.all_tasks())

    async def cycles() -> list[tuple[int, int, int]]:
        return [await run() for _ in range(int(os.environ.get("TRIPOINT_CYCLES", "3")) + 1)]

    process = psutil.Process()
    first, *rest = asyncio.run(cycles())
    grown = [after - before for before, after in zip(first, rest[-1], strict=True)]
    assert max(grown) <= 0, grown


def test_gcp_opens_no_control_socket_in_the_users_home(bundle: Path, tmp_path: Path) -> None:
    arguments = ["--source", "main.py", "--target", "classify", "--host", "127.0.0.1", "--port", "0"]
    variables = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "GUNICORN_LOG_LEVEL": "debug"}
    with subprocess.Popen(
        [sys.executable, "-P", framework.__file__, *arguments],
        cwd=bundle,
        env=variables,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "Control socket" in line)
        process.terminate()
        process.stderr.read()
    assert "disabled" in said


def test_gcp_gets_the_platforms_variables(bundle: Path) -> None:
    async def run() -> bytes:
        async with running("gcp", bundle, concurrency=3, variables={"OWN": "1"}) as instance:
            return (await ask(instance, "/variables")).body

    variables = asyncio.run(run()).decode()
    for pair in ("'THREADS': '3'", "'K_SERVICE': 'classify'", "'FUNCTION_TARGET': 'classify'", "'OWN': '1'"):
        assert pair in variables


def test_gcp_instance_death_is_told_and_not_answered(bundle: Path) -> None:
    async def run() -> None:
        async with running("gcp", bundle) as instance:
            asking = asyncio.ensure_future(ask(instance, "/hang"))
            await asyncio.sleep(0.2)
            os.killpg(instance.pid, signal.SIGKILL)
            with pytest.raises(InstanceFailed, match="status -9"):
                await asking

    asyncio.run(run())


def test_azure_routes_by_metadata_and_runs_async_functions(bundle: Path) -> None:
    async def run() -> list[tuple[int, bytes]]:
        async with running("azure", bundle) as instance:
            answers = [
                await instance.exchange(HttpRequest(method, path))
                for method, path in (("GET", "/waits"), ("GET", "/waits/more"), ("TRACE", "/secret"))
            ]
            return [(answer.status, answer.body) for answer in answers]

    (status, body), more, trace = asyncio.run(run())
    assert (status, body) == (200, b"an async function answered")
    assert more[0] == 200
    assert trace[0] == 200, "no methods in the metadata: all are allowed"


def test_azure_asks_for_a_key_where_one_is_set(bundle: Path) -> None:
    async def run() -> list[int]:
        async with running("azure", bundle, variables={"TRIPOINT_AZURE_FUNCTION_KEY": "k"}) as instance:
            requests = (
                HttpRequest("GET", "/secret"),
                HttpRequest("GET", "/secret?code=wrong"),
                HttpRequest("GET", "/secret?code=k"),
                HttpRequest("GET", "/secret", (("x-functions-key", "k"),)),
                HttpRequest("GET", "/open"),
            )
            return [(await instance.exchange(request)).status for request in requests]

    assert asyncio.run(run()) == [401, 401, 200, 200, 200]


def test_azure_runs_as_many_worker_processes_as_it_is_told(bundle: Path) -> None:
    async def run() -> set[bytes]:
        async with running("azure", bundle, variables=TWO_PROCESSES) as instance:
            return await processes(instance, 2)

    assert len(asyncio.run(run())) == 2


@pytest.mark.parametrize("count", ["0", "11", "two"])
def test_azure_refuses_a_wrong_number_of_processes(bundle: Path, count: str) -> None:
    async def run() -> None:
        async with running("azure", bundle, variables={"FUNCTIONS_WORKER_PROCESS_COUNT": count}):
            pass

    with pytest.raises(InstanceFailed, match=f"FUNCTIONS_WORKER_PROCESS_COUNT='{count}': expected 1 to 10"):
        asyncio.run(run())


def test_azure_gives_up_on_workers_that_die_one_after_the_other(bundle: Path) -> None:
    async def run() -> None:
        async with running("azure", bundle, variables=TWO_PROCESSES) as instance:
            for _ in range(8):
                assert (await ask(instance, "/die")).status == 500

    with pytest.raises(InstanceFailed, match="died"):
        asyncio.run(run())


def test_an_azure_worker_does_not_outlive_a_killed_host(bundle: Path) -> None:
    script = (
        "import asyncio, os, signal, sys; from pathlib import Path\n"
        "from tests.kits.runtime_instances import running\n"
        "async def main():\n"
        "    async with running('azure', Path(sys.argv[1])) as instance:\n"
        "        print(instance.pid, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", script, str(bundle)], cwd=ROOT, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        pid = int(host.stdout.readline())
        assert psutil.pid_exists(pid)
        host.kill()
    assert within(5, lambda: not psutil.pid_exists(pid))


def test_an_azure_worker_ends_by_itself_when_its_host_closes_the_channel(bundle: Path) -> None:
    async def run() -> int:
        messages = load_messages(runtime_folder())
        server = Server(messages)
        await server.open()
        link = server.expect()
        arguments = ["--functions-uri", f"http://127.0.0.1:{server.port}/", "--functions-worker-id", link.worker_id]
        command = [sys.executable, "-P", worker_process.__file__, *arguments, "--runtime", str(runtime_folder())]
        process = await asyncio.create_subprocess_exec(*command, cwd=bundle)
        await introduce(link, messages, bundle)
        await server.close()
        return await asyncio.wait_for(process.wait(), 5)

    assert asyncio.run(run()) == 0


def test_a_missing_azure_runtime_is_told_with_the_way_to_install_it(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIPOINT_AZURE_RUNTIME", str(tmp_path))

    async def run() -> None:
        async with running("azure", bundle):
            pass

    with pytest.raises(InstanceFailed, match="run `make setup`"):
        asyncio.run(run())
