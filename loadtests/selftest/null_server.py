"""A server with no model behind it, whose delays are known: it measures the load test itself.

It answers every POST as a classification after `delay_ms`. During a stall it answers nothing; what came in
meanwhile is answered when the stall ends. `POST /retire` makes the next request wait for a "new instance" that
takes `cold_ms`, and so does one that was idle for `idle_life_s` of `POST /settings`. `GET /ledger` says what it
did. Delays can differ between instances, between stretches of time and between requests, by lognormal laws of
known width. Run it as `python -m loadtests.selftest.null_server`: it prints its port
as one JSON line, and ends when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import exp
from random import Random
from time import perf_counter, time

from loadtests.launch import ROOT, python_path


@dataclass(frozen=True, slots=True)
class Stall:
    """From `at_s` after the server's clock began, for `for_s` seconds."""

    at_s: float
    for_s: float

    @classmethod
    def parse(cls, text: str) -> Stall:
        """`10+2` is a stall of 2 s after 10 s."""
        at_s, _, for_s = text.partition("+")
        return cls(float(at_s), float(for_s))


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviations of the logarithm of the delay: between instances, between stretches of time, and requests.

    A stretch lasts `stretch_s` on the wall clock and has the same factor on every server, `instances` and `requests`
    are drawn by `seed`.
    """

    instances: float = 0.0
    stretches: float = 0.0
    requests: float = 0.0
    stretch_s: float = 5.0
    seed: int = 0

    def factor(self, instance: int, request: int, unix_s: float) -> float:
        """What the delay is multiplied with; its median over all draws is 1."""
        drawn = (
            (self.instances, f"{self.seed}/instance/{instance}"),
            (self.stretches, f"stretch/{int(unix_s / self.stretch_s)}"),
            (self.requests, f"{self.seed}/request/{instance}/{request}"),
        )
        return exp(sum(width * Random(text).gauss(0, 1) for width, text in drawn if width))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What the server does to every request; its clock begins with the one after the first `skip`."""

    delay_ms: float = 0.0
    cold_ms: float = 0.0
    stalls: tuple[Stall, ...] = ()
    skip: int = 0
    spread: Spread = field(default_factory=Spread)

    def answer_after_s(self, arrived_s: float, *, factor: float = 1.0) -> float:
        """Seconds from a request's arrival to its answer; `arrived_s` is on the server's clock."""
        due_s = arrived_s + self.delay_ms * factor / 1000
        for stall in self.stalls:
            if stall.at_s <= due_s < stall.at_s + stall.for_s:
                due_s = stall.at_s + stall.for_s
        return due_s - arrived_s


@dataclass
class NullInstance:
    """A pretended execution environment."""

    number: int
    ready_s: float
    started_unix_s: float
    cold_ms: float
    requests: int = 0
    used_s: float = 0.0


@dataclass
class NullServer:
    """The state behind all connections."""

    behaviour: Behaviour
    first_s: float = 0.0
    instance: NullInstance | None = None
    served: int = 0
    cold: int = 0
    started: int = 0
    idle_life_s: float = float("inf")

    def retire(self) -> None:
        """Make the next request start a new instance."""
        self.instance = None

    def admit(self, now_s: float) -> tuple[float, bytes]:
        """When (seconds from `now_s`) and how to answer a request that arrived at `now_s`."""
        if self.served <= self.behaviour.skip:
            self.first_s = now_s
        if self.instance is None or now_s - self.instance.used_s > self.idle_life_s:
            self.started += 1
            cold_s = self.behaviour.cold_ms / 1000
            self.instance = NullInstance(self.started, now_s + cold_s, time(), self.behaviour.cold_ms)
        instance = self.instance
        instance.requests += 1
        begun_s = max(now_s, instance.ready_s)  # the handler's: before that the instance was not ready
        self.served += 1
        self.cold += begun_s > now_s
        factor = self.behaviour.spread.factor(instance.number, instance.requests, time())
        done_s = begun_s + self.behaviour.answer_after_s(begun_s - self.first_s, factor=factor)
        instance.used_s = max(instance.used_s, done_s)
        evidence = describe(instance, since_ready_ms=(begun_s - instance.ready_s) * 1000)
        return done_s - now_s, encode(evidence, total_ms=self.behaviour.delay_ms * factor)


