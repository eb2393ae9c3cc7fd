"""The front door and the control plane over real sockets, with no instance behind."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections.abc import Awaitable, Callable

import aiohttp
import pytest
from yarl import URL

from adapters import contract
from adapters.contract import HttpAnswer, HttpRequest
from adapters.emulator import http_server
from adapters.emulator.faults import Fault
from adapters.emulator.memory_sizes import check_memory, cpu_share
from adapters.emulator.options import EmulatorOptions
from adapters.emulator.platform_rules import platform


def play(serve: Callable[[HttpRequest], Awaitable[HttpAnswer]], ask: Callable[[str], Awaitable[None]]) -> None:
    """Open a front door before `serve` and let `ask` use its URL."""

    async def whole() -> None:
        serving = http_server.server(serve)
        opened, url = await http_server.listen(serving)
        try:
            await ask(url)
        finally:
            opened.close()
            await serving.shutdown(0.1)

    asyncio.run(whole())


def test_a_request_reaches_the_function_as_it_was_sent() -> None:
    seen: list[HttpRequest] = []

    async def serve(request: HttpRequest) -> HttpAnswer:
        seen.append(request)
        return HttpAnswer(200, (), b"")

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession() as session:
            headers = {"Content-Encoding": "gzip", "X-Twice": "a, b"}
            async with session.post(
                URL(f"{url}/a%20b?c=%2F&c=2", encoded=True), data=b"not gzip", headers=headers
            ) as answer:
                assert answer.status == 200

    play(serve, ask)
    assert seen[0].method == "POST"
    assert seen[0].target == "/a%20b?c=%2F&c=2"
    assert seen[0].body == b"not gzip"
    assert dict(seen[0].headers)["X-Twice"] == "a, b"


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells when a request came")
def test_a_busy_front_door_learns_how_long_a_request_lay_unread() -> None:
    lain: list[float] = []

    async def serve(request: HttpRequest) -> HttpAnswer:
        lain.append(request.queued_s)
        time.sleep(0.2)  # the front door is busy: the next request lies in the kernel
        return HttpAnswer(200, (), b"")

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession() as session:

            async def one() -> None:
                async with session.post(url, data=b"x") as answer:
                    assert answer.status == 200

            await asyncio.gather(one(), one(), one())

    play(serve, ask)
    assert max(lain) >= 0.1


def test_the_functions_headers_go_through_and_those_of_its_connection_do_not() -> None:
    async def serve(request: HttpRequest) -> HttpAnswer:
        headers = (("server-timing", "total;dur=1"), ("set-cookie", "a=1"), ("set-cookie", "b=2"))
        return HttpAnswer(418, (*headers, ("connection", "close"), ("content-length", "999")), b"{}")

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession(url) as session, session.get("/") as answer:
            assert answer.status == 418
            assert answer.headers["server-timing"] == "total;dur=1"
            assert answer.headers.getall("set-cookie") == ["a=1", "b=2"]
            assert answer.headers["content-length"] == "2"
            assert answer.headers.get("connection") is None

    play(serve, ask)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_above_the_limit_is_refused_before_the_function(chunked: bool) -> None:
    async def serve(request: HttpRequest) -> HttpAnswer:
        raise AssertionError("it must not get here")

    async def pieces() -> object:
        for _ in range(11):
            yield bytes(1_000_000)

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession(url) as session:
            data = pieces() if chunked else io.BytesIO(bytes(11_000_000))
            async with session.post("/", data=data) as answer:
                assert answer.status == 413
                document = await answer.json()
                assert document["error"]["code"] == "body_too_large"
                assert "11000000 bytes, the limit is 10000000" in document["error"]["message"]

    play(serve, ask)


def test_a_client_that_asks_first_is_told_to_go_on() -> None:
    async def serve(request: HttpRequest) -> HttpAnswer:
        return HttpAnswer(200, (), request.body)

    async def ask(url: str) -> None:
        async with (
            aiohttp.ClientSession(url) as session,
            session.post("/", data=b"photo", expect100=True) as answer,
        ):
            assert await answer.read() == b"photo"

    play(serve, ask)


def test_every_cloud_states_rules_that_can_be_read() -> None:
    for name in contract.clouds():
        rules = platform(contract.load(name), EmulatorOptions())
        assert rules.full.status == 429
        assert rules.failed.status >= 500
        assert rules.cpu_share == 1.0, "defaults of one vCPU compare like with like"


def test_options_override_what_the_cloud_says() -> None:
    options = EmulatorOptions(memory_mb=512, max_instances=3, min_instances=1, idle_life_s=5.0, timeout_s=2.0)
    rules = platform(contract.load("aws"), options)
    assert (rules.memory_mb, rules.timeout_s) == (512, 2.0)
    assert rules.scaling.max_instances == 3
    assert rules.scaling.min_instances == 1
    assert rules.scaling.idle_life.longest_s == 5.0
    assert rules.cpu_share == pytest.approx(512 / 1769)


def test_sharing_an_instance_on_cloud_run_comes_with_a_whole_vcpu() -> None:
    alone = platform(contract.load("gcp"), EmulatorOptions(memory_mb=512))
    shared = platform(contract.load("gcp"), EmulatorOptions(memory_mb=512, concurrency=2))
    assert (alone.cpu_share, shared.cpu_share) == (0.333, 1.0)


def test_google_boosts_the_start_of_small_instances_unless_that_is_switched_off_and_aws_always() -> None:
    boosts = {
        (name, size_mb, asked): platform(
            contract.load(name),
            EmulatorOptions.from_document(json.loads(EmulatorOptions(memory_mb=size_mb, cpu_boost=asked).text())),
        ).boost
        for name, size_mb in (("gcp", 512), ("gcp", 2048), ("gcp", 4096), ("aws", 512), ("azure", 512))
        for asked in (True, False)
    }
    given = {key: boost.vcpu for key, boost in boosts.items() if boost is not None}
    start_alone = {("aws", 512, True): 2.0, ("aws", 512, False): 2.0}  # Lambda asks nobody
    assert given == {("gcp", 512, True): 2.0, ("gcp", 2048, True): 2.0, **start_alone}


@pytest.mark.parametrize(
    ("cloud", "options", "message"),
    [
        ("aws", {"memory_mb": 127}, "memory 127 MB: expected 128 to 10240 MB in steps of 1 MB"),
        ("azure", {"memory_mb": 1024}, "memory 1024 MB: expected one of 512, 2048, 4096 MB"),
        ("aws", {"concurrency": 2}, "concurrency 2: this cloud allows at most 1"),
        ("aws", {"timeout_s": 901}, "timeout_s 901: this cloud allows at most 900"),
    ],
)
def test_what_a_cloud_does_not_offer_is_told(cloud: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        platform(contract.load(cloud), EmulatorOptions.from_document(options))


def test_cpu_follows_memory_as_each_vendor_says() -> None:
    """Shares from the vendors' pages named in each cloud.toml."""
    memory = {name: contract.load(name).data["memory"] for name in ("aws", "gcp", "azure")}
    assert cpu_share(memory["aws"], 1769) == 1.0
    assert cpu_share(memory["aws"], 10240) == pytest.approx(5.788, abs=1e-3)
    assert [cpu_share(memory["gcp"], size) for size in (128, 1024, 1025, 32768)] == [0.083, 0.583, 1.0, 8.0]
    assert [cpu_share(memory["azure"], size) for size in (512, 2048, 4096)] == [0.25, 1.0, 2.0]
    assert check_memory(memory["azure"], 512) == 512


def test_options_travel_as_text_and_unknown_ones_are_told() -> None:
    options = EmulatorOptions(model="mine", memory_mb=512, idle_life_s=1.5, faults=(Fault("kill", seed=3),))
    assert EmulatorOptions.from_document(json.loads(options.text())) == options
    with pytest.raises(ValueError, match=r"unknown option memory: expected some of bundle, code, concurrency"):
        EmulatorOptions.from_document({"memory": 512})
    with pytest.raises(ValueError, match="concurrency is 0: expected a number above 0"):
        EmulatorOptions(concurrency=0)
