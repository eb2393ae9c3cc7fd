"""The measuring side against the truth: 500 requests in bursts, and what the ledgers say of them."""

from __future__ import annotations

import asyncio
import io
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from PIL import Image

from adapters import contract
from adapters.emulator import clouds
from adapters.emulator.options import EmulatorOptions
from loadtests.record.cold_state import classify_samples
from loadtests.send.response import HttpResponse
from loadtests.send.response_parser import PlannedRequest, instance_fields

if TYPE_CHECKING:
    from loadtests.record.sample import Sample

pytestmark = pytest.mark.clock
CLOUDS = contract.clouds()
BURSTS = (4, 12, 20, 3, 24, 16, 2, 18, 14, 4, 30, 20)
INSTANCES = 4
PAUSE_S = 0.2


@pytest.fixture(scope="module")
def running() -> Iterator[dict[str, clouds.LocalCloud]]:
    with clouds.start(CLOUDS, EmulatorOptions(max_instances=INSTANCES)) as local:
        yield local


@pytest.fixture(scope="module")
def photo() -> bytes:
    encoded = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(encoded, "JPEG")
    return encoded.getvalue()


async def one(session: aiohttp.ClientSession, local: clouds.LocalCloud, photo: bytes) -> Sample:
    """Send one request, and read its answer as the harness does."""
    sent_s = time.perf_counter()
    async with session.post(local.url, data=photo) as got:
        body = await got.read()
        done_s = time.perf_counter()
        headers = {name.lower(): value for name, value in got.headers.items()}
    answer = HttpResponse(
        got.status,
        headers,
        body,
        sent_s=sent_s,
        done_s=done_s,
        connect_ms=None,
        tls_ms=None,
        answer_ms=0.0,
        request_bytes=len(photo),
        response_bytes=len(body),
    )
    sample = instance_fields(PlannedRequest(0, local.cloud, "one", "burst", sent_s, 0.0), answer, first_answers={})
    assert sample.outcome == "ok", sample.error
    return sample


async def bursts(local: clouds.LocalCloud, photo: bytes) -> list[Sample]:
    """Bursts of several sizes, each sent at once; every third comes after a new version.

    A cloud without a queue refuses what has no instance: there a burst goes out in parts that fit.
    """
    queue = contract.load(local.cloud).data["platform"]["queue_length"]
    seen: list[Sample] = []
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        for number, size in enumerate(BURSTS):
            if number % 3 == 0:
                async with session.post(f"{local.control}/retire") as answer:
                    assert answer.status == 200
            part = size if queue else INSTANCES
            for first in range(0, size, part):
                count = min(part, size - first)
                seen += await asyncio.gather(*(one(session, local, photo) for _ in range(count)))
                await pause(session, local)
    return seen


async def pause(session: aiohttp.ClientSession, local: clouds.LocalCloud) -> None:
    """Wait until no instance is starting, and a little longer.

    Between an instance's own "ready" and its platform's notice of it lie some ms, many on a busy machine: whether
    a request sent then waited for the instance only the platform knows, so no burst is sent then.
    """
    while True:
        async with session.get(f"{local.control}/state") as answer:
            state = await answer.json()
        if all(instance["ready"] for instance in state["instances"]):
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(PAUSE_S)


async def truth(local: clouds.LocalCloud) -> list[dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.get(f"{local.control}/ledger") as answer:
        return [json.loads(line) for line in (await answer.text()).splitlines()]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_cold_count_and_every_instances_requests_equal_the_ledgers(
    cloud: str, running: dict[str, clouds.LocalCloud], photo: bytes
) -> None:
    seen = classify_samples(asyncio.run(bursts(running[cloud], photo)))
    requests = [record for record in asyncio.run(truth(running[cloud])) if record["event"] == "request"]
    assert len(seen) == len(requests) == sum(BURSTS)
    cold = sum(record["waited_for_new_instance"] for record in requests)
    assert cold >= 5, "every new version makes at least one request wait"
    assert Counter(sample.state for sample in seen)["cold"] == cold
    served = Counter(record["instance"] for record in requests)
    assert sorted(Counter(sample.instance for sample in seen).values()) == sorted(served.values())
