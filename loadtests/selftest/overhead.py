"""Compare the processor time of this project's sender with a bare FastHttpUser, in one process, by turns.

`python -m loadtests.selftest.overhead` prints the processor time of one request for each, in turns, as one JSON line.
Processor time, because it is what bounds the throughput of a client, and is the same on a busy machine.
"""

from __future__ import annotations

from collections.abc import Callable

from gevent import monkey

monkey.patch_all()  # as Locust does, before anything imports sockets

import argparse  # noqa: E402
import json  # noqa: E402
from statistics import median  # noqa: E402
from time import perf_counter, process_time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from locust import rpc  # noqa: E402
from locust.contrib.fasthttp import FastHttpUser  # noqa: E402
from locust.env import Environment  # noqa: E402

from loadtests.plan.schedule import Arrival  # noqa: E402
from loadtests.plan.targets import Target  # noqa: E402
from loadtests.selftest.floor import PIXEL  # noqa: E402
from loadtests.selftest.null_server import null_server  # noqa: E402
from loadtests.send.delivery import Outbox  # noqa: E402
from loadtests.send.requester import Requester  # noqa: E402

SENDERS = 8


def bare_sender(environment: Environment, url: str) -> Callable[[int], object]:
    """A FastHttpUser that does nothing but POST."""
    user: Any = type("Bare", (FastHttpUser,), {"host": url, "abstract": True})(environment)
    return lambda index: user.client.post(url, data=PIXEL.body)


def recording_sender(environment: Environment, url: str, outbox: Outbox) -> Callable[[int], object]:
    """Ours, with the sample, the evidence, Locust's own statistics, and the message to the master."""
    requester = Requester(
        [Target("null", "null", "none", "local", 1, url)],
        [PIXEL],
        worker="overhead",
        timeout_s=60.0,
        on_sample=outbox.add,
        request_event=environment.events.request.fire,
    )
    return lambda index: requester.send(Arrival(index, 0.0, "null", "steady", 0), perf_counter())


def cost_us(senders: list[Callable[[int], object]], requests: int, finish: Callable[[], None]) -> float:
    """Processor time of one request, in µs, with every sender at work."""

    def work(send: Callable[[int], object]) -> None:
        for index in range(requests // len(senders)):
            send(index)

    before_s = process_time()
    gevent.joinall([gevent.spawn(work, send) for send in senders], raise_error=True)
    finish()
    return (process_time() - before_s) / requests * 1e6


def compare(requests: int, rounds: int) -> dict[str, float]:
    """Medians over `rounds` turns, and their ratio."""
    environment = Environment()
    environment.create_local_runner()
    sent: list[bytes] = []
    message: Any = rpc.Message  # Locust's messages carry no types
    outbox = Outbox(lambda data: sent.append(message("tripoint-samples", data, "overhead").serialize()))
    found: dict[str, list[float]] = {"bare_us": [], "recording_us": []}
    with null_server() as url:
        bare = [bare_sender(environment, url) for _ in range(SENDERS)]
        recording = [recording_sender(environment, url, outbox)] * SENDERS
        for _ in range(rounds):
            found["bare_us"].append(cost_us(bare, requests, lambda: None))
            found["recording_us"].append(cost_us(recording, requests, lambda: outbox.flush(0.0)))
    medians = {name: median(values) for name, values in found.items()}
    return {**medians, "ratio": medians["recording_us"] / medians["bare_us"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    print(json.dumps(compare(chosen.requests, chosen.rounds)))


if __name__ == "__main__":
    main()
