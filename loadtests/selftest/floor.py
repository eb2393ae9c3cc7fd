"""Measure the client's own overhead, a request to a server that does nothing, at the start of every run."""

from __future__ import annotations

from statistics import median
from time import perf_counter
from typing import Any

from loadtests.plan.payloads import Payload
from loadtests.plan.schedule import Arrival
from loadtests.plan.targets import Target
from loadtests.selftest.null_server import null_server
from loadtests.send.requester import Requester

REQUESTS = 200
PIXEL = Payload(  # the smallest PNG there is: one grey pixel
    "pixel.png",
    bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63680000008200815a"
        "a2c29f0000000049454e44ae426082"
    ),
    "image/png",
)


def measure_floor() -> dict[str, Any]:
    """The document of a run's event "calibration": REQUESTS one after another, after one that opens the connection.

    `tripoint calibrate` measures more, and at a rate.
    """
    latencies_ms: list[float] = []
    with null_server() as url:
        target = Target("null", "null", "none", "local", 1, url)
        requester = Requester(
            [target],
            [PIXEL],
            worker="floor",
            timeout_s=10.0,
            on_sample=lambda sample: latencies_ms.append(sample.latency_ms or 0.0),
        )
        for index in range(REQUESTS + 1):
            requester.send(Arrival(index, 0.0, target.name, "warm-up", 0), perf_counter())
        requester.close()
    ordered = sorted(latencies_ms[1:])
    p99_ms = ordered[int(len(ordered) * 0.99) - 1]
    return {"floor": {"requests": len(ordered), "p50_ms": median(ordered), "p99_ms": p99_ms}}