def describe(instance: NullInstance, *, since_ready_ms: float) -> str:
    """The evidence header's value, as the core writes it."""
    return (
        f"null-{instance.number};number={instance.requests};since_ready_ms={since_ready_ms:.3f};"
        f"init_start_unix_s={instance.started_unix_s:.6f};init_ms={instance.cold_ms};imports_ms=0;model_load_ms=0"
    )


def encode(evidence: str, *, total_ms: float) -> bytes:
    """The whole HTTP answer: a classification of nothing."""
    body = f'{{"predictions":[{{"label":"null","score":1.0}}],"timings":{{"total_ms":{total_ms}}}}}'.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}x-tripoint-instance: {evidence}\r\n\r\n".encode() + body


def plain(document: dict[str, int]) -> bytes:
    """A small JSON answer."""
    body = json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


class NullConnection(asyncio.Protocol):
    """One HTTP/1.1 connection; requests on it are answered in turn."""

    def __init__(self, server: NullServer) -> None:
        self._server = server
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (request := self._next_request()) is not None:
            self._serve(*request)

    def _next_request(self) -> tuple[str, bytes] | None:
        """Request line and body of the next whole request, taken off the buffer; None when there is none."""
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self._buffer[:end]).decode("latin-1")
        lengths = [line[15:] for line in head.split("\r\n")[1:] if line.lower().startswith("content-length:")]
        size = end + 4 + (int(lengths[0]) if lengths else 0)
        if len(self._buffer) < size:
            return None
        body = bytes(self._buffer[end + 4 : size])
        del self._buffer[:size]
        return head.partition("\r\n")[0], body

    def _serve(self, request_line: str, body: bytes) -> None:
        now_s = perf_counter()
        route = request_line.rpartition(" ")[0]
        if route == "POST /retire":
            self._server.retire()
            self._write(plain({}))
        elif route == "POST /settings":
            self._server.idle_life_s = json.loads(body).get("idle_life_s") or float("inf")
            self._write(plain({}))
        elif route == "GET /ledger":
            self._write(
                plain({"served": self._server.served, "cold": self._server.cold, "started": self._server.started})
            )
        else:
            wait_s, answer = self._server.admit(now_s)
            if wait_s <= 0:
                self._write(answer)
            else:
                asyncio.get_running_loop().call_later(wait_s, self._write, answer)

    def _write(self, answer: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(answer)


async def serve(behaviour: Behaviour) -> None:
    """Serve on a free loopback port until standard input closes."""
    loop = asyncio.get_running_loop()
    state = NullServer(behaviour)
    server = await loop.create_server(lambda: NullConnection(state), "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"event": "ready", "url": f"http://127.0.0.1:{port}/"}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


@contextmanager
def null_server(*options: str) -> Iterator[str]:
    """The URL of a null server in a process of its own, which ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "loadtests.selftest.null_server", *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": python_path()},
    )
    assert process.stdout is not None
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.communicate(timeout=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--cold-ms", type=float, default=0.0)
    parser.add_argument("--stall", type=Stall.parse, action="append", default=[], metavar="AT+FOR", help="seconds")
    parser.add_argument("--skip", type=int, default=0, help="the clock begins after so many requests")
    for name in ("instances", "stretches", "requests"):
        parser.add_argument(
            f"--spread-of-{name}", type=float, default=0.0, metavar="SD", help="of the delay's logarithm"
        )
    parser.add_argument("--stretch-s", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    widths = (chosen.spread_of_instances, chosen.spread_of_stretches, chosen.spread_of_requests)
    spread = Spread(*widths, stretch_s=chosen.stretch_s, seed=chosen.seed)
    behaviour = Behaviour(chosen.delay_ms, chosen.cold_ms, tuple(chosen.stall), chosen.skip, spread)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(behaviour))


if __name__ == "__main__":
    main()
