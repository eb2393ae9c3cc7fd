"""Measure what the front door adds to a warm request: `python -m adapters.emulator.overhead [CLOUD …]`.

Two views, in ms, both of GET /health over one open connection from this process:

- `added`: what the client waited, less the time that the runtime had the request (the ledger's). It includes
  the client's own HTTP, so it is an upper bound. Every cloud has it.
- `against_direct`: the same request through the front door and straight to the runtime's own HTTP port, in
  turns, where the runtime has one (gunicorn).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from http.client import HTTPConnection
from statistics import median
from typing import Any
from urllib.parse import urlsplit

import psutil

from adapters import contract
from adapters.emulator import clouds
from adapters.emulator.options import EmulatorOptions

LIMIT_MS = 1.0


@dataclass(frozen=True, slots=True)
class FrontDoorOverhead:
    """Medians of one cloud, in ms; `against_direct_ms` is None where the runtime speaks no HTTP."""

    cloud: str
    requests: int
    through_ms: float
    added_ms: float
    against_direct_ms: float | None


def measure(cloud: str, *, requests: int = 200) -> FrontDoorOverhead:
    """Start a local cloud without shares and measure one of its instances, warm."""
    with clouds.start([cloud], EmulatorOptions(max_instances=1, shares=False)) as running:
        local = running[cloud]
        with closing(_connect(local.url)) as front:
            _get(front)
            state = json.loads(_fetch(local.control, "/state"))
            direct = _direct(state["instances"][0]["pid"])
            through_ms, direct_ms = _in_turns(front, direct, requests)
            if direct is not None:
                direct.close()
        event_log = [json.loads(line) for line in _fetch(local.control, "/ledger").splitlines()]
    runtime_ms = [(r["at_s"] - r["assigned_s"]) * 1000 for r in event_log if r["event"] == "request"][1:]
    added_ms = median(whole - inside for whole, inside in zip(through_ms, runtime_ms, strict=True))
    against_ms = median(through_ms) - median(direct_ms) if direct_ms else None
    return FrontDoorOverhead(cloud, requests, median(through_ms), added_ms, against_ms)


def _in_turns(front: HTTPConnection, direct: HTTPConnection | None, requests: int) -> tuple[list[float], list[float]]:
    """Times of requests through the front door and of those past it, one after the other, in ms."""
    through_ms, direct_ms = [], []
    for _ in range(requests):
        through_ms.append(_get(front))
        if direct is not None:
            direct_ms.append(_get(direct))
    return through_ms, direct_ms


def _direct(pid: int) -> HTTPConnection | None:
    """A connection to the HTTP port that the runtime itself listens on, if any."""
    ports = [each.laddr.port for each in psutil.Process(pid).net_connections("tcp4") if each.status == "LISTEN"]
    return HTTPConnection("127.0.0.1", ports[0], timeout=30) if ports else None


def _connect(url: str) -> HTTPConnection:
    parts = urlsplit(url)
    assert parts.hostname
    return HTTPConnection(parts.hostname, parts.port, timeout=60)


def _get(connection: HTTPConnection) -> float:
    """The time of one GET /health in ms. Raises RuntimeError when it is refused."""
    begun_s = time.perf_counter()
    connection.request("GET", "/health")
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise RuntimeError(f"GET /health was answered with {answer.status}: expected 200; see the cloud's /logs")
    return (time.perf_counter() - begun_s) * 1000


def _fetch(url: str, path: str) -> bytes:
    with closing(_connect(url)) as connection:
        connection.request("GET", path)
        return connection.getresponse().read()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one JSON line per cloud; the exit status says whether every median is within the limit."""
    parser = argparse.ArgumentParser(prog="python -m adapters.emulator.overhead", description=__doc__)
    parser.add_argument("clouds", nargs="*", metavar="CLOUD", help="default: all")
    parser.add_argument("--requests", type=int, default=200)
    asked: Any = parser.parse_args(arguments)
    found = [measure(cloud, requests=asked.requests) for cloud in asked.clouds or contract.clouds()]
    for overhead in found:
        print(json.dumps(asdict(overhead)))
    raise SystemExit(any(overhead.added_ms > LIMIT_MS for overhead in found))


if __name__ == "__main__":
    main()
